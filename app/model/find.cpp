#include "app/model/find.h"

#include <QStringList>
#include <algorithm>
#include <set>

#include "nodes/core/frames.h"
#include "nodes/core/node.h"
#include "nodes/core/subgraph.h"

namespace app {
namespace {

using nodes::Document;

// The values of parameters that are set, each as "node.param: value".
QStringList value_texts(const nodes::NodeRecord& record, const nodes::Node* type) {
    QStringList texts;
    for (auto at = record.params.begin(); at != record.params.end(); ++at) {
        const nodes::ParamInfo* info = type ? type->param(at.key().toStdString()) : nullptr;
        const QString value = info ? qt(info->text(at.value())) : at.value().toVariant().toString();
        texts << QStringLiteral("%1.%2: %3").arg(qt(record.id), at.key(), value);
    }
    return texts;
}

struct Finder {
    const Document& whole;
    QStringList words;
    std::size_t limit;
    std::set<std::string> seen{};
    std::vector<FindHit> hits{};

    bool holds_all(const QString& text) const {
        return std::ranges::all_of(words, [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
    }

    void look(const Document& level, const std::vector<NodeId>& uses) {
        const auto frames = nodes::frames_of(level);
        std::vector<std::pair<nodes::Position, NodeId>> order;
        for (const NodeId& id : level.node_ids()) order.emplace_back(level.position(id), id);
        std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return std::tie(a.first.x, a.first.y) < std::tie(b.first.x, b.first.y); });
        for (const auto& [place, id] : order) {
            if (hits.size() >= limit) return;
            const nodes::NodeRecord& record = level.node(id);
            const nodes::Node* type = level.type_of(record);
            const QString title = type ? qt(type->info().title) : QString();
            QStringList around;      // titles of the frames that it is in
            for (auto at = frames.empty() ? frames.end() : frames.find(nodes::frame_of(level, id)); at != frames.end(); at = frames.find(at->second.around))
                around.append(qt(at->second.title));
            const QString frame = around.join('\n');
            const QString name = QStringLiteral("%1: %2").arg(qt(id), title.isEmpty() ? qt(record.type) : title);
            const QStringList values = value_texts(record, type);
            if (!holds_all(QStringList{name, qt(record.type), frame, values.join('\n')}.join('\n'))) continue;
            // Shown is the part that has the words, where one has them all.
            QString where = name;
            if (!holds_all(name) && !holds_all(qt(record.type))) {
                const auto value = std::ranges::find_if(values, [&](const QString& text) { return holds_all(text); });
                if (value != values.end()) where = QString(*value).replace('\n', ' ');
            }
            hits.push_back({uses, id, where});
        }
        for (const auto& [place, id] : order) {
            const std::string name = nodes::subgraph_of(level.node(id).type);
            if (name.empty() || !whole.subgraph(name) || !seen.insert(name).second) continue;
            std::vector<NodeId> inner = uses;
            inner.push_back(id);
            look(whole.inside(name), inner);
        }
    }
};

}  // namespace

std::vector<FindHit> find_nodes(const Document& whole, const QString& query, std::size_t limit) {
    Finder finder{.whole = whole, .words = query.split(' ', Qt::SkipEmptyParts), .limit = limit};
    if (!finder.words.isEmpty()) finder.look(whole, {});
    return std::move(finder.hits);
}

}  // namespace app
