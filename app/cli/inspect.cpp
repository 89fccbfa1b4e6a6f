// heddle inspect: what a model file holds.
#include <QJsonArray>
#include <QJsonObject>

#include "app/cli/command.h"
#include "gpu/base/format.h"
#include "gpu/io/checkpoint.h"

namespace app {
namespace {

std::string dtype_text(const gpu::TensorEntry& entry) { return std::string(gpu::name_of(entry.dtype)); }

QJsonObject checkpoint_json(const gpu::Checkpoint& checkpoint) {
    QJsonArray tensors;
    qint64 bytes = 0;
    for (const gpu::TensorEntry& entry : checkpoint.entries()) {
        QJsonArray shape;
        for (const auto size : entry.shape) shape.append(static_cast<qint64>(size));
        tensors.append(QJsonObject{{"name", QString::fromStdString(entry.name)},
                                   {"dtype", QString::fromStdString(dtype_text(entry))},
                                   {"shape", shape},
                                   {"bytes", static_cast<qint64>(entry.bytes.size())}});
        bytes += static_cast<qint64>(entry.bytes.size());
    }
    QJsonObject metadata;
    for (const auto& [key, value] : checkpoint.metadata())
        metadata[QString::fromStdString(key)] = QString::fromStdString(value);
    return {{"path", QString::fromStdString(checkpoint.path())},
            {"format", QString::fromStdString(checkpoint.format())},
            {"metadata", metadata},
            {"tensors", tensors},
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
        rows.push_back({entry.name, dtype_text(entry), gpu::to_string(entry.shape), bytes_text(entry.bytes.size())});
        bytes += entry.bytes.size();
    }
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
                  .help = "Names, types, shapes and bytes of the tensors, and the file's metadata. Reads safetensors\n"
                          "and PyTorch files (.pth, .pt, .ckpt, .bin); nothing in a file is executed.",
                  .options = {json_option},
                  .run = inspect})

}  // namespace app
