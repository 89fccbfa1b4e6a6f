// Elementwise ops around kernel ops: chains that are computed as a kernel loads (prologues), by one element, four and eight at a time, and
// epilogues that see a kernel's result in another shape. What is fused is read off the plan, what comes out is held against the oracle.
#include "gpu/base/switches.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/run/traits.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"
#include "tests/support/variants.h"

using namespace gpu;

namespace {

struct Case {
    std::string name;
    std::function<Tensor(Dtype)> make;
};

Tensor leaf_of(const Shape& shape, std::uint64_t seed, Dtype dtype) {
    const Tensor x = cast(tests::random_tensor(shape, seed), dtype);
    evaluate({x});
    return x;
}

// [B, M, K] times [K, N] with a chain on the left; k of every alignment.
std::vector<Case> cases() {
    std::vector<Case> all;
    for (const std::int64_t k : {std::int64_t{40}, std::int64_t{20}, std::int64_t{13}}) {
        const std::int64_t m = 11, n = 8;
        const std::string of = " of " + std::to_string(k);
        const auto right = [=](Dtype t) { return leaf_of({k, n}, 9, t); };
        const auto add = [&](const std::string& name, auto chain) {
            all.push_back({name + of, [=](Dtype t) { return matmul(chain(t), right(t)); }});
        };
        add("scale", [=](Dtype t) { return leaf_of({2, m, k}, 1, t) * 0.5 + 0.25; });
        add("weight", [=](Dtype t) { return leaf_of({2, m, k}, 1, t) * leaf_of({k}, 2, t) + leaf_of({1, 1, k}, 3, t); });
        add("rows", [=](Dtype t) { return leaf_of({2, m, k}, 1, t) * leaf_of({2, m, 1}, 2, t); });
        add("pictures", [=](Dtype t) { return leaf_of({2, m, k}, 1, t) + leaf_of({2, 1, k}, 2, t); });
        add("two", [=](Dtype t) { return leaf_of({2, m, k}, 1, t) - leaf_of({2, m, k}, 2, t); });
        add("gate", [=](Dtype t) {
            const Tensor h = leaf_of({2, m, 2 * k}, 1, t);
            return slice(h, 2, 0, k) * silu(slice(h, 2, k, 2 * k));
        });
        add("turned", [=](Dtype t) { return transpose(leaf_of({1, k, m}, 1, t) * leaf_of({k, 1}, 2, t), 1, 2); });
        add("narrow", [=](Dtype t) { return cast(leaf_of({2, m, k}, 1, Dtype::F32) * 2.0, t); });
        add("wide", [=](Dtype t) { return cast(leaf_of({2, m, k}, 1, Dtype::F16), t) * leaf_of({k}, 2, t); });
        all.push_back({"right" + of, [=](Dtype t) { return matmul(leaf_of({m, k}, 1, t), transpose(leaf_of({n, k}, 2, t) * leaf_of({n, 1}, 3, t), 0, 1)); }});
        all.push_back({"residual" + of, [=](Dtype t) {   // the chain's carrier is added behind as well
            const Tensor x = leaf_of({1, m, k}, 1, t);
            return matmul(x * 0.5, leaf_of({k, k}, 2, t)) + x + leaf_of({k}, 3, t);
        }});
        all.push_back({"pixels" + of, [=](Dtype t) {
            const Tensor x = permute(leaf_of({1, 5, 3, k}, 1, t), {0, 3, 1, 2});
            return conv2d(x * leaf_of({1, k, 1, 1}, 2, t), leaf_of({n, k, 1, 1}, 4, t), {}) + leaf_of({1, n, 1, 1}, 5, t);
        }});
        all.push_back({"windows" + of, [=](Dtype t) {
            const Tensor x = permute(leaf_of({1, 5, 4, k}, 1, t), {0, 3, 1, 2});
            return conv2d(x * 2.0 + 1.0, leaf_of({n, k, 3, 3}, 4, t), {.pad = 1});   // around the map there are zeros, not ones
        }});
    }
    all.push_back({"queries", [](Dtype t) {
        const Tensor q = leaf_of({1, 2, 9, 16}, 1, t) * leaf_of({16}, 2, t), v = leaf_of({1, 2, 7, 16}, 4, t);
        return attention(q, leaf_of({1, 2, 7, 16}, 3, t), v + leaf_of({1, 2, 1, 16}, 5, t));
    }});
    return all;
}

std::string plan_of(const Tensor& y, const DeviceTraits& traits) {
    const std::string& forced = switches().variant;
    return to_text(make_plan(collect({y}), traits, true, [&](const auto&, const auto&, const std::vector<std::string>& names) {
        for (const std::string& name : names)
            if (name == forced) return name;
        return names[0];
    }));
}

std::size_t steps_of(const std::string& plan) {
    std::size_t count = 0;
    for (const char* kind : {" shader ", " host ", " fused "})
        for (std::size_t at = plan.find(kind); at != std::string::npos; at = plan.find(kind, at + 1)) ++count;
    return count;
}

}  // namespace

