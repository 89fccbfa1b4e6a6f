#include "app/model/graph_change.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>

#include "app/model/ids.h"
#include "nodes/core/expression.h"
#include "nodes/core/node.h"

namespace app {
namespace {

constexpr int longest_value = 40;

struct Words {
    Q_DECLARE_TR_FUNCTIONS(app::GraphChange)
};

QString value_text(const nodes::Document& document, const std::string& id, const std::string& name) {
    const QJsonValue value = document.param(id, name);
    QString text;
    if (const auto expression = nodes::expression_of(value)) {
        text = qt(*expression);
    } else if (const nodes::Node* type = document.type_of(id)) {
        const auto info = std::ranges::find(type->params(), name, &nodes::ParamInfo::name);
        if (info != type->params().end() && info->problem(value).empty()) text = qt(info->text(value));
    }
    if (text.isNull()) text = value.toVariant().toString();
    text = text.simplified();
    return text.size() <= longest_value ? text : text.left(longest_value - 3) + QStringLiteral("...");
}

void add_changes(const nodes::Document& before, const nodes::Document& after, const QString& prefix, QStringList& changes) {
    for (const std::string& id : after.node_ids()) {
        const QString name = prefix + qt(id);
        const nodes::NodeRecord& now = after.node(id);
        const nodes::NodeRecord* then = before.find(id);
        if (!then || then->type != now.type) {
            changes << Words::tr("new: %1").arg(name);
            continue;
        }
        QStringList names = now.params.keys() + then->params.keys();
        names.removeDuplicates();
        for (const QString& param : names)
            if (now.params.value(param) != then->params.value(param))
                changes << QStringLiteral("%1.%2 = %3").arg(name, param, value_text(after, id, param.toStdString()));
        if (now.mode != then->mode)
            changes << (now.mode == nodes::NodeMode::On      ? Words::tr("on: %1")
                        : now.mode == nodes::NodeMode::Muted ? Words::tr("muted: %1")
                                                             : Words::tr("bypassed: %1")).arg(name);
        if (!std::ranges::equal(before.links_into(id), after.links_into(id))) changes << Words::tr("rewired: %1").arg(name);
    }
    for (const std::string& id : before.node_ids())
        if (!after.contains(id)) changes << Words::tr("removed: %1").arg(prefix + qt(id));
}

}  // namespace

QString change_text(const nodes::Document& before, const nodes::Document& after, int most) {
    QStringList changes;
    add_changes(before, after, {}, changes);
    for (const std::string& name : after.subgraph_names())
        if (const nodes::Document* former = before.subgraph(name))
            if (!(*former == *after.subgraph(name))) add_changes(before.inside(name), after.inside(name), qt(name) + '/', changes);
    const int more = static_cast<int>(changes.size()) - most;
    if (more <= 0) return changes.join(QStringLiteral(", "));
    return changes.mid(0, most).join(QStringLiteral(", ")) + QStringLiteral(", ") + Words::tr("%n more", nullptr, more);
}

}  // namespace app
