#include "app/cli/serve_requests.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <filesystem>
#include <limits>

#include "app/cli/graph_options.h"
#include "app/cli/input_rows.h"
#include "gpu/base/error.h"
#include "nodes/core/nearest.h"
#include "nodes/core/validate.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

// The fields of a request: each is read once, typed, and those that nobody knows are an error.
class Fields {
public:
    Fields(const QJsonObject& object, std::vector<std::string> known) : object_(object) {
        known.insert(known.end(), {"op", "request"});
        for (const QString& key : object.keys())
            gpu::check(std::ranges::count(known, key.toStdString()) > 0, ErrorCode::Usage, "expected a known field, got '{}'{}", key.toStdString(),
                       nodes::suggestion(key.toStdString(), known));
    }

    std::string text(const char* name) const {
        const QJsonValue value = object_[QLatin1String(name)];
        gpu::check(value.isUndefined() || value.isString(), ErrorCode::Usage, "{}: expected a text", name);
        return value.toString().toStdString();
    }
    std::vector<std::string> texts(const char* name) const {
        const QJsonValue value = object_[QLatin1String(name)];
        gpu::check(value.isUndefined() || value.isArray(), ErrorCode::Usage, "{}: expected a list of texts", name);
        std::vector<std::string> list;
        for (const QJsonValue item : value.toArray()) {
            gpu::check(item.isString(), ErrorCode::Usage, "{}: expected a list of texts", name);
            list.push_back(item.toString().toStdString());
        }
        return list;
    }
    bool flag(const char* name) const {
        const QJsonValue value = object_[QLatin1String(name)];
        gpu::check(value.isUndefined() || value.isBool(), ErrorCode::Usage, "{}: expected true or false", name);
        return value.toBool();
    }
    int number(const char* name) const {
        const QJsonValue value = object_[QLatin1String(name)];
        const qint64 whole = value.toInteger(-1);
        gpu::check(whole >= 1 && whole <= std::numeric_limits<int>::max(), ErrorCode::Usage, "{}: expected a whole number from 1 on", name);
        return static_cast<int>(whole);
    }
    QJsonValue operator[](const char* name) const { return object_[QLatin1String(name)]; }

private:
    const QJsonObject& object_;
};

// A path of a request: relative ones start from the client's folder.
std::string path_from(const std::string& folder, const std::string& path) { return (std::filesystem::path(folder) / path).lexically_normal().string(); }

nodes::OpenedGraph read_graph(const Fields& fields, const std::string& folder) {
    const std::string path = fields.text("graph");
    const QJsonValue document = fields["document"];
    gpu::check(path.empty() == !document.isUndefined(), ErrorCode::Usage, "expected \"graph\", a path, or \"document\", the graph itself");
    if (!path.empty()) return nodes::open_graph(path_from(folder, path));
    gpu::check(document.isObject() || document.isString(), ErrorCode::Usage, "document: expected a graph as an object or as its text");
    return nodes::open_graph_text(document.isObject() ? QJsonDocument(document.toObject()).toJson() : document.toString().toUtf8());
}

// {"node.param": value} or ["node.param=value"].
std::vector<std::string> read_sets(const QJsonValue& value) {
    std::vector<std::string> sets;
    for (const QJsonValue item : value.toArray()) {
        gpu::check(item.isString(), ErrorCode::Usage, "set: expected texts NODE.param=VALUE in the list");
        sets.push_back(item.toString().toStdString());
    }
    if (value.isObject()) {
        const InputRows row = parse_inputs(QJsonDocument(value.toObject()).toJson(QJsonDocument::Compact), "set.json");
        gpu::check(row.problems.empty(), ErrorCode::Usage, "set: {}", row.problems.empty() ? "" : row.problems[0]);
        for (const auto& [name, text] : row.rows[0].values) sets.push_back(name + "=" + text);
    }
    gpu::check(value.isUndefined() || value.isArray() || value.isObject(), ErrorCode::Usage, "set: expected an object {\"node.param\": value}");
    return sets;
}

void expect_valid(const nodes::Document& document, const std::vector<std::string>& targets) {
    std::string problems;
    for (const nodes::Problem& problem : nodes::validate(document, targets)) {
        if (problem.severity != nodes::Severity::Error) continue;
        if (!problems.empty()) problems += '\n';
        problems += nodes::NodeFailure{.node = problem.node, .socket = problem.socket, .message = problem.message}.text();
    }
    if (!problems.empty()) throw Error(ErrorCode::InvalidGraph, problems);
}

