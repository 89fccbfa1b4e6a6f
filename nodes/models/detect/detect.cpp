#include "nodes/models/detect/detect.h"

#include <algorithm>
#include <initializer_list>
#include <map>

#include "gpu/base/error.h"
#include "nodes/models/detect/signatures.h"
#include "nodes/models/lora/patch.h"

namespace nodes {
namespace {

// "F16", "F16 with some F32": by elements.
std::string precision_of(std::span<const gpu::Checkpoint> files) {
    std::map<std::string, double> elements;
    for (const gpu::Checkpoint& file : files)
        for (const gpu::TensorEntry& entry : file.entries()) elements[gpu::type_name(entry)] += static_cast<double>(gpu::element_count(entry.shape));
    std::vector<std::pair<std::string, double>> sorted(elements.begin(), elements.end());
    std::erase_if(sorted, [](const auto& one) { return one.first.starts_with("I") || one.first == "BOOL"; });      // counts and positions
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    if (sorted.empty()) return "";
    std::string rest;
    for (std::size_t i = 1; i < sorted.size(); ++i) rest += (i == 1 ? " with some " : ", ") + sorted[i].first;
    return sorted[0].first + rest;
}

struct Title {
    FileKind kind;
    const char *name, *phrase;      // for machines, for people
};
constexpr Title titles[] = {{FileKind::Unknown, "unknown", "a file of an unknown kind"},
                            {FileKind::Checkpoint, "checkpoint", "a checkpoint"},
                            {FileKind::Unet, "unet", "a UNet"},
                            {FileKind::Vae, "vae", "an autoencoder"},
                            {FileKind::Vq, "vq", "a VQ autoencoder"},
                            {FileKind::TinyVae, "tiny-vae", "a tiny autoencoder"},
                            {FileKind::TextEncoder, "text-encoder", "a text encoder"},
                            {FileKind::VisionEncoder, "vision-encoder", "an image encoder"},
                            {FileKind::ControlNet, "controlnet", "a ControlNet"},
                            {FileKind::T2iAdapter, "t2i-adapter", "a T2I-Adapter"},
                            {FileKind::Lora, "lora", "a LoRA"},
                            {FileKind::Embedding, "embedding", "a textual inversion"},
                            {FileKind::IpAdapter, "ip-adapter", "an IP-Adapter"},
                            {FileKind::MotionModule, "motion-module", "a motion module"},
                            {FileKind::VideoModel, "video-model", "a Stable Video Diffusion model"},
                            {FileKind::Upscaler, "upscaler", "an upscaler"}};

const Title& title_row(FileKind kind) {
    return *std::find_if(std::begin(titles), std::end(titles), [&](const Title& title) { return title.kind == kind; });
}

}  // namespace

const gpu::TensorEntry* FileNames::find(std::string_view name) const {
    for (const gpu::Checkpoint& file : files_)
        if (const gpu::TensorEntry* entry = file.find(name)) return entry;
    return nullptr;
}

namespace {

template <typename Test>
const gpu::TensorEntry* first_where(std::span<const gpu::Checkpoint> files, const Test& test) {
    for (const gpu::Checkpoint& file : files)
        for (const gpu::TensorEntry& entry : file.entries())
            if (test(std::string_view(entry.name))) return &entry;
    return nullptr;
}

}  // namespace

const gpu::TensorEntry* FileNames::starting(std::string_view text) const {
    return first_where(files_, [&](std::string_view name) { return name.starts_with(text); });
}
const gpu::TensorEntry* FileNames::containing(std::string_view text) const {
    return first_where(files_, [&](std::string_view name) { return name.find(text) != name.npos; });
}
const gpu::TensorEntry* FileNames::ending(std::string_view text) const {
    return first_where(files_, [&](std::string_view name) { return name.ends_with(text); });
}

std::int64_t FileNames::length(const gpu::TensorEntry* entry, int axis) {
    if (!entry) return 0;
    const int rank = static_cast<int>(entry->shape.size()), at = axis < 0 ? axis + rank : axis;
    return at < 0 || at >= rank ? 0 : entry->shape[static_cast<std::size_t>(at)];
}

std::size_t FileNames::count() const {
    std::size_t count = 0;
    for (const gpu::Checkpoint& file : files_) count += file.entries().size();
    return count;
}

std::string family_of_context(std::int64_t width) {
    return width == 768 ? "sd1" : width == 1024 ? "sd2" : width == 1280 ? "sdxl-refiner" : width == 2048 ? "sdxl" : "";
}

ModelFacts recognise(std::span<const gpu::Checkpoint> files) {
    const FileNames names(files);
    ModelFacts facts;
    for (const auto list : {adapter_signatures(), network_signatures(), part_signatures()})
        for (const Signature& signature : list) {
            ModelFacts found;
            if (!signature.matches(names, found)) continue;
            found.precision = precision_of(files);
            return found;
        }
    facts.precision = precision_of(files);
    return facts;
}

ModelFacts recognise(const gpu::Checkpoint& file) { return recognise(std::span(&file, 1)); }

const char* kind_name(FileKind kind) { return title_row(kind).name; }

std::string title_of(const ModelFacts& facts) {
    std::string text = title_row(facts.kind).phrase;
    if (facts.kind == FileKind::Lora && !facts.variant.empty() && facts.variant != "LoRA") text += " (" + facts.variant + ")";
    if (!facts.family.empty() && facts.kind != FileKind::VideoModel && !(facts.kind == FileKind::Vae && facts.family == "svd")) {
        const bool of = facts.kind == FileKind::Checkpoint || facts.kind == FileKind::Unet || facts.kind == FileKind::TextEncoder;
        text += (of ? " of " : " for ") + family_title(facts.family);
    }
    if (facts.kind != FileKind::Lora && !facts.variant.empty()) text += ", " + facts.variant;
    return text;
}

void expect_kind(std::span<const gpu::Checkpoint> files, std::span<const FileKind> wanted, const std::string& expected, bool let_unknown) {
    const ModelFacts facts = recognise(files);
    if (std::find(wanted.begin(), wanted.end(), facts.kind) != wanted.end()) return;
    if (facts.kind == FileKind::Unknown && let_unknown) return;
    const std::string example = files.empty() || files[0].entries().empty() ? "no tensors" : "tensors such as " + files[0].entries()[0].name;
    throw gpu::Error(gpu::ErrorCode::BadFile, "{}: expected {}, got {}", files.empty() ? "no file" : files[0].path(), expected,
                     facts.kind == FileKind::Unknown ? example : title_of(facts));
}

void expect_kind(const gpu::Checkpoint& file, std::initializer_list<FileKind> wanted, const std::string& expected, bool let_unknown) {
    expect_kind(std::span(&file, 1), std::span(wanted.begin(), wanted.size()), expected, let_unknown);
}

}  // namespace nodes
