// Winograd's variant of convolutions and their gradients in the map: its results at odd sizes and borders, where it is offered,
// and that the tuner can measure it.
#include "gpu/ops/winograd.h"

#include <QTemporaryDir>
#include <algorithm>

#include "gpu/base/switches.h"
#include "gpu/graph/autocast.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/run/traits.h"
#include "gpu/run/tune.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"
#include "tests/support/variants.h"

using namespace gpu;

namespace {

struct Case {
    const char* name;
    std::int64_t batch, in, out;
    Shape size, before, after;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> list = {
        {"even", 1, 8, 8, {6, 8}, {1, 1}, {1, 1}},
        {"odd sizes, odd channels, two pictures", 2, 5, 3, {7, 5}, {1, 1}, {1, 1}},
        {"no zeros around", 2, 3, 7, {5, 8}, {0, 0}, {0, 0}},
        {"zeros on one side", 1, 4, 6, {6, 5}, {0, 1}, {1, 0}},
        {"two zeros above, none below", 3, 2, 5, {4, 4}, {2, 0}, {0, 2}},
        {"more zeros than the kernel meets", 1, 3, 2, {3, 4}, {3, 4}, {4, 3}},
        {"1 x 1", 2, 9, 4, {1, 1}, {1, 1}, {1, 1}},
        {"2 x 2", 1, 17, 13, {2, 2}, {1, 1}, {1, 1}},
        {"2 x 1 to 1 x 2", 1, 4, 4, {2, 1}, {0, 1}, {1, 2}},
        {"one row", 1, 3, 3, {1, 9}, {1, 0}, {1, 0}},
        {"one channel", 1, 1, 1, {9, 9}, {1, 1}, {1, 1}},
        {"wide", 1, 33, 40, {12, 15}, {1, 1}, {1, 1}},
    };
    return list;
}

ConvGeometry geometry_of(const Case& one) { return {{1, 1}, one.before, one.after, {1, 1}, 1}; }

Tensor forward(const Case& one, Dtype dtype, double scale = 1) {
    const Tensor x = tests::random_tensor({one.batch, one.in, one.size[0], one.size[1]}, 1, -scale, scale);
    return convolution(cast(x, dtype), cast(tests::random_tensor({one.out, one.in, 3, 3}, 2), dtype), geometry_of(one));
}

Tensor input_grad(const Case& one) {
    const ConvGeometry g = geometry_of(one);
    const Tensor dy = tests::random_tensor({one.batch, one.out, g.output(0, one.size[0], 3), g.output(1, one.size[1], 3)}, 1);
    return conv_input_grad(dy, tests::random_tensor({one.out, one.in, 3, 3}, 2), g, one.size);
}

Tensor by(const std::string& variant, const Tensor& y) { return y.op()->variant_graph(y.inputs(), variant); }

double error_of(const Tensor& result, const std::vector<double>& expected) {
    evaluate({result});
    return relative_error(read_doubles(result.value()), expected);
}

// A convolution large enough for the variant to be offered.
Tensor large(Dtype dtype, std::int64_t in = 32, std::int64_t out = 48) { return forward({"", 1, in, out, {17, 15}, {1, 1}, {1, 1}}, dtype); }

}  // namespace

class WinogradTest : public QObject {
    Q_OBJECT

    void add_rows() {
        QTest::addColumn<int>("index");
        QTest::addColumn<bool>("host");   // whether the products in the middle are a host kernel's
        for (std::size_t i = 0; i < cases().size(); ++i)
            for (const bool host : {false, true})
                QTest::newRow((std::string(cases()[i].name) + (host ? ", host" : "")).c_str()) << static_cast<int>(i) << host;
    }
    void compare(const Tensor& y, const std::string& variant, double allowed) {
        try {
            const std::vector<double> expected = oracle(y);
            const double error = error_of(by(variant, y), expected);
            QVERIFY2(error < allowed, qPrintable(QString("relative L2 %1").arg(error)));
            // In exact numbers both are the same.
            const double identity = relative_error(oracle(by(variant, y)), expected);
            QVERIFY2(identity < 1e-12 || y.dtype() == Dtype::F16, qPrintable(QString("its definition: relative L2 %1").arg(identity)));
        } catch (const Error& failure) {
            QFAIL(failure.what());
        }
    }

private slots:
    void forward_data() { add_rows(); }
    void forward() {
        QFETCH(int, index);
        QFETCH(bool, host);
        const ScopedSwitch hosts(&Switches::host, host);
        compare(::forward(cases()[static_cast<std::size_t>(index)], Dtype::F32), "winograd", 1e-5);
    }

    void input_gradient_data() { add_rows(); }
    void input_gradient() {
        QFETCH(int, index);
        QFETCH(bool, host);
        const ScopedSwitch hosts(&Switches::host, host);
        compare(input_grad(cases()[static_cast<std::size_t>(index)]), "winograd", 1e-5);
    }

    // Within what all kernels of halves are held to (2e-3). Transformed values in F32 leave nothing but the result's own rounding.
    void halves() {
        const ScopedSwitch no_host(&Switches::host, false);
        for (const std::int64_t channels : {32, 192}) {
            const Tensor y = large(Dtype::F16, channels, 32);
            Tensors leaves = y.inputs();
            evaluate(leaves);
            const std::vector<double> expected = oracle(y);
            const double floats = error_of(by("winograd", y), expected), halves = error_of(by("winograd_half", y), expected), plain = error_of(y, expected);
            std::printf("%lld channels of halves: relative L2 %.2e by winograd, %.2e by winograd_half, %.2e by simple\n",
                        static_cast<long long>(channels), floats, halves, plain);
            QVERIFY(floats < 1.02 * plain);
            QVERIFY(halves > plain && halves < 2e-3);
        }
        std::fflush(stdout);
    }

