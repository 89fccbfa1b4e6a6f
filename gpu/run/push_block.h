// The push constants of one step: words that never change, and places for addresses and numbers that a run fills in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gpu/plan/program.h"

namespace gpu {

class PushBlock {
public:
    explicit PushBlock(const Step& step);

    std::size_t size() const { return words_.size(); }   // bytes, a multiple of 4

    // `read_address(r)` is where the root of the step's r-th read begins. `into` has size() bytes.
    template <typename ReadAddress>
    void fill(std::span<std::byte> into, ReadAddress read_address, std::uint64_t write_address,
              const std::vector<double>& scalars) const {
        copy_words(into);
        for (const Patch& patch : patches_) {
            switch (patch.kind) {
                case PushItem::ReadAddress:
                case PushItem::ReadView: put(into, patch.at, read_address(patch.value) + patch.offset); break;
                case PushItem::WriteAddress: put(into, patch.at, write_address); break;
                case PushItem::Scalar: put_scalar(into, patch.at, scalars[patch.value], patch.dtype); break;
                case PushItem::Word: break;
            }
        }
    }

private:
    struct Patch {
        PushItem::Kind kind;
        std::size_t at;
        std::uint32_t value;
        std::uint64_t offset;   // bytes from the root's beginning
        Dtype dtype;
    };
    void copy_words(std::span<std::byte> into) const;
    static void put(std::span<std::byte> into, std::size_t at, std::uint64_t address);
    static void put_scalar(std::span<std::byte> into, std::size_t at, double value, Dtype dtype);

    std::vector<std::byte> words_;
    std::vector<Patch> patches_;
};

}  // namespace gpu
