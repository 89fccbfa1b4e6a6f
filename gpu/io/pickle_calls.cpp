// What a pickle may "call". Nothing is ever executed: a call is a row in the lists below or a refusal.
#include <algorithm>
#include <array>
#include <optional>

#include "gpu/base/error.h"
#include "gpu/io/pickle_machine.h"

namespace gpu::pickle {

namespace {

constexpr std::size_t most_axes = 32;
constexpr std::size_t most_tensors = 500'000;

enum class Role { Tensor, Parameter, Subclass, Dict, DefaultDict, Sequence, Opaque, Reconstructor };

struct Callable {
    std::string_view name;
    Role role;
};

constexpr Callable callables[] = {
    {"torch._utils._rebuild_tensor_v2", Role::Tensor},
    {"torch._utils._rebuild_tensor", Role::Tensor},
    {"torch._utils._rebuild_parameter", Role::Parameter},
    {"torch._utils._rebuild_parameter_with_state", Role::Parameter},
    {"torch._tensor._rebuild_from_type_v2", Role::Subclass},
    {"collections.OrderedDict", Role::Dict},
    {"collections.defaultdict", Role::DefaultDict},
    {"builtins.dict", Role::Dict},
    {"torch.Size", Role::Sequence},
    {"builtins.list", Role::Sequence},
    {"builtins.tuple", Role::Sequence},
    {"builtins.set", Role::Sequence},
    {"builtins.frozenset", Role::Sequence},
    {"builtins.complex", Role::Opaque},
    {"builtins.slice", Role::Opaque},
    {"builtins.range", Role::Opaque},
    {"builtins.bytearray", Role::Opaque},
    {"builtins.bytes", Role::Opaque},
    {"builtins.int", Role::Opaque},
    {"builtins.float", Role::Opaque},
    {"builtins.bool", Role::Opaque},
    {"builtins.str", Role::Opaque},
    {"builtins.object", Role::Opaque},
    {"_codecs.encode", Role::Opaque},
    {"torch.device", Role::Opaque},
    {"torch.serialization._get_layout", Role::Opaque},
    {"numpy.dtype", Role::Opaque},
    {"numpy.core.multiarray.scalar", Role::Opaque},
    {"numpy._core.multiarray.scalar", Role::Opaque},
    {"copyreg._reconstructor", Role::Reconstructor},
    {"copyreg.__newobj__", Role::Reconstructor},
};

// A placeholder for a call of these would be as harmless as any other, but a file that asks for them is no model, and
// whoever opens it should hear so. "a." means a module and all below it.
constexpr std::string_view refused[] = {"__builtin__.",
                                        "_io.",
                                        "_pickle.",
                                        "_posixsubprocess.",
                                        "_thread.",
                                        "aiohttp.",
                                        "asyncio.",
                                        "atexit.",
                                        "bdb.",
                                        "builtins.",
                                        "cProfile.",
                                        "cPickle.",
                                        "cloudpickle.",
                                        "code.",
                                        "codeop.",
                                        "commands.",
                                        "concurrent.",
                                        "ctypes.",
                                        "dill.",
                                        "distutils.",
                                        "doctest.",
                                        "ensurepip.",
                                        "ftplib.",
                                        "gc.",
                                        "glob.",
                                        "http.",
                                        "httplib.",
                                        "imp.",
                                        "importlib.",
                                        "inspect.",
                                        "io.",
                                        "joblib.",
                                        "linecache.",
                                        "marshal.",
                                        "mmap.",
                                        "multiprocessing.",
                                        "nt.",
                                        "ntpath.",
                                        "numpy.load",
                                        "numpy.testing.",
                                        "operator.",
                                        "os.",
                                        "pdb.",
                                        "pickle.",
                                        "pip.",
                                        "pkgutil.",
                                        "platform.",
                                        "popen2.",
                                        "posix.",
                                        "posixpath.",
                                        "profile.",
                                        "pty.",
                                        "pydoc.",
                                        "requests.",
                                        "runpy.",
                                        "setuptools.",
                                        "shelve.",
                                        "shutil.",
                                        "signal.",
                                        "site.",
                                        "smtplib.",
                                        "socket.",
                                        "sqlite3.",
                                        "ssl.",
                                        "subprocess.",
                                        "sys.",
                                        "telnetlib.",
                                        "tempfile.",
                                        "threading.",
                                        "timeit.",
                                        "trace.",
                                        "types.CodeType",
                                        "types.FunctionType",
                                        "urllib.",
                                        "urllib2.",
                                        "venv.",
                                        "webbrowser.",
                                        "xmlrpc.",
                                        "zipimport."};

// Parts of PyTorch that make tensors in ways that are not read here, load other files, or run programs.
constexpr std::string_view unread[] = {"torch._C.",      "torch._dynamo.",       "torch._inductor.",
                                       "torch._tensor.", "torch._utils.",        "torch.hub.",
                                       "torch.jit.",     "torch.load",           "torch.multiprocessing.",
                                       "torch.package.", "torch.serialization.", "torch.storage.",
                                       "torch.tensor",   "torch.Tensor"};

constexpr bool covers(std::string_view row, std::string_view name) {
    return row.ends_with('.') ? name.starts_with(row) : name == row;
}

std::optional<Dtype> storage_dtype(std::string_view type) {
    struct Row {
        std::string_view name;
        Dtype dtype;
    };
    static constexpr Row rows[] = {{"FloatStorage", Dtype::F32},     {"HalfStorage", Dtype::F16},
                                   {"BFloat16Storage", Dtype::BF16}, {"DoubleStorage", Dtype::F64},
                                   {"LongStorage", Dtype::I64},      {"IntStorage", Dtype::I32},
                                   {"ShortStorage", Dtype::I16},     {"CharStorage", Dtype::I8},
                                   {"ByteStorage", Dtype::U8},       {"BoolStorage", Dtype::Bool}};
    for (const std::string_view prefix : {"torch.", "torch.cuda."})
        for (const Row& row : rows)
            if (type.starts_with(prefix) && type.substr(prefix.size()) == row.name) return row.dtype;
    return std::nullopt;
}

[[noreturn]] void refuse(const std::string& expected, std::string_view got) {
    throw Error(ErrorCode::BadFile, "read pickle: expected {}, got {}", expected, got);
}

[[noreturn]] void refuse_call(std::string_view name) {
    throw Error(ErrorCode::BadFile, "read pickle: the pickle calls {}; only tensors are read", name);
}

// Python 2 had other names for two modules.
std::string modern(std::string_view name) {
    for (const auto& [old, now] :
         {std::pair<std::string_view, std::string_view>{"__builtin__.", "builtins."}, {"copy_reg.", "copyreg."}})
        if (name.starts_with(old)) return std::string(now) + std::string(name.substr(old.size()));
    return std::string(name);
}

}  // namespace

Value Machine::call(Value callable, const std::vector<Value>& arguments) {
    if (callable.kind != Kind::Global) refuse_call(name_of(callable.kind));
    const std::string_view written = object(callable).text;
    const std::string name = modern(written);
    const auto found =
        std::find_if(std::begin(callables), std::end(callables), [&](const Callable& c) { return c.name == name; });
    if (found == std::end(callables)) {
        const auto covered = [&](std::string_view row) { return covers(row, name); };
        // "posix\nsystem" and its like, with or without a dot in the wrong place, are seen by their first part.
        if (std::any_of(std::begin(refused), std::end(refused), covered)) refuse_call(written);
        const bool tensor_class = name.starts_with("torch.") && (name.ends_with("Tensor") || name.ends_with("Storage"));
        if (tensor_class || std::any_of(std::begin(unread), std::end(unread), covered)) refuse_call(written);
        return make_text(Kind::Object, written);
    }
    switch (found->role) {
        case Role::Tensor: return rebuild_tensor(arguments, written);
        case Role::Parameter:
            if (arguments.empty() || arguments[0].kind != Kind::Tensor)
                refuse(format("a tensor for {}", written), arguments.empty() ? "nothing" : name_of(arguments[0].kind));
            return arguments[0];
        case Role::Subclass: {
            // (function, type, arguments, state): the tensor is what the function makes of the arguments.
            if (arguments.size() < 3 || arguments[2].kind != Kind::Sequence)
                refuse(format("a function and its arguments for {}", written), "other values");
            // Itself as the function would go on for ever.
            if (arguments[0].kind == Kind::Global && object(arguments[0]).text == written) refuse_call(written);
            const Value made = call(arguments[0], object(arguments[2]).items);
            if (made.kind != Kind::Tensor) refuse(format("a tensor from {}", written), name_of(made.kind));
            return made;
        }
        case Role::Dict: return as_dict(arguments);
        case Role::DefaultDict: return make(Kind::Dict, {});
        case Role::Sequence:
            if (!arguments.empty() && arguments[0].kind == Kind::Sequence) return arguments[0];
            return make(Kind::Sequence, {});
        case Role::Opaque: return make(Kind::Opaque, {});
        case Role::Reconstructor:
            if (arguments.empty()) refuse(format("a class for {}", written), "nothing");
            return call(arguments[0], {});
    }
    refuse_call(written);
}

void Machine::set_state(Value target, Value state) {
    switch (target.kind) {
        case Kind::Object: objects_[target.object].items = {state}; return;
        // Attributes of data, such as the _metadata of a state dict.
        case Kind::Dict:
        case Kind::Sequence:
        case Kind::Tensor:
        case Kind::Opaque: return;
        case Kind::Global: refuse_call(format("__setstate__ of {}", object(target).text));
        default: refuse("an object with a state", name_of(target.kind));
    }
}

Value Machine::persistent(Value id) {
    static const std::vector<Value> none;
    const auto& items = id.kind == Kind::Sequence ? object(id).items : none;
    // An old form that named a class together with its source text.
    if (items.size() >= 2 && is_text(items[0], "module") && items[1].kind == Kind::Global) return items[1];
    if (items.size() < 5 || !is_text(items[0], "storage") || items[1].kind != Kind::Global ||
        items[2].kind != Kind::Text)
        refuse("('storage', type, key, device, count) as a persistent id", "other values");
    const std::string_view type = object(items[1]).text;
    const auto dtype = storage_dtype(type);
    if (!dtype) refuse("a storage of F32, F16, BF16, F64, I64, I32, I16, I8, U8 or BOOL", type);
    Storage storage{.key = object(items[2]).text, .dtype = *dtype, .count = integer(items[4], "a storage's size")};
    storage.visible = storage.count;
    if (items.size() > 5 && items[5].kind == Kind::Sequence) {  // a window: (key, first, size)
        const auto& window = object(items[5]).items;
        if (window.size() != 3) refuse("3 values for a storage's window", std::to_string(window.size()));
        storage.first = integer(window[1], "a storage's window");
        storage.visible = integer(window[2], "a storage's window");
        if (storage.first > storage.count || storage.visible > storage.count - storage.first)
            refuse(format("a window inside {} elements", storage.count),
                   format("{} from {}", storage.visible, storage.first));
    }
    storages_.push_back(storage);
    return make(Kind::Storage, {.detail = storages_.size() - 1});
}

Value Machine::rebuild_tensor(const std::vector<Value>& arguments, std::string_view function) {
    if (arguments.size() < 4) refuse(format("4 arguments or more for {}", function), std::to_string(arguments.size()));
    if (arguments[0].kind != Kind::Storage) {
        // An object that only its own program could turn into a storage.
        const bool named = arguments[0].kind == Kind::Object || arguments[0].kind == Kind::Global;
        refuse(format("a storage for {}", function), named ? object(arguments[0]).text : name_of(arguments[0].kind));
    }
    TensorView view{.storage = object(arguments[0]).detail,
                    .offset = integer(arguments[1], "a tensor's offset"),
                    .shape = integers(arguments[2], "a tensor's shape"),
                    .strides = integers(arguments[3], "a tensor's strides")};
    if (view.shape.size() != view.strides.size())
        refuse(format("{} strides", view.shape.size()), std::to_string(view.strides.size()));
    if (tensors_.size() == most_tensors) refuse(format("at most {} tensors", most_tensors), "more");
    tensors_.push_back(std::move(view));
    return make(Kind::Tensor, {.detail = tensors_.size() - 1});
}

Value Machine::as_dict(const std::vector<Value>& arguments) {
    if (!arguments.empty() && arguments[0].kind == Kind::Dict) return arguments[0];
    const Value dict = make(Kind::Dict, {});
    if (arguments.empty() || arguments[0].kind != Kind::Sequence) return dict;
    std::vector<Value> pairs;
    for (const Value item : object(arguments[0]).items) {
        if (item.kind != Kind::Sequence || object(item).items.size() != 2)
            refuse("a key and a value in a dict", name_of(item.kind));
        pairs.insert(pairs.end(), object(item).items.begin(), object(item).items.end());
    }
    copied_ += pairs.size();
    if (copied_ > most_objects) refuse(format("at most {} values in lists of pairs", most_objects), "more");
    add_pairs(dict, pairs);
    return dict;
}

std::vector<std::int64_t> Machine::integers(Value value, std::string_view what) const {
    if (value.kind != Kind::Sequence) refuse(format("a list of integers as {}", what), name_of(value.kind));
    const auto& items = object(value).items;
    if (items.size() > most_axes)
        refuse(format("at most {} axes in {}", most_axes, what), std::to_string(items.size()));
    std::vector<std::int64_t> result;
    for (const Value item : items) result.push_back(integer(item, what));
    return result;
}

// Sizes, offsets and strides: none of them is ever negative.
std::int64_t Machine::integer(Value value, std::string_view what) const {
    if (value.kind != Kind::Int) refuse(format("an integer in {}", what), name_of(value.kind));
    if (value.integer < 0) refuse(format("at least 0 in {}", what), std::to_string(value.integer));
    return value.integer;
}

}  // namespace gpu::pickle