ServeAnswer answer(const QJsonObject& request, ServeQueue& queue) {
    static const std::vector<std::string> operations{"hello", "submit", "list", "status", "watch", "cancel", "pause", "resume", "move", "shutdown"};
    const std::string op = request["op"].toString().toStdString();
    ServeAnswer answer;
    QJsonObject& reply = answer.reply;
    if (op == "hello") {
        Fields(request, {"token"});
        reply = {{"heddle", HEDDLE_VERSION}, {"protocol", 1}};
    } else if (op == "submit") {
        std::vector<std::string> notes;
        const int job = queue.submit(read_submission(request, &notes));
        reply["job"] = job;
        QJsonArray list;
        for (const std::string& note : notes) list.append(QString::fromStdString(note));
        if (!list.isEmpty()) reply["notes"] = list;
        if (request["watch"].toBool()) answer.watch = job;
    } else if (op == "list") {
        Fields(request, {});
        reply = queue.state_json();
        reply["jobs"] = queue.list_json();
    } else if (op == "status") {
        reply = queue.job_json(Fields(request, {"job"}).number("job"));
    } else if (op == "watch") {
        const Fields fields(request, {"job"});
        answer.watch = fields["job"].isUndefined() ? 0 : fields.number("job");
        if (*answer.watch > 0) reply = queue.job_json(*answer.watch);
    } else if (op == "cancel") {
        const int job = Fields(request, {"job"}).number("job");
        queue.cancel(job);
        reply = queue.job_json(job);
    } else if (op == "pause" || op == "resume") {
        Fields(request, {});
        queue.set_paused(op == "pause");
        reply = queue.state_json();
    } else if (op == "move") {
        const Fields fields(request, {"job", "to"});
        queue.move(fields.number("job"), fields.number("to"));
        reply = queue.job_json(fields.number("job"));
    } else if (op == "shutdown") {
        answer.finish_runs = Fields(request, {"finish"}).flag("finish");
        answer.close_server = true;
    } else {
        throw Error(ErrorCode::Usage, "op: expected one of hello, submit, list, status, watch, cancel, pause, resume, move, shutdown, got '{}'{}", op,
                    nodes::nearest(op, operations).empty() ? "" : "; did you mean '" + nodes::nearest(op, operations) + "'?");
    }
    reply["ok"] = true;
    return answer;
}

}  // namespace

ServedRun read_submission(const QJsonObject& request, std::vector<std::string>* notes) {
    const Fields fields(request, {"graph", "document", "folder", "name", "set", "targets", "output", "out", "output_dir", "allow", "watch"});
    std::string folder = fields.text("folder");
    if (folder.empty()) folder = std::filesystem::current_path().string();
    gpu::check(std::filesystem::path(folder).is_absolute(), ErrorCode::Usage, "folder: expected an absolute path, got {}", folder);
    (void)fields.flag("watch");
    nodes::OpenedGraph opened = read_graph(fields, folder);
    if (opened.report && notes)
        for (const std::string& line : opened.report->lines()) notes->push_back(line);

    ServedRun run{.name = fields.text("name"), .graph = fields.text("graph").empty() ? std::string() : path_from(folder, fields.text("graph"))};
    Cell& cell = run.cell;
    cell.document = std::move(opened.document);
    for (const std::string& assignment : read_sets(fields["set"])) cell.document = apply_set(cell.document, assignment, cell.files, folder);
    run.options.targets = fields.texts("targets");
    for (const std::string& target : run.options.targets)
        gpu::check(cell.document.contains(target), ErrorCode::Usage, "targets: expected a node of the graph, got '{}'{}", target, nodes::suggestion(target, cell.document.node_ids()));
    expect_valid(cell.document, run.options.targets);

    const std::string output = fields.text("output"), out = fields.text("out"), output_dir = fields.text("output_dir");
    run.options.output_folder = output_dir.empty() ? folder : path_from(folder, output_dir);
    run.options.allowed = {folder, run.options.output_folder};
    if (!cell.document.folder().empty()) run.options.allowed.push_back(cell.document.folder());
    for (const std::string& path : fields.texts("allow")) run.options.allowed.push_back(path_from(folder, path));
    gpu::check(output.empty() || out.empty(), ErrorCode::Usage, "expected \"output\" or \"out\", got both");
    if (!output.empty()) cell.document = apply_output(cell.document, run.options.targets, output, cell.files, folder);
    if (!out.empty()) {
        std::vector<Cell> cells{std::move(cell)};
        apply_template(cells, out, {.graph = run.graph.empty() ? "-" : run.graph, .targets = run.options.targets, .folder = run.options.output_folder});
        cell = std::move(cells[0]);
    }
    return run;
}

ServeAnswer answer_request(const std::string& line, ServeQueue& queue) {
    QJsonParseError error{};
    const QJsonDocument document = QJsonDocument::fromJson(QByteArray::fromStdString(line), &error);
    ServeAnswer made;
    try {
        gpu::check(document.isObject(), ErrorCode::Usage, "expected a JSON object: {}", error.error == QJsonParseError::NoError ? "got another value" : error.errorString().toStdString());
        made = answer(document.object(), queue);
    } catch (const Error& failure) {
        made.reply = error_reply(failure.code(), failure.what());
    } catch (const std::bad_alloc&) {
        made.reply = error_reply(ErrorCode::OutOfMemory, "out of memory");
    } catch (const std::exception& failure) {
        made.reply = error_reply(ErrorCode::Failure, failure.what());
    }
    if (const QJsonValue tag = document["request"]; !tag.isUndefined()) made.reply["request"] = tag;
    return made;
}

QJsonObject error_reply(ErrorCode code, const std::string& message) {
    return {{"ok", false}, {"error", QJsonObject{{"code", gpu::to_string(code)}, {"message", QString::fromStdString(message)}, {"exit_code", gpu::exit_code(code)}}}};
}

bool same_secret(const std::string& a, const std::string& b) {
    // Of digests, which are of one length and tell nothing of how far a guess was right.
    const auto digest = [](const std::string& text) { return QCryptographicHash::hash(QByteArray::fromStdString(text), QCryptographicHash::Sha256); };
    const QByteArray first = digest(a), second = digest(b);
    unsigned differs = 0;
    for (qsizetype i = 0; i < first.size(); ++i) differs |= static_cast<unsigned char>(first[i]) ^ static_cast<unsigned char>(second[i]);
    return differs == 0;
}

}  // namespace app
