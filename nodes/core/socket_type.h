// What flows along a wire. A socket type is one header in nodes/types/: a C++ type and a specialisation of
// SocketTraits.
//
//     template <> struct SocketTraits<Mask> {
//         static constexpr const char* name = "mask";      // enters files and cache keys: never change it
//         static SocketType describe();                    // in the .cpp, or inline
//     };
//     SocketType SocketTraits<Mask>::describe() {
//         return {.title = "Mask", .colour = "#9aa0a6", .help = "White is chosen, black is not",
//                 .bytes = erased<Mask>([](const Mask& mask) { return mask.bytes(); }),
//                 .accepts = {conversion<Image, Mask>([](const Image& image) { return luminance(image); })}};
//     }
//
// The C++ type is a cheap handle, immutable once it left the node that made it: many readers share one value.
#pragma once

#include <QImage>
#include <QJsonObject>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gpu/base/hash.h"
#include "gpu/graph/tensor.h"

namespace nodes {

class Value;

template <typename T>
struct SocketTraits;

// An implicit conversion, allowed only where nothing is lost. Runs on the engine's thread when a link needs it.
struct Conversion {
    std::string from;  // name of the type that it reads
    std::function<Value(const Value&)> convert;
};

// A value as a file holds it: tensors by name, and the rest as JSON.
struct StoredValue {
    QJsonObject fields;
    std::map<std::string, gpu::Tensor> tensors;
};

// Everything about a socket type but its C++ type. Functions take the address of a value of that type; empty ones mean
// "not available". They are called from any thread.
struct SocketType {
    std::string name;  // set from SocketTraits<T>::name
    std::string title;
    std::string colour;  // "#rrggbb"
    std::string help;
    std::function<std::size_t(const void*)> bytes;             // for the cache's budget; default: sizeof
    std::function<std::string(const void*)> summary;           // one line: "512 x 512, 3 channels, f32"
    std::function<QImage(const void*, int max_side)> preview;  // may be null when there is nothing to show
    std::function<gpu::Hash(const void*)> hash;                // of the content; HEDDLE_CHECK=cache compares it
    std::vector<Conversion> accepts;
    // One value of several, in order: what a loop's collecting sockets do. Empty where nothing sensible exists.
    std::function<Value(const std::vector<Value>&)> collect{};
    // For the cache on disk, both or none. store() gives nothing for a value that can not be kept; restore() throws
    // Error{BadFile} where what it needs is not there.
    std::function<std::optional<StoredValue>(const void*)> store{};
    std::function<Value(const StoredValue&)> restore{};
    // A socket of this type takes values of every type, and they keep their own (nodes/core/any_type.h).
    bool any = false;

    // The conversion that turns `from` into this type, or null. The same type needs none.
    const Conversion* conversion_from(const SocketType& from) const;
    // Whether a wire from an output of type `from` may end in an input of this type.
    bool accepts_from(const SocketType& from) const { return this == &from || any || from.any || conversion_from(from); }
};

// The description of a C++ type; one object per type for the life of the process, so that pointers compare.
template <typename T>
const SocketType& socket_type() {
    static const SocketType type = [] {
        SocketType made = SocketTraits<T>::describe();
        made.name = SocketTraits<T>::name;
        if (made.title.empty()) made.title = made.name;
        if (made.colour.empty()) made.colour = "#8a8a8a";
        if (!made.bytes) made.bytes = [](const void*) { return sizeof(T); };
        return made;
    }();
    return type;
}

// A value of any socket type: an immutable shared handle. Copying costs a reference count.
class Value {
public:
    Value() = default;

    template <typename T>
    static Value of(T content) {
        if constexpr (std::is_same_v<T, Value>) {
            return content;
        } else {
            Value value;
            value.type_ = &socket_type<T>();
            value.content_ = std::make_shared<const T>(std::move(content));
            return value;
        }
    }

    bool empty() const { return !content_; }
    explicit operator bool() const { return !empty(); }
    const SocketType* type() const { return type_; }  // null when empty

    // The content as T, or null when it is empty or of another type.
    template <typename T>
    const T* get() const {
        return type_ == &socket_type<T>() ? static_cast<const T*>(content_.get()) : nullptr;
    }

    std::size_t bytes() const;
    std::string summary() const;               // empty where the type has none
    QImage preview(int max_side = 512) const;  // null image where the type has none
    std::optional<gpu::Hash> hash() const;
    std::optional<StoredValue> stored() const;  // nothing where it can not be
    // This value as `wanted`, converted if needed; empty when there is no conversion.
    Value converted_to(const SocketType& wanted) const;

private:
    const SocketType* type_ = nullptr;
    std::shared_ptr<const void> content_;
};

// Wraps a function of T for the members of SocketType: erased<Mask>([](const Mask& mask) { return mask.bytes(); }).
template <typename T, typename F>
auto erased(F function) {
    return [function = std::move(function)](const void* content, auto... rest) {
        return function(*static_cast<const T*>(content), rest...);
    };
}

// A row for SocketType::accepts. `From` may be a type whose own describe() names To: only its name is read here.
template <typename From, typename To, typename F>
Conversion conversion(F function) {
    return {SocketTraits<From>::name, [function = std::move(function)](const Value& value) {
                return Value::of<To>(function(*value.get<From>()));
            }};
}

}  // namespace nodes
