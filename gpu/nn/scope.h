// Scope: where a model's constructor gets its weights from, and the record of what it asked for.
//
//     const Scope root = Scope::weights(checkpoint_weights(open_checkpoint(path)));
//     const Taesd model(root);
//     root.finish("tiny autoencoder");     // throws: missing keys, keys that nobody asked for
//
// A model's constructor names its weights by scoped path (`s / "conv_in"`), which makes the struct its own state-dict.
// Copies share one record. Not thread-safe: a model is built by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/graph/tensor.h"
#include "gpu/io/checkpoint.h"

namespace gpu {

// A tensor of a file and what keeps its bytes alive. The name is the one that the model uses, which may differ from the
// one in the file (`entry.name`).
struct Weight {
    TensorEntry entry;
    std::shared_ptr<const void> owner;
    std::string file;
};
using Weights = std::map<std::string, Weight, std::less<>>;

// All tensors of a file. `rename` gives the model's name for a file's, or an empty string to leave the tensor out.
// Throws BadFile when two tensors get the same name. `into` may hold those of other files.
void add_weights(Weights& into, const Checkpoint& file, const std::function<std::string(const std::string&)>& rename = {});

// A file's tensor as F32. It stays in memory as it is stored: F16, BF16 and quantised weights are converted by the kernels
// that read them (F64 is rounded to F32 here). Throws BadFile for other element types and for damaged bytes.
Tensor to_leaf(const Weight& weight);

// A low rank change beside the weight W of a layer, y = W x + up (down x): down [r, in] or a filter [r, in, k, k], up [out, r].
struct Branch {
    Tensor down, up;
};
using Branches = std::map<std::string, std::vector<Branch>, std::less<>>;      // by the weight's full name

class Scope {
public:
    // How a weight is drawn when there is no file: uniform in [-bound, bound] plus `centre`.
    struct Init {
        double bound = 0;
        double centre = 0;
    };
    struct Asked {
        std::string name;
        Shape shape;
        Init init;
    };

    // Weights of files; a missing name or a wrong shape is recorded, and finish() throws. Until then zeros stand in.
    static Scope weights(Weights weights);
    // Weights drawn from (seed, name, element): the same whatever the order of construction.
    static Scope random(std::uint64_t seed);
    // Weights that are tensors already, the parameters of a training step: as weights(), with any tensors.
    static Scope tensors(std::map<std::string, Tensor, std::less<>> tensors, Branches branches = {});
    // Lazy zeros: lists names, shapes and bytes with no data.
    static Scope shapes();
    // Leaves of zeros that take no memory of their own: a model of any size computes as with real weights, stored as F32, F16
    // or BF16.
    static Scope empty(Dtype stored = Dtype::F32);

    Scope operator/(std::string_view name) const;
    const std::string& path() const { return path_; }

    // The weight `name` below this scope, F32 of this shape.
    Tensor weight(std::string_view name, const Shape& shape, Init init) const;
    // What the layer with this weight adds beside it.
    std::vector<Branch> branches(std::string_view name) const;
    // Whether files hold this name (false where weights are drawn): for parts that only some variants have.
    bool has(std::string_view name) const;
    // The shape that files hold for this name, empty for none: for sizes that only the weights tell.
    Shape shape_of(std::string_view name) const;

    // In order of construction.
    const std::vector<Asked>& asked() const;
    // Names that no file holds, and names of files that nobody asked for.
    std::vector<std::string> missing() const;
    std::vector<std::string> unexpected() const;
    // Throws BadFile naming the first missing, wrongly shaped and unexpected keys, if there are any.
    void finish(std::string_view what) const;

private:
    struct Record;
    Scope(std::shared_ptr<Record> record, std::string path) : record_(std::move(record)), path_(std::move(path)) {}
    std::string full(std::string_view name) const;

    std::shared_ptr<Record> record_;
    std::string path_;
};

}  // namespace gpu
