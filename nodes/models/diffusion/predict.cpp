#include "nodes/models/diffusion/predict.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "gpu/base/error.h"
#include "gpu/nn/timestep.h"
#include "gpu/ops.h"
#include "nodes/models/diffusion/attention_record.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;
using gpu::Tensors;

constexpr std::int64_t feather = 8;              // cells over which an area fades in, at most a quarter of its side
constexpr std::int64_t longest_repeat = 4;       // contexts are repeated at most so often to go in one batch

// A part of the latent, in cells.
struct Cells {
    std::int64_t top = 0, left = 0, height = 0, width = 0;
    friend bool operator==(const Cells&, const Cells&) = default;
};

// One entry of one conditioning.
struct Job {
    const ConditioningEntry* entry = nullptr;
    std::size_t list = 0;
    Cells cells;
    bool heard = false;                          // is listened to
    Tensor output{};                             // [N, C, cells]
};

bool applies(const ConditioningEntry& entry, const StepInfo& at) {
    return entry.start <= at.progress && (at.progress < entry.end || entry.end >= 1);
}

Cells cells_of(const ConditioningEntry& entry, const Tensor& x, int factor) {
    const std::int64_t h = x.size(2), w = x.size(3);
    if (!entry.area) return {0, 0, h, w};
    const Area& area = *entry.area;
    const auto along = [&](double at, double length, std::int64_t cells) {
        const double unit = area.relative ? static_cast<double>(cells) : 1.0 / factor;
        const auto from = std::clamp<std::int64_t>(std::llrint(at * unit), 0, cells - 1);
        return std::pair(from, std::clamp<std::int64_t>(std::llrint(length * unit), 1, cells - from));
    };
    const auto [top, height] = along(area.y, area.height, h);
    const auto [left, width] = along(area.x, area.width, w);
    return {top, left, height, width};
}

Tensor crop(const Tensor& x, const Cells& cells) {
    return gpu::slice(gpu::slice(x, 2, cells.top, cells.top + cells.height), 3, cells.left, cells.left + cells.width);
}

// Weights that rise over the first cells of an area, on sides that are not the picture's.
Tensor fading(const Cells& cells, std::int64_t h, std::int64_t w) {
    const auto along = [](std::int64_t from, std::int64_t length, std::int64_t whole) {
        std::vector<float> weights(static_cast<std::size_t>(length), 1.0f);
        const std::int64_t reach = std::min(feather, length / 4);
        for (std::int64_t i = 0; i < reach; ++i) {
            const float rise = static_cast<float>(i + 1) / static_cast<float>(reach);
            if (from > 0) weights[static_cast<std::size_t>(i)] *= rise;
            if (from + length < whole) weights[static_cast<std::size_t>(length - 1 - i)] *= rise;
        }
        return weights;
    };
    return gpu::tensor(along(cells.top, cells.height, h), {1, 1, cells.height, 1}) * gpu::tensor(along(cells.left, cells.width, w), {1, 1, 1, cells.width});
}

// The weight of each cell of the job's part: strength, mask, fading borders.
Tensor weight_of(const Job& job, std::int64_t h, std::int64_t w) {
    const ConditioningEntry& entry = *job.entry;
    if (entry.mask) {
        const Tensor mask = entry.mask.size(2) == h && entry.mask.size(3) == w ? entry.mask : gpu::resize(entry.mask, h, w, gpu::Filter::Bilinear, false);
        return crop(mask, job.cells) * entry.strength;
    }
    return fading(job.cells, h, w) * entry.strength;
}

// [rows of x, ...] from [1 or rows, ...].
Tensor for_rows(const Tensor& given, std::int64_t rows, const char* what) {
    check(given.size(0) == 1 || given.size(0) == rows, ErrorCode::InvalidGraph, "predict: expected {} for 1 or {} pictures, got {}", what, rows, given.size(0));
    gpu::Shape shape = given.shape();
    shape[0] = rows;
    return gpu::broadcast_to(given, shape);
}

