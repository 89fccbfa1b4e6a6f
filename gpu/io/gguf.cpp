// GGUF, versions 2 and 3: a magic word, the version, the numbers of tensors and of key-values, the key-values, one record
// per tensor (name, extents from the fastest axis on, type, offset), and after padding the data. All little-endian.
#include <algorithm>
#include <bit>
#include <set>

#include "gpu/base/error.h"
#include "gpu/io/gguf_types.h"
#include "gpu/io/readers.h"

namespace gpu {
namespace {

using gguf::Value;

constexpr std::uint64_t longest_name = 65535;       // bytes of a key or a tensor's name
constexpr std::uint64_t shown_text = 4000, shown_items = 16;
constexpr std::uint32_t most_axes = 8;              // ggml's own limit is 4
constexpr int most_depth = 8;                       // of lists in lists

[[noreturn]] void refuse(const std::string& expected, const std::string& got) {
    throw Error(ErrorCode::BadFile, "read gguf: expected {}, got {}", expected, got);
}

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at++]);
        const int more = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : (lead & 0xf0) == 0xe0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
        if (more < 0) return false;
        for (int byte = 0; byte < more; ++byte, ++at)
            if (at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) return false;
    }
    return true;
}

// Bytes of one value of a type of fixed size; 0 for texts and lists.
std::uint64_t size_of(Value type) {
    switch (type) {
        case Value::U8: case Value::I8: case Value::Bool: return 1;
        case Value::U16: case Value::I16: return 2;
        case Value::U32: case Value::I32: case Value::F32: return 4;
        case Value::U64: case Value::I64: case Value::F64: return 8;
        case Value::Text: case Value::List: return 0;
    }
    return 0;
}

class Reader {
public:
    explicit Reader(std::span<const std::byte> file) : file_(file) {}

    CheckpointContent run() {
        read_head();
        for (std::uint64_t i = 0; i < keys_; ++i) read_key();
        for (std::uint64_t i = 0; i < tensors_; ++i) read_tensor();
        place_tensors();
        return std::move(content_);
    }

private:
    struct Record {
        TensorEntry entry;
        std::uint64_t offset = 0, bytes = 0;
    };

    template <typename Integer>
    Integer take(std::string_view what) {
        const auto value = read_little<Integer>(file_, at_, what);
        at_ += sizeof(Integer);
        return value;
    }
    std::string_view take_text(std::string_view what, std::uint64_t longest) {
        const auto length = take<std::uint64_t>(what);
        if (length > longest) refuse(format("at most {} bytes of {}", longest, what), std::to_string(length));
        const std::string_view text = as_text(slice(file_, at_, length, what));
        at_ += length;
        return text;
    }
    std::string take_name(std::string_view what) {
        const std::string_view text = take_text(what, longest_name);
        if (!is_utf8(text)) refuse(format("{} in UTF-8", what), "other bytes");
        return std::string(text);
    }
    std::uint64_t rest() const { return file_.size() - at_; }

    void read_head() {
        at_ = gguf::magic.size();
        const auto version = take<std::uint32_t>("version");
        if (version != 2 && version != 3)
            refuse("version 2 or 3, little-endian", (version & 0xffff) == 0 && version ? "a big-endian file" : std::to_string(version));
        content_.format = format("gguf {}", version);
        tensors_ = take<std::uint64_t>("number of tensors");
        keys_ = take<std::uint64_t>("number of keys");
        // The shortest key takes 13 bytes, the shortest tensor 24: so that no number asks for more than the file could hold.
        if (keys_ > rest() / 13) refuse("as many keys as the file has room for", std::to_string(keys_));
        if (tensors_ > rest() / 24) refuse("as many tensors as the file has room for", std::to_string(tensors_));
    }