class FusedKernelsTest : public QObject {
    Q_OBJECT
private slots:
    void prologues_data() {
        QTest::addColumn<int>("index");
        QTest::addColumn<QString>("variant");
        QTest::addColumn<int>("dtype");
        const ScopedSwitch no_host(&Switches::host, false);
        const DeviceTraits traits = traits_of(Device::current().caps());
        const std::vector<Case> all = cases();
        for (std::size_t i = 0; i < all.size(); ++i)
            for (const Dtype dtype : {Dtype::F32, Dtype::F16})
                for (const std::string& variant : tests::variants_of(all[i].make(dtype), traits)) {
                    const bool convolves = all[i].name.starts_with("pixels") || all[i].name.starts_with("windows");
                    if (variant.starts_with("winograd") || variant.starts_with("split_") || (convolves && variant == "simple")) continue;
                    if (variant == "tile_128x128" || variant == "tile_128x64") continue;   // seconds to compile, and tile_64x64's text
                    QTest::newRow((all[i].name + " " + variant + " " + std::string(name_of(dtype))).c_str())
                        << static_cast<int>(i) << QString::fromStdString(variant) << static_cast<int>(dtype);
                }
    }
    void prologues() {
        QFETCH(int, index);
        QFETCH(QString, variant);
        QFETCH(int, dtype);
        const auto type = static_cast<Dtype>(dtype);
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch force(&Switches::variant, variant.toStdString());
        const Tensor y = cases()[index].make(type);
        const std::string plan = plan_of(y, traits_of(Device::current().caps()));
        QVERIFY2(plan.find(" of ") != std::string::npos, plan.c_str());
        const std::vector<double> expected = oracle(cases()[index].make(type));
        evaluate({y});
        const double error = relative_error(read_doubles(y.value()), expected);
        QVERIFY2(error < (type == Dtype::F32 ? 1e-5 : 2e-3), qPrintable(QString("relative L2 %1\n%2").arg(error).arg(plan.c_str())));
    }

    // A value that others read, one that a generated kernel finishes anyway, and one that would be computed too often.
    void chains_that_are_written() {
        DeviceTraits traits;
        const Tensor x = tests::random_tensor({256, 64}, 1), w = tests::random_tensor({64, 32}, 2), wide = tests::random_tensor({64, 4096}, 3);
        const auto has = [&](const Tensor& y) { return plan_of(y, traits).find(" of ") != std::string::npos; };
        QVERIFY(has(matmul(x * 2.0, w)));
        const Tensor both = x * 2.0;
        QVERIFY(!has(sum(matmul(both, w)) + sum(both)));
        QVERIFY(!has(matmul(softmax(x), w)));
        QVERIFY(!has(matmul(silu(x), wide)));
        QVERIFY(has(matmul(silu(x), w)));
        traits.host_kernels = true;
        QVERIFY(!has(matmul(x * 2.0, w)));
    }

    void epilogues_in_another_shape_data() {
        QTest::addColumn<bool>("host");
        QTest::newRow("host") << true;
        QTest::newRow("shader") << false;
    }
    void epilogues_in_another_shape() {
        QFETCH(bool, host);
        const ScopedSwitch kernels(&Switches::host, host);
        DeviceTraits traits = traits_of(Device::current().caps());
        const auto check = [&](const char* name, std::size_t steps, const std::function<Tensor()>& make) {
            const Tensor y = make();
            const std::string plan = plan_of(y, traits);
            QVERIFY2(steps_of(plan) == steps, (std::string(name) + "\n" + plan).c_str());
            evaluate({y});
            QVERIFY2(relative_error(read_doubles(y.value()), oracle(make())) < 1e-5, name);
        };
        using tests::random_tensor;
        check("tokens", 1, [] {
            const Tensor x = random_tensor({2, 9, 16}, 1);
            return matmul(x, random_tensor({16, 16}, 2)) + random_tensor({16}, 3) + x;
        });
        check("swish", 1, [] { return silu(matmul(random_tensor({3, 5, 8}, 1), random_tensor({8, 12}, 2)) + random_tensor({12}, 3)); });
        check("heads", 1, [] {
            const Tensor product = matmul(random_tensor({2, 3, 7, 8}, 1), random_tensor({2, 3, 8, 5}, 2));
            return product + random_tensor({2, 3, 7, 5}, 4);
        });
        check("map to tokens", 1, [] {
            const Tensor x = permute(random_tensor({1, 4, 6, 8}, 1), {0, 3, 1, 2});
            const Tensor y = permute(reshape(conv2d(x, random_tensor({12, 8, 1, 1}, 2), {}), {1, 12, 24}), {0, 2, 1});
            return y + random_tensor({12}, 3);
        });
        check("read in two shapes", 3, [] {   // the sum needs the buffer
            const Tensor product = matmul(random_tensor({2, 9, 16}, 1), random_tensor({16, 16}, 2));
            return product + sum(reshape(product, {18, 16}), {0});
        });
    }
};

HEDDLE_TEST(fused_kernels, FusedKernelsTest)
#include "fused_kernels.moc"
