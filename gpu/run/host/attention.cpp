// Attention by online softmax: a thread takes a block of queries of one head and walks over tiles of keys, so that scores
// never leave its cache.   Rabe & Staats, arXiv:2112.05682; Dao et al., arXiv:2205.14135
#include <algorithm>
#include <array>
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

// Queries that share one packing of the keys: many, unless threads would wait or the sums would leave the cache.
std::int64_t block_queries(const AttentionProblem& p, std::int64_t sum_row) {
    const std::int64_t fit = std::clamp<std::int64_t>((std::int64_t{1} << 16) / std::max<std::int64_t>(sum_row, 1), 64, 512);
    const std::int64_t blocks_wanted = (4 * parallel_threads() + p.batch * p.heads - 1) / (p.batch * p.heads);
    const std::int64_t fair = (p.queries + blocks_wanted - 1) / blocks_wanted;
    return std::clamp((fair + tile_queries - 1) / tile_queries * tile_queries, tile_queries, fit / tile_queries * tile_queries);
}

// The running state of a block of queries: m, l and (with values) the unnormalised sums.
class Block {
public:
    Block(const AttentionProblem& problem, std::int64_t queries)
        : p_(problem), sum_row_(whole_vectors(problem.value_size)), values_(std::make_unique_for_overwrite<float[]>(
              static_cast<std::size_t>(queries * (p_.size + sum_row_ + 2) + attention_tile_keys * (p_.size + sum_row_ + tile_queries)))) {
        float* at = values_.get();
        const auto take = [&](std::int64_t count) { return std::exchange(at, at + count); };
        k_columns_ = take(attention_tile_keys * p_.size);
        v_rows_ = take(attention_tile_keys * sum_row_);
        scores_ = take(attention_tile_keys * tile_queries);
        sums_ = take(queries * sum_row_);
        q_ = take(queries * p_.size);
        most_ = take(queries);
        total_ = take(queries);
    }

    void run(std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t count) {
        AttentionProblem::pack_rows(p_.q, b, h, first, count, p_.scale, q_, p_.size);
        std::fill(most_, most_ + count, -INFINITY);
        std::fill(total_, total_ + count, 0.0f);
        std::fill(sums_, sums_ + count * sum_row_, 0.0f);
        const auto [begin, end] = p_.visible(first, first + count);
        const std::int64_t kv_head = h / p_.group();
        for (std::int64_t key = begin; key < end; key += attention_tile_keys) {
            const std::int64_t keys = std::min(attention_tile_keys, end - key);
            AttentionProblem::pack_columns(p_.k, b, kv_head, key, keys, k_columns_);
            if (sum_row_ > 0) AttentionProblem::pack_rows(p_.v, b, kv_head, key, keys, 1, v_rows_, sum_row_);
            for (std::int64_t row = 0; row < count; row += tile_queries) {
                const std::int64_t rows = std::min(tile_queries, count - row);
                const auto [from, to] = p_.visible(first + row, first + row + rows);
                if (from < key + keys && to > key) tile(b, h, first, row, rows, key, keys);
            }
        }
    }

    float* sums(std::int64_t row) { return sums_ + row * sum_row_; }
    // exp(score - log_sum) is a probability; no key is seen where `seen` is false.
    bool seen(std::int64_t row) const { return total_[row] > 0; }
    float total(std::int64_t row) const { return total_[row]; }
    float log_sum(std::int64_t row) const { return most_[row] + std::log(total_[row]); }

private:
    void tile(std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t row, std::int64_t rows, std::int64_t key, std::int64_t keys) {
        const TileKernels& kernels = tile_kernels();
        const VectorKernels& vectors = vector_kernels();
        const std::int64_t whole = whole_vectors(keys);
        p_.scores(b, h, first + row, rows, key, keys, q_ + row * p_.size, p_.size, k_columns_, scores_);
        for (std::int64_t r = 0; r < rows; ++r) {
            float* s = scores_ + r * attention_tile_keys;
            float &most = most_[row + r], &total = total_[row + r];
            const float high = vectors.maximum(most, s, static_cast<std::size_t>(whole));
            if (high <= attention_hidden / 2) {   // nothing seen so far
                std::fill(s, s + whole, 0.0f);
                continue;
            }
            if (high > most) {
                const float shrink = std::exp(most - high);
                if (total > 0) kernels.scale(sums(row + r), shrink, sum_row_);
                total *= shrink;
                most = high;
            }
            const float* in[]{s, &most};
            total = vectors.exp_of_difference_sum(total, in, s, static_cast<std::size_t>(whole));
        }
        if (sum_row_ > 0)
            kernels.product({.rows = rows, .columns = sum_row_, .terms = keys, .a = scores_, .a_row = attention_tile_keys, .b = v_rows_,
                             .b_term = sum_row_, .c = sums(row), .c_row = sum_row_, .accumulate = true});
    }

