#include "gpu/io/pickle_tensors.h"

#include <cstring>
#include <optional>
#include <unordered_map>

#include "gpu/base/error.h"

namespace gpu::pickle {

namespace {

constexpr int most_depth = 64;
// A dict that many lists share is visited once for each of them, so that a small file could ask for any number of
// visits.
constexpr std::size_t most_visits = 1'000'000;  // of tensors, dicts and lists
constexpr std::size_t most_items = 10'000'000;  // in the dicts and lists visited
constexpr std::size_t longest_name = 2000;
constexpr std::size_t longest_metadata = 4000;
constexpr int most_skipped_named = 20;

[[noreturn]] void refuse(const std::string& expected, std::string_view got) {
    throw Error(ErrorCode::BadFile, "read pickle: expected {}, got {}", expected, got);
}

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at++]);
        const int more = lead < 0x80                   ? 0
                         : lead >= 0xc2 && lead < 0xe0 ? 1
                         : (lead & 0xf0) == 0xe0       ? 2
                         : lead >= 0xf0 && lead < 0xf5 ? 3
                                                       : -1;
        if (more < 0) return false;
        for (int byte = 0; byte < more; ++byte, ++at)
            if (at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) return false;
    }
    return true;
}

// The bytes of a view, in row-major order, one element after another. The view was checked against the storage.
std::vector<std::byte> gather(const TensorView& view, std::span<const std::byte> storage, std::size_t size,
                              std::int64_t count) {
    std::vector<std::byte> result(static_cast<std::size_t>(count) * size);
    std::vector<std::int64_t> index(view.shape.size(), 0);
    const std::byte* source = storage.data() + static_cast<std::size_t>(view.offset) * size;
    for (std::byte* target = result.data();; target += size) {
        std::memcpy(target, source, size);
        std::size_t axis = view.shape.size();
        for (; axis-- > 0;) {
            const std::ptrdiff_t step = view.strides[axis] * static_cast<std::ptrdiff_t>(size);
            if (++index[axis] < view.shape[axis]) {
                source += step;
                break;
            }
            source -= step * (view.shape[axis] - 1);
            index[axis] = 0;
        }
        if (axis == std::size_t(-1)) return result;
    }
}

bool row_major(const TensorView& view) {
    std::int64_t stride = 1;
    for (std::size_t axis = view.shape.size(); axis-- > 0;) {
        if (view.shape[axis] != 1 && view.strides[axis] != stride) return false;
        stride *= view.shape[axis];
    }
    return true;
}

class Collector {
public:
    Collector(const Machine& machine, const StorageBytes& storage_bytes, std::uint64_t copy_limit,
              CheckpointContent& content)
        : machine_(machine), storage_bytes_(storage_bytes), copy_limit_(copy_limit), content_(content) {}

    void collect(Value root) {
        if (root.kind == Kind::Dict)
            visit_top(root);
        else if (root.kind == Kind::Tensor)
            add_tensor(root, "tensor");
        else if (root.kind == Kind::Sequence || module_state(root))
            visit(root, "", 0);
        else if (root.kind == Kind::Object)
            refuse("a dict of tensors", format("an object of class {}", machine_.object(root).text));
        else
            refuse("a dict of tensors", name_of(root.kind));
        if (skipped_ > most_skipped_named) note_skipped(format("and {} more", skipped_ - most_skipped_named));
    }

private:
    // The top of a checkpoint: what is not a tensor there is worth knowing (epoch, step, a name).
    void visit_top(Value dict) {
        each_item(dict, [&](const std::string& key, Value value) {
            if (key == "state_dict" && value.kind == Kind::Dict) {
                content_.metadata["pickle.unwrapped"] = key;
                visit(value, "", 1);
            } else if (const auto text = plain_text(value)) {
                content_.metadata[key] = *text;
            } else {
                visit(value, key, 1);
            }
        });
    }

    void visit(Value value, const std::string& path, int depth) {
        if (++visits_ > most_visits) refuse(format("at most {} dicts, lists and tensors", most_visits), "more");
        if (depth > most_depth) refuse(format("at most {} levels of dicts and lists", most_depth), "more");
        const auto child = [&](const std::string& key) { return path.empty() ? key : format("{}.{}", path, key); };
        switch (value.kind) {
            case Kind::Tensor: add_tensor(value, path); return;
            case Kind::Dict:
                each_item(value, [&](const std::string& key, Value item) {
                    if (worth_a_visit(item)) visit(item, child(key), depth + 1);
                });
                return;
            case Kind::Sequence: {
                const auto& items = machine_.object(value).items;
                count_items(items.size());
                for (std::size_t at = 0; at < items.size(); ++at)
                    if (worth_a_visit(items[at])) visit(items[at], child(std::to_string(at)), depth + 1);
                return;
            }
            case Kind::Object: visit_object(value, path, depth); return;
            default: return;
        }
    }

    void visit_object(Value value, const std::string& path, int depth) {
        const Value* state = module_state(value);
        if (!state) {
            if (++skipped_ <= most_skipped_named) note_skipped(format("{} ({})", path, machine_.object(value).text));
            return;
        }
        // As torch.nn.Module.state_dict() names them: parameters and buffers by their own names, then the children.
        for (const char* part : {"_parameters", "_buffers", "_modules"})
            if (const Value* items = machine_.find(*state, part)) visit(*items, path, depth + 1);
    }

