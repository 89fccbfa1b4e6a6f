// The report of an import, for people and for machines.
#include <QJsonArray>
#include <algorithm>

#include "gpu/base/format.h"
#include "nodes/interchange/comfy_import.h"

namespace nodes {
namespace {

QString text_of(const std::string& text) { return QString::fromStdString(text); }

std::string node_name(const std::string& type, const std::string& id) { return id.empty() ? type : type + " " + id; }

}  // namespace

const char* to_string(ComfyFate fate) {
    switch (fate) {
        case ComfyFate::Mapped: return "mapped";
        case ComfyFate::Folded: return "folded";
        case ComfyFate::Passed: return "passed";
        case ComfyFate::Placeholder: return "placeholder";
        case ComfyFate::LeftOut: return "left-out";
    }
    return "?";
}

std::size_t ComfyReport::count(ComfyFate fate) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(entries, [&](const Entry& entry) { return entry.fate == fate; }));
}

std::vector<std::string> ComfyReport::lines() const {
    const std::size_t translated = count(ComfyFate::Mapped) + count(ComfyFate::Folded) + count(ComfyFate::Passed);
    std::vector<std::string> lines{gpu::format("{}: {} nodes translated, {} without a counterpart, {} left out", form,
                                               translated, count(ComfyFate::Placeholder), count(ComfyFate::LeftOut))};
    for (const Entry& entry : entries)
        if (entry.fate == ComfyFate::Placeholder)
            lines.push_back(gpu::format("placeholder: {}: {}", node_name(entry.type, entry.id), entry.why));
    for (const Entry& entry : entries)
        if (entry.fate == ComfyFate::LeftOut)
            lines.push_back(gpu::format("left out: {}: {}", node_name(entry.type, entry.id), entry.why));
    for (const Adjustment& one : adjusted)
        lines.push_back(gpu::format("adjusted: {}: {}", node_name(one.type, one.id), one.what));
    return lines;
}

QJsonObject ComfyReport::to_json() const {
    QJsonArray list, changes;
    for (const Entry& entry : entries) {
        QJsonArray made;
        for (const std::string& node : entry.nodes) made.append(text_of(node));
        QJsonObject row{{"id", text_of(entry.id)},
                        {"class", text_of(entry.type)},
                        {"fate", to_string(entry.fate)},
                        {"nodes", made}};
        if (!entry.why.empty()) row["why"] = text_of(entry.why);
        list.append(row);
    }
    for (const Adjustment& one : adjusted)
        changes.append(QJsonObject{{"id", text_of(one.id)}, {"class", text_of(one.type)}, {"what", text_of(one.what)}});
    return {{"form", text_of(form)}, {"nodes", list}, {"adjusted", changes}};
}

}  // namespace nodes
