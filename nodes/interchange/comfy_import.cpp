#include "nodes/interchange/comfy_import.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "gpu/base/error.h"
#include "nodes/core/frames.h"
#include "nodes/core/node.h"
#include "nodes/interchange/comfy_class.h"
#include "nodes/interchange/comfy_finish.h"
#include "nodes/interchange/comfy_graph.h"

namespace nodes {
namespace {

using gpu::format;
using Kind = ComfyRule::Kind;

constexpr double part_offset = 150;  // of the further nodes of one ComfyUI node

// What the rules see of a node, with links to constants followed.
class NodeValues final : public ComfyValues {
public:
    using Find = std::function<const ComfyNode*(const std::string&)>;

    NodeValues(const ComfyNode& node, const ComfyClass& entry, const ComfyGraph& graph, const ComfyOptions& options,
               Find find, ComfyReport* report)
        : node_(node), entry_(entry), graph_(graph), options_(options), find_(std::move(find)), report_(report) {}

    QJsonValue value(const std::string& input) const override {
        const ComfyInput* given = node_.input(input);
        if (given && given->source)
            if (const QJsonValue constant = constant_of(*given->source, 0); !constant.isUndefined()) return constant;
        if (given && !given->value.isUndefined() && !given->value.isNull()) return given->value;
        const ComfyField* field = entry_.field(input);
        return field ? field->initial : QJsonValue(QJsonValue::Undefined);
    }

    // A link that brings no constant.
    bool linked(const std::string& input) const override {
        const ComfyInput* given = node_.input(input);
        return given && given->source && constant_of(*given->source, 0).isUndefined();
    }

    bool template_prompts() const override { return graph_.from_editor(); }
    std::string folder() const override { return options_.folder; }
    void adjust(const std::string& what) override {
        if (report_) report_->adjusted.push_back({node_.id, node_.type, what});
    }

private:
    QJsonValue constant_of(const ComfySource& source, int depth) const {
        const ComfyNode* node = depth < 100 ? find_(source.node) : nullptr;
        const ComfyClass* entry = node ? find_comfy_class(node->entry) : nullptr;
        if (!entry || entry->constant.empty()) return QJsonValue::Undefined;
        const ComfyInput* given = node->input(entry->constant);
        if (given && given->source) return constant_of(*given->source, depth + 1);
        if (given && !given->value.isUndefined()) return given->value;
        return entry->field(entry->constant)->initial;
    }

    const ComfyNode& node_;
    const ComfyClass& entry_;
    const ComfyGraph& graph_;
    const ComfyOptions& options_;
    Find find_;
    ComfyReport* report_;
};

// A name that links may use: the dot parts node and socket.
std::string socket_name(std::string name, const char* otherwise, std::size_t index) {
    std::ranges::replace(name, '.', '_');
    return name.empty() ? otherwise + std::to_string(index) : name;
}

std::string id_word(const std::string& text) {
    QString made;
    for (const QChar c : QString::fromStdString(text))
        made += c.isLetterOrNumber() && c.unicode() < 128 ? c : QChar('-');
    return made.left(24).toStdString();
}

class Importer {
public:
    Importer(ComfyGraph graph, const ComfyOptions& options) : graph_(std::move(graph)), options_(options) {
        report_.form = graph_.form;
        rewrite_conditioning(graph_);
        for (ComfyNode& node : graph_.nodes) by_id_[node.id] = &node;
        for (const ComfyRemark& one : graph_.adjusted) report_.adjusted.push_back({one.node, one.type, one.text});
        collect_readers();
        for (const ComfyNode& node : graph_.nodes) decide(node);
        place_nodes(graph_);
        for (const ComfyNode& node : graph_.nodes) add_nodes(node);
        for (const ComfyNode& node : graph_.nodes) apply_rules(node);
        drop_unread_parts();
        for (const ComfyNode& node : graph_.nodes) enter(node);
        for (const ComfyRemark& one : graph_.left_out)
            report_.entries.push_back({.id = one.node, .type = one.type, .fate = ComfyFate::LeftOut, .why = one.text});
    }

