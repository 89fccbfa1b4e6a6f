// Indexing and order beyond the case lists: bounds, long lines, special numbers, integers, plans.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

using Ints = std::vector<std::int32_t>;

Tensor ids_of(const Ints& ids) { return tensor_i32(ids, {static_cast<std::int64_t>(ids.size())}); }

std::string message_of(const std::function<void()>& run) {
    try {
        run();
    } catch (const Error& error) {
        return error.code() == ErrorCode::InvalidGraph ? error.what() : std::string("another code: ") + error.what();
    }
    return "";
}

bool says(const std::function<void()>& run, const std::string& text) {
    const std::string message = message_of(run);
    if (message.find(text) != std::string::npos) return true;
    qWarning("expected \"%s\" in \"%s\"", text.c_str(), message.c_str());
    return false;
}

}  // namespace

class IndexingTest : public QObject {
    Q_OBJECT
private slots:
    void ids_that_are_there_are_checked() {
        const Tensor table = tests::random_tensor({5, 3}, 1);
        QVERIFY(says([&] { embedding(table, ids_of({0, 5})); }, "expected ids of 0 to 4, got 5"));
        QVERIFY(says([&] { take(table, ids_of({-1}), 1); }, "expected ids of 0 to 2, got -1"));
        QVERIFY(says([&] { one_hot(ids_of({3}), 3); }, "expected ids of 0 to 2, got 3"));
        QVERIFY(says([&] { embedding(table, tests::random_tensor({2}, 1)); }, "expected I32 ids"));
    }

    void ids_that_are_computed_are_clamped() {
        const Tensor table = tests::random_tensor({5, 3}, 1);
        const Tensor wild = ids_of({-7, 0, 9}) + 1.0;   // -6, 1, 10
        QCOMPARE(to_floats(take(table, wild, 0)), to_floats(take(table, ids_of({0, 1, 4}), 0)));
        const Tensor ones = full({3, 1}, 1);
        QCOMPARE(to_floats(scatter_add(ones, reshape(wild, {3, 1}), 0, 5)), (std::vector<float>{1, 1, 0, 0, 1}));
    }

    void long_lines_sort_stably() {
        const std::int64_t length = 50000;
        std::vector<float> x = tests::random_floats(length, 3, -1000, 1000);
        for (float& value : x) value = std::round(value);   // each number many times
        for (const bool descending : {false, true}) {
            Ints expected(length);
            std::iota(expected.begin(), expected.end(), 0);
            std::stable_sort(expected.begin(), expected.end(), [&](int a, int b) { return descending ? x[a] > x[b] : x[a] < x[b]; });
            QVERIFY(to_ints(argsort(tensor(x, {length}), 0, descending)) == expected);
            for (const std::int64_t k : {1, 50, 1000}) {
                const Ints best = to_ints(topk(tensor(x, {length}), k, 0, descending).ids);
                QVERIFY(std::equal(best.begin(), best.end(), expected.begin()) && static_cast<std::int64_t>(best.size()) == k);
            }
        }
    }

    void special_numbers_have_a_place() {
        const float nan = std::nanf(""), inf = INFINITY;
        const Tensor x = tensor({1.0f, nan, -0.0f, inf, 0.0f, -inf, nan});
        QCOMPARE(to_ints(argsort(x)), (Ints{5, 2, 4, 0, 3, 1, 6}));
        QCOMPARE(to_ints(argsort(x, 0, true)), (Ints{1, 6, 3, 0, 2, 4, 5}));
        QCOMPARE(to_ints(argmax(x, 0)), Ints{1});
        QCOMPARE(to_ints(argmin(x, 0)), Ints{5});
        QCOMPARE(to_ints(argmax(tensor({-inf, -inf}), 0)), Ints{0});
        QCOMPARE(to_ints(argmin(tensor({nan, nan}), 0)), Ints{0});
    }

