// Which node reads a file that somebody drops on the canvas.
#pragma once

#include <string>

namespace nodes {

struct Loader {
    std::string type;   // "model.load"
    std::string param;  // "file"
    std::string title;  // what the file is: "a checkpoint of SD 1"
};

// By content and ending: pictures, poses, and model files by what they hold. An empty type where no node reads it; title
// says what it is then, too, where it is known. Never throws.
Loader loader_for(const std::string& path);

}  // namespace nodes
