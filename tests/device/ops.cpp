// Every case of every op: forward against the oracle in double precision, gradient against finite differences; with host
// kernels and without, fused and not.
#include <cmath>

#include "gpu/base/switches.h"
#include "gpu/graph/autodiff.h"
#include "gpu/graph/op.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;
using tests::OpCase;

namespace {

Tensors inputs_of(const OpCase& one) {
    Tensors in;
    for (std::size_t i = 0; i < one.in.size(); ++i) in.push_back(tests::random_tensor(one.in[i], 100 + i, one.low, one.high));
    return in;
}

std::vector<double> widened(const Tensor& x) {
    const std::vector<float> values = to_floats(x);
    return {values.begin(), values.end()};
}

}  // namespace

class OpsTest : public QObject {
    Q_OBJECT

    void add_rows() {
        QTest::addColumn<int>("op");
        QTest::addColumn<int>("index");
        const auto all = tests::all_op_cases();
        for (std::size_t o = 0; o < all.size(); ++o)
            for (std::size_t i = 0; i < all[o].second.all().size(); ++i)
                QTest::newRow((all[o].first + " " + all[o].second.all()[i].name).c_str()) << static_cast<int>(o) << static_cast<int>(i);
    }
    OpCase current() {
        QFETCH(int, op);
        QFETCH(int, index);
        return tests::all_op_cases()[op].second.all()[index];
    }
    void compare_forward() {
        const OpCase one = current();
        double error = 0;
        try {
            const std::vector<double> expected = oracle(one.make(inputs_of(one)));
            error = relative_error(widened(one.make(inputs_of(one))), expected);
        } catch (const Error& failure) {
            QFAIL(failure.what());
        }
        QVERIFY2(error < one.tolerance, qPrintable(QString("relative L2 %1").arg(error)));
    }

private slots:
    void forward_data() { add_rows(); }
    void forward() { compare_forward(); }

    void forward_in_shaders_data() { add_rows(); }
    void forward_in_shaders() {
        const ScopedSwitch no_host(&Switches::host, false);
        compare_forward();
    }

    void forward_unfused_data() { add_rows(); }
    void forward_unfused() {
        const ScopedSwitch no_fuse(&Switches::fuse, false);
        compare_forward();
    }

    // d sum(f(x) * weights) / dx by the vjps, run on the device, against central differences of the oracle.
    void gradient_data() { add_rows(); }
    void gradient() {
        const OpCase one = current();
        if (!one.gradient) return;
        try {
            compare_gradient(one);
        } catch (const Error& failure) {
            QFAIL(failure.what());
        }
    }

private:
    void compare_gradient(const OpCase& one) {
        const Tensors in = inputs_of(one);
        const auto loss_of = [&](const Tensors& x) {
            const Tensor y = one.make(x);
            return sum(y * tests::random_tensor(y.shape(), 7));
        };
        const Tensors grads = gradients(loss_of(in), in);
        const double h = 1e-3;
        for (std::size_t i = 0; i < in.size(); ++i) {
            const std::vector<double> got = widened(grads[i]);
            const std::vector<float> x = to_floats(in[i]);
            double worst = 0, scale = 1e-3;
            // A dozen elements spread over the input.
            for (std::size_t at = 0; at < x.size(); at += std::max<std::size_t>(1, x.size() / 12)) {
                const auto shifted = [&](double by) {
                    std::vector<float> moved = x;
                    moved[at] = static_cast<float>(moved[at] + by);
                    Tensors all = in;
                    all[i] = tensor(moved, in[i].shape());
                    return std::pair(oracle(loss_of(all))[0], static_cast<double>(moved[at]));
                };
                const auto [high, x_high] = shifted(h);
                const auto [low, x_low] = shifted(-h);
                const double expected = (high - low) / (x_high - x_low);
                worst = std::max(worst, std::abs(got[at] - expected));
                scale = std::max(scale, std::abs(expected));
            }
            QVERIFY2(worst / scale < 5e-3, qPrintable(QString("input %1: off by %2 of %3").arg(i).arg(worst).arg(scale)));
        }
    }

private slots:
    void equal_expressions_are_one_node() {
        const Tensor x = tests::random_tensor({4}, 1);
        QVERIFY((silu(x) + 1.0).same_as(silu(x) + 1.0));
        QVERIFY(!(x + 1.0).same_as(x + 2.0));
    }

    void a_number_does_not_make_a_new_plan() {
        const Tensor x = tests::random_tensor({33}, 1);
        to_floats(exp(x * 0.5) + 0.25);
        const auto before = evaluation_counters();
        const std::vector<float> y = to_floats(exp(x * 0.75) + 0.5);
        QCOMPARE(evaluation_counters().plans_made, before.plans_made);
        QVERIFY(std::abs(y[3] - (std::exp(to_floats(x)[3] * 0.75f) + 0.5f)) < 1e-5f);
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }

    void every_op_has_cases() {
        std::vector<std::string> named;
        for (const auto& [op, cases] : tests::all_op_cases()) named.push_back(op);
        for (const std::string& op : op_names())
            if (op != "concat")   // among the movement cases
                QVERIFY2(std::find(named.begin(), named.end(), op) != named.end(), op.c_str());
    }
};

HEDDLE_TEST(ops, OpsTest)
#include "ops.moc"
