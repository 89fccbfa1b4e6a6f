#include "app/model/prompt_use.h"

#include <algorithm>
#include <set>

#include "nodes/core/lists.h"
#include "nodes/core/node.h"
#include "nodes/core/prompt_texts.h"

namespace app {
namespace {

bool is_wire(const nodes::Document& document, const NodeId& id) {
    const nodes::Node* type = document.type_of(id);
    return type && type->info().wire;
}

// What an input reads, behind reroutes.
SocketId source_of(const nodes::Document& document, const nodes::Endpoint& input) {
    std::set<NodeId> seen;
    const nodes::Link* link = document.link_into(input);
    while (link && is_wire(document, link->from.node) && seen.insert(link->from.node).second) {
        const auto into = document.links_into(link->from.node);
        link = into.empty() ? nullptr : &into.front();
    }
    return link && document.contains(link->from.node) ? SocketId{link->from.node, link->from.socket, true} : SocketId{};
}

PromptUse use_by(const nodes::Document& document, const NodeId& reader, const nodes::PromptText& text) {
    PromptUse use{.lines = text.lines, .tower = text.tower, .encoder = source_of(document, {reader, text.encoder})};
    for (const nodes::ParamInfo& info : document.type_of(reader)->params())
        if (info.name == text.dialect) {
            const auto at = std::ranges::find(info.choices, document.param(reader, info.name).toString().toStdString());
            if (at != info.choices.end()) use.dialect = static_cast<nodes::PromptDialect>(at - info.choices.begin());
        }
    if (!text.steps.empty()) use.steps = std::max(1, document.param(reader, text.steps).toInt(use.steps));
    return use;
}

// The first node of the wires from `id` on that takes a text for its prompt.
std::optional<PromptUse> use_downstream(const nodes::Document& document, const NodeId& id, std::set<NodeId>& seen) {
    if (!seen.insert(id).second) return {};
    for (const nodes::Link& link : document.links_of(id)) {
        if (link.from.node != id) continue;
        for (const nodes::PromptText& text : nodes::prompt_texts_of(document.type_of(link.to.node)))
            if (!text.input.empty() && text.input == link.to.socket) return use_by(document, link.to.node, text);
        if (is_wire(document, link.to.node))
            if (auto use = use_downstream(document, link.to.node, seen)) return use;
    }
    return {};
}

}  // namespace

std::optional<PromptUse> prompt_use(const nodes::Document& document, const NodeId& id, const std::string& param) {
    if (!document.contains(id)) return {};
    const nodes::Node* type = document.type_of(id);
    if (!type) return {};
    for (const nodes::PromptText& text : nodes::prompt_texts_of(type))
        if (text.param == param) return use_by(document, id, text);
    // A node with a text and nothing else to do than to give it on.
    const auto many_lines = std::ranges::count_if(type->params(), [](const nodes::ParamInfo& info) { return info.multiline; });
    if (many_lines != 1) return {};
    std::set<NodeId> seen;
    auto use = use_downstream(document, id, seen);
    if (use && nodes::as_list(type)) use->lines = true;
    return use;
}

std::vector<std::pair<qsizetype, qsizetype>> bare_names(const QString& text, const QStringList& names) {
    const auto in_word = [&](qsizetype at) { return at >= 0 && at < text.size() && text[at].isLetterOrNumber(); };
    std::vector<std::pair<qsizetype, qsizetype>> found;
    for (qsizetype at = 0; at < text.size();) {
        qsizetype length = 0;
        for (const QString& name : names) {
            const qsizetype end = at + name.size();
            const bool whole = !(in_word(at - 1) && in_word(at)) && !(in_word(end - 1) && in_word(end));
            if (name.size() > length && whole && QStringView(text).mid(at, name.size()).compare(name, Qt::CaseInsensitive) == 0) length = name.size();
        }
        if (length > 0) found.emplace_back(at, length);
        at += std::max<qsizetype>(length, 1);
    }
    return found;
}

}  // namespace app
