#include "nodes/core/merge.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <map>
#include <set>

#include "gpu/base/format.h"
#include "nodes/core/frames.h"
#include "nodes/core/json_text.h"

namespace nodes {
namespace {

QJsonObject object_of(const Document& document) { return QJsonDocument::fromJson(document.to_json()).object(); }

// Links by the input that they end in, which holds one.
QJsonObject by_input(const QJsonValue& links) {
    QJsonObject result;
    std::map<QString, int> seen;
    for (const QJsonValue link : links.toArray()) {
        const QString input = link["to"].toString();
        QString key = input;      // several into one input: kept apart
        for (int& count = seen[input]; result.contains(key);) key = input + "'" + QString::number(++count).rightJustified(9, QLatin1Char('0'));      // in the order of the file
        result[key] = link;
    }
    return result;
}

QJsonArray listed(const QJsonObject& links) {
    QJsonArray list;
    for (const QJsonValue link : links) list.append(link);
    return list;
}

// The text form with the links of every level by their input, so that one walk merges all; and back.
QJsonObject keyed(QJsonObject document) {
    document["links"] = by_input(document["links"]);
    if (!document.contains("subgraphs")) return document;
    QJsonObject subgraphs = document["subgraphs"].toObject();
    for (auto at = subgraphs.begin(); at != subgraphs.end(); ++at) *at = keyed(at.value().toObject());
    document["subgraphs"] = subgraphs;
    return document;
}

QJsonObject unkeyed(QJsonObject document) {
    document["links"] = listed(document["links"].toObject());
    if (!document.contains("subgraphs")) return document;
    QJsonObject subgraphs = document["subgraphs"].toObject();
    for (auto at = subgraphs.begin(); at != subgraphs.end(); ++at) *at = unkeyed(at.value().toObject());
    document["subgraphs"] = subgraphs;
    return document;
}

// What a value of the file is part of: the names of nodes do not tell, one may be called "layout".
enum class Part { Level, Subgraphs, Links, Link, Layout, Other };

Part part_of(Part outer, const QString& key) {
    switch (outer) {
        case Part::Level: return key == "links" ? Part::Links : key == "layout" ? Part::Layout : key == "subgraphs" ? Part::Subgraphs : Part::Other;
        case Part::Subgraphs: return Part::Level;
        case Part::Links: return Part::Link;      // one fact
        default: return outer;
    }
}

class Merger {
public:
    std::vector<MergeConflict> conflicts;

    QJsonValue merge(const QString& where, const QJsonValue& base, const QJsonValue& ours, const QJsonValue& theirs, Part part = Part::Level) {
        if (ours == theirs || theirs == base) return ours;
        if (ours == base) return theirs;
        const bool parts = ours.isObject() && theirs.isObject() && (base.isObject() || base.isUndefined()) && part != Part::Link;
        if (parts) return merge_parts(where, base.toObject(), ours.toObject(), theirs.toObject(), part);
        if (part == Part::Layout) return ours.isUndefined() ? theirs : ours;
        conflicts.push_back({where.toStdString(), base, ours, theirs});
        return ours.isUndefined() ? theirs : ours;      // removed here, changed there: it stays
    }

private:
    QJsonObject merge_parts(const QString& where, const QJsonObject& base, const QJsonObject& ours, const QJsonObject& theirs, Part part) {
        std::set<QString> keys;
        for (const QJsonObject* side : {&base, &ours, &theirs})
            for (const QString& key : side->keys()) keys.insert(key);
        QJsonObject result;
        for (const QString& key : keys) {
            const QJsonValue value = merge(where.isEmpty() ? key : where + "." + key, base[key], ours[key], theirs[key], part_of(part, key));
            if (!value.isUndefined()) result[key] = value;
        }
        return result;
    }
};

// Nodes that links of the result name and that one side has removed come back.
void restore_linked(QJsonObject& level, const QString& where, const QJsonObject& ours, const QJsonObject& theirs, std::vector<MergeConflict>& conflicts) {
    QJsonObject records = level.value("nodes").toObject();
    for (const QJsonValue link : level.value("links").toObject())
        for (const char* end : {"from", "to"}) {
            const QString id = link[QLatin1String(end)].toString().section('.', 0, 0);
            if (records.contains(id)) continue;
            const QJsonValue mine = ours["nodes"][id], other = theirs["nodes"][id];
            const QJsonValue kept = mine.isUndefined() ? other : mine;
            if (kept.isUndefined()) continue;      // a link to nothing, as both had it
            records[id] = kept;
            conflicts.push_back({(where + "nodes." + id).toStdString(), kept, mine, other});
        }
    level["nodes"] = records;
    QJsonObject subgraphs = level.value("subgraphs").toObject();      // [] would add a member
    if (subgraphs.isEmpty()) return;
    for (auto at = subgraphs.begin(); at != subgraphs.end(); ++at) {
        QJsonObject inner = at.value().toObject();
        restore_linked(inner, "subgraphs." + at.key() + ".", ours["subgraphs"][at.key()].toObject(), theirs["subgraphs"][at.key()].toObject(), conflicts);
        *at = inner;
    }
    level["subgraphs"] = subgraphs;
}

// Both added a node of this id, and not the same: theirs gets another.
Document apart(const Document& base, const Document& ours, Document theirs) {
    for (const std::string& id : theirs.node_ids()) {
        if (base.contains(id) || !ours.contains(id) || ours.node(id) == theirs.node(id)) continue;
        std::string free = ours.free_id(id);
        for (int number = 2; ours.contains(free) || theirs.contains(free) || base.contains(free); ++number) free = gpu::format("{}-{}", id.substr(0, 56), number);
        theirs = theirs.rename(id, free);
    }
    return theirs;
}

// The same of frames, which people mostly do not name.
Document frames_apart(const Document& base, const Document& ours, Document theirs) {
    const auto before = frames_of(base), mine = frames_of(ours), other = frames_of(theirs);
    for (const auto& [id, frame] : other) {
        if (before.contains(id) || !mine.contains(id) || mine.at(id) == frame) continue;
        std::string free = id;
        for (int number = 2; mine.contains(free) || other.contains(free) || before.contains(free); ++number) free = gpu::format("{}-{}", id, number);
        theirs = rename_frame(theirs, id, free);
    }
    return theirs;
}

QString short_text(const QJsonValue& value) {
    if (value.isUndefined()) return "removed";
    return QString::fromUtf8(value.isObject() ? QJsonDocument(value.toObject()).toJson(QJsonDocument::Compact) : canonical_json(value)).left(120);
}

}  // namespace

std::string MergeConflict::text() const {
    return gpu::format("{}: ours {}, theirs {}", where, short_text(ours).toStdString(), short_text(theirs).toStdString());
}

Merged merge(const Document& base, const Document& ours, const Document& theirs) {
    const QJsonObject b = keyed(object_of(base)), o = keyed(object_of(ours)), t = keyed(object_of(frames_apart(base, ours, apart(base, ours, theirs))));
    Merger merger;
    QJsonObject result = merger.merge("", b, o, t).toObject();
    restore_linked(result, "", o, t, merger.conflicts);
    return {Document::from_json(QJsonDocument(unkeyed(result)).toJson(), ours.path()), std::move(merger.conflicts)};
}

}  // namespace nodes
