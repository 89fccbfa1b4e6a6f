// y = softmax(scale q k^T + bias) v by online softmax: tile after tile of keys, never the whole matrix of scores.
// Rabe & Staats, arXiv:2112.05682; Dao et al., arXiv:2205.14135
#include "gpu/ops/attention.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/divide.h"
#include "gpu/base/error.h"
#include "gpu/graph/autodiff.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {

void AttentionAttrs::push_sizes(KernelBuilder& k, const Spec* v, const Spec* bias) const {
    const Shape &q = k.in_spec(0).shape, &keys = k.in_spec(1).shape;
    std::int64_t axes = 0;
    for (int axis = 0; bias && axis < 4; ++axis)
        if (bias->shape[axis] != 1) axes |= std::int64_t{1} << axis;
    k.push(q[2]).push(keys[2]).push_float(static_cast<float>(scale)).push(q[3] | (v ? v->shape[3] : 0) << 16);
    k.push(before).push(after).push(q[1] / keys[1] | axes << 16);
}

std::int64_t attention_columns(std::int64_t width, std::int64_t most) {
    const std::int64_t chunks = std::max<std::int64_t>(1, (width + 8 * most - 1) / (8 * most));
    const std::int64_t columns = ((width + chunks - 1) / chunks + 7) / 8;
    for (const std::int64_t count : {2, 5, 8, 10})
        if (columns <= count) return count;
    return most;
}

void check_attention(const Op& op, const Spec& q, const Spec& k, const Spec* v, const Spec* bias) {
    const Shape &a = q.shape, &b = k.shape;
    expect(op, a.size() == 4 && b.size() == 4 && a[0] == b[0] && a[3] == b[3] && b[1] > 0 && a[1] % b[1] == 0 && q.dtype == k.dtype &&
                   a[3] < 65536 && a[1] < 65536,
           "expected queries [B, H, Q, D] and keys [B, H or a divisor of it, K, D] of one type, got {} and {}", shown(q), shown(k));
    if (v)
        expect(op, v->shape.size() == 4 && v->shape[0] == b[0] && v->shape[1] == b[1] && v->shape[2] == b[2] && v->dtype == k.dtype && v->shape[3] < 65536,
               "expected values [{}, {}, {}, Dv] of the keys' type, got {}", b[0], b[1], b[2], shown(*v));
    if (!bias) return;
    const Shape full{a[0], a[1], a[2], b[2]};
    bool fits = bias->shape.size() == 4;
    for (std::size_t axis = 0; fits && axis < 4; ++axis) fits = bias->shape[axis] == full[axis] || bias->shape[axis] == 1;
    expect(op, fits, "expected a bias or mask that broadcasts to {}, got {}", shown(full), shown(*bias));
}

Tensor repeat_heads(const Tensor& x, std::int64_t heads) {
    const Shape& s = x.shape();
    if (s[1] == heads) return x;
    return reshape(broadcast_to(unsqueeze(x, {2}), {s[0], s[1], heads / s[1], s[2], s[3]}), {s[0], heads, s[2], s[3]});
}

Tensor attention_scores(const AttentionAttrs& attrs, const Tensor& q, const Tensor& k, const Tensor& bias) {
    const Tensor keys = repeat_heads(cast(k, Dtype::F32), q.size(1));
    Tensor s = matmul(cast(q, Dtype::F32), transpose(keys, 2, 3)) * attrs.scale;   // [B, H, Q, K]
    if (bias) s = s + maximum(cast(bias, Dtype::F32), attention_hidden_score);
    const Tensor ahead = reshape(arange(k.size(2)), {1, -1}) - reshape(arange(q.size(2)), {-1, 1});   // j - i
    const Tensor hidden = full_like(s, attention_hidden_score);
    const auto below = [&](const Tensor& x, std::int64_t limit) { return less_equal(x, full_like(x, static_cast<double>(limit))); };
    const auto spread = [&](const Tensor& x) { return broadcast_to(x, s.shape()); };
    if (attrs.before >= 0) s = where(spread(below(-ahead, attrs.before)), s, hidden);
    if (attrs.after >= 0) s = where(spread(below(ahead, attrs.after)), s, hidden);
    return s;
}

namespace {

// How shaders/attention_coop.comp cuts the work up.
struct CoopTiling {
    const char* name;
    std::int64_t subgroups, parts, keys;   // of a workgroup; matrices of queries a subgroup; keys of a step
    bool floats;                           // by shuffles, in floats: for the tests of processors, GPUs have too few registers

