// Plans of fixed graphs as text. A change of the planner shows here as a diff; HEDDLE_WRITE_PLANS=1 writes them anew.
#include <fstream>
#include <sstream>

#include "gpu/ops.h"
#include "gpu/plan/program.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

Tensor leaf_of(const Shape& shape, std::uint64_t seed) { return tests::random_tensor(shape, seed); }

Tensor res_block(const Tensor& x, int groups) {
    const std::int64_t c = x.size(1);
    const Tensor w = leaf_of({c, c, 3, 3}, 2), bias = reshape(leaf_of({c}, 3), {1, c, 1, 1});
    const Tensor h = conv2d(silu(group_norm(x, groups, leaf_of({c}, 4), leaf_of({c}, 5))), w, {.pad = 1}) + bias;
    return conv2d(silu(group_norm(h, groups, {}, {})), w, {.pad = 1}) + bias + x;
}

Tensor attention(const Tensor& x) {   // [B, T, C], one head
    const std::int64_t c = x.size(2);
    const Tensor q = matmul(x, leaf_of({c, c}, 1)), k = matmul(x, leaf_of({c, c}, 2)), v = matmul(x, leaf_of({c, c}, 3));
    return x + matmul(softmax(matmul(q, transpose(k, 1, 2)) * 0.125), v);
}

Tensor tiny_decoder(const Tensor& latent) {
    const Tensor w = leaf_of({16, 16, 3, 3}, 2);
    Tensor h = tanh(latent / 3.0) * 3.0;
    for (int i = 0; i < 2; ++i) {
        h = relu(conv2d(h, w, {.pad = 1}) + reshape(leaf_of({16}, 3), {1, 16, 1, 1}));
        h = relu(conv2d(h, w, {.pad = 1}) + h);
        h = upsample_nearest(h, 2);
    }
    return h;
}

std::vector<std::pair<std::string, Tensor>> graphs() {
    const Tensor map = permute(leaf_of({1, 16, 16, 16}, 1), {0, 3, 1, 2});
    return {
        {"elementwise", silu(map * 2.0) + 1.0},
        {"softmax", softmax(leaf_of({64, 128}, 1))},
        {"mean_square", mean(square(map - leaf_of({1, 16, 16, 16}, 6)))},
        {"res_block", res_block(map, 4)},
        {"attention", attention(leaf_of({2, 64, 32}, 9))},
        {"tiny_decoder", tiny_decoder(map)},
        {"blur", gaussian_blur(map, 1.5)},
        {"resize", resize(map, 24, 9, Filter::Bicubic)},
        {"concat", relu(concat({map, map * 2.0}, 1))},
    };
}

}  // namespace

class PlansTest : public QObject {
    Q_OBJECT
private slots:
    void plan_data() {
        QTest::addColumn<int>("index");
        QTest::addColumn<bool>("host");
        const auto all = graphs();
        for (std::size_t i = 0; i < all.size(); ++i)
            for (const bool host : {true, false})
                QTest::newRow((all[i].first + (host ? "_host" : "_shader")).c_str()) << static_cast<int>(i) << host;
    }
    void plan() {
        QFETCH(int, index);
        QFETCH(bool, host);
        DeviceTraits traits;
        traits.host_kernels = host;
        const std::string text = to_text(make_plan(collect({graphs()[index].second}), traits, true));
        const std::string path = std::string(HEDDLE_SOURCE_DIR) + "/tests/golden/plans/" + QTest::currentDataTag() + ".txt";
        if (qEnvironmentVariableIsSet("HEDDLE_WRITE_PLANS")) std::ofstream(path) << text;
        std::ifstream file(path);
        std::stringstream stored;
        stored << file.rdbuf();
        QCOMPARE(QString::fromStdString(text), QString::fromStdString(stored.str()));
    }
};

HEDDLE_TEST(plans, PlansTest)
#include "plans.moc"
