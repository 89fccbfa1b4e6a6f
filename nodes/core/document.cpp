#include "nodes/core/document.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <utility>

#include "gpu/base/error.h"
#include "nodes/core/json_text.h"
#include "nodes/core/nearest.h"
#include "nodes/core/node.h"
#include "nodes/core/subgraph.h"

namespace nodes {
namespace {

using gpu::ErrorCode;

bool before(const Link& a, const Link& b) { return std::tie(a.to, a.from) < std::tie(b.to, b.from); }

// Walks two sorted ranges side by side: what only one has, and what both have.
template <typename Range, typename Less>
void walk_both(const Range& earlier, const Range& later, Less less, auto only_earlier, auto only_later, auto in_both) {
    auto a = earlier.begin(), b = later.begin();
    while (a != earlier.end() || b != later.end()) {
        if (b == later.end() || (a != earlier.end() && less(*a, *b)))
            only_earlier(*a++);
        else if (a == earlier.end() || less(*b, *a))
            only_later(*b++);
        else
            in_both(*a++, *b++);
    }
}

template <typename T>
std::shared_ptr<const T> shared(T value) {
    return std::make_shared<const T>(std::move(value));
}

}  // namespace

Endpoint Endpoint::parse(const std::string& text) {
    const auto dot = text.find('.');
    gpu::check(
        dot != std::string::npos && dot > 0 && dot + 1 < text.size() && text.find('.', dot + 1) == std::string::npos,
        ErrorCode::InvalidGraph, "read a link's end: expected NODE.SOCKET, got '{}'", text);
    return {text.substr(0, dot), text.substr(dot + 1)};
}

bool valid_node_id(const std::string& id) {
    const auto allowed = [](unsigned char c) { return c >= 0x80 || std::isalnum(c) || c == '_' || c == '-'; };
    return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, allowed);
}

Document::Document()
    : nodes_(shared(NodeMap{})), links_(shared(std::vector<Link>{})), layout_(shared(LayoutMap{})), subgraphs_(shared(SubgraphMap{})) {}

// --- reading ---

int Document::format() const { return format_; }
const std::string& Document::path() const { return path_; }

std::string Document::folder() const {
    return path_.empty() ? std::string() : std::filesystem::absolute(path_).parent_path().string();
}

std::vector<std::string> Document::node_ids() const {
    std::vector<std::string> ids;
    for (const auto& [id, record] : *nodes_) ids.push_back(id);
    return ids;
}

const NodeRecord* Document::find(const std::string& id) const {
    const auto at = nodes_->find(id);
    return at == nodes_->end() ? nullptr : at->second.get();
}

const NodeRecord& Document::node(const std::string& id) const {
    expect(id);
    return *find(id);
}

const std::vector<Link>& Document::links() const { return *links_; }

const Link* Document::link_into(const Endpoint& input) const {
    const auto at = std::ranges::lower_bound(*links_, input, {}, &Link::to);
    return at == links_->end() || at->to != input ? nullptr : &*at;
}

std::vector<Link> Document::links_of(const std::string& node) const {
    std::vector<Link> found;
    for (const Link& link : *links_)
        if (link.from.node == node || link.to.node == node) found.push_back(link);
    return found;
}

std::span<const Link> Document::links_into(const std::string& node) const {
    const auto name = [](const Link& link) -> const std::string& { return link.to.node; };
    // Not equal_range: what that returns does not compile with Clang 14.
    return {std::ranges::lower_bound(*links_, node, {}, name), std::ranges::upper_bound(*links_, node, {}, name)};
}

Position Document::position(const std::string& id) const {
    const QJsonObject fields = layout_of(id);
    return {fields["x"].toDouble(), fields["y"].toDouble()};
}

bool Document::has_position(const std::string& id) const { return layout_of(id).contains("x"); }

QJsonObject Document::layout_of(const std::string& id) const {
    const auto at = layout_->find(id);
    return at == layout_->end() ? QJsonObject() : at->second;
}

const std::map<std::string, QJsonObject>& Document::layouts() const { return *layout_; }

