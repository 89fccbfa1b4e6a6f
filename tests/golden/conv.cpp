// Convolutions and their gradients against stored results of PyTorch (golden/conv/make_conv.py): the layout of weights,
// which side is padded, what output padding means.
#include <functional>
#include <map>

#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/graph/autodiff.h"
#include "gpu/io/checkpoint.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

using Case = std::function<Tensor(const Tensor&, const Tensor&)>;

const std::map<std::string, Case>& cases() {
    static const std::map<std::string, Case> all{
        {"plain", [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {.stride = {2, 1}, .pad = {1, 0}, .dilation = {1, 2}}); }},
        {"downsampler", [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {.stride = 2, .pad = 0, .pad_end = 1}); }},
        {"groups", [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {.pad = 1, .groups = 2}); }},
        {"depthwise", [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {.pad = 1, .groups = 4}); }},
        {"replicate", [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {.pad = 1, .mode = PadMode::Replicate}); }},
        {"reflect", [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {.pad = {1, 2}, .pad_end = {2, 1}, .mode = PadMode::Reflect}); }},
        {"line", [](const Tensor& x, const Tensor& w) { return conv1d(x, w, {.stride = 2, .pad = 2, .dilation = 2, .groups = 2}); }},
        {"causal", [](const Tensor& x, const Tensor& w) { return conv3d(x, w, {.stride = {1, 2, 1}, .pad = {2, 1, 1}, .pad_end = {0, 1, 1}}); }},
        {"transposed", [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w, {.stride = {3, 2}, .pad = {1, 0}, .output_pad = {2, 1}}); }},
        {"transposed_groups", [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w, {.stride = 2, .pad = 1, .groups = 3}); }},
        {"transposed_dilated", [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w, {.pad = 1, .output_pad = 2, .dilation = 3}); }},
        {"transposed_line", [](const Tensor& x, const Tensor& w) { return conv_transpose1d(x, w, {.stride = 2, .pad = 1}); }},
        {"transposed_volume", [](const Tensor& x, const Tensor& w) {
             return conv_transpose3d(x, w, {.stride = {1, 2, 2}, .pad = 1, .output_pad = {0, 1, 1}});
         }},
    };
    return all;
}

double difference(const Tensor& got, const Tensor& expected) {
    return got.shape() == expected.shape() ? relative_error(read_doubles(got.value()), read_doubles(expected.value())) : 1;
}

}  // namespace

class ConvTest : public QObject {
    Q_OBJECT

private slots:
    void conventions_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("host");
        for (const auto& [name, make] : cases())
            for (const bool host : {true, false})
                QTest::newRow((name + (host ? "_host" : "_shader")).c_str()) << QString::fromStdString(name) << host;
    }
    void conventions() {
        QFETCH(QString, name);
        QFETCH(bool, host);
        const ScopedSwitch path(&Switches::host, host);
        const Checkpoint file = open_checkpoint(HEDDLE_SOURCE_DIR "/tests/golden/conv/conv.safetensors");
        const auto stored = [&](const char* key) {
            const TensorEntry* entry = file.find(name.toStdString() + "." + key);
            if (!entry) throw Error(ErrorCode::MissingFile, "{}", key);
            return leaf({entry->shape, entry->dtype}, entry->bytes, file.owner());
        };
        const Tensor x = stored("x"), w = stored("w"), y = cases().at(name.toStdString())(x, w);
        const Tensors grads = cotangents(y, stored("dy"), {x, w});
        evaluate({y, grads[0], grads[1]});
        QVERIFY(difference(y, stored("y")) < 1e-5);
        QVERIFY(difference(grads[0], stored("dx")) < 1e-5);
        QVERIFY(difference(grads[1], stored("dw")) < 1e-5);
    }
};

HEDDLE_TEST(conv, ConvTest)
#include "conv.moc"
