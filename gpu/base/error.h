// The one exception type of the runtime: a code, a message and the chain of places it passed through.
// Messages say, in this order: the operation, what was expected, what came.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "gpu/base/format.h"

namespace gpu {

// The codes a caller may branch on. exit_code() maps them to the process's documented exit status.
enum class ErrorCode {
    Failure,         // unspecified
    Usage,           // a bad option, an unknown name given on the command line
    InvalidGraph,    // types, ranges, cycles, missing inputs; also shapes that do not fit an operation
    MissingFile,     // a file that should be read is not there
    BadFile,         // a file is there and is not what it claims to be
    NoDevice,        // no usable device, or it lacks a required feature
    OutOfMemory,     // device or host memory ran out after every fallback
    DeviceLost,      // the driver gave up
    Numeric,         // NaN or Inf where none may be
    Io,              // disk full, permission, short write
    Cancelled,       // stopped by request; never shown as an error
};

const char* to_string(ErrorCode code);

// 0 success, 1 failure, 2 usage, 3 graph, 4 missing or bad file, 5 device, 6 memory, 7 lost, 8 numeric, 9 I/O, 130 cancelled.
int exit_code(ErrorCode code);

class Error : public std::exception {
public:
    Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) { rebuild(); }

    template <typename... Args>
    Error(ErrorCode code, std::string_view text, const Args&... args) : Error(code, format(text, args...)) {}

    ErrorCode code() const noexcept { return code_; }
    const std::string& message() const noexcept { return message_; }
    // Innermost first: "conv2d [1, 3, 8, 8] x [64, 3, 3, 3]", "node encode", "file a.safetensors".
    const std::vector<std::string>& context() const noexcept { return context_; }

    // Adds the place the error is passing through; use as `throw error.in("...")` or `catch (Error& e) { e.in(..); throw; }`.
    Error& in(std::string place) {
        context_.push_back(std::move(place));
        rebuild();
        return *this;
    }

    const char* what() const noexcept override { return text_.c_str(); }

private:
    void rebuild();

    ErrorCode code_;
    std::string message_;
    std::vector<std::string> context_;
    std::string text_;
};

// Throws Error{code} with a formatted message unless `condition` holds.
template <typename... Args>
void check(bool condition, ErrorCode code, std::string_view text, const Args&... args) {
    if (!condition) throw Error(code, format(text, args...));
}

}  // namespace gpu
