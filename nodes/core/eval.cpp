#include "nodes/core/eval.h"

namespace nodes {

Eval::Eval(const Node& node, std::string id, std::vector<Value> inputs, std::vector<QJsonValue> params,
           gpu::CancelToken cancel, EvalHost& host)
    : node_(node),
      id_(std::move(id)),
      inputs_(std::move(inputs)),
      params_(std::move(params)),
      outputs_(node.outputs().size()),
      cancel_(std::move(cancel)),
      host_(host) {}

const Value& Eval::input(const Handle& in) const {
    const Value& value = inputs_[in.index()];
    if (value.empty())
        throw SocketError(gpu::ErrorCode::InvalidGraph, in.name(), "expected a value, nothing is connected");
    return value;
}

void Eval::progress(std::int64_t done, std::int64_t total) {
    check_cancelled();
    host_.on_progress(done, total);
}

void Eval::report(const std::string& name, double value, const std::string& unit) {
    metrics_.push_back({name, value, unit});
    host_.on_metric(name, value, unit);
}

void Eval::warn_text(std::string message) {
    host_.on_warning(message);
    warnings_.push_back(std::move(message));
}

std::string Eval::document_json() const {
    gpu::check(node_.info().side_effect, gpu::ErrorCode::Failure,
               "{}: only a node with side effects may read the document, {} has none", id_, node_.info().id);
    return host_.document_json();
}

}  // namespace nodes
