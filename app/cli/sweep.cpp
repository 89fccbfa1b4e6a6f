// heddle sweep: runs a graph for every combination of some parameters' values.
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "app/cli/command.h"
#include "app/cli/graph_options.h"
#include "app/cli/interrupt.h"
#include "app/cli/run_setup.h"
#include "app/cli/variation.h"
#include "gpu/base/error.h"
#include "gpu/io/atomic_file.h"
#include "nodes/codec/image_file.h"
#include "nodes/core/lowering.h"
#include "nodes/core/node.h"

namespace app {
namespace {

using gpu::ErrorCode;
using nodes::Document;

struct Cell {
    std::vector<std::string> values;      // of each variation
    nodes::RunResult result;
};

// "out.png" -> "out-003.png", so that no cell writes over another's files.
std::string numbered(const std::string& path, std::size_t cell, std::size_t cells) {
    const std::filesystem::path file(path);
    const std::string number = QString::number(cell).rightJustified(static_cast<int>(std::max<std::size_t>(3, std::to_string(cells).size())), '0').toStdString();
    return (file.parent_path() / (file.stem().string() + "-" + number + file.extension().string())).string();
}

Document with_numbered_files(Document document, std::size_t cell, std::size_t cells) {
    for (const std::string& id : document.node_ids()) {
        const nodes::Node* type = document.type_of(id);
        if (!type) continue;
        for (const nodes::ParamInfo& info : type->params()) {
            const std::string path = document.param(id, info.name).toString().toStdString();
            if (info.kind == nodes::ParamKind::OutputFile && !path.empty())
                document = document.set_param(id, info.name, QString::fromStdString(numbered(path, cell, cells)));
        }
    }
    return document;
}

// --- results ---

QJsonObject cell_json(const std::vector<Variation>& variations, const Cell& cell) {
    QJsonObject params, metrics;
    QJsonArray files, errors;
    for (std::size_t i = 0; i < variations.size(); ++i) params[QString::fromStdString(variations[i].param)] = QString::fromStdString(cell.values[i]);
    for (const auto& metric : cell.result.metrics) metrics[QString::fromStdString(metric.node + "." + metric.name)] = metric.value;
    for (const auto& output : cell.result.outputs) files.append(QString::fromStdString(output.path));
    for (const auto& failure : cell.result.failures) errors.append(QString::fromStdString(failure.node + ": " + failure.message));
    return {{"params", params}, {"metrics", metrics}, {"files", files}, {"errors", errors}, {"ms", cell.result.ms}, {"exit_code", cell.result.exit_code()}};
}

std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    return "\"" + QString::fromStdString(text).replace("\"", "\"\"").toStdString() + "\"";
}

// One row a cell: the varied parameters, all metrics, the files.
std::string table_csv(const std::vector<Variation>& variations, const std::vector<Cell>& cells) {
    std::vector<std::string> metrics;
    std::size_t files = 0;
    for (const Cell& cell : cells) {
        files = std::max(files, cell.result.outputs.size());
        for (const auto& metric : cell.result.metrics)
            if (const std::string name = metric.node + "." + metric.name; std::ranges::find(metrics, name) == metrics.end()) metrics.push_back(name);
    }
    std::string text;
    const auto row = [&](const std::vector<std::string>& fields) {
        for (std::size_t i = 0; i < fields.size(); ++i) text += (i ? "," : "") + quoted(fields[i]);
        text += "\n";
    };
    std::vector<std::string> head;
    for (const Variation& variation : variations) head.push_back(variation.param);
    head.insert(head.end(), metrics.begin(), metrics.end());
    for (std::size_t i = 0; i < files; ++i) head.push_back(files == 1 ? "file" : "file" + std::to_string(i + 1));
    head.push_back("exit_code");
    row(head);
    for (const Cell& cell : cells) {
        std::vector<std::string> fields = cell.values;
        for (const std::string& name : metrics) {
            const auto at = std::ranges::find_if(cell.result.metrics, [&](const auto& metric) { return metric.node + "." + metric.name == name; });
            fields.push_back(at == cell.result.metrics.end() ? std::string() : QString::number(at->value, 'g', 9).toStdString());
        }
        for (std::size_t i = 0; i < files; ++i) fields.push_back(i < cell.result.outputs.size() ? cell.result.outputs[i].path : "");
        fields.push_back(std::to_string(cell.result.exit_code()));
        row(fields);
    }
    return text;
}

// The first picture that a cell wrote, or a null image.
QImage picture_of(const Cell& cell) {
    for (const auto& output : cell.result.outputs) {
        const std::string suffix = QFileInfo(QString::fromStdString(output.path)).suffix().toLower().toStdString();
        if (std::ranges::find(nodes::image_suffixes(), suffix) != nodes::image_suffixes().end())
            return nodes::to_qimage(nodes::read_image(output.path).image, 4096);
    }
    return {};
}

// Pictures in rows; the values of the last parameter side by side. Cells without a picture stay grey.
void write_sheet(const std::string& path, const std::vector<Variation>& variations, const std::vector<Cell>& cells, const Document& document) {
    constexpr int gap = 4;
    std::vector<QImage> pictures;
    QSize size;
    for (const Cell& cell : cells) {
        pictures.push_back(picture_of(cell));
        size = size.expandedTo(pictures.back().size());
    }
    gpu::check(!size.isEmpty(), ErrorCode::Failure, "--sheet: expected cells that write pictures, there is none");
    std::size_t across = variations.back().values.size();
    if (variations.size() == 1 && across > 12) across = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(across))));
    const auto down = static_cast<int>((cells.size() + across - 1) / across);
    QImage sheet(static_cast<int>(across) * (size.width() + gap) + gap, down * (size.height() + gap) + gap, QImage::Format_RGB32);
    gpu::check(!sheet.isNull(), ErrorCode::OutOfMemory, "--sheet: expected memory for {} pictures of {} x {}", cells.size(), size.width(), size.height());
    sheet.fill(Qt::white);
    sheet.setText("heddle", QString::fromUtf8(document.to_json()));
    QPainter painter(&sheet);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const QPoint at(gap + static_cast<int>(i % across) * (size.width() + gap), gap + static_cast<int>(i / across) * (size.height() + gap));
        if (pictures[i].isNull())
            painter.fillRect(QRect(at, size), Qt::lightGray);
        else
            painter.drawImage(at, pictures[i]);
    }
    painter.end();
    gpu::check(sheet.save(QString::fromStdString(path)), ErrorCode::Io, "--sheet: expected to write a picture to {}", path);
}

