#include "nodes/interchange/comfy_export.h"

#include <QJsonArray>
#include <algorithm>
#include <map>
#include <set>

#include "gpu/base/error.h"
#include "nodes/core/lowering.h"
#include "nodes/core/node.h"
#include "nodes/interchange/comfy_class.h"
#include "nodes/interchange/comfy_import.h"
#include "nodes/sampling/sampler.h"

namespace nodes {
namespace {

using Kind = ComfyRule::Kind;

// Sockets and parameters that ComfyUI has no place for and that change little or nothing there.
const std::set<std::string> spare{
    "latent.empty.model",     "latent.empty.family", "image.save.depth",   "image.save.quality",
    "image.save.background",  "image.save.embed",    "sample.run.noise",   "sample.run.noise_scale",
    "sample.run.rho",         "sample.run.levels",   "text.encode.steps",   "sample.run.order",   "text.encode.tokens",
    "mask.from_image.binary", "vae.decode.tile",     "vae.decode.overlap", "mask.from_image.threshold"};

// Values that only mean something beside others are judged by those.
bool is_spare(const std::string& type, const std::string& name) { return spare.contains(type + "." + name); }

QString text_of(const std::string& text) { return QString::fromStdString(text); }

// Where an output of the document is in the prompt.
struct Place {
    QString id;
    int slot = -1;
};

class Exporter {
public:
    explicit Exporter(Document document) : document_(std::move(document)) {
        for (const std::string& id : document_.node_ids()) choose(id);
        for (const std::string& id : document_.node_ids())
            if (reasons_.contains(id)) absorb(id);
        if (!problems_.empty()) fail();
        number();
        for (const auto& [id, entry] : chosen_) write(id, *entry);
        for (const std::string& id : placeholders_) write_placeholder(id);
        if (!problems_.empty()) fail();
    }

    ComfyExport take() { return {std::move(prompt_), std::move(notes_)}; }

private:
    [[noreturn]] void fail() const {
        std::string text;
        for (const auto& [id, why] : problems_) text += (text.empty() ? "" : "; ") + id + ": " + why;
        throw gpu::Error(gpu::ErrorCode::InvalidGraph,
                         "export to ComfyUI: expected nodes that have a counterpart, got {}", text);
    }

    const std::string& type_of(const std::string& id) const { return document_.node(id).type; }
    bool is_placeholder(const std::string& id) const { return type_of(id).starts_with(comfy_placeholder); }
    // ComfyUI finds learned words by their names in the prompts.
    bool is_wire(const std::string& id) const { return type_of(id) == "text.embedding_load"; }
    bool is_constant(const std::string& id) const {
        return type_of(id) == "value.text" || type_of(id) == "value.number";
    }

    static QJsonValue canonical(const Node& type, const std::string& param, const QJsonValue& value) {
        const ParamInfo* info = type.param(param);
        return info && info->problem(value).empty() ? info->canonical(value) : value;
    }

    // The value that a node runs with; "auto" is what the sampler is usually paired with.
    QJsonValue value_of(const std::string& id, const std::string& param) const {
        const QJsonValue value = document_.param(id, param);
        if (type_of(id) == "sample.run" && param == "schedule" && value == QJsonValue("auto"))
            return text_of(find_sampler(document_.param(id, "sampler").toString().toStdString()).info().schedule);
        return value;
    }

    // --- which class a node becomes ---
    void choose(const std::string& id) {
        const std::string& type = type_of(id);
        if (is_placeholder(id)) {
            placeholders_.push_back(id);
            return;
        }
        if (is_constant(id)) return;
        if (is_wire(id)) {
            notes_.push_back(id + ": ComfyUI reads the word from its folder of embeddings");
            return;
        }
        std::string why;
        for (const auto& [name, entry] : comfy_classes()) {
            if (!entry.exported || entry.parts.empty() || entry.parts.front().type != type) continue;
            const std::string wrong = misfit(id, entry);
            if (wrong.empty()) {
                chosen_[id] = &entry;
                return;
            }
            if (why.empty()) why = wrong;
        }
        if (why.empty()) why = type + " has no counterpart";
        (may_be_absorbed(type) ? reasons_ : problems_)[id] = why;
    }

