// Conformance cases: a folder with inputs, weights and the outputs that a reference implementation computed from them.
//
// case.json says the kind; a kind is one file in this folder that computes the outputs, with weights through the loaders
// that users' files take:
//
//     namespace nodes {
//     namespace {
//     ConformOutputs run(const ConformCase& given) { ... }
//     }
//     }  // namespace nodes
//     REGISTER_CONFORM_KIND(taesd, nodes::run)
#pragma once

#include <QJsonObject>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gpu/graph/tensor.h"
#include "gpu/io/checkpoint.h"

namespace nodes {

struct ConformCase {
    std::string folder;
    std::string name;
    std::string kind;
    QJsonObject json;                              // case.json
    std::vector<std::string> weights;              // files, absolute or from the current folder
    std::optional<gpu::Checkpoint> inputs;
    std::optional<gpu::Checkpoint> expected;       // absent where the caller compares
    std::vector<std::string> outputs;              // the names that are expected, sorted
    double tolerance = 0;                          // relative L2 of each output

    bool has_input(const std::string& name) const { return inputs && inputs->find(name); }
    // F32. Throws Error{BadFile} where there is none.
    gpu::Tensor input(const std::string& name) const;
    QJsonObject config() const { return json["config"].toObject(); }
};

using ConformOutputs = std::map<std::string, gpu::Tensor>;
using ConformKind = ConformOutputs (*)(const ConformCase&);

// `path` is the folder or its case.json. Throws MissingFile, BadFile.
ConformCase load_conform_case(const std::string& path);

struct ConformRow {
    std::string output;
    double rel_l2 = 0;           // |ours - expected| / |expected|
    // A gradient ("grad.NAME") that is zero but for rounding, in both: not above a millionth of all gradients together. A bias
    // before a norm of single channels has such a one; a relative error says nothing there.
    bool rounding = false;
    double max_error = 0;        // largest absolute difference
    bool pass = false;
};

struct ConformReport {
    std::string name;
    std::string kind;
    double tolerance = 0;
    bool compared = false;       // there was something to compare with
    bool pass = false;           // every output within the tolerance, or nothing to compare with
    std::vector<ConformRow> rows;
};

// Computes the outputs; writes them to `out_folder`/<name>.safetensors unless it is empty. Throws Error{Failure} for a kind
// that is not supported yet, BadFile where an output or its shape does not match, and what computing throws.
ConformReport run_conform_case(const ConformCase& given, const std::string& out_folder = {});

// The case with weights of this type, F16 or BF16, written into `folder`: what files that people use hold. Whole numbers,
// and F64 of schedules, stay as they are. The tolerance is 2e-2, for BF16 eight times that.
ConformCase stored_as(ConformCase given, gpu::Dtype type, const std::string& folder);

// Sorted.
std::vector<std::string> conform_kinds();
void add_conform_kind(const std::string& name, ConformKind kind);

}  // namespace nodes

// The build collects these lines (packaging/cmake/generate.cmake).
#define REGISTER_CONFORM_KIND(stem, function) \
    namespace conform {                       \
    void register_##stem() { nodes::add_conform_kind(#stem, function); } \
    }
