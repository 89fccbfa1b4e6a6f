// DAAM (arXiv:2210.04885), of what a sampler recorded or on a finished picture: that is mixed with noise again, as sampling passed through
// it, and the network asked at each level where it looks.
#include <algorithm>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/core/picture_names.h"
#include "nodes/core/prompt_texts.h"
#include "nodes/models/clip/chunks.h"
#include "nodes/models/clip/encode.h"
#include "nodes/models/diffusion/attention_maps.h"
#include "nodes/sampling/noise.h"
#include "nodes/types/attention.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

// The tokens of a word, by their places in the conditioning.
struct Word {
    std::string text;
    std::vector<std::int64_t> tokens;
};

std::vector<Word> words_of(const Encoder& encoder, const QString& text, PromptDialect dialect, bool pieces) {
    const TextTower& tower = *encoder.towers().front().tower;      // families with several use one vocabulary
    std::vector<Word> words;
    std::int64_t first = 0;
    for (const TextChunk& chunk : text_chunks(tower, encoder.embeddings(), text, dialect)) {
        bool open = false, learned = false;      // the last word goes on
        for (std::size_t i = 1; i < chunk.tokens.size(); ++i) {
            const TextToken& token = chunk.tokens[i];
            if (!token.row && token.id == tower.info().end) break;
            std::string piece = token.row ? "<learned>" : tower.text_of(token.id);
            const bool ends = !token.row && piece.ends_with(' ');
            if (ends) piece.pop_back();
            const bool joins = !pieces && (token.row ? learned : open);
            if (!joins) words.push_back({});
            if (!joins || !token.row) words.back().text += piece;
            words.back().tokens.push_back(first + static_cast<std::int64_t>(i));
            learned = token.row != nullptr;
            open = !learned && !ends;
        }
        first += static_cast<std::int64_t>(chunk.tokens.size());
    }
    return words;
}

// From blue over green and yellow to red for 0..1: the ramp known as "jet", its corners clamped. [N, 1, h, w] -> [N, 3, h, w]
Tensor heat_colours(const Tensor& heat) {
    const auto around = [&](double peak) { return gpu::clamp(1.5 - gpu::abs(heat * 4.0 - peak), 0, 1); };
    return gpu::concat({around(3), around(2), around(1)}, 1);
}

struct AttentionMaps final : Node, NamesPictures, ReadsPrompts {
    AttentionMaps() : Node({.id = "attention.maps", .version = 1, .title = "Attention Maps", .category = "Attention",
                            .help = "Shows where the model looks for each word of a prompt: its cross-attention, averaged over heads, layers and levels of noise (DAAM). Of a "
                                    "sampler's output attention, as it looked while it made the picture; or on a finished latent that is mixed with noise again."}) {}

    In<Attention>        recorded{this, "attention", "What a sampler recorded; model, latent and levels do not matter then", {.optional = true}};
    In<Model>            model  {this, "model", "The diffusion model, with its patches", {.optional = true}};
    In<Encoder>          encoder{this, "encoder", "The text encoders"};
    In<std::string>      prompt {this, "prompt", "The prompt; the parameter when nothing is connected", {.optional = true}};
    In<Latent>           latent {this, "latent", "What was made of the prompt: the first of a batch is looked at", {.optional = true}};
    In<Image>            picture{this, "picture", "The same as a picture, to lay the colours over", {.optional = true}};
    Param<std::string>   text   {this, "text", "The prompt", {.multiline = true}};
    Param<PromptDialect> dialect{this, "dialect", "How weights, schedules and learned words are written. Of a prompt with several parts or stages the first one is looked at",
                                 {.initial = PromptDialect::Comfy, .names = {"comfy", "a1111", "plain"}}};
    Param<bool>          pieces {this, "pieces", "A map for each token, where a rare word has several; off: one for each word", {.initial = false}};
    Param<int>           levels {this, "levels", "Levels of noise to average over, evenly between the two below", {.initial = 8, .min = 1, .max = 1000}};
    Param<double>        highest{this, "highest", "The highest level, as a part of the training schedule", {.initial = 0.9, .min = 0, .max = 1, .step = 0.05}};
    Param<double>        lowest {this, "lowest", "The lowest level", {.initial = 0.1, .min = 0, .max = 1, .step = 0.05}};
    Param<Seed>          seed   {this, "seed", "Another seed, another noise"};
    Param<bool>          shared {this, "shared", "All maps on one scale, so that words can be compared; off: each up to its own largest value", {.initial = false}};
    Param<double>        opacity{this, "opacity", "Of the colours over the picture", {.initial = 0.6, .min = 0, .max = 1, .step = 0.05}};
    Out<Mask>            maps   {this, "maps", "One for each word, of the picture's size: masks, which the viewer lays over a picture in colour"};
    Out<Image>           image  {this, "image", "The same in colours, over the picture where there is one"};
    Out<std::string>     words  {this, "words", "The words, a line for each map"};
    Out<Tensor>          weights{this, "weights", "The attention itself for every token, start, end and padding too: [L, h, w] in the latent's cells; sums to 1 over the tokens"};

    PictureNames picture_names() const override { return {.pictures = {"maps", "image"}, .names = "words"}; }
    std::vector<PromptText> prompt_texts() const override { return {{.param = "text", .input = "prompt"}}; }