    std::int64_t queries() const { return subgroups * parts * 16; }
};
constexpr CoopTiling coop_tilings[] = {
    {"coop_128x32", 4, 2, 32, false}, {"coop_128x64", 8, 1, 64, false}, {"coop_64x64", 4, 1, 64, false}, {"coop_64x32", 4, 1, 32, false},
    {"subgroup", 2, 1, 32, true},
};
// Matrices that a subgroup keeps in registers, 8 each on 32 lanes: sums (of more RADV makes an array in memory), and queries
// where both are few.
constexpr std::int64_t most_sums = 8, most_held = 10;
constexpr std::int64_t enough = 96;            // workgroups: about one for each core of a large GPU
// shaders/attention_tile.comp: queries and keys of a tile, lanes of a workgroup and those side by side; columns of a lane at most (registers).
constexpr const char* tile_name = "tile_64x64";
constexpr std::int64_t tile_queries = 64, tile_lanes = 128, tile_across = 16, most_tile_columns = 16;

const CoopTiling* coop_tiling(const std::string& name) {
    for (const CoopTiling& tiling : coop_tilings)
        if (name == tiling.name) return &tiling;
    return nullptr;
}


std::int64_t tile_chunks(std::int64_t width) { return std::max<std::int64_t>(1, ceil_divide(width, tile_across * most_tile_columns)); }
std::int64_t tile_columns(std::int64_t width) { return std::max<std::int64_t>(1, ceil_divide(ceil_divide(width, tile_chunks(width)), tile_across)); }
// As the shader declares it.
std::int64_t tile_shared_bytes(std::int64_t width) {
    const std::int64_t columns = tile_columns(width), pitch = 17;
    return 16 * (std::max(2 * 16 * pitch, (columns > 10 ? 8 : 16) * (4 * columns + 1)) + tile_queries * pitch);
}

// What a tiling comes to for heads of `width` numbers and values of `value_width`.
struct CoopSizes {
    std::int64_t width = 0, values = 0, chunks = 0;   // matrices of a query, of a workgroup's columns; workgroups along columns
    bool held = false;                                // queries stay in registers

    CoopSizes(const CoopTiling& tiling, std::int64_t size, std::int64_t value_size) : width(ceil_divide(size, 16)) {
        const std::int64_t all = ceil_divide(value_size, 16);
        chunks = ceil_divide(all, most_sums / tiling.parts);
        values = ceil_divide(all, chunks);
        held = tiling.parts * (width + values) <= most_held;
    }
    // As the shader declares it.
    std::int64_t shared_bytes(const CoopTiling& t) const {
        const std::int64_t pack = t.floats ? 4 : 8, tile_pitch = t.keys / pack + 1;
        const std::int64_t pitch = width * 16 / pack + 1, words = t.keys * pitch + values * 16 * tile_pitch + t.queries() * (t.keys / 4 + 1);
        return (words + (held ? 1 : t.queries() * pitch)) * 16 + t.queries() * 4;
    }
};

struct Attention final : Op {
    explicit Attention(const AttentionAttrs& a) : a(a) {}
    const AttentionAttrs a;

    std::string_view name() const override { return "attention"; }
    Attrs attrs() const override { return a.attrs(); }

    Spec infer(const Specs& in) const override {
        check_attention(*this, in[0], in[1], &in[2], in.size() > 3 ? &in[3] : nullptr);
        return {{in[0].shape[0], in[0].shape[1], in[0].shape[2], in[2].shape[3]}, in[0].dtype};
    }

