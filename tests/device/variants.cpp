// Every kernel variant that this device can run, over the cases of the ops that have variants, in F32 and F16.
#include <algorithm>
#include <set>

#include "gpu/base/switches.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"
#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/run/traits.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"
#include "tests/support/variants.h"

using namespace gpu;
using tests::OpCase;

namespace {

bool has_variants(const std::string& op) { return op == "matmul" || op == "convolution" || op == "conv_input_grad" || op == "conv_weight_grad" || op == "attention"; }

bool reduces(const Tensor& y) {
    const TensorGraph graph = collect({y});
    return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Tensor* node) { return node->op() && node->op()->kind() == OpKind::Reduce; });
}

Tensors inputs_of(const OpCase& one, Dtype dtype) {
    Tensors in;
    for (std::size_t i = 0; i < one.in.size(); ++i) {
        const Tensor x = tests::random_tensor(one.in[i], 100 + i, one.low, one.high);
        in.push_back(dtype == Dtype::F32 ? x : cast(x, dtype));
    }
    if (dtype != Dtype::F32) evaluate(in);   // leaves then, exactly what the device has
    return in;
}

}  // namespace

class VariantsTest : public QObject {
    Q_OBJECT

private slots:
    void forced_data() {
        QTest::addColumn<QString>("variant");
        QTest::addColumn<int>("dtype");
        const ScopedSwitch no_host(&Switches::host, false);
        const DeviceTraits traits = traits_of(Device::current().caps());
        std::set<std::pair<std::string, Dtype>> names;   // some serve one type alone
        for (const auto& [op, cases] : tests::all_op_cases())
            for (const OpCase& one : cases.all())
                for (const Dtype dtype : {Dtype::F32, Dtype::F16})
                    if (has_variants(op))
                        for (const std::string& name : tests::variants_of(one.make(inputs_of(one, dtype)), traits))
                            names.insert({name.starts_with("split_") ? "split_" : name, dtype});   // which numbers of parts there are is the shapes'
        for (const auto& [name, dtype] : names)
            if (name != "simple")   // the default here: the tests of ops run it
                QTest::newRow((name + " " + std::string(name_of(dtype))).c_str()) << QString::fromStdString(name) << static_cast<int>(dtype);
    }
    void forced() {
        QFETCH(QString, variant);
        QFETCH(int, dtype);
        const auto type = static_cast<Dtype>(dtype);
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch force(&Switches::variant, variant.toStdString());
        const DeviceTraits traits = traits_of(Device::current().caps());
        // A software driver takes seconds to compile some of these, so each variant gets the first case and every fourth one
        // (attention: every twelfth), counted from another one on. HEDDLE_VARIANT=<name> HEDDLE_HOST=0 test_device ops runs all.
        std::size_t number = std::hash<std::string>()(variant.toStdString()) % 4;
        int ran = 0;
        for (const auto& [op, cases] : tests::all_op_cases()) {
            if (!has_variants(op)) continue;
            for (const OpCase& one : cases.all()) {
                const Tensors in = inputs_of(one, type);
                const std::vector<std::string> offered = tests::variants_of(one.make(in), traits);
                if (std::none_of(offered.begin(), offered.end(), [&](const auto& name) { return name.starts_with(variant.toStdString()); })) continue;
                // Sums of rounded numbers cancel: how exact they are says nothing of the kernel.
                if (type == Dtype::F16 && reduces(one.make(in))) continue;
                if (number++ % (op == "attention" ? 12 : 4) != 0 && ran > 0 && variant != "split_" && !variant.startsWith("winograd")) continue;
                try {
                    const std::vector<double> expected = oracle(one.make(in));
                    const Tensor y = one.make(in);
                    evaluate({y});
                    const double error = relative_error(read_doubles(y.value()), expected);
                    const double allowed = type == Dtype::F32 ? one.tolerance : 2e-3;
                    QVERIFY2(error < allowed, qPrintable(QString("%1 %2: relative L2 %3").arg(op.c_str(), one.name.c_str()).arg(error)));
                } catch (const Error& failure) {
                    QFAIL((op + " " + one.name + ": " + failure.what()).c_str());
                }
                ++ran;
            }
        }
        QVERIFY(ran > 0);
    }

    void a_processor_takes_the_simple_kernel() {
        DeviceTraits traits;
        traits.software = true;
        traits.subgroup_shuffle = true;
        traits.subgroup_size = 8;
        const Tensor y = matmul(tests::random_tensor({300, 64}, 1), tests::random_tensor({64, 300}, 2));
        QVERIFY(to_text(make_plan(collect({y}), traits, true)).find(" by simple") != std::string::npos);
        traits.software = false;
        QVERIFY(to_text(make_plan(collect({y}), traits, true)).find(" by tile_") != std::string::npos);
        QVERIFY(to_text(make_plan(collect({y}), traits, true, [](const auto&, const auto&, const auto&) { return "subgroup"; })).find(" by subgroup") != std::string::npos);
    }

