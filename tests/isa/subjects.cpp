#include "tests/isa/subjects.h"

#include <QString>
#include <algorithm>
#include <atomic>
#include <thread>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/plan/program.h"
#include "gpu/run/plan_runner.h"
#include "tests/support/variants.h"

using namespace gpu;

namespace tests {
namespace {

Tensor half(const Shape& shape) { return blank(Dtype::F16, shape); }
Tensor single(const Shape& shape) { return blank(Dtype::F32, shape); }
// A feature map as the runtime keeps it.
Tensor map(Dtype dtype, const Shape& s) { return permute(blank(dtype, {s[0], s[2], s[3], s[1]}), {0, 3, 1, 2}); }

const ConvGeometry same_size{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};   // of a 3 x 3 kernel

Program plan_of(const Tensor& y, const DeviceTraits& traits, const std::string& variant) {
    return make_plan(collect({y}), traits, true, [&](const auto&, const Specs&, const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), variant) != names.end() ? variant : names[0];
    });
}

CompiledStep compile_step(const NullDevice& device, const std::string& name, const Program& program, const Step& step) {
    CompiledStep result;
    result.name = name;
    const std::string variant = step.core >= 0 ? program.nodes[step.core].kernel->variant : "";
    if (!variant.empty()) result.name += " (" + variant + ")";
    result.wants_matrix = variant.starts_with("coop");
    result.wants_packed = variant.find("half_") != std::string::npos;
    result.groups = step.groups;
    result.constants = step.constants;
    result.wave = step.subgroup_size ? static_cast<int>(step.subgroup_size) : 64;
    try {
        const PipelineKey key = pipeline_key(step);
        result.code = device.compile(compile_glsl(key.name, key.source, key.defines), key.constants, key.push_bytes, key.subgroup_size);
    } catch (const Error& error) {
        result.failure = error.what();
    }
    return result;
}

}  // namespace

Tensor blank(Dtype dtype, const Shape& shape) {
    static const auto zeros = std::make_shared<std::vector<std::byte>>(std::size_t{64} << 20);
    const std::size_t bytes = static_cast<std::size_t>(element_count(shape)) * size_of(dtype);
    check(bytes <= zeros->size(), ErrorCode::Failure, "blank tensor: expected at most {} bytes, got {}", zeros->size(), bytes);
    return leaf({shape, dtype}, std::span(*zeros).first(bytes), zeros);
}

std::vector<Subject> subjects() {
    const Shape tokens{1, 4096, 640};
    return {
        {"matmul f16 a b^t", [=] { return matmul(half(tokens), transpose(half({640, 640}), 0, 1)); }},
        {"matmul f16 a b", [=] { return matmul(half(tokens), half({640, 640})); }},
        {"matmul f16 a^t b", [] { return matmul(transpose(half({4096, 640}), 0, 1), half({4096, 640})); }},
        {"matmul f16 odd sizes", [] { return matmul(half({77, 43}), half({43, 99})); }},
        {"matmul f16 + bias, gelu", [=] { return gelu(matmul(half(tokens), transpose(half({640, 640}), 0, 1)) + half({640})); }},
        {"matmul f32 a b^t", [=] { return matmul(single(tokens), transpose(single({640, 640}), 0, 1)); }},
        {"matmul f32 a b", [=] { return matmul(single(tokens), single({640, 640})); }},
        {"matmul f16 one row", [] { return matmul(half({1, 1280}), transpose(half({640, 1280}), 0, 1)); }},
        {"matmul f32 one row", [] { return matmul(single({1, 1280}), transpose(single({640, 1280}), 0, 1)); }},
        {"conv2d 3x3 f16", [] { return conv2d(map(Dtype::F16, {1, 320, 64, 64}), half({320, 320, 3, 3}), {.pad = 1}); }},
        {"conv2d 3x3 f16 stride 2", [] { return conv2d(map(Dtype::F16, {1, 320, 64, 64}), half({320, 320, 3, 3}), {.stride = 2, .pad = 1}); }},
        {"conv2d 3x3 f16 4 channels", [] { return conv2d(map(Dtype::F16, {1, 4, 64, 64}), half({320, 4, 3, 3}), {.pad = 1}); }},
        {"conv3d 3x3x3 f16", [] { return conv3d(permute(half({1, 4, 16, 16, 64}), {0, 4, 1, 2, 3}), half({64, 64, 3, 3, 3}), {.pad = 1}); }},
        {"conv2d 3x3 f16 input grad", [] { return conv_input_grad(map(Dtype::F16, {1, 320, 64, 64}), half({320, 320, 3, 3}), same_size, {64, 64}); }},
        {"conv2d 3x3 f16 weight grad", [] { return conv_weight_grad(map(Dtype::F16, {1, 320, 64, 64}), map(Dtype::F16, {1, 320, 64, 64}), same_size, {3, 3}); }},
        {"conv2d 3x3 f32 weight grad", [] { return conv_weight_grad(map(Dtype::F32, {1, 320, 64, 64}), map(Dtype::F32, {1, 320, 64, 64}), same_size, {3, 3}); }},
        {"attention f16", [] { return attention(half({1, 8, 1024, 64}), half({1, 8, 1024, 64}), half({1, 8, 1024, 64})); }},
        {"attention f16 40", [] { return attention(half({1, 8, 1024, 40}), half({1, 8, 77, 40}), half({1, 8, 77, 40})); }},
        {"attention f16 160", [] { return attention(half({1, 8, 256, 160}), half({1, 8, 256, 160}), half({1, 8, 256, 160})); }},
        {"attention f16 causal + bias", [] { return attention(half({1, 8, 1024, 64}), half({1, 8, 1024, 64}), half({1, 8, 1024, 64}), {.causal = true}, single({1024, 1024})); }},
        {"attention f32", [] { return attention(single({1, 8, 1024, 64}), single({1, 8, 1024, 64}), single({1, 8, 1024, 64})); }},
        {"conv2d 3x3 f32", [] { return conv2d(map(Dtype::F32, {1, 320, 64, 64}), single({320, 320, 3, 3}), {.pad = 1}); }},
        {"group_norm + silu f16", [] { return silu(group_norm(map(Dtype::F16, {1, 320, 64, 64}), 32, half({320}), half({320}))); }},
        {"group_norm + silu f32", [] { return silu(group_norm(map(Dtype::F32, {1, 320, 64, 64}), 32, single({320}), single({320}))); }},
        {"softmax f16", [] { return softmax(half({4096, 4096})); }},
        {"silu + add f16", [] { return silu(half({1 << 20})) + half({1 << 20}); }},
        {"gelu f32", [] { return gelu(single({1 << 20})); }},
        {"mean square f32", [] { return mean(square(single({1 << 20}))); }},
        {"upsample nearest f16", [] { return upsample_nearest(map(Dtype::F16, {1, 64, 32, 32}), 2) * 2.0; }},
        {"resize bicubic f32", [] { return resize(map(Dtype::F32, {1, 3, 64, 64}), 48, 48, Filter::Bicubic); }},
    };
}

