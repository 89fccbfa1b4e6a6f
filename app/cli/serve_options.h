// Where `heddle serve` listens and its clients find it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/arguments.h"

namespace app {

struct ServePlace {
    std::string socket;             // path; empty: the port
    std::uint16_t port = 0;
    std::string token{};            // the secret of the port
};

// --socket, --port and --token.
std::vector<Option> serve_place_options();

// Without any of them: heddle.sock in $XDG_RUNTIME_DIR, else in the folder for caches. Throws gpu::Error{Usage} for a port
// without a token, or a token shorter than 16 bytes; MissingFile and Usage for a token's file that is not there, or that
// others may read.
ServePlace serve_place(const Arguments& arguments);

}  // namespace app