    ComfyImport take() {
        finish_comfy_document(document_, report_);
        for (const ComfyNote& note : graph_.notes) {
            std::string made;
            document_ = document_.add_node("flow.note", document_.free_id("note"), note.position.value_or(Position{}), &made);
            document_ = document_.set_param(made, "text", QString::fromStdString(note.text));
            report_.entries.push_back({.id = note.node, .type = note.type, .nodes = {made}});
        }
        make_frames();
        return {std::move(document_), std::move(report_)};
    }

private:
    struct Made {
        ComfyFate fate = ComfyFate::Placeholder;
        const ComfyClass* entry = nullptr;
        std::string why;
        std::map<std::string, std::string> parts;  // part name -> node id; "" for a placeholder
        std::vector<const ComfyPart*> used;
    };

    const ComfyNode* find(const std::string& id) const {
        const auto at = by_id_.find(id);
        return at == by_id_.end() ? nullptr : at->second;
    }

    NodeValues values_of(const ComfyNode& node, const ComfyClass& entry, ComfyReport* report) const {
        return {node, entry, graph_, options_, [this](const std::string& id) { return find(id); }, report};
    }

    bool holds(const ComfyTest& test, const ComfyNode& node, const ComfyClass& entry) const {
        return !test || test(values_of(node, entry, nullptr));
    }

    static std::string output_name(const ComfyClass& entry, int slot) {
        return slot >= 0 && static_cast<std::size_t>(slot) < entry.output_names.size()
                   ? entry.output_names[static_cast<std::size_t>(slot)]
                   : std::string();
    }

    // --- what becomes of each node ---
    void collect_readers() {
        for (const ComfyNode& node : graph_.nodes)
            for (const ComfyInput& input : node.inputs)
                if (input.source) readers_[input.source->node].push_back({&node, input.name});
    }

    // The node that an input comes from once nodes are skipped that pass their input on.
    std::optional<ComfySource> source_of(const ComfyNode& node, const std::string& input) const {
        const ComfyInput* given = node.input(input);
        std::optional<ComfySource> source = given ? given->source : std::nullopt;
        for (int depth = 0; source && depth < 1000; ++depth) {
            const std::string passed = passed_input(*source);
            if (passed.empty()) return source;
            const ComfyInput* next = find(source->node)->input(passed);
            source = next ? next->source : std::nullopt;
        }
        return std::nullopt;
    }

    // The input that this output hands on, empty where a node of its own makes it.
    std::string passed_input(const ComfySource& source) const {
        const ComfyNode* node = find(source.node);
        const ComfyClass* entry = node ? find_comfy_class(node->entry) : nullptr;
        if (!entry) return {};
        const std::string name = output_name(*entry, source.slot);
        for (const ComfyPart& part : entry->parts)
            if (holds(part.when, *node, *entry))
                for (const ComfyRule& rule : part.rules)
                    if (rule.kind == Kind::Output && rule.from == name) return {};
        for (const auto& [output, input] : entry->passes)
            if (output == name) return input;
        return {};
    }

    // Why a node can not become what the table says; empty: it can.
    std::string refusal(const ComfyNode& node, const ComfyClass& entry, int depth) const {
        if (entry.refuse)
            if (const std::string why = entry.refuse(values_of(node, entry, nullptr)); !why.empty()) return why;
        if (depth > 100) return "its settings go round in a circle";
        std::set<std::string> asked;  // once each: parts for several outputs fold the same inputs
        for (const ComfyPart& part : entry.parts)
            for (const ComfyRule& rule : part.rules) {
                if (rule.kind != Kind::Fold || !asked.insert(rule.from).second) continue;
                const std::optional<ComfySource> source = source_of(node, rule.from);
                const ComfyNode* other = source ? find(source->node) : nullptr;
                const ComfyClass* folded = other ? find_comfy_class(other->entry) : nullptr;
                if (!other) return "nothing is linked into " + rule.from;
                if (!folded || !folded->folded())
                    return format("its {} comes from {} {}, which has no counterpart", rule.from, other->type,
                                  other->id);
                if (const std::string why = refusal(*other, *folded, depth + 1); !why.empty()) return why;
            }
        return {};
    }

