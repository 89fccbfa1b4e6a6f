// GLSL text to SPIR-V through the linked glslang, with a cache on disk by content.
#include <glslang/build_info.h>
#include <glslang/Public/ResourceLimits.h>
#include <glslang/Public/ShaderLang.h>
#include <glslang/SPIRV/GlslangToSpv.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>

#include "gpu/base/error.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/cache_file.h"
#include "gpu/vulkan/cooperative_matrix.h"
#include "gpu/vulkan/pipeline.h"
#include "gpu/vulkan/shader_text.h"

namespace gpu {
namespace {

constexpr int deepest_include = 16;
constexpr std::uint32_t spirv_magic = 0x07230203;

std::atomic<int> compilations = 0;

// The path of a line `#include "common/x.glsl"`, or empty.
std::string_view included_path(std::string_view line) {
    const auto skip = [&] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
    skip();
    if (!line.starts_with('#')) return {};
    line.remove_prefix(1);
    skip();
    if (!line.starts_with("include")) return {};
    const auto open = line.find('"');
    const auto close = open == std::string_view::npos ? open : line.find('"', open + 1);
    return close == std::string_view::npos ? std::string_view{} : line.substr(open + 1, close - open - 1);
}

// Includes are put in place before glslang sees the text: the cache key is then the whole content, and the numbered
// source of an error message has the line numbers of the log.
void expand_includes(std::string_view source, int depth, std::string& out) {
    check(depth <= deepest_include, ErrorCode::Failure,
          "compile shader: expected at most {} nested includes, got a cycle", deepest_include);
    while (!source.empty()) {
        const auto end = source.find('\n');
        const std::string_view line = source.substr(0, end);
        source = end == std::string_view::npos ? std::string_view{} : source.substr(end + 1);
        if (const std::string_view path = included_path(line); !path.empty()) {
            expand_includes(shader_source(std::string(path)), depth + 1, out);
        } else {
            out += line;
            out += '\n';
        }
    }
}

std::string preamble(const std::vector<std::string>& defines) {
    std::string text;
    for (const std::string& define : defines) {
        const auto equals = define.find('=');
        text += format("#define {} {}\n", define.substr(0, equals),
                       equals == std::string::npos ? "1" : define.substr(equals + 1));
    }
    return text;
}

std::string numbered(const std::string& source) {
    std::istringstream lines(source);
    std::string text;
    int number = 0;
    for (std::string line; std::getline(lines, line);) text += format("{}: {}\n", ++number, line);
    return text;
}

[[noreturn]] void fail(const std::string& name, const std::string& log, const std::string& defines,
                       const std::string& source) {
    throw Error(ErrorCode::Failure, "compile shader {}: expected valid GLSL, got\n{}{}{}", name, log, defines,
                numbered(source));
}

std::vector<std::uint32_t> run_glslang(const std::string& name, const std::string& source, const std::string& defines) {
    const Span span("vulkan", "glslang", name);
    start_glslang();
    ++compilations;

    glslang::TShader shader(EShLangCompute);
    const char* text = source.c_str();
    shader.setStrings(&text, 1);
    shader.setPreamble(defines.c_str());
    shader.setEnvInput(glslang::EShSourceGlsl, EShLangCompute, glslang::EShClientVulkan, 100);
    shader.setEnvClient(glslang::EShClientVulkan, glslang::EShTargetVulkan_1_2);
    shader.setEnvTarget(glslang::EShTargetSpv, glslang::EShTargetSpv_1_5);
    constexpr auto messages = static_cast<EShMessages>(EShMsgSpvRules | EShMsgVulkanRules);
    if (!shader.parse(GetDefaultResources(), 460, ECoreProfile, false, false, messages))
        fail(name, shader.getInfoLog(), defines, source);
    glslang::TProgram program;
    program.addShader(&shader);
    if (!program.link(messages)) fail(name, program.getInfoLog(), defines, source);

    glslang::SpvOptions options;
    options.disableOptimizer = true;
    spv::SpvBuildLogger logger;
    std::vector<std::uint32_t> words;
    glslang::GlslangToSpv(*program.getIntermediate(EShLangCompute), words, &logger, &options);
    if (words.empty()) fail(name, logger.getAllMessages(), defines, source);
    return to_khr_cooperative_matrix(std::move(words));
}

}  // namespace

void start_glslang() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Never finalised: other static objects may still compile while the process ends.
        check(glslang::InitializeProcess(), ErrorCode::Failure, "start glslang: expected success, it refused");
    });
}

std::string shader_source(const std::string& path) {
    if (const std::string& folder = switches().shader_dir; !folder.empty()) {
        std::ifstream file(folder + "/" + path, std::ios::binary);
        check(file.good(), ErrorCode::Failure, "read shader: expected {} in HEDDLE_SHADER_DIR={}, it is not there",
              path, folder);
        std::ostringstream text;
        text << file.rdbuf();
        return std::move(text).str();
    }
    for (const ShaderText& shader : embedded_shaders())
        if (shader.path == path) return shader.text;
    throw Error(ErrorCode::Failure, "read shader: expected a built-in shader, got \"{}\"", path);
}

std::string resolve_includes(const std::string& source) {
    std::string text;
    text.reserve(source.size() + 1);
    expand_includes(source, 0, text);
    return text;
}

int glslang_compilations() { return compilations; }

std::vector<std::uint32_t> compile_glsl(const std::string& name, const std::string& source,
                                        const std::vector<std::string>& defines) {
    std::string text;
    try {
        text = resolve_includes(source);
    } catch (Error& error) {
        throw error.in("shader " + name);
    }
    const std::string define_lines = preamble(defines);
    const Hash key = Hasher()
                         .add("spirv 1.5, KHR matrices")
                         .add(GLSLANG_VERSION_MAJOR)
                         .add(GLSLANG_VERSION_MINOR)
                         .add(GLSLANG_VERSION_PATCH)
                         .add(define_lines)
                         .add(text)
                         .finish();
    const std::string path = format("spirv/{}.spv", key.hex());
    if (const auto bytes = read_cache_file(path, key); bytes && bytes->size() >= 20 && bytes->size() % 4 == 0) {
        std::vector<std::uint32_t> words(bytes->size() / 4);
        std::memcpy(words.data(), bytes->data(), bytes->size());
        if (words[0] == spirv_magic) return words;
    }
    std::vector<std::uint32_t> words = run_glslang(name, text, define_lines);
    write_cache_file(path, key, std::as_bytes(std::span(words)));
    return words;
}

}  // namespace gpu
