// Elementwise ops around kernel ops: epilogues that see a kernel's result in another shape. What is fused is read off the plan, what comes out is held against the oracle.
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