    // Why this class can not stand for the node; empty: it can.
    std::string misfit(const std::string& id, const ComfyClass& entry) const {
        const ComfyPart& part = entry.parts.front();
        const Node* type = find_node_type(part.type);
        std::set<std::string> params, inputs, outputs;
        for (const ComfyRule& rule : part.rules) {
            if (rule.kind == Kind::Fixed && !is_spare(part.type, rule.to) &&
                canonical(*type, rule.to, document_.param(id, rule.to)) != canonical(*type, rule.to, rule.fixed))
                return rule.to + " is not as " + entry.name + " has it";
            if (rule.kind == Kind::Value && rule.convert.back && rule.convert.back(value_of(id, rule.to)).isUndefined())
                return rule.to + " '" + value_of(id, rule.to).toString().toStdString() + "' has no counterpart";
            if (rule.kind == Kind::Value || rule.kind == Kind::Fixed || rule.kind == Kind::Above)
                params.insert(rule.to);
            if (rule.kind == Kind::Link) inputs.insert(rule.to);
            if (!rule.socket.empty() && rule.kind == Kind::Value) inputs.insert(rule.socket);
            if (rule.kind == Kind::Output) outputs.insert(rule.to);
        }
        for (const ParamInfo& info : type->params())
            if (!params.contains(info.name) && !is_spare(part.type, info.name) &&
                canonical(*type, info.name, document_.param(id, info.name)) != info.canonical(info.initial))
                return "its parameter " + info.name + " has no counterpart in " + entry.name;
        for (const Link& link : document_.links_of(id)) {
            if (link.to.node == id && !inputs.contains(link.to.socket) && !is_spare(part.type, link.to.socket))
                return "its input " + link.to.socket + " has no counterpart in " + entry.name;
            if (link.from.node == id && !outputs.contains(link.from.socket) && !is_absorbed_link(entry, link))
                return "its output " + link.from.socket + " has no counterpart in " + entry.name;
        }
        return {};
    }

    static bool is_absorbed_link(const ComfyClass& entry, const Link& link) {
        for (std::size_t i = 1; i < entry.parts.size(); ++i)
            for (const ComfyRule& rule : entry.parts[i].rules)
                if (rule.kind == Kind::Wire && rule.from == link.from.socket && rule.to == link.to.socket) return true;
        return false;
    }

    static bool may_be_absorbed(const std::string& type) {
        return std::ranges::any_of(comfy_classes(), [&](const auto& row) {
            const std::vector<ComfyPart>& parts = row.second.parts;
            return row.second.exported && std::ranges::any_of(parts, [&](const ComfyPart& part) {
                       return &part != parts.data() && part.type == type;
                   });
        });
    }

    // A further part of a class that another node became: the mask of LoadImage.
    void absorb(const std::string& id) {
        for (const auto& [host, entry] : chosen_)
            for (std::size_t i = 1; i < entry->parts.size(); ++i)
                if (entry->parts[i].type == type_of(id) && is_part(id, host, entry->parts[i])) {
                    absorbed_[id] = {host, &entry->parts[i]};
                    return;
                }
        problems_[id] = reasons_.at(id);
    }

    bool is_part(const std::string& id, const std::string& host, const ComfyPart& part) const {
        const Node* type = find_node_type(part.type);
        return std::ranges::all_of(part.rules, [&](const ComfyRule& rule) {
            if (rule.kind == Kind::Fixed)
                return canonical(*type, rule.to, document_.param(id, rule.to)) == canonical(*type, rule.to, rule.fixed);
            if (rule.kind != Kind::Wire) return true;
            const Link* link = document_.link_into({id, rule.to});
            return link && link->from == Endpoint{host, rule.from};
        });
    }

    // --- writing ---
    void number() {
        int next = 1;
        for (const std::string& id : document_.node_ids())
            if (chosen_.contains(id) || is_placeholder(id)) numbers_[id] = QString::number(next++);
        next_ = next;
    }

    Place place_of(const Endpoint& from) const {
        if (const auto at = absorbed_.find(from.node); at != absorbed_.end())
            return {numbers_.at(at->second.first),
                    slot_of(*chosen_.at(at->second.first), *at->second.second, from.socket)};
        if (const auto at = chosen_.find(from.node); at != chosen_.end())
            return {numbers_.at(from.node), slot_of(*at->second, at->second->parts.front(), from.socket)};
        return {numbers_.contains(from.node) ? numbers_.at(from.node) : QString(), placeholder_slot(from)};
    }

    static int slot_of(const ComfyClass& entry, const ComfyPart& part, const std::string& socket) {
        for (const ComfyRule& rule : part.rules)
            if (rule.kind == Kind::Output && rule.to == socket)
                return static_cast<int>(std::ranges::find(entry.output_names, rule.from) - entry.output_names.begin());
        return -1;
    }

    int placeholder_slot(const Endpoint& from) const {
        const ComfyClass* entry =
            find_comfy_class(type_of(from.node).substr(std::string_view(comfy_placeholder).size()));
        if (entry)
            if (const auto at = std::ranges::find(entry->output_names, from.socket); at != entry->output_names.end())
                return static_cast<int>(at - entry->output_names.begin());
        bool fine = false;
        const int slot = from.socket.starts_with("out") ? text_of(from.socket.substr(3)).toInt(&fine) : -1;
        return fine ? slot : -1;
    }

