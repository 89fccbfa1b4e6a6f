// dataset: pictures with captions, to train on. In<Dataset>, Out<Dataset>.
//
// A list of items that are read when they are asked for, and how a picture becomes one of the wanted size. Whoever trains visits
// items in an order of its own; the visit's number decides every random choice, so that a run that is resumed sees the same
// pictures.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nodes/types/pixels.h"
#include "nodes/core/socket_type.h"
#include "nodes/types/tensor.h"

namespace nodes {

// Where items come from. Immutable, used by several threads.
class DatasetSource {
public:
    virtual ~DatasetSource() = default;
    virtual std::int64_t size() const = 0;
    virtual std::string caption(std::int64_t item) const = 0;
    // Throws MissingFile, BadFile where the picture is not there or damaged.
    virtual std::shared_ptr<const Pixels> picture(std::int64_t item) const = 0;
    // How much each place of the picture counts in a loss, in the first channel, of any size; empty: all of it does.
    virtual std::shared_ptr<const Pixels> mask(std::int64_t) const { return nullptr; }
    // Whether an item may have a mask.
    virtual bool has_masks() const { return false; }
    // A hash of what the items are: names and contents.
    virtual gpu::Hash hash() const = 0;
    virtual std::size_t bytes() const { return 0; }
};

// How a picture is placed in a frame of width x height pixels.
struct Framing {
    int width = 64, height = 64;
    double fill = 0.94;            // share of the frame that the picture's longer side takes
    bool cover = false;            // the shorter side instead: nothing of the frame is left, and what does not fit is cut
    double zoom = 0;               // random factor exp(-zoom) ... exp(zoom)
    double shift = 0;              // random move to either side, as a share of the frame
    double rotate = 0;             // random turn to either side, degrees
    double mirror = 0;             // chance of a mirrored picture
    double recolour = 0;           // chance of exchanged colour channels: for autoencoders, to which a green face should be as good as a yellow one
    float background[3] = {1, 1, 1};

    friend bool operator==(const Framing&, const Framing&) = default;
};

// A visit of an item: the number that its random choices are drawn from.
struct Visit {
    std::int64_t item = 0;
    std::uint64_t number = 0;
};

struct FrameSize {
    int width = 0, height = 0;
    friend bool operator==(const FrameSize&, const FrameSize&) = default;
};

// Frames of several sizes, and which one each item of a source gets.
struct Buckets {
    std::vector<FrameSize> sizes;
    std::vector<std::uint16_t> of;
};

struct Dataset {
    std::shared_ptr<const DatasetSource> source;
    std::vector<std::int64_t> items;          // of the source, in order
    Framing framing{};
    std::shared_ptr<const Buckets> buckets;   // whose sizes stand in the place of the framing's; empty: one size for all

    std::int64_t size() const { return static_cast<std::int64_t>(items.size()); }
    std::string caption(std::int64_t index) const { return source->caption(items[static_cast<std::size_t>(index)]); }
    Framing framing_of(std::int64_t index) const;
    // The bucket of each item; empty where all have one size.
    std::vector<int> groups() const;
    // Pictures F32 [N, 3, height, width] in 0..1, sRGB. All of them must have one size. `Visit::item` counts within this dataset.
    Tensor pictures(std::span<const Visit> visits, std::uint64_t seed) const;
    // The same without random choices: every picture as it is.
    Tensor pictures(std::span<const std::int64_t> indices) const;
    bool has_masks() const { return source->has_masks(); }
    // The masks of these, framed as the pictures are, F32 [N, 1, height, width] in 0..1: 0 around a picture that has a mask, 1 everywhere
    // where there is none.
    Tensor masks(std::span<const Visit> visits, std::uint64_t seed) const;
    Tensor masks(std::span<const std::int64_t> indices) const;
    gpu::Hash hash() const;
};

// The visit that stands at a place of an endless walk: each pass shows every item once, in an order drawn from the seed.
Visit visit_at(std::uint64_t seed, std::uint64_t place, std::int64_t size);

// A picture in its frame, [3, height, width] in 0..1. `number` empty: no random choices.
void draw_framed(const Pixels& picture, const Framing& framing, std::uint64_t seed, const Visit* visit, std::span<float> out);

// A source of pictures in memory; masks for all of them, of which some may be empty, or none.
std::shared_ptr<const DatasetSource> memory_source(std::vector<std::string> captions, std::vector<std::shared_ptr<const Pixels>> pictures,
                                                   std::vector<std::shared_ptr<const Pixels>> masks = {});

template <>
struct SocketTraits<Dataset> {
    static constexpr const char* name = "dataset";
    static SocketType describe();
};

}  // namespace nodes
