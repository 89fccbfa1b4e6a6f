// Gradients beyond those of single ops: intermediate tensors, custom and stopped gradients, recomputed blocks.
#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;
using tests::random_tensor;

namespace {

double difference(const Tensor& a, const Tensor& b) { return relative_error(oracle(a), oracle(b)); }

// Convolution, norm, activation and a residual, `depth` times.
Tensor deep(Tensor x, const Tensors& weights, bool recomputed) {
    for (const Tensor& w : weights) {
        const auto block = [&](const Tensors& in) {
            Tensor h = silu(group_norm(conv2d(in[0], w, {.pad = 1}), 2, {}, {}));
            h = silu(group_norm(conv2d(h, w, {.pad = 1}), 2, {}, {}));
            return in[0] + conv2d(h, w, {.pad = 1});
        };
        x = recomputed ? checkpoint(block, {x}) : block({x});
    }
    return x;
}

}  // namespace

class AutodiffTest : public QObject {
    Q_OBJECT
private slots:
    void of_tensors_on_the_way() {
        const Tensor x = random_tensor({5}, 1), y = square(x), z = y * 3.0;
        const Tensors grads = gradients(sum(square(z)), {x, y, z});
        QVERIFY(difference(grads[2], z * 2.0) < 1e-12);
        QVERIFY(difference(grads[1], z * 6.0) < 1e-12);          // through z as well
        QVERIFY(difference(grads[0], z * 12.0 * x) < 1e-12);
        // As if both were leaves.
        const Tensors parts = cotangents(sum(square(z)) + sum(y), ones({1}), {y, z});
        QVERIFY(difference(parts[0], ones({5})) < 1e-12);
    }

    void an_input_that_occurs_twice_counts_twice_only() {
        const Tensor x = random_tensor({1, 4, 6, 6}, 1), w = random_tensor({4}, 2, 0.5, 1.5);
        const Tensor seed = random_tensor({1, 4, 6, 6}, 3);
        const Tensor once = gradients(sum(group_norm(x, 2, w, w) * seed), {w})[0];
        const Tensor a = w * 1.0, b = w + 0.0;
        const Tensor apart = gradients(sum(group_norm(x, 2, a, b) * seed), {w})[0];
        QVERIFY(difference(once, apart) < 1e-12);
    }

    void a_seed_scales() {
        const Tensor x = random_tensor({5}, 1);
        QVERIFY(difference(gradients(sum(exp(x)), {x}, 0.25)[0], exp(x) * 0.25) < 1e-12);
    }

    void of_integers_there_are_none() {
        const Tensor x = random_tensor({5}, 1, -3, 3);
        QVERIFY(difference(gradients(sum(cast(cast(x, Dtype::I32), Dtype::F32) * x), {x})[0], cast(cast(x, Dtype::I32), Dtype::F32)) < 1e-12);
    }

    void stopped() {
        const Tensor x = random_tensor({5}, 1);
        QVERIFY(difference(stop_gradient(x), x) == 0);
        QVERIFY(difference(gradients(sum(x * stop_gradient(x)), {x})[0], x) < 1e-12);
    }

    void straight_through_rounding() {
        const Tensor x = random_tensor({40}, 1, -3, 3);
        const Tensor y = straight_through(round(x), x), gradient = gradients(sum(square(y)), {x})[0];
        QVERIFY(difference(gradient, round(x) * 2.0) < 1e-6);
        QCOMPARE(to_floats(y), to_floats(round(x)));
        QVERIFY_EXCEPTION_THROWN(straight_through(x, ones({3})), Error);
    }

    void custom() {
        const Tensor x = random_tensor({5}, 1), y = random_tensor({5}, 2);
        const Tensor product = with_vjp(x * y, {x, y}, [](const Tensors& in, const Tensor& value, const Tensor& dy) {
            return Tensors{dy * value * in[1], {}};
        });
        const Tensors grads = gradients(sum(product * 2.0), {x, y});
        QVERIFY(difference(grads[0], x * y * y * 2.0) < 1e-6);
        QVERIFY(difference(grads[1], zeros({5})) == 0);
        const Tensor wrong = with_vjp(x, {x}, [](const Tensors&, const Tensor&, const Tensor&) { return Tensors{}; });
        QVERIFY_EXCEPTION_THROWN(gradients(sum(wrong), {x}), Error);
    }

    void passing_ops_cost_no_step() {
        const Tensor x = random_tensor({64}, 1);
        evaluate({exp(x) + 1.5});
        const EvaluationCounters before = evaluation_counters();
        evaluate({stop_gradient(exp(stop_gradient(x))) + 2.5});
        const EvaluationCounters after = evaluation_counters();
        QCOMPARE(after.dispatches + after.host_kernels, before.dispatches + before.host_kernels + 1);
    }

    void substituted() {
        const Tensor x = random_tensor({5}, 1), y = random_tensor({5}, 2), outside = exp(y);
        const Tensor f = square(x) * outside + x;
        QVERIFY(substitute(f, {x}, {x}).same_as(f));
        QVERIFY(substitute(f, {x}, {y}).same_as(square(y) * outside + y));
        QVERIFY(substitute(outside, {x}, {y}).same_as(outside));
    }

    void recomputed_blocks_give_the_same_bits() {
        const Tensor x = random_tensor({2, 8, 10, 10}, 1);
        Tensors weights;
        for (int i = 0; i < 5; ++i) weights.push_back(random_tensor({8, 8, 3, 3}, 10 + static_cast<std::uint64_t>(i), -0.2, 0.2));
        const auto run = [&](bool recomputed) {
            Tensors all = gradients(mean(square(deep(x, weights, recomputed))), weights);
            std::reverse(all.begin(), all.end());   // in the order in which they are found
            evaluate(all);
            std::vector<std::vector<float>> values;
            for (const Tensor& one : all) values.push_back(to_floats(one));
            return std::pair(values, evaluation_counters().arena_bytes);
        };
        const auto [kept, kept_bytes] = run(false);
        const auto [again, again_bytes] = run(true);
        QCOMPARE(again, kept);
        QVERIFY2(static_cast<double>(again_bytes) < 0.6 * static_cast<double>(kept_bytes),
                 qPrintable(QString("%1 bytes instead of %2").arg(again_bytes).arg(kept_bytes)));
    }

    void recomputed_blocks_differentiate_what_they_capture() {
        const Tensor x = random_tensor({4, 6}, 1), w = random_tensor({6, 6}, 2), scale = random_tensor({1, 6}, 3), other = random_tensor({4, 6}, 4);
        const auto loss = [&](bool recomputed) {
            const Tensor gain = exp(scale);   // computed outside, captured
            const auto f = [&](const Tensors& in) { return tanh(matmul(in[0], w)) * gain + in[1] * in[0]; };
            const Tensors in{x * 2.0, other};
            Tensor h = recomputed ? checkpoint(f, in) : f(in);
            const auto twice = [&](const Tensors& two) { return two[0] * sigmoid(two[1]); };
            h = recomputed ? checkpoint(twice, {h, h}) : twice({h, h});
            return sum(square(h));
        };
        const Tensors wrt{x, w, scale, other}, plain = gradients(loss(false), wrt), again = gradients(loss(true), wrt);
        for (std::size_t i = 0; i < wrt.size(); ++i) QVERIFY2(difference(again[i], plain[i]) < 1e-12, qPrintable(QString::number(i)));
        QCOMPARE(to_floats(again[1]), to_floats(plain[1]));
    }
};

HEDDLE_TEST(autodiff, AutodiffTest)
#include "autodiff.moc"
