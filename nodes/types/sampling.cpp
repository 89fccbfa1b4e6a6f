#include "nodes/types/sampling.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/base/format.h"
#include "gpu/ops.h"
#include "nodes/types/tensor.h"

namespace nodes {
namespace {

constexpr std::uint32_t sampler_stream = 0;      // of NoiseAddress; nodes that make pictures of noise have others

}  // namespace

StepInfo Sampling::info(int call) const {
    const NoiseLevel& level = calls[static_cast<std::size_t>(call)];
    const double highest = table->count() - 1;
    return {.step = call, .steps = steps(), .progress = std::clamp((highest - level.timestep) / highest, 0.0, 1.0), .level = level};
}

SamplingState SamplingState::with(Tensor x) const {
    SamplingState made = *this;
    made.sampler.x = std::move(x);
    return made;
}

NoiseStream::NoiseStream(NoiseSource source, std::uint64_t seed, gpu::Shape shape, int first_image, bool same)
    : source_(source), seed_(seed), shape_(std::move(shape)), first_image_(first_image), pictures_(same ? shape_[0] : 0) {
    if (same) shape_[0] = 1;
}

Tensor NoiseStream::draw(std::uint32_t step, int number) const {
    const Tensor drawn = draw_own(step, number);
    if (pictures_ == 0) return drawn;
    gpu::Shape whole = shape_;
    whole[0] = pictures_;
    return gpu::broadcast_to(drawn, whole);
}

Tensor NoiseStream::draw_own(std::uint32_t step, int number) const {
    if (source_ == NoiseSource::Heddle) return noise(source_, shape_, seed_, sampler_stream, step, static_cast<std::uint32_t>(first_image_));
    const auto wanted = static_cast<std::size_t>(gpu::element_count(shape_));
    const std::size_t skipped = wanted / static_cast<std::size_t>(shape_[0]) * static_cast<std::size_t>(first_image_);
    const auto values = std::make_shared<std::vector<float>>(skipped + wanted);
    const std::lock_guard lock(mutex_);
    if (number < drawn_ || (!torch_ && !cuda_)) {
        if (source_ == NoiseSource::TorchCpu) torch_.emplace(seed_);
        if (source_ == NoiseSource::CudaPhilox) cuda_.emplace(seed_);
        drawn_ = 0;
    }
    for (; drawn_ <= number; ++drawn_) torch_ ? torch_->randn(*values) : cuda_->randn(*values);
    return gpu::leaf({shape_, gpu::Dtype::F32}, std::as_bytes(std::span(*values).subspan(skipped)), values);
}

SocketType SocketTraits<Sampling>::describe() {
    return {.title = "Schedule", .colour = "#6c8ea0", .help = "A sampler and the noise levels at which it calls the network",
            .bytes = erased<Sampling>([](const Sampling& s) { return sizeof s + (s.levels.size() + s.calls.size()) * sizeof(NoiseLevel); }),
            .summary = erased<Sampling>([](const Sampling& s) {
                return gpu::format("{}, {} calls, sigma {} to {}", s.sampler->info().title, s.steps(), s.calls.front().sigma(), s.levels.back().sigma());
            }),
            .hash = erased<Sampling>([](const Sampling& s) {
                gpu::Hasher hasher;
                hasher.add(s.sampler->info().name).add(s.prediction).add(s.from_noise);
                for (const NoiseLevels* list : {&s.levels, &s.calls})
                    for (const NoiseLevel& level : *list) hasher.add(level.timestep).add(level.signal).add(level.noise);
                return hasher.finish();
            })};
}

SocketType SocketTraits<SamplingState>::describe() {
    return {.title = "Sampler State", .colour = "#a06c8e", .help = "How far a sampling loop is",
            .bytes = erased<SamplingState>([](const SamplingState& s) {
                std::size_t bytes = sizeof s;
                for (const Tensor* tensor : {&s.sampler.x, &s.start, &s.noise, &s.mask, &s.denoised, &s.attention})
                    if (*tensor) bytes += tensor_bytes(*tensor);
                for (const Tensor& tensor : s.sampler.history) bytes += tensor_bytes(tensor);
                return bytes;
            }),
            .summary = erased<SamplingState>([](const SamplingState& s) { return gpu::format("after {} calls, {}", s.call, gpu::to_string(s.sampler.x.shape())); }),
            .preview = erased<SamplingState>([](const SamplingState& s, int max_side) {
                return latent_preview(make_latent(s.denoised ? s.denoised : s.sampler.x, s.format), max_side);
            }),
            .hash = erased<SamplingState>([](const SamplingState& s) { 
                gpu::Hasher hasher;
                hasher.add(s.call).add(content_hash(s.sampler.x));
                if (s.attention) hasher.add(content_hash(s.attention));
                return hasher.finish();
            })};
}

}  // namespace nodes
