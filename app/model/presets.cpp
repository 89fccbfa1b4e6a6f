#include "app/model/presets.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QStandardPaths>
#include <QUrl>
#include <algorithm>

#include "gpu/base/error.h"
#include "nodes/core/expression.h"

namespace app {
namespace {

const QString suffix = QStringLiteral(".heddle");
const std::string preset_id = "preset";

QString folder_of(const std::string& type) {
    const QString settings = QStandardPaths::writableLocation(QStandardPaths::AppConfigLocation);
    return settings + QStringLiteral("/presets/") + QString::fromLatin1(QUrl::toPercentEncoding(qt(type)));
}

}  // namespace

QString preset_file(const std::string& type, const QString& name) {
    // No folders and no hidden files, whatever the name is.
    return folder_of(type) + '/' + QString::fromLatin1(QUrl::toPercentEncoding(name, " ", ".")) + suffix;
}

QStringList preset_names(const std::string& type) {
    QStringList names;
    for (const QString& file : QDir(folder_of(type)).entryList({'*' + suffix}, QDir::Files))
        names << QUrl::fromPercentEncoding(file.chopped(suffix.size()).toLatin1());
    std::ranges::sort(names, [](const QString& a, const QString& b) { return QString::localeAwareCompare(a, b) < 0; });
    return names;
}

void save_preset(const GraphModel& model, const NodeId& id, const QString& name) {
    nodes::NodeRecord record = model.document().node(id);
    record.id = preset_id;
    record.mode = nodes::NodeMode::On;
    record.extra = {};
    // What follows other nodes means nothing without them.
    for (const QString& param : record.params.keys())
        if (nodes::expression_of(record.params.value(param))) record.params.remove(param);
    gpu::check(QDir().mkpath(folder_of(record.type)), gpu::ErrorCode::Io, "save a preset: expected a folder that can be made, got {}", folder_of(record.type).toStdString());
    const QString path = preset_file(record.type, name);
    nodes::Document().add_record(std::move(record)).save(path.toStdString());
}

void apply_preset(GraphModel& model, const NodeId& id, const QString& name) {
    const nodes::NodeRecord node = model.document().node(id);
    const nodes::Document preset = nodes::Document::load(preset_file(node.type, name).toStdString());
    const nodes::NodeRecord* saved = preset.find(preset_id);
    gpu::check(saved && saved->type == node.type, gpu::ErrorCode::BadFile, "apply a preset: expected one of {}, got {}", node.type, saved ? saved->type : "none");
    const nodes::Node* type = model.declaration(id);
    gpu::check(type != nullptr, gpu::ErrorCode::InvalidGraph, "apply a preset: expected a node type of this program, got '{}'", node.type);
    model.undo_stack().beginMacro(QCoreApplication::translate("app::Presets", "Apply preset %1").arg(name));
    for (const nodes::ParamInfo& info : type->params()) {
        const QJsonValue now = model.document().node(id).params.value(qt(info.name));
        QJsonValue wanted = saved->params.value(qt(info.name));
        if (!wanted.isUndefined() && !info.problem(wanted).empty()) wanted = QJsonValue(QJsonValue::Undefined);
        if (wanted != now) model.set_param(id, info.name, wanted);
    }
    model.undo_stack().endMacro();
}

void remove_preset(const std::string& type, const QString& name) { QFile::remove(preset_file(type, name)); }

}  // namespace app
