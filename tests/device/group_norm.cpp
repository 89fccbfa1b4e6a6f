// Group norm over maps of several chunks, and of numbers far from zero, against double precision.
#include <cmath>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/traits.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

class GroupNormTest : public QObject {
    Q_OBJECT
private slots:
    void normalises_data() {
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("c");
        QTest::addColumn<int>("h");
        QTest::addColumn<int>("w");
        QTest::addColumn<int>("groups");
        QTest::addColumn<double>("mean");
        QTest::addColumn<double>("allowed");
        // A float near 1000 is 3e-5 from the true mean at worst, of numbers with deviation 0.6. The shader's mean is a float and a correction.
        const double far = traits_of(Device::current().caps()).host_kernels ? 1e-4 : 1e-5;
        QTest::newRow("several chunks") << 2 << 6 << 81 << 83 << 3 << 0.0 << 1e-5;
        QTest::newRow("far from zero") << 2 << 6 << 81 << 83 << 2 << 1000.0 << far;
        QTest::newRow("one pixel") << 3 << 8 << 1 << 1 << 2 << 0.0 << 1e-5;
        QTest::newRow("wide") << 1 << 320 << 17 << 9 << 32 << 5.0 << 1e-5;
        QTest::newRow("a chunk of one pixel") << 1 << 40000 << 2 << 1 << 4 << 0.0 << 1e-5;
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
