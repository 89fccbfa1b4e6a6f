// PyTorch's files (.pth, .pt, .ckpt, .bin). Since version 1.6 a zip archive: NAME/data.pkl is the object, NAME/data/KEY
// the bytes of its storages. Before that five pickles one after another (a magic number, a protocol, facts about the
// machine, the object, the keys of its storages), then each storage as an i64 count and its bytes.
#include <unordered_map>

#include "gpu/base/error.h"
#include "gpu/io/pickle_machine.h"
#include "gpu/io/pickle_tensors.h"
#include "gpu/io/readers.h"
#include "gpu/io/zip.h"

namespace gpu {
namespace {

using pickle::Kind;
using pickle::Machine;
using pickle::Storage;
using pickle::Value;

constexpr std::string_view zip_start = "PK\x03\x04";
constexpr std::string_view legacy_magic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::int64_t legacy_protocol = 1001;

[[noreturn]] void refuse(const std::string& expected, std::string_view got) {
    throw Error(ErrorCode::BadFile, "read pickle: expected {}, got {}", expected, got);
}

// Room for tensors that must be rearranged: more than any real file needs, and in proportion to the file.
std::uint64_t copy_limit(const MappedFile& file) { return (std::uint64_t{64} << 20) + 16 * file.size(); }

std::uint64_t bytes_of(const Storage& storage) {
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(storage.count), size_of(storage.dtype), &bytes))
        refuse("fewer than 2^64 bytes in a storage", format("{} elements", storage.count));
    return bytes;
}

// The folder that the archive's entries lie in: that of the one NAME/data.pkl.
std::string_view archive_root(const ZipArchive& archive) {
    constexpr std::string_view suffix = "/data.pkl";
    std::string_view root;
    for (const ZipEntry& entry : archive.entries()) {
        if (!entry.name.ends_with(suffix) || entry.name.find('/') != entry.name.size() - suffix.size()) continue;
        if (!root.empty()) refuse("one data.pkl in the zip archive", "two");
        root = entry.name.substr(0, entry.name.size() - suffix.size());
    }
    if (root.empty()) refuse("data.pkl in the zip archive", format("{} other entries", archive.entries().size()));
    return root;
}

CheckpointContent read_zip(const FileHandle& file) {
    const ZipArchive archive(file->bytes());
    const std::string_view root = archive_root(archive);
    const auto find = [&](std::string_view name) { return archive.find(format("{}/{}", root, name)); };
    if (const ZipEntry* order = find("byteorder"))
        if (as_text(archive.content(*order)) != "little")
            refuse("little-endian numbers", format("byteorder {}", as_text(archive.content(*order)).substr(0, 20)));
    if (find("constants.pkl")) refuse("a pickle of tensors", "a TorchScript program");

    const auto bytes = archive.content(*find("data.pkl"));
    ZipArchive::verify(*find("data.pkl"), bytes);
    Machine machine(bytes);
    const Value object = machine.run();
    if (machine.consumed() != bytes.size())
        refuse(format("a pickle of {} bytes", bytes.size()), format("its end at {}", machine.consumed()));

    std::unordered_map<const ZipEntry*, std::shared_ptr<const LazyCheck>> checks;   // tensors share storages
    const auto storage_bytes = [&](const Storage& storage) -> pickle::StoredBytes {
        const ZipEntry* entry = find(format("data/{}", storage.key));
        if (!entry) refuse(format("storage {} in the zip archive", storage.key), "none");
        const auto stored = archive.content(*entry);
        if (stored.size() != bytes_of(storage))
            refuse(format("{} bytes in storage {}", bytes_of(storage), storage.key), std::to_string(stored.size()));
        auto& check = checks[entry];
        if (!check) check = std::make_shared<const LazyCheck>([entry = *entry, stored] { ZipArchive::verify(entry, stored); });
        return {stored, check};
    };
    CheckpointContent content{.format = "pickle"};
    pickle::collect_tensors(machine, object, storage_bytes, copy_limit(*file), content);
    return content;
}

// The pickles at the start of a legacy file, one after another.
class LegacyReader {
public:
    explicit LegacyReader(std::span<const std::byte> bytes) : rest_(bytes) {}

    // The next pickle's value lives in `machine`.
    Value next(Machine& machine) {
        const Value value = machine.run();
        rest_ = rest_.subspan(machine.consumed());
        return value;
    }
    std::span<const std::byte> rest() const { return rest_; }

private:
    std::span<const std::byte> rest_;
};

