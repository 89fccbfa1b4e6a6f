#include "gpu/plan/dump.h"

#include <filesystem>
#include <fstream>
#include <map>

#include "gpu/base/log.h"
#include "gpu/base/switches.h"

namespace gpu {
namespace {

std::string what(const Program& program, const PlanNode& node) {
    if (node.leaf >= 0) return "leaf " + std::to_string(node.leaf);
    if (node.scalar >= 0) return "number " + std::to_string(node.scalar) + " (" + format("{}", program.scalars[node.scalar].owned) + ")";
    return node.op ? node.op->text() : "?";
}

std::string place_text(const Program& program, std::size_t index) {
    if (index >= program.placements.size()) return "";
    const Placement& place = program.placements[index];
    switch (place.kind) {
        case Placement::Arena: return format("arena {}+{}, steps {} to {}", place.offset, place.size, place.first, place.last);
        case Placement::Output: return format("output {}, {} bytes", place.output, place.size);
        case Placement::Leaf: case Placement::None: return "";
    }
    return "";
}

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result;
}

}  // namespace

std::string nodes_text(const Program& program) {
    std::string text;
    for (std::size_t i = 0; i < program.nodes.size(); ++i) {
        const PlanNode& node = program.nodes[i];
        text += format("%{} = {} {}", i, what(program, node), to_string(node.spec));
        for (std::size_t k = 0; k < node.inputs.size(); ++k) text += format("{}%{}", k == 0 ? " (" : ", ", node.inputs[k]);
        if (!node.inputs.empty()) text += ")";
        if (!node.order.empty()) text += " order " + to_string(Shape(node.order.begin(), node.order.end()));
        if (node.root >= 0 && node.root != static_cast<int>(i)) text += format(" view of %{}", node.root);
        if (node.on_host) text += " on the host";
        if (node.step >= 0) text += format(" step {}", node.step);
        if (node.output) text += " output";
        if (const std::string place = place_text(program, i); !place.empty()) text += "; " + place;
        text += "\n";
    }
    return text;
}

std::string to_dot(const Program& program) {
    std::string text = "digraph plan {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n";
    std::map<int, std::string> clusters;   // step -> its nodes
    for (std::size_t i = 0; i < program.nodes.size(); ++i) {
        const PlanNode& node = program.nodes[i];
        std::string label = escaped(format("%{} {}", i, what(program, node))) + "\\n" + escaped(to_string(node.spec));
        if (const std::string place = place_text(program, i); !place.empty()) label += "\\n" + place;
        const bool view = node.root >= 0 && node.root != static_cast<int>(i);
        const char* style = node.leaf >= 0 ? ", style=filled, fillcolor=lightgrey" : view ? ", style=dashed" : node.output ? ", penwidth=2" : "";
        clusters[node.leaf >= 0 ? -1 : node.step] += format("    n{} [label=\"{}\"{}];\n", i, label, style);
    }
    for (const auto& [step, nodes] : clusters) {
        if (step < 0 || static_cast<std::size_t>(step) >= program.steps.size()) {
            text += nodes;
            continue;
        }
        const Step& one = program.steps[step];
        text += format("  subgraph cluster_{} {\n    label=\"{}\";\n{}  }\n", step,
                       escaped(format("step {} {}", step, one.label.empty() ? (one.kind == Step::Host ? "host" : "device") : one.label)), nodes);
    }
    for (std::size_t i = 0; i < program.nodes.size(); ++i)
        for (const int input : program.nodes[i].inputs) text += format("  n{} -> n{};\n", input, i);
    return text + "}\n";
}

PassDump::PassDump(const Hash& structure) : name_("plan_" + structure.hex().substr(0, 12)) {}

void PassDump::after(const Program& program, const char* pass) {
    const int number = ++pass_;
    if (switches().debug >= 4) log_message("plan", LogLevel::Info, format("{} after {}\n{}", name_, pass, nodes_text(program)));
    if (switches().dump.empty()) return;
    const std::string name = format("{}_{}_{}", name_, number, pass);
    write(name + ".txt", nodes_text(program));
    write(name + ".dot", to_dot(program));
}

void PassDump::finish(const Program& program) {
    if (switches().debug >= 3) log_message("plan", LogLevel::Info, to_text(program));
    if (switches().debug >= 4)
        for (const Step& step : program.steps) {
            std::string text = step.label + ": groups " + format("{} x {} x {}", step.groups[0], step.groups[1], step.groups[2]) + ", constants";
            for (const std::uint32_t constant : step.constants) text += " " + std::to_string(constant);
            for (const std::string& define : step.defines) text += ", " + define;
            log_message("plan", LogLevel::Info, text);
        }
    if (switches().dump.empty()) return;
    write(name_ + ".txt", to_text(program));
    for (std::size_t s = 0; s < program.steps.size(); ++s)
        if (!program.steps[s].source.empty()) write(format("{}_{}.comp", name_, s), program.steps[s].source);
}

void PassDump::write(const std::string& name, const std::string& text) const {
    const std::filesystem::path folder = switches().dump;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    std::ofstream file(folder / name, std::ios::binary);
    file << text;
    if (!file.flush()) log("plan", LogLevel::Error, "could not write {}", (folder / name).string());
}

}  // namespace gpu
