// Halves inside matrix products: tiles of halves change no bit, and half products (HEDDLE_FAST=half) are offered to those who ask
// alone, err less than rounding numbers to F16 does, and overflow where they are said to.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

#include "gpu/base/switches.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/run/traits.h"
#include "gpu/vulkan/device.h"
#include "tests/support/evaluated.h"
#include "tests/support/test.h"
#include "tests/support/variants.h"

using namespace gpu;

namespace {

std::vector<float> normal_floats(std::size_t count, unsigned seed, float deviation) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> draw(0, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = draw(engine);
    return values;
}

Tensor half_tensor(const std::vector<float>& values, const Shape& shape) {
    const auto bits = std::make_shared<std::vector<std::uint16_t>>(values.size());
    std::transform(values.begin(), values.end(), bits->begin(), float_to_f16);
    return leaf({shape, Dtype::F16}, std::as_bytes(std::span(*bits)), bits);
}

Tensor half_noise(const Shape& shape, unsigned seed) {
    return half_tensor(normal_floats(static_cast<std::size_t>(element_count(shape)), seed, 1), shape);
}

double rounded(double x) { return f16_to_float(float_to_f16(static_cast<float>(x))); }

// [m, k] times [n, k] transposed.
std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b, std::size_t k) {
    std::vector<double> c;
    for (std::size_t m = 0; m < a.size(); m += k)
        for (std::size_t n = 0; n < b.size(); n += k) {
            double sum = 0;
            for (std::size_t i = 0; i < k; ++i) sum += a[m + i] * b[n + i];
            c.push_back(sum);
        }
    return c;
}

// The kernel op below the reshapes that matmul puts around it: what follows it directly is computed by its own kernel.
Tensor core_of(Tensor y) {
    while (y.op()->kind() != OpKind::Kernel) y = Tensor(y.inputs()[0]);
    return y;
}

// The sums of a product y of halves, before they are rounded to F16: what is subtracted in the same kernel leaves numbers so small that
// rounding them is nothing.
std::vector<double> sums_of(const Tensor& y, const std::vector<double>& expected) {
    std::vector<float> near(expected.size());
    std::transform(expected.begin(), expected.end(), near.begin(), [](double x) { return static_cast<float>(rounded(x)); });
    const Tensor core = core_of(y);
    std::vector<double> sums = tests::values_of(core - half_tensor(near, core.shape()));
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += near[i];
    return sums;
}

bool has_half(const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.find("half_") != std::string::npos; });
}

DeviceTraits traits_here() { return traits_of(Device::current().caps()); }

std::string plan_here(const Tensor& y, const std::string& variant) {
    return to_text(make_plan(collect({y}), traits_here(), true, [&](const auto&, const auto&, const std::vector<std::string>& names) {
        const auto at = std::find_if(names.begin(), names.end(), [&](const std::string& name) { return name.starts_with(variant); });
        return at == names.end() ? names[0] : *at;
    }));
}

// Shaders alone, half products allowed, one variant forced.
struct Forced {
    explicit Forced(const std::string& name) : variant(&Switches::variant, name) {}
    const ScopedSwitch<bool> no_host{&Switches::host, false};
    const ScopedSwitch<std::string> fast{&Switches::fast, "half"};
    const ScopedSwitch<std::string> variant;
};

}  // namespace

class HalfProductsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        if (!Device::current().caps().float16 || !Device::current().caps().storage16)
            QSKIP(("half products: " + Device::current().caps().name + " has no arithmetic of F16 (shaderFloat16)").c_str());
    }

    void are_offered_to_those_who_ask() {
        const Tensor a = half_noise({40, 24}, 1), b = half_noise({24, 48}, 2), map = half_noise({1, 8, 9, 9}, 3), weight = half_noise({16, 8, 3, 3}, 4);
        const ConvGeometry same_size{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};
        const ScopedSwitch no_host(&Switches::host, false);
        const auto before = tests::variants_of(matmul(a, b), traits_here());
        QVERIFY(!has_half(before) && !has_half(tests::variants_of(conv2d(map, weight, {.pad = 1}), traits_here())));
        {
            const ScopedSwitch force(&Switches::variant, std::string("half"));
            QVERIFY(plan_here(matmul(a, b), "half").find(" by half_") == std::string::npos);
            // Nor does a plan that was made for those who ask serve others.
            const auto compute = [&](const std::string& allowed) {
                const ScopedSwitch fast(&Switches::fast, allowed);
                return tests::values_of(cast(matmul(a, b), Dtype::F32));
            };
            const auto asked_not = compute(""), asked = compute("half");
            QVERIFY(asked != asked_not);
            QVERIFY(compute("") == asked_not);
        }
        const ScopedSwitch fast(&Switches::fast, std::string("half"));
        const DeviceTraits traits = traits_here();
        const auto after = tests::variants_of(matmul(a, b), traits);
        QVERIFY(has_half(after) && has_half(tests::variants_of(conv2d(map, weight, {.pad = 1}), traits)));
        QCOMPARE(after[0], before[0]);
        QVERIFY(!has_half(tests::variants_of(matmul(cast(a, Dtype::F32), b), traits)));
        QVERIFY(!has_half(tests::variants_of(matmul(cast(a, Dtype::BF16), cast(b, Dtype::BF16)), traits)));
        QVERIFY(!has_half(tests::variants_of(conv_input_grad(half_noise({1, 16, 9, 9}, 5), weight, same_size, {9, 9}), traits)));
        QVERIFY(!has_half(tests::variants_of(conv_weight_grad(map, half_noise({1, 16, 9, 9}, 5), same_size, {3, 3}), traits)));
    }

    void are_no_default_of_gpus() {
        DeviceTraits traits;
        traits.float16 = true;
        traits.max_shared_bytes = 65536;
        const auto half = [](const Shape& shape) { return cast(zeros(shape), Dtype::F16); };
        for (const auto& [m, n] : {std::pair{4096, 640}, {128, 1280}, {77, 43}}) {
            const Tensor y = matmul(half({m, 1280}), half({1280, n}));
            traits.half_products = false;
            const auto before = tests::variants_of(y, traits);
            traits.half_products = true;
            const auto after = tests::variants_of(y, traits);
            QVERIFY(before[0].find("tile_") != std::string::npos && has_half(after) && !has_half(before));
            QCOMPARE(after[0], before[0]);
        }
        const auto few = tests::variants_of(matmul(half({128, 1280}), half({1280, 1280})), traits);
        QVERIFY(std::any_of(few.begin(), few.end(), [](const std::string& name) { return name.starts_with("split_") && name.ends_with("_half_64x64"); }));
    }

    // The same sums in the same order, whether the shared memory holds halves or, as on devices without 16-bit storage, floats.
    void tiles_of_halves_change_no_bit() {
        const Forced tile("tile_32x32");
        const auto same = [](const Tensor& a, const Tensor& b, Tensor (*make)(const Tensor& a, const Tensor& b), bool unrounded) {
            const std::vector<double> values = tests::values_of(make(a, b));
            // Less the rounded values, many bits of the sums show, where one kernel computes both (a convolution has too many numbers to
            // push for that on some devices, its gradient has no epilogue).
            const std::vector<float> near(values.begin(), values.end());
            const auto bits = [&](bool storage) {
                const ScopedSwitch small(&Switches::small_storage, storage);
                const Tensor y = core_of(make(a, b));
                return tests::values_of(y - half_tensor(near, y.shape()));
            };
            const std::vector<double> halves = bits(true);
            return halves == bits(false) && (!unrounded || std::any_of(halves.begin(), halves.end(), [](double x) { return x != 0; }));
        };
        const Tensor a = half_noise({70, 75}, 1), b = half_noise({75, 44}, 2), map = half_noise({2, 5, 7, 6}, 3);
        const Tensor tiny = half_tensor(normal_floats(70 * 75, 5, 1e-6f), {70, 75}), large = half_tensor(normal_floats(75 * 44, 6, 1000), {75, 44});   // subnormal halves
        QVERIFY(same(a, b, [](auto& a, auto& b) { return matmul(a, b); }, true));
        QVERIFY(same(tiny, large, [](auto& a, auto& b) { return matmul(a, b); }, true));
        QVERIFY(same(half_noise({80, 72}, 1), half_noise({80, 44}, 2), [](auto& a, auto& b) { return matmul(transpose(a, 0, 1), b); }, true));
        QVERIFY(same(a, half_noise({44, 75}, 2), [](auto& a, auto& b) { return matmul(a, transpose(b, 0, 1)); }, true));
        QVERIFY(same(map, half_noise({9, 5, 3, 3}, 4), [](auto& a, auto& b) { return conv2d(a, b, {.pad = 1}); }, false));
        QVERIFY(same(half_noise({1, 8, 7, 6}, 3), half_noise({9, 8, 3, 3}, 4), [](auto& a, auto& b) { return conv2d(a, b, {.pad = 1}); }, false));
        QVERIFY(same(map, half_noise({2, 9, 7, 6}, 6), [](auto& x, auto& dy) { return conv_weight_grad(x, dy, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}, {3, 3}); }, false));
    }

    // Beside the error of rounding what goes in and what comes out to F16, which a model in halves has anyway.
    void err_less_than_rounding_does_data() {
        QTest::addColumn<int>("k");
        QTest::addColumn<float>("weights");   // their deviation
        for (const int k : {64, 320, 1280, 5120})
            for (const float weights : {1.f, 0.02f}) QTest::addRow("%d, %g", k, double(weights)) << k << weights;
    }
    void err_less_than_rounding_does() {
        QFETCH(int, k);
        QFETCH(float, weights);
        constexpr std::size_t m = 96, n = 64;
        const auto a = normal_floats(m * k, 1, 1), b = normal_floats(n * k, 2, weights);
        std::vector<double> exact_a(a.begin(), a.end()), exact_b(b.begin(), b.end()), held_a(a.size()), held_b(b.size());
        std::transform(a.begin(), a.end(), held_a.begin(), rounded);
        std::transform(b.begin(), b.end(), held_b.begin(), rounded);
        const auto of_held = product(held_a, held_b, k);
        std::vector<double> stored(of_held.size());
        std::transform(of_held.begin(), of_held.end(), stored.begin(), rounded);
        const double rounding = relative_error(stored, product(exact_a, exact_b, k));

        const auto error_of = [&](const std::string& variant) {
            const Forced forced(variant);
            const Tensor y = matmul(half_tensor(a, {m, std::int64_t{k}}), transpose(half_tensor(b, {n, std::int64_t{k}}), 0, 1));
            if (plan_here(y, variant).find(" by " + variant) == std::string::npos) qFatal("%s is not taken", variant.c_str());
            return relative_error(sums_of(y, of_held), of_held);
        };
        const double half = error_of("half_32x32"), plain = error_of("tile_32x32");
        std::printf("K %4d, weights %4g: relative L2 of half products %.2e, of F32 sums %.2e, of rounding to F16 %.2e\n", k, double(weights), half, plain, rounding);
        std::fflush(stdout);
        QVERIFY2(half < rounding, qPrintable(QString("relative L2 %1, of rounding %2").arg(half).arg(rounding)));
        QVERIFY(plain < rounding / 100 && half > 10 * plain);   // products in halves indeed
    }

    void meet_odd_sizes_and_borders_data() {
        QTest::addColumn<QString>("variant");
        for (const char* variant : {"half_32x32", "half_64x64", "split_"}) QTest::newRow(variant) << variant;
    }
    void meet_odd_sizes_and_borders() {
        QFETCH(QString, variant);
        const std::string name = variant.toStdString();
        const bool split = name == "split_";
        struct Case {
            const char* what;
            Tensor a, b;
            Tensor (*make)(const Tensor& a, const Tensor& b);
        };
        std::vector<Case> cases;
        if (split) {   // few results of long sums
            cases = {{"row", half_noise({7, 1603}, 1), half_noise({1603, 19}, 2), [](auto& a, auto& b) { return matmul(a, b); }},
                     {"small map", half_noise({1, 45, 4, 5}, 3), half_noise({9, 45, 3, 3}, 4), [](auto& a, auto& b) { return conv2d(a, b, {.pad = 1}); }}};
        } else {
            cases = {
                {"batch", half_noise({3, 33, 43}, 1), half_noise({3, 43, 21}, 2), [](auto& a, auto& b) { return matmul(a, b); }},
                {"one matrix for a batch", half_noise({2, 37, 29}, 1), half_noise({29, 35}, 2), [](auto& a, auto& b) { return matmul(a, b); }},
                {"a transposed", half_noise({48, 40}, 1), half_noise({48, 24}, 2), [](auto& a, auto& b) { return matmul(transpose(a, 0, 1), b); }},
                {"b transposed", half_noise({35, 52}, 1), half_noise({17, 52}, 2), [](auto& a, auto& b) { return matmul(a, transpose(b, 0, 1)); }},
                {"both transposed", half_noise({3, 21, 34}, 1), half_noise({3, 18, 21}, 2), [](auto& a, auto& b) { return matmul(transpose(a, 1, 2), transpose(b, 1, 2)); }},
                {"whole words", half_noise({72, 64}, 1), half_noise({64, 96}, 2), [](auto& a, auto& b) { return matmul(a, b); }},
                {"convolution", half_noise({2, 5, 13, 9}, 3), half_noise({35, 5, 3, 3}, 4), [](auto& a, auto& b) { return conv2d(a, b, {.pad = 1}); }},
                {"stride", half_noise({1, 16, 11, 12}, 3), half_noise({8, 16, 3, 3}, 4), [](auto& a, auto& b) { return conv2d(a, b, {.stride = 2, .pad = 1}); }},
                {"dilation", half_noise({1, 3, 9, 7}, 3), half_noise({4, 3, 3, 2}, 4), [](auto& a, auto& b) { return conv2d(a, b, {.pad = 2, .dilation = 2}); }},
                {"1 x 1", half_noise({1, 8, 6, 6}, 3), half_noise({40, 8, 1, 1}, 4), [](auto& a, auto& b) { return conv2d(a, b); }},
                {"three axes", half_noise({1, 4, 3, 4, 5}, 3), half_noise({6, 4, 3, 3, 3}, 4), [](auto& a, auto& b) { return conv3d(a, b, {.pad = 1}); }},
            };
        }
        for (const Case& one : cases) {
            const Tensor y = one.make(one.a, one.b);
            const Forced allowed("");
            const auto names = tests::variants_of(y, traits_here());
            const auto at = std::find_if(names.begin(), names.end(), [&](const std::string& offer) { return offer.starts_with(name) && has_half({offer}); });
            QVERIFY2(at != names.end(), one.what);
            const Forced forced(*at);
            if (!split) QVERIFY2(plan_here(y, *at).find(" by " + *at) != std::string::npos, one.what);
            const auto expected = oracle(one.make(cast(one.a, Dtype::F32), cast(one.b, Dtype::F32)));
            const double error = relative_error(sums_of(y, expected), expected);
            QVERIFY2(error < 0x1p-11 && error > 1e-5, qPrintable(QString("%1: relative L2 %2").arg(one.what).arg(error)));
            std::printf("%s, %s: relative L2 %.2e\n", at->c_str(), one.what, error);
            std::fflush(stdout);
        }
    }

    void overflow_as_they_are_said_to() {
        const auto filled = [](std::initializer_list<float> pattern) {
            std::vector<float> row;
            while (row.size() < 64) row.insert(row.end(), pattern);
            return row;
        };
        const auto both = [&](const std::vector<float>& a, const std::vector<float>& b, double scale) {
            const auto by = [&](const char* variant) {
                const Forced forced(variant);
                return tests::values_of(core_of(matmul(half_tensor(a, {1, 64}), half_tensor(b, {64, 1}))) * scale)[0];
            };
            return std::pair(by("tile_32x32"), by("half_32x32"));
        };
        const std::vector<float> b = filled({200});
        // Short sums of 64000, all together far beyond what a half holds.
        QCOMPARE(both(filled({80}), b, 1.0 / 64), std::pair(16000.0, 16000.0));
        // A driver may compute halves with more bits, NVIDIA's does: what comes is infinite or vanishes as said, or is right.
        const bool exact = !Device::current().caps().software;
        // Two products of 40000 in a short sum of every other term, and they cancel right after.
        const auto [plain, half] = both(filled({200, 0, 200, 0, -200, 0, -200, 0}), b, 1);
        QCOMPARE(plain, 0.0);
        QVERIFY2(!std::isfinite(half) || (exact && half == 0), std::to_string(half).c_str());
        // Products below 2^-24 vanish.
        const auto [small_plain, small_half] = both(filled({1e-4f}), filled({1e-4f}), 1024);
        QVERIFY(small_plain > 6e-4);
        QVERIFY2(small_half == 0 || (exact && std::abs(small_half - small_plain) < 2e-3 * small_plain), std::to_string(small_half).c_str());
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(half_products, HalfProductsTest)
#include "half_products.moc"
