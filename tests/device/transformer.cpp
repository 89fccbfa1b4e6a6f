// The modules of transformer blocks against what they are said to compute, written out in plain operations.
#include <cmath>

#include "gpu/nn/timestep.h"
#include "gpu/nn/transformer.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;
using namespace gpu::nn;

namespace {

double difference(const Tensor& a, const Tensor& b) {
    const auto widened = [](const Tensor& x) {
        const std::vector<float> values = to_floats(x);
        return std::vector<double>(values.begin(), values.end());
    };
    return a.shape() == b.shape() ? relative_error(widened(a), widened(b)) : INFINITY;
}

}  // namespace

class TransformerTest : public QObject {
    Q_OBJECT

private slots:
    void layer_norm() {
        const LayerNorm norm(Scope::random(1), 20, 1e-3);
        const Tensor x = tests::random_tensor({2, 5, 20}, 1);
        const Tensor centred = x - mean(x, {2});
        const Tensor expected = centred / sqrt(mean(square(centred), {2}) + 1e-3) * norm.weight + norm.bias;
        QVERIFY(difference(norm(x), expected) < 1e-5);
    }

    void multi_head_attention_data() {
        QTest::addColumn<bool>("cross");
        QTest::addColumn<int>("kv_heads");
        QTest::newRow("self") << false << 4;
        QTest::newRow("self, shared keys") << false << 2;
        QTest::newRow("cross") << true << 4;
    }
    void multi_head_attention() {
        QFETCH(bool, cross);
        QFETCH(int, kv_heads);
        const Scope s = Scope::random(2);
        const int width = cross ? 12 : 16;
        const MultiHeadAttention module{Linear(s / "q", 16, 24, false), Linear(s / "k", width, 6 * kv_heads, false),
                                        Linear(s / "v", width, 6 * kv_heads), Linear(s / "out", 24, 16), 4};
        const Tensor x = tests::random_tensor({2, 7, 16}, 1), context = tests::random_tensor({2, 9, 12}, 2);
        const Tensor source = cross ? context : x;
        Tensors heads;
        for (int h = 0; h < 4; ++h) {
            const int kv = h / (4 / kv_heads);
            const auto part = [](const Tensor& t, int i) { return slice(t, 2, 6 * i, 6 * i + 6); };
            const Tensor scores = matmul(part(module.q(x), h), transpose(part(module.k(source), kv), 1, 2)) / std::sqrt(6.0);
            heads.push_back(matmul(softmax(scores), part(module.v(source), kv)));
        }
        QVERIFY(difference(module(x, cross ? context : Tensor()), module.out(concat(heads, 2))) < 1e-5);
    }

    // A head split and joined needs no kernel but the attention itself.
    void heads_cost_no_copies() {
        const Tensor x = tests::random_tensor({1, 40, 32}, 3);
        evaluate({x});
        const auto before = evaluation_counters();
        evaluate({join_heads(attention(split_heads(x, 4), split_heads(x, 4), split_heads(x, 4)))});
        const auto after = evaluation_counters();
        QCOMPARE(after.dispatches + after.host_kernels - before.dispatches - before.host_kernels, 1u);
    }

    void geglu() {
        const Scope s = Scope::random(3);
        const GegluFeedForward module{Linear(s / "in", 8, 24), Linear(s / "out", 12, 8)};
        const Tensor x = tests::random_tensor({2, 3, 8}, 1), both = module.in(x);
        QVERIFY(difference(module(x), module.out(slice(both, 2, 0, 12) * gelu(slice(both, 2, 12, 24)))) < 1e-6);
    }

    void timestep_embedding_data() {
        QTest::addColumn<double>("t");
        for (const double t : {0.0, 1.0, 17.5, 500.0, 999.0}) QTest::newRow(std::to_string(t).c_str()) << t;
    }
    void timestep_embedding() {
        QFETCH(double, t);
        const auto at = [&](const Tensor& x, std::int64_t i) { return static_cast<double>(to_floats(x)[static_cast<std::size_t>(i)]); };
        const Tensor time = tensor({static_cast<float>(t)});
        const Tensor usual = nn::timestep_embedding(time, 320);
        const Tensor lcm = nn::timestep_embedding(time, 256, {.cosine_first = false, .shift = 1});
        for (const std::int64_t i : {0, 1, 50, 127}) {
            const double angle = t * std::exp(-std::log(10000.0) * static_cast<double>(i) / 160);
            QVERIFY(std::abs(at(usual, i) - std::cos(angle)) < 1e-4);
            QVERIFY(std::abs(at(usual, 160 + i) - std::sin(angle)) < 1e-4);
            const double other = t * std::exp(-std::log(10000.0) * static_cast<double>(i) / 127);
            QVERIFY(std::abs(at(lcm, i) - std::sin(other)) < 1e-4);
            QVERIFY(std::abs(at(lcm, 128 + i) - std::cos(other)) < 1e-4);
        }
        QCOMPARE(nn::timestep_embedding(time, 5).size(1), 5);
    }
};

HEDDLE_TEST(transformer, TransformerTest)
#include "transformer.moc"
