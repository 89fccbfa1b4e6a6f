// Group norm over maps of several chunks, and of numbers far from zero, against double precision.
#include <cmath>

#include "gpu/base/switches.h"
#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/run/traits.h"
#include "gpu/vulkan/device.h"
#include "tests/support/evaluated.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

// A float near 1000 is 3e-5 from the true mean at worst, of numbers with deviation 0.6: `far` says how exact the mean of such ones is.
void add_maps(double far) {
    QTest::addColumn<int>("n");
    QTest::addColumn<int>("c");
    QTest::addColumn<int>("h");
    QTest::addColumn<int>("w");
    QTest::addColumn<int>("groups");
    QTest::addColumn<double>("mean");
    QTest::addColumn<double>("allowed");
    QTest::newRow("several chunks") << 2 << 6 << 81 << 83 << 3 << 0.0 << 1e-5;
    QTest::newRow("far from zero") << 2 << 6 << 81 << 83 << 2 << 1000.0 << far;
    QTest::newRow("one pixel") << 3 << 8 << 1 << 1 << 2 << 0.0 << 1e-5;
    QTest::newRow("wide") << 1 << 320 << 17 << 9 << 32 << 5.0 << 1e-5;
    QTest::newRow("a chunk of one pixel") << 1 << 40000 << 2 << 1 << 4 << 0.0 << 1e-5;
}

}  // namespace

class GroupNormTest : public QObject {
    Q_OBJECT
private slots:
    // Shaders in steps, as GPUs take large groups: the moments of parts, those put together, and what normalises.
    void normalises_in_steps_data() { add_maps(1e-4); }   // their mean is one float, as the host's
    void normalises_in_steps() {
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch steps(&Switches::variant, std::string("steps,parts"));
        normalises();
    }
    void gradients_in_steps() {
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch steps(&Switches::variant, std::string("steps,parts"));
        const Tensor x = permute(tests::random_tensor({2, 81, 83, 6}, 4) + 1000.0, {0, 3, 1, 2}), weight = tests::random_tensor({6}, 5), seed = tests::random_tensor(x.shape(), 6);
        evaluate({x});
        const auto loss = [&] { return sum(silu(group_norm(x, 2, weight, {})) * seed); };
        const Tensor dx = gradients(loss(), {x})[0];
        const double error = relative_error(tests::values_of(dx), oracle(gradients(loss(), {x})[0]));
        QVERIFY2(error < 1e-3, qPrintable(QString::number(error)));
    }
    void halves_in_steps() {
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch steps(&Switches::variant, std::string("steps,parts"));
        const Tensor x = cast(permute(tests::random_tensor({2, 81, 83, 6}, 4), {0, 3, 1, 2}), Dtype::F16);
        const Tensor y = group_norm(x, 2, {}, {});
        QVERIFY(y.dtype() == Dtype::F16);
        QVERIFY(relative_error(tests::values_of(y), oracle(group_norm(x, 2, {}, {}))) < 1e-3);
    }
    void a_gpu_cuts_large_groups() {
        DeviceTraits traits;
        const auto plan = [&](const Shape& shape) { return to_text(make_plan(collect({silu(group_norm(tests::random_tensor(shape, 1), 4, {}, {}))}), traits, true)); };
        QVERIFY(plan({1, 64, 32, 32}).find("group_moments_parts") != std::string::npos);
        QVERIFY(plan({1, 64, 8, 8}).find("group_moments_parts") == std::string::npos);
        QVERIFY(plan({1, 40000, 32, 1}).find("group_moments_parts") == std::string::npos);   // a group's channels are too many for shared memory
        traits.software = true;
        QVERIFY(plan({1, 64, 32, 32}).find("group_moments_parts") == std::string::npos);
    }

    void normalises_data() {
        // The shader's mean is a float and a correction.
        add_maps(traits_of(Device::current().caps()).host_kernels ? 1e-4 : 1e-5);
    }
    void normalises() {
        QFETCH(int, n);
        QFETCH(int, c);
        QFETCH(int, h);
        QFETCH(int, w);
        QFETCH(int, groups);
        QFETCH(double, mean);
        QFETCH(double, allowed);
        const std::size_t pixels = static_cast<std::size_t>(h) * static_cast<std::size_t>(w), channels = static_cast<std::size_t>(c);
        std::vector<float> x = tests::random_floats(static_cast<std::size_t>(n) * pixels * channels, 4, -1, 1);
        for (std::size_t i = 0; i < x.size(); ++i) x[i] += static_cast<float>(mean + 0.25 * static_cast<double>(i % channels % 3));
        const Tensor map = permute(tensor(x, {n, h, w, c}), {0, 3, 1, 2});   // channels last
        const double eps = 1e-5;
        const std::vector<float> got = to_floats(permute(group_norm(map, groups, {}, {}, eps), {0, 2, 3, 1}));
        const std::size_t width = channels / static_cast<std::size_t>(groups);
        double worst = 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
            for (std::size_t g = 0; g < static_cast<std::size_t>(groups); ++g) {
                const auto each = [&](auto visit) {
                    for (std::size_t p = 0; p < pixels; ++p)
                        for (std::size_t k = 0; k < width; ++k) visit((i * pixels + p) * channels + g * width + k);
                };
                const auto count = static_cast<double>(pixels * width);
                double sum = 0, squares = 0;
                each([&](std::size_t at) { sum += x[at]; });
                each([&](std::size_t at) { squares += (x[at] - sum / count) * (x[at] - sum / count); });
                const double factor = 1 / std::sqrt(squares / count + eps);
                each([&](std::size_t at) { worst = std::max(worst, std::fabs(got[at] - (x[at] - sum / count) * factor)); });
            }
        QVERIFY2(worst <= allowed, qPrintable(QString::number(worst)));
    }
};

HEDDLE_TEST(group_norm, GroupNormTest)
#include "group_norm.moc"