QJsonObject Document::extra() const { return extra_; }

const Node* Document::type_of(const NodeRecord& record) const {
    const std::string name = subgraph_of(record.type);
    if (name.empty()) return find_node_type(record.type);
    const auto at = subgraphs_->find(name);
    return at == subgraphs_->end() ? nullptr : at->second.type.get();
}

const Node* Document::type_of(const std::string& id) const {
    const NodeRecord* record = find(id);
    return record ? type_of(*record) : nullptr;
}

std::vector<std::string> Document::subgraph_names() const {
    std::vector<std::string> names;
    for (const auto& [name, subgraph] : *subgraphs_) names.push_back(name);
    return names;
}

const Document* Document::subgraph(const std::string& name) const {
    const auto at = subgraphs_->find(name);
    return at == subgraphs_->end() ? nullptr : at->second.content.get();
}

Document Document::inside(const std::string& name) const {
    const Document* content = subgraph(name);
    gpu::check(content != nullptr, ErrorCode::InvalidGraph, "expected a subgraph of the document, got '{}'{}", name, suggestion(name, subgraph_names()));
    Document result = *content;
    result.subgraphs_ = subgraphs_;
    result.path_ = path_;
    return result;
}

QJsonValue Document::param(const std::string& id, const std::string& name) const {
    const NodeRecord& record = node(id);
    const QJsonValue set = record.params[QString::fromStdString(name)];
    if (!set.isUndefined()) return set;
    const Node* type = type_of(record);
    const ParamInfo* info = type ? type->param(name) : nullptr;
    return info ? info->initial : QJsonValue(QJsonValue::Undefined);
}

std::optional<std::vector<std::string>> Document::changed_since(const Document& earlier) const {
    if (links_ != earlier.links_ || subgraphs_ != earlier.subgraphs_ || format_ != earlier.format_ || path_ != earlier.path_ || nodes_->size() != earlier.nodes_->size())
        return std::nullopt;
    std::vector<std::string> changed;
    if (nodes_ == earlier.nodes_) return changed;
    auto before = earlier.nodes_->begin();
    for (const auto& [id, record] : *nodes_) {
        if (before->second != record) {
            if (before->first != id) return std::nullopt;
            changed.push_back(id);
        }
        ++before;
    }
    return changed;
}

Document::Difference Document::since(const Document& earlier) const {
    Difference found;
    const auto by_id = [](const auto& a, const auto& b) { return a.first < b.first; };
    if (nodes_ != earlier.nodes_)
        walk_both(*earlier.nodes_, *nodes_, by_id, [&](const auto& gone) { found.removed.push_back(gone.first); },
                  [&](const auto& come) { found.added.push_back(come.first); },
                  [&](const auto& was, const auto& is) {
                      if (was.second != is.second && *was.second != *is.second) found.records.push_back(is.first);
                  });
    if (layout_ != earlier.layout_) {
        const auto other = [&](const auto& only) {
            if (contains(only.first) && earlier.contains(only.first)) found.layouts.push_back(only.first);
        };
        walk_both(*earlier.layout_, *layout_, by_id, other, other, [&](const auto& was, const auto& is) {
            if (was.second != is.second) other(is);
        });
    }
    if (links_ != earlier.links_) {
        // A file may say a link twice: what counts is whether it is there.
        const auto note = [](std::vector<Link>& to, const Link& link, const std::vector<Link>& others) {
            const bool told = !to.empty() && !before(to.back(), link);
            if (!told && !std::ranges::binary_search(others, link, before)) to.push_back(link);
        };
        walk_both(*earlier.links_, *links_, before, [&](const Link& gone) { note(found.links_removed, gone, *links_); },
                  [&](const Link& come) { note(found.links_added, come, *earlier.links_); }, [](const Link&, const Link&) {});
    }
    return found;
}

// --- editing ---

void Document::expect(const std::string& id) const {
    if (!contains(id))
        throw gpu::Error(ErrorCode::InvalidGraph, "expected a node of the document, got '{}'{}", id,
                         suggestion(id, node_ids()));
}