    void decide(const ComfyNode& node) {
        Made& made = made_[node.id];
        made.entry = find_comfy_class(node.entry);
        if (!made.entry || !made.entry->mapped()) {
            made.why = !made.entry ? "this class is not known" : "this class has no counterpart" + (made.entry->note.empty() ? "" : ": " + made.entry->note);
            return;
        }
        made.why = refusal(node, *made.entry, 0);
        if (!made.why.empty()) return;
        if (made.entry->folded()) {
            made.fate = ComfyFate::Folded;
            if (!read_by_folds(node))
                made.why = "nothing that has a counterpart reads it", made.fate = ComfyFate::Placeholder;
            return;
        }
        for (const ComfyPart& part : made.entry->parts)
            if (holds(part.when, node, *made.entry)) made.used.push_back(&part);
        made.fate = made.used.empty() ? ComfyFate::Passed : ComfyFate::Mapped;
        if (!made.entry->constant.empty()) made.fate = ComfyFate::Folded;
    }

    // Whether every reader takes this node's settings in: one that is a placeholder would lose them.
    bool read_by_folds(const ComfyNode& node) const {
        const auto at = readers_.find(node.id);
        if (at == readers_.end()) return false;
        return std::ranges::all_of(at->second, [&](const auto& reader) {
            const ComfyClass* entry = find_comfy_class(reader.first->entry);
            if (!entry || !refusal(*reader.first, *entry, 0).empty()) return false;
            return std::ranges::any_of(entry->parts, [&](const ComfyPart& part) {
                return std::ranges::any_of(part.rules, [&](const ComfyRule& rule) {
                    return rule.kind == Kind::Fold && rule.from == reader.second;
                });
            });
        });
    }

    // --- nodes ---
    void add_nodes(const ComfyNode& node) {
        Made& made = made_[node.id];
        const Position at = node.position.value_or(Position{});
        if (made.fate == ComfyFate::Placeholder) {
            made.parts[""] = add_node(comfy_placeholder + node.type, id_word(node.type), node, at);
            keep_values(node, made.parts[""]);
        }
        if (made.fate != ComfyFate::Mapped) return;
        double down = 0;
        for (const ComfyPart* part : made.used) {
            made.parts[part->name] = add_node(part->type, part->name, node, {at.x, at.y + down});
            down += part_offset;
        }
    }

    std::string add_node(const std::string& type, const std::string& word, const ComfyNode& node, Position at) {
        const std::string wanted = word + "-" + id_word(node.id);
        std::string id = wanted;
        for (int number = 2; document_.contains(id); ++number) id = wanted + "-" + std::to_string(number);
        document_ = document_.add_node(type, id, at);
        return id;
    }

    void keep_values(const ComfyNode& node, const std::string& id) {
        for (const ComfyInput& input : node.inputs)
            if (!input.source && !input.value.isUndefined())
                document_ = document_.set_param(id, input.name, input.value);
        if (!node.surplus.isEmpty()) document_ = document_.set_param(id, "widgets_values", node.surplus);
    }

    // --- rules ---
    void apply_rules(const ComfyNode& node) {
        const Made& made = made_.at(node.id);
        if (made.fate == ComfyFate::Placeholder) return link_placeholder(node, made.parts.at(""));
        if (made.fate == ComfyFate::Passed && made.entry->told)
            report_.adjusted.push_back({node.id, node.type, made.entry->note});
        if (made.fate != ComfyFate::Mapped) return;
        for (const ComfyPart* part : made.used)
            apply_part(node, *made.entry, *part, made, made.parts.at(part->name), 0);
        if (made.entry->told) report_.adjusted.push_back({node.id, node.type, made.entry->note});
    }

