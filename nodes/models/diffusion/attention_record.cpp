#include "nodes/models/diffusion/attention_record.h"

#include <cmath>
#include <utility>

#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/ops.h"

namespace nodes {
namespace {

// A network is shared by threads, a call of it is one thread's.
thread_local AttentionWatch* watching = nullptr;

}  // namespace

Tensor token_maps(const AttentionSite& site, const Tensor& q, const Tensor& k, std::int64_t tokens, std::int64_t repeats, std::int64_t height, std::int64_t width) {
    gpu::check(k.size(2) >= tokens * repeats, gpu::ErrorCode::InvalidGraph, "attention maps: expected keys of {} tokens at {}, got {}", tokens * repeats, site.name, k.size(2));
    const gpu::Autocast as_written(gpu::Dtype::F32);      // scores of keys and queries of F16 may be beyond it
    const Tensor queries = gpu::cast(q, gpu::Dtype::F32), keys = gpu::cast(k, gpu::Dtype::F32);
    const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
    const Tensor scores = gpu::softmax(gpu::matmul(queries, gpu::transpose(keys, 2, 3)) * scale);                   // [N, H, T, K]
    Tensor mean = gpu::slice(gpu::mean(scores, {1}, false), 2, 0, tokens * repeats);                              // [N, T, L]
    if (repeats > 1) mean = gpu::sum(gpu::reshape(mean, {mean.size(0), mean.size(1), repeats, tokens}), {2}, false);
    const Tensor map = gpu::reshape(gpu::transpose(mean, 1, 2), {mean.size(0), tokens, site.rows, site.columns});
    return site.rows == height && site.columns == width ? map : gpu::resize(map, height, width, gpu::Filter::Bilinear, false);
}

std::string AttentionRecord::summary() const { return "records attention"; }

Tensor AttentionRecord::result(const AttentionSite& site, const AttentionCall& call, const Tensor& result) const {
    if (site.cross && watching && &watching->record_ == this) watching->take(site, call);
    return result;
}

const AttentionRecord* attention_record(const Patches& patches) {
    const AttentionRecord* last = nullptr;
    for (const PatchRef& patch : patches)
        if (const auto* record = dynamic_cast<const AttentionRecord*>(patch.get())) last = record;
    return last;
}

AttentionWatch::AttentionWatch(const AttentionRecord& record, Rows rows) : record_(record), rows_(rows), outer_(std::exchange(watching, this)) {}

AttentionWatch::~AttentionWatch() { watching = outer_; }

void AttentionWatch::take(const AttentionSite& site, const AttentionCall& call) {
    const auto smaller = std::llround(static_cast<double>(rows_.height) / static_cast<double>(site.rows));
    if (smaller < record_.settings_.finest || smaller > record_.settings_.coarsest) return;
    const auto own = [&](const Tensor& all) { return rows_.count == all.size(0) ? all : gpu::slice(all, 0, rows_.first, rows_.first + rows_.count); };
    const Tensor map = token_maps(site, own(call.q), own(call.k), rows_.tokens, rows_.repeats, rows_.height, rows_.width);
    sum_ = sum_ ? sum_ + map : map;
    ++layers_;
}

Tensor AttentionWatch::maps() const { return sum_ ? sum_ / static_cast<double>(layers_) : Tensor(); }

}  // namespace nodes
