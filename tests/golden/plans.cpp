// Plans of fixed graphs as text. A change of the planner shows here as a diff; HEDDLE_WRITE_PLANS=1 writes them anew.
#include <fstream>
#include <sstream>

#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/plan/program.h"
#include "tests/support/op_cases.h"
#include "tests/support/sample_graphs.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

Tensor leaf_of(const Shape& shape, std::uint64_t seed) { return tests::random_tensor(shape, seed); }

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

std::vector<std::pair<std::string, Tensors>> graphs() {
    const Tensor map = permute(leaf_of({1, 16, 16, 16}, 1), {0, 3, 1, 2});
    const Tensor tokens = leaf_of({2, 64, 32}, 9), weight = leaf_of({32}, 10), bias = leaf_of({32}, 11);
    const auto with = [](auto make) {   // a graph whose parameters nobody asks for
        tests::Parameters parameters;
        return Tensors{make(parameters)};
    };
    const auto gradient = [](auto make) {   // of the mean square of a graph for its parameters
        tests::Parameters parameters;
        const Tensor loss = mean(square(make(parameters)));
        Tensors outputs = gradients(loss, parameters.all());
        outputs.insert(outputs.begin(), loss);
        return outputs;
    };
    const auto unet = [&](tests::Parameters& make) { return tests::unet(make, tests::feature_map(2, 4, 16, 1), {8, 16}, 1, true); };
    return {
        {"elementwise", {silu(map * 2.0) + 1.0}},
        {"softmax", {softmax(leaf_of({64, 128}, 1))}},
        {"masked_softmax", {softmax(leaf_of({2, 4, 32, 32}, 1) * 0.25 + leaf_of({32, 32}, 2))}},
        {"cross_entropy", {-sum(log_softmax(leaf_of({64, 100}, 1)) * leaf_of({64, 100}, 2))}},
        {"mean_square", {mean(square(map - leaf_of({1, 16, 16, 16}, 6)))}},
        {"layer_norm", {layer_norm(tokens, weight, bias)}},
        {"rms_norm", {rms_norm(tokens + 1.0, weight)}},
        {"layer_norm_gradient", gradients(sum(layer_norm(tokens, weight, bias) * leaf_of({2, 64, 32}, 12)), {tokens, weight, bias})},
        {"group_norm_silu", {silu(group_norm(map, 4, leaf_of({16}, 4), leaf_of({16}, 5)))}},
        {"group_norm_gradient", gradients(sum(silu(group_norm(map, 4, leaf_of({16}, 4), leaf_of({16}, 5)))), {map, leaf_of({16}, 4)})},
        {"geglu", {slice(tokens, 2, 0, 16) * gelu(slice(tokens, 2, 16, 32))}},
        {"bias_gradient", {sum(map * 2.0, {0, 2, 3})}},
        {"res_block", with([&](auto& make) { return tests::res_block(make, map, 16, 4); })},
        {"res_block_gradient", gradient([&](auto& make) { return tests::res_block(make, map, 16, 4); })},
        {"attention", {attention(tokens)}},
        {"transformer_block", with([&](auto& make) { return tests::transformer_block(make, tokens, 4); })},
        {"tiny_decoder", {tiny_decoder(map)}},
        {"unet", with(unet)},
        {"unet_gradient", gradient(unet)},
        {"blur", {gaussian_blur(map, 1.5)}},
        {"resize", {resize(map, 24, 9, Filter::Bicubic)}},
        {"concat", {relu(concat({map, map * 2.0}, 1))}},
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
        const std::string text = to_text(make_plan(collect(graphs()[index].second), traits, true));
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
