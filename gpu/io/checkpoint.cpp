#include "gpu/io/checkpoint.h"

#include <algorithm>
#include <new>
#include <unordered_map>
#include <utility>

#include "gpu/base/error.h"
#include "gpu/base/span.h"
#include "gpu/io/readers.h"

namespace gpu {

struct Checkpoint::Data {
    CheckpointContent content;
    std::unordered_map<std::string_view, std::size_t> index;  // views into content.entries
};

Checkpoint::Checkpoint(CheckpointContent content) {
    auto data = std::make_shared<Data>();
    data->content = std::move(content);
    const auto& entries = data->content.entries;
    data->index.reserve(entries.size());
    for (std::size_t at = 0; at < entries.size(); ++at)
        check(data->index.emplace(entries[at].name, at).second, ErrorCode::BadFile,
              "read {}: expected every tensor once, got {} twice", data->content.format, entries[at].name);
    data_ = std::move(data);
}

const std::string& Checkpoint::path() const { return data_->content.path; }
const std::string& Checkpoint::format() const { return data_->content.format; }
const std::vector<TensorEntry>& Checkpoint::entries() const { return data_->content.entries; }
const std::map<std::string, std::string>& Checkpoint::metadata() const { return data_->content.metadata; }
std::shared_ptr<const void> Checkpoint::owner() const { return data_; }

const TensorEntry* Checkpoint::find(std::string_view name) const {
    const auto found = data_->index.find(name);
    return found == data_->index.end() ? nullptr : &data_->content.entries[found->second];
}

namespace {

struct Reader {
    bool (*recognises)(std::span<const std::byte>);
    CheckpointContent (*read)(const FileHandle&);
};

// The stricter signatures first.
constexpr Reader readers[] = {{is_gguf, read_gguf}, {is_pickle, read_pickle}, {is_safetensors, read_safetensors}};

// Names what people put in a model's place by mistake.
std::string describe(std::span<const std::byte> bytes) {
    const std::string_view text = as_text(bytes);
    if (text.empty()) return "an empty file";
    struct Signature {
        std::size_t offset;
        std::string_view text;
        const char* name;
    };
    static constexpr Signature signatures[] = {
        {0, "version https://git-lfs", "a Git LFS pointer (the file itself was not downloaded)"},
        {0, "<!", "a web page"},
        {0, "<html", "a web page"},
        {0, "\x89PNG", "a PNG picture"},
        {0, "\xff\xd8\xff", "a JPEG picture"},
        {0, "\x89HDF", "an HDF5 file"},
        {0, "\x93NUMPY", "a NumPy array"},
        {0, "\x1f\x8b", "a gzip file"},
        {0, "{", "a JSON text"},
        {257, "ustar", "a TAR archive (PyTorch's format before version 0.1.10)"},
    };
    for (const Signature& signature : signatures)
        if (text.size() >= signature.offset && text.substr(signature.offset).starts_with(signature.text))
            return signature.name;
    static constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    for (const char c : text.substr(0, 8)) {
        hex += ' ';
        hex += digits[static_cast<unsigned char>(c) >> 4];
        hex += digits[static_cast<unsigned char>(c) & 15];
    }
    return format("{} bytes that start with{}", text.size(), hex);
}

CheckpointContent read(const std::string& path) {
    const auto file = std::make_shared<const MappedFile>(path);
    for (const Reader& reader : readers) {
        if (!reader.recognises(file->bytes())) continue;
        CheckpointContent content = reader.read(file);
        content.path = path;
        content.keep.push_back(file);
        return content;
    }
    throw Error(ErrorCode::BadFile,
                "read model: expected safetensors, GGUF or a PyTorch file (.pth, .pt, .ckpt, .bin), got {}",
                describe(file->bytes()));
}

}  // namespace

Checkpoint open_checkpoint(const std::string& path) {
    const Span span("io", "open_checkpoint", path);
    try {
        return Checkpoint(read(path));
    } catch (Error& error) {
        // A file that could not be opened is already named in the message.
        if (error.code() == ErrorCode::BadFile) error.in("file " + path);
        throw;
    } catch (const std::bad_alloc&) {
        throw Error(ErrorCode::OutOfMemory, "read model: expected memory for its index, got none").in("file " + path);
    }
}

}  // namespace gpu
