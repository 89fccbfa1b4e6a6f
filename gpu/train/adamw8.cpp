#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/train/adamw.h"
#include "gpu/train/dynamic_code.h"

namespace gpu::train {
namespace {

struct AdamW8 final : Optimiser {
    explicit AdamW8(const AdamW8Options& options) : o(options), plain(adamw(options.adam)) {
        check(o.block > 0, ErrorCode::InvalidGraph, "adamw8: expected blocks of at least one element, got {}", o.block);
    }
    const AdamW8Options o;
    const OptimiserRef plain;

    bool is_small(const Shape& shape) const { return element_count(shape) < o.smallest; }
    std::int64_t blocks(std::int64_t count) const { return (count + o.block - 1) / o.block; }

    std::string name() const override { return "adamw8"; }
    std::vector<std::string> state_names(const Shape& shape) const override {
        if (is_small(shape)) return plain->state_names(shape);
        return {"moment1", "moment1_scale", "moment2", "moment2_scale"};
    }
    Tensors start(const Shape& shape) const override {
        if (is_small(shape)) return plain->start(shape);
        const std::int64_t rows = blocks(element_count(shape));
        return {full({rows, o.block}, 127, Dtype::U8), zeros({rows, 1}), zeros({rows, o.block}, Dtype::U8), zeros({rows, 1})};
    }

    ParameterUpdate update(const Tensor& p, const Tensor& gradient, const Tensors& state, const StepNumbers& n,
                           const ParameterRates& rates) const override {
        if (is_small(p.shape())) return plain->update(p, gradient, state, n, rates);
        const Moments old{decode({state[0], state[1]}, true), decode({state[2], state[3]}, false)};
        // The step itself takes the moments as they are before they are rounded to codes.
        const Moments moments = adam_moments(old, in_blocks(gradient), o.adam);
        const DynamicCodes first = encode(moments.first, true), second = encode(moments.second, false);
        const Tensor next = adam_step(p, {out_of_blocks(moments.first, p.shape()), out_of_blocks(moments.second, p.shape())}, o.adam, n, rates);
        return {next, {first.codes, first.scales, second.codes, second.scales}};
    }

private:
    Tensor in_blocks(const Tensor& x) const {
        const std::int64_t count = x.element_count(), rows = blocks(count);
        return reshape(pad(reshape(x, {count}), {0}, {rows * o.block - count}), {rows, o.block});
    }
    Tensor out_of_blocks(const Tensor& x, const Shape& shape) const {
        return reshape(slice(reshape(x, {x.element_count()}), 0, 0, element_count(shape)), shape);
    }
};

}  // namespace

OptimiserRef adamw8(const AdamW8Options& options) { return std::make_shared<const AdamW8>(options); }

}  // namespace gpu::train