// Jobs that may share a call: equal parts, equal patches, contexts that repetition brings to one length. Token patches add to a
// context or replace rows of it, which repetition would undo.
std::vector<std::vector<Job*>> groups_of(std::vector<Job>& jobs, const Patches& patches) {
    const bool fixed = !of_kind<TokenPatch>(patches).empty();
    std::vector<std::vector<Job*>> groups;
    for (Job& job : jobs) {
        const auto fits = [&](const std::vector<Job*>& group) {
            const Job& first = *group.front();
            std::int64_t common = job.entry->context.size(1), shortest = common;
            for (const Job* other : group) {
                const std::int64_t length = other->entry->context.size(1);
                common = std::lcm(common, length);
                shortest = std::min(shortest, length);
            }
            return first.cells.height == job.cells.height && first.cells.width == job.cells.width && first.entry->patches == job.entry->patches &&
                   common <= (fixed || !of_kind<TokenPatch>(job.entry->patches).empty() ? 1 : longest_repeat) * shortest;
        };
        const auto at = std::ranges::find_if(groups, fits);
        at == groups.end() ? groups.push_back({&job}) : at->push_back(&job);
    }
    return groups;
}

void call_network(const Model& model, const std::vector<Job*>& group, const Tensor& x, const PredictOptions& options) {
    const ModelInfo& info = model.info();
    const std::int64_t n = x.size(0), rows = n * static_cast<std::int64_t>(group.size());
    std::int64_t length = 1;
    for (const Job* job : group) length = std::lcm(length, job->entry->context.size(1));
    Tensors latents, contexts, pooled, sizes;
    DenoiserInput call;
    for (const Job* job : group) {
        const ConditioningEntry& entry = *job->entry;
        latents.push_back(crop(x, job->cells));
        // Attention to every token k times is attention to it once.
        const std::int64_t times = length / entry.context.size(1);
        contexts.push_back(for_rows(times == 1 ? entry.context : gpu::repeat(entry.context, {1, times, 1}), n, "a context"));
        if (info.pooled_width > 0) {
            check(!entry.pooled || entry.pooled.size(1) == info.pooled_width, ErrorCode::InvalidGraph,
                  "predict: expected pooled text of {} numbers for this model, got {}", info.pooled_width, entry.pooled ? entry.pooled.size(1) : 0);
            pooled.push_back(for_rows(entry.pooled ? entry.pooled : gpu::zeros({1, info.pooled_width}), n, "pooled text"));
        }
        if (info.size_ids > 0)
            sizes.push_back(for_rows(size_numbers(entry.size, info.size_ids, static_cast<double>(x.size(2) * info.latent.factor),
                                                  static_cast<double>(x.size(3) * info.latent.factor)), n, "sizes"));
        call.negative.insert(call.negative.end(), static_cast<std::size_t>(n), job->list == options.negative);
        call.blind.insert(call.blind.end(), static_cast<std::size_t>(n), entry.blind);
        if (job->cells.height != x.size(2) || job->cells.width != x.size(3))
            call.regions.insert(call.regions.end(), static_cast<std::size_t>(n), Region{job->cells.top, job->cells.left, x.size(2), x.size(3)});
    }
    const auto joined = [](const Tensors& parts) { return parts.empty() ? Tensor() : parts.size() == 1 ? parts[0] : gpu::concat(parts, 0); };
    call.latent = joined(latents);                                                     // [rows, C, h, w]
    call.timestep = gpu::full({rows}, options.at.level.timestep);
    call.context = joined(contexts);                                                   // [rows, L, D]
    call.pooled = joined(pooled);
    call.size_ids = joined(sizes);
    if (info.guidance_width > 0)
        call.guidance = gpu::broadcast_to(guidance_embedding(options.scale, info.guidance_width), {rows, info.guidance_width});
    call.at = options.at;
    std::optional<AttentionWatch> watch;
    Cells place;
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (!group[i]->heard) continue;
        const std::int64_t tokens = group[i]->entry->context.size(1);
        place = group[i]->cells;
        watch.emplace(*options.heard->record, AttentionWatch::Rows{.first = static_cast<std::int64_t>(i) * n, .count = n, .tokens = tokens, .repeats = length / tokens,
                                                                   .height = place.height, .width = place.width});
    }
    const Tensor output = (*model.denoiser(group.front()->entry->patches))(call);
    if (watch)
        if (const Tensor maps = watch->maps())
            options.heard->maps = gpu::pad(maps, {0, 0, place.top, place.left}, {0, 0, x.size(2) - place.top - place.height, x.size(3) - place.left - place.width});
    watch.reset();
    for (std::size_t i = 0; i < group.size(); ++i)
        group[i]->output = group.size() == 1 ? output : gpu::slice(output, 0, static_cast<std::int64_t>(i) * n, static_cast<std::int64_t>(i + 1) * n);
}

