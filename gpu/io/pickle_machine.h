// Reads a pickle as data. The machine knows dictionaries, lists, numbers, texts and PyTorch's tensors; it never imports
// or calls anything. What a pickle would call is looked up in a list (pickle_calls.cpp): tensors are rebuilt, harmless
// objects become placeholders, everything else is refused by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gpu/graph/dtype.h"
#include "gpu/graph/shape.h"

namespace gpu::pickle {

enum class Kind : std::uint8_t {
    None,
    Bool,
    Int,
    Float,
    Text,
    Bytes,     // also integers beyond 64 bits, as their little-endian bytes
    Opaque,    // data of no interest: complex numbers, devices, numpy scalars
    Global,    // a name: `text` is "module.name"
    Sequence,  // list, tuple, set
    Dict,      // `items` are key, value, key, value ...
    Storage,
    Tensor,
    Object,  // a placeholder: `text` is the class; items are its state when it has one
};

// A small value, or the number of an object in the machine's table. Copying one never copies what it refers to.
struct Value {
    Kind kind = Kind::None;
    union {
        std::int64_t integer = 0;  // Bool, Int
        double real;               // Float
        std::size_t object;        // Text and everything after it
    };
};

struct Object {
    std::string_view text;     // Text, Bytes, Global, Object; lies in the pickle or in the machine
    std::vector<Value> items;  // Sequence, Dict, Object
    std::size_t detail = 0;    // Storage, Tensor: which row of the machine's tables
};

// What a persistent id says: `count` elements of `dtype` stored elsewhere under `key`; tensors see those from `first`
// on.
struct Storage {
    std::string_view key;
    Dtype dtype = Dtype::F32;
    std::int64_t count = 0;
    std::int64_t first = 0;
    std::int64_t visible = 0;
};

// A view of a storage; offset and strides in elements. The reader of the file checks them against the storage.
struct TensorView {
    std::size_t storage = 0;
    std::int64_t offset = 0;
    Shape shape;
    std::vector<std::int64_t> strides;
};

// Interprets one pickle. The bytes must outlive the machine; texts are views of them.
class Machine {
public:
    explicit Machine(std::span<const std::byte> bytes) : bytes_(bytes) {}

    // The pickle's value. Throws BadFile for everything that is not a pickle of data, and past the limits below.
    Value run();

    // Bytes that run() read, the STOP included.
    std::size_t consumed() const { return at_; }

    const Object& object(Value value) const { return objects_[value.object]; }
    const Storage& storage(Value value) const { return storages_[object(value).detail]; }
    const Storage& storage_at(std::size_t row) const { return storages_[row]; }
    const TensorView& tensor(Value value) const { return tensors_[object(value).detail]; }
    const std::vector<Storage>& storages() const { return storages_; }

    bool is_text(Value value, std::string_view text) const {
        return value.kind == Kind::Text && object(value).text == text;
    }

    // The value of the last item of this key; null when there is none.
    const Value* find(Value dict, std::string_view key) const;

private:
    // A hostile file of n bytes may cost about 100 n bytes of memory, and no more than these.
    static constexpr std::size_t most_objects = 4'000'000;
    static constexpr std::size_t most_stack = 4'000'000;
    static constexpr std::size_t most_opcodes = 100'000'000;

    // pickle_machine.cpp
    bool step();
    bool step_text(unsigned char opcode);
    bool step_number(unsigned char opcode);
    bool step_stack(unsigned char opcode);
    bool step_container(unsigned char opcode);
    bool step_call(unsigned char opcode);
    std::span<const std::byte> take(std::uint64_t bytes);
    template <typename Integer>
    Integer take_little();
    std::string_view take_line();
    void push(Value value);
    Value pop();
    Value& top();
    std::vector<Value> pop_to_mark();
    void remember(std::size_t slot, Value value);
    void recall(std::size_t slot);
    std::int64_t parse_integer(std::string_view digits) const;
    void push_long(std::span<const std::byte> bytes);
    void push_global(std::string_view module, std::string_view name);
    void add_items(Value target, const std::vector<Value>& items);
    void add_pairs(Value target, const std::vector<Value>& items);
    [[noreturn]] void malformed(std::string_view what) const;

    // pickle_calls.cpp
    Value call(Value callable, const std::vector<Value>& arguments);
    void set_state(Value target, Value state);
    Value persistent(Value id);
    Value rebuild_tensor(const std::vector<Value>& arguments, std::string_view function);
    Value as_dict(const std::vector<Value>& arguments);
    std::vector<std::int64_t> integers(Value value, std::string_view what) const;
    std::int64_t integer(Value value, std::string_view what) const;

    Value make(Kind kind, Object object);
    Value make_text(Kind kind, std::string_view text) { return make(kind, {.text = text}); }

    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    std::vector<Value> stack_;
    std::vector<std::size_t> marks_;  // heights of the stack
    std::unordered_map<std::size_t, Value> memo_;
    std::deque<Object> objects_;  // a deque: references stay good while objects are added
    std::vector<Storage> storages_;
    std::vector<TensorView> tensors_;
    std::size_t copied_ = 0;         // values that were copied out of lists that others may share
    std::deque<std::string> names_;  // texts that are not in the pickle as they stand; a deque does not move them
};

// "a dict", "a tensor": for messages.
std::string_view name_of(Kind kind);

}  // namespace gpu::pickle
