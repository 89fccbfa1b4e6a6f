// heddle submit: hands a graph to a server (heddle serve) and, where asked, waits for what comes of it.
#include <QFile>
#include <QJsonArray>
#include <cstdio>
#include <filesystem>

#include "app/cli/cells.h"
#include "app/cli/command.h"
#include "app/cli/event_printer.h"
#include "app/cli/interrupt.h"
#include "app/cli/run_setup.h"
#include "app/cli/serve_client.h"
#include "app/cli/set_values.h"
#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::ErrorCode;

QJsonArray list(const std::vector<std::string>& items) {
    QJsonArray array;
    for (const std::string& item : items) array.append(QString::fromStdString(item));
    return array;
}

QJsonObject submission(const Arguments& arguments) {
    QJsonObject request{{"op", "submit"},
                        {"folder", QString::fromStdString(std::filesystem::current_path().string())},
                        {"set", list(given_sets(arguments))},
                        {"targets", list(arguments.values("--target"))},
                        {"allow", list(arguments.values("--allow"))}};
    const std::string& graph = arguments.only("GRAPH");
    if (graph == "-") {
        QFile in;
        gpu::check(in.open(stdin, QIODevice::ReadOnly), ErrorCode::Io, "read the graph from stdin: {}", in.errorString().toStdString());
        request["document"] = QString::fromUtf8(in.readAll());
    } else {
        request["graph"] = QString::fromStdString(graph);
    }
    for (const auto& [option, field] : {std::pair("--name", "name"), {"--output", "output"}, {"--out", "out"}, {"--output-dir", "output_dir"}})
        if (const auto value = arguments.value(option)) request[QLatin1String(field)] = QString::fromStdString(*value);
    return request;
}

// Prints what the run tells until it ends; the first Ctrl-C cancels the run.
int wait_for(ServeClient& client, int job, EventPrinter& printer) {
    const gpu::CancelToken stop;
    const InterruptScope interrupt(stop);
    bool cancelled = false;
    for (;;) {
        if (stop.cancelled() && !cancelled) {
            client.send({{"op", "cancel"}, {"job", job}});
            cancelled = true;
        }
        const QJsonObject line = client.read();
        if (!line.contains("event")) continue;      // the reply to the cancel, or a signal came
        printer.relay(line);
        if (line["event"] == "end") return cancelled && line["status"] == "cancelled" ? 128 + interrupt.signal() : line["exit_code"].toInt(1);
    }
}

int submit(const Arguments& arguments) {
    QJsonObject request = submission(arguments);
    ServeClient client(serve_place(arguments));
    request["watch"] = arguments.has("--wait");
    const QJsonObject reply = client.request(request);
    const int job = reply["job"].toInt();
    for (const QJsonValue note : reply["notes"].toArray()) std::fprintf(stderr, "%s\n", qPrintable(note.toString()));
    const ProgressStyle style = progress_style(arguments);
    const bool json = arguments.has("--json") || style == ProgressStyle::Json;
    if (json)
        print_json_line(QJsonObject{{"event", "submitted"}, {"job", job}});
    else
        print_line(gpu::format("run {}", job));
    std::fflush(stdout);
    if (!arguments.has("--wait")) return 0;
    EventPrinter printer(style, json);
    return wait_for(client, job, printer);
}

Command submit_command() {
    return Command{.name = "submit",
                   .arguments = "GRAPH",
                   .summary = "Hands a graph to heddle serve",
                   .help = "Prints the number of the run, and with --wait all that 'heddle run' would print; the exit status is the run's\n"
                           "then, and Ctrl-C cancels it. Options mean what they mean for 'heddle run'; relative paths start from the\n"
                           "current folder here, not from the server's.",
                   .options = joined({serve_place_options(),
                                      {{"--wait", "", "Stay until the run has ended, and print what it tells"}, {"--name", "TEXT", "What lists of runs call it"}},
                                      request_options(),
                                      output_options(false)}),
                   .run = submit};
}

}  // namespace

REGISTER_COMMAND(submit, submit_command())

}  // namespace app
