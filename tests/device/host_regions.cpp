// The host's interpreter of fused steps where rows lie side by side: narrow blocks of several elements at a time, values that
// repeat along a map, and what is one number per element. Against sums in double precision.
#include <cmath>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

// x [N, L, C], row-major, as numbers in double precision.
struct Block {
    std::int64_t n, l, c;
    std::vector<float> values;

    Block(std::int64_t n, std::int64_t l, std::int64_t c, std::uint64_t seed)
        : n(n), l(l), c(c), values(tests::random_floats(static_cast<std::size_t>(n * l * c), seed, -2, 2)) {}
    Tensor tensor() const { return gpu::tensor(values, {n, l, c}); }
    double at(std::int64_t i, std::int64_t j, std::int64_t k) const { return values[static_cast<std::size_t>((i * l + j) * c + k)]; }
};

// The largest error of a column, relative where numbers are large.
template <typename Wanted>
double worst_of(const std::vector<float>& got, std::int64_t n, std::int64_t c, Wanted wanted) {
    double worst = 0;
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t k = 0; k < c; ++k) {
            const double want = wanted(i, k);
            worst = std::max(worst, std::abs(got[static_cast<std::size_t>(i * c + k)] - want) / std::max(1.0, std::abs(want)));
        }
    return worst;
}

}  // namespace