    void apply_part(const ComfyNode& node, const ComfyClass& entry, const ComfyPart& part, const Made& made,
                    const std::string& id, int depth) {
        NodeValues values = values_of(node, entry, &report_);
        for (const ComfyRule& rule : part.rules) {
            if (!holds(rule.when, node, entry)) continue;
            switch (rule.kind) {
                case Kind::Link: connect(node, rule.from, id, rule.to); break;
                case Kind::Value: set_value(node, rule, values, id); break;
                case Kind::Fixed: set_param(id, rule.to, rule.fixed, values); break;
                case Kind::Fold: apply_fold(node, rule, id, depth); break;
                case Kind::Wire:
                    document_ = document_.connect({made.parts.at(rule.part), rule.from}, {id, rule.to});
                    break;
                case Kind::Above: set_above(node, rule, values, id); break;
                case Kind::Output: break;
            }
        }
    }

    void connect(const ComfyNode& node, const std::string& input, const std::string& id, const std::string& socket) {
        const ComfyInput* given = node.input(input);
        if (!given || !given->source) return;
        if (const std::optional<Endpoint> from = endpoint_of(*given->source, 0))
            document_ = document_.connect(*from, {id, socket});
    }

    // The socket of the document that an output became.
    std::optional<Endpoint> endpoint_of(const ComfySource& source, int depth) const {
        const ComfyNode* node = depth < 1000 ? find(source.node) : nullptr;
        if (!node) return std::nullopt;
        const Made& made = made_.at(node->id);
        if (made.fate == ComfyFate::Placeholder)
            return Endpoint{made.parts.at(""), placeholder_output(*node, made, source.slot)};
        const std::string name = output_name(*made.entry, source.slot);
        for (const ComfyPart* part : made.used)
            for (const ComfyRule& rule : part->rules)
                if (rule.kind == Kind::Output && rule.from == name && holds(rule.when, *node, *made.entry))
                    return Endpoint{made.parts.at(part->name), rule.to};
        for (const auto& [output, input] : made.entry->passes) {
            const ComfyInput* next = output == name ? node->input(input) : nullptr;
            if (next && next->source) return endpoint_of(*next->source, depth + 1);
        }
        return std::nullopt;
    }

    static std::string placeholder_output(const ComfyNode& node, const Made& made, int slot) {
        const auto index = static_cast<std::size_t>(std::max(slot, 0));
        std::string name = index < node.outputs.size() ? node.outputs[index] : std::string();
        if (name.empty() && made.entry) name = output_name(*made.entry, slot);
        return socket_name(name, "out", index);
    }

    void set_value(const ComfyNode& node, const ComfyRule& rule, NodeValues& values, const std::string& id) {
        const ComfyInput* given = node.input(rule.from);
        if (values.linked(rule.from)) {
            const std::optional<Endpoint> from = endpoint_of(*given->source, 0);
            if (!rule.socket.empty() && from) {
                document_ = document_.connect(*from, {id, rule.socket});
                return;
            }
            const ComfyNode* source = find(given->source->node);
            values.adjust(format("{}: linked from {} {}, which gives no plain value here: {} is taken", rule.from,
                                 source ? source->type : std::string("node"), given->source->node,
                                 given->value.isUndefined() ? "the usual one" : "its own one"));
        }
        QJsonValue value = values.value(rule.from);
        if (value.isUndefined() || value.isNull()) return;
        if (rule.convert.forward) value = rule.convert.forward(value, values);
        set_param(id, rule.to, value, values);
    }