    void read_key() {
        const std::string key = take_name("a key");
        if (!keys_seen_.insert(key).second) refuse("every key once", format("\"{}\" twice", key));
        const Value type = take_type(key);
        if (key == gguf::alignment_key) {
            if (type != Value::U32) refuse("a 32-bit number as general.alignment", "another type");
            alignment_ = take<std::uint32_t>(key);
            if (!std::has_single_bit(alignment_) || alignment_ > (1u << 20))
                refuse("a power of two up to 2^20 as general.alignment", std::to_string(alignment_));
            return;
        }
        if (key.starts_with(gguf::shape_key) && type == Value::List) {
            shapes_[key.substr(gguf::shape_key.size())] = take_shape(key);
            return;
        }
        content_.metadata[key] = take_value(type, key, 0);
    }
    Value take_type(const std::string& key) {
        const auto type = take<std::uint32_t>(key);
        if (type > static_cast<std::uint32_t>(Value::F64)) refuse(format("a known type of value for \"{}\"", key), std::to_string(type));
        return static_cast<Value>(type);
    }
    Shape take_shape(const std::string& key) {
        const Value type = take_type(key);
        const auto count = take<std::uint64_t>(key);
        if ((type != Value::I32 && type != Value::U32 && type != Value::I64 && type != Value::U64) || count > most_axes)
            refuse(format("up to {} integers for \"{}\"", most_axes, key), format("{} of another type or more", count));
        Shape shape;
        for (std::uint64_t i = 0; i < count; ++i)
            shape.push_back(size_of(type) == 4 ? std::int64_t{take<std::int32_t>(key)} : take<std::int64_t>(key));
        return shape;
    }

