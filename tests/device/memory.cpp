// Budgets, streaming, retreats, prediction, faults: whatever memory and driver do, a run gives right values or the right
// error, and the next one works.
#include <algorithm>
#include <thread>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/ops.h"
#include "gpu/run/engine.h"
#include "gpu/run/leaf.h"
#include "gpu/run/oracle.h"
#include "gpu/run/traits.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

constexpr std::uint64_t mebi = 1 << 20;

// A fresh leaf with the same numbers: nothing of it is on any device yet.
Tensor fresh(const Tensor& x) { return tensor(to_floats(x), x.shape()); }

// A chain of products: weights of 256 KiB each, small values between them.
struct Chain {
    Tensor x;
    std::vector<Tensor> weights;

    Chain(int length, std::uint64_t seed, std::int64_t width = 256) : x(tests::random_tensor({4, width}, seed)) {
        for (int i = 0; i < length; ++i)
            weights.push_back(tests::random_tensor({width, width}, seed + 1 + static_cast<std::uint64_t>(i), -0.1, 0.1));
    }
    Tensor operator()(double gain = 1) const {
        Tensor h = x * gain;
        for (const Tensor& w : weights) h = tanh(matmul(h, w)) + h * 0.5;
        return h;
    }
    std::uint64_t weight_bytes() const { return weights.size() * static_cast<std::uint64_t>(weights[0].element_count()) * 4; }
};

std::vector<double> values_of(Engine& engine, const Tensor& x) {
    engine.evaluate({x});
    return read_doubles(x.value());
}

// Convolutions, a reduction, a view, a concatenation and two results: a bit of everything that plans hold.
Tensors mixed(const Tensor& x, const Tensor& w, double gain) {
    const Tensor h = silu(group_norm(conv2d(x, w, {.pad = 1}), 2, {}, {})) * gain + x;
    const Tensor y = conv2d(h, w, {.pad = 1}) + x;
    return {sum(y, {1}), concat({h, transpose(y, 2, 3)}, 1)};
}

// How many copies of a leaf host kernels keep, such as a widened or packed one.
int made_by_kernels(const Tensor& x) {
    const auto& derived = x.value()->derived;
    return static_cast<int>(std::count_if(derived.begin(), derived.end(), [](const auto& made) { return !made.first.starts_with(device_key_prefix); }));
}

class Warnings {
public:
    Warnings() {
        old_ = set_log_sink([this](std::string_view area, LogLevel level, const std::string& text) {
            if (area == "memory" && level == LogLevel::Warning) lines.push_back(text);
        });
    }
    ~Warnings() { set_log_sink(old_); }
    int with(const std::string& part) const {
        return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }
    std::vector<std::string> lines;

private:
    LogSink old_;
};

}  // namespace

class MemoryTest : public QObject {
    Q_OBJECT

    std::shared_ptr<Device> open() { return Device::open(switches().device); }

private slots:
    void the_peak_is_known_before_the_run_data() {
        QTest::addColumn<bool>("host");
        QTest::newRow("host kernels") << true;
        QTest::newRow("shaders") << false;
    }
    void the_peak_is_known_before_the_run() {
        QFETCH(bool, host);
        const ScopedSwitch path(&Switches::host, host);
        const auto device = open();
        Engine engine(device);
        const Chain chain(12, 10);
        const Tensor w = tests::random_tensor({32, 32, 3, 3}, 1), x = tests::random_tensor({1, 32, 96, 96}, 2);
        for (int round = 0; round < 2; ++round)   // the second finds weights and arena there
            for (const Tensors& outputs : {Tensors{chain(1 + round)}, mixed(x, w, 1 + round)}) {
                const MemoryForecast need = engine.forecast(outputs);
                device->reset_peak();
                engine.evaluate(outputs);
                const auto measured = static_cast<double>(device->memory_use().peak);
                QVERIFY(need.peak > 0 && !need.streams);
                QVERIFY2(std::abs(static_cast<double>(need.peak) - measured) <= 0.05 * measured,
                         qPrintable(QString("predicted %1, measured %2").arg(need.peak).arg(measured)));
            }
    }

