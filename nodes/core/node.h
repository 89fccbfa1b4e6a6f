// A node is declared once: typed sockets and parameters as members, one verb. Read this page first.
//
//     namespace nodes {
//     namespace {
//
//     struct Add final : Node {
//         Add() : Node({.id = "math.add", .version = 1, .title = "Add", .category = "Math",
//                       .help = "Adds two numbers."}) {}
//
//         In<double>  a{this, "a", "First number"};
//         In<double>  b{this, "b", "Second number, 1 when nothing is connected", {.initial = 1.0}};
//         Param<int>  times{this, "times", "Multiplies the sum", {.initial = 1, .min = 1, .max = 100}};
//         Out<double> sum{this, "sum", "(a + b) * times"};
//
//         void compute(Eval& ev) const override { ev.set(sum, (ev[a] + ev[b]) * ev[times]); }
//     };
//
//     }  // namespace
//
//     REGISTER_NODE(add, Add)          // the file's stem; outside the anonymous namespace
//
//     }  // namespace nodes
//
// Widgets, JSON, command line, documentation, validation and cache key derive from the members. A node object is an
// immutable definition, one per type: values live in the document, results in the cache, and `Eval` is the only door to
// both, so that a cache key can not miss a dependency.
#pragma once

#include <QJsonObject>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nodes/core/param.h"
#include "nodes/core/socket_type.h"

namespace nodes {

class Eval;
class Node;

// The two ends of a loop region, see nodes/core/regions.h.
enum class LoopPart { None, Begin, End };

// What a node type is, beside its sockets and parameters.
struct NodeInfo {
    std::string id;            // "image.load": enters files, never change it
    int version = 1;           // raise it when a saved node must be changed on load, or computes something else
    std::string title;         // "Load Image"
    std::string category;      // the menu it is found in: "Image"
    std::string help;          // one or two sentences
    bool side_effect = false;  // writes files or the like: never cached, and run when nobody names targets
    bool target = false;       // is run when nobody names targets, though its results are cached: a metric, a viewer
    LoopPart loop = LoopPart::None;
    // Only a piece of wire: its output `value` is its input `value`. It never runs (lowering.h).
    bool wire = false;
};

// A socket without its C++ type: what the editor, files and the command line read.
struct SocketInfo {
    std::string name;   // "latent": enters files, never change it
    std::string label;  // "Latent"
    std::string help;
    const SocketType* type = nullptr;
    bool optional = false;  // inputs: may stay unconnected
    bool lazy = false;      // inputs: computed only where Node::wants() says so
    std::string follows{};  // outputs of type any: the input whose type they have; empty: the one of the same name
    Value initial;          // inputs: what is read when nothing is connected; may be empty
};

// Options of In<T>: {.optional = true}, or {.initial = 1.0} for a value when nothing is connected.
template <typename T>
struct InOptions {
    bool optional = false;
    std::optional<T> initial{};
    std::string label{};
    bool lazy = false;
};

// Base of the handles: a name of the node that a failure can point at.
class Handle {
public:
    const std::string& name() const { return name_; }
    int index() const { return index_; }  // within its list of the node; never stored

    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

protected:
    Handle(std::string name, int index) : name_(std::move(name)), index_(index) {}

private:
    std::string name_;
    int index_;
};

// An input socket: `ev[in]` is the value, `ev.has(in)` whether there is one.
template <typename T>
class In : public Handle {
public:
    In(Node* node, std::string name, std::string help, InOptions<T> options = {});
};

// An output socket: `ev.set(out, value)`. Every output must be set when compute() returns.
template <typename T>
class Out : public Handle {
public:
    Out(Node* node, std::string name, std::string help, std::string label = {}, std::string follows = {});
};

// A parameter: `ev[param]` is its value.
template <typename T>
class Param : public Handle {
public:
    Param(Node* node, std::string name, std::string help, ParamOptions<T> options = {});
};

class Node {
public:
    explicit Node(NodeInfo info) : info_(std::move(info)) {}
    virtual ~Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    // Reads inputs and parameters from `ev`, sets every output. Runs on an engine thread, several at once on one
    // object. Throws gpu::Error, or calls ev.fail() to name the socket; polls ev.progress() or ev.check_cancelled() at
    // least every 50 ms where it does not wait for the tensor runtime, which polls by itself.
    virtual void compute(Eval& ev) const = 0;

    // Whether a lazy input is to be computed; asked once all others are there, and those alone may be read from `ev`.
    // Unwanted inputs are as if they were not linked, and what feeds nothing else does not run.
    virtual bool wants(Eval& ev, const SocketInfo& input) const {
        (void)ev, (void)input;
        return true;
    }

    // Turns the parameters that a document stored with version `from` (< info().version) into today's. Kept for ever.
    virtual QJsonObject upgrade(QJsonObject params, int from) const {
        (void)from;
        return params;
    }

    const NodeInfo& info() const { return info_; }
    const std::vector<SocketInfo>& inputs() const { return inputs_; }  // in order of declaration
    const std::vector<SocketInfo>& outputs() const { return outputs_; }
    const std::vector<ParamInfo>& params() const { return params_; }

    // By name; null when there is none.
    const SocketInfo* input(const std::string& name) const;
    const SocketInfo* output(const std::string& name) const;
    const ParamInfo* param(const std::string& name) const;

    // For handles: appends a declaration and returns its index. Derives the label from the name where it is empty.
    int declare_input(SocketInfo info);
    int declare_output(SocketInfo info);
    int declare_param(ParamInfo info);

private:
    NodeInfo info_;
    std::vector<SocketInfo> inputs_;
    std::vector<SocketInfo> outputs_;
    std::vector<ParamInfo> params_;
};

template <typename T>
In<T>::In(Node* node, std::string name, std::string help, InOptions<T> options)
    : Handle(name, node->declare_input({.name = name,
                                        .label = std::move(options.label),
                                        .help = std::move(help),
                                        .type = &socket_type<T>(),
                                        .optional = options.optional,
                                        .lazy = options.lazy,
                                        .initial = options.initial ? Value::of<T>(*options.initial) : Value()})) {}

template <typename T>
Out<T>::Out(Node* node, std::string name, std::string help, std::string label, std::string follows)
    : Handle(name, node->declare_output({.name = name,
                                         .label = std::move(label),
                                         .help = std::move(help),
                                         .type = &socket_type<T>(),
                                         .follows = std::move(follows)})) {}

template <typename T>
Param<T>::Param(Node* node, std::string name, std::string help, ParamOptions<T> options)
    : Handle(name, [&] {
          ParamInfo info = detail::describe(options);
          info.name = name;
          info.help = std::move(help);
          return node->declare_param(std::move(info));
      }()) {}

}  // namespace nodes

#include "nodes/core/eval.h"
#include "nodes/core/registry.h"
