// All passes in a row, with their dumps.
#include <filesystem>
#include <fstream>

#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

void dump(const Program& program, const Hash& structure) {
    const std::filesystem::path folder = switches().dump;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const std::string name = structure.hex().substr(0, 12);
    std::ofstream(folder / ("plan_" + name + ".txt")) << to_text(program);
    for (std::size_t s = 0; s < program.steps.size(); ++s)
        if (!program.steps[s].source.empty())
            std::ofstream(folder / ("plan_" + name + "_" + std::to_string(s) + ".comp")) << program.steps[s].source;
}

const char* kind_name(Step::Kind kind) {
    return kind == Step::Generated ? "fused " : kind == Step::Shader ? "shader" : "host  ";
}

}  // namespace

std::size_t push_size_of(const std::vector<PushItem>& items) {
    std::size_t bytes = 0;
    for (const PushItem& item : items) {
        if (item.kind == PushItem::Word || item.kind == PushItem::Scalar) {
            bytes += 4;
        } else {
            bytes = (bytes + 7) / 8 * 8 + 8;
        }
    }
    return bytes;
}

Program make_plan(const TensorGraph& graph, const DeviceTraits& traits, bool fuse_steps) {
    const Span span("pass", "plan");
    Program program = build(graph, traits, fuse_steps);
    const auto pass = [&](void (*run)(Program&), const char* name) {
        run(program);
        verify(program, name);
    };
    pass(simplify, "simplify");
    pass(place, "place");
    pass(fuse, "fuse");
    pass(order, "order");
    pass(memory, "memory");
    pass(generate, "generate");
    if (!switches().dump.empty()) dump(program, graph.structure);
    if (switches().debug >= 3)
        log_message("plan", LogLevel::Info, to_text(program));
    return program;
}

std::string to_text(const Program& program) {
    std::string text = format("{} nodes, {} steps, arena {} bytes (live {})\n", program.nodes.size(), program.steps.size(),
                              program.arena_bytes, program.arena_lower_bound);
    for (const Step& step : program.steps) {
        const Placement& place = program.placements[step.result];
        text += format("{}{} %{} = {}", step.barrier ? "| " : "  ", kind_name(step.kind), step.result, step.label);
        text += " (";
        for (std::size_t r = 0; r < step.reads.size(); ++r) text += format("{}%{}", r ? ", " : "", step.reads[r].root);
        text += place.kind == Placement::Output ? ") -> output " + std::to_string(place.output)
                                                : ") -> arena " + std::to_string(place.offset) + "+" + std::to_string(place.size);
        text += "\n";
    }
    return text;
}

}  // namespace gpu
