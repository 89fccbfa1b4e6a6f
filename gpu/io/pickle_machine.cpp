#include "gpu/io/pickle_machine.h"

#include <bit>
#include <charconv>
#include <limits>

#include "gpu/base/error.h"
#include "gpu/io/mapped_file.h"

namespace gpu::pickle {

namespace {

// The names of Python's pickletools; protocols 0 to 5.
// clang-format off
enum Opcode : unsigned char {
    Mark = '(', Stop = '.', Pop = '0', PopMark = '1', Dup = '2', FloatLine = 'F', IntLine = 'I', BinInt = 'J',
    BinInt1 = 'K', LongLine = 'L', BinInt2 = 'M', NoneValue = 'N', PersidLine = 'P', BinPersid = 'Q', Reduce = 'R',
    StringLine = 'S', BinString = 'T', ShortBinString = 'U', UnicodeLine = 'V', BinUnicode = 'X', Append = 'a',
    Build = 'b', GlobalLine = 'c', DictMark = 'd', EmptyDict = '}', Appends = 'e', GetLine = 'g', BinGet = 'h',
    Inst = 'i', LongBinGet = 'j', ListMark = 'l', EmptyList = ']', Obj = 'o', PutLine = 'p', BinPut = 'q',
    LongBinPut = 'r', SetItem = 's', TupleMark = 't', EmptyTuple = ')', SetItems = 'u', BinFloat = 'G',
    BinBytes = 'B', ShortBinBytes = 'C', Proto = 0x80, NewObj = 0x81, Ext1 = 0x82, Ext2 = 0x83, Ext4 = 0x84,
    Tuple1 = 0x85, Tuple2 = 0x86, Tuple3 = 0x87, NewTrue = 0x88, NewFalse = 0x89, Long1 = 0x8a, Long4 = 0x8b,
    ShortBinUnicode = 0x8c, BinUnicode8 = 0x8d, BinBytes8 = 0x8e, EmptySet = 0x8f, AddItems = 0x90, FrozenSet = 0x91,
    NewObjEx = 0x92, StackGlobal = 0x93, Memoize = 0x94, Frame = 0x95, ByteArray8 = 0x96,
};
// clang-format on

Value truth(bool value) { return {.kind = Kind::Bool, .integer = value}; }

}  // namespace

std::string_view name_of(Kind kind) {
    static constexpr std::string_view names[] = {"None",      "a truth value", "an integer",    "a number", "a text",
                                                 "bytes",     "a value",       "a global name", "a list",   "a dict",
                                                 "a storage", "a tensor",      "an object"};
    return names[static_cast<std::size_t>(kind)];
}

Value Machine::run() {
    for (std::size_t steps = 0; step(); ++steps)
        if (steps == most_opcodes) malformed("more instructions than any model needs");
    const Value result = pop();
    if (!stack_.empty() || !marks_.empty()) malformed("values left over at its end");
    return result;
}

const Value* Machine::find(Value dict, std::string_view key) const {
    if (dict.kind != Kind::Dict) return nullptr;
    const auto& items = object(dict).items;
    for (std::size_t at = items.size(); at >= 2; at -= 2)
        if (is_text(items[at - 2], key)) return &items[at - 1];
    return nullptr;
}

// False after STOP.
bool Machine::step() {
    const auto opcode = take_little<unsigned char>();
    if (opcode == Stop) return false;
    if (step_stack(opcode) || step_number(opcode) || step_text(opcode) || step_container(opcode) || step_call(opcode))
        return true;
    malformed(format("the unknown instruction {}", int(opcode)));
}

bool Machine::step_stack(unsigned char opcode) {
    switch (opcode) {
        case Proto:
            if (take_little<std::uint8_t>() > 5) malformed("a protocol above 5");
            return true;
        case Frame:
            if (take_little<std::uint64_t>() > bytes_.size() - at_) malformed("a frame past the end");
            return true;
        case Mark: marks_.push_back(stack_.size()); return true;
        case Pop:
            if (!marks_.empty() && marks_.back() == stack_.size())
                marks_.pop_back();
            else
                pop();
            return true;
        case PopMark: pop_to_mark(); return true;
        case Dup: push(top()); return true;
        case BinPut: remember(take_little<std::uint8_t>(), top()); return true;
        case LongBinPut: remember(take_little<std::uint32_t>(), top()); return true;
        case PutLine: remember(static_cast<std::size_t>(parse_integer(take_line())), top()); return true;
        case Memoize: remember(memo_.size(), top()); return true;
        case BinGet: recall(take_little<std::uint8_t>()); return true;
        case LongBinGet: recall(take_little<std::uint32_t>()); return true;
        case GetLine: recall(static_cast<std::size_t>(parse_integer(take_line()))); return true;
        default: return false;
    }
}

bool Machine::step_number(unsigned char opcode) {
    const auto push_integer = [this](std::int64_t value) { push({.kind = Kind::Int, .integer = value}); };
    switch (opcode) {
        case NoneValue: push({}); return true;
        case NewTrue: push(truth(true)); return true;
        case NewFalse: push(truth(false)); return true;
        case BinInt: push_integer(take_little<std::int32_t>()); return true;
        case BinInt1: push_integer(take_little<std::uint8_t>()); return true;
        case BinInt2: push_integer(take_little<std::uint16_t>()); return true;
        case Long1: push_long(take(take_little<std::uint8_t>())); return true;
        case Long4: push_long(take(take_little<std::uint32_t>())); return true;
        case IntLine: {
            const std::string_view line = take_line();
            if (line == "00" || line == "01")
                push(truth(line == "01"));  // how protocol 0 writes truth values
            else
                push_integer(parse_integer(line));
            return true;
        }
        case LongLine: {
            std::string_view line = take_line();
            if (line.ends_with('L')) line.remove_suffix(1);
            if (line.size() > 18)
                push(make_text(Kind::Opaque, line));
            else
                push_integer(parse_integer(line));
            return true;
        }
        case BinFloat: {
            std::uint64_t bits = 0;  // the one big-endian number of the format
            for (const std::byte byte : take(8)) bits = bits << 8 | std::to_integer<std::uint64_t>(byte);
            push({.kind = Kind::Float, .real = std::bit_cast<double>(bits)});
            return true;
        }
        case FloatLine: {
            const std::string_view line = take_line();
            Value value{.kind = Kind::Float, .real = 0};
            const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), value.real);
            if (failure == std::errc::invalid_argument || end != line.data() + line.size())
                malformed("a number that is none");
            push(value);
            return true;
        }
        default: return false;
    }
}

