// Writing GGUF, version 3.
#include <algorithm>
#include <set>

#include "gpu/base/error.h"
#include "gpu/io/atomic_file.h"
#include "gpu/io/checkpoint.h"
#include "gpu/io/gguf_types.h"

namespace gpu {
namespace {

using gguf::Value;

constexpr std::size_t most_axes = 4;   // of ggml's tensors

std::uint64_t aligned(std::uint64_t bytes) {
    return (bytes + gguf::default_alignment - 1) / gguf::default_alignment * gguf::default_alignment;
}

class Header {
public:
    template <typename Integer>
    void put(Integer value) {
        for (std::size_t i = 0; i < sizeof value; ++i) text_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
    }
    void put(std::string_view text) {
        put(static_cast<std::uint64_t>(text.size()));
        text_ += text;
    }
    void key(std::string_view name, Value type) {
        put(name);
        put(static_cast<std::uint32_t>(type));
    }
    void pad() { text_.resize(aligned(text_.size()), '\0'); }
    std::string text_{gguf::magic};
};

const gguf::Type& type_of(const TensorEntry& entry) {
    for (const gguf::Type& type : gguf::types)
        if (entry.foreign.empty() && (entry.blocks ? type.blocks == entry.blocks : type.dtype == entry.dtype)) return type;
    throw Error(ErrorCode::InvalidGraph, "save gguf: expected an element type that GGUF has in \"{}\", got {}", entry.name, type_name(entry));
}

// The shape that ggml gets: up to 4 axes, rows of whole blocks.
Shape stored_shape(const TensorEntry& entry) {
    const auto elements = static_cast<std::int64_t>(entry.blocks ? elements_of(*entry.blocks) : 1);
    const Shape& shape = entry.shape;
    const std::int64_t count = element_count(shape);
    if (shape.empty()) return {1};
    if (shape.size() <= most_axes && shape.back() % elements == 0) return shape;
    check(count % elements == 0, ErrorCode::InvalidGraph, "save gguf: expected whole {} blocks in \"{}\", got {}", type_name(entry), entry.name,
          to_string(shape));
    const std::int64_t row = shape[0] > 0 ? count / shape[0] : 0;
    if (row % elements == 0) return {shape[0], row};
    return {count / elements, elements};
}

}  // namespace

void save_gguf(const std::string& path, std::span<const TensorEntry> entries, const std::map<std::string, std::string>& metadata,
               const MakeBytes& make) {
    std::vector<Shape> shapes;
    std::set<std::string_view> names;
    std::uint64_t reshaped = 0;
    bool quantised = false;
    for (const TensorEntry& entry : entries) {
        check(names.insert(entry.name).second, ErrorCode::InvalidGraph, "save gguf: expected every name once, got \"{}\" twice", entry.name);
        shapes.push_back(stored_shape(entry));
        reshaped += shapes.back() != entry.shape;
        quantised = quantised || entry.blocks;
        check(entry.bytes.size() == bytes_of(entry) || (make && entry.bytes.empty()), ErrorCode::InvalidGraph,
              "save gguf: expected {} bytes of {} {} tensor \"{}\", got {}", bytes_of(entry), type_name(entry), to_string(entry.shape),
              entry.name, entry.bytes.size());
    }
    for (const auto& [key, value] : metadata)
        check(key != gguf::alignment_key && key != "general.quantization_version" && !key.starts_with(gguf::shape_key), ErrorCode::InvalidGraph,
              "save gguf: expected metadata of other names, got {}", key);

    Header head;
    head.put(std::uint32_t{3});
    head.put(std::uint64_t{entries.size()});
    head.put(std::uint64_t{metadata.size() + reshaped + (quantised ? 1 : 0)});
    for (const auto& [key, value] : metadata) {
        head.key(key, Value::Text);
        head.put(std::string_view(value));
    }
    if (quantised) {
        head.key("general.quantization_version", Value::U32);
        head.put(std::uint32_t{2});
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (shapes[i] == entries[i].shape) continue;
        head.key(std::string(gguf::shape_key) + entries[i].name, Value::List);
        head.put(static_cast<std::uint32_t>(Value::I32));
        head.put(std::uint64_t{entries[i].shape.size()});
        for (const std::int64_t extent : entries[i].shape) head.put(static_cast<std::int32_t>(extent));
    }
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        head.put(std::string_view(entries[i].name));
        head.put(static_cast<std::uint32_t>(shapes[i].size()));
        for (std::size_t axis = shapes[i].size(); axis-- > 0;) head.put(static_cast<std::uint64_t>(shapes[i][axis]));
        head.put(type_of(entries[i]).id);
        head.put(offset);
        offset += aligned(bytes_of(entries[i]));
    }
    head.pad();

    AtomicFile file(path);
    file.append(head.text_);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::uint64_t bytes = bytes_of(entries[i]);
        if (entries[i].bytes.empty() && bytes > 0) {
            const std::vector<std::byte> made = make(i);
            check(made.size() == bytes, ErrorCode::Failure, "save gguf: expected {} bytes made for \"{}\", got {}", bytes, entries[i].name, made.size());
            file.append(made);
        } else {
            file.append(used_bytes(entries[i]));
        }
        file.append(std::string(aligned(bytes) - bytes, '\0'));
    }
    file.commit();
}

}  // namespace gpu
