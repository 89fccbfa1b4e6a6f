#include "app/cli/event_json.h"

#include <QJsonArray>
#include <cmath>

#include "gpu/io/pending_writes.h"

namespace app {
namespace {

using namespace nodes;

QString text(const std::string& text) { return QString::fromStdString(text); }

QJsonArray list(const std::vector<std::string>& items) {
    QJsonArray array;
    for (const std::string& item : items) array.append(text(item));
    return array;
}

QJsonValue number(double value) {
    if (std::isfinite(value)) return value;  // JSON has no other numbers
    return QString(std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

}  // namespace

std::optional<QJsonObject> event_json(const Event& event) {
    if (const auto* e = std::get_if<event::Plan>(&event))
        return QJsonObject{{"event", "plan"}, {"nodes", list(e->nodes)}, {"cached", list(e->cached)}};
    if (const auto* e = std::get_if<event::NodeStart>(&event)) {
        QJsonObject fields{{"event", "node_start"}, {"id", text(e->node)}, {"type", text(e->type)}};
        if (e->device > 0) fields["device"] = e->device;
        return fields;
    }
    if (const auto* e = std::get_if<event::Progress>(&event)) {
        QJsonObject fields{{"event", "progress"}, {"id", text(e->node)}, {"step", qint64(e->done)}, {"steps", qint64(e->total)}};
        if (e->eta >= 0) fields["eta"] = e->eta;
        return fields;
    }
    if (const auto* e = std::get_if<event::Paused>(&event)) return QJsonObject{{"event", e->paused ? "paused" : "resumed"}};
    if (const auto* e = std::get_if<event::NodeEnd>(&event))
        return QJsonObject{{"event", "node_end"}, {"id", text(e->node)}, {"ms", e->ms}, {"cached", e->cached}};
    if (const auto* e = std::get_if<event::Output>(&event))
        return QJsonObject{{"event", "output"}, {"id", text(e->node)}, {"path", text(e->path)}, {"bytes", qint64(e->bytes)}, {"sha256", text(e->sha256)}};
    if (const auto* e = std::get_if<event::Metric>(&event))
        return QJsonObject{{"event", "metric"}, {"id", text(e->node)}, {"name", text(e->name)}, {"value", number(e->value)}, {"unit", text(e->unit)}};
    if (const auto* e = std::get_if<event::Warning>(&event))
        return QJsonObject{{"event", "warning"}, {"id", text(e->node)}, {"message", text(e->message)}};
    if (const auto* e = std::get_if<event::Failure>(&event))
        return QJsonObject{{"event", "error"},
                           {"id", text(e->failure.node)},
                           {"port", text(e->failure.socket)},
                           {"message", text(e->failure.message)},
                           {"code", gpu::to_string(e->failure.code)}};
    return std::nullopt;
}

QJsonObject start_json(const std::string& graph) { return {{"event", "start"}, {"graph", text(graph)}, {"heddle", HEDDLE_VERSION}}; }

QJsonObject end_json(const RunResult& result, int exit_code) {
    QJsonObject fields{{"event", "end"},
                       {"status", to_string(result.status)},
                       {"exit_code", exit_code},
                       {"ms", result.ms},
                       {"computed", result.computed},
                       {"cached", result.cached}};
    if (const auto files = gpu::pending_writes(); !files.empty()) fields["saving"] = list(files);
    return fields;
}

QJsonObject LineStamp::operator()(QJsonObject fields) {
    fields["v"] = 1;
    fields["seq"] = sequence_++;
    fields["t"] = static_cast<double>(clock_.elapsed()) / 1000;
    return fields;
}

}  // namespace app
