// heddle sweep: runs a graph for every combination of some parameters' values.
#include <QFileInfo>
#include <QJsonObject>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/cli/cells.h"
#include "app/cli/command.h"
#include "app/cli/graph_options.h"
#include "app/cli/interrupt.h"
#include "app/cli/run_cells.h"
#include "app/cli/run_setup.h"
#include "app/cli/slurm_engine.h"
#include "app/cli/variation.h"
#include "gpu/base/error.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/sheet_labels.h"

namespace app {
namespace {

using gpu::ErrorCode;
using nodes::Document;

// The first picture that a cell wrote, or a null image.
QImage picture_of(const Cell& cell) {
    for (const auto& output : cell.result.outputs) {
        const std::string suffix = QFileInfo(QString::fromStdString(output.path)).suffix().toLower().toStdString();
        if (std::ranges::find(nodes::image_suffixes(), suffix) != nodes::image_suffixes().end())
            return nodes::to_qimage(nodes::read_image(output.path).image, 4096);
    }
    return {};
}

// "steps: 20", or "sample.steps: 20" where another parameter of the sweep has the same name; of a file its name without the folder.
std::string label_of(const std::vector<Variation>& variations, std::size_t v, const std::string& value, const Document& document) {
    const std::string& param = variations[v].param;
    const auto short_name = [](const Variation& one) { return one.param.substr(one.param.find('.') + 1); };
    const bool clear = std::ranges::count(variations, short_name(variations[v]), short_name) == 1;
    const nodes::ParamKind kind = find_param(document, param).kind;
    const bool file = kind == nodes::ParamKind::InputFile || kind == nodes::ParamKind::OutputFile;
    return (clear ? short_name(variations[v]) : param) + ": " + (file ? QFileInfo(QString::fromStdString(value)).fileName().toStdString() : value);
}

// The last parameter's values above the columns and those of the others beside the rows; above each picture where a single one fills several rows.
nodes::SheetTexts labels_of(const std::vector<Variation>& variations, const std::vector<Cell>& cells, std::size_t across, const Document& document) {
    const std::size_t last = variations.size() - 1;
    nodes::SheetTexts texts;
    for (const std::string& value : variations[last].values)
        (across < variations[last].values.size() ? texts.captions : texts.columns).push_back(label_of(variations, last, value, document));
    if (last > 0)
        for (std::size_t first = 0; first < cells.size(); first += across) {
            texts.rows.emplace_back();
            for (std::size_t v = 0; v < last; ++v) {
                if (v > 0) texts.rows.back() += '\n';
                texts.rows.back() += label_of(variations, v, cells[first].params[v].second, document);
            }
        }
    return texts;
}

// Pictures in rows, labelled; the values of the last parameter side by side. Cells without a picture stay grey.
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
    const auto laid_out = [&](nodes::SheetTexts texts) {
        const auto down = static_cast<int>((cells.size() + across - 1) / across);
        return nodes::SheetLayout(static_cast<int>(across), down, size.width(), size.height(), gap, std::move(texts));
    };
    nodes::SheetLayout layout = laid_out({});
    try {
        layout = laid_out(labels_of(variations, cells, across, document));
    } catch (const gpu::Error& error) {      // a sheet without labels is better than none
        std::fprintf(stderr, "--sheet: no labels: %s\n", error.what());
    }
    QImage sheet(layout.sheet_width(), layout.sheet_height(), QImage::Format_RGB32);
    gpu::check(!sheet.isNull(), ErrorCode::OutOfMemory, "--sheet: expected memory for {} pictures of {} x {}", cells.size(), size.width(), size.height());
    sheet.fill(Qt::white);
    sheet.setText("heddle", QString::fromUtf8(document.to_json()));
    const std::vector<std::uint8_t> letters = layout.coverage();
    if (!letters.empty())
        for (int y = 0; y < sheet.height(); ++y)
            for (int x = 0; x < sheet.width(); ++x) {
                const int grey = 255 - letters[static_cast<std::size_t>(y) * static_cast<std::size_t>(sheet.width()) + static_cast<std::size_t>(x)];
                reinterpret_cast<QRgb*>(sheet.scanLine(y))[x] = qRgb(grey, grey, grey);
            }
    QPainter painter(&sheet);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const QPoint at(layout.x(static_cast<int>(i % across)), layout.y(static_cast<int>(i / across)));
        if (pictures[i].isNull())
            painter.fillRect(QRect(at, size), Qt::lightGray);
        else
            painter.drawImage(at, pictures[i]);
    }
    painter.end();
    gpu::check(sheet.save(QString::fromStdString(path)), ErrorCode::Io, "--sheet: expected to write a picture to {}", path);
}

