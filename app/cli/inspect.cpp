// heddle inspect: what a model file holds.
#include <QJsonArray>
#include <QJsonObject>
#include <map>
#include <set>

#include "app/cli/command.h"
#include "gpu/base/format.h"
#include "gpu/io/checkpoint.h"

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

int inspect(const Arguments& arguments) {
    const gpu::Checkpoint checkpoint = gpu::open_checkpoint(arguments.only("FILE"));
    if (arguments.has("--json")) {
        print_json(checkpoint_json(checkpoint));
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
    return 0;
}

}  // namespace

REGISTER_COMMAND(inspect,
                 {.name = "inspect",
                  .arguments = "FILE",
                  .summary = "Lists what a model file holds",
                  .help = "Names, types, shapes and bytes of the tensors, the precision of each part, and the file's\n"
                          "metadata. Reads safetensors, GGUF and PyTorch files (.pth, .pt, .ckpt, .bin); nothing in a\n"
                          "file is executed.",
                  .options = {json_option},
                  .run = inspect})

}  // namespace app