    void integers_sort_over_their_whole_range() {
        const Ints values{5, -2147483647 - 1, 2147483647, 0, -1, 5, 16777217, 16777216};
        QCOMPARE(to_ints(argsort(ids_of(values))), (Ints{1, 4, 3, 0, 5, 7, 6, 2}));
        QCOMPARE(to_ints(argmax(ids_of(values), 0)), Ints{2});
        QCOMPARE(to_ints(take(ids_of(values), ids_of({6, 1}), 0)), (Ints{16777217, -2147483647 - 1}));
        QCOMPARE(to_ints(cumsum(ids_of({16777217, 1, 2}), 0)), (Ints{16777217, 16777218, 16777220}));
    }

    void scatters_repeat_bit_by_bit() {
        const Tensor x = tests::random_tensor({5000, 3}, 4, -1e6, 1e6);
        Ints ids(5000);
        for (int i = 0; i < 5000; ++i) ids[i] = i * 31 % 7;
        const auto run = [&] { return to_floats(scatter_add(x * 1.0, tensor_i32(ids, {5000, 1}), 0, 7)); };
        const std::vector<float> first = run();
        for (int i = 0; i < 3; ++i) QVERIFY(run() == first);
        std::vector<float> serial(21, 0);   // in the order of the elements
        const std::vector<float> values = to_floats(x);
        for (int n = 0; n < 5000; ++n)
            for (int c = 0; c < 3; ++c) serial[ids[n] * 3 + c] += values[n * 3 + c];
        QVERIFY(first == serial);
    }

    void arithmetic_on_small_integers_is_refused() {
        const Tensor i = ids_of({7, -7, 2}), f = tensor({1, 2, 3}), b = less(f, f + 1.0);
        QCOMPARE(to_ints((i + i) * 3.0 - abs(i)), (Ints{35, -49, 10}));
        QCOMPARE(to_ints(i / 2.0), (Ints{3, -3, 1}));
        QCOMPARE(to_ints(maximum(i, 0.0)), (Ints{7, 0, 2}));
        QCOMPARE(to_ints(sum(i)), Ints{2});
        QVERIFY(says([&] { sqrt(i); }, "sqrt: expected floating numbers, got I32 [3] (cast it first)"));
        QVERIFY(says([&] { exp(i); }, "expected floating numbers"));
        QVERIFY(says([&] { relu(i); }, "expected floating numbers"));
        QVERIFY(says([&] { b + b; }, "add: expected floating numbers or I32, got BOOL"));
        QVERIFY(says([&] { sum(b); }, "expected floating numbers or I32"));
        QVERIFY(says([&] { max(i); }, "expected floating numbers"));
        QVERIFY(says([&] { cumsum(b, 0); }, "expected floating numbers or I32"));
    }

    void einsum_explains_itself() {
        const Tensor a = tests::random_tensor({3, 4}, 1), b = tests::random_tensor({5, 6}, 1);
        QVERIFY(says([&] { einsum("ij,jk->ik", {a, b}); }, "expected one length for j, got 4 and 5"));
        QVERIFY(says([&] { einsum("ij->ik", {a}); }, "each letter of the result once"));
        QVERIFY(says([&] { einsum("ij->ii", {a}); }, "each letter of the result once"));
        QVERIFY(says([&] { einsum("ij,jk", {a}); }, "for 1 operands"));
        QVERIFY(says([&] { einsum("i1->i", {a}); }, "list of letters"));
        QVERIFY(says([&] { einsum("ijk->i", {a}); }, "expected 3 axes"));
    }

    // Products of heads that lie together are one host product, and nothing is copied.
    void einsum_plans_are_tight() {
        const Tensor q = tests::random_tensor({2, 3, 32, 8}, 1), k = tests::random_tensor({2, 3, 16, 8}, 2);
        const EvaluationCounters before = evaluation_counters();
        evaluate({einsum("bhqd,bhkd->bhqk", {q, k})});
        const EvaluationCounters after = evaluation_counters();
        QCOMPARE(after.dispatches + after.host_kernels, before.dispatches + before.host_kernels + 1);
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(indexing, IndexingTest)
#include "indexing.moc"
