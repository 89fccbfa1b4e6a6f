// Several devices in one process: threads with a device each, and tensors that they share. The machine's best device opened
// twice stands in for two.
#include "gpu/vulkan/device_scope.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;
using tests::random_tensor;

namespace {

std::vector<std::shared_ptr<DeviceSlot>> two_devices() {
    const std::string best = std::to_string(Device::current().caps().index);
    return device_slots(best + "," + best);
}

Tensor layers(Tensor x, const Tensor& w, int count) {
    for (int i = 0; i < count; ++i) x = silu(conv2d(x, w, {.pad = 1})) + x * 0.5;
    return x;
}

bool near(const std::vector<float>& got, const std::vector<float>& expected) {
    double most = 0, off = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        most = std::max(most, std::abs(static_cast<double>(expected[i])));
        off = std::max(off, std::abs(static_cast<double>(got[i]) - expected[i]));
    }
    return got.size() == expected.size() && off <= 1e-5 * most;
}

}  // namespace

class DeviceScopeTest : public QObject {
    Q_OBJECT
private slots:
    void a_scope_names_the_device_of_its_thread() {
        const auto pair = two_devices();
        QCOMPARE(pair.size(), std::size_t(2));
        const std::uint64_t outside = Device::current().id();
        std::uint64_t inside = 0, elsewhere = 0;
        {
            const DeviceScope scope(pair[1]);
            inside = Device::current().id();
            std::thread([&] { elsewhere = Device::current().id(); }).join();
            const DeviceScope same(nullptr);
            QCOMPARE(Device::current().id(), inside);
            const DeviceScope other(pair[0]);
            QVERIFY(Device::current().id() != inside && Device::current().id() != outside);
        }
        QVERIFY(inside != outside);
        QCOMPARE(elsewhere, outside);
        QCOMPARE(Device::current().id(), outside);
        QVERIFY(!pair[0]->device || pair[0]->device != pair[1]->device);
    }

    void a_name_with_a_comma_is_one_device() {
        const std::string name = Device::current().caps().name;
        QCOMPARE(device_slots(name).size(), std::size_t(1));
        QCOMPARE(device_slots("0,,cpu").size(), std::size_t(2));
        QCOMPARE(device_slots("").size(), std::size_t(0));
    }

    // A value of one device is read, and computed with, on the other.
    void values_travel() {
        const auto pair = two_devices();
        const Tensor w = random_tensor({8, 8, 3, 3}, 1, -0.2, 0.2), x = random_tensor({1, 8, 12, 12}, 2);
        const std::vector<float> expected = to_floats(layers(layers(x, w, 2), w, 2));
        Tensor first = layers(random_tensor({1, 8, 12, 12}, 2), w, 2), second;
        {
            const DeviceScope scope(pair[0]);
            evaluate({first});
            QVERIFY(evaluation_counters().evaluations == 1);
        }
        {
            const DeviceScope scope(pair[1]);
            second = layers(first, w, 2);
            QVERIFY(to_floats(second) == expected);
            QVERIFY(evaluation_counters().evaluations == 1);
        }
        QVERIFY(to_floats(second) == expected);      // on the process's own device there is nothing to compute
    }

    // Both threads evaluate lazy tensors that they share, while each builds more on them: what one gives a value, and thereby takes
    // the inputs from, the other walks. Plans of other cuts are fused in other ways, which shows in the last bits.
    void lazy_tensors_are_shared() {
        const auto pair = two_devices();
        const Tensor w = random_tensor({4, 4, 3, 3}, 1, -0.2, 0.2);
        for (int round = 0; round < 12; ++round) {
            const auto fresh = [&] { return random_tensor({1, 4, 8, 8}, 10 + static_cast<std::uint64_t>(round)); };
            const Tensor alone = layers(fresh(), w, 6), gradient = gradients(mean(square(alone)), {w})[0];
            const std::vector<float> expected = to_floats(layers(alone, w, 3)), expected_gradient = to_floats(gradient);
            const Tensor shared = layers(fresh(), w, 6);
            std::atomic<int> right = 0, waiting = 0;
            const auto work = [&](int number) {
                const DeviceScope scope(pair[static_cast<std::size_t>(number)]);
                ++waiting;
                while (waiting < 2) std::this_thread::yield();
                if (number == round % 2) evaluate({shared});
                const Tensor slope = gradients(mean(square(shared)), {w})[0];
                right += near(to_floats(layers(shared, w, 3)), expected);
                // Where the other has given `shared` its value already, it depends on nothing any more.
                const std::vector<float> found = to_floats(slope);
                right += near(found, expected_gradient) || std::all_of(found.begin(), found.end(), [](float v) { return v == 0; });
            };
            std::thread other(work, 1);
            work(0);
            other.join();
            QCOMPARE(right.load(), 4);
        }
    }

    void a_lost_device_is_opened_anew_in_its_slot() {
        const auto pair = two_devices();
        const std::uint64_t outside = Device::current().id();
        const DeviceScope scope(pair[0]);
        const Tensor x = random_tensor({64}, 1);
        evaluate({x + 1.0});
        const std::uint64_t before = Device::current().id();
        Device::current().inject({.submission = 1});
        const Tensor lost = x * 3.0;
        const ScopedSwitch no_host(&Switches::host, false);
        try {
            evaluate({lost});
        } catch (const Error& error) {
            QVERIFY(error.code() == ErrorCode::DeviceLost);
            QVERIFY(Device::current().id() != before && Device::current().id() != outside);
            QCOMPARE(to_floats(lost)[3], to_floats(x)[3] * 3);
            return;
        }
        QFAIL("the device was not lost");
    }
};

HEDDLE_TEST(device_scope, DeviceScopeTest)
#include "device_scope.moc"
