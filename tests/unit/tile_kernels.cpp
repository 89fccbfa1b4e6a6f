// The host's tile kernels for every kind of vector that this processor has, against sums in double precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "gpu/base/vectors.h"
#include "gpu/run/host/interleave.h"
#include "gpu/run/host/tile.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

using Floats = std::vector<float>;

Floats drawn(std::int64_t count, unsigned seed) { return tests::random_floats(static_cast<std::size_t>(count), seed); }

void add_lanes() {
    QTest::addColumn<int>("lanes");
    for (int lanes = 4; lanes <= vector_lanes(); lanes *= 2) QTest::addRow("vectors of %d", lanes) << lanes;
}

// The largest difference, beside the largest of what is expected.
double difference(const Floats& got, const std::vector<double>& want) {
    double most = 0, size = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        if (!std::isfinite(got[i])) return HUGE_VAL;
        most = std::max(most, std::abs(got[i] - want[i]));
        size = std::max(size, std::abs(want[i]));
    }
    return most / size;
}

// Rows that lie scattered: every second line of a larger array, the last first.
template <typename T>
std::vector<T*> scattered(T* data, std::int64_t rows, std::int64_t length) {
    std::vector<T*> lines;
    for (std::int64_t r = rows; r-- > 0;) lines.push_back(data + 2 * r * length);
    return lines;
}

}  // namespace

class TileKernelsTest : public QObject {
    Q_OBJECT

private slots:
    void product_data() { add_lanes(); }
    void product() {
        QFETCH(int, lanes);
        const TileKernels& kernels = tile_kernels(lanes);
        QCOMPARE(kernels.lanes, lanes);
        for (const bool accumulate : {false, true})
            for (const bool turned : {false, true})      // `a` by terms, as weights' gradients read it
                for (const std::int64_t rows : {1, 3, 4, 7, 8, 13})
                    for (const std::int64_t vectors : {1, 2, 3, 4, 5})
                        for (const std::int64_t terms : {0, 1, 6}) {
                            const std::int64_t columns = vectors * lanes;
                            const Floats a = drawn(rows * terms + 1, 1), b = drawn(terms * columns + 1, 2);
                            Floats c = drawn(rows * columns, 3);
                            std::vector<double> want(c.size());
                            for (std::int64_t r = 0; r < rows; ++r)
                                for (std::int64_t j = 0; j < columns; ++j) {
                                    double sum = accumulate ? c[static_cast<std::size_t>(r * columns + j)] : 0;
                                    for (std::int64_t t = 0; t < terms; ++t)
                                        sum += double{a[static_cast<std::size_t>(turned ? t * rows + r : r * terms + t)]} * b[static_cast<std::size_t>(t * columns + j)];
                                    want[static_cast<std::size_t>(r * columns + j)] = sum;
                                }
                            kernels.product({.rows = rows, .columns = columns, .terms = terms, .a = a.data(), .a_row = turned ? 1 : terms, .a_term = turned ? rows : 1,
                                             .b = b.data(), .b_term = columns, .c = c.data(), .c_row = columns, .accumulate = accumulate});
                            for (std::size_t i = 0; i < c.size(); ++i) QVERIFY(std::abs(c[i] - want[i]) < 1e-6 * static_cast<double>(terms + 1) * 10);
                        }
    }