class HostRegionsTest : public QObject {
    Q_OBJECT
private slots:
    void columns_data() {
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("l");
        QTest::addColumn<int>("c");
        for (const auto& [n, l, c] : std::vector<std::array<int, 3>>{
                 {1, 9, 4}, {1, 1, 64}, {2, 2, 7}, {1, 1024, 64}, {1, 1023, 64}, {3, 37, 5}, {1, 700, 320}, {1, 33, 256}, {1, 33, 257}, {5, 64, 640}, {1, 3000, 40}, {1, 5000, 1030}, {2, 70, 2500}})
            QTest::newRow(qPrintable(QString("%1 x %2 x %3").arg(n).arg(l).arg(c))) << n << l << c;
    }
    // Sums and maxima over the middle axis: of a read as it lies, of what is computed from it and from rows, and with a number
    // for each element of the axis.
    void columns() {
        QFETCH(int, n);
        QFETCH(int, l);
        QFETCH(int, c);
        const Block x(n, l, c, 1), weight(1, l, 1, 2), shift(n, 1, c, 3);
        const Tensor t = x.tensor(), s = shift.tensor();
        const auto along = [&](auto term) {
            return [&, term](std::int64_t i, std::int64_t k) {
                double sum = 0;
                for (std::int64_t j = 0; j < l; ++j) sum += term(i, j, k);
                return sum;
            };
        };
        const double few = 1e-6 * l + 1e-5;
        QVERIFY(worst_of(to_floats(sum(t, {1})), n, c, along([&](auto i, auto j, auto k) { return x.at(i, j, k); })) < few);
        QVERIFY(worst_of(to_floats(sum(square(s - t) * 0.5, {1})), n, c, along([&](auto i, auto j, auto k) {
                    return 0.5 * std::pow(shift.at(i, 0, k) - x.at(i, j, k), 2);
                })) < few);
        QVERIFY(worst_of(to_floats(sum(t * weight.tensor(), {1})), n, c, along([&](auto i, auto j, auto k) { return x.at(i, j, k) * weight.at(0, j, 0); })) < few);
        QVERIFY(worst_of(to_floats(max(t - s, {1})), n, c, [&](std::int64_t i, std::int64_t k) {
                    double most = -1e30;
                    for (std::int64_t j = 0; j < l; ++j) most = std::max(most, x.at(i, j, k) - shift.at(i, 0, k));
                    return most;
                }) < 1e-6);
        const Tensor mean_of = mean(t, {1});
        QVERIFY(worst_of(to_floats(mean(square(t - mean_of), {1})), n, c, [&](std::int64_t i, std::int64_t k) {
                    double first = 0, second = 0;
                    for (std::int64_t j = 0; j < l; ++j) first += x.at(i, j, k) / l;
                    for (std::int64_t j = 0; j < l; ++j) second += std::pow(x.at(i, j, k) - first, 2) / l;
                    return second;
                }) < few);
    }
    // A row that serves all of a map, in blocks of whole rows and in others.
    void rows_repeat_data() { columns_data(); }
    void rows_repeat() {
        QFETCH(int, n);
        QFETCH(int, l);
        QFETCH(int, c);
        const Block x(n, l, c, 4), row(1, 1, c, 5), other(1, 1, c, 6);
        const std::vector<float> got = to_floats((x.tensor() - row.tensor()) * other.tensor() + row.tensor());
        double worst = 0;
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j < l; ++j)
                for (std::int64_t k = 0; k < c; ++k)
                    worst = std::max(worst, std::abs(got[static_cast<std::size_t>((i * l + j) * c + k)] -
                                                     ((x.at(i, j, k) - row.at(0, 0, k)) * other.at(0, 0, k) + row.at(0, 0, k))));
        QVERIFY2(worst < 2e-6, qPrintable(QString::number(worst)));
    }

    // Random graphs, whose values are used once, twice or not at all by neighbours: with the bits of one step after the other, whatever is computed
    // together; where rows are added up, that may happen in another order.
    void together_and_apart_data() {
        QTest::addColumn<int>("seed");
        for (int seed = 0; seed < 200; ++seed) QTest::addRow("%d", seed) << seed;
    }
    void together_and_apart() {
        QFETCH(int, seed);
        const bool adds = seed % 4 < 2;
        const auto graph = [&](bool apart) {
            std::uint32_t state = static_cast<std::uint32_t>(seed) * 2654435761u + 12345u;
            const auto draw = [&](std::uint32_t below) { return (state = state * 1664525u + 1013904223u, state >> 16) % below; };
            const std::int64_t rows = 5, columns = seed % 2 == 0 ? 2100 : 37;
            Tensors values{tests::random_tensor({rows, columns}, 1), tests::random_tensor({rows, columns}, 2), tests::random_tensor({1, columns}, 3),
                           tests::random_tensor({rows, 1}, 4)};
            const std::uint32_t operations = 3 + draw(9);
            for (std::uint32_t i = 0; i < operations; ++i) {
                const auto size = static_cast<std::uint32_t>(values.size());
                const Tensor a = values[size - 1 - draw(std::min(size, 4u))], b = values[size - 1 - draw(std::min(size, 6u))];
                switch (draw(11)) {
                    case 0: values.push_back(a + b); break;
                    case 1: values.push_back(a - b); break;
                    case 2: values.push_back(a * b); break;
                    case 3: values.push_back(a * 0.75); break;
                    case 4: values.push_back(1.25 - a); break;
                    case 5: values.push_back(sigmoid(a)); break;
                    case 6: values.push_back(a * sigmoid(a)); break;
                    case 7: values.push_back(a * a); break;
                    case 8: values.push_back(tanh(a - b)); break;
                    case 9: values.push_back((adds ? sum(a * a, {1}) : max(a * a, {1})) * 0.01); break;
                    default: values.push_back(exp(a - max(a, {1}))); break;
                }
                if (apart) evaluate({values.back()});
            }
            Tensor result = values.back() * 1.0;
            for (std::size_t i = 4; i + 1 < values.size(); i += 2) result = result + values[i];
            return to_floats(result);
        };
        const std::vector<float> together = graph(false), apart = graph(true);
        if (!adds) QCOMPARE(together, apart);
        double wrong = 0, size = 0;
        for (std::size_t i = 0; i < apart.size(); ++i) {
            wrong += std::pow(together[i] - static_cast<double>(apart[i]), 2);
            size += std::pow(static_cast<double>(apart[i]), 2);
        }
        QVERIFY(wrong <= 1e-12 * size);
    }
};

HEDDLE_TEST(host_regions, HostRegionsTest)
#include "host_regions.moc"
