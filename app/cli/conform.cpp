// heddle conform: compares what our models compute with what reference implementations did.
#include <QJsonArray>
#include <QJsonObject>
#include <QTemporaryDir>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "app/cli/command.h"
#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "nodes/conform/conform.h"

namespace app {
namespace {

std::string number_text(double value) {
    std::ostringstream out;
    out << std::scientific << std::setprecision(2) << value;
    return std::move(out).str();
}

// JSON has no NaN: null.
QJsonValue number_json(double value) { return std::isfinite(value) ? QJsonValue(value) : QJsonValue(); }

QJsonObject report_json(const nodes::ConformReport& report) {
    QJsonArray outputs;
    for (const nodes::ConformRow& row : report.rows)
        outputs.append(QJsonObject{{"output", QString::fromStdString(row.output)}, {"rel_l2", number_json(row.rel_l2)},
                                   {"max_error", number_json(row.max_error)}, {"pass", row.pass}});
    return {{"case", QString::fromStdString(report.name)}, {"kind", QString::fromStdString(report.kind)},
            {"tolerance", report.tolerance}, {"compared", report.compared}, {"pass", report.pass}, {"outputs", outputs}};
}

void print_report(const nodes::ConformReport& report) {
    print_line(gpu::format("{} {} (kind {}, tolerance {})", report.pass ? report.compared ? "pass" : "done" : "FAIL", report.name,
                           report.kind, number_text(report.tolerance)));
    std::vector<std::vector<std::string>> rows;
    for (const nodes::ConformRow& row : report.rows)
        rows.push_back({"  " + row.output, "rel L2 " + number_text(row.rel_l2), "largest error " + number_text(row.max_error),
                        row.rounding ? "zero but for rounding" : row.pass ? "" : "past the tolerance"});
    std::string text = table_text(rows);
    if (!text.empty()) print_line(text.substr(0, text.size() - 1));
}

int conform(const Arguments& arguments) {
    arguments.expect_count(1, 1000000, "CASE");
    const std::string out = arguments.value("--out").value_or(""), type = arguments.choice("--type", {"f32", "f16", "bf16"});
    QJsonArray all;
    int status = 0;
    for (const std::string& path : arguments.positionals()) {
        try {
            nodes::ConformCase given = nodes::load_conform_case(path);
            const QTemporaryDir folder;
            if (type != "f32") given = nodes::stored_as(std::move(given), type == "f16" ? gpu::Dtype::F16 : gpu::Dtype::BF16, folder.path().toStdString());
            const nodes::ConformReport report = nodes::run_conform_case(given, out);
            if (!report.pass) status = gpu::exit_code(gpu::ErrorCode::Numeric);
            if (arguments.has("--json"))
                all.append(report_json(report));
            else
                print_report(report);
        } catch (const gpu::Cancelled&) {
            throw;
        } catch (const gpu::Error& error) {      // the other cases still count
            if (status == 0) status = gpu::exit_code(error.code());
            if (arguments.has("--json"))
                all.append(QJsonObject{{"case", QString::fromStdString(path)}, {"pass", false},
                                       {"error", QString::fromStdString(error.what())}});
            else
                print_line(gpu::format("FAIL {}: {}", path, error.what()));
        }
    }
    if (arguments.has("--json")) print_json(all);
    return status;
}

}  // namespace

REGISTER_COMMAND(conform, {.name = "conform",
                           .arguments = "CASE...",
                           .summary = "Compares models with reference results",
                           .help = "A case is a folder with case.json, inputs, weights and expected outputs. For each output: relative\n"
                                   "L2 and largest error. The exit status is 8 when an output is past its case's tolerance.",
                           .options = {json_option, {"--out", "DIR", "Write the outputs to DIR/CASE.safetensors"},
                                       {"--type", "TYPE", "f16 or bf16: weights rounded to this type first; within 2e-2, bf16 within 16e-2"}},
                           .run = conform})

}  // namespace app
