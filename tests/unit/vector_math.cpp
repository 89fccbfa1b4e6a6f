#include "gpu/graph/vector_math.h"

#include <bit>
#include <cmath>
#include <tuple>
#include <vector>

#include "gpu/base/vectors.h"
#include "gpu/graph/vector_kernels.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

const float specials[] = {0.0f, -0.0f, 1.0f,    -1.0f, 2.0f,   -2.0f,  3.0f,      -3.0f,       0.5f,  1e-45f, -1e-45f,
                          1e6f, 1e7f,  -3e38f,  3e38f, 1e-30f, 16777217.0f, HUGE_VALF, -HUGE_VALF, NAN};

// Distance from the true value in units of a float's last place; infinite where a special value is another one.
double units_off(float got, double want) {
    if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : HUGE_VAL;
    const auto nearest = static_cast<float>(want);
    if (std::isinf(nearest) || nearest == 0) return got == nearest && std::signbit(got) == std::signbit(nearest) ? 0 : HUGE_VAL;
    int exponent = 0;
    std::frexp(want, &exponent);
    return std::fabs(got - want) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

// Every so manieth float of all there are, what lies close to multiples of pi / 2 and to 1, and special values.
std::vector<float> floats_everywhere() {
    std::vector<float> x(std::begin(specials), std::end(specials));
    for (std::uint64_t bits = 0; bits < 1ull << 32; bits += 9973) x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    for (int i = -100; i < 5000; ++i) {
        x.push_back(static_cast<float>(i * 1.5707963267948966));
        x.push_back(1 + static_cast<float>(i) * 6e-8f);
    }
    return x;
}

}  // namespace