    // The attributes of a pickled torch.nn.Module; null for other objects.
    const Value* module_state(Value value) const {
        if (value.kind != Kind::Object || machine_.object(value).items.empty()) return nullptr;
        const Value& state = machine_.object(value).items[0];
        const bool module = machine_.find(state, "_parameters") && machine_.find(state, "_modules");
        return module ? &state : nullptr;
    }

    // Calls visit_item(key, value) for every item whose key is a text or an integer. Of equal keys the last counts, as
    // in Python.
    template <typename Visit>
    void each_item(Value dict, Visit visit_item) {
        const auto& items = machine_.object(dict).items;
        count_items(items.size());
        std::unordered_map<std::string, std::size_t> last;
        for (std::size_t at = 0; at + 1 < items.size(); at += 2)
            if (const auto key = key_text(items[at])) last[*key] = at;
        for (std::size_t at = 0; at + 1 < items.size(); at += 2) {
            const auto key = key_text(items[at]);
            if (key && last[*key] == at)
                visit_item(*key, items[at + 1]);
            else if (!key && worth_a_visit(items[at + 1]))
                refuse("texts and integers as names of tensors", name_of(items[at].kind));
        }
    }

    static bool worth_a_visit(Value value) {
        return value.kind == Kind::Tensor || value.kind == Kind::Dict || value.kind == Kind::Sequence ||
               value.kind == Kind::Object;
    }

    std::optional<std::string> key_text(Value key) const {
        if (key.kind == Kind::Int) return std::to_string(key.integer);
        if (key.kind == Kind::Text) return std::string(machine_.object(key).text);
        return std::nullopt;
    }

    // A number or a short text; nothing for other values.
    std::optional<std::string> plain_text(Value value) const {
        switch (value.kind) {
            case Kind::Bool: return value.integer ? "true" : "false";
            case Kind::Int: return std::to_string(value.integer);
            case Kind::Float: return format("{}", value.real);
            case Kind::Text: {
                const std::string_view text = machine_.object(value).text;
                if (text.size() <= longest_metadata && is_utf8(text)) return std::string(text);
                return std::nullopt;
            }
            default: return std::nullopt;
        }
    }

    void add_tensor(Value value, const std::string& name) {
        if (name.size() > longest_name)
            refuse(format("names of at most {} bytes", longest_name), std::to_string(name.size()));
        if (!is_utf8(name)) refuse("names of tensors in UTF-8", "other bytes");
        try {
            content_.entries.push_back(entry(machine_.tensor(value), name));
        } catch (Error& error) {
            throw Error(ErrorCode::BadFile, error.message()).in(format("tensor {}", name));
        }
    }

    TensorEntry entry(const TensorView& view, const std::string& name) {
        const Storage& storage = machine_.storage_at(view.storage);
        const std::size_t size = size_of(storage.dtype);
        TensorEntry result{.name = name, .dtype = storage.dtype, .shape = view.shape};
        const std::int64_t count = element_count(view.shape);
        std::int64_t last = view.offset;
        bool overflow = false;
        for (std::size_t axis = 0; axis < view.shape.size() && count > 0; ++axis) {
            std::int64_t reach = 0;
            overflow |= __builtin_mul_overflow(view.shape[axis] - 1, view.strides[axis], &reach);
            overflow |= __builtin_add_overflow(last, reach, &last);
        }
        if (overflow || (count > 0 ? last >= storage.visible : last > storage.visible))
            refuse(
                format("a view inside its storage of {} elements", storage.visible),
                format("offset {}, shape {}, strides {}", view.offset, to_string(view.shape), to_string(view.strides)));
        // In all, so that the storage is checked for empty tensors too.
        const StoredBytes stored = storage_bytes_(storage);
        const auto bytes = stored.bytes.subspan(static_cast<std::size_t>(storage.first) * size);
        if (count == 0) return result;
        if (row_major(view)) {
            result.unverified = stored.unverified;
            result.bytes =
                bytes.subspan(static_cast<std::size_t>(view.offset) * size, static_cast<std::size_t>(count) * size);
            return result;
        }
        // A stride of 0 repeats elements: a small file could ask for any amount of memory.
        if (static_cast<std::uint64_t>(count) > (copy_limit_ - copied_) / size)
            refuse(format("at most {} bytes of tensors that are not row-major", copy_limit_), "more");
        copied_ += static_cast<std::uint64_t>(count) * size;
        if (stored.unverified) (*stored.unverified)();
        const auto copy = std::make_shared<const std::vector<std::byte>>(gather(view, bytes, size, count));
        content_.keep.push_back(copy);
        result.bytes = *copy;
        return result;
    }

    void count_items(std::size_t items) {
        items_ += items;
        if (items_ > most_items) refuse(format("at most {} values in dicts and lists", most_items), "more");
    }

    void note_skipped(const std::string& what) {
        std::string& list = content_.metadata["pickle.skipped"];
        list += format("{}{}", list.empty() ? "" : ", ", is_utf8(what) ? what : "(no text)");
    }

    const Machine& machine_;
    const StorageBytes& storage_bytes_;
    const std::uint64_t copy_limit_;
    CheckpointContent& content_;
    std::uint64_t copied_ = 0;
    std::size_t visits_ = 0;
    std::size_t items_ = 0;
    int skipped_ = 0;
};

}  // namespace

void collect_tensors(const Machine& machine, Value root, const StorageBytes& storage_bytes, std::uint64_t copy_limit,
                     CheckpointContent& content) {
    Collector(machine, storage_bytes, copy_limit, content).collect(root);
}

}  // namespace gpu::pickle