// --- the sweep ---

// One cell, computed, on stdout.
void print_cell(const std::vector<Cell>& cells, std::size_t index, bool json) {
    const Cell& cell = cells[index];
    if (json) {
        QJsonObject line = cell_json(cell);
        line["cell"] = static_cast<int>(index + 1);
        line["cells"] = static_cast<int>(cells.size());
        return print_json_line(line);
    }
    std::string text = gpu::format("{}/{}  {}", index + 1, cells.size(), params_text(cell));
    for (const auto& metric : cell.result.metrics) text += gpu::format("  {}.{}: {}", metric.node, metric.name, metric.value);
    for (const auto& output : cell.result.outputs) text += "  " + output.path;
    for (const auto& failure : cell.result.failures) text += "  error: " + failure.node + ": " + failure.message;
    print_line(text);
}

int sweep(const Arguments& arguments) {
    const SignalThread signal_thread;
    const bool on_slurm = wants_slurm(arguments);
    std::vector<Variation> variations;
    for (const std::string& text : arguments.values("--vary")) variations.push_back(parse_variation(text));
    gpu::check(!variations.empty(), ErrorCode::Usage, "sweep: expected --vary NODE.param=VALUES, got none");
    RunSetup setup = set_up_run(arguments, std::size_t{1} << 30);
    const InterruptScope interrupt(setup.options.cancel, setup.options.pause);
    std::vector<Cell> cells;      // all before the first runs: a value out of range stops the sweep at once
    for (const auto& combination : combinations(variations)) {
        Cell cell{.document = setup.document};
        for (std::size_t v = 0; v < variations.size(); ++v) {
            cell.params.emplace_back(variations[v].param, variations[v].values[combination[v]]);
            try {
                cell.document = apply_param(cell.document, variations[v].param, cell.params.back().second, cell.files);
            } catch (const gpu::Error& error) {
                throw gpu::Error(error.code(), "--vary {}: {}", variations[v].param, error.message());
            }
        }
        cells.push_back(std::move(cell));
    }
    name_files(cells, true, arguments, setup);
    const bool json = arguments.has("--json") || progress_style(arguments) == ProgressStyle::Json;
    const auto finished = [&](std::size_t i) { print_cell(cells, i, json); };
    const bool whole = on_slurm ? compute_on_slurm(arguments, setup, cells, finished) : run_cells(cells, setup.options, finished);
    if (!whole) {
        const auto stopped = std::ranges::find(cells, nodes::RunStatus::Cancelled, [](const Cell& cell) { return cell.result.status; });
        return stopped_exit_code(stopped == cells.end() ? nodes::RunResult() : stopped->result, std::max(2, interrupt.signal()));
    }
    if (const auto table = arguments.value("--table")) write_table(*table, cells);
    if (const auto sheet = arguments.value("--sheet")) write_sheet(*sheet, variations, cells, setup.document);
    return exit_code_of(cells);
}

Command sweep_command() {
    return Command{.name = "sweep",
                   .arguments = "GRAPH",
                   .summary = "Runs a graph for every combination of parameters' values",
                   .help = "  heddle sweep text-to-image.heddle --vary sample.steps=5,10,25 --vary sample.seed=0:3:4 --sheet sheet.png\n"
                           "A --vary is NODE.param=a,b,c (a comma in a value is \\,), NODE.param=FIRST:LAST:COUNT, or NODE.param=@FILE\n"
                           "with a value a line; the last one changes fastest and makes the columns of the sheet. Nodes that no\n"
                           "parameter touches run once. Files that cells write get the cell's number, out-001.png, or the name that --out\n"
                           "makes (heddle help run says how). A cell that fails does not stop the others; the exit status is 10 then.\n"
                           "With several devices (--device 0,1) cells run at once, one on each, and are told in their order.\n"
                           "--engine slurm computes the cells as tasks of a Slurm job array, shows them as one sweep, tries again what\n"
                           "failed, and goes on where an earlier call of the same command was stopped: resources/docs/slurm.md.",
                   .options = joined({run_options(),
                                      {{"--vary", "NODE.param=VALUES", "A parameter and its values", "", true}},
                                      output_options(true),
                                      {{"--sheet", "FILE", "A picture of the cells' pictures, with names and values"}, table_option},
                                      engine_options()}),
                   .run = sweep};
}

}  // namespace

REGISTER_COMMAND(sweep, sweep_command())

}  // namespace app
