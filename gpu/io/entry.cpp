// What can be asked of one tensor of a file.
#include <cstring>

#include "gpu/base/error.h"
#include "gpu/io/checkpoint.h"

namespace gpu {
namespace {

template <typename Stored, typename Convert>
void convert(std::span<const std::byte> bytes, std::vector<float>& values, Convert to_float) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        Stored stored;
        std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);   // files promise no alignment
        values[i] = to_float(stored);
    }
}

}  // namespace

void LazyCheck::operator()() const {
    const std::lock_guard lock(mutex_);
    if (!passed_) check_();
    passed_ = true;
}

std::string type_name(const TensorEntry& entry) {
    if (!entry.foreign.empty()) return entry.foreign;
    return std::string(entry.blocks ? name_of(*entry.blocks) : name_of(entry.dtype));
}

std::uint64_t bytes_of(const TensorEntry& entry) {
    check(entry.foreign.empty(), ErrorCode::InvalidGraph, "{}: expected an element type that is known, got {}", entry.name, entry.foreign);
    const auto count = static_cast<std::uint64_t>(element_count(entry.shape));
    return entry.blocks ? bytes_of(*entry.blocks, count) : count * size_of(entry.dtype);
}

std::span<const std::byte> used_bytes(const TensorEntry& entry) {
    check(entry.foreign.empty(), ErrorCode::BadFile, "tensor {}: expected an element type that can be read, got {}", entry.name,
          entry.foreign);
    if (entry.unverified) (*entry.unverified)();
    return entry.bytes;
}

std::vector<float> entry_floats(const TensorEntry& entry) {
    const std::span<const std::byte> bytes = used_bytes(entry);
    std::vector<float> values(static_cast<std::size_t>(element_count(entry.shape)));
    if (entry.blocks) {
        unpack(*entry.blocks, bytes.data(), 0, values);
        return values;
    }
    switch (entry.dtype) {
        case Dtype::F32: convert<float>(bytes, values, [](float value) { return value; }); break;
        case Dtype::F16: convert<std::uint16_t>(bytes, values, f16_to_float); break;
        case Dtype::BF16: convert<std::uint16_t>(bytes, values, bf16_to_float); break;
        case Dtype::F64: convert<double>(bytes, values, [](double value) { return static_cast<float>(value); }); break;
        default:
            throw Error(ErrorCode::BadFile, "tensor {}: expected floating point numbers, got {}", entry.name, name_of(entry.dtype));
    }
    return values;
}

}  // namespace gpu
