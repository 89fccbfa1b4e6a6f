#include "gpu/train/trainer.h"

#include <algorithm>
#include <limits>
#include <set>

#include "gpu/base/error.h"
#include "gpu/base/span.h"
#include "gpu/graph/autocast.h"
#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/train/clip.h"

namespace gpu::train {
namespace {

// A leaf with the same numbers, whose memory is this run's own to give away.
Tensor as_leaf(const Tensor& x) {
    auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(x.element_count()) * size_of(x.dtype()));
    read(x, *bytes);
    return leaf(x.spec(), *bytes, bytes);
}

// The micro-batch after all of `gradients`: its activations do not live beside those of the batch before.
Tensors after(const Tensors& batch, const Tensors& gradients) {
    Tensors later = batch;
    for (Tensor& x : later)
        for (const Tensor& gradient : gradients) x = barrier(x, gradient);
    return later;
}

}  // namespace

Trainer::Trainer(std::vector<Parameter> parameters, TrainOptions options) : options_(std::move(options)) {
    check(!parameters.empty(), ErrorCode::InvalidGraph, "trainer: expected parameters, got none");
    std::set<std::string> names;
    for (const Parameter& parameter : parameters) {
        check(parameter.value.dtype() == Dtype::F32, ErrorCode::InvalidGraph, "trainer: expected F32 parameters, got {} for {}",
              to_string(parameter.value.spec()), parameter.name);
        check(names.insert(parameter.name).second, ErrorCode::InvalidGraph, "trainer: expected each parameter once, got {} twice",
              parameter.name);
    }
    bundle(std::move(parameters));
    if (options_.loss_scale) {
        const LossScale start = start_loss_scale(*options_.loss_scale);
        scale_ = {as_leaf(start.scale), as_leaf(start.good_steps)};
    }
}

// Last parameters first: gradients are computed in that order, and each may be let go of when its place is filled. Those
// of a whole number of cache lines come before the others, so that they start on one.
void Trainer::bundle(std::vector<Parameter> parameters) {
    std::reverse(parameters.begin(), parameters.end());
    if (options_.pack)
        std::stable_partition(parameters.begin(), parameters.end(), [](const Parameter& p) { return p.value.element_count() % 16 == 0; });
    const bool packs = options_.pack && options_.optimiser->elementwise();
    std::vector<Tensors> parts;
    for (const Parameter& parameter : parameters) {
        std::size_t at = bundles_.size();
        if (packs)
            at = static_cast<std::size_t>(std::find_if(bundles_.begin(), bundles_.end(), [&](const Bundle& b) { return b.rates == parameter.rates; }) - bundles_.begin());
        if (at == bundles_.size()) {
            bundles_.push_back({{}, parameter.rates, {}, {}, {}});
            parts.emplace_back();
        }
        bundles_[at].members.push_back(members_.size());
        std::int64_t offset = 0;
        for (const Tensor& part : parts[at]) offset += part.element_count();
        members_.push_back({parameter.name, parameter.value.shape(), offset});
        parts[at].push_back(parameter.value);
    }
    for (std::size_t i = 0; i < bundles_.size(); ++i) {
        Bundle& bundle = bundles_[i];
        bundle.value = as_leaf(gather(bundle, parts[i]));
        for (const Tensor& start : options_.optimiser->start(bundle.value.shape())) bundle.state.push_back(as_leaf(start));
        if (options_.ema.decay > 0) bundle.average = as_leaf(bundle.value);
    }
}

Tensor Trainer::gather(const Bundle& bundle, const Tensors& parts) const {
    if (bundle.members.size() == 1) return parts[0];
    Tensors flat;
    for (const Tensor& part : parts) flat.push_back(reshape(part, {-1}));
    return concat(flat, 0);
}

NamedTensors Trainer::views(Tensor Bundle::*tensor) const {
    NamedTensors result;
    for (const Bundle& bundle : bundles_) {
        const Tensor& whole = bundle.*tensor;
        if (!whole) continue;
        for (const std::size_t m : bundle.members) {
            const Member& member = members_[m];
            const std::int64_t count = element_count(member.shape);
            result[member.name] = bundle.members.size() == 1 ? whole : reshape(slice(whole, 0, member.offset, member.offset + count), member.shape);
        }
    }
    return result;
}

NamedTensors Trainer::parameters() const { return views(&Bundle::value); }
NamedTensors Trainer::averages() const { return views(&Bundle::average); }

Tensors Trainer::state_tensors() const {
    Tensors all;
    for (const Bundle& bundle : bundles_) {
        all.push_back(bundle.value);
        all.insert(all.end(), bundle.state.begin(), bundle.state.end());
        if (bundle.average) all.push_back(bundle.average);
    }
    if (scale_.scale) all.insert(all.end(), {scale_.scale, scale_.good_steps});
    return all;
}

