#include "nodes/interchange/comfy_finish.h"

#include <QJsonArray>
#include <QRegularExpression>
#include <algorithm>
#include <map>
#include <set>

#include "nodes/interchange/comfy_class.h"

namespace nodes {
namespace {

constexpr double column_width = 280, row_height = 220;

// Nodes by id; the graph's list must not change meanwhile.
using Index = std::map<std::string, ComfyNode*>;

Index index_of(ComfyGraph& graph) {
    Index index;
    for (ComfyNode& node : graph.nodes) index[node.id] = &node;
    return index;
}

ComfyNode* source_node(const Index& index, const ComfyNode& node, const std::string& input) {
    const ComfyInput* given = node.input(input);
    const auto at = given && given->source ? index.find(given->source->node) : index.end();
    return at == index.end() ? nullptr : at->second;
}

// All nodes that an input comes from.
void collect_above(const Index& index, const ComfyNode& node, const std::string& input, std::set<std::string>& found) {
    std::vector<const ComfyNode*> open{source_node(index, node, input)};
    while (!open.empty()) {
        const ComfyNode* at = open.back();
        open.pop_back();
        if (!at || !found.insert(at->id).second) continue;
        for (const ComfyInput& one : at->inputs) open.push_back(source_node(index, *at, one.name));
    }
}

bool samples(const ComfyNode& node) {
    const ComfyClass* entry = find_comfy_class(node.entry);
    return entry && entry->field("model") && entry->field("positive") && !entry->model_side;
}

// Puts `node` between a sampler's input and what it read.
void insert_before(ComfyNode& node, ComfyNode& sampler, const std::string& input, int slot) {
    ComfyInput& target = sampler.make_input(input);
    ComfyInput& through = node.make_input(input);
    const ComfySource own{node.id, slot};
    if (target.source == own) return;
    if (!through.source) through.source = target.source;
    target.source = own;
}

void rewrite_node(ComfyGraph& graph, const Index& index, ComfyNode& node) {
    const ComfyClass* entry = find_comfy_class(node.entry);
    const bool both = node.entry == "ControlNetApply", model_side = entry && entry->model_side;
    if (!both && !model_side) return;
    const std::string input = both ? "negative" : "model";
    std::optional<ComfySource> before;
    for (ComfyNode& sampler : graph.nodes) {
        if (!samples(sampler)) continue;
        std::set<std::string> above;
        collect_above(index, sampler, "positive", above);
        const ComfyInput* given = sampler.input(input);
        if (!above.contains(node.id) || !given || !given->source) continue;
        std::set<std::string> source;
        collect_above(index, sampler, input, source);
        if (source.contains(node.id)) continue;  // it would read itself
        if (before && *before != *given->source) {
            graph.adjusted.push_back(
                {node.id, node.type,
                 "samplers with different inputs " + input + " read it: it acts on the first one's"});
            continue;
        }
        before = given->source;
        insert_before(node, sampler, input, both ? 1 : static_cast<int>(entry->output_names.size()) - 1);
    }
    if (!both || !before) return;
    node.entry = "ControlNetApplyAdvanced";
    ComfyInput& positive = node.make_input("positive");
    if (const ComfyInput* given = node.input("conditioning")) positive.source = given->source;
}

// The file that a model was loaded from, lower case; empty where a loader does not say.
QString model_name(const Index& index, const ComfyNode& sampler) {
    const ComfyNode* at = source_node(index, sampler, "model");
    for (int depth = 0; at && depth < 1000; ++depth) {
        for (const char* widget : {"ckpt_name", "unet_name"})
            if (const ComfyInput* name = at->input(widget)) return name->value.toString().toLower();
        at = source_node(index, *at, at->input("model") ? "model" : "model1");
    }
    return {};
}

// ComfyUI shows inpainting models the picture whenever the latent has a mask; here a node does. Only the file's name
// tells such a model.
std::vector<ComfyNode> missing_inpaint_conditions(ComfyGraph& graph) {
    const Index index = index_of(graph);
    std::vector<ComfyNode> made;
    for (ComfyNode& sampler : graph.nodes) {
        const ComfyNode* encode = samples(sampler) ? source_node(index, sampler, "latent_image") : nullptr;
        if (!encode || encode->type != "VAEEncodeForInpaint" || !model_name(index, sampler).contains("inpaint"))
            continue;
        ComfyNode condition{.id = encode->id + "-" + sampler.id,
                            .type = "InpaintModelConditioning",
                            .entry = "InpaintModelConditioning"};
        if (encode->position) condition.position = Position{encode->position->x, encode->position->y + row_height};
        for (const char* input : {"vae", "pixels", "mask"})
            if (const ComfyInput* given = encode->input(input)) condition.make_input(input).source = given->source;
        insert_before(condition, sampler, "model", 3);
        graph.adjusted.push_back({encode->id, encode->type,
                                  "the model's name says inpainting: a node that shows it picture and mask was added"});
        made.push_back(std::move(condition));
    }
    return made;
}

// --- after ---

bool is_type(const Document& document, const std::string& id, const char* type) {
    const NodeRecord* record = document.find(id);
    return record && record->type == type;
}

// The loader at the end of a chain of patches.
Endpoint model_root(const Document& document, Endpoint from) {
    for (int depth = 0; depth < 1000; ++depth) {
        const Link* link = document.link_into({from.node, "model"});
        if (!link) link = document.link_into({from.node, "a"});
        if (!link) return from;
        from = link->from;
    }
    return from;
}

// The first sampler that a latent reaches through other nodes.
const Link* sampled_by(const Document& document, const std::string& latent) {
    std::set<std::string> seen;
    std::vector<std::string> open{latent};
    for (std::size_t i = 0; i < open.size(); ++i) {
        if (!seen.insert(open[i]).second) continue;
        for (const Link& link : document.links()) {
            if (link.from.node != open[i] || link.from.socket != "latent") continue;
            if (is_type(document, link.to.node, "sample.run")) return document.link_into({link.to.node, "model"});
            open.push_back(link.to.node);
        }
    }
    return nullptr;
}

void size_latents(Document& document) {
    for (const std::string& id : document.node_ids()) {
        if (!is_type(document, id, "latent.empty")) continue;
        if (const Link* model = sampled_by(document, id)) {
            const Endpoint root = model_root(document, model->from);
            if (!document.node(root.node).type.starts_with(comfy_placeholder))
                document = document.connect(root, {id, "model"});
        }
    }
}

const std::map<std::string, std::vector<std::string>> prompt_params{{"text.encode", {"text"}},
                                                                    {"text.encode_sdxl", {"text_l", "text_g"}}};

std::vector<QString> learned_words(const Document& document, const std::string& id) {
    static const QRegularExpression word(R"((?:^|[\s(,])embedding:([^\s,():|]+))");
    std::vector<QString> words;
    for (const std::string& param : prompt_params.at(document.node(id).type)) {
        auto found = word.globalMatch(document.param(id, param).toString());
        while (found.hasNext())
            if (const QString name = found.next().captured(1); std::ranges::find(words, name) == words.end())
                words.push_back(name);
    }
    return words;
}

QString word_file(const QString& name) {
    for (const char* ending : {".pt", ".safetensors", ".bin"})
        if (name.endsWith(ending)) return name;
    return name + ".safetensors";
}

// ComfyUI reads learned words by their file's name wherever a prompt calls one; here a node reads them.
void load_words(Document& document) {
    std::map<std::pair<Endpoint, QString>, Endpoint> made;  // one loader for a word and an encoder
    for (const std::string& id : document.node_ids()) {
        const Link* link =
            prompt_params.contains(document.node(id).type) ? document.link_into({id, "encoder"}) : nullptr;
        if (!link) continue;
        Endpoint from = link->from;
        for (const QString& name : learned_words(document, id)) {
            const auto key = std::pair{from, name};
            if (!made.contains(key)) {
                std::string loader;
                const Position at = document.position(id);
                document = document.add_node("text.embedding_load", document.free_id("word"), {at.x - 240, at.y + 40},
                                             &loader);
                document = document.set_param(loader, "file", word_file(name))
                               .set_param(loader, "name", name)
                               .connect(from, {loader, "encoder"});
                made[key] = {loader, "encoder"};
            }
            from = made[key];
        }
        document = document.connect(from, {id, "encoder"});
    }
}

// ComfyUI numbers what it writes; here two nodes of one name would write over each other.
void separate_files(Document& document, ComfyReport& report) {
    std::set<QString> taken;
    for (const std::string& id : document.node_ids()) {
        const std::string type = document.node(id).type;
        if (type != "image.save" && type != "model.save" && type != "vae.save") continue;
        const QString file = document.param(id, "file").toString();
        QString name = file;
        const qsizetype dot = file.lastIndexOf('.');
        for (int number = 2; !taken.insert(name).second; ++number)
            name = QString("%1-%2%3").arg(file.left(dot)).arg(number).arg(file.mid(dot));
        if (name == file) continue;
        document = document.set_param(id, "file", name);
        report.adjusted.push_back(
            {"", id, "writes " + name.toStdString() + ", because another node writes " + file.toStdString()});
    }
}

// Masks that ComfyUI's mask editor paints are a picture's alpha, with the picture still beneath.
void tell_hidden_colours(const Document& document, ComfyReport& report) {
    std::set<std::string> masks, encoded;  // pictures that are read both ways
    for (const Link& link : document.links()) {
        if (!is_type(document, link.from.node, "image.load")) continue;
        if (is_type(document, link.to.node, "mask.from_image") &&
            document.param(link.to.node, "channel") == QJsonValue("alpha"))
            masks.insert(link.from.node);
        if (is_type(document, link.to.node, "vae.encode")) encoded.insert(link.from.node);
    }
    for (const std::string& id : masks)
        if (encoded.contains(id))
            report.adjusted.push_back(
                {"", id, "transparent parts are encoded as white, where ComfyUI takes the colours beneath"});
}

void rename(Document& document, ComfyReport& report, const std::string& from, const std::string& to) {
    document = document.rename(from, to);
    for (ComfyReport::Entry& entry : report.entries) std::ranges::replace(entry.nodes, from, to);
}

void name_negatives(Document& document, ComfyReport& report) {
    for (const std::string& id : document.node_ids()) {
        if (!prompt_params.contains(document.node(id).type) || !id.starts_with("prompt-")) continue;
        const std::vector<Link> links = document.links_of(id);
        bool read = false, negative = true;
        for (const Link& link : links) {
            if (link.from.node != id) continue;
            read = true;
            negative = negative && link.to.socket == "negative";
            // Through a control that steers the negative half.
            negative = negative || link.to.node.starts_with("negative-control-");
        }
        const std::string wanted = "negative" + id.substr(6);
        if (read && negative && !document.contains(wanted)) rename(document, report, id, wanted);
    }
}

}  // namespace

void rewrite_conditioning(ComfyGraph& graph) {
    for (ComfyNode& condition : missing_inpaint_conditions(graph)) graph.nodes.push_back(std::move(condition));
    const Index index = index_of(graph);
    for (ComfyNode& node : graph.nodes) rewrite_node(graph, index, node);
}

void place_nodes(ComfyGraph& graph) {
    if (std::ranges::any_of(graph.nodes, [](const ComfyNode& node) { return node.position.has_value(); })) return;
    const Index index = index_of(graph);
    std::map<std::string, int> columns;
    // Each pass moves what reads something of its own column; circles stop it after as many passes as there are nodes.
    bool moved = true;
    for (std::size_t pass = 0; moved && pass < std::min<std::size_t>(graph.nodes.size(), 200); ++pass) {
        moved = false;
        for (const ComfyNode& node : graph.nodes)
            for (const ComfyInput& input : node.inputs)
                if (const ComfyNode* source = source_node(index, node, input.name);
                    source && columns[node.id] <= columns[source->id]) {
                    columns[node.id] = columns[source->id] + 1;
                    moved = true;
                }
    }
    std::map<int, int> rows;
    for (ComfyNode& node : graph.nodes) {
        const int column = columns[node.id];
        node.position = Position{column * column_width, rows[column]++ * row_height};
    }
}

void finish_comfy_document(Document& document, ComfyReport& report) {
    size_latents(document);
    load_words(document);
    separate_files(document, report);
    name_negatives(document, report);
    tell_hidden_colours(document, report);
}

}  // namespace nodes