    void panel_data() {
        QTest::addColumn<int>("lanes");
        QTest::addColumn<int>("stored");
        for (int lanes = 4; lanes <= vector_lanes(); lanes *= 2)
            for (const Dtype stored : {Dtype::F32, Dtype::F16, Dtype::BF16})
                if (stored == Dtype::F32 || tile_kernels(lanes).widens)
                    QTest::addRow("vectors of %d, %s", lanes, std::string(name_of(stored)).c_str()) << lanes << static_cast<int>(stored);
    }
    void panel() {
        QFETCH(int, lanes);
        QFETCH(int, stored);
        const auto type = static_cast<Dtype>(stored);
        const std::array<std::uint16_t, 4> halves = type == Dtype::F16 ? std::array<std::uint16_t, 4>{0x3c00, 0xb800, 0x4200, 0x2e66}
                                                                      : std::array<std::uint16_t, 4>{0x3f80, 0xbf00, 0x4040, 0x3dcd};
        const std::array<double, 4> meant = type == Dtype::F16 ? std::array<double, 4>{1, -0.5, 3, 0.0999755859375} : std::array<double, 4>{1, -0.5, 3, 0.10009765625};
        for (const bool accumulate : {false, true})
            for (const std::int64_t rows : {1, 2, 5, 8, 11})
                for (const int vectors : {1, 2, 3})
                    for (const std::int64_t terms : {1, 9}) {
                        const std::int64_t columns = vectors * lanes, offset = 2, line = terms + offset, width = columns + offset;
                        const Floats a = drawn(2 * rows * line, 4), wide = drawn(terms * columns, 5);
                        std::vector<std::uint16_t> narrow(wide.size());
                        for (std::size_t i = 0; i < narrow.size(); ++i) narrow[i] = halves[i * 7 % 4];
                        Floats c = drawn(2 * rows * width, 6);
                        const std::vector<const float*> a_rows = scattered(a.data(), rows, line);
                        const std::vector<float*> c_rows = scattered(c.data(), rows, width);
                        const Floats before = c;
                        std::vector<double> want(before.begin(), before.end());
                        for (std::int64_t r = 0; r < rows; ++r)
                            for (std::int64_t j = 0; j < columns; ++j) {
                                const std::size_t at = static_cast<std::size_t>(c_rows[static_cast<std::size_t>(r)] - c.data() + offset + j);
                                double sum = accumulate ? before[at] : 0;
                                for (std::int64_t t = 0; t < terms; ++t) {
                                    const auto i = static_cast<std::size_t>(t * columns + j);
                                    sum += double{a_rows[static_cast<std::size_t>(r)][offset + t]} * (type == Dtype::F32 ? double{wide[i]} : meant[i * 7 % 4]);
                                }
                                want[at] = sum;
                            }
                        tile_kernels(lanes).panel({.rows = rows, .terms = terms, .vectors = vectors, .a = a_rows.data(), .a_offset = offset,
                                                   .panel = type == Dtype::F32 ? reinterpret_cast<const std::byte*>(wide.data()) : reinterpret_cast<const std::byte*>(narrow.data()),
                                                   .stored = type, .c = c_rows.data(), .c_offset = offset, .accumulate = accumulate});
                        for (std::size_t i = 0; i < c.size(); ++i) QVERIFY(std::abs(c[i] - want[i]) < 2e-5);     // also what lies between
                    }
    }

    // One tile: transforms of map and weight, their product, and back.
    void winograd_data() {
        QTest::addColumn<int>("lanes");
        QTest::addColumn<int>("side");
        QTest::addColumn<bool>("biased");
        for (int lanes = 4; lanes <= vector_lanes(); lanes *= 2)
            for (const int side : {2, 4})
                for (const bool biased : {false, true}) QTest::addRow("vectors of %d, tiles of %d%s", lanes, side, biased ? ", bias" : "") << lanes << side << biased;
    }
    void winograd() {
        QFETCH(int, lanes);
        QFETCH(int, side);
        QFETCH(bool, biased);
        const TileKernels& all = tile_kernels(lanes);
        const WinogradKernels& kernels = side == 2 ? all.winograd_2x2 : all.winograd_4x4;
        const std::int64_t channels = 3 * lanes, window = side + 2, planes = window * window, step = channels + 16;
        const Floats map = drawn(2 * planes * channels, 7), weight = drawn(18 * channels, 8), bias = drawn(channels, 9);
        Floats v(static_cast<std::size_t>(planes * step)), u(v.size()), y(static_cast<std::size_t>(2 * side * side * channels));
        const auto pixels = scattered(map.data(), planes, channels), taps = scattered(weight.data(), 9, channels);
        const auto results = scattered(y.data(), std::int64_t{side} * side, channels);
        kernels.map(pixels.data(), 0, v.data(), step, channels);
        kernels.weight(taps.data(), u.data(), step, channels);
        for (std::size_t i = 0; i < v.size(); ++i) v[i] *= u[i];
        kernels.result(v.data(), step, results.data(), 0, biased ? bias.data() : nullptr, channels);
        std::vector<double> want(y.size());
        for (std::int64_t i = 0; i < side * side; ++i)
            for (std::int64_t c = 0; c < channels; ++c) {
                double sum = biased ? bias[static_cast<std::size_t>(c)] : 0;
                for (std::int64_t tap = 0; tap < 9; ++tap)
                    sum += double{pixels[static_cast<std::size_t>((i / side + tap / 3) * window + i % side + tap % 3)][c]} * taps[static_cast<std::size_t>(tap)][c];
                want[static_cast<std::size_t>(results[static_cast<std::size_t>(i)] - y.data() + c)] = sum;
            }
        const double off = difference(y, want);
        QVERIFY2(off < 3e-6, qPrintable(QString::number(off)));
    }

