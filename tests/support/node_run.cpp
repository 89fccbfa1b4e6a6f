#include "tests/support/node_run.h"

namespace tests {
namespace {

struct Host final : nodes::EvalHost {
    std::vector<std::string> warnings, wrote;

    void on_progress(std::int64_t, std::int64_t) override {}
    void on_preview(const QImage&) override {}
    void on_metric(const std::string&, double, const std::string&) override {}
    void on_warning(const std::string& message) override { warnings.push_back(message); }
    void on_wrote(const std::string& path) override { wrote.push_back(path); }
    void on_resumable() override {}
    std::string document_json() const override { return "{\"heddle\": 1, \"name\": \"\xc3\xa4\"}\n"; }
};

}  // namespace

NodeRun run_node(const std::string& type, const QJsonObject& params, const std::map<std::string, nodes::Value>& inputs) {
    const nodes::Node* node = nodes::find_node_type(type);
    gpu::check(node != nullptr, gpu::ErrorCode::Failure, "test: no node type {}", type);
    std::vector<nodes::Value> values;
    for (const nodes::SocketInfo& socket : node->inputs()) {
        const auto given = inputs.find(socket.name);
        values.push_back(given == inputs.end() ? socket.initial : given->second.converted_to(*socket.type));
    }
    std::vector<QJsonValue> settings;
    for (const nodes::ParamInfo& info : node->params()) {
        const QString name = QString::fromStdString(info.name);
        settings.push_back(params.contains(name) ? info.canonical(params[name]) : info.initial);
    }
    for (const QString& name : params.keys())
        gpu::check(node->param(name.toStdString()) != nullptr, gpu::ErrorCode::Failure, "test: {} has no parameter {}", type,
                   name.toStdString());
    Host host;
    nodes::Eval eval(*node, "node", std::move(values), std::move(settings), {}, host);
    node->compute(eval);
    NodeRun result{.warnings = host.warnings, .wrote = host.wrote};
    for (std::size_t i = 0; i < node->outputs().size(); ++i) result.outputs[node->outputs()[i].name] = eval.outputs()[i];
    for (const auto& metric : eval.metrics()) result.metrics[metric.name] = metric.value;
    return result;
}

std::optional<gpu::ErrorCode> failure_of(const std::string& type, const QJsonObject& params,
                                         const std::map<std::string, nodes::Value>& inputs) {
    try {
        run_node(type, params, inputs);
    } catch (const gpu::Error& error) {
        return error.code();
    }
    return std::nullopt;
}

}  // namespace tests
