// Gradients of convolutions by host kernels, at sizes where those other than oneDNN's own take them: products of taps, and the gradient in the map as
// a convolution of the turned weight. Against their definition in double precision.
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "tests/support/conv_tensors.h"
#include "tests/support/evaluated.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

struct Case {
    const char* name;
    std::int64_t batch, in, out;
    Shape size, window;
    ConvGeometry geometry;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> list = {
        {"one tap", 2, 48, 64, {7, 9}, {1, 1}, {{1, 1}, {0, 0}, {0, 0}, {1, 1}, 1}},
        {"one tap, odd outputs", 1, 80, 37, {13, 14}, {1, 1}, {{1, 1}, {0, 0}, {0, 0}, {1, 1}, 1}},
        {"one tap, strides", 2, 32, 33, {9, 8}, {1, 1}, {{2, 3}, {0, 0}, {0, 0}, {1, 1}, 1}},
        {"one tap, zeros around", 1, 32, 32, {5, 6}, {1, 1}, {{1, 1}, {1, 0}, {0, 2}, {1, 1}, 1}},
        {"few pixels", 2, 64, 96, {4, 5}, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}},
        {"few pixels, odd outputs", 1, 112, 41, {3, 3}, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}},
        {"strides, zeros below", 3, 32, 48, {8, 9}, {3, 3}, {{2, 2}, {0, 0}, {1, 1}, {1, 1}, 1}},
        {"dilation", 1, 32, 32, {9, 8}, {3, 3}, {{1, 1}, {2, 1}, {2, 3}, {2, 2}, 1}},
        {"5 x 4", 1, 48, 32, {9, 8}, {5, 4}, {{1, 1}, {2, 1}, {2, 2}, {1, 1}, 1}},
        {"more zeros than the window meets", 1, 32, 32, {6, 4}, {3, 3}, {{1, 1}, {3, 1}, {1, 4}, {1, 1}, 1}},
        {"lines", 2, 64, 32, {37}, {3}, {{1}, {1}, {1}, {1}, 1}},
        {"lines, causal", 1, 32, 64, {29}, {4}, {{1}, {3}, {0}, {1}, 1}},
        {"frames", 1, 32, 64, {5, 4, 3}, {3, 1, 1}, {{1, 1, 1}, {2, 0, 0}, {0, 0, 0}, {1, 1, 1}, 1}},
        {"frames, many pixels", 1, 32, 32, {4, 12, 13}, {3, 1, 1}, {{1, 1, 1}, {1, 0, 0}, {1, 0, 0}, {1, 1, 1}, 1}},
    };
    return list;
}

}  // namespace

class HostConvGradientsTest : public QObject {
    Q_OBJECT

    void add_rows() { tests::add_case_rows(cases()); }
    static tests::ConvTensors drawn(const Case& one) { return tests::conv_tensors(one.geometry, one.batch, one.in, one.out, one.size, one.window); }
    static const Case& row() { return tests::case_of_row(cases()); }
    void check_error(const Tensor& result) {
        const double error = tests::oracle_error(result);
        QVERIFY2(error < 2e-6, qPrintable(QString("relative L2 %1").arg(error)));
    }

private slots:
    void initTestCase() {
        if (!tests::host_kernels()) QSKIP("no host kernels on this device");
    }

    void weight_data() { add_rows(); }
    void weight() {
        const Case& one = row();
        const tests::ConvTensors tensors = drawn(one);
        check_error(conv_weight_grad(tensors.x, tensors.dy, one.geometry, one.window));
    }

    void map_data() { add_rows(); }
    void map() {
        const Case& one = row();
        const tests::ConvTensors tensors = drawn(one);
        check_error(conv_input_grad(tensors.dy, tensors.weight, one.geometry, one.size));
        check_error(conv_input_grad(tensors.dy, tensors.weight * 2, one.geometry, one.size));      // a weight that is no leaf
    }
};

HEDDLE_TEST(host_conv_gradients, HostConvGradientsTest)
#include "host_conv_gradients.moc"
