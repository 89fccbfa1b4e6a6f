// List axes: nodes that make a list, and what they mean for the rest of a document.
//
// A list is no value. What depends on a list runs once an element: before a run, each such node becomes one node an element,
// `sample/07` for the seventh of ten or more (unrolled()). So the key of an element is the key of an ordinary node
// (nodes/core/key.h): made of the element's own value, the parameters and the inputs, never of its number or of the other
// elements. An element that did not change is found in the cache, wherever it stands now; one that did is computed alone.
//
// - A source makes an axis of elements. Its outputs carry one element each.
// - list.product puts axes side by side: every combination, the last one changing fastest. A node runs only along the axes
//   that it depends on: with 3 prompts and 4 scales, prompts are encoded 3 times and pictures sampled 12 times.
// - list.zip makes one axis of several, an element of each at a time.
// - list.collect ends axes: what is behind it runs once. A node that writes files and is not behind one writes a file an
//   element, `out-07.png`.
// - Values of different axes that meet elsewhere are an error; values of no list are the same for every element.
// - A parameter follows a list as an expression: {"=": "scales.number * 2"}; texts, choices and files by name alone:
//   {"=": "files.path"}.
// - A loop that something of a list reaches runs once an element, whole.
#pragma once

#include <string>
#include <vector>

#include "nodes/core/document.h"
#include "nodes/core/node.h"
#include "nodes/core/paths.h"

namespace nodes {

enum class ListRole { Source, Zip, Product, Collect };

// One element of a source. `parts` follow the source's outputs: the node that gives the value in a run, and the value itself
// where a parameter may follow it.
struct ListElement {
    struct Part {
        std::string type;                            // "value.number"
        QJsonObject params;
        std::string output;                          // of that node
        QJsonValue value = QJsonValue::Undefined;    // a number or a text
    };
    std::string label;      // for people: "7.5"
    std::vector<Part> parts;
    bool stands = false;    // for elements that are not known before a file is read
};

class ListNode : public Node {
public:
    ListNode(NodeInfo info, ListRole role) : Node(std::move(info)), role_(role) {}
    ListRole role() const { return role_; }

    // Of a source: the elements that these parameters (canonical, in order of declaration) name, at least one. Without
    // `places` no file may be looked at: one element then stands for those that a file names. Throws gpu::Error.
    virtual std::vector<ListElement> elements(const std::vector<QJsonValue>& params, const FilePlaces* places) const;

    // Of a collecting node: the id of the type (made_types.h) that gathers `count` values in a run. Its inputs are
    // gather_input(0) ..., its parameters `titles` (a label a line), `across` (elements in a row, 0 where that is open), and for several lists
    // `column_titles` and `row_titles` (a label a line; a number has its list's name before it).
    virtual std::string gathering_type(std::size_t count) const;

    void compute(Eval&) const final;      // never runs

private:
    ListRole role_;
};

inline constexpr std::size_t most_gathered = 10000;
// The name of the input of an element, from 0; the names sort as they count.
std::string gather_input(std::size_t element);

// Null for other nodes.
const ListNode* as_list(const Node* type);

bool has_lists(const Document& document);      // on this level of it
// Whether a computed parameter follows a list, perhaps by way of other parameters. On one level of a document.
bool follows_list(const Document& document, const std::string& node, const std::string& param);

// A formula of another level than the node that holds it: what a use of a subgraph hands to a parameter inside.
QJsonValue formula_of_level(const QJsonValue& expression, const std::string& level);

struct ListProblem {
    std::string node, socket, message;
    gpu::ErrorCode code = gpu::ErrorCode::InvalidGraph;
};

struct Unrolled {
    Document document;
    std::vector<ListProblem> problems;      // where there are any, the document is the one that was given
};

// A settled document (lowering.h) without lists: every node that depends on one an element at a time. At most 100000 nodes.
Unrolled unrolled(const Document& document, const FilePlaces* places);

// "out.png" -> "out-007.png", the seventh of `count`, so that none writes over another's file.
std::string numbered_path(const std::string& path, std::size_t number, std::size_t count);

}  // namespace nodes