bool Machine::step_text(unsigned char opcode) {
    const auto push_text = [this](Kind kind, std::uint64_t bytes) { push(make_text(kind, as_text(take(bytes)))); };
    switch (opcode) {
        case ShortBinString: push_text(Kind::Text, take_little<std::uint8_t>()); return true;
        case BinString: push_text(Kind::Text, take_little<std::uint32_t>()); return true;
        case ShortBinUnicode: push_text(Kind::Text, take_little<std::uint8_t>()); return true;
        case BinUnicode: push_text(Kind::Text, take_little<std::uint32_t>()); return true;
        case BinUnicode8: push_text(Kind::Text, take_little<std::uint64_t>()); return true;
        case ShortBinBytes: push_text(Kind::Bytes, take_little<std::uint8_t>()); return true;
        case BinBytes: push_text(Kind::Bytes, take_little<std::uint32_t>()); return true;
        case BinBytes8:
        case ByteArray8: push_text(Kind::Bytes, take_little<std::uint64_t>()); return true;
        case UnicodeLine:
        case StringLine: {
            std::string_view line = take_line();
            if (opcode == StringLine) {
                const bool quoted =
                    line.size() >= 2 && line.front() == line.back() && (line[0] == '\'' || line[0] == '"');
                if (!quoted) malformed("a text without quotes");
                line = line.substr(1, line.size() - 2);
            }
            // torch.save writes protocol 2 and up, which has no escapes.
            if (line.find('\\') != std::string_view::npos) malformed("an escaped text of protocol 0");
            push(make_text(Kind::Text, line));
            return true;
        }
        default: return false;
    }
}

bool Machine::step_container(unsigned char opcode) {
    const auto push_items = [this](Kind kind, std::vector<Value> items) {
        push(make(kind, {.items = std::move(items)}));
    };
    const auto pop_items = [this](std::size_t count) {
        std::vector<Value> items(count);
        for (std::size_t at = count; at-- > 0;) items[at] = pop();
        return items;
    };
    switch (opcode) {
        case EmptyTuple:
        case EmptyList:
        case EmptySet: push_items(Kind::Sequence, {}); return true;
        case EmptyDict: push_items(Kind::Dict, {}); return true;
        case Tuple1: push_items(Kind::Sequence, pop_items(1)); return true;
        case Tuple2: push_items(Kind::Sequence, pop_items(2)); return true;
        case Tuple3: push_items(Kind::Sequence, pop_items(3)); return true;
        case TupleMark:
        case ListMark:
        case FrozenSet: push_items(Kind::Sequence, pop_to_mark()); return true;
        case DictMark: {
            const std::vector<Value> items = pop_to_mark();
            push_items(Kind::Dict, {});
            add_pairs(top(), items);
            return true;
        }
        case Append: {
            const std::vector<Value> items = pop_items(1);
            add_items(top(), items);
            return true;
        }
        case Appends:
        case AddItems: {
            const std::vector<Value> items = pop_to_mark();
            add_items(top(), items);
            return true;
        }
        case SetItem: {
            const std::vector<Value> items = pop_items(2);
            add_pairs(top(), items);
            return true;
        }
        case SetItems: {
            const std::vector<Value> items = pop_to_mark();
            add_pairs(top(), items);
            return true;
        }
        default: return false;
    }
}

