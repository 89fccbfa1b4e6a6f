#include "gpu/io/quantize.h"

#include <algorithm>
#include <cstring>

#include "gpu/base/error.h"
#include "gpu/base/span.h"

namespace gpu {
namespace {

constexpr std::int64_t least_extent = 32;

bool is_embedding(const std::string& name) {
    return name.find("embedding") != std::string::npos || name.find("embed_tokens") != std::string::npos;
}

bool is_sensitive(const TensorEntry& entry) {
    return std::min(entry.shape[0], entry.shape[1]) < least_extent || is_embedding(entry.name);
}

std::vector<std::byte> converted(const TensorEntry& from, const TensorEntry& to) {
    if (to.blocks == from.blocks && to.dtype == from.dtype) {
        const auto bytes = used_bytes(from);
        return {bytes.begin(), bytes.end()};
    }
    std::vector<std::byte> result(to.blocks ? 0 : static_cast<std::size_t>(bytes_of(to)));
    if (!is_float(from.dtype)) {   // U8 or Bool
        const auto bytes = used_bytes(from);
        for (std::size_t i = 0; i < bytes.size(); ++i) result[4 * i] = from.dtype == Dtype::Bool ? std::byte{bytes[i] != std::byte{0}} : bytes[i];
        return result;
    }
    const std::vector<float> values = entry_floats(from);
    if (to.blocks) return pack(*to.blocks, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint16_t half = to.dtype == Dtype::F16 ? float_to_f16(values[i]) : float_to_bf16(values[i]);
        if (to.dtype == Dtype::F32) {
            std::memcpy(result.data() + 4 * i, &values[i], 4);
        } else {
            std::memcpy(result.data() + 2 * i, &half, 2);
        }
    }
    return result;
}

}  // namespace

TensorEntry quantized_entry(const TensorEntry& entry, BlockFormat format) {
    TensorEntry result{.name = entry.name, .dtype = entry.dtype, .shape = entry.shape, .blocks = entry.blocks, .foreign = entry.foreign};
    if (entry.blocks || !entry.foreign.empty()) return result;
    if (!is_float(entry.dtype)) {
        if (entry.dtype == Dtype::U8 || entry.dtype == Dtype::Bool) result.dtype = Dtype::I32;
        return result;
    }
    const std::int64_t count = element_count(entry.shape);
    if (entry.shape.size() < 2) {
        result.dtype = Dtype::F32;
    } else if (is_sensitive(entry) || count % static_cast<std::int64_t>(elements_of(format)) != 0) {
        if (entry.dtype != Dtype::BF16) result.dtype = Dtype::F16;
    } else {
        result.dtype = Dtype::F32;
        result.blocks = format;
    }
    return result;
}

void save_quantized(const std::string& path, const Checkpoint& from, BlockFormat format) {
    const Span span("io", "quantize", path);
    std::vector<TensorEntry> entries;
    for (const TensorEntry& entry : from.entries()) entries.push_back(quantized_entry(entry, format));
    std::map<std::string, std::string> metadata = from.metadata();
    for (const char* key : {"general.file_type", "general.quantization_version"}) metadata.erase(key);
    save_gguf(path, entries, metadata, [&](std::size_t i) {
        try {
            return converted(from.entries()[i], entries[i]);
        } catch (Error& error) {
            throw error.in("tensor " + entries[i].name);
        }
    });
}

}  // namespace gpu
