// heddle inspect: what a model file holds.
#include <QJsonArray>
#include <QJsonObject>
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "app/cli/command.h"
#include "gpu/base/format.h"
#include "gpu/io/checkpoint.h"
#include "nodes/models/detect/detect.h"
#include "nodes/models/detect/folder.h"

namespace app {
namespace {

// Tensors of one type within one part of the model (the first two words of their names).
struct Group {
    std::size_t tensors = 0;
    std::uint64_t elements = 0, bytes = 0;
};

std::string part_of(const std::string& name) {
    const std::size_t first = name.find('.');
    return first == std::string::npos ? name : name.substr(0, name.find('.', first + 1));
}

// (part, type) -> group; one part for the whole file where there are too many to read.
std::map<std::pair<std::string, std::string>, Group> groups(const gpu::Checkpoint& checkpoint) {
    std::map<std::pair<std::string, std::string>, Group> result;
    std::set<std::string> parts;
    for (const gpu::TensorEntry& entry : checkpoint.entries()) parts.insert(part_of(entry.name));
    for (const gpu::TensorEntry& entry : checkpoint.entries()) {
        Group& group = result[{parts.size() > 40 ? "" : part_of(entry.name), gpu::type_name(entry)}];
        ++group.tensors;
        group.elements += static_cast<std::uint64_t>(gpu::element_count(entry.shape));
        group.bytes += entry.bytes.size();
    }
    return result;
}

double bits_of(const Group& group) {
    return group.elements ? 8.0 * static_cast<double>(group.bytes) / static_cast<double>(group.elements) : 0;
}

QJsonObject checkpoint_json(const gpu::Checkpoint& checkpoint) {
    QJsonArray tensors;
    qint64 bytes = 0;
    for (const gpu::TensorEntry& entry : checkpoint.entries()) {
        QJsonArray shape;
        for (const auto size : entry.shape) shape.append(static_cast<qint64>(size));
        tensors.append(QJsonObject{{"name", QString::fromStdString(entry.name)},
                                   {"dtype", QString::fromStdString(gpu::type_name(entry))},
                                   {"shape", shape},
                                   {"bytes", static_cast<qint64>(entry.bytes.size())}});
        bytes += static_cast<qint64>(entry.bytes.size());
    }
    QJsonArray precision;
    for (const auto& [key, group] : groups(checkpoint))
        precision.append(QJsonObject{{"part", QString::fromStdString(key.first)},
                                     {"dtype", QString::fromStdString(key.second)},
                                     {"tensors", static_cast<qint64>(group.tensors)},
                                     {"elements", static_cast<qint64>(group.elements)},
                                     {"bits", bits_of(group)}});
    QJsonObject metadata;
    for (const auto& [key, value] : checkpoint.metadata())
        metadata[QString::fromStdString(key)] = QString::fromStdString(value);
    return {{"path", QString::fromStdString(checkpoint.path())},
            {"format", QString::fromStdString(checkpoint.format())},
            {"metadata", metadata},
            {"tensors", tensors},
            {"precision", precision},
            {"bytes", bytes}};
}

QJsonArray texts_json(const std::vector<std::string>& texts) {
    QJsonArray array;
    for (const std::string& text : texts) array.append(QString::fromStdString(text));
    return array;
}

QJsonObject facts_json(const nodes::ModelFacts& facts) {
    QJsonObject json{{"kind", nodes::kind_name(facts.kind)}, {"title", QString::fromStdString(nodes::title_of(facts))}, {"missing", texts_json(facts.missing)},
                     {"unexpected", texts_json(facts.unexpected)}, {"notes", texts_json(facts.notes)}};
    for (const auto& [name, value] : {std::pair("family", facts.family), {"variant", facts.variant}, {"prediction", facts.prediction}, {"layout", facts.layout},
                                      {"precision", facts.precision}})
        json[name] = QString::fromStdString(value);
    if (!facts.parts.empty()) json["parts"] = texts_json(facts.parts);
    if (facts.zero_terminal_snr) json["zero_terminal_snr"] = true;
    return json;
}

// "3: a, b and 1 more"
std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 8;
    if (names.empty()) return "none";
    std::string text = gpu::format("{}: ", names.size());
    for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) text += (i ? ", " : "") + names[i];
    return names.size() > shown ? gpu::format("{} and {} more", text, names.size() - shown) : text;
}

std::vector<std::vector<std::string>> facts_rows(const nodes::ModelFacts& facts) {
    std::vector<std::vector<std::string>> rows{{"kind", nodes::title_of(facts)}};
    const auto row = [&](const char* name, const std::string& value) {
        if (!value.empty()) rows.push_back({name, value});
    };
    std::string parts;
    for (const std::string& part : facts.parts) parts += (parts.empty() ? "" : ", ") + part;
    row("parts", parts);
    row("layout", facts.layout);
    row("prediction", facts.prediction + (facts.zero_terminal_snr ? ", zero terminal SNR" : ""));
    row("precision", facts.precision);
    if (facts.kind != nodes::FileKind::Unknown) {
        row("missing", listed(facts.missing));
        row("unexpected", listed(facts.unexpected));
    }
    for (const std::string& note : facts.notes) row("note", note);
    return rows;
}

