// A ComfyUI workflow as a plain graph, whatever form its file has: the editor's (0.4 and 1.0) with subgraphs, reroutes,
// primitives, bypassed and muted nodes resolved, or the server's ("API").
#pragma once

#include <QByteArray>
#include <QJsonArray>
#include <QJsonObject>
#include <optional>
#include <string>
#include <vector>

#include "nodes/core/document.h"

namespace nodes {

// The output that a link comes from.
struct ComfySource {
    std::string node;
    int slot = 0;

    friend bool operator==(const ComfySource&, const ComfySource&) = default;
};

struct ComfyInput {
    std::string name;
    std::optional<ComfySource> source{};
    QJsonValue value = QJsonValue::Undefined;  // of a widget, also where a link overrides it
};

struct ComfyNode {
    std::string id;       // "3"; inside of subgraphs "57:3"
    std::string type;     // the class, "KSampler"
    std::string entry;    // the class whose rules translate it: `type`, but for rewritten nodes
    std::string title{};  // where the user gave one
    std::vector<ComfyInput> inputs{};
    std::vector<std::string> outputs{};  // names by slot; empty where the file does not say
    std::optional<Position> position{};
    int group = -1;        // the innermost group that it lies in, of ComfyGraph::groups; -1: none
    QJsonArray surplus{};  // values of widgets whose names nothing tells

    const ComfyInput* input(const std::string& name) const;
    ComfyInput& make_input(const std::string& name);  // adds it where there is none
};

// Something that the reader has to say of a node.
struct ComfyRemark {
    std::string node, type, text;
};

// Of the classes Note and MarkdownNote.
struct ComfyNote {
    std::string node, type, text;
    std::optional<Position> position{};
    int group = -1;
};

// A titled rectangle on the canvas of ComfyUI's editor; it holds what lies in it.
struct ComfyGroup {
    std::string title;
    std::string colour{};  // "#3f789e"; empty for none
    int around = -1;       // the group that it lies in
};

struct ComfyGraph {
    std::string form;                     // "UI 0.4", "UI 1.0" or "API"
    std::vector<ComfyNode> nodes{};       // in the order of the file
    std::vector<ComfyRemark> left_out{};  // nodes that do not run: muted, bypassed, ...
    std::vector<ComfyRemark> adjusted{};  // values that are not as they stood
    std::vector<ComfyNote> notes{};
    std::vector<ComfyGroup> groups{};

    bool from_editor() const { return form != "API"; }
    const ComfyNode* find(const std::string& id) const;
    ComfyNode* find(const std::string& id);
};

// JSON as ComfyUI writes it: NaN and infinities (which JSON does not have) become null, whole numbers from 2^63 on
// texts. Throws Error{BadFile} with line and column.
QJsonObject read_comfy_json(const QByteArray& text);

// Whether the object looks like a workflow or a prompt, at its root or as the body of a request.
bool is_comfy_json(const QJsonObject& root);

// Throws Error{BadFile}, naming the node, where the file is not what it claims to be: lists and objects of wrong kinds,
// ids given twice, subgraphs that hold themselves.
ComfyGraph read_comfy_graph(const QJsonObject& root);

// --- for the two readers ---
// A pair, as a list or as an object with the keys "0" and "1".
std::optional<Position> comfy_position(const QJsonValue& value);
ComfyGraph read_comfy_workflow(const QJsonObject& root);  // the editor's form
ComfyGraph read_comfy_prompt(const QJsonObject& root);    // the server's

// An id as text: a number or a text; throws Error{BadFile} for anything else.
std::string comfy_id(const QJsonValue& value, const std::string& where);

// The groups of one level of a workflow, which join `graph`, and which of them a place lies in.
class ComfyGroups {
public:
    // `around`: the group that the level as a whole lies in, -1 for none. Throws Error{BadFile} where there are too many.
    ComfyGroups(const QJsonValue& list, int around, ComfyGraph& graph);
    // Of a node: the smallest group that has its middle, as ComfyUI's editor decides it.
    int at(const QJsonObject& node) const;

private:
    struct Box {
        double x = 0, y = 0, width = 0, height = 0;
        int group = -1;
        bool holds(double px, double py) const { return px >= x && px < x + width && py >= y && py < y + height; }
    };
    std::vector<Box> boxes_;      // small ones first
    int around_;
};

// Gives an editor's list of values (or object) to the widgets of a node by its class, or by its own inputs where the
// class is unknown. What is left becomes `surplus`.
void assign_widgets(ComfyNode& node, const QJsonValue& values, const std::vector<std::string>& widget_inputs,
                    ComfyGraph& graph);

}  // namespace nodes
