#include "nodes/models/clip/tower.h"

#include <algorithm>
#include <mutex>

#include "gpu/base/error.h"
#include "nodes/models/unet/unet.h"

namespace nodes {
namespace {

class ClipNetwork final : public TextNetwork {
public:
    explicit ClipNetwork(ClipText model) : model_(std::move(model)) {}

    EncodedText operator()(const std::vector<TextRow>& rows, int drop, bool norm, bool pooled) const override {
        gpu::check(!rows.empty() && !rows[0].empty(), gpu::ErrorCode::InvalidGraph, "text encoder: expected tokens, got none");
        check_drop(drop);
        const auto batch = static_cast<std::int64_t>(rows.size()), length = static_cast<std::int64_t>(rows[0].size());
        const std::vector<Tensor> states = model_.states(tokens(rows, batch, length));
        const Tensor& state = states[states.size() - 1 - static_cast<std::size_t>(drop)];
        EncodedText made{norm ? model_.normed(state) : state, {}};
        if (pooled) made.pooled = model_.projected(model_.pooled(model_.normed(states.back()), ends(rows)));
        return made;
    }

    Tensor context(const Tensor& ids, const Tensor& places, const Tensor& vectors, int drop, bool norm) const override {
        check_drop(drop);
        const std::int64_t batch = ids.size(0), length = ids.size(1), count = vectors.size(0), width = model_.config().width;
        gpu::check(vectors.size(1) == width && places.shape() == gpu::Shape{batch, length, count}, gpu::ErrorCode::InvalidGraph,
                   "text encoder: expected learned vectors of width {} at [{}, {}, {}] places, got width {} at {}", width, batch, length, count, vectors.size(1),
                   gpu::to_string(places.shape()));
        const Tensor mask = gpu::sum(places, {2}, true);                                                               // [B, T, 1]
        const Tensor put = gpu::reshape(gpu::matmul(gpu::reshape(places, {batch * length, count}), vectors), {batch, length, width});
        const std::vector<Tensor> states = model_.states(model_.tokens(ids) * (1.0 - mask) + put);
        const Tensor& state = states[states.size() - 1 - static_cast<std::size_t>(drop)];
        return norm ? model_.normed(state) : state;
    }

private:
    void check_drop(int drop) const {
        gpu::check(drop >= 0 && drop < model_.config().layers, gpu::ErrorCode::InvalidGraph, "text encoder: expected 0 to {} layers to leave out, got {}",
                   model_.config().layers - 1, drop);
    }
    // [B, T, width]: rows of the table, and learned ones in their places.
    Tensor tokens(const std::vector<TextRow>& rows, std::int64_t batch, std::int64_t length) const {
        const std::int64_t width = model_.config().width;
        std::vector<std::int32_t> ids;
        std::vector<float> learned, chosen;
        for (const TextRow& row : rows) {
            gpu::check(static_cast<std::int64_t>(row.size()) == length, gpu::ErrorCode::InvalidGraph, "text encoder: expected rows of {} tokens, got {}",
                       length, row.size());
            for (const TextToken& token : row) {
                ids.push_back(token.row ? 0 : token.id);
                if (!token.row) continue;
                gpu::check(static_cast<std::int64_t>(token.row->size()) == width, gpu::ErrorCode::InvalidGraph,
                           "text encoder: expected learned vectors of width {}, got {}", width, token.row->size());
                learned.resize(static_cast<std::size_t>(batch * length * width));
                chosen.resize(static_cast<std::size_t>(batch * length));
                std::copy(token.row->begin(), token.row->end(), learned.begin() + static_cast<std::ptrdiff_t>(ids.size() - 1) * width);
                chosen[ids.size() - 1] = 1;
            }
        }
        const Tensor known = model_.tokens(gpu::tensor_i32(ids, {batch, length}));
        if (learned.empty()) return known;
        const Tensor mask = gpu::tensor(chosen, {batch, length, 1}), values = gpu::tensor(learned, {batch, length, width});
        return known * (1.0 - mask) + values;
    }

