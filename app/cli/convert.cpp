// heddle convert: files of others, or of older versions, to today's form.
#include <QJsonDocument>
#include <QJsonObject>
#include <cstdio>
#include <filesystem>

#include "app/cli/command.h"
#include "app/cli/graph_options.h"
#include "gpu/base/error.h"
#include "gpu/io/atomic_file.h"
#include "gpu/io/checkpoint.h"
#include "gpu/io/quantize.h"
#include "nodes/interchange/comfy_export.h"
#include "nodes/models/source/save.h"

namespace app {
namespace {

std::string ending(const std::string& path) { return std::filesystem::path(path).extension().string(); }

// safetensors knows no blocks but those of 8-bit floats: quantised tensors are unpacked to F32, one at a time.
void to_safetensors(const gpu::Checkpoint& checkpoint, const std::string& to) {
    std::vector<gpu::TensorEntry> entries = checkpoint.entries();
    for (gpu::TensorEntry& entry : entries) {
        if (!entry.blocks || gpu::elements_of(*entry.blocks) == 1) continue;
        entry.blocks.reset();
        entry.bytes = {};
    }
    gpu::save_safetensors(to, entries, checkpoint.metadata(), [&](std::size_t i) {
        const std::vector<float> values = gpu::entry_floats(checkpoint.entries()[i]);
        const auto bytes = std::as_bytes(std::span(values));
        return std::vector<std::byte>(bytes.begin(), bytes.end());
    });
}

void to_gguf(const gpu::Checkpoint& checkpoint, const std::string& to, const std::string& format) {
    if (format == "none") {
        gpu::save_gguf(to, checkpoint.entries(), checkpoint.metadata());
    } else {
        gpu::save_quantized(to, checkpoint, format == "q8_0" ? gpu::BlockFormat::Q8_0 : gpu::BlockFormat::Q4_K);
    }
}

// Between the layouts of ldm (one file) and diffusers (a folder; one file for a part alone).
void to_layout(const std::string& from, const std::string& to, const std::string& layout, const std::string& precision) {
    nodes::SaveOptions options{.layout = layout == "ldm" ? nodes::ModelLayout::Ldm : nodes::ModelLayout::Diffusers};
    options.type = precision == "f32"    ? nodes::SavedType::F32
                   : precision == "f16"  ? nodes::SavedType::F16
                   : precision == "bf16" ? nodes::SavedType::BF16
                                         : nodes::SavedType::Keep;
    for (const std::string& path : nodes::save_model(nodes::read_saved_model(from), to, options)) print_line("wrote " + path);
}

// A graph in canonical form. What a translation from another tool could not carry over is part of the result.
void to_document(const std::string& from, const std::string& to, const Arguments& arguments) {
    const nodes::OpenedGraph opened = open_graph(from, {.folder = arguments.value("--comfy-folder").value_or("")});
    opened.document.save(to);
    if (arguments.has("--json")) {
        QJsonObject result{{"wrote", QString::fromStdString(to)}};
        if (opened.report) result["import"] = opened.report->to_json();
        print_json(result);
        return;
    }
    if (opened.report)
        for (const std::string& line : opened.report->lines()) print_line(line);
    print_line("wrote " + to);
}

// A prompt as ComfyUI's server takes it.
void to_comfy(const std::string& from, const std::string& to) {
    const nodes::ComfyExport made = nodes::export_comfy(load_graph(from));
    for (const std::string& note : made.notes) std::fprintf(stderr, "%s\n", note.c_str());
    gpu::AtomicFile file(to);
    file.append(QJsonDocument(made.prompt).toJson().toStdString());
    file.commit();
}

int convert(const Arguments& arguments) {
    arguments.expect_count(2, 2, "IN and OUT");
    const std::string& from = arguments.positionals()[0];
    const std::string& to = arguments.positionals()[1];
    const std::string layout = arguments.choice("--layout", {"none", "ldm", "diffusers"}), precision = arguments.choice("--precision", {"keep", "f32", "f16", "bf16"});
    if (layout != "none") {
        to_layout(from, to, layout, precision);
        return 0;
    }
    if (precision != "keep") throw gpu::Error(gpu::ErrorCode::Usage, "convert: expected --layout with --precision, got none");
    const std::string format = arguments.choice("--quantize", {"none", "q8_0", "q4_k"});
    if (format != "none" && ending(to) != ".gguf")
        throw gpu::Error(gpu::ErrorCode::Usage, "convert: expected OUT to end in .gguf with --quantize, got '{}'", to);
    if (arguments.has("--comfy")) {
        if (ending(to) != ".json") throw gpu::Error(gpu::ErrorCode::Usage, "convert: expected OUT to end in .json with --comfy, got '{}'", to);
        to_comfy(from, to);
    } else if (ending(to) == ".heddle") {
        to_document(from, to, arguments);
        return 0;
    } else if (ending(to) == ".safetensors") {
        to_safetensors(gpu::open_checkpoint(from), to);
    } else if (ending(to) == ".gguf") {
        to_gguf(gpu::open_checkpoint(from), to, format);
    } else {
        throw gpu::Error(gpu::ErrorCode::Usage, "convert: expected OUT to end in .heddle, .safetensors or .gguf, got '{}'", to);
    }
    print_line("wrote " + to);
    return 0;
}

}  // namespace

REGISTER_COMMAND(convert, {.name = "convert",
                           .arguments = "IN OUT",
                           .summary = "Converts a graph or a model file",
                           .help = "To .heddle: a graph in canonical form, its nodes brought to today's versions; or a ComfyUI workflow\n"
                                   "(the editor's file, the API's, or a PNG that holds one) or a picture with A1111's parameters,\n"
                                   "translated. Nodes without a counterpart are kept as placeholders and named.\n"
                                   "To .safetensors: the tensors of a PyTorch file, unchanged; those of a GGUF file, the quantised\n"
                                   "ones as F32.\n"
                                   "To .gguf: the same, unchanged, or with --quantize the weights of layers in blocks of 8.5 bits\n"
                                   "(q8_0) or 4.5 bits (q4_k) an element; norms and biases stay F32, embeddings, first and last\n"
                                   "layers F16.",
                           .options = {{"--layout", "LAYOUT", "ldm or diffusers: a model in the other layout, a checkpoint OUT.safetensors or a folder"},
                                       {"--precision", "TYPE", "f32, f16 or bf16, with --layout; else each tensor keeps its own"},
                                       {"--quantize", "FORMAT", "q8_0 or q4_k: quantise the weights (OUT.gguf)"},
                                       {"--comfy", "", "Write the graph IN as a ComfyUI prompt, the API's form (OUT.json)"},
                                       {"--comfy-folder", "DIR", "ComfyUI's folder: a workflow's models and pictures are looked for there"},
                                       {"--json", "", "Print what became of each node of a workflow as JSON on stdout"}},
                           .run = convert})

}  // namespace app
