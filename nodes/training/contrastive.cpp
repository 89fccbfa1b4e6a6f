#include "nodes/training/contrastive.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/clip/load.h"
#include "nodes/models/clip/tower.h"
#include "nodes/models/clip/vision.h"
#include "nodes/training/parameters.h"

namespace nodes {
namespace {

constexpr double highest_scale = 100;       // CLIP's bound for 1 / temperature
constexpr std::int64_t measured = 256;      // pictures

class ContrastiveObjective final : public Objective {
public:
    explicit ContrastiveObjective(ContrastiveTraining training) : t_(std::move(training)) {
        const Framing& f = t_.dataset.framing;
        gpu::check(t_.dataset.size() > 1, gpu::ErrorCode::InvalidGraph, "train CLIP: expected two pictures at least, got {}", t_.dataset.size());
        gpu::check(!t_.dataset.buckets, gpu::ErrorCode::InvalidGraph, "train CLIP: expected pictures of one size, got buckets");
        gpu::check(f.width == f.height && f.width % t_.vision.patch == 0, gpu::ErrorCode::InvalidGraph,
                   "train CLIP: expected square pictures of whole patches of {} pixels, got {} x {}", t_.vision.patch, f.width, f.height);
        gpu::check(t_.text.projection > 0 && t_.text.projection == t_.vision.projection, gpu::ErrorCode::InvalidGraph,
                   "train CLIP: expected projections of one width, got {} and {}", t_.text.projection, t_.vision.projection);
        t_.vision.image = f.width;
        t_.text.vocabulary = t_.tokenizer->size();
        t_.text.eos = t_.tokenizer->end();
    }

    std::vector<Parameter> parameters() const override {
        std::vector<Parameter> all = drawn_parameters(t_.seed, [&](const Scope& s) {
            ClipText(s, t_.text);
            ClipVision(s, t_.vision);
        });
        all.push_back({"logit_scale", gpu::tensor({static_cast<float>(std::log(1 / t_.temperature))}), {.decay = 0}});
        return all;
    }
    std::int64_t size() const override { return t_.dataset.size(); }

    gpu::Tensors batch(std::span<const Visit> visits, std::uint64_t seed) const override {
        std::vector<std::string> captions;
        for (const Visit& visit : visits) captions.push_back(t_.dataset.caption(visit.item));
        gpu::Tensors made = tokens(captions);
        made.insert(made.begin(), clip_pixels(t_.dataset.pictures(visits, seed), t_.vision.image));
        gpu::evaluate({made[0]});
        return made;
    }

    Tensor loss(const NamedTensors& parameters, const gpu::Tensors& batch) const override {
        const Scope scope = Scope::tensors(parameters);
        const Tensor pictures = seen(scope, batch[0]), texts = read(scope, batch[1], batch[2]);      // [B, P] each
        const Tensor scale = gpu::minimum(gpu::exp(parameters.find("logit_scale")->second), highest_scale);
        const Tensor logits = gpu::matmul(pictures, gpu::transpose(texts, 0, 1)) * scale;            // [B, B]
        const auto matched = [](const Tensor& x) { return gpu::mean(gpu::diagonal(x)); };
        return gpu::reshape((matched(gpu::log_softmax(logits, 1)) + matched(gpu::log_softmax(logits, 0))) * -0.5, {1});
    }

    Trained result(const NamedTensors& parameters) const override {
        NamedTensors text, vision;
        for (const auto& [name, value] : parameters)
            if (name != "logit_scale") (name.starts_with("text_") ? text : vision).emplace(name, value);
        const auto tower = make_clip_tower(weights_of(text), t_.tokenizer, {.hints = {.heads = t_.text.heads, .activation = t_.text.activation, .eos = t_.text.eos}});
        return Trained({Value::of<Encoder>(Encoder("pico", {{.tower = tower}})),
                        Value::of<Vision>(make_vision(weights_of(vision), {.heads = t_.vision.heads, .activation = t_.vision.activation}))});
    }

    // How often the picture's own caption is the nearest one among those of all the pictures that are looked at.
    std::vector<TrainMetric> metrics(const NamedTensors& parameters) const override {
        const Dataset& from = t_.validation && t_.validation->size() > 1 ? *t_.validation : t_.dataset;
        std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(measured, from.size())));
        std::vector<std::string> captions;
        for (std::size_t i = 0; i < indices.size(); ++i) {
            indices[i] = static_cast<std::int64_t>(i) * from.size() / static_cast<std::int64_t>(indices.size());
            captions.push_back(from.caption(indices[i]));
        }
        const Scope scope = Scope::tensors(parameters);
        const gpu::Tensors ids = tokens(captions);
        const Tensor nearness = gpu::matmul(seen(scope, clip_pixels(from.pictures(indices), t_.vision.image)), gpu::transpose(read(scope, ids[0], ids[1]), 0, 1));
        const std::vector<float> rows = gpu::to_floats(nearness);
        const std::size_t n = indices.size();
        std::size_t first = 0, fifth = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const auto row = std::span(rows).subspan(i * n, n);
            const auto better = std::count_if(row.begin(), row.end(), [&](float other) { return other > row[i]; });
            first += better < 1, fifth += better < 5;
        }
        return {{"top1", 100.0 * static_cast<double>(first) / static_cast<double>(n), "%"}, {"top5", 100.0 * static_cast<double>(fifth) / static_cast<double>(n), "%"}};
    }

    std::string summary() const override {
        return gpu::format("CLIP, text {} x {}, vision {} x {}, on {} pictures", t_.text.layers, t_.text.width, t_.vision.layers, t_.vision.width, t_.dataset.size());
    }

private:
    // Ids I32 [B, T] and the place of each text's end [B].
    gpu::Tensors tokens(const std::vector<std::string>& captions) const {
        const auto length = static_cast<std::size_t>(t_.text.positions);
        std::vector<std::int32_t> ids, ends;
        for (const std::string& caption : captions) {
            const std::vector<int> row = t_.tokenizer->encode_padded(QString::fromStdString(caption), t_.tokenizer->end(), length);
            ids.insert(ids.end(), row.begin(), row.end());
            ends.push_back(static_cast<std::int32_t>(std::find(row.begin(), row.end(), t_.tokenizer->end()) - row.begin()));
        }
        const auto count = static_cast<std::int64_t>(captions.size());
        return {gpu::tensor_i32(ids, {count, t_.text.positions}), gpu::tensor_i32(ends, {count})};
    }
    Tensor seen(const Scope& scope, const Tensor& pixels) const {
        const ClipVision vision(scope, t_.vision);
        return unit_length(vision.projected(vision.pooled(vision.states(pixels).back())));
    }
    Tensor read(const Scope& scope, const Tensor& ids, const Tensor& ends) const {
        const ClipText text(scope, t_.text);
        return unit_length(text.projected(text.pooled(text.normed(text.states(text.tokens(ids)).back()), ends)));
    }

    ContrastiveTraining t_;
};

}  // namespace

ObjectiveRef contrastive_objective(ContrastiveTraining training) { return std::make_shared<ContrastiveObjective>(std::move(training)); }

}  // namespace nodes