    const AttentionProblem& p_;
    std::int64_t sum_row_;
    std::unique_ptr<float[]> values_;
    float *k_columns_, *v_rows_, *scores_, *sums_, *q_, *most_, *total_;
};

// write(block, b, h, query, row of the block) for every query.
template <typename Write>
void for_each_query(const AttentionProblem& p, const Write& write) {
    if (p.batch * p.heads == 0 || p.queries == 0) return;
    const std::int64_t step = block_queries(p, whole_vectors(p.value_size)), blocks = (p.queries + step - 1) / step;
    std::vector<std::unique_ptr<Block>> state;   // one a thread
    for (int i = 0; i < parallel_threads(); ++i) state.push_back(std::make_unique<Block>(p, step));
    parallel_for(p.batch * p.heads * blocks, [&](std::int64_t item, int thread) {
        const std::int64_t first = item % blocks * step, h = item / blocks % p.heads, b = item / blocks / p.heads;
        const std::int64_t count = std::min(step, p.queries - first);
        state[thread]->run(b, h, first, count);
        for (std::int64_t row = 0; row < count; ++row) write(*state[thread], b, h, first + row, row);
    });
}

void attention_f32(const HostCall& call) {
    const AttentionProblem p(call, true, call.in.size() > 3, 3);
    apply_post_ops(call, {}, nullptr, 0);   // complains here about one it does not know, not in a thread
    const HostOperand& out = call.out;
    for_each_query(p, [&](Block& block, std::int64_t b, std::int64_t h, std::int64_t query, std::int64_t row) {
        float* to = reinterpret_cast<float*>(out.data) + b * out.strides[0] + h * out.strides[1] + query * out.strides[2];
        const float factor = block.seen(row) ? 1 / block.total(row) : 0;
        const float* sums = block.sums(row);
        for (std::int64_t i = 0; i < p.value_size; ++i) to[i] = sums[i] * factor;
        if (!call.post_ops.empty()) apply_post_ops(call, std::array<std::int64_t, 4>{b, h, query, 0}, to, p.value_size);
    });
}

void attention_lse_f32(const HostCall& call) {
    const AttentionProblem p(call, false, call.in.size() > 2, 2);
    apply_post_ops(call, {}, nullptr, 0);
    const HostOperand& out = call.out;
    for_each_query(p, [&](Block& block, std::int64_t b, std::int64_t h, std::int64_t query, std::int64_t row) {
        float* to = reinterpret_cast<float*>(out.data) + b * out.strides[0] + h * out.strides[1] + query * out.strides[2];
        *to = block.seen(row) ? block.log_sum(row) : -attention_hidden;
        if (!call.post_ops.empty()) apply_post_ops(call, std::array<std::int64_t, 3>{b, h, query}, to, 1);
    });
}

// Other types are converted some pictures, or heads, at a time.
std::vector<HostSplit> splits(const HostCall& call, std::size_t bias_at) {
    const bool shared = call.in[1].shape[1] != call.in[0].shape[1];
    std::vector<HostSplit> result;
    for (const int axis : {0, 1}) {
        if (axis == 1 && shared) break;
        HostSplit split{axis, std::vector<int>(call.in.size(), axis)};
        if (call.in.size() > bias_at && call.in[bias_at].shape[axis] == 1) split.in[bias_at] = -1;
        result.push_back(split);
    }
    return result;
}

}  // namespace

void host_attention(const HostCall& call);
void host_attention(const HostCall& call) {
    is_f32(call) ? attention_f32(call) : run_widened(call, attention_f32, splits(call, 3));
}

void host_attention_lse(const HostCall& call);
void host_attention_lse(const HostCall& call) {
    is_f32(call) ? attention_lse_f32(call) : run_widened(call, attention_lse_f32, splits(call, 2));
}

}  // namespace gpu