class VectorMathTest : public QObject {
    Q_OBJECT
private slots:
    void one_operand_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<double>("units");
        QTest::newRow("log") << "log" << 0.51;
        QTest::newRow("sin") << "sin" << 0.51;
        QTest::newRow("cos") << "cos" << 0.51;
    }
    void one_operand() {
        QFETCH(QString, name);
        QFETCH(double, units);
        const auto truth = [&](double x) { return name == "log" ? std::log(x) : name == "sin" ? std::sin(x) : std::cos(x); };
        const std::vector<float> x = floats_everywhere();
        std::vector<float> y(x.size());
        const float* in[] = {x.data()};
        vector_function(name.toStdString())(in, y.data(), x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double allowed = name != "log" && std::fabs(x[i]) > 1e6f ? 1 : units;   // the C library's there
            const double off = units_off(y[i], truth(x[i]));
            if (off > allowed) QFAIL(qPrintable(QString("%1(%2) = %3, %4 units off").arg(name).arg(x[i]).arg(y[i]).arg(off)));
        }
    }
    // Relative errors as the polynomials were fitted for, and a few roundings, in every kind of vector that the processor has.
    void approximations_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("lanes");
        for (const char* name : {"exp", "erf", "tanh", "sigmoid", "swish"})
            for (int lanes = 4; lanes <= vector_lanes(); lanes *= 2) QTest::addRow("%s, vectors of %d", name, lanes) << name << lanes;
    }
    void approximations() {
        QFETCH(QString, name);
        QFETCH(int, lanes);
        const auto truth = [&](double x) {
            return name == "exp" ? std::exp(x) : name == "erf" ? std::erf(x) : name == "tanh" ? std::tanh(x) : (name == "swish" ? x : 1) / (1 + std::exp(-x));
        };
        const VectorKernels& all = vector_kernels_of(lanes);
        const VectorFunction curve = name == "exp" ? all.exp : name == "erf" ? all.erf : name == "tanh" ? all.tanh : name == "swish" ? all.swish : all.sigmoid;
        std::vector<float> x = floats_everywhere();
        for (int i = -9000; i < 9000; ++i) x.push_back(static_cast<float>(i) * 0.01f);   // where they bend
        std::vector<float> y(x.size());
        const float* in[] = {x.data()};
        curve(in, y.data(), x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double want = truth(x[i]);
            if (std::isnan(want)) {
                QVERIFY(std::isnan(y[i]));
            } else if (name == "exp" && (x[i] < -87.0f || static_cast<float>(want) > 3.4028e38f)) {
                QVERIFY2(y[i] == (x[i] < 0 ? 0.0f : HUGE_VALF) || std::fabs(y[i] / want - 1) <= 2e-7, qPrintable(QString::number(x[i], 'g', 9)));
            } else {
                const double off = std::fabs(y[i] - want), allowed = std::max(4e-7 * std::fabs(want), name == "sigmoid" ? 2e-38 : name == "swish" ? 2e-36 : 1e-44);
                if (off > allowed) QFAIL(qPrintable(QString("%1(%2) = %3, not %4").arg(name).arg(x[i]).arg(y[i]).arg(want)));
            }
        }
        // What fills no vector, and results in place of their input.
        const float shift = 0.75f;
        for (std::size_t count = 0; count < 40; ++count) {
            std::vector<float> part(x.begin() + 20, x.begin() + 60), expected = part;
            const float *from[] = {part.data(), &shift};
            for (std::size_t i = 0; i < part.size(); ++i) part[i] = expected[i] = static_cast<float>(i) * 0.1f - 2;
            for (std::size_t i = 0; i < count; ++i) expected[i] = static_cast<float>(truth(expected[i]));
            curve(from, part.data(), count);
            for (std::size_t i = 0; i < part.size(); ++i) QVERIFY(std::fabs(part[i] - expected[i]) <= 4e-7 * std::fabs(expected[i]));
            all.exp_of_difference(from, part.data(), count);
            for (std::size_t i = 0; i < part.size(); ++i) {
                const double want = i < count ? std::exp(static_cast<double>(expected[i]) - shift) : expected[i];
                QVERIFY(std::fabs(part[i] - want) <= 1e-6 * std::fabs(want));
            }
        }
    }
    void powers() {
        std::vector<float> x, y;
        for (const float a : specials)
            for (const float b : specials) x.push_back(a), y.push_back(b);
        std::uint32_t state = 1;
        const auto random = [&] { return state = state * 1664525u + 1013904223u, state ^ state >> 16; };
        for (int i = 0; i < 200000; ++i) {
            const auto base = std::bit_cast<float>(random());
            if (std::isnan(base)) continue;   // signalling ones differ between precisions
            const float near = static_cast<float>(static_cast<std::int32_t>(random())) * 0x1p-31f * 150 / std::max(1.0f, std::fabs(std::log2(std::fabs(base))));
            x.push_back(base);
            const auto any = std::bit_cast<float>(random());
            y.push_back(i % 4 == 0 && !std::isnan(any) ? any : i % 4 == 1 ? std::round(near) : near);   // mostly a finite result
        }
        std::vector<float> z(x.size());
        const float* in[] = {x.data(), y.data()};
        vector_function("pow")(in, z.data(), x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double off = units_off(z[i], std::pow(static_cast<double>(x[i]), static_cast<double>(y[i])));
            if (off > (x[i] > 0 ? 0.51 : 1)) QFAIL(qPrintable(QString("%1 ^ %2 = %3, %4 units off").arg(x[i]).arg(y[i]).arg(z[i]).arg(off)));
        }
    }
    void pairs() {
        std::vector<float> x = floats_everywhere(), got(x.size()), between(x.size()), expected(x.size());
        const float y = 1.5f, *in[] = {x.data(), &y}, *one[] = {between.data()}, *product[] = {x.data(), between.data()};
        const VectorFunction difference = vector_function("sub", 2), exp = vector_function("exp"), sigmoid = vector_function("sigmoid"), mul = vector_function("mul");
        difference(in, between.data(), x.size());
        exp(one, expected.data(), x.size());
        vector_pair(difference, exp)(in, got.data(), x.size());
        for (std::size_t i = 0; i < x.size(); ++i) QVERIFY(got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i])));
        sigmoid(in, between.data(), x.size());
        mul(product, expected.data(), x.size());
        vector_pair(sigmoid, mul)(in, got.data(), x.size());
        for (std::size_t i = 0; i < x.size(); ++i) QVERIFY(got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i])));
        QVERIFY(!vector_pair(exp, difference) && !vector_pair(vector_function("sub"), exp));
    }
    // Two operations of arithmetic as one, in every form there is.
    void chains_data() {
        QTest::addColumn<QString>("first");
        QTest::addColumn<QString>("second");
        for (const char* first : {"add", "sub", "mul"})
            for (const char* second : {"add", "sub", "mul"}) QTest::addRow("%s, %s", first, second) << first << second;
    }
    void chains() {
        QFETCH(QString, first);
        QFETCH(QString, second);
        std::vector<float> a(77), b(77), c(77), between(77), expected(77);
        for (std::size_t i = 0; i < a.size(); ++i) {
            const auto k = static_cast<float>(i);
            a[i] = std::sin(k * 1.7f) * 3, b[i] = std::cos(k * 2.3f) * 5, c[i] = std::sin(k * 3.1f + 1);
        }
        int found = 0;
        for (const unsigned f : {0u, 1u, 2u})
            for (const unsigned g : {0u, 1u, 2u})
                for (const std::size_t at : {0u, 1u}) {
                    const VectorFunction one = vector_function(first.toStdString(), f), two = vector_function(second.toStdString(), g);
                    const VectorChain chain = vector_chain(one, two, at);
                    const bool result_is_single = (g & (1u << at)) != 0;
                    const bool reversed = (first == "sub" && f == 1) || (second == "sub" && at == 1);
                    QCOMPARE(chain.function != nullptr, !result_is_single && !reversed);
                    if (!chain.function) continue;
                    ++found;
                    const float *in[] = {a.data(), b.data()}, *next[] = {between.data(), c.data()};
                    if (at == 1) std::swap(next[0], next[1]);
                    one(in, between.data(), between.size());
                    two(next, expected.data(), expected.size());
                    std::vector<float> got = chain.swapped ? b : a;      // in place
                    const float* all[] = {got.data(), chain.swapped ? a.data() : b.data(), c.data()};
                    chain.function(all, got.data(), got.size());
                    QCOMPARE(got, expected);
                }
        QVERIFY(found >= 4);
        QVERIFY(!vector_chain(vector_function("div"), vector_function("add"), 0).function);
    }
    // What ends a norm, and what softmax's rows are made of and their sum: as one step after the other, bit by bit, in every kind of vector.
    void several_steps_data() {
        QTest::addColumn<int>("lanes");
        QTest::addColumn<int>("count");
        for (int lanes = 4; lanes <= vector_lanes(); lanes *= 2)
            for (const int count : {0, 1, 15, 16, 77, 1000}) QTest::addRow("vectors of %d, %d", lanes, count) << lanes << count;
    }
    void several_steps() {
        QFETCH(int, lanes);
        QFETCH(int, count);
        const VectorKernels& kernels = vector_kernels_of(lanes);
        const auto size = static_cast<std::size_t>(count);
        std::vector<float> a(size), b(size), c(size), between(size), expected(size), got(size);
        for (std::size_t i = 0; i < size; ++i) {
            const auto k = static_cast<float>(i);
            a[i] = std::sin(k * 1.7f) * 3, b[i] = std::cos(k * 2.3f) * 5, c[i] = std::sin(k * 3.1f + 1);
        }
        const float *in[] = {a.data(), b.data(), c.data()}, *next[] = {between.data(), expected.data()};
        for (const auto& [first, second, swish] : {std::tuple{"sub", "mul", kernels.swish_of_sub_mul}, std::tuple{"mul", "add", kernels.swish_of_mul_add}}) {
            vector_chain(vector_function(first), vector_function(second), 0).function(in, between.data(), size);
            kernels.sigmoid(next, expected.data(), size);
            vector_function("mul")(next, expected.data(), size);
            kernels.swish(next, got.data(), size);
            QCOMPARE(got, expected);
            swish(in, got.data(), size);
            QCOMPARE(got, expected);
        }
        const float y = 1.5f, *values[] = {a.data(), &y};
        vector_function("sub", 2)(values, between.data(), size);
        kernels.exp(next, expected.data(), size);
        kernels.exp_of_difference(values, got.data(), size);
        QCOMPARE(got, expected);
        const float total = kernels.exp_of_difference_sum(0.25f, values, got.data(), size);
        QCOMPARE(got, expected);
        QCOMPARE(total, kernels.sum(0.25f, expected.data(), size));
    }
    void longer_pairs() {
        const VectorFunction swish = vector_pair(vector_function("sigmoid"), vector_function("mul"));
        const VectorFunction exp = vector_pair(vector_function("sub", 2), vector_function("exp"));
        const auto chain = [](const char* first, const char* second, unsigned singles) {
            return vector_chain(vector_function(first), vector_function(second, singles), 0).function;
        };
        QVERIFY(vector_pair(chain("sub", "mul", 0), swish) && vector_pair(chain("mul", "add", 0), swish));
        QVERIFY(!vector_pair(chain("sub", "mul", 2), swish) && !vector_pair(chain("add", "mul", 0), swish));
        QVERIFY(vector_sum(exp, "sum") && !vector_sum(exp, "reduce_max") && !vector_sum(vector_function("exp"), "sum"));
    }
    // Of every length around that of the parts, in every kind of vector; the kinds agree bit by bit.
    void reductions_data() {
        QTest::addColumn<int>("lanes");
        for (int lanes = 4; lanes <= vector_lanes(); lanes *= 2) QTest::addRow("vectors of %d", lanes) << lanes;
    }
    void reductions() {
        QFETCH(int, lanes);
        const VectorKernels &kernels = vector_kernels_of(lanes), &plain = vector_kernels_of(4);
        for (const std::size_t count : {0u, 1u, 3u, 15u, 16u, 17u, 63u, 64u, 65u, 127u, 130u, 1000u, 4099u}) {
            std::vector<float> x(count);
            double sum = 0.5, squares = 0.5;
            float most = 0.25f;
            for (std::size_t i = 0; i < count; ++i) {
                x[i] = std::sin(static_cast<float>(i) * 0.7f) + 0.1f;
                sum += x[i], squares += static_cast<double>(x[i]) * x[i], most = std::max(most, x[i]);
            }
            QVERIFY(std::fabs(kernels.sum(0.5f, x.data(), count) - sum) < 2e-6 * (1 + squares));
            QVERIFY(std::fabs(kernels.squares(0.5f, x.data(), count) / squares - 1) < 1e-6);
            std::vector<float> squared(count);
            for (std::size_t i = 0; i < count; ++i) squared[i] = x[i] * x[i];
            QCOMPARE(kernels.squares(0.5f, x.data(), count), plain.sum(0.5f, squared.data(), count));
            QCOMPARE(kernels.maximum(0.25f, x.data(), count), most);
            QCOMPARE(kernels.sum(0.5f, x.data(), count), plain.sum(0.5f, x.data(), count));
            if (count > 20) x[count / 2] = NAN, x[7] = 99;
            QCOMPARE(kernels.maximum(0.25f, x.data(), count), count > 20 ? 99.0f : most);
        }
        QVERIFY(vector_fold("sum") && vector_fold("reduce_max") && !vector_fold("add") && fold_squares("sum") && !fold_squares("reduce_max"));
    }
    // What follows a special element, and results that take the place of an operand.
    void forms_agree() {
        std::vector<float> x(1000, 1.5f), expected(x.size()), got;
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 7 == 3 ? -0.5f * static_cast<float>(i) : 0.01f * static_cast<float>(i);
        const std::vector<float> two(x.size(), 2.0f);
        const float *arrays[] = {x.data(), two.data()}, *second[] = {x.data(), two.data()}, *first[] = {two.data(), x.data()};
        vector_function("pow")(arrays, expected.data(), x.size());
        got = x;
        const float* in_place[] = {got.data(), two.data()};
        vector_function("pow", 2)(in_place, got.data(), got.size());
        QCOMPARE(got, expected);
        vector_function("pow", 2)(second, got.data(), got.size());
        QCOMPARE(got, expected);
        vector_function("pow", 1)(first, got.data(), got.size());
        for (std::size_t i = 0; i < x.size(); ++i) QVERIFY(units_off(got[i], std::pow(2.0, static_cast<double>(x[i]))) <= 0.51);
    }
    // Sums of x - shift and of its square, of numbers that are large beside what tells them apart.
    void deviations_data() {
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("count");
        for (const auto& [rows, count] : std::vector<std::pair<int, int>>{{1, 1}, {3, 5}, {4, 16}, {7, 17}, {102, 320}, {0, 3}})
            QTest::newRow(qPrintable(QString("%1 x %2").arg(rows).arg(count))) << rows << count;
    }
    void deviations() {
        QFETCH(int, rows);
        QFETCH(int, count);
        const int stride = count + 3;
        std::vector<float> x(static_cast<std::size_t>(rows * stride)), shift(static_cast<std::size_t>(count)), sum(shift.size(), 1), squares(shift.size(), 2);
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1000 + static_cast<float>(i * 7919 % 1024) / 256;
        for (std::size_t k = 0; k < shift.size(); ++k) shift[k] = 1001 + static_cast<float>(k % 5) / 4;
        add_deviations(x.data(), static_cast<std::size_t>(stride), static_cast<std::size_t>(rows), static_cast<std::size_t>(count), shift.data(), sum.data(), squares.data());
        for (int k = 0; k < count; ++k) {
            double plain = 1, squared = 2;
            for (int r = 0; r < rows; ++r) {
                const double d = static_cast<double>(x[static_cast<std::size_t>(r * stride + k)]) - shift[static_cast<std::size_t>(k)];
                plain += d, squared += d * d;
            }
            QVERIFY(std::fabs(sum[static_cast<std::size_t>(k)] - plain) <= 1e-5 * (1 + std::fabs(plain)));
            QVERIFY(std::fabs(squares[static_cast<std::size_t>(k)] - squared) <= 1e-6 * squared);
        }
    }
};

HEDDLE_TEST(vector_math, VectorMathTest)
#include "vector_math.moc"