    void weights_of_fewer_bits_are_kept_where_there_is_room_data() {
        QTest::addColumn<int>("format");
        QTest::newRow("F16") << -1;
        QTest::newRow("Q8_0") << static_cast<int>(BlockFormat::Q8_0);
        QTest::newRow("Q4_K") << static_cast<int>(BlockFormat::Q4_K);
    }
    void weights_of_fewer_bits_are_kept_where_there_is_room() {
        QFETCH(int, format);
        const ScopedSwitch host(&Switches::host, true);
        // Shaders read such weights as they are stored: beside a GPU, where no host kernel runs, nothing is kept.
        const bool on_host = traits_of(Device::current().caps()).host_kernels;
        const std::int64_t rows = 512, columns = 1024, wide = rows * columns * 4;
        const std::vector<float> drawn = tests::random_floats(rows * columns, 90, -0.05, 0.05);
        const auto bytes = std::make_shared<std::vector<std::byte>>();
        if (format < 0) {
            for (const float value : drawn) {
                const std::uint16_t half = float_to_f16(value);
                bytes->insert(bytes->end(), {static_cast<std::byte>(half & 255), static_cast<std::byte>(half >> 8)});
            }
        } else {
            *bytes = pack(static_cast<BlockFormat>(format), drawn);
        }
        const auto stored_weight = [&] {
            return format < 0 ? leaf({{rows * columns}, Dtype::F16}, *bytes, bytes) : leaf({{static_cast<std::int64_t>(bytes->size())}, Dtype::U8}, *bytes, bytes);
        };
        const auto widened = [&](const Tensor& stored) {
            return format < 0 ? cast(stored, Dtype::F32) : dequantize(stored, static_cast<BlockFormat>(format), {rows * columns});
        };
        const Tensor x = tests::random_tensor({8, columns}, 91), map = tests::random_tensor({1, columns, 6, 5}, 92), bias = tests::random_tensor({rows}, 93);
        const auto linear = [&](const Tensor& w, double gain) { return matmul(x * gain, transpose(reshape(w, {rows, columns}), 0, 1)) + bias; };
        const auto conv = [&](const Tensor& w, double gain) { return conv2d(map * gain, reshape(w, {rows, columns, 1, 1})); };
        const auto plenty = open(), tight = open();
        tight->set_budget(wide / 2);
        Engine engine(plenty), narrow(tight);
        for (const auto& use : {std::function(linear), std::function(conv)}) {
            const Tensor stored = stored_weight(), other = stored_weight(), plain = tensor(to_floats(widened(stored_weight())), {rows * columns});
            for (const double gain : {1.0, 2.0}) {
                const MemoryForecast need = engine.forecast({use(widened(stored), gain)});
                plenty->reset_peak();
                // The widened numbers are exact, and the kernel is the one for F32.
                QVERIFY(values_of(engine, use(widened(stored), gain)) == values_of(engine, use(plain, gain)));
                QVERIFY(need.peak <= need.budget);
                const std::vector<double> pieces = values_of(narrow, use(widened(other), gain)), whole = values_of(engine, use(plain, gain));
                for (std::size_t i = 0; i < whole.size(); ++i) QVERIFY(std::abs(pieces[i] - whole[i]) <= 1e-4 * (1 + std::abs(whole[i])));
            }
            QCOMPARE(made_by_kernels(stored), on_host ? 1 : 0);
            QCOMPARE(made_by_kernels(other), 0);
        }
        QVERIFY(tight->memory_use().peak <= tight->budget());
        if (on_host) QVERIFY(plenty->memory_use().adopted >= static_cast<std::uint64_t>(wide));
        else QCOMPARE(plenty->memory_use().adopted, std::uint64_t{0});
    }

    void weights_beyond_the_budget_are_streamed() {
        const ScopedSwitch no_host(&Switches::host, false);   // host kernels read leaves where they lie
        const auto device = open();
        const Chain chain(24, 50);
        Engine plain(device);
        const std::vector<double> expected = values_of(plain, chain(0.75));

        const auto small = open();
        small->set_budget(chain.weight_bytes() / 2);
        Engine engine(small);
        const Chain again(24, 50);
        const Warnings warnings;
        for (int i = 0; i < 3; ++i) {
            const Tensor y = again(0.75);
            const MemoryForecast need = engine.forecast({y});
            QVERIFY(need.streams && need.peak <= need.budget && need.weights == chain.weight_bytes() + again.x.element_count() * 4);
            small->reset_peak();
            QVERIFY(values_of(engine, y) == expected);
            QVERIFY(small->memory_use().peak <= small->budget() && small->memory_use().reserved <= small->budget());
        }
        QCOMPARE(engine.counters().streamed, std::uint64_t(3));
        QVERIFY(engine.counters().evictions > 0);
        QCOMPARE(warnings.lines.size(), std::size_t(1));   // at once, without failing first; told once a plan
        QCOMPARE(warnings.with("streams the weights"), 1);
        QCOMPARE(engine.counters().plans_made, std::uint64_t(1));
    }

