// trained: what training made. In<Trained>, Out<Trained>.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nodes/core/socket_type.h"

namespace nodes {

// What training made: one value of several socket types at most, such as a text and an image encoder. Inputs of those types
// take it, and get theirs.
class Trained {
public:
    explicit Trained(std::vector<Value> parts) : parts_(std::move(parts)) {}
    const std::vector<Value>& parts() const { return parts_; }
    // Throws Error{InvalidGraph} where training made no such thing.
    template <typename T>
    const T& part() const {
        for (const Value& value : parts_)
            if (const T* found = value.get<T>()) return *found;
        missing(socket_type<T>().title);
    }
    std::string summary() const;

private:
    [[noreturn]] void missing(const std::string& wanted) const;
    std::vector<Value> parts_;
};

template <>
struct SocketTraits<Trained> {
    static constexpr const char* name = "trained";
    static SocketType describe();
};

// Rows for SocketType::accepts of a type that training can make.
template <typename T>
Conversion from_trained() {
    return {SocketTraits<Trained>::name, [](const Value& value) { return Value::of<T>(value.get<Trained>()->template part<T>()); }};
}

}  // namespace nodes