    // A plain sum of four such numbers is no half any more.
    void halves_do_not_overflow() {
        const ScopedSwitch no_host(&Switches::host, false);
        const Tensor x = evaluated(cast(full({1, 2, 6, 6}, 60000.0), Dtype::F16)), weight = evaluated(cast(full({3, 2, 3, 3}, 1.0 / 32), Dtype::F16));
        const Tensor y = convolution(x, weight, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1});
        compare(y, "winograd_half", 2e-3);
    }

    void is_offered_where_it_could_win() {
        const DeviceTraits traits = traits_of(Device::current().caps());
        const auto offered = [&](const Tensor& y) {
            std::vector<std::string> names = tests::variants_of(y, traits);
            std::erase_if(names, [](const std::string& name) { return !is_winograd(name); });
            return names;
        };
        using Names = std::vector<std::string>;
        QCOMPARE(offered(large(Dtype::F32)), (Names{"winograd"}));
        QCOMPARE(offered(large(Dtype::F16)), (Names{"winograd", "winograd_half"}));
        QCOMPARE(offered(input_grad({"", 1, 48, 32, {17, 15}, {1, 1}, {1, 1}})), (Names{"winograd"}));
        const Tensor x = tests::random_tensor({1, 32, 17, 15}, 1);
        const auto conv = [&](const Shape& weight, const ConvOptions& options) { return conv2d(x, tests::random_tensor(weight, 2), options); };
        QCOMPARE(offered(conv({32, 32, 3, 3}, {.pad = 1})), (Names{"winograd"}));
        QCOMPARE(offered(conv({32, 32, 3, 3}, {.stride = 2, .pad = 1})), Names{});
        QCOMPARE(offered(conv({32, 32, 3, 3}, {.pad = 2, .dilation = 2})), Names{});
        QCOMPARE(offered(conv({32, 16, 3, 3}, {.pad = 1, .groups = 2})), Names{});
        QCOMPARE(offered(conv({32, 32, 1, 3}, {.pad = {0, 1}})), Names{});
        QCOMPARE(offered(conv({4, 32, 3, 3}, {.pad = 1})), Names{});                                      // few channels
        QCOMPARE(offered(::forward({"", 1, 32, 32, {8, 8}, {1, 1}, {1, 1}}, Dtype::F32)), Names{});       // few tiles
        const auto names_of = [](const Shape& map, Dtype dtype) {   // no data of that size
            const std::int64_t c = map[1];
            return winograd_variants({{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}, {{map, dtype}, {{c, c, 3, 3}, dtype}}, {map, dtype});
        };
        QCOMPARE(names_of({2, 320, 64, 64}, Dtype::F16), (Names{"winograd", "winograd_half"}));
        QCOMPARE(names_of({2, 320, 128, 128}, Dtype::F16), (Names{"winograd_half"}));                     // 336 MB in F32
        QCOMPARE(names_of({1, 512, 512, 512}, Dtype::F16), Names{});                                      // too much memory
        QCOMPARE(names_of({1, 2560, 16, 16}, Dtype::F16), (Names{"winograd_half"}));                      // 419 MB of weight in F32
    }

    void the_default_stays() {
        DeviceTraits traits;
        for (const bool software : {true, false}) {
            traits.software = software;
            const std::string text = to_text(make_plan(collect({large(Dtype::F32)}), traits, true));
            QVERIFY2(text.find("winograd") == std::string::npos, text.c_str());
        }
    }

    // Bias and activation are part of the last step, and an Autocast around the evaluation changes nothing.
    void a_switch_forces_it() {
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch force(&Switches::variant, std::string("winograd"));
        const auto make = [] { return relu(large(Dtype::F32) + tests::random_tensor({48, 1, 1}, 3)); };
        const DeviceTraits traits = traits_of(Device::current().caps());
        Tuner tuner(Device::current_ref(), false);
        const Program program = make_plan(collect({make()}), traits, true, tuner.chooser());
        const std::string text = to_text(program);
        QCOMPARE(program.steps.size(), std::size_t{4});
        for (const char* step : {"winograd_weight", "winograd_input", "matmul", "winograd_output"}) QVERIFY2(text.find(step) != std::string::npos, text.c_str());
        const Tensor y = make();
        {
            const Autocast halves(Dtype::F16);
            evaluate({y});
        }
        QVERIFY(relative_error(read_doubles(y.value()), oracle(make())) < 1e-5);
    }

    // The first name is of no kernel, so that what is measured at all is chosen, and remembered.
    void the_tuner_measures_it() {
        QTemporaryDir folder;
        const std::string old = std::exchange(switches().cache_dir, folder.path().toStdString());
        const ScopedSwitch no_host(&Switches::host, false), on(&Switches::tune, true);
        const Tensor y = large(Dtype::F32);
        const auto choose = [&](Tuner& tuner) { return tuner.choose(y.node()->op, tests::input_specs(y), {"no such kernel", "winograd"}); };
        std::string first, later;
        int measurements = 0;
        {
            Tuner tuner(Device::current_ref(), true);
            first = choose(tuner);
            measurements = tuner.measurements();
        }
        Tuner reader(Device::current_ref(), false);
        later = choose(reader);
        switches().cache_dir = old;
        QCOMPARE(first, std::string("winograd"));
        QCOMPARE(later, std::string("winograd"));
        QCOMPARE(measurements, 2);   // its products have variants, too
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }

private:
    static Tensor evaluated(const Tensor& x) {
        evaluate({x});
        return x;
    }
};

HEDDLE_TEST(winograd, WinogradTest)
#include "winograd.moc"
