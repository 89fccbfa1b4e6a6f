#include "gpu/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gpu/base/error.h"

namespace gpu::train {
namespace {

void validate(const Schedule& s) {
    check(s.warmup >= 0 && s.rate >= 0 && s.end >= 0, ErrorCode::InvalidGraph,
          "schedule: expected a rate, an end and a warm-up of at least 0, got {}, {} and {}", s.rate, s.end, s.warmup);
    const bool cyclic = s.decay == Schedule::Decay::Cosine && s.cycle > 0;
    const bool ends = s.decay == Schedule::Decay::Linear || s.decay == Schedule::Decay::Polynomial || s.decay == Schedule::Decay::Cosine;
    check(!ends || cyclic || s.total > s.warmup, ErrorCode::InvalidGraph,
          "schedule: expected more steps than the {} of the warm-up, got {}", s.warmup, s.total);
    check(s.decay != Schedule::Decay::Step || s.cycle > 0, ErrorCode::InvalidGraph, "schedule: expected steps between drops, got {}", s.cycle);
    check(!cyclic || s.cycle_growth >= 1, ErrorCode::InvalidGraph, "schedule: expected cycles that do not shrink, got growth {}", s.cycle_growth);
}

// Where in its cycle `step` lies, in [0, 1).
double cycle_position(const Schedule& s, std::int64_t step) {
    double start = 0, length = static_cast<double>(s.cycle);
    const auto at = static_cast<double>(step);
    if (s.cycle_growth == 1) return std::fmod(at, length) / length;
    while (at >= start + length) {
        start += length;
        length *= s.cycle_growth;
    }
    return (at - start) / length;
}

double cosine(const Schedule& s, double position) {
    return s.end + (s.rate - s.end) * 0.5 * (1 + std::cos(std::numbers::pi * position));
}

}  // namespace

double rate_at(const Schedule& s, std::int64_t step) {
    validate(s);
    check(step >= 0, ErrorCode::InvalidGraph, "schedule: expected a step of at least 0, got {}", step);
    if (step < s.warmup) return s.rate * static_cast<double>(step + 1) / static_cast<double>(s.warmup);
    const std::int64_t after = step - s.warmup;
    const double position = s.total > s.warmup ? std::min(1.0, static_cast<double>(after) / static_cast<double>(s.total - s.warmup)) : 0;
    switch (s.decay) {
        case Schedule::Decay::Constant: return s.rate;
        case Schedule::Decay::Linear: return s.rate + (s.end - s.rate) * position;
        case Schedule::Decay::Cosine: return cosine(s, s.cycle > 0 ? cycle_position(s, after) : position);
        case Schedule::Decay::Polynomial: return s.end + (s.rate - s.end) * std::pow(1 - position, s.power);
        case Schedule::Decay::Step: return s.rate * std::pow(s.factor, static_cast<double>(after / s.cycle));
    }
    return s.rate;
}

}  // namespace gpu::train