Document Document::add_node(const std::string& type, std::string id, Position at, std::string* made) const {
    if (id.empty()) id = free_id(type);
    if (made) *made = id;
    NodeRecord record{.id = id, .type = type};
    if (const Node* known = type_of(record)) record.version = known->info().version;
    return add_record(std::move(record), at);
}

Document Document::add_record(NodeRecord record, Position at) const {
    gpu::check(valid_node_id(record.id), ErrorCode::InvalidGraph,
               "add a node: expected an id of letters, digits, '_' and '-', 1 to 64 bytes, got '{}'", record.id);
    gpu::check(!contains(record.id), ErrorCode::InvalidGraph, "add a node: expected an id that is free, '{}' is taken",
               record.id);
    record.params = normalised(record.params).toObject();
    record.extra = normalised(record.extra).toObject();
    const std::string id = record.id;
    NodeMap nodes = *nodes_;
    nodes.emplace(id, shared(std::move(record)));
    Document result = *this;
    result.nodes_ = shared(std::move(nodes));
    return result.move(id, at);
}

Document Document::remove_node(const std::string& id) const {
    expect(id);
    NodeMap nodes = *nodes_;
    nodes.erase(id);
    LayoutMap layout = *layout_;
    layout.erase(id);
    std::vector<Link> links = *links_;
    std::erase_if(links, [&](const Link& link) { return link.from.node == id || link.to.node == id; });
    Document result = *this;
    result.nodes_ = shared(std::move(nodes));
    result.layout_ = shared(std::move(layout));
    result.links_ = shared(std::move(links));
    return result;
}

Document Document::rename(const std::string& id, const std::string& to) const {
    expect(id);
    if (id == to) return *this;
    NodeRecord record = node(id);
    record.id = to;
    std::vector<Link> links = *links_;
    for (Link& link : links)
        for (Endpoint* end : {&link.from, &link.to})
            if (end->node == id) end->node = to;
    std::ranges::stable_sort(links, before);
    const QJsonObject fields = layout_of(id);
    Document result = remove_node(id).add_record(std::move(record));
    result.links_ = shared(std::move(links));
    return result.set_layout(to, fields);
}

Document Document::connect(const Endpoint& from, const Endpoint& to) const {
    expect(from.node);
    expect(to.node);
    std::vector<Link> links = *links_;
    std::erase_if(links, [&](const Link& link) { return link.to == to; });
    const Link link{.from = from, .to = to};
    links.insert(std::ranges::upper_bound(links, link, before), link);
    Document result = *this;
    result.links_ = shared(std::move(links));
    return result;
}

Document Document::disconnect(const Endpoint& from, const Endpoint& to) const {
    std::vector<Link> links = *links_;
    std::erase_if(links, [&](const Link& link) { return link.from == from && link.to == to; });
    Document result = *this;
    result.links_ = shared(std::move(links));
    return result;
}

Document Document::set_param(const std::string& id, const std::string& name, const QJsonValue& value) const {
    NodeRecord record = node(id);
    const QString key = QString::fromStdString(name);
    if (value.isUndefined())
        record.params.remove(key);
    else
        record.params[key] = normalised(value);
    NodeMap nodes = *nodes_;
    nodes[id] = shared(std::move(record));
    Document result = *this;
    result.nodes_ = shared(std::move(nodes));
    return result;
}

Document Document::set_mode(const std::string& id, NodeMode mode) const {
    NodeRecord record = node(id);
    record.mode = mode;
    NodeMap nodes = *nodes_;
    nodes[id] = shared(std::move(record));
    Document result = *this;
    result.nodes_ = shared(std::move(nodes));
    return result;
}

Document Document::with_content(const std::vector<NodeRecord>& records, std::vector<Link> links) const {
    NodeMap nodes;
    for (const NodeRecord& record : records) nodes.emplace(record.id, shared(NodeRecord(record)));
    std::ranges::stable_sort(links, before);
    Document result = *this;
    result.nodes_ = shared(std::move(nodes));
    result.links_ = shared(std::move(links));
    return result;
}

