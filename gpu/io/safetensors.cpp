// safetensors: a u64 header length, a JSON header of that many bytes, then the tensors' data without gaps.
// The checks are those of the reference implementation: nothing in a file may be lied about.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "gpu/base/error.h"
#include "gpu/io/atomic_file.h"
#include "gpu/io/readers.h"

namespace gpu {
namespace {

constexpr std::uint64_t header_limit = 100'000'000;  // bytes, as in the reference implementation
constexpr std::string_view metadata_key = "__metadata__";

[[noreturn]] void refuse(const std::string& expected, const std::string& got) {
    throw Error(ErrorCode::BadFile, "read safetensors: expected {}, got {}", expected, got);
}

// A header's row as it is written, before anything in it is believed.
struct HeaderRow {
    std::string name;
    std::optional<std::string> dtype;
    std::optional<std::vector<std::uint64_t>> shape;
    std::optional<std::vector<std::uint64_t>> offsets;
};

// Reads the header event by event: a document tree of a 100 MB header would take ten times its size, and would hide
// names that occur twice.
class HeaderParser final : public nlohmann::json_sax<nlohmann::json> {
public:
    std::vector<HeaderRow> rows;
    std::map<std::string, std::string> metadata;

    bool start_object(std::size_t) override {
        if (skipped_ > 0) return ++skipped_, true;
        if (place_ == Place::Start) return place_ = Place::Root, true;
        if (place_ != Place::Root) return in_ignored_field() ? (++skipped_, true) : unexpected("an object");
        place_ = key_ == metadata_key ? Place::Metadata : Place::Row;
        if (place_ == Place::Row) rows.push_back({key_});
        return true;
    }
    bool end_object() override {
        if (skipped_ > 0) return --skipped_, true;
        place_ = place_ == Place::Root ? Place::End : Place::Root;
        return true;
    }
    bool start_array(std::size_t) override {
        if (skipped_ > 0) return ++skipped_, true;
        if (place_ != Place::Row || key_ == "dtype") return unexpected("a list");
        if (in_ignored_field()) return ++skipped_, true;
        (key_ == "shape" ? rows.back().shape : rows.back().offsets).emplace();
        place_ = Place::Numbers;
        return true;
    }
    bool end_array() override {
        if (skipped_ > 0) return --skipped_, true;
        place_ = Place::Row;
        return true;
    }
    bool key(string_t& name) override {
        if (skipped_ > 0) return true;
        if (place_ == Place::Root && !names_.insert(name).second) refuse("every tensor once", quoted(name) + " twice");
        if (place_ == Place::Row && !fields_seen(name)) refuse("every field once", where(name) + " twice");
        key_ = name;
        return true;
    }
    bool string(string_t& value) override {
        if (skipped_ > 0 || in_ignored_field()) return true;
        if (place_ == Place::Metadata) {
            if (!metadata.emplace(key_, value).second) refuse("every metadata key once", quoted(key_) + " twice");
            return true;
        }
        if (place_ != Place::Row || key_ != "dtype") return unexpected("a text");
        rows.back().dtype = value;
        return true;
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (skipped_ > 0 || in_ignored_field()) return true;
        if (place_ != Place::Numbers) return unexpected("the number " + std::to_string(value));
        (key_ == "shape" ? rows.back().shape : rows.back().offsets)->push_back(value);
        return true;
    }
    bool number_integer(number_integer_t value) override { return scalar("the number " + std::to_string(value)); }
    bool number_float(number_float_t, const string_t& text) override { return scalar("the number " + text); }
    bool null() override { return scalar("null"); }
    bool boolean(bool) override { return scalar("a truth value"); }
    bool binary(binary_t&) override { return scalar("binary data"); }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        refuse("a header in JSON", "an error at its byte " + std::to_string(position));
    }

private:
    enum class Place { Start, Root, Metadata, Row, Numbers, End };

    static std::string quoted(const std::string& text) { return format("\"{}\"", text.substr(0, 200)); }
    std::string where(const std::string& field) const { return field + " of tensor " + quoted(rows.back().name); }

    // Fields that a later version may add are skipped, as the reference implementation does.
    bool in_ignored_field() const {
        return place_ == Place::Row && key_ != "dtype" && key_ != "shape" && key_ != "data_offsets";
    }
    bool fields_seen(const std::string& name) const {
        const HeaderRow& row = rows.back();
        return !((name == "dtype" && row.dtype) || (name == "shape" && row.shape) ||
                 (name == "data_offsets" && row.offsets));
    }
    bool scalar(const std::string& what) { return skipped_ > 0 || in_ignored_field() ? true : unexpected(what); }