    void the_least_recently_used_weight_goes_first() {
        const ScopedSwitch no_host(&Switches::host, false);
        const auto device = open();
        device->set_budget(4 * mebi);
        Engine engine(device);
        std::vector<Tensor> w;
        for (int i = 0; i < 5; ++i) w.push_back(tests::random_tensor({512, 512}, 70 + static_cast<std::uint64_t>(i)));   // 1 MiB each
        const Tensor x = tests::random_tensor({1, 512}, 69);
        const auto use = [&](int i, double gain) { engine.evaluate({matmul(x * gain, w[i])}); };
        const auto there = [&](int i) { return w[i].value()->derived.contains(device_key(*device, w[i].value()->order)); };
        use(0, 1);
        use(1, 1);
        use(0, 2);
        use(2, 1);   // no room for more than these beside values
        for (int i = 3; i < 5; ++i) use(i, 1);
        QVERIFY(!there(1));
        QVERIFY(there(4));
        QVERIFY(engine.counters().evictions > 0);
        QVERIFY(device->memory_use().reserved <= device->budget());
    }

    void values_one_by_one_when_the_arena_is_too_much() {
        const ScopedSwitch no_host(&Switches::host, false);
        const auto device = open();
        const Tensor x = tests::random_tensor({1, 16, 64, 64}, 3), w = tests::random_tensor({16, 16, 3, 3}, 4, -0.1, 0.1);
        const auto net = [&] {
            Tensor h = x;
            for (int i = 0; i < 4; ++i) h = silu(conv2d(h, w, {.pad = 1}));
            return h;
        };
        Engine plain(device);
        const std::vector<double> expected = values_of(plain, net());
        const auto small = open();
        Engine engine(small);
        small->inject({.allocation = 1, .allocations = 4});   // the arena, on the first four rungs
        const Warnings warnings;
        QVERIFY(values_of(engine, net()) == expected);
        QVERIFY(engine.counters().retreats >= 4);
        QCOMPARE(warnings.with("step by step"), 1);
    }

    // A feed-forward block whose inner value is eight times its input, attention after projections of a batch, and convolutions of
    // a batch: neither fits whole, all do in parts.
    void large_values_are_computed_in_chunks_data() {
        QTest::addColumn<int>("what");
        QTest::addColumn<bool>("host");
        for (const bool host : {false, true}) {
            QTest::newRow(host ? "feed-forward, host" : "feed-forward") << 0 << host;
            QTest::newRow(host ? "convolutions, host" : "convolutions") << 1 << host;
        }
    }
    void large_values_are_computed_in_chunks() {
        QFETCH(int, what);
        QFETCH(bool, host);
        const ScopedSwitch hosts(&Switches::host, host);
        const Tensor x = what == 0 ? tests::random_tensor({1, 4096, 32}, 7) : tests::random_tensor({8, 4, 64, 64}, 7);
        const Tensor wide = tests::random_tensor({32, 512}, 8, -0.2, 0.2), narrow = tests::random_tensor({256, 32}, 9, -0.2, 0.2);
        const Tensor up = tests::random_tensor({64, 4, 3, 3}, 8, -0.2, 0.2), down = tests::random_tensor({4, 64, 3, 3}, 9, -0.2, 0.2);
        const auto net = [&](const Tensor& in) {
            if (what == 1) return conv2d(silu(group_norm(conv2d(in, up, {.pad = 1}), 8, {}, {})), down, {.pad = 1}) + in;
            const Tensor h = matmul(in, wide);   // [1, 4096, 512]: 8 MiB
            return matmul(slice(h, 2, 0, 256) * gelu(slice(h, 2, 256, 512)), narrow) + in;
        };
        Engine plain(open());
        const std::vector<double> expected = values_of(plain, net(fresh(x) * 1.0));
        const auto small = open();
        Engine engine(small);
        const Warnings warnings;
        const Tensor y = net(fresh(x) * 1.0);
        small->set_budget(engine.forecast({y}).peak / 2);
        const std::vector<double> got = values_of(engine, y);
        QVERIFY2(relative_error(got, expected) < 1e-6, qPrintable(QString::number(relative_error(got, expected))));
        QCOMPARE(warnings.with("chunks"), 1);
        QCOMPARE(warnings.with("step by step"), 0);
        QVERIFY(small->memory_use().peak <= small->budget());
        values_of(engine, net(fresh(x) * 1.0));   // the same again, told once
        QCOMPARE(warnings.with("chunks"), 1);
    }