Document Document::set_subgraph(const std::string& name, const Document& content) const {
    gpu::check(valid_node_id(name), ErrorCode::InvalidGraph,
               "add a subgraph: expected a name of letters, digits, '_' and '-', 1 to 64 bytes, got '{}'", name);
    auto all = contents();
    Document bare = content;
    bare.set_subgraphs({});
    bare.path_.clear();
    all[name] = shared(std::move(bare));
    Document result = *this;
    result.set_subgraphs(std::move(all));
    return result;
}

Document Document::remove_subgraph(const std::string& name) const {
    auto all = contents();
    all.erase(name);
    Document result = *this;
    result.set_subgraphs(std::move(all));
    return result;
}

std::map<std::string, std::shared_ptr<const Document>> Document::contents() const {
    std::map<std::string, std::shared_ptr<const Document>> all;
    for (const auto& [name, subgraph] : *subgraphs_) all[name] = subgraph.content;
    return all;
}

// Types come after those that they use; in a ring of subgraphs or too deep a nest, which validate() refuses, one misses another.
void Document::set_subgraphs(std::map<std::string, std::shared_ptr<const Document>> contents) {
    const auto map = std::make_shared<SubgraphMap>();
    for (auto& [name, content] : contents) (*map)[name].content = std::move(content);
    subgraphs_ = map;
    std::set<std::string> begun;
    const std::function<void(const std::string&, std::size_t)> build = [&](const std::string& name, std::size_t depth) {
        if (depth > deepest_subgraph || !map->contains(name) || !begun.insert(name).second) return;
        for (const std::string& used : used_subgraphs(*(*map)[name].content)) build(used, depth + 1);
        (*map)[name].type = subgraph_type(name, inside(name));
    };
    for (const auto& [name, subgraph] : *map) build(name, 0);
}

Document Document::move(const std::string& id, Position to) const {
    QJsonObject fields = layout_of(id);
    fields["x"] = to.x;
    fields["y"] = to.y;
    return set_layout(id, fields);
}

Document Document::set_layout(const std::string& id, const QJsonObject& fields) const {
    expect(id);
    LayoutMap layout = *layout_;
    layout[id] = normalised(fields).toObject();
    if (fields.isEmpty()) layout.erase(id);
    Document result = *this;
    result.layout_ = shared(std::move(layout));
    return result;
}

Document Document::set_extra(const QJsonObject& extra) const {
    Document result = *this;
    result.extra_ = normalised(extra).toObject();
    for (const char* own : {"heddle", "nodes", "links", "layout", "subgraphs"}) result.extra_.remove(QLatin1String(own));
    return result;
}

Document Document::remove_nodes(const std::set<std::string>& ids) const {
    if (ids.empty()) return *this;
    NodeMap nodes;
    for (const auto& entry : *nodes_)
        if (!ids.contains(entry.first)) nodes.emplace_hint(nodes.end(), entry);
    LayoutMap layout;
    for (const auto& entry : *layout_)
        if (!ids.contains(entry.first)) layout.emplace_hint(layout.end(), entry);
    std::vector<Link> links;
    for (const Link& link : *links_)
        if (!ids.contains(link.from.node) && !ids.contains(link.to.node)) links.push_back(link);
    Document result = *this;
    result.nodes_ = shared(std::move(nodes));
    result.layout_ = shared(std::move(layout));
    result.links_ = shared(std::move(links));
    return result;
}

Document Document::disconnect_all(const std::vector<Link>& links) const {
    std::set<std::pair<Endpoint, Endpoint>> gone;
    for (const Link& link : links) gone.emplace(link.from, link.to);
    std::vector<Link> left;
    for (const Link& link : *links_)
        if (!gone.contains({link.from, link.to})) left.push_back(link);
    if (left.size() == links_->size()) return *this;
    Document result = *this;
    result.links_ = shared(std::move(left));
    return result;
}

Document Document::set_layouts(const std::map<std::string, QJsonObject>& fields) const {
    if (fields.empty()) return *this;
    LayoutMap layout = *layout_;
    for (const auto& [id, own] : fields) {
        if (!contains(id)) continue;
        layout[id] = normalised(own).toObject();
        if (own.isEmpty()) layout.erase(id);
    }
    Document result = *this;
    result.layout_ = shared(std::move(layout));
    return result;
}