void write_table(const std::string& path, const std::vector<Variation>& variations, const std::vector<Cell>& cells) {
    if (!path.ends_with(".json")) return gpu::write_file(path, table_csv(variations, cells));
    QJsonArray rows;
    for (const Cell& cell : cells) rows.append(cell_json(variations, cell));
    gpu::write_file(path, QJsonDocument(rows).toJson().toStdString());
}

// --- the sweep ---

int exit_code_of(const std::vector<Cell>& cells) {
    const auto failed = std::ranges::count_if(cells, [](const Cell& cell) { return cell.result.exit_code() != 0; });
    if (failed == 0) return 0;
    return failed < static_cast<std::ptrdiff_t>(cells.size()) ? 10 : cells.front().result.exit_code();
}

int sweep(const Arguments& arguments) {
    std::vector<Variation> variations;
    for (const std::string& text : arguments.values("--vary")) variations.push_back(parse_variation(text));
    gpu::check(!variations.empty(), ErrorCode::Usage, "sweep: expected --vary NODE.param=VALUES, got none");
    RunSetup setup = set_up_run(arguments, std::size_t{1} << 30, arguments.value("--output"));
    const auto combined = combinations(variations);
    const InterruptScope interrupt(setup.options.cancel);
    std::vector<Document> documents;      // all before the first runs: a value out of range stops the sweep at once
    std::vector<Cell> cells;
    for (std::size_t i = 0; i < combined.size(); ++i) {
        Document document = setup.document;
        Cell cell;
        for (std::size_t v = 0; v < variations.size(); ++v) {
            cell.values.push_back(variations[v].values[combined[i][v]]);
            document = apply_set(document, variations[v].param + "=" + cell.values.back(), setup.options.allowed);
        }
        documents.push_back(with_numbered_files(std::move(document), i + 1, combined.size()));
        cells.push_back(std::move(cell));
    }
    const bool json = arguments.has("--json");
    for (std::size_t i = 0; i < cells.size(); ++i) {
        cells[i].result = nodes::run(documents[i], setup.options);
        if (cells[i].result.status == nodes::RunStatus::Cancelled) return 128 + std::max(2, interrupt.signal());
        QJsonObject line = cell_json(variations, cells[i]);
        line["cell"] = static_cast<int>(i + 1);
        line["cells"] = static_cast<int>(cells.size());
        if (json) {
            print_json_line(line);
            continue;
        }
        std::string text = gpu::format("{}/{}", i + 1, cells.size());
        for (std::size_t v = 0; v < variations.size(); ++v) text += "  " + variations[v].param + "=" + cells[i].values[v];
        for (const auto& metric : cells[i].result.metrics) text += gpu::format("  {}.{}: {}", metric.node, metric.name, metric.value);
        for (const auto& output : cells[i].result.outputs) text += "  " + output.path;
        for (const auto& failure : cells[i].result.failures) text += "  error: " + failure.node + ": " + failure.message;
        print_line(text);
    }
    if (const auto table = arguments.value("--table")) write_table(*table, variations, cells);
    if (const auto sheet = arguments.value("--sheet")) write_sheet(*sheet, variations, cells, setup.document);
    return exit_code_of(cells);
}

Command sweep_command() {
    Command command{.name = "sweep",
                    .arguments = "GRAPH",
                    .summary = "Runs a graph for every combination of parameters' values",
                    .help = "  heddle sweep text-to-image.heddle --vary sample.steps=5,10,25 --vary sample.seed=0:3:4 --sheet sheet.png\n"
                            "A --vary is NODE.param=a,b,c (a comma in a value is \\,), NODE.param=FIRST:LAST:COUNT, or NODE.param=@FILE\n"
                            "with a value a line; the last one changes fastest and makes the columns of the sheet. Nodes that no\n"
                            "parameter touches run once. Files that cells write get the cell's number: out-001.png. A cell that fails\n"
                            "does not stop the others; the exit status is 10 then.",
                    .options = run_options(),
                    .run = sweep};
    command.options.push_back({"--vary", "NODE.param=VALUES", "A parameter and its values", "", true});
    command.options.push_back({"--output", "FILE", "Where the only node that writes a file puts it, with the cell's number", "-o"});
    command.options.push_back({"--sheet", "FILE", "A picture of the cells' pictures"});
    command.options.push_back({"--table", "FILE", "A table of values, numbers and files: .csv or .json"});
    return command;
}

}  // namespace

REGISTER_COMMAND(sweep, sweep_command())

}  // namespace app
