#include "app/cli/run_result_json.h"

#include <QJsonArray>
#include <cmath>
#include <limits>

namespace app {
namespace {

using gpu::ErrorCode;
using nodes::RunStatus;

QString text(const std::string& text) { return QString::fromStdString(text); }
std::string text(const QJsonValue& value) { return value.toString().toStdString(); }

// JSON has no NaN and no infinity.
QJsonValue number(double value) {
    if (std::isfinite(value)) return value;
    return QString(std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

double number(const QJsonValue& value) {
    if (!value.isString()) return value.toDouble();
    const double sign = value.toString().startsWith('-') ? -1 : 1;
    return value.toString() == "nan" ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
}

// The enumerator of that name, from the first to `last`.
template <typename Enum, typename Name>
Enum named(const QJsonValue& value, Enum last, Enum otherwise, Name name) {
    for (int i = 0; i <= static_cast<int>(last); ++i)
        if (value.toString() == name(static_cast<Enum>(i))) return static_cast<Enum>(i);
    return otherwise;
}

}  // namespace

QJsonObject result_json(const nodes::RunResult& result) {
    QJsonArray failures, outputs, metrics;
    for (const auto& f : result.failures)
        failures.append(QJsonObject{{"node", text(f.node)}, {"socket", text(f.socket)}, {"message", text(f.message)}, {"code", gpu::to_string(f.code)}});
    for (const auto& o : result.outputs)
        outputs.append(QJsonObject{{"node", text(o.node)}, {"path", text(o.path)}, {"bytes", static_cast<qint64>(o.bytes)}, {"sha256", text(o.sha256)}});
    for (const auto& m : result.metrics)
        metrics.append(QJsonObject{{"node", text(m.node)}, {"name", text(m.name)}, {"value", number(m.value)}, {"unit", text(m.unit)}});
    return {{"status", nodes::to_string(result.status)}, {"failures", failures}, {"outputs", outputs}, {"metrics", metrics},
            {"computed", result.computed}, {"cached", result.cached}, {"ms", result.ms}};
}

nodes::RunResult parse_result(const QJsonObject& json) {
    nodes::RunResult result;
    result.status = named(json["status"], RunStatus::Cancelled, RunStatus::Failed, [](RunStatus s) { return nodes::to_string(s); });
    for (const QJsonValue f : json["failures"].toArray())
        result.failures.push_back({text(f["node"]), text(f["socket"]), text(f["message"]),
                                   named(f["code"], ErrorCode::Cancelled, ErrorCode::Failure, [](ErrorCode c) { return gpu::to_string(c); })});
    for (const QJsonValue o : json["outputs"].toArray())
        result.outputs.push_back({text(o["node"]), text(o["path"]), static_cast<std::uint64_t>(std::max<qint64>(0, o["bytes"].toInteger())), text(o["sha256"])});
    for (const QJsonValue m : json["metrics"].toArray())
        result.metrics.push_back({text(m["node"]), text(m["name"]), number(m["value"]), text(m["unit"])});
    result.computed = json["computed"].toInt();
    result.cached = json["cached"].toInt();
    result.ms = json["ms"].toDouble();
    return result;
}

}  // namespace app
