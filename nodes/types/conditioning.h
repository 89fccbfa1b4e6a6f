// conditioning: what a model is told to make, a list of encoded prompts with where and when each applies.
// In<Conditioning>, Out<Conditioning>.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nodes/core/socket_type.h"
#include "nodes/types/patch.h"
#include "nodes/types/tensor.h"

namespace nodes {

// A rectangle of the picture: in pixels, or relative to its sides (0..1).
struct Area {
    double x = 0, y = 0, width = 1, height = 1;
    bool relative = true;
};

// The micro-conditioning of SDXL (arXiv:2307.01952, section 2.2), pixels. The refiner reads the aesthetic score in place of the
// target size.
struct SizeCondition {
    double height = 0, width = 0;                       // of the original picture; 0: of the picture that is made
    double top = 0, left = 0;                           // of the crop
    double target_height = 0, target_width = 0;         // 0: of the picture that is made
    double aesthetic = 6;
};

// One encoded prompt. Where several entries cover a cell of the latent, their predictions are averaged by weight.
struct ConditioningEntry {
    Tensor context;                 // F32 [1 or N, L, D]
    Tensor pooled;                  // F32 [1 or N, P], empty where the encoder gives none
    SizeCondition size{};
    double strength = 1;            // the weight of this entry's prediction
    std::optional<Area> area{};     // predicted on this part of the latent alone; absent: everywhere
    Tensor mask;                    // F32 [1 or N, 1, H, W], 0..1, resized to the latent: the weight of each cell; empty: ones
    double start = 0, end = 1;      // applies where start <= progress < end of StepInfo; an end of 1 includes the last step
    Patches patches{};              // that act on this entry's rows alone: a ControlNet of one prompt
    bool blind = false;             // shown zeros for what input patches add: the side of guidance that does not see the picture
};

struct Conditioning {
    std::vector<ConditioningEntry> entries;     // empty: unconditional is not possible; nodes refuse it
};

// Pictures that it tells apart: the most rows of an entry, 1 where it says the same to all.
std::int64_t prompt_count(const Conditioning& conditioning);

std::size_t conditioning_bytes(const Conditioning& conditioning);

// With its values computed: what nodes put on their outputs.
Conditioning evaluated(Conditioning conditioning);

template <>
struct SocketTraits<Conditioning> {
    static constexpr const char* name = "conditioning";
    static SocketType describe();
};

}  // namespace nodes
