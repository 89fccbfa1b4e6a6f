// The cotangents of queries, keys and values. A thread takes one head's keys (or a share of them) and walks over tiles of
// keys and, inside, of queries: dK and dV of a tile of keys stay in its cache, dQ is summed in scratch.
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "gpu/graph/vector_kernels.h"
#include "gpu/run/host/attention.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host/post_ops.h"
#include "gpu/run/host/widen.h"

namespace gpu {
namespace {

constexpr std::int64_t tile_queries = 32;

struct Gradient {
    explicit Gradient(const HostCall& call)
        : p(call, true, call.in.size() > 6, 6), dy(call.in[3]), lse(reinterpret_cast<const float*>(call.in[4].data)),
          delta(reinterpret_cast<const float*>(call.in[5].data)), dq(reinterpret_cast<float*>(call.out.data)) {
        dk = dq + p.batch * p.queries * p.heads * p.size;
        dv = dk + p.batch * p.keys * p.kv_heads * p.size;
        row = whole_vectors(p.size);
        value_row = whole_vectors(p.value_size);
        const std::int64_t tiles = (p.keys + attention_tile_keys - 1) / attention_tile_keys, kv = p.batch * p.kv_heads;
        shares = kv == 0 ? 0 : std::clamp<std::int64_t>(2 * parallel_threads() / kv, 1, std::max<std::int64_t>(tiles, 1));
    }

    AttentionProblem p;
    HostOperand dy;
    const float *lse, *delta;
    float *dq, *dk, *dv;
    std::int64_t row, value_row;   // floats of a padded row of D or Dv
    std::int64_t shares;           // parts that one head's keys are dealt to
};

// A thread's tiles.
class Worker {
public:
    explicit Worker(const Gradient& gradient)
        : g_(gradient), p_(gradient.p), values_(std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(
              attention_tile_keys * (p_.size + p_.value_size + 2 * g_.row + g_.value_row + 2 * tile_queries) +
              tile_queries * (g_.row + g_.value_row)))) {
        float* at = values_.get();
        const auto take = [&](std::int64_t count) { return std::exchange(at, at + count); };
        k_columns_ = take(attention_tile_keys * p_.size);
        v_columns_ = take(attention_tile_keys * p_.value_size);
        k_rows_ = take(attention_tile_keys * g_.row);
        dk_ = take(attention_tile_keys * g_.row);
        dv_ = take(attention_tile_keys * g_.value_row);
        weights_ = take(attention_tile_keys * tile_queries);
        ds_ = take(attention_tile_keys * tile_queries);
        q_ = take(tile_queries * g_.row);
        dy_ = take(tile_queries * g_.value_row);
    }

    // `dq`: sums for all queries of the group's heads, [group, Q, row].
    void run(std::int64_t b, std::int64_t kv_head, std::int64_t share, float* dq) {
        std::fill(dq, dq + p_.group() * p_.queries * g_.row, 0.0f);
        for (std::int64_t key = share * attention_tile_keys; key < p_.keys; key += g_.shares * attention_tile_keys) {
            const std::int64_t keys = std::min(attention_tile_keys, p_.keys - key);
            AttentionProblem::pack_columns(p_.k, b, kv_head, key, keys, k_columns_);
            AttentionProblem::pack_columns(p_.v, b, kv_head, key, keys, v_columns_);
            AttentionProblem::pack_rows(p_.k, b, kv_head, key, keys, p_.scale, k_rows_, g_.row);
            std::fill(dk_, dk_ + keys * g_.row, 0.0f);
            std::fill(dv_, dv_ + keys * g_.value_row, 0.0f);
            for (std::int64_t member = 0; member < p_.group(); ++member)
                for (std::int64_t query = 0; query < p_.queries; query += tile_queries) {
                    const std::int64_t rows = std::min(tile_queries, p_.queries - query);
                    const auto [from, to] = p_.visible(query, query + rows);
                    if (from < key + keys && to > key)
                        tile(b, kv_head * p_.group() + member, query, rows, key, keys, dq + (member * p_.queries + query) * g_.row);
                }
            for (std::int64_t j = 0; j < keys; ++j) {
                const std::int64_t at = (b * p_.keys + key + j) * p_.kv_heads + kv_head;
                std::copy_n(dk_ + j * g_.row, p_.size, g_.dk + at * p_.size);
                std::copy_n(dv_ + j * g_.value_row, p_.value_size, g_.dv + at * p_.value_size);
            }
        }
    }

private:
    void tile(std::int64_t b, std::int64_t h, std::int64_t query, std::int64_t rows, std::int64_t key, std::int64_t keys, float* dq) {
        const TileKernels& kernels = tile_kernels();
        const std::int64_t whole = whole_vectors(keys);
        AttentionProblem::pack_rows(p_.q, b, h, query, rows, p_.scale, q_, g_.row);
        AttentionProblem::pack_rows(g_.dy, b, h, query, rows, 1, dy_, g_.value_row);
        p_.scores(b, h, query, rows, key, keys, q_, g_.row, k_columns_, weights_);
        kernels.product({.rows = rows, .columns = whole, .terms = p_.value_size, .a = dy_, .a_row = g_.value_row, .b = v_columns_,
                         .b_term = attention_tile_keys, .c = ds_, .c_row = attention_tile_keys});
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t at = (b * p_.heads + h) * p_.queries + query + r;
            float *weights = weights_ + r * attention_tile_keys, *ds = ds_ + r * attention_tile_keys;
            const float* in[]{weights, &g_.lse[at]};
            vector_kernels().exp_of_difference(in, weights, static_cast<std::size_t>(whole));      // P
            kernels.softmax_grad(ds, weights, g_.delta[at], whole);      // dS without the scale
        }
        // q_ and k_rows_ carry the scale.
        kernels.product({.rows = rows, .columns = g_.row, .terms = keys, .a = ds_, .a_row = attention_tile_keys, .b = k_rows_,
                         .b_term = g_.row, .c = dq, .c_row = g_.row, .accumulate = true});
        kernels.product({.rows = keys, .columns = g_.row, .terms = rows, .a = ds_, .a_row = 1, .a_term = attention_tile_keys, .b = q_,
                         .b_term = g_.row, .c = dk_, .c_row = g_.row, .accumulate = true});
        kernels.product({.rows = keys, .columns = g_.value_row, .terms = rows, .a = weights_, .a_row = 1, .a_term = attention_tile_keys,
                         .b = dy_, .b_term = g_.value_row, .c = dv_, .c_row = g_.value_row, .accumulate = true});
    }