// Gradients per parameter and the loss, meaned over the micro-batches.
Trainer::Backward Trainer::differentiate(const Loss& loss, const std::vector<Tensors>& micro_batches) const {
    const NamedTensors named = parameters();
    Tensors wrt;
    for (const Member& member : members_) wrt.push_back(named.at(member.name));
    // Single numbers (a temperature) stay as they are.
    NamedTensors given = named;
    if (options_.activations != Dtype::F32)
        for (auto& [name, value] : given)
            if (value.element_count() > 1) value = cast(value, options_.activations);
    const auto value_of = [&](const Tensors& batch) {
        const Autocast autocast(options_.activations);
        return cast(reshape(loss(given, batch), {1}), Dtype::F32);
    };
    const double share = 1.0 / static_cast<double>(micro_batches.size());
    Backward sum;
    for (const Tensors& batch : micro_batches) {
        const Tensor value = value_of(sum.gradients.empty() ? batch : after(batch, sum.gradients));
        const Tensors more = gradients(scale_.scale ? value * scale_.scale : value, wrt, share);
        for (std::size_t i = 0; i < sum.gradients.size(); ++i) sum.gradients[i] = sum.gradients[i] + more[i];
        if (sum.gradients.empty()) sum.gradients = more;
        sum.loss = sum.loss ? sum.loss + value * share : value * share;
    }
    return sum;
}

// Gradients per bundle, out of the loss scale and clipped.
Trainer::Backward Trainer::prepare(const Backward& found) const {
    Backward result{{}, found.loss};
    for (const Bundle& bundle : bundles_) {
        Tensors parts;
        for (const std::size_t m : bundle.members) parts.push_back(found.gradients[m]);
        result.gradients.push_back(gather(bundle, parts));
    }
    // One factor for all that multiplies: the gradients are walked over once.
    Tensor factor = scale_.scale ? 1.0 / scale_.scale : Tensor();
    if (options_.max_norm > 0 || factor) {
        result.norm = global_norm(result.gradients);
        if (factor) result.norm = result.norm * factor;
    }
    if (options_.max_norm > 0) {
        const Tensor clip = clip_factor(result.norm, options_.max_norm);
        factor = factor ? factor * clip : clip;
    }
    if (factor)
        for (Tensor& gradient : result.gradients) gradient = scaled(gradient, factor);
    if (options_.max_value > 0) result.gradients = clip_by_value(result.gradients, options_.max_value);
    // False for a NaN too.
    if (scale_.scale) result.finite = less(result.norm, full({1}, std::numeric_limits<float>::max()));
    return result;
}

// The bundles after the step; where gradients are not finite, what they are now.
std::vector<Trainer::Bundle> Trainer::updated(const Backward& prepared, const StepNumbers& numbers) const {
    const auto unless_skipped = [&](const Tensor& next, const Tensor& old) {
        if (!prepared.finite) return next;
        return where(reshape(prepared.finite, Shape(static_cast<std::size_t>(old.rank()), 1)), next, old);
    };
    std::vector<Bundle> next = bundles_;
    for (std::size_t i = 0; i < bundles_.size(); ++i) {
        const Bundle& old = bundles_[i];
        const ParameterUpdate update = options_.optimiser->update(old.value, prepared.gradients[i], old.state, numbers, old.rates);
        next[i].value = unless_skipped(update.parameter, old.value);
        for (std::size_t s = 0; s < update.state.size(); ++s) next[i].state[s] = unless_skipped(update.state[s], old.state[s]);
        if (old.average) next[i].average = unless_skipped(next_ema(old.average, next[i].value, options_.ema, numbers.step), old.average);
    }
    return next;
}

StepResult Trainer::step(const Loss& loss, const std::vector<Tensors>& micro_batches) {
    const Span span("train", "step");
    check(!micro_batches.empty(), ErrorCode::InvalidGraph, "trainer: expected at least one micro-batch, got none");
    const StepNumbers numbers{taken_ + 1, rate_at(options_.schedule, step_)};
    const Backward prepared = prepare(differentiate(loss, micro_batches));
    std::vector<Bundle> next = updated(prepared, numbers);
    LossScale next_scale;
    if (scale_.scale) next_scale = next_loss_scale(scale_, prepared.finite, *options_.loss_scale);

    Tensors outputs{prepared.loss};
    for (const Tensor& one : {prepared.norm, prepared.finite, next_scale.scale, next_scale.good_steps})
        if (one) outputs.push_back(one);
    const auto for_each_kept = [&](auto visit) {
        for (Bundle& bundle : next) {
            for (Tensor& tensor : bundle.state) visit(tensor);
            visit(bundle.value);
            if (bundle.average) visit(bundle.average);
        }
    };
    for_each_kept([&](Tensor& tensor) { outputs.push_back(tensor); });
    evaluate(outputs, state_tensors());
    for_each_kept([](Tensor& tensor) { tensor = leaf(tensor.value()); });
    bundles_ = std::move(next);
    if (scale_.scale) scale_ = {leaf(next_scale.scale.value()), leaf(next_scale.good_steps.value())};

    StepResult result{.loss = to_number(prepared.loss), .rate = numbers.rate};
    if (prepared.norm) result.norm = to_number(prepared.norm);
    result.skipped = prepared.finite && to_number(prepared.finite) == 0;
    ++step_;
    if (!result.skipped) ++taken_;
    return result;
}

}  // namespace gpu::train
