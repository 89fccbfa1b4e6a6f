#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/models/unet/unet.h"

namespace nodes {
namespace {

// DeepCache (arXiv:2312.00858): deep features change little from step to step. Every `interval` steps the whole network runs, and
// what enters one late output block is kept; at the steps between, that stands in for all that lies deeper. Nobody has to skip
// anything: what an expression does not need is not computed.
class DeepCache final : public BlockPatch {
public:
    DeepCache(int block, int interval, double start, double end) : block_(block), interval_(interval), start_(start), end_(end) {}

    std::string summary() const override { return gpu::format("DeepCache, the whole network every {} steps", interval_); }
    std::pair<Tensor, Tensor> join(const BlockSite& site, const Tensor& h, const Tensor& skip, const DenoiserInput& call) const override {
        if (site.index != block_) return {h, skip};
        const std::lock_guard lock(mutex_);
        Run& run = runs_[std::this_thread::get_id()];
        if (call.at.step < run.step || call.at.steps != run.steps) run = {};      // another run of the sampler
        if (call.at.step != run.step) run.calls.clear();
        run.step = call.at.step, run.steps = call.at.steps;
        // Calls of one step (several prompts, a sampler's two evaluations) are told apart by shape and order.
        Kept& kept = run.kept[{h.shape(), run.calls[h.shape()]++}];
        const bool inside = call.at.progress >= start_ && (call.at.progress < end_ || end_ >= 1);
        if (kept.h && inside && call.at.step - kept.step < interval_) return {kept.h, skip};
        gpu::evaluate({h, skip});
        kept = {h, call.at.step};
        return {h, skip};
    }

private:
    struct Kept {
        Tensor h;
        int step = 0;                                        // at which it was computed
    };
    struct Run {
        int step = 0, steps = -1;
        std::map<gpu::Shape, int> calls;                     // so far in this step
        std::map<std::pair<gpu::Shape, int>, Kept> kept;
    };

    int block_, interval_;
    double start_, end_;
    mutable std::mutex mutex_;
    mutable std::map<std::thread::id, Run> runs_;            // one sampler runs on one thread
};

struct AdaptDeepCache final : Node {
    AdaptDeepCache() : Node({.id = "adapt.deepcache", .version = 1, .title = "DeepCache", .category = "Adapt",
                             .help = "Runs the whole network at every few steps only, and its outermost layers at those between: two to three times as fast "
                                     "for a little less detail. Needs samplers of many steps; a model of few steps gains nothing."}) {}

    In<Model>     model   {this, "model", "A UNet of Stable Diffusion"};
    Param<int>    interval{this, "interval", "The whole network at every so many steps; 1: always", {.initial = 3, .min = 1, .max = 20, .unit = "steps"}};
    Param<int>    branch  {this, "branch", "How many of the outermost blocks beyond the first run at every step: more are slower and truer",
                           {.initial = 0, .min = 0, .max = 10}};
    Param<double> start   {this, "start", "The part of the way from noise to picture after which features are kept", {.initial = 0.0, .min = 0.0, .max = 1.0, .step = 0.01}};
    Param<double> end     {this, "end", "The part of the way after which the whole network runs again", {.initial = 1.0, .min = 0.0, .max = 1.0, .step = 0.01}};
    Out<Model>    out     {this, "model", "The model, with deep features that are kept"};

    void compute(Eval& ev) const override {
        const auto* unet = dynamic_cast<const Unet*>(&ev[model].base());
        if (!unet) ev.fail(model, gpu::ErrorCode::InvalidGraph, "expected a UNet of Stable Diffusion, got {}", ev[model].summary());
        const int block = unet->config().block_count() - 1 - ev[branch];
        if (block < 1) ev.fail(branch, gpu::ErrorCode::InvalidGraph, "expected a branch below {}, got {}", unet->config().block_count() - 1, ev[branch]);
        ev.set(out, ev[model].with(std::make_shared<const DeepCache>(block, ev[interval], ev[start], ev[end])));
    }
};

}  // namespace

REGISTER_NODE(adapt_deepcache, AdaptDeepCache)

}  // namespace nodes