    const Gradient& g_;
    const AttentionProblem& p_;
    std::unique_ptr<float[]> values_;
    float *k_columns_, *v_columns_, *k_rows_, *dk_, *dv_, *weights_, *ds_, *q_, *dy_;
};

void attention_grad_f32(const HostCall& call) {
    const Gradient g(call);
    const AttentionProblem& p = g.p;
    apply_post_ops(call, {}, nullptr, 0);   // complains here about one it does not know
    const std::int64_t members = p.group(), dq_size = members * p.queries * g.row;
    // Sums of dQ: one buffer a thread, or one a share where several shares add up.
    const std::int64_t kv = p.batch * p.kv_heads, threads = parallel_threads(), buffers = g.shares > 1 ? kv * g.shares : threads;
    const auto dq_sums = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(buffers * dq_size));
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::int64_t i = 0; i < threads; ++i) workers.push_back(std::make_unique<Worker>(g));

    const auto write_dq = [&](std::int64_t b, std::int64_t kv_head, const float* sums, std::int64_t count) {
        for (std::int64_t member = 0; member < members; ++member)
            for (std::int64_t query = 0; query < p.queries; ++query) {
                float* to = g.dq + ((b * p.queries + query) * p.heads + kv_head * members + member) * p.size;
                const float* from = sums + (member * p.queries + query) * g.row;
                std::copy_n(from, p.size, to);
                for (std::int64_t share = 1; share < count; ++share)   // in this order whoever was first
                    for (std::int64_t i = 0; i < p.size; ++i) to[i] += from[share * dq_size + i];
            }
    };
    parallel_for(kv * g.shares, [&](std::int64_t item, int thread) {
        const std::int64_t share = item % g.shares, head = item / g.shares;
        float* sums = dq_sums.get() + (g.shares > 1 ? item : thread) * dq_size;
        workers[thread]->run(head / p.kv_heads, head % p.kv_heads, share, sums);
        if (g.shares == 1) write_dq(head / p.kv_heads, head % p.kv_heads, sums, 1);
    });
    for (std::int64_t head = 0; g.shares > 1 && head < kv; ++head)
        write_dq(head / p.kv_heads, head % p.kv_heads, dq_sums.get() + head * g.shares * dq_size, g.shares);
    if (!call.post_ops.empty()) {
        const std::int64_t first = 0;
        apply_post_ops(call, {&first, 1}, g.dq, call.out.shape[0]);
    }
}

}  // namespace

void host_attention_grad(const HostCall& call);
void host_attention_grad(const HostCall& call) {
    is_f32(call) ? attention_grad_f32(call) : run_widened(call, attention_grad_f32, {});
}

}  // namespace gpu