    // Cooperative matrices of halves where the device has them and a head's numbers fit a subgroup's registers, else tiles of floats.
    std::vector<std::string> variants(const Specs& in, const DeviceTraits& traits) const override {
        std::vector<std::string> names{"simple"};
        const Shape &q = in[0].shape, &v = in[2].shape;
        if (element_count(q) == 0 || element_count(v) == 0) return names;
        const std::int64_t subgroup = traits.coop_subgroup;
        const bool known = traits.subgroup_shuffle && subgroup >= 4 && subgroup <= 64 && (subgroup & (subgroup - 1)) == 0;
        std::int64_t most = 0;   // workgroups of the default
        std::string best = names[0];
        if (traits.max_lanes >= tile_lanes && traits.max_shared_bytes >= tile_shared_bytes(v[3])) {
            names.emplace_back(tile_name);
            if (!traits.software && q[2] > tile_queries / 2) best = tile_name;
        }
        for (const CoopTiling& tiling : coop_tilings) {
            const CoopSizes sizes(tiling, q[3], v[3]);
            if (!known || tiling.floats > traits.software || sizes.shared_bytes(tiling) > traits.max_shared_bytes) continue;
            if (tiling.subgroups * subgroup > traits.max_lanes) continue;
            if (!tiling.floats && !(traits.cooperative_matrix && in[0].dtype == Dtype::F16)) continue;
            names.emplace_back(tiling.name);
            const std::int64_t groups = ceil_divide(q[2], tiling.queries()) * sizes.chunks * q[1] * q[0];
            if (tiling.floats || most >= enough || groups <= most) continue;
            most = groups;
            best = tiling.name;
        }
        std::iter_swap(names.begin(), std::find(names.begin(), names.end(), best));
        return names;
    }

    void lower_coop(KernelBuilder& k, const CoopTiling& tiling) const {
        const Shape &q = k.in_spec(0).shape, &v = k.in_spec(2).shape;
        const CoopSizes sizes(tiling, q[3], v[3]);
        const std::int64_t subgroup = k.traits().coop_subgroup;
        const bool checked = v[2] % tiling.keys != 0 || a.before >= 0 || a.after >= 0 || k.input_count() > 3;
        k.shader("attention_coop").with_vectors().subgroups_of(k.traits().coop_subgroup);
        k.constant(tiling.subgroups * subgroup).constant(subgroup).constant(tiling.keys).constant(tiling.parts);
        k.constant(sizes.width).constant(sizes.values).constant(checked).constant(q[3] % 16 != 0).constant(sizes.held);
        if (tiling.floats) k.define("COOP_SUBGROUP=" + std::to_string(subgroup));
        k.groups(ceil_divide(q[2], tiling.queries()) * sizes.chunks, q[1], q[0]);
    }

    // How often a workgroup, or all that share a head, load an element of each input.
    struct Loads {
        double queries = 1, keys = 1, values = 1;
    };
    static Loads loads_of(const KernelBuilder& k) {
        const Shape &q = k.in_spec(0).shape, &keys = k.in_spec(1).shape, &v = k.in_spec(2).shape;
        const double shared = static_cast<double>(q[1]) / static_cast<double>(std::max<std::int64_t>(keys[1], 1));   // heads of queries to one of keys
        // Of a workgroup: queries, and keys after which its queries are loaded again; workgroups along columns.
        std::int64_t queries = 32, step = 32, chunks = ceil_divide(v[3], 8 * attention_columns(v[3], 16));
        if (const CoopTiling* tiling = coop_tiling(k.variant())) {
            queries = tiling->queries();
            step = std::max<std::int64_t>(keys[2], 1);
            chunks = CoopSizes(*tiling, q[3], v[3]).chunks;
        } else if (k.variant() == tile_name) {
            queries = step = tile_queries;
            chunks = tile_chunks(v[3]);
        }
        const auto columns = static_cast<double>(chunks);
        const double blocks = shared * static_cast<double>(ceil_divide(q[2], queries));
        return {columns * static_cast<double>(ceil_divide(keys[2], step)), blocks * columns, blocks};
    }

    void lower(KernelBuilder& k) const override {
        const bool biased = k.input_count() > 3;
        const Shape &q = k.in_spec(0).shape, &out = k.out_spec().shape;
        const std::int64_t keys = k.in_spec(1).shape[2], width = out[3];
        if (const CoopTiling* tiling = coop_tiling(k.variant())) {
            lower_coop(k, *tiling);
        } else if (k.variant() == tile_name) {
            const bool checked = keys % tile_queries != 0 || a.before >= 0 || a.after >= 0 || biased;
            if (k.traits().software) k.define("SHORT_CODE");
            k.shader("attention_tile").with_vectors().constant(tile_columns(width)).constant(checked);
            k.groups(ceil_divide(q[2], tile_queries) * tile_chunks(width), q[1], q[0]);
        } else {
            // A workgroup computes 32 queries and up to 128 columns; each of its 8 x 8 invocations 4 x `columns`.
            const std::int64_t columns = attention_columns(width, 16);
            k.shader("attention").constant(columns);
            k.groups((q[2] + 31) / 32 * ((width + 8 * columns - 1) / (8 * columns)), q[1], q[0]);
        }
        const Loads loads = loads_of(k);
        k.in(0, {}).with_prologue(loads.queries).in(1, {}).with_prologue(loads.keys).in(2, {}).with_prologue(loads.values);
        k.out({0, 2, 1, 3}).with_epilogue();
        k.host("attention", a.host_params()).host_any_float().host_in(0, {}).host_in(1, {}).host_in(2, {});
        if (biased) k.define("HAS_BIAS").in(3, row_major(4)).host_in(3, {});
        a.push_sizes(k, &k.in_spec(2), biased ? &k.in_spec(3) : nullptr);
        k.flop(2.0 * static_cast<double>(q[0] * q[1] * q[2]) * static_cast<double>(keys * (q[3] + width)));
    }