void check_legacy_start(LegacyReader& reader) {
    Machine first(reader.rest());
    const Value magic = reader.next(first);
    if (magic.kind != Kind::Bytes || first.object(magic).text != legacy_magic)
        refuse("a pickle that torch.save wrote", format("another one, of {}", name_of(magic.kind)));
    Machine second(reader.rest());
    const Value protocol = reader.next(second);
    if (protocol.kind != Kind::Int || protocol.integer != legacy_protocol)
        refuse(format("protocol {}", legacy_protocol),
               protocol.kind == Kind::Int ? std::to_string(protocol.integer) : "none");
    Machine third(reader.rest());
    const Value facts = reader.next(third);
    const Value* little = third.find(facts, "little_endian");
    if (!little || little->kind != Kind::Bool || !little->integer) refuse("little-endian numbers", "others");
}

using Storages = std::unordered_map<std::string_view, std::span<const std::byte>>;

// The storages after the pickles, in the order of their keys.
Storages read_legacy_storages(const Machine& machine, const Machine& key_machine, Value keys,
                              std::span<const std::byte> data) {
    std::unordered_map<std::string_view, const Storage*> wanted;
    for (const Storage& storage : machine.storages()) {
        const auto [found, fresh] = wanted.emplace(storage.key, &storage);
        if (!fresh && (found->second->dtype != storage.dtype || found->second->count != storage.count))
            refuse(format("one type and size of storage {}", storage.key), "two");
    }
    if (keys.kind != Kind::Sequence) refuse("a list of storages", name_of(keys.kind));
    Storages result;
    std::uint64_t at = 0;
    for (const Value key : key_machine.object(keys).items) {
        if (key.kind != Kind::Text) refuse("texts as keys of storages", name_of(key.kind));
        const std::string_view name = key_machine.object(key).text;
        const auto found = wanted.find(name);
        if (found == wanted.end()) refuse("only storages that a tensor uses", name.substr(0, 100));
        const std::string what = format("storage {}", name.substr(0, 100));
        const auto count = read_little<std::int64_t>(data, at, what);
        if (count != found->second->count)
            refuse(format("{} elements in {}", found->second->count, what), std::to_string(count));
        const auto bytes = slice(data, at + 8, bytes_of(*found->second), what);
        if (!result.emplace(name, bytes).second) refuse(format("{} once", what), "twice");
        at += 8 + bytes.size();
    }
    if (at != data.size()) refuse(format("{} bytes of storages", at), std::to_string(data.size()));
    return result;
}

CheckpointContent read_legacy(const FileHandle& file) {
    LegacyReader reader(file->bytes());
    check_legacy_start(reader);
    Machine machine(reader.rest());
    const Value object = reader.next(machine);
    Machine key_machine(reader.rest());
    const Value keys = reader.next(key_machine);
    const Storages storages = read_legacy_storages(machine, key_machine, keys, reader.rest());

    const auto storage_bytes = [&](const Storage& storage) -> pickle::StoredBytes {
        const auto found = storages.find(storage.key);
        if (found == storages.end()) refuse(format("storage {} after the pickles", storage.key.substr(0, 100)), "none");
        return {found->second, nullptr};
    };
    CheckpointContent content{.format = "legacy pickle"};
    pickle::collect_tensors(machine, object, storage_bytes, copy_limit(*file), content);
    return content;
}

}  // namespace

bool is_pickle(std::span<const std::byte> bytes) {
    const std::string_view text = as_text(bytes);
    // A safetensors header may have a length that looks like the start of a pickle.
    if (text.size() > 8 && text[8] == '{' && read_little<std::uint64_t>(bytes, 0, "header length") >> 32 == 0)
        return false;
    if (text.starts_with(zip_start)) return true;
    if (text.size() < 2) return false;
    if (text[0] == '\x80') return text[1] >= 2 && text[1] <= 5;
    // Protocols 0 and 1 have no signature; they begin with a global, a mark or an empty container and end with a stop.
    return std::string_view("c(]})").find(text[0]) != std::string_view::npos && text.back() == '.';
}

CheckpointContent read_pickle(const FileHandle& file) {
    return as_text(file->bytes()).starts_with(zip_start) ? read_zip(file) : read_legacy(file);
}

}  // namespace gpu
