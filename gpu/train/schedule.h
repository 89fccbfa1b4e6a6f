// Learning-rate schedules: pure functions of the step.
#pragma once

#include <cstdint>

namespace gpu::train {

struct Schedule {
    enum class Decay {
        Constant,
        Linear,       // to `end`
        Cosine,       // to `end`; with `cycle` warm restarts (SGDR, arXiv:1608.03983)
        Polynomial,   // to `end` with `power`
        Step,         // times `factor` every `cycle` steps
    };
    Decay decay = Decay::Constant;
    double rate = 1e-3;
    double end = 0;                 // the rate at the end of the decay
    std::int64_t warmup = 0;        // steps of linear warm-up: rate / warmup at the first, the whole rate at the last
    std::int64_t total = 0;         // steps in all, warm-up included; what decays stays at `end` from there on
    double power = 1;
    double factor = 0.1;
    std::int64_t cycle = 0;         // Step: steps between two drops; Cosine: steps of the first cycle, 0 for no restarts
    double cycle_growth = 1;        // Cosine: each cycle is this many times as long as the one before
};

// The rate of step `step`, counted from 0. Throws InvalidGraph for numbers that make no schedule.
double rate_at(const Schedule& schedule, std::int64_t step);

}  // namespace gpu::train