DeviceTraits traits_of(const NullDevice& device, const std::string& family) {
    DeviceTraits traits;
    traits.max_push_bytes = 256;
    traits.max_shared_bytes = 65536;
    traits.max_lanes = 1024;
    traits.subgroup_size = 64;
    traits.float16 = true;
    traits.half_products = true;
    traits.subgroup_shuffle = true;
    traits.cooperative_matrix = family == "navi31" && device.cooperative_matrix();
    traits.coop_subgroup = 32;
    return traits;
}

CompiledStep compile(const NullDevice& device, const std::string& family, const Tensor& y, const std::string& variant) {
    const Program program = plan_of(y, traits_of(device, family), variant);
    for (const Step& step : program.steps)
        if (step.core >= 0 && step.kind == Step::Shader && (variant.empty() || program.nodes[step.core].kernel->variant == variant))
            return compile_step(device, step.label, program, step);
    return compile_step(device, program.steps.at(0).label, program, program.steps[0]);
}

std::vector<CompiledStep> compile_steps(const NullDevice& device, const std::string& family, const Tensor& y, const std::string& variant) {
    const Program program = plan_of(y, traits_of(device, family), variant);
    std::vector<CompiledStep> steps;
    for (const Step& step : program.steps) steps.push_back(compile_step(device, step.label, program, step));
    return steps;
}

std::vector<CompiledStep> compile_all(const NullDevice& device, const std::string& family) {
    const DeviceTraits traits = traits_of(device, family);
    struct Job {
        std::string name;
        Program program;
        std::size_t step;
    };
    std::vector<Job> jobs;
    std::vector<std::string> sources;   // each kernel once
    const std::string only = qEnvironmentVariable("HEDDLE_ISA_ONLY").toStdString();
    for (const Subject& subject : subjects()) {
        if (subject.name.find(only) == std::string::npos) continue;
        const Tensor y = subject.make();
        std::vector<std::string> names = variants_of(y, traits);
        if (names.empty()) names.push_back("");
        for (const std::string& name : names) {
            const Program program = plan_of(y, traits, name);
            for (std::size_t s = 0; s < program.steps.size(); ++s) {
                const std::string identity = pipeline_key(program.steps[s]).hash().hex();
                if (std::find(sources.begin(), sources.end(), identity) != sources.end()) continue;
                sources.push_back(identity);
                jobs.push_back({program.steps.size() > 1 ? subject.name + ", step " + std::to_string(s + 1) : subject.name, program, s});
            }
        }
    }
    std::vector<CompiledStep> results(jobs.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < jobs.size(); i = next++) results[i] = compile_step(device, jobs[i].name, jobs[i].program, jobs[i].program.steps[jobs[i].step]);
    };
    {
        const std::jthread other(work);
        work();
    }
    return results;
}

}  // namespace tests
