#include "app/model/presets.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QRegularExpression>
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

// What an expression says of a node, said of another one. Expressions have node names in front of a point, in backquotes where they
// are no plain words.
QString with_node(const QString& expression, const QString& from, const QString& to) {
    static const QRegularExpression plain(QStringLiteral("^\\w+$"), QRegularExpression::UseUnicodePropertiesOption);
    const QString name = plain.match(to).hasMatch() ? to : '`' + to + '`';
    QString text = expression;
    text.replace('`' + from + "`.", name + '.');
    const QRegularExpression word(QStringLiteral("(?<![\\w.`])%1(?=\\s*\\.)").arg(QRegularExpression::escape(from)), QRegularExpression::UseUnicodePropertiesOption);
    return text.replace(word, name);
}

QJsonValue with_node(const QJsonValue& value, const QString& from, const QString& to) {
    const auto text = nodes::expression_of(value);
    return text ? nodes::expression_value(with_node(qt(*text), from, to).toStdString()) : value;
}

// Whether all nodes that an expression names are there; what is no expression of numbers is left to validation.
bool has_nodes_of(const nodes::Document& document, const std::string& expression) {
    bool all = true;
    try {
        nodes::evaluate_expression(expression, [&](const nodes::Endpoint& name) {
            all = all && document.contains(name.node);
            return 1.0;
        });
    } catch (const gpu::Error&) {
    }
    return all;
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
    // The node itself has another name wherever the preset is applied.
    for (const QString& param : record.params.keys()) record.params[param] = with_node(record.params.value(param), qt(id), qt(preset_id));
    gpu::check(QDir().mkpath(folder_of(record.type)), gpu::ErrorCode::Io, "save a preset: expected a folder that can be made, got {}", folder_of(record.type).toStdString());
    const QString path = preset_file(record.type, name);
    nodes::Document().add_record(std::move(record)).save(path.toStdString());
}

QStringList apply_preset(GraphModel& model, const NodeId& id, const QString& name) {
    const nodes::NodeRecord node = model.document().node(id);
    const nodes::Document preset = nodes::Document::load(preset_file(node.type, name).toStdString());
    const nodes::NodeRecord* saved = preset.find(preset_id);
    gpu::check(saved && saved->type == node.type, gpu::ErrorCode::BadFile, "apply a preset: expected one of {}, got {}", node.type, saved ? saved->type : "none");
    const nodes::Node* type = model.declaration(id);
    gpu::check(type != nullptr, gpu::ErrorCode::InvalidGraph, "apply a preset: expected a node type of this program, got '{}'", node.type);
    QStringList left_out;
    model.undo_stack().beginMacro(QCoreApplication::translate("app::Presets", "Apply preset %1").arg(name));
    for (const nodes::ParamInfo& info : type->params()) {
        const QJsonValue now = model.document().node(id).params.value(qt(info.name));
        QJsonValue wanted = saved->params.value(qt(info.name));
        wanted = with_node(wanted, qt(preset_id), qt(id));
        if (const auto expression = nodes::expression_of(wanted)) {
            if (!has_nodes_of(model.document(), *expression)) {
                left_out << QStringLiteral("%1 = %2").arg(qt(info.name), qt(*expression));
                continue;
            }
        } else if (!wanted.isUndefined() && !info.problem(wanted).empty()) {
            wanted = QJsonValue(QJsonValue::Undefined);
        }
        if (wanted != now) model.set_param(id, info.name, wanted);
    }
    model.undo_stack().endMacro();
    return left_out;
}

void remove_preset(const std::string& type, const QString& name) { QFile::remove(preset_file(type, name)); }

}  // namespace app
