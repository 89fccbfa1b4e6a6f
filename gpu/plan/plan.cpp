// All passes in a row, with their dumps.
#include "gpu/base/cancel.h"
#include "gpu/base/span.h"
#include "gpu/graph/autocast.h"
#include "gpu/plan/dump.h"

namespace gpu {
namespace {

const char* kind_name(Step::Kind kind) {
    return kind == Step::Generated ? "fused " : kind == Step::Shader ? "shader" : kind == Step::Host ? "host  " : "record";
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

Program make_plan(const TensorGraph& graph, const DeviceTraits& traits, bool fuse_steps, const VariantChooser& choose) {
    const Span span("pass", "plan");
    const Autocast as_written(Dtype::F32);   // composites and variants are of the types that their ops say
    PassDump dump(graph.structure);
    Program program = build(graph, traits, fuse_steps, choose);
    dump.after(program, "build");
    const auto pass = [&](void (*run)(Program&), const char* name) {
        check_cancelled();   // a plan of a large network takes as long as many of its kernels
        run(program);
        verify(program, name);
        dump.after(program, name);
    };
    pass(simplify, "simplify");
    pass(place, "place");
    pass(fuse, "fuse");
    pass(order, "order");
    pass(memory, "memory");
    pass(generate, "generate");
    dump.finish(program);
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
        if (step.kind == Step::Shader && !program.nodes[step.core].kernel->variant.empty())
            text += " by " + program.nodes[step.core].kernel->variant;
        text += "\n";
    }
    return text;
}

}  // namespace gpu