    Tensor ends(const std::vector<TextRow>& rows) const {
        std::vector<std::int32_t> ends;
        for (const TextRow& row : rows) {
            const auto at = std::find_if(row.begin(), row.end(), [&](const TextToken& token) { return !token.row && token.id == model_.config().eos; });
            ends.push_back(at == row.end() ? 0 : static_cast<std::int32_t>(at - row.begin()));
        }
        return gpu::tensor_i32(ends, {static_cast<std::int64_t>(rows.size())});
    }

    ClipText model_;
};

class ClipTower final : public TextTower {
public:
    ClipTower(gpu::Weights weights, std::shared_ptr<const ClipTokenizer> tokenizer, const ClipTowerOptions& options)
        : weights_(std::move(weights)), tokenizer_(std::move(tokenizer)) {
        ClipTextHints hints = options.hints;
        if (!hints.eos) hints.eos = tokenizer_->end();
        config_ = read_clip_text_config(weights_, hints);
        gpu::check(tokenizer_->size() <= config_.vocabulary, gpu::ErrorCode::BadFile,
                   "text encoder: expected a tokenizer of {} tokens or fewer, as the weights have rows, got {}: merges of another model?", config_.vocabulary,
                   tokenizer_->size());
        // Names and shapes are checked here, bytes are read when a network is built.
        const Scope shapes = Scope::weights(weights_);
        const ClipText model(shapes, config_);
        shapes.finish("text encoder");
        info_ = {.name = config_.width == 768 ? "clip-l" : config_.width == 1024 ? "clip-h" : config_.width == 1280 ? "clip-g" : "clip",
                 .width = config_.width, .layers = config_.layers, .positions = config_.positions, .projection = config_.projection,
                 .dropped = options.dropped, .start = tokenizer_->start(), .end = tokenizer_->end(),
                 .pad = options.pad_with_end ? tokenizer_->end() : 0};
        if (const std::vector<int> comma = tokenizer_->encode(","); comma.size() == 1) info_.comma = comma[0];
    }

    const TextTowerInfo& info() const override { return info_; }
    const gpu::Weights& weights() const override { return weights_; }
    std::vector<int> tokens(const std::string& text) const override { return tokenizer_->encode(QString::fromStdString(text)); }
    std::string text_of(int id) const override { return tokenizer_->text_of(id).toStdString(); }
    std::string merges() const override { return tokenizer_->merges(); }

    std::shared_ptr<const TextNetwork> build(const Patches& patches) const override {
        const std::map<std::string, Tensor, std::less<>> merged = merged_weights(weights_, leaves(), patches);
        return std::make_shared<const ClipNetwork>(ClipText(Scope::tensors(merged), config_));
    }

    std::string summary() const override {
        double count = 0;
        std::map<std::string, double> types;
        for (const auto& [name, weight] : weights_) {
            const auto elements = static_cast<double>(gpu::element_count(weight.entry.shape));
            count += elements;
            types[gpu::type_name(weight.entry)] += elements;
        }
        const auto most = std::max_element(types.begin(), types.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        return gpu::format("{}, {} weights, {}", info_.name,
                           count >= 1e6 ? gpu::format("{}M", static_cast<std::int64_t>(count / 1e6)) : gpu::format("{}k", static_cast<std::int64_t>(count / 1e3)),
                           most == types.end() ? "none" : most->first);
    }

private:
    using Leaves = std::map<std::string, Tensor, std::less<>>;
    // The same leaves for every network, so that what the device keeps of them serves all.
    const Leaves& leaves() const {
        std::call_once(once_, [&] {
            for (const auto& [name, weight] : weights_) leaves_.emplace(name, gpu::to_leaf(weight));
        });
        return leaves_;
    }

    gpu::Weights weights_;
    std::shared_ptr<const ClipTokenizer> tokenizer_;
    ClipTextConfig config_;
    TextTowerInfo info_;
    mutable std::once_flag once_;
    mutable Leaves leaves_;
};

}  // namespace

std::shared_ptr<const TextTower> make_clip_tower(gpu::Weights weights, std::shared_ptr<const ClipTokenizer> tokenizer, const ClipTowerOptions& options) {
    return std::make_shared<const ClipTower>(std::move(weights), std::move(tokenizer), options);
}

}  // namespace nodes