    // The value that a link brings: of a value node, or a place in the prompt.
    QJsonValue linked(Endpoint from, const std::string& reader) {
        for (int depth = 0; is_wire(from.node) && depth < 1000; ++depth) {
            const Link* before = document_.link_into({from.node, "encoder"});
            if (!before) break;
            from = before->from;
        }
        if (is_constant(from.node)) return document_.param(from.node, "value");
        const Place place = place_of(from);
        if (place.slot < 0) problems_[reader] = "the number of the output " + from.text() + " is not known";
        return QJsonArray{place.id, place.slot};
    }

    void put(const std::string& id, const std::string& type, const QJsonObject& inputs) {
        prompt_[numbers_.at(id)] = QJsonObject{
            {"class_type", text_of(type)}, {"inputs", inputs}, {"_meta", QJsonObject{{"title", text_of(id)}}}};
    }

    void write(const std::string& id, const ComfyClass& entry) {
        QJsonObject inputs;
        for (const ComfyField& field : entry.fields)
            if (field.widget() && !field.initial.isUndefined()) inputs[text_of(field.name)] = field.initial;
        std::set<std::string> written;
        for (const ComfyRule& rule : entry.parts.front().rules) {
            const std::string socket = rule.kind == Kind::Link ? rule.to : rule.socket;
            const Link* link = socket.empty() || rule.kind == Kind::Above ? nullptr : document_.link_into({id, socket});
            if (rule.kind == Kind::Value && !link && written.insert(rule.from).second)
                inputs[text_of(rule.from)] = written_value(id, rule, entry);
            if (link) inputs[text_of(rule.from)] = linked(link->from, id);
        }
        for (const ComfyRule& rule : entry.parts.front().rules)
            if (rule.kind == Kind::Above) write_above(id, rule, inputs);
        // One half is steered here; ComfyUI's node wants both, and nobody reads the other one.
        if (entry.name == "ControlNetApplyAdvanced") inputs["negative"] = inputs["positive"];
        if (entry.name == "KSamplerAdvanced")
            inputs["return_with_leftover_noise"] = leaves_noise(id) ? "enable" : "disable";
        if (type_of(id) == "sample.run" && document_.param(id, "noise") != QJsonValue("torch-cpu"))
            notes_.push_back(id +
                             ": ComfyUI draws noise as torch does on the processor, this node other noise: the picture "
                             "will be another one");
        put(id, entry.name, inputs);
    }

    bool leaves_noise(const std::string& id) const {
        return std::ranges::any_of(document_.links_of(id), [&](const Link& link) {
            return link.from == Endpoint{id, "latent"};
        });
    }

    QJsonValue written_value(const std::string& id, const ComfyRule& rule, const ComfyClass& entry) const {
        QJsonValue value = value_of(id, rule.to);
        if (rule.convert.back) value = rule.convert.back(value);
        // Seeds of 2^53 and more are texts in a document.
        const ComfyField* field = entry.field(rule.from);
        if (field && field->type == "INT" && value.isString()) value = value.toString().toLongLong();
        return value;
    }

    // A node of its own in front, such as CLIPSetLastLayer.
    void write_above(const std::string& id, const ComfyRule& rule, QJsonObject& inputs) {
        const ParamInfo* info = find_node_type(type_of(id))->param(rule.to);
        const QJsonValue value = document_.param(id, rule.to);
        if (value == info->initial) return;
        const QString above = QString::number(next_++);
        prompt_[above] = QJsonObject{{"class_type", text_of(rule.part)},
                                     {"inputs", QJsonObject{{text_of(rule.from), inputs[text_of(rule.from)]},
                                                            {text_of(rule.socket), rule.convert.back(value)}}}};
        inputs[text_of(rule.from)] = QJsonArray{above, 0};
    }

    void write_placeholder(const std::string& id) {
        QJsonObject inputs = document_.node(id).params;
        if (inputs.contains("widgets_values")) problems_[id] = "the names of its values are not known";
        for (const Link& link : document_.links_of(id))
            if (link.to.node == id) inputs[text_of(link.to.socket)] = linked(link.from, id);
        put(id, type_of(id).substr(std::string_view(comfy_placeholder).size()), inputs);
    }

    const Document document_;
    std::map<std::string, const ComfyClass*> chosen_;
    std::map<std::string, std::pair<std::string, const ComfyPart*>> absorbed_;  // node -> where it belongs
    std::vector<std::string> placeholders_;
    std::map<std::string, std::string> problems_, reasons_;  // reasons: problems unless another node takes it in
    std::map<std::string, QString> numbers_;
    int next_ = 1;
    QJsonObject prompt_;
    std::vector<std::string> notes_;
};

}  // namespace

ComfyExport export_comfy(const Document& document) { return Exporter(lowered(document)).take(); }

}  // namespace nodes
