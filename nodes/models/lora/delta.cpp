#include "nodes/models/lora/delta.h"

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"

namespace nodes {
namespace {

using gpu::Shape;

Tensor part(const LoraModule& module, const std::string& name) { return gpu::to_leaf(module.parts.at(name)); }

// [rows, everything else]
Tensor flat(const Tensor& x) { return x.rank() == 1 ? gpu::reshape(x, {x.size(0), 1}) : gpu::reshape(x, {x.size(0), x.element_count() / x.size(0)}); }

// A number as a leaf, so that another strength replays the same plan.
Tensor number(double value) { return gpu::reshape(gpu::tensor({static_cast<float>(value)}), {1, 1}); }

// sum over i, j of core[i, j, k] a[i, p] b[j, r] -> [p, r k]
Tensor tucker(const Tensor& core, const Tensor& a, const Tensor& b) {
    const std::int64_t i = core.size(0), j = core.size(1), k = core.element_count() / (i * j);
    const Tensor left = gpu::matmul(gpu::transpose(a, 0, 1), gpu::reshape(core, {i, j * k}));                     // [p, j k]
    const Tensor inner = gpu::transpose(gpu::reshape(left, {a.size(1), j, k}), 1, 2);                             // [p, k, j]
    const Tensor both = gpu::matmul(gpu::reshape(inner, {a.size(1) * k, j}), b);                                  // [p k, r]
    return gpu::reshape(gpu::transpose(gpu::reshape(both, {a.size(1), k, b.size(1)}), 1, 2), {a.size(1), b.size(1) * k});
}

Tensor low_rank(const LoraModule& module) {
    const Tensor up = flat(part(module, "up")), down = flat(part(module, "down"));
    if (!module.has("mid")) return gpu::matmul(up, down);
    // The core convolves between two 1x1 convolutions: mid [out rank, in rank, k, k].
    return tucker(part(module, "mid"), gpu::transpose(up, 0, 1), down);
}

Tensor factor(const LoraModule& module, const std::string& name, const std::string& core) {      // "hada_w1" or "lokr_w2"
    if (module.has(name)) return flat(part(module, name));
    const Tensor a = part(module, name + "_a"), b = part(module, name + "_b");
    return module.has(core) ? tucker(part(module, core), flat(a), flat(b)) : gpu::matmul(flat(a), flat(b));
}

Tensor kronecker(const Tensor& a, const Tensor& b) {      // [m, n], [p, q] -> [m p, n q]
    return gpu::reshape(gpu::reshape(a, {a.size(0), 1, a.size(1), 1}) * gpu::reshape(b, {1, b.size(0), 1, b.size(1)}),
                        {a.size(0) * b.size(0), a.size(1) * b.size(1)});
}

Tensor sliced(const Tensor& rows, LoraSlice slice) {
    if (slice.parts == 1) return rows;
    const std::int64_t count = rows.size(0) / slice.parts;
    return gpu::slice(rows, 0, slice.part * count, (slice.part + 1) * count);
}

// W' brought to the stored magnitude of each row, or each column where the magnitude is [1, columns, ...] (arXiv:2402.09353, with the
// norm of W' itself below). Filters of a convolution belong to their row or column.
Tensor renormalised(const LoraModule& module, const Tensor& changed, LoraSlice slice) {
    const Tensor stored = part(module, "dora");
    const bool by_column = stored.rank() >= 2 && stored.size(0) == 1 && stored.size(1) == changed.size(1);
    const std::int64_t rows = changed.size(0), inputs = changed.size(1), rest = changed.element_count() / (rows * inputs);
    const Tensor cube = gpu::reshape(changed, {rows, inputs, rest});
    const Tensor norm = gpu::sqrt(gpu::sum(gpu::square(cube), by_column ? std::vector<int>{0, 2} : std::vector<int>{1, 2}));
    const Tensor magnitude = by_column ? gpu::reshape(stored, {1, inputs, 1}) : gpu::reshape(sliced(gpu::reshape(stored, {stored.element_count()}), slice), {rows, 1, 1});
    return gpu::reshape(cube * (magnitude / (norm + 1e-12)), changed.shape());
}

}  // namespace

double lora_scale(const LoraModule& module) {
    if (module.has("lokr_w1") && module.has("lokr_w2")) return 1;      // not decomposed: alpha has no meaning
    const auto alpha = module.parts.find("alpha");
    const auto rank = module.rank();
    if (alpha == module.parts.end() || rank == 0) return module.scale;
    const std::vector<float> values = gpu::to_floats(gpu::to_leaf(alpha->second));
    gpu::check(values.size() == 1, gpu::ErrorCode::BadFile, "LoRA: expected one number for alpha of {}, got {}", module.name, values.size());
    return values[0] / static_cast<double>(rank);
}

Tensor lora_matrix(const LoraModule& module) {
    for (const char* whole : {"diff", "w_norm", "set"})
        if (module.has(whole)) return flat(part(module, whole));
    Tensor matrix;
    if (module.has("hada_w1_a"))
        matrix = factor(module, "hada_w1", "hada_t1") * factor(module, "hada_w2", "hada_t2");
    else if (module.has("lokr_w1") || module.has("lokr_w1_a"))
        matrix = kronecker(factor(module, "lokr_w1", ""), factor(module, "lokr_w2", "lokr_t2"));
    else
        matrix = low_rank(module);
    return matrix * number(lora_scale(module));
}

Tensor lora_weight(const LoraModule& module, const Tensor& weight, double strength, LoraSlice slice) {
    const Tensor matrix = gpu::reshape(sliced(lora_matrix(module), slice), {weight.size(0), weight.element_count() / weight.size(0)});
    const Tensor flat_weight = flat(weight), by = number(strength);
    Tensor changed;
    if (module.has("set"))
        changed = flat_weight + (matrix - flat_weight) * by;
    else if (module.has("dora") && weight.rank() >= 2)
        changed = flat_weight + (flat(renormalised(module, gpu::reshape(flat_weight + matrix, weight.shape()), slice)) - flat_weight) * by;
    else
        changed = flat_weight + matrix * by;
    return gpu::reshape(changed, weight.shape());
}

Tensor lora_bias(const LoraModule& module, const Tensor& bias, double strength, LoraSlice slice) {
    const Tensor by = gpu::tensor({static_cast<float>(strength)});
    const auto rows = [&](const char* name) { return sliced(gpu::reshape(part(module, name), {module.parts.at(name).entry.shape.at(0)}), slice); };
    Tensor changed = bias;
    if (module.has("set_b")) changed = changed + (rows("set_b") - changed) * by;
    for (const char* added : {"diff_b", "b_norm"})
        if (module.has(added)) changed = changed + rows(added) * by;
    return changed;
}

}  // namespace nodes