    void apply_fold(const ComfyNode& node, const ComfyRule& rule, const std::string& id, int depth) {
        const std::optional<ComfySource> source = source_of(node, rule.from);
        const ComfyNode* other = source && depth < 100 ? find(source->node) : nullptr;
        const ComfyClass* entry = other ? find_comfy_class(other->entry) : nullptr;
        if (!entry) return;
        // With several outputs, the part of that name.
        const std::string name = output_name(*entry, source->slot);
        for (const ComfyPart& part : entry->parts)
            if (part.name.empty() || part.name == name)
                apply_part(*other, *entry, part, made_.at(other->id), id, depth + 1);
        if (entry->told) report_.adjusted.push_back({other->id, other->type, entry->note});
    }

    // Up through inputs of one name and kind, as CLIPSetLastLayer is found behind a LoRA.
    void set_above(const ComfyNode& node, const ComfyRule& rule, NodeValues& values, const std::string& id) {
        const ComfyNode* at = &node;
        std::string input = rule.from;
        for (int depth = 0; at && depth < 1000; ++depth) {
            const ComfyInput* given = at->input(input);
            const ComfyNode* above = given && given->source ? find(given->source->node) : nullptr;
            const ComfyClass* entry = above ? find_comfy_class(above->entry) : nullptr;
            if (!entry) return;
            if (above->entry == rule.part) {
                NodeValues found = values_of(*above, *entry, &report_);
                return set_param(id, rule.to, rule.convert.forward(found.value(rule.socket), values), values);
            }
            const ComfyField* wanted = nullptr;
            for (const ComfyField& field : entry->fields)
                if (!wanted && field.type == "CLIP") wanted = &field;
            if (!wanted) return;
            input = wanted->name;
            at = above;
        }
    }

    // As the parameter's declaration wants it: the kind, and the range.
    void set_param(const std::string& id, const std::string& name, QJsonValue value, NodeValues& values) {
        const Node* type = find_node_type(document_.node(id).type);
        const ParamInfo* info = type ? type->param(name) : nullptr;
        gpu::check(info, gpu::ErrorCode::Failure, "import: expected {} to have a parameter {}", document_.node(id).type,
                   name);
        if (value.isUndefined()) return;
        value = fitted(*info, value, values);
        if (const std::string wrong = info->problem(value); !wrong.empty()) {
            values.adjust(format("{}: {}: {} is taken", name, wrong, info->text(info->initial)));
            return;
        }
        value = info->canonical(value);
        if (value == info->canonical(info->initial)) value = QJsonValue::Undefined;
        document_ = document_.set_param(id, name, value);
    }

    static QJsonValue fitted(const ParamInfo& info, const QJsonValue& value, NodeValues& values) {
        if (info.kind == ParamKind::Bool && !value.isBool()) return value.toDouble() != 0 || value.toString() == "true";
        if ((info.kind == ParamKind::Text || info.kind == ParamKind::Choice) && value.isDouble())
            return QString::number(value.toDouble());
        if (info.kind != ParamKind::Int && info.kind != ParamKind::Number) return value;
        bool fine = value.isDouble();
        const double number = value.isString() ? value.toString().toDouble(&fine) : value.toDouble();
        if (!fine) return value;
        // Numbers of widgets carry the rounding of their steps: 0.8999999999999999.
        double made = info.kind == ParamKind::Int ? std::nearbyint(number)
                      : std::abs(number) < 1e6    ? std::round(number * 1e9) / 1e9
                                                  : number;
        if (made < info.min || made > info.max) {
            const double within = std::clamp(made, info.min, info.max);
            values.adjust(format("{}: {} is beyond the range, {} is taken", info.name, made, within));
            made = within;
        }
        return made;
    }

    void link_placeholder(const ComfyNode& node, const std::string& id) {
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            const ComfyInput& input = node.inputs[i];
            if (!input.source) continue;
            const std::optional<Endpoint> from = endpoint_of(*input.source, 0);
            if (from) {
                document_ = document_.connect(*from, {id, socket_name(input.name, "in", i)});
            } else {
                keep_constant(node, input, id);
            }
        }
    }

    void keep_constant(const ComfyNode& node, const ComfyInput& input, const std::string& id) {
        static const ComfyClass none;
        const QJsonValue value = values_of(node, none, nullptr).value(input.name);
        if (!value.isUndefined()) document_ = document_.set_param(id, input.name, value);
    }