    [[noreturn]] bool unexpected(const std::string& what) const {
        switch (place_) {
            case Place::Start: refuse("a JSON object as header", what);
            case Place::Root: refuse("an object for " + quoted(key_), what);
            case Place::Metadata: refuse("texts in __metadata__", what + " for " + quoted(key_));
            case Place::Row: refuse(key_ == "dtype" ? "a text as " + where(key_) : "a list as " + where(key_), what);
            default: refuse("integers of at least 0 in " + where(key_), what);
        }
    }

    Place place_ = Place::Start;
    int skipped_ = 0;  // depth inside an ignored field
    std::string key_;
    std::set<std::string> names_;
};

struct Placed {
    TensorEntry entry;
    std::uint64_t begin = 0, end = 0;
};

std::string range_text(std::uint64_t begin, std::uint64_t end) { return format("[{}, {})", begin, end); }

// Checks one row by itself: complete, a known type, a shape whose bytes are as many as its range has.
Placed checked(HeaderRow& row) {
    const std::string tensor = "tensor \"" + row.name.substr(0, 200) + "\"";
    if (!row.dtype || !row.shape || !row.offsets)
        refuse("dtype, shape and data_offsets of " + tensor, "not all of them");
    const auto dtype = parse_dtype(*row.dtype);
    const auto blocks = parse_block_format(*row.dtype);
    const bool float8 = blocks && elements_of(*blocks) == 1;
    if (!dtype && !float8)
        refuse("F32, F16, BF16, F8_E4M3, F8_E5M2, F64, I64, I32, I16, I8, U8 or BOOL as dtype of " + tensor, row.dtype->substr(0, 50));
    if (row.offsets->size() != 2) refuse("2 data_offsets of " + tensor, std::to_string(row.offsets->size()));
    Placed placed{{.name = row.name, .dtype = dtype.value_or(Dtype::F32)}, (*row.offsets)[0], (*row.offsets)[1]};
    if (float8) placed.entry.blocks = blocks;
    if (placed.begin > placed.end) refuse("rising data_offsets of " + tensor, range_text(placed.begin, placed.end));
    for (const std::uint64_t extent : *row.shape) {
        if (extent > static_cast<std::uint64_t>(INT64_MAX))
            refuse("extents below 2^63 in shape of " + tensor, std::to_string(extent));
        placed.entry.shape.push_back(static_cast<std::int64_t>(extent));
    }
    std::uint64_t bytes = 0;
    try {
        const auto count = static_cast<std::uint64_t>(element_count(placed.entry.shape));
        if (__builtin_mul_overflow(count, float8 ? 1 : size_of(*dtype), &bytes)) throw Error(ErrorCode::BadFile, "bytes overflow");
    } catch (const Error&) {
        refuse("fewer than 2^64 bytes in " + tensor, "shape " + to_string(placed.entry.shape));
    }
    if (bytes != placed.end - placed.begin)
        refuse(format("{} bytes of {} {} {}", bytes, *row.dtype, to_string(placed.entry.shape), tensor),
               format("data_offsets {}", range_text(placed.begin, placed.end)));
    return placed;
}

HeaderParser parse_header(std::span<const std::byte> bytes) {
    const std::string_view header = as_text(bytes);
    // The JSON library takes a zero byte for the end of its input and would not see what follows it.
    if (header.find('\0') != std::string_view::npos) refuse("a header in JSON", "a zero byte in it");
    HeaderParser parser;
    nlohmann::json::sax_parse(header.begin(), header.end(), &parser);
    return parser;
}

}  // namespace

bool is_safetensors(std::span<const std::byte> bytes) {
    if (bytes.size() < 9) return false;
    // A header must start with a brace. Where it does not but the length is plausible, the reader's message is the
    // better one.
    return bytes[8] == std::byte{'{'} || read_little<std::uint64_t>(bytes, 0, "header length") <= bytes.size() - 8;
}

CheckpointContent read_safetensors(const FileHandle& file) {
    const auto bytes = file->bytes();
    const auto length = read_little<std::uint64_t>(bytes, 0, "header length");
    if (length > header_limit) refuse(format("a header of at most {} bytes", header_limit), std::to_string(length));
    if (length > bytes.size() - 8)
        refuse(format("{} bytes of header", length), format("a file of {} bytes", bytes.size()));
    if (bytes[8] != std::byte{'{'}) refuse("a JSON object as header", "something else");
    HeaderParser header = parse_header(bytes.subspan(8, length));
    const auto data = bytes.subspan(8 + length);

    std::vector<Placed> placed;
    placed.reserve(header.rows.size());
    for (HeaderRow& row : header.rows) placed.push_back(checked(row));
    std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });

    CheckpointContent content{.format = "safetensors", .metadata = std::move(header.metadata)};
    std::uint64_t end = 0;
    for (Placed& tensor : placed) {
        const std::string name = "tensor \"" + tensor.entry.name.substr(0, 200) + "\"";
        if (tensor.begin != end)
            refuse(
                format("{} to start at data offset {}", name, end),
                format("{}, {}", tensor.begin, tensor.begin < end ? "which overlaps another" : "which leaves a hole"));
        if (tensor.end > data.size())
            refuse(format("{} inside {} bytes of data", name, data.size()), range_text(tensor.begin, tensor.end));
        end = tensor.end;
        tensor.entry.bytes = data.subspan(tensor.begin, tensor.end - tensor.begin);
        content.entries.push_back(std::move(tensor.entry));
    }
    if (end != data.size()) refuse(format("{} bytes of data", end), format("{} bytes", data.size()));
    return content;
}

