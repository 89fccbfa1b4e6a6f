// The entry of a libFuzzer program. A broken promise ends it, as a crash does, and libFuzzer keeps the input.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/targets.h"

#define HEDDLE_FUZZER(broken_by)                                                                       \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {                \
        const std::string broken = broken_by({reinterpret_cast<const std::byte*>(data), size});        \
        if (broken.empty()) return 0;                                                                  \
        std::fprintf(stderr, "broken promise: %s\n", broken.c_str());                                  \
        std::abort();                                                                                  \
    }