    // --- what is left of nodes that became several ---
    void drop_unread_parts() {
        std::set<std::string> read;
        const auto collect = [&] {
            read.clear();
            for (const Link& link : document_.links()) read.insert(link.from.node);
        };
        collect();
        for (auto& [id, made] : made_)
            for (std::size_t i = made.used.size(); i-- > 1;) {
                const ComfyPart& part = *made.used[i];
                const auto at = made.parts.find(part.name);
                if (at == made.parts.end() || read.contains(at->second)) continue;
                document_ = document_.remove_node(at->second);
                made.parts.erase(at);
                collect();
            }
    }

    // Groups become frames. They are made from the inside out, so that each takes those that lie in it.
    void make_frames() {
        if (graph_.groups.empty()) return;
        std::map<std::string, int> group_of;  // by ComfyUI's id
        for (const ComfyNode& node : graph_.nodes) group_of[node.id] = node.group;
        for (const ComfyNote& note : graph_.notes) group_of[note.node] = note.group;
        std::map<int, std::vector<std::string>> held;
        for (const ComfyReport::Entry& entry : report_.entries)
            if (const auto at = group_of.find(entry.id); at != group_of.end() && at->second >= 0)
                for (const std::string& id : entry.nodes) held[at->second].push_back(id);
        const int count = static_cast<int>(graph_.groups.size());
        const auto group_at = [&](int i) -> const ComfyGroup& { return graph_.groups[static_cast<std::size_t>(i)]; };
        std::vector<std::pair<int, int>> order;  // depth, deep ones first, and number
        for (int i = 0; i < count; ++i) {
            int depth = 0;
            for (int at = group_at(i).around; at >= 0; at = group_at(at).around) --depth;
            order.emplace_back(depth, i);
        }
        std::ranges::sort(order);
        for (const auto& [depth, i] : order) {
            const ComfyGroup& group = group_at(i);
            const std::vector<std::string>& nodes = held[i];
            if (nodes.empty()) {
                report_.adjusted.push_back({"", "group", format("'{}' is left out: none of its nodes is left", group.title)});
                continue;
            }
            document_ = add_frame(document_, nodes, group.title, group.colour);
            if (group.around >= 0) held[group.around].insert(held[group.around].end(), nodes.begin(), nodes.end());
        }
    }

    void enter(const ComfyNode& node) {
        const Made& made = made_.at(node.id);
        ComfyReport::Entry entry{.id = node.id,
                                 .type = node.type,
                                 .fate = made.fate,
                                 .why = made.fate == ComfyFate::Placeholder ? made.why : std::string()};
        for (const ComfyPart* part : made.used)
            if (const auto at = made.parts.find(part->name); at != made.parts.end()) entry.nodes.push_back(at->second);
        if (const auto at = made.parts.find(""); at != made.parts.end()) entry.nodes.push_back(at->second);
        report_.entries.push_back(std::move(entry));
    }

    ComfyGraph graph_;
    const ComfyOptions& options_;
    std::map<std::string, ComfyNode*> by_id_;
    std::map<std::string, std::vector<std::pair<const ComfyNode*, std::string>>> readers_;
    std::map<std::string, Made> made_;
    Document document_;
    ComfyReport report_;
};

}  // namespace

ComfyImport import_comfy(const QByteArray& text, const ComfyOptions& options, const std::string& path) {
    try {
        ComfyImport made = Importer(read_comfy_graph(read_comfy_json(text)), options).take();
        made.document = made.document.with_path(path);
        return made;
    } catch (gpu::Error& error) {
        throw error.in("read ComfyUI workflow" + (path.empty() ? std::string() : " " + path));
    }
}

bool is_comfy_text(const QByteArray& text) {
    try {
        return is_comfy_json(read_comfy_json(text));
    } catch (const gpu::Error&) {
        return false;
    }
}

}  // namespace nodes
