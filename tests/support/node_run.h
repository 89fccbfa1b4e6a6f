// Runs one node by itself, without a document: what its tests need.
#pragma once

#include <QJsonObject>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nodes/core/node.h"

namespace tests {

struct NodeRun {
    std::map<std::string, nodes::Value> outputs;
    std::map<std::string, double> metrics;
    std::vector<std::string> warnings;
    std::vector<std::string> wrote;

    template <typename T>
    const T& get(const std::string& output) const {
        const T* content = outputs.at(output).template get<T>();
        if (!content) throw gpu::Error(gpu::ErrorCode::Failure, "test: output {} is of another type", output);
        return *content;
    }
};

// Parameters that are not given have their initial value; inputs are converted as links do. Throws what compute() throws.
NodeRun run_node(const std::string& type, const QJsonObject& params = {},
                 const std::map<std::string, nodes::Value>& inputs = {});

// Runs it and returns the error's code, or nothing when there was none.
std::optional<gpu::ErrorCode> failure_of(const std::string& type, const QJsonObject& params = {},
                                         const std::map<std::string, nodes::Value>& inputs = {});

}  // namespace tests
