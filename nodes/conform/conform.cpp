#include "nodes/conform/conform.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <cmath>
#include <filesystem>

#include "gpu/base/error.h"
#include "gpu/io/mapped_file.h"
#include "gpu/nn/scope.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"

namespace conform {
void register_all();
}

namespace nodes {
namespace {

std::map<std::string, ConformKind>& kinds() {
    static std::map<std::string, ConformKind> rows;
    return rows;
}

void register_once() {
    static const bool done = (conform::register_all(), true);
    (void)done;
}

QJsonObject read_json(const std::filesystem::path& path) {
    const gpu::MappedFile file(path.string());
    QJsonParseError error;
    const QByteArray text(reinterpret_cast<const char*>(file.bytes().data()), static_cast<qsizetype>(file.size()));
    const QJsonDocument document = QJsonDocument::fromJson(text, &error);
    gpu::check(document.isObject(), gpu::ErrorCode::BadFile, "conformance case {}: expected a JSON object, got: {}", path.string(),
               error.error ? error.errorString().toStdString() : "another value");
    return document.object();
}

std::optional<gpu::Checkpoint> open_if_there(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) return std::nullopt;
    return gpu::open_checkpoint(path.string());
}

gpu::Tensor as_leaf(const gpu::Checkpoint& file, const std::string& name) {
    const gpu::TensorEntry* entry = file.find(name);
    gpu::check(entry != nullptr, gpu::ErrorCode::BadFile, "{}: expected a tensor {}, got none of that name", file.path(), name);
    return gpu::to_leaf({*entry, file.owner(), file.path()});
}

bool is_gradient(const std::string& name) { return name.starts_with("grad."); }

double length(const gpu::Tensor& x) {
    double squares = 0;
    for (const float value : gpu::to_floats(x)) squares += double(value) * double(value);
    return std::sqrt(squares);
}

// `rounding`: what a gradient may be off where it is zero.
ConformRow compare(const std::string& name, const gpu::Tensor& ours, const gpu::Tensor& theirs, double tolerance, double rounding) {
    gpu::check(ours.shape() == theirs.shape(), gpu::ErrorCode::BadFile, "{}: expected shape {}, got {}", name,
               gpu::to_string(theirs.shape()), gpu::to_string(ours.shape()));
    const std::vector<float> a = gpu::to_floats(ours), b = gpu::to_floats(theirs);
    double error = 0, size = 0, worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = double(a[i]) - double(b[i]);
        error += difference * difference;
        size += double(b[i]) * double(b[i]);
        if (!std::isnan(worst) && !(std::abs(difference) <= worst)) worst = std::abs(difference);      // keeps a NaN
    }
    const double relative = size > 0 ? std::sqrt(error / size) : std::sqrt(error);
    const bool zero = is_gradient(name) && std::sqrt(size) <= rounding && std::sqrt(error) <= rounding;
    return {.output = name, .rel_l2 = relative, .rounding = zero, .max_error = worst, .pass = zero || relative <= tolerance};
}

void write_outputs(const ConformOutputs& outputs, const std::filesystem::path& path) {
    std::vector<std::vector<std::byte>> bytes;
    std::vector<gpu::TensorEntry> entries;
    bytes.reserve(outputs.size());
    for (const auto& [name, tensor] : outputs) {
        auto& one = bytes.emplace_back(static_cast<std::size_t>(tensor.element_count()) * gpu::size_of(tensor.dtype()));
        gpu::read(tensor, one);
        entries.push_back({name, tensor.dtype(), tensor.shape(), one});
    }
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    gpu::check(!error, gpu::ErrorCode::Io, "conform --out: expected a folder {}, got: {}", path.parent_path().string(), error.message());
    gpu::save_safetensors(path.string(), entries);
}

}  // namespace

gpu::Tensor ConformCase::input(const std::string& name) const {
    gpu::check(inputs.has_value(), gpu::ErrorCode::BadFile, "{}: expected inputs.safetensors, got none", folder);
    return as_leaf(*inputs, name);
}

void add_conform_kind(const std::string& name, ConformKind kind) { kinds()[name] = kind; }

std::vector<std::string> conform_kinds() {
    register_once();
    std::vector<std::string> names;
    for (const auto& [name, kind] : kinds()) names.push_back(name);
    return names;
}

