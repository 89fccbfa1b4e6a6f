// vision: a network that turns pictures into embeddings. In<Vision>, Out<Vision>.
#pragma once

#include <memory>
#include <string>

#include "gpu/nn/scope.h"
#include "nodes/core/socket_type.h"
#include "nodes/types/tensor.h"
#include "nodes/types/trained.h"

namespace nodes {

struct VisionTowerInfo {
    std::string name;               // "clip-l", "clip-h", "clip-g", "clip"
    int width = 1024;               // of the states
    int tokens = 257;               // class token included
    int image = 224;                // pixels a side
    int projection = 768;           // 0: none
};

// How a picture becomes a square.
enum class VisionFit {
    Crop,          // the shorter side fits, the middle is taken: as CLIP was trained
    Pad,           // the longer side fits, the rest is the mean colour
    Stretch,
};

struct VisionStates {
    Tensor last, penultimate;       // F32 [N, tokens, width], without the final norm
    Tensor pooled;                  // F32 [N, width], the class token after the final norm
    Tensor projected;               // F32 [N, projection], empty where there is none
};

// Implemented in nodes/models. Immutable, used by several threads.
class VisionTower {
public:
    virtual ~VisionTower() = default;
    virtual const VisionTowerInfo& info() const = 0;
    // Named as in Hugging Face's files. Mapped files: cheap.
    virtual const gpu::Weights& weights() const = 0;
    // Colours F32 [N, 3, H, W] in 0..1 (sRGB) as the network wants them, [N, 3, image, image]. Lazy.
    virtual Tensor pixels(const Tensor& colours, VisionFit fit) const = 0;
    // Of pixels() or of zeros [N, 3, image, image]. Lazy. Throws Error{InvalidGraph} for other sizes.
    virtual VisionStates operator()(const Tensor& pixels) const = 0;
    virtual std::string summary() const = 0;
};

// A cheap shared handle; never empty on a wire.
struct Vision {
    std::shared_ptr<const VisionTower> tower;

    const VisionTower* operator->() const { return tower.get(); }
};

template <>
struct SocketTraits<Vision> {
    static constexpr const char* name = "vision";
    static SocketType describe() {
        return {.title = "Vision", .colour = "#5f9ea0", .help = "Turns pictures into embeddings",
                .summary = erased<Vision>([](const Vision& vision) { return vision->summary(); }),
                .accepts = {from_trained<Vision>()}};
    }
};

}  // namespace nodes
