// heddle queue: looks at the runs of a server (heddle serve) and changes their order.
#include <QJsonArray>
#include <map>

#include "app/cli/command.h"
#include "app/cli/event_printer.h"
#include "app/cli/run_setup.h"
#include "app/cli/serve_client.h"
#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::ErrorCode;

int number_of(const std::string& word, const char* what) {
    bool whole = false;
    const int number = QString::fromStdString(word).toInt(&whole);
    gpu::check(whole && number >= 1, ErrorCode::Usage, "expected {}, got '{}'", what, word);
    return number;
}

void print_list(const QJsonObject& reply) {
    std::vector<std::vector<std::string>> rows{{"RUN", "STATE", "GRAPH", "NAME"}};
    for (const QJsonValue job : reply["jobs"].toArray())
        rows.push_back({std::to_string(job["job"].toInt()), job["state"].toString().toStdString(), job["graph"].toString().toStdString(), job["name"].toString().toStdString()});
    std::string table = table_text(rows);
    table.pop_back();
    print_line(table);
    if (reply["paused"].toBool()) print_line("paused");
}

void print_status(const QJsonObject& reply) {
    print_line(gpu::format("run {}: {}", reply["job"].toInt(), reply["state"].toString().toStdString()));
    const QJsonObject metrics = reply["metrics"].toObject();
    for (auto at = metrics.begin(); at != metrics.end(); ++at) print_line(gpu::format("{} {}", at.key().toStdString(), at->toDouble()));
    for (const QJsonValue output : reply["outputs"].toArray()) print_line("wrote " + output["path"].toString().toStdString());
    for (const QJsonValue error : reply["errors"].toArray()) print_line("error: " + error.toString().toStdString());
}

int watch(ServeClient& client, const QJsonObject& request, const Arguments& arguments) {
    client.request(request);
    EventPrinter printer(progress_style(arguments), arguments.has("--json"));
    for (;;) {
        const QJsonObject line = client.read();
        printer.relay(line);
        if (line["event"] == "end" && request.contains("job")) return line["exit_code"].toInt(1);
    }
}

int queue(const Arguments& arguments) {
    const std::vector<std::string>& words = arguments.positionals();
    const std::string verb = words.empty() ? "list" : words[0];
    // What each of them needs after it, at least and at most.
    const std::map<std::string, std::pair<std::size_t, std::size_t>> verbs{{"list", {0, 0}}, {"status", {1, 1}}, {"watch", {0, 1}}, {"cancel", {1, 1}},
                                                                           {"pause", {0, 0}}, {"resume", {0, 0}}, {"move", {2, 2}}, {"shutdown", {0, 0}}};
    const auto known = verbs.find(verb);
    gpu::check(known != verbs.end(), ErrorCode::Usage, "expected list, status, watch, cancel, pause, resume, move or shutdown, got '{}'", verb);
    const std::size_t given = words.empty() ? 0 : words.size() - 1;
    gpu::check(given >= known->second.first && given <= known->second.second, ErrorCode::Usage, "{}: expected {}", verb,
               verb == "move" ? "the number of a run and its new position" : known->second.second == 0 ? "nothing more" : "the number of a run");
    QJsonObject request{{"op", QString::fromStdString(verb)}};
    if (given >= 1) request["job"] = number_of(words[1], "the number of a run");
    if (given >= 2) request["to"] = number_of(words[2], "a position from 1");
    if (verb == "shutdown") request["finish"] = arguments.has("--finish");
    ServeClient client(serve_place(arguments));
    if (verb == "watch") return watch(client, request, arguments);
    const QJsonObject reply = client.request(request);
    if (arguments.has("--json"))
        print_json(reply);
    else if (verb == "list")
        print_list(reply);
    else if (verb == "status" || verb == "cancel" || verb == "move")
        print_status(reply);
    return 0;
}

Command queue_command() {
    return Command{.name = "queue",
                   .arguments = "[list | status RUN | watch [RUN] | cancel RUN | move RUN POSITION | pause | resume | shutdown]",
                   .summary = "Looks at the runs of heddle serve and changes their order",
                   .help = "list: what runs, what waits in order, what is finished. status: files, numbers and errors of a run. watch:\n"
                           "what runs tell, from the first line of RUN on, or of all from now on. pause: what runs goes on, nothing new\n"
                           "begins. shutdown: cancels what runs and drops what waits, or with --finish lets both end.",
                   .options = joined({serve_place_options(),
                                      {{"--finish", "", "shutdown: when all runs have ended"}, {"--progress", "STYLE", "watch: auto, bar, json or none"}, json_option}}),
                   .run = queue};
}

}  // namespace

REGISTER_COMMAND(queue, queue_command())

}  // namespace app