// The average of a conditioning's predictions.
Tensor merged(const std::vector<const Job*>& jobs, const Tensor& x) {
    const std::int64_t h = x.size(2), w = x.size(3);
    if (jobs.empty()) return gpu::zeros(x.shape());
    const Cells whole{0, 0, h, w};
    if (jobs.size() == 1 && jobs[0]->cells == whole && !jobs[0]->entry->mask) return jobs[0]->output;
    Tensor sum, weights;
    for (const Job* job : jobs) {
        const Cells& c = job->cells;
        const auto placed = [&](const Tensor& part) {
            return c == whole ? part : gpu::pad(part, {0, 0, c.top, c.left}, {0, 0, h - c.top - c.height, w - c.left - c.width});
        };
        const Tensor weight = weight_of(*job, h, w), weighted = placed(job->output * weight), counted = placed(weight);
        sum = sum ? sum + weighted : weighted;
        weights = weights ? weights + counted : counted;
    }
    return sum / gpu::maximum(weights, 1e-30);      // cells that nothing covers stay 0
}

}  // namespace

Tensor size_numbers(const SizeCondition& size, int count, double height, double width) {
    const auto or_whole = [](double given, double whole) { return static_cast<float>(given > 0 ? given : whole); };
    std::vector<float> numbers{or_whole(size.height, height), or_whole(size.width, width), static_cast<float>(size.top), static_cast<float>(size.left)};
    if (count == 5) {
        numbers.push_back(static_cast<float>(size.aesthetic));
    } else {
        numbers.push_back(or_whole(size.target_height, height));
        numbers.push_back(or_whole(size.target_width, width));
    }
    return gpu::tensor(numbers, {1, count});
}

Tensor guidance_embedding(double scale, int width) {
    return gpu::nn::timestep_embedding(gpu::full({1}, (scale - 1) * 1000), width, {.cosine_first = false, .shift = 1});
}

Tensors predict(const Model& model, const std::vector<const Conditioning*>& conditionings, const Tensor& x, const PredictOptions& options) {
    const ModelInfo& info = model.info();
    std::vector<Job> jobs;
    for (std::size_t list = 0; list < conditionings.size(); ++list) {
        check(!conditionings[list]->entries.empty(), ErrorCode::InvalidGraph, "predict: expected a conditioning with entries, got none");
        for (const ConditioningEntry& entry : conditionings[list]->entries) {
            check(entry.context && entry.context.rank() == 3 && entry.context.size(2) == info.context_width, ErrorCode::InvalidGraph,
                  "predict: expected a conditioning [.., L, {}] for this {} model, got {}: was it made by another family's text encoder?",
                  info.context_width, info.family, entry.context ? gpu::to_string(entry.context.shape()) : "none");
            if (applies(entry, options.at) && entry.strength != 0) jobs.push_back({&entry, list, cells_of(entry, x, info.latent.factor), options.heard && list == 0 && &entry == &conditionings[0]->entries.front()});
        }
    }
    for (const std::vector<Job*>& group : groups_of(jobs, model.patches())) call_network(model, group, x, options);
    Tensors outputs;
    for (std::size_t list = 0; list < conditionings.size(); ++list) {
        std::vector<const Job*> own;
        for (const Job& job : jobs)
            if (job.list == list) own.push_back(&job);
        outputs.push_back(merged(own, x));
    }
    return outputs;
}

}  // namespace nodes