namespace {

// A JSON string with its quotes; throws for a text that is no UTF-8.
std::string json_text(const std::string& text) {
    try {
        return nlohmann::json(text).dump();
    } catch (const nlohmann::json::exception&) {
        throw Error(ErrorCode::InvalidGraph, "save safetensors: expected names and metadata in UTF-8, got other bytes");
    }
}

// Pointers to the entries, in the order in which they are written.
std::vector<const TensorEntry*> ordered(std::span<const TensorEntry> entries, bool makes_bytes) {
    std::vector<const TensorEntry*> order;
    std::set<std::string_view> names;
    for (const TensorEntry& entry : entries) {
        check(entry.name != metadata_key && names.insert(entry.name).second, ErrorCode::InvalidGraph,
              "save safetensors: expected every name once and none {}, got \"{}\"", metadata_key, entry.name);
        check(entry.foreign.empty() && (!entry.blocks || elements_of(*entry.blocks) == 1), ErrorCode::InvalidGraph,
              "save safetensors: expected numbers in \"{}\", got {} blocks", entry.name, type_name(entry));
        const std::uint64_t bytes = bytes_of(entry);
        check(entry.bytes.size() == bytes || (makes_bytes && entry.bytes.empty()), ErrorCode::InvalidGraph,
              "save safetensors: expected {} bytes of {} {} tensor \"{}\", got {}", bytes, type_name(entry),
              to_string(entry.shape), entry.name, entry.bytes.size());
        order.push_back(&entry);
    }
    std::sort(order.begin(), order.end(), [](const TensorEntry* a, const TensorEntry* b) {
        const auto width = [](const TensorEntry& entry) { return entry.blocks ? 1 : size_of(entry.dtype); };
        const std::size_t wide_a = width(*a), wide_b = width(*b);
        return wide_a != wide_b ? wide_a > wide_b : a->name < b->name;
    });
    return order;
}

}  // namespace

void save_safetensors(const std::string& path, std::span<const TensorEntry> entries,
                      const std::map<std::string, std::string>& metadata, const MakeBytes& make) {
    const auto order = ordered(entries, static_cast<bool>(make));
    std::string header = "{";
    if (!metadata.empty()) {
        header += json_text(std::string(metadata_key)) + ":{";
        for (const auto& [key, value] : metadata)
            header += format("{}{}:{}", header.back() == '{' ? "" : ",", json_text(key), json_text(value));
        header += "}";
    }
    std::uint64_t offset = 0;
    for (const TensorEntry* entry : order) {
        std::string shape;
        for (const std::int64_t extent : entry->shape) shape += format("{}{}", shape.empty() ? "" : ",", extent);
        header += format(R"({}{}:{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]})", header.size() > 1 ? "," : "",
                         json_text(entry->name), type_name(*entry), shape, offset, offset + bytes_of(*entry));
        offset += bytes_of(*entry);
    }
    header += "}";
    header.append((8 - header.size() % 8) % 8, ' ');  // the data starts at a multiple of 8
    check(header.size() <= header_limit, ErrorCode::InvalidGraph,
          "save safetensors: expected a header of at most {} bytes, got {}", header_limit, header.size());

    std::string start(8, '\0');
    for (int byte = 0; byte < 8; ++byte) start[byte] = static_cast<char>(header.size() >> (8 * byte));
    AtomicFile file(path);
    file.append(start + header);
    for (const TensorEntry* entry : order) {
        if (!entry->bytes.empty() || bytes_of(*entry) == 0) {
            file.append(used_bytes(*entry));
            continue;
        }
        const std::vector<std::byte> made = make(static_cast<std::size_t>(entry - entries.data()));
        check(made.size() == bytes_of(*entry), ErrorCode::Failure, "save safetensors: expected {} bytes made for \"{}\", got {}",
              bytes_of(*entry), entry->name, made.size());
        file.append(made);
    }
    file.commit();
}

}  // namespace gpu
