// Nodes of the tensor graph: equal ones are one, and those that nobody holds are forgotten.
#include <thread>

#include "gpu/base/error.h"
#include "gpu/graph/tensor.h"
#include "gpu/ops.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

Tensor expression(const Tensor& x, const Tensor& w, double gain) {
    return silu(group_norm(conv2d(x, w, {.pad = 1}), 2, {}, {})) * gain + sum(x, {1});
}

}  // namespace

class TensorGraphTest : public QObject {
    Q_OBJECT
private slots:
    void equal_expressions_are_one_node() {
        const Tensor x = tensor(std::vector<float>(64, 1), {1, 4, 4, 4}), w = tensor(std::vector<float>(144, 1), {4, 4, 3, 3});
        const Tensor y = expression(x, w, 0.5);
        const std::size_t nodes = consed_nodes();
        QVERIFY(expression(x, w, 0.5).same_as(y));
        QCOMPARE(consed_nodes(), nodes);
        QVERIFY(!expression(x, w, 0.25).same_as(y));
        QVERIFY(!expression(x, w + w, 0.5).same_as(y));
        QVERIFY(!reshape(x, {4, 16}).same_as(reshape(x, {16, 4})));
        QVERIFY((x + x).same_as(x + x) && !(x + x).same_as(x * x));
        QVERIFY(!sum(x, {0}).same_as(sum(x, {1})));
    }
    // More than the table has slots, several times over.
    void nodes_are_forgotten() {
        const Tensor x = tensor({1, 2, 3});
        const std::size_t nodes = consed_nodes();
        for (int round = 0; round < 3; ++round) {
            Tensor y = x;
            for (int i = 0; i < 3000; ++i) y = y + static_cast<double>(i);
            QVERIFY(consed_nodes() >= nodes + 6000);   // a number and a sum each
        }
        QCOMPARE(consed_nodes(), nodes);
    }
    void what_does_not_fit_leaves_nothing() {
        const Tensor x = tensor({1, 2, 3}), odd = tensor({1, 2});
        const std::size_t nodes = consed_nodes();
        QVERIFY_EXCEPTION_THROWN(x + odd, Error);
        QVERIFY_EXCEPTION_THROWN(matmul(x, odd), Error);
        QVERIFY_EXCEPTION_THROWN(x + Tensor(), Error);
        QCOMPARE(consed_nodes(), nodes);
    }
    void threads_share_nodes() {
        const Tensor x = tensor(std::vector<float>(64, 1), {1, 4, 4, 4}), w = tensor(std::vector<float>(144, 1), {4, 4, 3, 3});
        const std::size_t nodes = consed_nodes();
        for (int round = 0; round < 200; ++round) {
            std::vector<Tensor> made(4);
            std::vector<std::thread> threads;
            for (Tensor& one : made) threads.emplace_back([&one, &x, &w, round] { one = expression(x, w, round); });
            for (std::thread& thread : threads) thread.join();
            for (const Tensor& one : made) QVERIFY(one.same_as(made[0]));
        }
        QCOMPARE(consed_nodes(), nodes);
    }
};

HEDDLE_TEST(tensor_graph, TensorGraphTest)
#include "tensor_graph.moc"
