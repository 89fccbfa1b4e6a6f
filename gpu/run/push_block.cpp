#include "gpu/run/push_block.h"

#include <bit>
#include <cstring>

namespace gpu {
namespace {

std::uint32_t scalar_word(double value, Dtype dtype) {
    switch (dtype) {
        case Dtype::I32: return static_cast<std::uint32_t>(static_cast<std::int32_t>(value));
        case Dtype::U8: case Dtype::Bool: return static_cast<std::uint32_t>(value);
        default: return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    }
}

}  // namespace

PushBlock::PushBlock(const Step& step) : words_((push_size_of(step.push) + 3) / 4 * 4) {
    std::size_t at = 0;
    for (const PushItem& item : step.push) {
        const bool number = item.kind == PushItem::Word || item.kind == PushItem::Scalar;
        const std::size_t size = number ? 4 : 8;
        at = (at + size - 1) / size * size;
        if (item.kind == PushItem::Word) {
            std::memcpy(words_.data() + at, &item.value, size);
        } else {
            std::uint64_t offset = 0;
            if (item.kind == PushItem::ReadView) offset = step.reads[item.value].byte_offset();
            patches_.push_back({item.kind, at, item.value, offset, item.dtype});
        }
        at += size;
    }
}

void PushBlock::copy_words(std::span<std::byte> into) const {
    if (!words_.empty()) std::memcpy(into.data(), words_.data(), words_.size());
}

void PushBlock::put(std::span<std::byte> into, std::size_t at, std::uint64_t address) {
    std::memcpy(into.data() + at, &address, sizeof address);
}

void PushBlock::put_scalar(std::span<std::byte> into, std::size_t at, double value, Dtype dtype) {
    const std::uint32_t word = scalar_word(value, dtype);
    std::memcpy(into.data() + at, &word, sizeof word);
}

}  // namespace gpu