ConformCase load_conform_case(const std::string& path) {
    std::filesystem::path folder = path;
    if (folder.filename() == "case.json") folder = folder.parent_path();
    if (folder.filename().empty()) folder = folder.parent_path();
    ConformCase made{.folder = folder.string(), .json = read_json(folder / "case.json")};
    made.name = made.json["name"].toString(QString::fromStdString(folder.filename().string())).toStdString();
    made.kind = made.json["kind"].toString().toStdString();
    gpu::check(!made.kind.empty(), gpu::ErrorCode::BadFile, "{}: expected a kind in case.json, got none", made.folder);
    gpu::check(!made.name.empty() && made.name.find('/') == std::string::npos, gpu::ErrorCode::BadFile,
               "{}: expected a name without '/' in case.json, got '{}'", made.folder, made.name);
    for (const QJsonValue& file : made.json["weights"].toArray())
        made.weights.push_back((folder / file.toString().toStdString()).lexically_normal().string());
    if (made.weights.empty() && std::filesystem::exists(folder / "weights.safetensors"))
        made.weights.push_back((folder / "weights.safetensors").string());
    made.inputs = open_if_there(folder / "inputs.safetensors");
    made.expected = open_if_there(folder / "expected.safetensors");
    for (const QString& name : made.json["expected"].toObject().keys()) made.outputs.push_back(name.toStdString());
    made.tolerance = made.json["tolerance"].toObject()["rel_l2"].toDouble();
    return made;
}

ConformCase stored_as(ConformCase given, gpu::Dtype type, const std::string& folder) {
    const double rounding = type == gpu::Dtype::F16 ? 2e-2 : 8 * 2e-2;      // BF16 has three bits less
    for (std::size_t file = 0; file < given.weights.size(); ++file) {
        const gpu::Checkpoint from = gpu::open_checkpoint(given.weights[file]);
        std::vector<gpu::TensorEntry> entries = from.entries();
        for (gpu::TensorEntry& entry : entries)
            if ((entry.dtype == gpu::Dtype::F32 || entry.dtype == gpu::Dtype::F16 || entry.dtype == gpu::Dtype::BF16) && !entry.blocks) entry.dtype = type, entry.bytes = {};
        const std::string to = gpu::format("{}/{}.safetensors", folder, file);
        gpu::save_safetensors(to, entries, from.metadata(), [&](std::size_t i) {
            const gpu::TensorEntry& entry = from.entries()[i];
            const gpu::Tensor value = gpu::cast(gpu::tensor(gpu::entry_floats(entry), entry.shape), type);
            std::vector<std::byte> bytes(static_cast<std::size_t>(gpu::element_count(entry.shape)) * 2);
            gpu::read(value, bytes);
            return bytes;
        });
        given.weights[file] = to;
    }
    given.tolerance = std::max(given.tolerance, rounding);
    return given;
}

ConformReport run_conform_case(const ConformCase& given, const std::string& out_folder) {
    register_once();
    const auto kind = kinds().find(given.kind);
    if (kind == kinds().end()) {
        std::string known;
        for (const std::string& name : conform_kinds()) known += (known.empty() ? "" : ", ") + name;
        throw gpu::Error(gpu::ErrorCode::Failure, "{}: kind '{}' is not supported yet (there are: {})", given.name, given.kind, known);
    }
    const ConformOutputs outputs = kind->second(given);
    gpu::Tensors all;
    for (const auto& [name, tensor] : outputs) all.push_back(tensor);
    gpu::evaluate(all);
    if (!out_folder.empty()) write_outputs(outputs, std::filesystem::path(out_folder) / (given.name + ".safetensors"));

    double gradients = 0;
    for (const std::string& name : given.outputs)
        if (given.expected && is_gradient(name)) gradients = std::hypot(gradients, length(as_leaf(*given.expected, name)));
    ConformReport report{given.name, given.kind, given.tolerance, given.expected.has_value(), true, {}};
    for (const std::string& name : given.outputs) {
        const auto ours = outputs.find(name);
        gpu::check(ours != outputs.end(), gpu::ErrorCode::BadFile, "{}: expected an output {} of kind {}, got none of that name",
                   given.name, name, given.kind);
        if (!given.expected) continue;
        report.rows.push_back(compare(name, ours->second, as_leaf(*given.expected, name), given.tolerance, 1e-6 * gradients));
        report.pass = report.pass && report.rows.back().pass;
    }
    return report;
}

}  // namespace nodes