    void few_rows_are_dot_products() {
        DeviceTraits traits;
        const auto plan = [&](std::int64_t rows) {
            return to_text(make_plan(collect({matmul(tests::random_tensor({rows, 640}, 1), transpose(tests::random_tensor({1280, 640}, 2), 0, 1))}), traits, true));
        };
        QVERIFY(plan(1).find(" by dot") != std::string::npos);
        QVERIFY(plan(4).find(" by dot") != std::string::npos);
        QVERIFY(plan(5).find(" by dot") == std::string::npos);
        traits.software = true;
        QVERIFY(plan(1).find(" by simple") != std::string::npos);

        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch force(&Switches::variant, std::string("dot"));
        for (const std::int64_t k : {std::int64_t{40}, std::int64_t{41}}) {   // with what comes before and after
            const auto make = [&] {
                const Tensor x = tests::random_tensor({3, k}, 1) * tests::random_tensor({k}, 2);
                return silu(matmul(x, transpose(tests::random_tensor({13, k}, 3), 0, 1)) + tests::random_tensor({13}, 4));
            };
            const Tensor y = make();
            evaluate({y});
            QVERIFY(relative_error(read_doubles(y.value()), oracle(make())) < 1e-5);
        }
    }

    void halves_take_cooperative_matrices() {
        DeviceTraits traits;
        traits.float16 = traits.cooperative_matrix = true;
        traits.subgroup_size = 64;
        traits.max_shared_bytes = 65536;
        const auto half = [](const Shape& shape) { return cast(tests::random_tensor(shape, 1), Dtype::F16); };
        const std::string text = to_text(make_plan(collect({matmul(half({4096, 640}), half({640, 640}))}), traits, true));
        QVERIFY2(text.find(" by coop_128x128") != std::string::npos, text.c_str());
        traits.max_shared_bytes = 32768;   // the large tile does not fit
        const std::string small = to_text(make_plan(collect({matmul(half({4096, 640}), half({640, 640}))}), traits, true));
        QVERIFY2(small.find(" by coop_64x64") != std::string::npos, small.c_str());
    }

    void few_results_are_split_along_k() {
        DeviceTraits traits;
        traits.float16 = traits.cooperative_matrix = true;
        traits.subgroup_size = 64;
        traits.max_shared_bytes = 65536;
        const auto half = [](const Shape& shape) { return cast(tests::random_tensor(shape, 1), Dtype::F16); };
        const auto plan = [&](const Tensor& y) { return to_text(make_plan(collect({y}), traits, true)); };
        const std::string small = plan(matmul(half({128, 1280}), half({1280, 1280})) + half({1280}));
        QVERIFY2(small.find(" by split_4_coop_64x64") != std::string::npos, small.c_str());
        QVERIFY2(small.find("sum [1, 128, 1280] cast") != std::string::npos, small.c_str());
        const std::string large = plan(matmul(half({4096, 1280}), half({1280, 1280})));
        QVERIFY2(large.find("split_") == std::string::npos, large.c_str());
        const std::string map = plan(conv2d(half({2, 1280, 8, 8}), half({1280, 1280, 3, 3}), {.pad = 1}) * 2.0);
        QVERIFY2(map.find("convolution_parts [") != std::string::npos && map.find("mul [2, 1280, 8, 8] ") != std::string::npos, map.c_str());
        traits.software = true;
        QVERIFY(plan(matmul(half({128, 1280}), half({1280, 1280}))).find("split_") == std::string::npos);
    }

    void long_rows_are_reduced_in_two_steps() {
        DeviceTraits traits;
        const auto steps = [&](const Tensor& y) { return make_plan(collect({y}), traits, true).steps.size(); };
        const Tensor x = tests::random_tensor({2, 8, 96, 64}, 1);
        QCOMPARE(steps(sum(square(x), {}, true)), std::size_t{2});
        QCOMPARE(steps(sum(square(x), {0, 2, 3}, true)), std::size_t{2});
        QCOMPARE(steps(sum(square(reshape(x, {-1})), {0}, true)), std::size_t{2});
        QCOMPARE(steps(sum(square(x), {3}, true)), std::size_t{1});
        traits.host_kernels = true;
        QCOMPARE(steps(sum(square(x), {}, true)), std::size_t{1});
    }

    void attention_of_halves_takes_cooperative_matrices() {
        DeviceTraits traits;
        traits.float16 = traits.cooperative_matrix = traits.subgroup_shuffle = true;
        traits.max_shared_bytes = 65536;
        const auto plan = [&](const Shape& shape, Dtype dtype) {
            const Tensor x = cast(tests::random_tensor(shape, 1), dtype);
            return to_text(make_plan(collect({attention(x, x, x)}), traits, true));
        };
        QVERIFY(plan({1, 8, 1024, 64}, Dtype::F16).find(" by coop_") != std::string::npos);
        QVERIFY(plan({1, 8, 256, 160}, Dtype::F16).find(" by coop_") != std::string::npos);
        QVERIFY(plan({1, 1, 64, 512}, Dtype::F16).find(" by tile_64x64") != std::string::npos);   // a head too wide for shared memory
        QVERIFY(plan({1, 8, 1024, 64}, Dtype::F32).find(" by tile_64x64") != std::string::npos);
        traits.software = true;
        traits.cooperative_matrix = false;
        QVERIFY(plan({1, 8, 1024, 64}, Dtype::F16).find(" by simple") != std::string::npos);
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(variants, VariantsTest)
#include "variants.moc"
