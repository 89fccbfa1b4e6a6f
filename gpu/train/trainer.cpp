#include "gpu/train/trainer.h"

#include <algorithm>
#include <limits>
#include <set>

#include "gpu/base/error.h"
#include "gpu/base/span.h"
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

StepResult Trainer::step(const Loss& loss, const std::vector<Tensors>& micro_batches) {
    const Span span("train", "step");
    check(!micro_batches.empty(), ErrorCode::InvalidGraph, "trainer: expected at least one micro-batch, got none");
    const NamedTensors named = parameters();
    Tensors wrt;
    for (const Member& member : members_) wrt.push_back(named.at(member.name));

    // Gradients per parameter, summed over the micro-batches.
    Tensors gradient;
    Tensor total;
    for (const Tensors& batch : micro_batches) {
        const Tensor value = loss(named, gradient.empty() ? batch : after(batch, gradient));
        const Tensor differentiated = scale_.scale ? reshape(value, {1}) * scale_.scale : value;
        const Tensors more = gradients(differentiated, wrt, 1.0 / static_cast<double>(micro_batches.size()));
        if (gradient.empty()) {
            gradient = more;
        } else {
            for (std::size_t i = 0; i < more.size(); ++i) gradient[i] = gradient[i] + more[i];
        }
        const Tensor share = reshape(value, {1}) * (1.0 / static_cast<double>(micro_batches.size()));
        total = total ? total + share : share;
    }

    // Per bundle.
    Tensors bundled;
    for (const Bundle& bundle : bundles_) {
        Tensors parts;
        for (const std::size_t m : bundle.members) parts.push_back(gradient[m]);
        bundled.push_back(gather(bundle, parts));
        if (scale_.scale) bundled.back() = scaled(bundled.back(), 1.0 / scale_.scale);
    }
    Tensor norm, finite;
    if (options_.max_norm > 0 || scale_.scale) norm = global_norm(bundled);
    if (scale_.scale) finite = less(norm, full({1}, std::numeric_limits<float>::max()));   // false for a NaN too
    if (options_.max_norm > 0) bundled = clip_by_norm(bundled, norm, options_.max_norm);
    if (options_.max_value > 0) bundled = clip_by_value(bundled, options_.max_value);

    // What is kept where the step is skipped.
    const auto unless_skipped = [&](const Tensor& next, const Tensor& old) {
        return finite ? where(reshape(finite, Shape(static_cast<std::size_t>(old.rank()), 1)), next, old) : next;
    };
    const StepNumbers numbers{taken_ + 1, rate_at(options_.schedule, step_)};
    std::vector<Bundle> next = bundles_;
    Tensors outputs{total};
    for (std::size_t i = 0; i < bundles_.size(); ++i) {
        const Bundle& old = bundles_[i];
        ParameterUpdate update = options_.optimiser->update(old.value, bundled[i], old.state, numbers, old.rates);
        next[i].value = unless_skipped(update.parameter, old.value);
        for (std::size_t s = 0; s < update.state.size(); ++s) next[i].state[s] = unless_skipped(update.state[s], old.state[s]);
        if (old.average) next[i].average = unless_skipped(next_ema(old.average, next[i].value, options_.ema, taken_ + 1), old.average);
        outputs.insert(outputs.end(), next[i].state.begin(), next[i].state.end());
        outputs.push_back(next[i].value);
        if (next[i].average) outputs.push_back(next[i].average);
    }
    LossScale next_scale;
    if (scale_.scale) {
        next_scale = next_loss_scale(scale_, finite, *options_.loss_scale);
        outputs.insert(outputs.end(), {next_scale.scale, next_scale.good_steps});
    }
    if (norm) outputs.push_back(norm);
    if (finite) outputs.push_back(finite);

    evaluate(outputs, state_tensors());
    for (Bundle& bundle : next) {
        bundle.value = leaf(bundle.value.value());
        for (Tensor& tensor : bundle.state) tensor = leaf(tensor.value());
        if (bundle.average) bundle.average = leaf(bundle.average.value());
    }
    bundles_ = std::move(next);
    if (scale_.scale) scale_ = {leaf(next_scale.scale.value()), leaf(next_scale.good_steps.value())};
    StepResult result;
    result.loss = to_number(total);
    result.norm = norm ? to_number(norm) : 0;
    result.rate = numbers.rate;
    result.skipped = finite && to_number(finite) == 0;
    ++step_;
    if (!result.skipped) ++taken_;
    return result;
}

}  // namespace gpu::train
