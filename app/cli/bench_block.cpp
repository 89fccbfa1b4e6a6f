// heddle bench block: one residual block and one transformer block of SD 1.5 at 32 x 32, 640 channels, random weights.
// tests/bench/compare_block.py times the same in PyTorch.
#include "app/cli/bench.h"
#include "gpu/base/format.h"
#include "gpu/nn/transformer.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"

namespace app {
namespace {

using gpu::Scope;
using gpu::Tensor;
using namespace gpu::nn;

constexpr int channels = 640, heads = 8, context_width = 768, embedding_width = 1280, side = 32;

struct ResBlock {
    GroupNorm norm1, norm2;
    Conv2d conv1, conv2;
    Linear time;

    explicit ResBlock(const Scope& s)
        : norm1(s / "norm1", channels), norm2(s / "norm2", channels), conv1(s / "conv1", channels, channels),
          conv2(s / "conv2", channels, channels), time(s / "time_emb_proj", embedding_width, channels) {}

    // x [N, C, H, W], embedding [N, 1280]
    Tensor operator()(const Tensor& x, const Tensor& embedding) const {
        const Tensor shift = gpu::reshape(time(gpu::silu(embedding)), {-1, channels, 1, 1});
        const Tensor h = conv1(gpu::silu(norm1(x))) + shift;
        return conv2(gpu::silu(norm2(h))) + x;
    }
};

struct TransformerBlock {
    GroupNorm norm;
    Linear proj_in, proj_out;
    LayerNorm norm1, norm2, norm3;
    MultiHeadAttention self, cross;
    GegluFeedForward feed;

    static MultiHeadAttention attention(const Scope& s, int context) {
        return {Linear(s / "to_q", channels, channels, false), Linear(s / "to_k", context, channels, false),
                Linear(s / "to_v", context, channels, false), Linear(s / "to_out", channels, channels), heads};
    }
    explicit TransformerBlock(const Scope& s)
        : norm(s / "norm", channels, 32, 1e-6), proj_in(s / "proj_in", channels, channels), proj_out(s / "proj_out", channels, channels),
          norm1(s / "norm1", channels), norm2(s / "norm2", channels), norm3(s / "norm3", channels), self(attention(s / "attn1", channels)),
          cross(attention(s / "attn2", context_width)),
          feed{Linear(s / "ff_in", channels, 8 * channels), Linear(s / "ff_out", 4 * channels, channels)} {}

    // x [N, C, H, W], context [N, 77, 768]
    Tensor operator()(const Tensor& x, const Tensor& context) const {
        const auto tokens = [](const Tensor& map) { return gpu::permute(gpu::reshape(map, {map.size(0), map.size(1), -1}), {0, 2, 1}); };
        Tensor h = proj_in(tokens(norm(x)));   // [N, HW, C]
        h = h + self(norm1(h));
        h = h + cross(norm2(h), context);
        h = h + feed(norm3(h));
        return x + gpu::reshape(gpu::permute(proj_out(h), {0, 2, 1}), x.shape());
    }
};

}  // namespace

int bench_block(const Arguments& arguments, int repeats) {
    const Scope root = Scope::random(1);
    const ResBlock residual(root / "resnet");
    const TransformerBlock transformer(root / "transformer");
    const Tensor x = bench_map({1, channels, side, side}, 1), embedding = bench_noise({1, embedding_width}, 2),
                 context = bench_noise({1, 77, context_width}, 3);
    gpu::evaluate({x});
    const auto time = [&](const auto& make) { return bench_time([&] { gpu::evaluate({make()}); }, repeats).median * 1e3; };
    const double res = time([&] { return residual(x, embedding); }), transform = time([&] { return transformer(x, context); }),
                 both = time([&] { return transformer(residual(x, embedding), context); });
    if (arguments.has("--json")) {
        for (const auto& [name, ms] : {std::pair{"resnet block", res}, {"transformer block", transform}, {"both blocks", both}})
            print_json_line(QJsonObject{{"name", name}, {"device", QString::fromStdString(gpu::Device::current().caps().name)}, {"median_ms", ms}});
        return 0;
    }
    print_line(gpu::format("{} x {}, {} channels: residual block {} ms, transformer block {} ms, both {} ms (medians of {})", side, side,
                           channels, fixed_text(res, 1), fixed_text(transform, 1), fixed_text(both, 1), repeats));
    return 0;
}

}  // namespace app
