// What an action that should fail says.
#pragma once

#include <string>

#include "gpu/base/error.h"

namespace tests {

// The message of the gpu::Error that `act` throws.
template <typename F>
std::string error_of(F act) {
    try {
        act();
    } catch (const gpu::Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

// The same as "its code: its message", without the places around it; "none" where nothing is thrown.
template <typename F>
std::string message_of(F act) {
    try {
        act();
    } catch (const gpu::Error& error) {
        return std::string(gpu::to_string(error.code())) + ": " + error.message();
    }
    return "none";
}

}  // namespace tests