void print_facts(const nodes::ModelFacts& facts) {
    const std::string text = table_text(facts_rows(facts));
    print_line(text.substr(0, text.size() - 1));
}

// A folder: what each part is.
int inspect_folder(const Arguments& arguments, const std::string& path) {
    std::map<std::string, std::vector<gpu::Checkpoint>> parts;
    QJsonObject scheduler;
    if (nodes::is_model_folder(path)) {
        nodes::ModelFolder folder = nodes::open_model_folder(path);
        parts = std::move(folder.parts), scheduler = folder.scheduler;
    } else {
        parts[""] = nodes::open_model_part(path);
    }
    QJsonArray json;
    for (const auto& [name, files] : parts) {
        nodes::ModelFacts facts = nodes::recognise(files);
        if (name == "unet" && scheduler.contains("prediction_type")) {
            facts.prediction = scheduler["prediction_type"].toString() == "v_prediction" ? "v" : scheduler["prediction_type"].toString().toStdString();
            std::erase_if(facts.notes, [](const std::string& note) { return note.starts_with("The prediction type is a guess"); });
        }
        if (arguments.has("--json")) {
            QJsonObject one = facts_json(facts);
            QJsonArray paths;
            for (const gpu::Checkpoint& file : files) paths.append(QString::fromStdString(file.path()));
            one["part"] = QString::fromStdString(name), one["files"] = paths;
            json.append(one);
            continue;
        }
        if (!name.empty()) print_line("# " + name);
        print_facts(facts);
    }
    if (arguments.has("--json")) print_json(QJsonObject{{"path", QString::fromStdString(path)}, {"parts", json}, {"scheduler", scheduler}});
    return 0;
}

int inspect(const Arguments& arguments) {
    const std::string path = arguments.only("FILE");
    if (std::filesystem::is_directory(path) || path.ends_with(".json")) return inspect_folder(arguments, path);
    const gpu::Checkpoint checkpoint = gpu::open_checkpoint(path);
    const nodes::ModelFacts facts = nodes::recognise(checkpoint);
    if (arguments.has("--json")) {
        QJsonObject json = checkpoint_json(checkpoint);
        json["model"] = facts_json(facts);
        print_json(json);
        return 0;
    }
    if (arguments.has("--summary")) {
        print_facts(facts);
        return 0;
    }
    std::vector<std::vector<std::string>> rows;
    std::uint64_t bytes = 0;
    for (const gpu::TensorEntry& entry : checkpoint.entries()) {
        rows.push_back({entry.name, gpu::type_name(entry), gpu::to_string(entry.shape), bytes_text(entry.bytes.size())});
        bytes += entry.bytes.size();
    }
    std::vector<std::vector<std::string>> summary;
    for (const auto& [key, group] : groups(checkpoint)) {
        const auto bits = static_cast<int>(bits_of(group) * 100 + 0.5);
        summary.push_back({key.first.empty() ? "all" : key.first, key.second, gpu::format("{} tensors", group.tensors),
                           gpu::format("{}.{}{} bits each", bits / 100, bits / 10 % 10, bits % 10), bytes_text(group.bytes)});
    }
    rows.push_back({""});
    rows.insert(rows.end(), summary.begin(), summary.end());
    for (const auto& [key, value] : checkpoint.metadata()) print_line("# " + key + ": " + value);
    rows.push_back(
        {gpu::format("{} tensors, {}, {}", checkpoint.entries().size(), bytes_text(bytes), checkpoint.format())});
    const std::string text = table_text(rows);
    print_line(text.substr(0, text.size() - 1));
    print_facts(facts);
    return 0;
}

}  // namespace

REGISTER_COMMAND(inspect,
                 {.name = "inspect",
                  .arguments = "FILE|FOLDER",
                  .summary = "Tells what a model file or folder is, and lists what it holds",
                  .help = "Names, types, shapes and bytes of the tensors, the precision of each part, and the file's\n"
                          "metadata. Reads safetensors, GGUF and PyTorch files (.pth, .pt, .ckpt, .bin); nothing in a\n"
                          "file is executed. The last lines say what the file is by names and shapes: checkpoint, UNet,\n"
                          "autoencoder, text or image encoder, ControlNet, LoRA, embedding and so on; its family, prediction\n"
                          "type and precision; keys that are missing or that nothing would read.",
                  .options = {json_option, {"--summary", "", "What the file is alone, without the list of tensors"}},
                  .run = inspect})

}  // namespace app