    Tensor composite(const Tensors& in) const override {
        const Shape shape{in[0].size(0), in[0].size(1), in[0].size(2), in[2].size(3)};
        if (in[1].size(2) == 0) return zeros(shape, in[0].dtype());
        const Tensor s = attention_scores(a, in[0], in[1], in.size() > 3 ? in[3] : Tensor());
        const Tensor seen = cast(less(full_like(s, attention_hidden_score / 2), s), Dtype::F32);
        const Tensor p = exp(s - max(s, {3})) * seen;
        const Tensor y = matmul(p, repeat_heads(cast(in[2], Dtype::F32), shape[1])) / maximum(sum(p, {3}), 1e-30);
        return cast(y, in[0].dtype());
    }

    Tensors vjp(const Tensors& in, const Tensor& out, const Tensor& dy) const override {
        const Tensor bias = in.size() > 3 ? in[3] : Tensor();
        Tensors result;
        if (out.element_count() == 0 || in[1].element_count() == 0) {
            for (const Tensor& x : in) result.push_back(zeros_like(x));
            return result;
        }
        const Tensor lse = attention_lse(a, in[0], in[1], bias);
        const Tensor delta = sum(cast(dy, Dtype::F32) * cast(out, Dtype::F32), {3}, false);
        result = attention_grad(a, in[0], in[1], in[2], dy, lse, delta, bias);
        if (bias) result.push_back(cotangents(composite(in), dy, {bias})[0]);   // costs the whole matrix, if it is wanted
        return result;
    }
};

}  // namespace

REGISTER_OP(attention, Attention)

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options, const Tensor& bias) {
    check(q.rank() == 4 && k.rank() == 4 && v.rank() == 4, ErrorCode::InvalidGraph,
          "attention: expected queries, keys and values [B, H, T, D], got {}, {} and {}", shown(q.spec()), shown(k.spec()),
          shown(v.spec()));
    if (q.size(3) == 0 && k.size(3) == 0)   // all scores are 0: so they are of one number that is 0
        return attention(zeros({q.size(0), q.size(1), q.size(2), 1}, q.dtype()), zeros({k.size(0), k.size(1), k.size(2), 1}, k.dtype()),
                         v, options, bias);
    AttentionAttrs attrs{.scale = options.scale};
    if (options.scale == 0) attrs.scale = 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(q.size(3), 1)));
    if (options.window >= 0) attrs.before = attrs.after = options.window;
    if (options.causal) attrs.after = 0;
    const auto for_batch = [&](const Tensor& x) {
        Shape shape = x.shape();
        if (shape[0] == 1) shape[0] = q.size(0);
        return broadcast_to(x, shape);
    };
    Tensors in{q, for_batch(k), for_batch(v)};
    if (bias) {
        check(bias.rank() <= 4, ErrorCode::InvalidGraph, "attention: expected a bias or mask of rank 4 at most, got {}", shown(bias.spec()));
        Shape shape = bias.shape();
        shape.insert(shape.begin(), 4 - shape.size(), 1);
        const Tensor x = reshape(bias, shape);
        in.push_back(bias.dtype() == Dtype::Bool ? where(x, zeros(shape), full(shape, attention_hidden_score)) : cast(x, Dtype::F32));
    }
    const Tensor y = apply_op<Attention>(in, attrs);
    return k.element_count() == 0 || v.element_count() == 0 ? zeros_like(y) : y;   // no keys: nothing is seen
}

}  // namespace gpu
