#include "gpu/nn/scope.h"

#include <QTemporaryDir>

#include "gpu/base/error.h"
#include "gpu/nn/modules.h"
#include "gpu/run/oracle.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

// Without a device: weights of 16 bits are leaves under a cast.
std::vector<float> host_values(const Tensor& weight) {
    const std::vector<double> values = oracle(weight);
    return {values.begin(), values.end()};
}

struct Pair {
    nn::Conv2d conv;
    nn::Linear linear;
    explicit Pair(const Scope& s) : conv(s / "conv", 2, 3, {.kernel = 1, .pad = 0}), linear(s / "deep.linear", 3, 4, false) {}
};

// A file with what Pair wants, each tensor of another element type.
struct File {
    QTemporaryDir folder;
    std::vector<std::uint16_t> half = {0x3c00, 0x4000, 0xbc00, 0, 0x3800, 0x7bff};      // F16: 1 2 -1 0 0.5 65504
    std::vector<std::uint16_t> brain = {0x3f80, 0x4049, 0xc000};                        // BF16: 1 3.140625 -2
    std::vector<double> wide = std::vector<double>(12, 0.1);
    std::vector<TensorEntry> entries = {
        {"conv.weight", Dtype::F16, {3, 2, 1, 1}, std::as_bytes(std::span(half))},
        {"conv.bias", Dtype::BF16, {3}, std::as_bytes(std::span(brain))},
        {"deep.linear.weight", Dtype::F64, {4, 3}, std::as_bytes(std::span(wide))}};

    Scope open(const std::function<std::string(const std::string&)>& rename = {}) {
        const std::string path = folder.filePath("pair.safetensors").toStdString();
        save_safetensors(path, entries);
        Weights weights;
        add_weights(weights, open_checkpoint(path), rename);
        return Scope::weights(std::move(weights));
    }
};

std::string problem_of(const Scope& scope) {
    try {
        scope.finish("pair");
    } catch (const Error& error) {
        return error.code() == ErrorCode::BadFile ? error.message() : "another code";
    }
    return "";
}

}  // namespace

class ScopeTest : public QObject {
    Q_OBJECT
private slots:
    void shapes_list_names_without_data() {
        const Scope scope = Scope::shapes();
        const Pair pair(scope / "model");
        QCOMPARE(scope.asked().size(), 3u);
        QCOMPARE(scope.asked()[0].name, std::string("model.conv.weight"));
        QCOMPARE(scope.asked()[1].name, std::string("model.conv.bias"));
        QCOMPARE(scope.asked()[2].name, std::string("model.deep.linear.weight"));
        QCOMPARE(scope.asked()[0].shape, (Shape{3, 2, 1, 1}));
        QCOMPARE(pair.linear.weight.shape(), (Shape{4, 3}));
    }
    void files_widen_to_f32() {
        File file;
        const Scope scope = file.open();
        const Pair pair(scope);
        scope.finish("pair");
        QCOMPARE(host_values(pair.conv.weight), (std::vector<float>{1, 2, -1, 0, 0.5f, 65504}));
        QCOMPARE(host_values(pair.conv.bias), (std::vector<float>{1, 3.140625f, -2}));
        QCOMPARE(host_values(pair.linear.weight), std::vector<float>(12, 0.1f));
        QVERIFY(scope.missing().empty() && scope.unexpected().empty());
    }
    void missing_and_unexpected_are_named() {
        File file;
        const Scope scope = file.open([](const std::string& name) { return name == "conv.bias" ? "conv.offset" : name; });
        const Pair pair(scope);
        QCOMPARE(scope.missing(), std::vector<std::string>{"conv.bias"});
        QCOMPARE(scope.unexpected(), std::vector<std::string>{"conv.offset"});
        const std::string problem = problem_of(scope);
        QVERIFY2(problem.find("1 missing: conv.bias") != std::string::npos, problem.c_str());
        QVERIFY2(problem.find("1 unexpected: conv.offset") != std::string::npos, problem.c_str());
    }
    void wrong_shapes_are_named() {
        File file;
        file.entries[2].shape = {3, 4};
        const Scope scope = file.open();
        const Pair pair(scope);
        const std::string problem = problem_of(scope);
        QVERIFY2(problem.find("deep.linear.weight (expected [4, 3], got [3, 4])") != std::string::npos, problem.c_str());
    }
    void whole_numbers_are_no_weights() {
        File file;
        std::vector<std::int32_t> whole(12);
        file.entries[2] = {"deep.linear.weight", Dtype::I32, {4, 3}, std::as_bytes(std::span(whole))};
        QVERIFY_EXCEPTION_THROWN(Pair{file.open()}, Error);
    }
    void two_tensors_of_one_name_are_refused() {
        File file;
        QVERIFY_EXCEPTION_THROWN(file.open([](const std::string&) { return std::string("same"); }), Error);
    }
    void random_does_not_depend_on_order() {
        const Scope first = Scope::random(5), second = Scope::random(5), other = Scope::random(6);
        const Tensor a = first.weight("a", {7}, {.bound = 1}), b = first.weight("b", {7}, {.bound = 1});
        const Tensor b2 = second.weight("b", {7}, {.bound = 1}), a2 = second.weight("a", {7}, {.bound = 1});
        QCOMPARE(host_values(a), host_values(a2));
        QCOMPARE(host_values(b), host_values(b2));
        QVERIFY(host_values(a) != host_values(b));
        QVERIFY(host_values(other.weight("a", {7}, {.bound = 1})) != host_values(a));
        for (const float v : host_values(first.weight("c", {1000}, {.bound = 0.5, .centre = 2}))) QVERIFY(v >= 1.5f && v <= 2.5f);
    }
};

HEDDLE_TEST(scope, ScopeTest)
#include "scope.moc"