    void winograd_gradient_data() { add_lanes(); }
    void winograd_gradient() {
        QFETCH(int, lanes);
        const TileKernels& kernels = tile_kernels(lanes);
        const std::int64_t channels = 2 * lanes, step = channels + 16;
        const Floats map = drawn(72 * channels, 10), gradient = drawn(32 * channels, 11);
        Floats v(static_cast<std::size_t>(36 * step)), d(v.size()), dw(static_cast<std::size_t>(18 * channels));
        const auto pixels = scattered(map.data(), 36, channels), dy = scattered(gradient.data(), 16, channels);
        const auto taps = scattered(dw.data(), 9, channels);
        kernels.winograd_4x4.map(pixels.data(), 0, v.data(), step, channels);
        kernels.winograd_result_grad(dy.data(), 0, d.data(), step, channels);
        for (std::size_t i = 0; i < v.size(); ++i) v[i] *= d[i];
        kernels.winograd_weight_grad(v.data(), step, taps.data(), channels);
        std::vector<double> want(dw.size());
        for (std::int64_t tap = 0; tap < 9; ++tap)
            for (std::int64_t c = 0; c < channels; ++c) {
                double sum = 0;
                for (std::int64_t i = 0; i < 16; ++i)
                    sum += double{pixels[static_cast<std::size_t>((i / 4 + tap / 3) * 6 + i % 4 + tap % 3)][c]} * dy[static_cast<std::size_t>(i)][c];
                want[static_cast<std::size_t>(taps[static_cast<std::size_t>(tap)] - dw.data() + c)] = sum;
            }
        const double off = difference(dw, want);
        QVERIFY2(off < 3e-6, qPrintable(QString::number(off)));
    }

    void interleaved_data() {
        QTest::addColumn<bool>("accumulate");
        QTest::newRow("written") << false;
        QTest::newRow("added") << true;
    }
    void interleaved() {
        QFETCH(bool, accumulate);
        for (const std::int64_t planes : {1, 3, 4, 9, 13})
            for (const std::int64_t count : {0, 1, 4, 7, 22}) {
                const std::int64_t pitch = count + 2, step = planes + 3;
                const Floats from = drawn(planes * pitch, 14), before = drawn(count * step + 1, 15);
                Floats to = before, want = before;
                interleave(from.data(), pitch, planes, count, to.data(), step, accumulate);
                for (std::int64_t c = 0; c < count; ++c)
                    for (std::int64_t p = 0; p < planes; ++p) {
                        float& target = want[static_cast<std::size_t>(c * step + p)];
                        target = (accumulate ? target : 0.0f) + from[static_cast<std::size_t>(p * pitch + c)];
                    }
                QCOMPARE(to, want);
            }
    }

    void rows_data() { add_lanes(); }
    void rows() {
        QFETCH(int, lanes);
        const TileKernels& kernels = tile_kernels(lanes);
        const std::int64_t columns = 2 * lanes;
        const Floats from = drawn(columns + 4, 12);
        Floats x = from;
        kernels.scale(x.data(), 1.5f, columns);
        for (std::int64_t i = 0; i < columns + 4; ++i) QCOMPARE(x[static_cast<std::size_t>(i)], from[static_cast<std::size_t>(i)] * (i < columns ? 1.5f : 1));
        Floats p = drawn(columns, 13), g = from;
        kernels.softmax_grad(g.data(), p.data(), 0.25f, columns);
        for (std::int64_t i = 0; i < columns; ++i)
            QVERIFY(std::abs(g[static_cast<std::size_t>(i)] - p[static_cast<std::size_t>(i)] * (from[static_cast<std::size_t>(i)] - 0.25f)) < 1e-6f);
    }
};

HEDDLE_TEST(tile_kernels, TileKernelsTest)
#include "tile_kernels.moc"
