// The runtime around the kernels: replay, caches, checks, traces, cancelling.
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

Tensor small_net(const Tensor& x, const Tensor& w, double gain) {
    Tensor h = x;
    for (int i = 0; i < 3; ++i) h = silu(group_norm(conv2d(h, w, {.pad = 1}), 2, {}, {})) * gain + x;
    return h;
}

}  // namespace

class EvaluateTest : public QObject {
    Q_OBJECT
private slots:
    void a_repeated_structure_replays() {
        const Tensor w = tests::random_tensor({8, 8, 3, 3}, 1);
        const Tensor x = tests::random_tensor({1, 8, 12, 12}, 2);
        for (int i = 0; i < 3; ++i) evaluate({small_net(x, w, 1.0)});
        const EvaluationCounters before = evaluation_counters();
        for (int i = 0; i < 5; ++i) evaluate({small_net(x, w, 1.0)});
        const EvaluationCounters after = evaluation_counters();
        QCOMPARE(after.plans_made, before.plans_made);
        QCOMPARE(after.plan_hits, before.plan_hits + 5);
        QCOMPARE(after.recordings, before.recordings);
        QCOMPARE(after.replays, before.replays + 5);
    }

    void both_kernel_paths_agree() {
        const Tensor w = tests::random_tensor({8, 8, 3, 3}, 1), x = tests::random_tensor({1, 8, 33, 31}, 2);
        const std::vector<float> host = to_floats(small_net(x, w, 0.7));
        const ScopedSwitch no_host(&Switches::host, false);
        const std::vector<float> shader = to_floats(small_net(x, w, 0.7));
        QVERIFY(relative_error({host.begin(), host.end()}, {shader.begin(), shader.end()}) < 1e-5);
    }

    void shared_parts_are_computed_once() {
        const Tensor x = tests::random_tensor({64}, 3);
        const Tensor a = exp(x), b = a + 1.0;
        evaluate({a, b});
        const EvaluationCounters before = evaluation_counters();
        evaluate({a, b});
        to_floats(exp(x));   // the same node
        QCOMPARE(evaluation_counters().dispatches + evaluation_counters().host_kernels, before.dispatches + before.host_kernels);
    }

    void a_view_of_a_leaf_costs_nothing() {
        const Tensor x = tests::random_tensor({3, 5}, 3);
        const EvaluationCounters before = evaluation_counters();
        const std::vector<float> y = to_floats(transpose(x, 0, 1)), from = to_floats(x);
        QCOMPARE(y[1 * 3 + 2], from[2 * 5 + 1]);
        QCOMPARE(evaluation_counters().dispatches + evaluation_counters().host_kernels, before.dispatches + before.host_kernels);
    }

    void values_outlive_their_inputs() {
        Tensor y;
        {
            const Tensor x = tests::random_tensor({1000}, 9);
            y = x * 2.0;
            evaluate({y});
        }
        for (int i = 0; i < 50; ++i) evaluate({tests::random_tensor({1000}, 50 + i) + 1.0});
        const std::vector<float> expected = tests::random_floats(1000, 9), got = to_floats(y);
        for (std::size_t i = 0; i < got.size(); ++i) QCOMPARE(got[i], expected[i] * 2);
    }

    void a_nan_is_named() {
        const ScopedSwitch check_nan(&Switches::check, std::string("nan"));
        try {
            evaluate({log(tests::random_tensor({17}, 1, -2, -1)) + 1.0});
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Numeric);
            QVERIFY(std::string(error.what()).find("log") != std::string::npos);
        }
    }

    void the_oracle_check_passes_on_sound_kernels() {
        const ScopedSwitch check_oracle(&Switches::check, std::string("oracle"));
        const Tensor w = tests::random_tensor({4, 4, 3, 3}, 1), x = tests::random_tensor({1, 4, 9, 8}, 2);
        evaluate({small_net(x, w, 0.7)});
    }

    void a_trace_names_passes_and_kernels() {
        start_tracing();
        evaluate({silu(matmul(tests::random_tensor({31, 17}, 1), tests::random_tensor({17, 5}, 2))) + 3.0});
        const nlohmann::json trace = nlohmann::json::parse(chrome_trace(take_spans()));
        std::vector<std::string> names;
        for (const auto& event : trace["traceEvents"]) names.push_back(event["name"]);
        const auto named = [&](const std::string& text) {
            return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return name.find(text) != std::string::npos; });
        };
        QVERIFY(named("evaluate") && named("fuse") && named("matmul"));
    }

    void a_cancelled_scope_stops_before_the_work() {
        const CancelToken token;
        token.cancel();
        const CancelScope scope(token);
        QVERIFY_THROWS_EXCEPTION(Cancelled, evaluate({tests::random_tensor({8}, 77) * 3.0}));
    }

    void threads_may_evaluate_at_once() {
        std::vector<std::thread> threads;
        std::array<bool, 4> right{};
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([t, &right] {
                right[t] = true;
                for (int i = 0; i < 20; ++i) {
                    const std::uint64_t seed = static_cast<std::uint64_t>(t * 100 + i);
                    const std::vector<float> x = tests::random_floats(333, seed), y = to_floats(tests::random_tensor({333}, seed) * 2.0 + t);
                    for (std::size_t k = 0; k < x.size(); ++k) right[t] = right[t] && std::abs(y[k] - (x[k] * 2 + t)) < 1e-5f;
                }
            });
        for (std::thread& thread : threads) thread.join();
        for (const bool one : right) QVERIFY(one);
    }

    void weights_are_packed_once() {
        const Tensor w = tests::random_tensor({16, 16, 3, 3}, 1);
        const Tensor x = tests::random_tensor({1, 16, 20, 20}, 2);
        evaluate({conv2d(x, w, {.pad = 1})});
        const std::size_t kept = w.value()->derived.size();
        evaluate({conv2d(x * 2.0, w, {.pad = 1})});
        QCOMPARE(w.value()->derived.size(), kept);
    }

    // A graph's number that happens to equal one inside a composite is another: it may change without a new plan.
    void numbers_of_composites_are_their_own() {
        const Tensor x = tests::random_tensor({2, 4, 3, 3}, 1), other = tests::random_tensor({1, 1, 1, 1}, 2);
        const auto make = [&](double number) {
            const Tensor normed = group_norm(x + 0.0, 2, {}, {}, 0.25);      // its composite adds 0.25 to a variance
            return normed * (full({1, 1, 1, 1}, number) + other) + full({1, 1, 1}, number) + full({1}, number);
        };
        for (const double number : {0.25, 3.0}) {
            const std::vector<double> wanted = oracle(make(number));
            const std::vector<float> got = to_floats(make(number));
            for (std::size_t i = 0; i < got.size(); ++i) QVERIFY(std::abs(got[i] - wanted[i]) < 1e-4);
        }
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(evaluate, EvaluateTest)
#include "evaluate.moc"