Document Document::set_modes(const std::set<std::string>& ids, NodeMode mode) const {
    NodeMap nodes = *nodes_;
    for (const std::string& id : ids) {
        const auto at = nodes.find(id);
        if (at == nodes.end() || at->second->mode == mode) continue;
        NodeRecord record = *at->second;
        record.mode = mode;
        at->second = shared(std::move(record));
    }
    Document result = *this;
    result.nodes_ = shared(std::move(nodes));
    return result;
}

// Of the many copies of one node each begins to look where the last one was found.
class Document::FreeIds {
public:
    std::string next(const Document& document, const std::string& wanted) {
        std::string stem = wanted.substr(wanted.rfind('.') + 1);
        std::erase_if(stem, [](char c) { return !valid_node_id(std::string(1, c)); });
        while (stem.size() > 1 && std::isdigit(static_cast<unsigned char>(stem.back()))) stem.pop_back();
        if (!valid_node_id(stem) || stem.size() > 56) stem = "node";
        if (!document.contains(stem)) return stem;
        const auto taken = [&](int number) { return document.contains(stem + std::to_string(number)); };
        int& found = found_.try_emplace(stem, 1).first->second;
        int number = ++found;
        for (const int near = number + 4; number < near && taken(number);) ++number;
        if (taken(number)) {      // between a number that is taken and one that is free
            int free = 2 * number;
            while (taken(free)) number = std::exchange(free, 2 * free);
            while (free - number > 1) {
                const int middle = number + (free - number) / 2;
                (taken(middle) ? number : free) = middle;
            }
            number = free;
        }
        found = number;
        return stem + std::to_string(number);
    }

private:
    std::map<std::string, int> found_;      // by stem
};

Document Document::add_all(const Document& other, std::map<std::string, std::string>* made) const {
    const auto nodes = std::make_shared<NodeMap>(*nodes_);
    LayoutMap layout = *layout_;
    std::vector<Link> links = *links_;
    std::map<std::string, std::string> names;
    FreeIds free_ids;
    Document result = *this;
    result.nodes_ = nodes;  // taken are those that have come as well
    for (const auto& [id, record] : *other.nodes_) {
        const std::string& free = names[id] = result.contains(id) ? free_ids.next(result, id) : id;
        if (free == id) {
            nodes->emplace(id, record);
        } else {
            NodeRecord renamed = *record;
            renamed.id = free;
            nodes->emplace(free, shared(std::move(renamed)));
        }
        if (const auto at = other.layout_->find(id); at != other.layout_->end()) layout[free] = at->second;
    }
    for (const Link& link : *other.links_) {
        const auto from = names.find(link.from.node), to = names.find(link.to.node);
        if (from != names.end() && to != names.end()) links.push_back({{from->second, link.from.socket}, {to->second, link.to.socket}, link.extra});
    }
    std::ranges::stable_sort(links, before);
    result.layout_ = shared(std::move(layout));
    result.links_ = shared(std::move(links));
    if (made) *made = std::move(names);
    return result;
}

Document Document::with_path(const std::string& path) const {
    Document result = *this;
    result.path_ = path;
    return result;
}

std::string Document::free_id(const std::string& wanted) const { return FreeIds().next(*this, wanted); }

bool Document::same_content(const Document& other) const {
    const auto same_record = [](const auto& a, const auto& b) {
        return a.second == b.second || *a.second == *b.second;
    };
    const auto same_subgraph = [](const auto& a, const auto& b) {
        return a.first == b.first && (a.second.content == b.second.content || *a.second.content == *b.second.content);
    };
    return format_ == other.format_ && *links_ == *other.links_ && *layout_ == *other.layout_ &&
           extra_ == other.extra_ && std::ranges::equal(*nodes_, *other.nodes_, same_record) &&
           std::ranges::equal(*subgraphs_, *other.subgraphs_, same_subgraph);
}

}  // namespace nodes
