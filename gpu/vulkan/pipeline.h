// Compute pipelines from GLSL text: text -> SPIR-V (linked glslang, cached on disk by content) -> VkPipeline (cached in
// memory by content, and by the driver's blob on disk). No descriptor sets: kernels get addresses as push constants.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gpu/base/hash.h"

namespace gpu {

// What identifies a pipeline. `source` is complete GLSL but for #include "common/..." of the embedded shaders.
struct PipelineKey {
    std::string name;                        // for labels and profiles: "conv2d", "fused_silu_add"
    std::string source;
    std::vector<std::string> defines;        // "T=float16_t"
    std::vector<std::uint32_t> constants;    // specialisation constants with ids 0, 1, 2, ...
    std::uint32_t push_bytes = 0;
    std::uint32_t subgroup_size = 0;         // exactly this many lanes, every subgroup full; 0: as the driver likes

    Hash hash() const;
};

// GLSL compute shader -> SPIR-V words. Throws Error{Failure} with glslang's log and the numbered source.
// Thread-safe; glslang itself starts lazily, so that a warm run never loads it.
std::vector<std::uint32_t> compile_glsl(const std::string& name, const std::string& source,
                                        const std::vector<std::string>& defines);

// For libraries that call glslang themselves. compile_glsl does it where it must.
void start_glslang();

// The text of shaders/<path>: from HEDDLE_SHADER_DIR where set, else embedded. Throws Error{Failure} for an unknown
// path.
std::string shader_source(const std::string& path);

// The source with its includes in place, as glslang sees it.
std::string resolve_includes(const std::string& source);

// How often glslang ran in this process; stays 0 in a warm run.
int glslang_compilations();

// Valid as long as its Device.
class Pipeline {
public:
    ~Pipeline();
    const std::string& name() const { return name_; }
    void* handle() const { return pipeline_; }   // VkPipeline
    void* layout() const { return layout_; }     // VkPipelineLayout
    std::uint32_t push_bytes() const { return push_bytes_; }

private:
    friend struct DeviceCore;
    Pipeline() = default;

    std::string name_;
    void* pipeline_ = nullptr;
    void* layout_ = nullptr;
    std::uint32_t push_bytes_ = 0;
};

using PipelineRef = std::shared_ptr<const Pipeline>;

}  // namespace gpu
