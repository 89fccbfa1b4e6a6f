// Large convolutions are computed in bands of rows, some pictures at a time: the result is that of the parts, and little is held to work in.
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/host/scratch.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

class ConvBandsTest : public QObject {
    Q_OBJECT
private slots:
    void bands_give_what_parts_give_data() {
        QTest::addColumn<int>("pictures");
        QTest::addColumn<int>("height");
        QTest::addColumn<int>("width");
        QTest::addColumn<int>("channels");
        QTest::newRow("one picture in bands") << 1 << 330 << 256 << 64;
        QTest::newRow("rows that do not fill the last band") << 1 << 331 << 257 << 64;
        QTest::newRow("pictures one by one") << 3 << 120 << 256 << 64;
        QTest::newRow("channels that fill a cache") << 1 << 104 << 101 << 192;
    }
    void bands_give_what_parts_give() {
        QFETCH(int, pictures);
        QFETCH(int, height);
        QFETCH(int, width);
        QFETCH(int, channels);
        const auto drawn = [](const Shape& shape, std::uint64_t seed, double size) {
            return tensor(tests::random_floats(static_cast<std::size_t>(element_count(shape)), seed, -size, size), shape);
        };
        const Tensor x = drawn({pictures, channels, height, width}, 1, 1), weight = drawn({channels, channels, 3, 3}, 2, 0.1), bias = drawn({channels}, 3, 1),
                     side = drawn({pictures, channels, height, width}, 4, 1), shift = drawn({pictures, channels, 1, 1}, 5, 1);
        const auto layer = [&](const Tensor& in, std::int64_t top, std::int64_t bottom, std::int64_t first, std::int64_t last) {
            const Tensor y = conv2d(in, weight, {.pad = 1}) + reshape(bias, {1, channels, 1, 1});
            const Tensor beside = slice(slice(side, 2, top, bottom), 0, first, last);
            return silu(y + slice(shift, 0, first, last) + beside);
        };
        trim_host_scratch();
        const std::vector<float> whole = to_floats(layer(x, 0, height, 0, pictures));
        QVERIFY2(host_scratch_bytes() < std::size_t{192} << 20, qPrintable(QString::number(host_scratch_bytes() >> 20)));
        // Parts small enough not to be cut, with rows to spare on both sides.
        const std::int64_t plane = std::int64_t{height} * width;
        double worst = 0;
        for (std::int64_t n = 0; n < pictures; ++n)
            for (std::int64_t top = 0; top < height; top += 40) {
                const std::int64_t bottom = std::min<std::int64_t>(height, top + 40), from = std::max<std::int64_t>(0, top - 3), to = std::min<std::int64_t>(height, bottom + 3);
                const std::vector<float> part = to_floats(layer(slice(slice(x, 0, n, n + 1), 2, from, to), from, to, n, n + 1));
                for (std::int64_t c = 0; c < channels; ++c)
                    for (std::int64_t row = top; row < bottom; ++row)
                        for (std::int64_t column = 0; column < width; ++column) {
                            const float got = whole[static_cast<std::size_t>((n * channels + c) * plane + row * width + column)];
                            const float wanted = part[static_cast<std::size_t>((c * (to - from) + row - from) * width + column)];
                            worst = std::max(worst, static_cast<double>(std::abs(got - wanted)));
                        }
            }
        QVERIFY2(worst < 2e-4, qPrintable(QString::number(worst)));
    }
};

HEDDLE_TEST(conv_bands, ConvBandsTest)
#include "conv_bands.moc"