    void what_can_not_fit_names_need_and_budget() {
        const ScopedSwitch no_host(&Switches::host, false);
        const auto device = open();
        Engine engine(device);
        device->set_budget(2 * mebi);
        const Tensor x = tests::random_tensor({1024, 512}, 5);   // 2 MiB, and so is its sine
        if (!device->caps().unified_memory) {                   // host memory takes what the device can not
            engine.evaluate({sin(x)});
            QVERIFY(engine.counters().retreats > 0);
            return;
        }
        try {
            engine.evaluate({sin(x)});
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::OutOfMemory);
            QVERIFY2(error.message().find("budget of 2 MiB") != std::string::npos, error.what());
        }
        engine.evaluate({sin(tests::random_tensor({64, 512}, 6))});   // a smaller one works at once
        device->set_budget(0);
        engine.evaluate({sin(x)});
    }

    void every_failing_allocation_is_survived_data() {
        QTest::addColumn<bool>("host");
        QTest::newRow("host kernels") << true;
        QTest::newRow("shaders") << false;
    }
    void every_failing_allocation_is_survived() {
        QFETCH(bool, host);
        const ScopedSwitch path(&Switches::host, host);
        const auto device = open();
        Engine engine(device);
        const Tensor w = tests::random_tensor({4, 4, 3, 3}, 1), x = tests::random_tensor({1, 4, 10, 10}, 2);
        std::vector<std::vector<double>> expected;
        for (const Tensor& y : mixed(x, w, 1.5)) expected.push_back(values_of(engine, y));
        const auto run = [&](const Tensors& outputs) {
            engine.evaluate(outputs);
            for (std::size_t i = 0; i < outputs.size(); ++i)
                if (relative_error(read_doubles(outputs[i].value()), expected[i]) > 1e-6) return false;
            return true;
        };
        for (std::uint64_t n = 1; n <= 12; ++n) {
            device->inject({.allocation = n});   // one failure: always a right result
            QVERIFY(run(mixed(fresh(x), fresh(w), 1.5)));
            device->inject({.allocation = n, .allocations = 1000});   // from there on: right, or out of memory
            try {
                QVERIFY(run(mixed(fresh(x), fresh(w), 1.5)));
            } catch (const Error& error) {
                QCOMPARE(error.code(), ErrorCode::OutOfMemory);
            }
            device->inject({});
            QVERIFY(run(mixed(fresh(x), fresh(w), 1.5)));
        }
    }

    void every_lost_submission_is_told_and_survived() {
        const ScopedSwitch serial(&Switches::serial, true), no_host(&Switches::host, false);   // many submissions
        const Tensor w = tests::random_tensor({4, 4, 3, 3}, 1), x = tests::random_tensor({1, 4, 10, 10}, 2);
        const auto run = [&] { return mixed(fresh(x), fresh(w), 2.5); };
        const std::vector<float> expected = to_floats(run()[1]);
        int lost = 0;
        for (std::uint64_t n = 1; n <= 10; ++n) {
            const Tensor kept = fresh(x) * 3.0;
            evaluate({kept});
            Device::current().inject({.submission = n});
            try {
                QVERIFY(to_floats(run()[1]) == expected);
                Device::current().inject({});
            } catch (const Error& error) {
                QCOMPARE(error.code(), ErrorCode::DeviceLost);
                QVERIFY(error.message().find(Device::current().caps().name) != std::string::npos);
                ++lost;
            }
            QVERIFY(to_floats(run()[1]) == expected);   // on the device opened anew
            try {                                       // an earlier value: still there, or told to be gone
                QCOMPARE(to_floats(kept)[3], to_floats(x)[3] * 3.0f);
            } catch (const Error& error) {
                QCOMPARE(error.code(), ErrorCode::DeviceLost);
                QVERIFY(!Device::current().caps().unified_memory);
            }
        }
        QVERIFY(lost >= 3);
    }

    void an_engine_of_its_own_says_that_its_device_is_gone() {
        const ScopedSwitch no_host(&Switches::host, false);   // host kernels submit nothing
        const auto device = open();
        Engine engine(device);
        const Tensor x = tests::random_tensor({100}, 5);
        device->inject({.submission = 1});
        for (int i = 0; i < 2; ++i) {
            try {
                engine.evaluate({sin(x) + double(i)});
                QFAIL("accepted");
            } catch (const Error& error) {
                QCOMPARE(error.code(), ErrorCode::DeviceLost);
            }
        }
        QVERIFY(device->lost());
    }

    void two_devices_work_in_parallel() {
        const Tensor shared = Chain(6, 90)(1.25);
        const std::vector<float> expected = to_floats(shared);
        std::array<bool, 2> right{};
        std::vector<std::thread> threads;
        for (int t = 0; t < 2; ++t)
            threads.emplace_back([&, t] {
                const auto device = open();
                Engine engine(device);
                const Chain mine(6, 90);
                right[t] = true;
                for (int i = 0; i < 8; ++i) {
                    const Tensor y = mine(1.25) + shared * double(t + i);   // `shared` lies on a third device
                    const std::vector<double> got = values_of(engine, y);
                    for (std::size_t k = 0; k < got.size(); ++k)
                        right[t] = right[t] && std::abs(got[k] - expected[k] * (1 + t + i)) < 1e-4;
                }
                right[t] = right[t] && engine.counters().plan_hits == 7;
            });
        for (std::thread& thread : threads) thread.join();
        QVERIFY(right[0] && right[1]);
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(memory, MemoryTest)
#include "memory.moc"
