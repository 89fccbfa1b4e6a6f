// Shader sources that the build embeds: shaders/matmul.comp is {"matmul.comp", text}.
#pragma once

#include <string>
#include <vector>

namespace gpu {

struct ShaderText {
    std::string path;   // relative to shaders/
    std::string text;
};

const std::vector<ShaderText>& embedded_shaders();

}  // namespace gpu