bool Machine::step_call(unsigned char opcode) {
    const auto push_call = [this](Value callable, Value arguments) {
        if (arguments.kind != Kind::Sequence) malformed("a call without a list of arguments");
        push(call(callable, object(arguments).items));
    };
    switch (opcode) {
        case GlobalLine: {
            const std::string_view module = take_line();
            push_global(module, take_line());
            return true;
        }
        case StackGlobal: {
            const Value name = pop(), module = pop();
            if (name.kind != Kind::Text || module.kind != Kind::Text) malformed("a global whose name is no text");
            push_global(object(module).text, object(name).text);
            return true;
        }
        case Reduce:
        case NewObj: {
            const Value arguments = pop(), callable = pop();
            push_call(callable, arguments);
            return true;
        }
        case NewObjEx: {
            const Value keywords = pop(), arguments = pop(), callable = pop();
            if (keywords.kind != Kind::Dict) malformed("keyword arguments that are no dict");
            push_call(callable, arguments);
            return true;
        }
        case Inst: {
            const std::string_view module = take_line();
            push_global(module, take_line());
            const Value callable = pop();
            push(call(callable, pop_to_mark()));
            return true;
        }
        case Obj: {
            std::vector<Value> items = pop_to_mark();
            if (items.empty()) malformed("an object without a class");
            const Value callable = items.front();
            items.erase(items.begin());
            push(call(callable, items));
            return true;
        }
        case Build: {
            const Value state = pop();
            set_state(top(), state);
            return true;
        }
        case BinPersid: push(persistent(pop())); return true;
        case PersidLine: malformed("a persistent id in text form");
        case Ext1:
        case Ext2:
        case Ext4: malformed("a name from Python's extension registry");
        default: return false;
    }
}

std::span<const std::byte> Machine::take(std::uint64_t count) {
    const auto part = slice(bytes_, at_, count, "pickle");
    at_ += count;
    return part;
}

template <typename Integer>
Integer Machine::take_little() {
    return read_little<Integer>(take(sizeof(Integer)), 0, "pickle");
}

std::string_view Machine::take_line() {
    const std::string_view rest = as_text(bytes_).substr(at_);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) malformed("a line without an end");
    at_ += end + 1;
    return rest.substr(0, end);
}

void Machine::push(Value value) {
    if (stack_.size() == most_stack) malformed("a deeper stack than any model needs");
    stack_.push_back(value);
}

Value Machine::pop() {
    const Value value = top();
    stack_.pop_back();
    return value;
}

Value& Machine::top() {
    // What lies below the last mark belongs to the container that is being built there.
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) malformed("an instruction without its operand");
    return stack_.back();
}

std::vector<Value> Machine::pop_to_mark() {
    if (marks_.empty()) malformed("an instruction without its mark");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Value> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
}

void Machine::remember(std::size_t slot, Value value) {
    memo_[slot] = value;
    if (memo_.size() > most_objects) malformed("more remembered values than any model needs");
}

void Machine::recall(std::size_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) malformed("a remembered value that is not there");
    push(found->second);
}

std::int64_t Machine::parse_integer(std::string_view digits) const {
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc() || end != digits.data() + digits.size()) malformed("a number that is none");
    return value;
}

void Machine::push_long(std::span<const std::byte> bytes) {
    if (bytes.size() > 8) return push(make_text(Kind::Bytes, as_text(bytes)));
    std::uint64_t value = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0} ? ~std::uint64_t{0} : 0;
    for (std::size_t at = bytes.size(); at-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[at]);
    push({.kind = Kind::Int, .integer = static_cast<std::int64_t>(value)});
}

void Machine::push_global(std::string_view module, std::string_view name) {
    if (module.size() + name.size() > 1000) malformed("a name of more than 1000 characters");
    names_.push_back(format("{}.{}", module, name));
    push(make_text(Kind::Global, names_.back()));
}

void Machine::add_items(Value target, const std::vector<Value>& items) {
    if (target.kind == Kind::Object) return;  // a placeholder's contents are of no interest
    if (target.kind != Kind::Sequence) malformed(format("an item added to {}", name_of(target.kind)));
    auto& list = objects_[target.object].items;
    list.insert(list.end(), items.begin(), items.end());
}

void Machine::add_pairs(Value target, const std::vector<Value>& items) {
    if (items.size() % 2 != 0) malformed("a key without a value");
    if (target.kind == Kind::Object) return;
    if (target.kind != Kind::Dict) malformed(format("a key added to {}", name_of(target.kind)));
    auto& pairs = objects_[target.object].items;
    pairs.insert(pairs.end(), items.begin(), items.end());
}

Value Machine::make(Kind kind, Object object) {
    if (objects_.size() == most_objects) malformed("more objects than any model needs");
    objects_.push_back(std::move(object));
    return {.kind = kind, .object = objects_.size() - 1};
}

void Machine::malformed(std::string_view what) const {
    throw Error(ErrorCode::BadFile, "read pickle: expected a pickle of tensors, got {} before byte {}", what, at_);
}

}  // namespace gpu::pickle