    std::string take_value(Value type, const std::string& key, int depth) {
        switch (type) {
            case Value::U8: return std::to_string(take<std::uint8_t>(key));
            case Value::I8: return std::to_string(take<std::int8_t>(key));
            case Value::U16: return std::to_string(take<std::uint16_t>(key));
            case Value::I16: return std::to_string(take<std::int16_t>(key));
            case Value::U32: return std::to_string(take<std::uint32_t>(key));
            case Value::I32: return std::to_string(take<std::int32_t>(key));
            case Value::U64: return std::to_string(take<std::uint64_t>(key));
            case Value::I64: return std::to_string(take<std::int64_t>(key));
            case Value::F32: return format("{}", std::bit_cast<float>(take<std::uint32_t>(key)));
            case Value::F64: return format("{}", std::bit_cast<double>(take<std::uint64_t>(key)));
            case Value::Bool: return take<std::uint8_t>(key) ? "true" : "false";
            case Value::Text: {
                const std::string_view text = take_text(key, rest());
                if (text.size() > shown_text) return format("({} bytes of text)", text.size());
                return is_utf8(text) ? std::string(text) : format("({} bytes that are no text)", text.size());
            }
            case Value::List: return take_list(key, depth);
        }
        return {};
    }
    std::string take_list(const std::string& key, int depth) {
        if (depth == most_depth) refuse(format("at most {} lists in one another in \"{}\"", most_depth, key), "more");
        const Value type = take_type(key);
        const auto count = take<std::uint64_t>(key);
        const std::uint64_t least = size_of(type) ? size_of(type) : type == Value::Text ? 8 : 12;
        if (count > rest() / least) refuse(format("as many items of \"{}\" as the file has room for", key), std::to_string(count));
        std::string text;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (size_of(type) && count > shown_items) {   // nothing to look at
                at_ += count * size_of(type);
                break;
            }
            const std::string item = take_value(type, key, depth + 1);
            if (count <= shown_items) text += (i ? ", " : "") + item;
        }
        return count > shown_items ? format("({} items)", count) : "[" + text + "]";
    }

    void read_tensor() {
        Record record;
        record.entry.name = take_name("a tensor's name");
        const std::string what = format("tensor \"{}\"", record.entry.name.substr(0, 200));
        const auto axes = take<std::uint32_t>(what);
        if (axes > most_axes) refuse(format("at most {} axes of {}", most_axes, what), std::to_string(axes));
        for (std::uint32_t i = 0; i < axes; ++i) {
            const auto extent = take<std::uint64_t>(what);
            if (extent > static_cast<std::uint64_t>(INT64_MAX)) refuse(format("extents below 2^63 in {}", what), std::to_string(extent));
            record.entry.shape.insert(record.entry.shape.begin(), static_cast<std::int64_t>(extent));
        }
        const auto id = take<std::uint32_t>(what);
        record.offset = take<std::uint64_t>(what);
        const auto* type = std::find_if(std::begin(gguf::types), std::end(gguf::types), [&](const auto& t) { return t.id == id; });
        if (type == std::end(gguf::types)) refuse(format("a known element type of {}", what), format("type {}", id));
        record.entry.dtype = type->dtype.value_or(Dtype::F32);
        record.entry.blocks = type->blocks;
        if (!type->dtype && !type->blocks) record.entry.foreign = type->name;
        record.bytes = bytes_in(record.entry.shape, *type, what);
        records_.push_back(std::move(record));
    }
    static std::uint64_t bytes_in(const Shape& shape, const gguf::Type& type, const std::string& what) {
        const auto row = shape.empty() ? std::uint64_t{1} : static_cast<std::uint64_t>(shape.back());
        if (row % type.elements != 0) refuse(format("rows of whole {} blocks in {}", type.name, what), to_string(shape));
        std::uint64_t bytes = 0;
        try {
            const auto count = static_cast<std::uint64_t>(element_count(shape));
            if (__builtin_mul_overflow(count / type.elements, type.bytes, &bytes)) throw Error(ErrorCode::BadFile, "bytes overflow");
        } catch (const Error&) {
            refuse(format("fewer than 2^64 bytes in {}", what), "shape " + to_string(shape));
        }
        return bytes;
    }

    // The data starts at the next multiple of the alignment; tensors lie in it apart from one another.
    void place_tensors() {
        const std::uint64_t start = (at_ + alignment_ - 1) / alignment_ * alignment_;
        std::vector<const Record*> by_offset;
        for (Record& record : records_) {
            const std::string what = format("tensor \"{}\"", record.entry.name.substr(0, 200));
            if (record.offset % alignment_ != 0) refuse(format("{} at a multiple of {}", what, alignment_), std::to_string(record.offset));
            if (record.offset > file_.size() || start > file_.size() - record.offset)
                refuse(format("{} inside {} bytes", what, file_.size()), format("data offset {}", record.offset));
            record.entry.bytes = slice(file_, start + record.offset, record.bytes, what);
            if (const auto known = shapes_.find(record.entry.name); known != shapes_.end()) apply_shape(record, known->second, what);
            if (record.bytes > 0) by_offset.push_back(&record);
        }
        std::sort(by_offset.begin(), by_offset.end(), [](const Record* a, const Record* b) { return a->offset < b->offset; });
        for (std::size_t i = 0; i + 1 < by_offset.size(); ++i)
            if (by_offset[i]->offset + by_offset[i]->bytes > by_offset[i + 1]->offset)
                refuse("tensors apart from one another", format("\"{}\" and \"{}\" at one place", by_offset[i]->entry.name.substr(0, 200),
                                                                by_offset[i + 1]->entry.name.substr(0, 200)));
        for (Record& record : records_) content_.entries.push_back(std::move(record.entry));
    }
    static void apply_shape(Record& record, const Shape& shape, const std::string& what) {
        bool fits = std::all_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent >= 0; });
        try {
            fits = fits && element_count(shape) == element_count(record.entry.shape);
        } catch (const Error&) {
            fits = false;
        }
        if (!fits) refuse(format("{} as the shape of {}", to_string(record.entry.shape), what), to_string(shape));
        record.entry.shape = shape;
    }

    std::span<const std::byte> file_;
    std::uint64_t at_ = 0, tensors_ = 0, keys_ = 0, alignment_ = gguf::default_alignment;
    std::set<std::string> keys_seen_;
    std::map<std::string, Shape> shapes_;
    std::vector<Record> records_;
    CheckpointContent content_;
};

}  // namespace

bool is_gguf(std::span<const std::byte> bytes) { return as_text(bytes).starts_with(gguf::magic); }

CheckpointContent read_gguf(const FileHandle& file) { return Reader(file->bytes()).run(); }

}  // namespace gpu
