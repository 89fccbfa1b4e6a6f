// What a kernel's machine code can reach on a chip that is not at hand: a small model of the main loop.
//
// The disassembly's loop with the most multiplications is replayed for one wave, in order: every instruction takes its issue
// cycles, a wait holds the wave until the loads it names are back. A SIMD that has w such waves then needs for one step of
// each the longest of: their issue cycles, one wave's latency / w, the cycles of the shared memory.
// The whole product takes rounds of workgroups over the chip's compute units, and not less than its traffic takes.
//
// Not in the model: misses of the caches (every load takes the same time), conflicts of banks beyond what padding avoids,
// clocks that fall under load, the start of a dispatch, and how waves' phases fall together at barriers.
#pragma once

#include <cstdint>
#include <string>

#include "tests/isa/null_device.h"

namespace tests {

struct Chip {
    std::string family;               // "navi31"
    double clock = 0;                 // Hz
    int units = 0;                    // compute units of two SIMDs
    double dram = 0, l2 = 0;          // bytes per second
    double matrix_flop = 0;           // per cycle and unit, f16 in and f32 sums; 0: no matrix instructions
    double vector_flop = 0;           // per cycle and unit, f32 (dual issue not counted)
    double peak(bool matrix) const { return clock * units * (matrix ? matrix_flop : vector_flop); }
};
const Chip& chip(const std::string& family);

struct LoopStatistics {
    bool found = false;
    int matrix = 0;                   // matrix instructions
    double flop = 0;                  // of one wave and step
    double issue = 0;                 // cycles of the SIMD, one wave and step
    double shared = 0;                // cycles of the unit's shared memory
    double latency = 0;               // cycles from one step to the next for a wave alone
    double outside = 0;               // issue cycles of all that is not in the loop, once
};
// `step_flop`: what a wave computes in one step of the product's loop; where the innermost loop does less, it is repeated within
// the loop around it. 0: the innermost loop alone.
LoopStatistics loop_statistics(const Compiled& compiled, int wave, const Chip& chip, double step_flop = 0);

struct Product {   // a matrix product, or a convolution as one
    double batch = 1, m = 0, n = 0, k = 0;
    double element_bytes = 2;
    double read_bytes = 0;            // 0: each matrix once; convolutions read their map once, not k times
};
struct Tiling {
    double m = 0, n = 0, k = 0;       // of a workgroup; k: one iteration of the loop
    int waves = 1;                    // of a workgroup
};
struct Prediction {
    double seconds = 0;
    double flops = 0;                 // per second
    std::string limit;                // "matrix units", "issue", "latency", "shared memory", "memory", "L2", "few workgroups"
};
Prediction predict(const Chip& chip, const LoopStatistics& loop, int waves_per_simd, const Tiling& tiling, const Product& product);

// The same for any kernel with one main loop.
struct Launch {
    double workgroups = 1, waves = 1;     // waves of a workgroup
    double iterations = 1;                // of the loop, in each wave
    double useful = 0;                    // FLOP asked for
    double tile_share = 1;                // of what is computed, that which is asked for
    double memory_bytes = 0, l2_bytes = 0;
};
Prediction predict(const Chip& chip, const LoopStatistics& loop, int waves_per_simd, const Launch& launch);

}  // namespace tests