    void compute(Eval& ev) const override {
        const QString given = QString::fromStdString(ev.has(prompt) ? ev[prompt] : ev[text]);
        const EncodeOptions options{.dialect = ev[dialect]};
        EncodedPrompt made_prompt = encode_prompt(ev[encoder], {given.toStdString()}, options);
        for (const std::string& warning : made_prompt.warnings) ev.warn("{}", warning);
        const Conditioning encoded = evaluated(std::move(made_prompt.conditioning));
        if (encoded.entries.size() > 1) ev.warn("the prompt has {} parts or stages, of which the first one is looked at", encoded.entries.size());
        const std::vector<Word> found = words_of(ev[encoder], first_text(given, options), options.dialect, ev[pieces]);
        if (found.empty()) ev.fail(text, "expected a prompt with words, got none");
        const Tensor attention = ev.has(recorded) ? heard(ev, encoded.entries.front()) : averaged(ev, encoded.entries.front());      // [1, L, h, w]
        gpu::evaluate({attention});

        gpu::Tensors each;
        for (const Word& word : found) {
            Tensor sum;
            for (const std::int64_t token : word.tokens) {
                const Tensor one = gpu::slice(attention, 1, token, token + 1);
                sum = sum ? sum + one : one;
            }
            each.push_back(sum / static_cast<double>(word.tokens.size()));
        }
        const std::int64_t factor = ev.has(recorded) ? ev[recorded].factor : ev[latent].format.factor;
        const bool over = ev.has(picture);
        const std::int64_t height = over ? ev[picture].height() : attention.size(2) * factor, width = over ? ev[picture].width() : attention.size(3) * factor;
        const Tensor raw = gpu::concat(each, 0);                                                            // [W, 1, h, w]
        const Tensor most = ev[shared] ? gpu::max(raw, {0, 1, 2, 3}, true) : gpu::max(raw, {1, 2, 3}, true);
        const Tensor made = gpu::resize(raw / gpu::maximum(most, 1e-12), height, width, gpu::Filter::Bilinear, false);
        Tensor colours = heat_colours(made);
        if (over) {
            const Image below = flattened(widened(Image{gpu::slice(ev[picture].tensor, 0, 0, 1), ev[picture].space}, 3), Color{1, 1, 1});
            colours = below.tensor * (1 - ev[opacity]) + colours * ev[opacity];
        }
        ev.set(maps, evaluated(make_mask(made)));
        ev.set(image, evaluated(make_image(colours)));
        ev.set(weights, gpu::reshape(attention, {attention.size(1), attention.size(2), attention.size(3)}));
        std::string lines;
        for (const Word& word : found) lines += word.text + '\n';
        lines.pop_back();
        ev.set(words, lines);
    }

private:
    // What the first entry of a conditioning says.
    static QString first_text(const QString& given, const EncodeOptions& options) {
        if (options.dialect != PromptDialect::A1111) return given;
        QStringList networks;
        return prompt_schedule(prompt_alternatives(without_networks(given, networks)).front().text, options.steps).front().text;
    }

    Tensor heard(Eval& ev, const ConditioningEntry& entry) const {
        const Tensor& maps = ev[recorded].maps;
        if (!maps) ev.fail(recorded, "expected what a sampler recorded, got nothing: its model needs attention.record before it");
        if (maps.size(1) != entry.context.size(1))
            ev.fail(recorded, "expected the {} tokens of this prompt, got {}: was another prompt sampled, or by another encoder?", entry.context.size(1), maps.size(1));
        return gpu::slice(maps, 0, 0, 1);
    }

    Tensor averaged(Eval& ev, const ConditioningEntry& entry) const {
        if (!ev.has(model)) ev.fail(model, "expected a model, or attention that a sampler recorded, got neither");
        if (!ev.has(latent)) ev.fail(latent, "expected a latent, or attention that a sampler recorded, got neither");
        const Model& net = ev[model];
        const Latent& from = ev[latent];
        if (from.format.channels != net.info().latent.channels)
            ev.fail(latent, "expected a latent of {} channels for this {} model, got {}", net.info().latent.channels, net.info().family, from.format.channels);
        const NoiseTable table(net.info().noise);
        const Tensor x0 = gpu::slice(from.tensor, 0, 0, 1), drawn = noise(NoiseSource::Heddle, x0.shape(), ev[seed]);
        const int count = ev[levels];
        const double last = table.count() - 1;
        Tensor sum;
        for (int i = 0; i < count; ++i) {
            ev.progress(i, count);
            const double part = count == 1 ? (ev[highest] + ev[lowest]) / 2 : ev[highest] + (ev[lowest] - ev[highest]) * i / (count - 1);
            const NoiseLevel level = table.level(part * last);
            const Tensor x = x0 * level.signal + drawn * level.noise;
            const Tensor one = attention_maps(net, entry, x, {.step = i, .steps = count, .progress = 1 - part, .level = level});
            gpu::evaluate({one});
            sum = sum ? sum + one : one;
        }
        ev.progress(count, count);
        return sum / static_cast<double>(count);
    }
};

}  // namespace

REGISTER_NODE(attention_maps, AttentionMaps)

}  // namespace nodes
