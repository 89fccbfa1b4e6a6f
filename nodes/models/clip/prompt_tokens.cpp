#include "nodes/types/prompt_tokens.h"

#include <algorithm>
#include <set>

#include "gpu/base/error.h"
#include "nodes/core/paths.h"
#include "nodes/models/clip/chunks.h"
#include "nodes/models/clip/load.h"

namespace nodes {
namespace {

// Up to the end token: what fills the rest of a chunk is the end token again, or another one.
int used(const TextChunk& chunk, const TextTowerInfo& info) {
    auto last = chunk.tokens.size();
    while (last > 1 && chunk.tokens[last - 1] == TextToken{info.pad}) --last;
    if (info.pad == info.end) ++last;
    return static_cast<int>(std::min(last, chunk.tokens.size()));
}

class VocabularyTower final : public TextTower {
public:
    explicit VocabularyTower(ClipTokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {
        info_.name = "vocabulary";
        info_.start = tokenizer_.start();
        info_.end = info_.pad = tokenizer_.end();
        if (const std::vector<int> comma = tokenizer_.encode(","); comma.size() == 1) info_.comma = comma[0];
    }
    const TextTowerInfo& info() const override { return info_; }
    const gpu::Weights& weights() const override { return none_; }
    std::vector<int> tokens(const std::string& text) const override { return tokenizer_.encode(QString::fromStdString(text)); }
    std::string text_of(int id) const override { return tokenizer_.text_of(id).toStdString(); }
    std::string merges() const override { return tokenizer_.merges(); }
    std::shared_ptr<const TextNetwork> build(const Patches&) const override {
        throw gpu::Error(gpu::ErrorCode::InvalidGraph, "text encoder: expected weights, got a vocabulary alone");
    }
    std::string summary() const override { return "a vocabulary"; }

private:
    ClipTokenizer tokenizer_;
    TextTowerInfo info_;
    gpu::Weights none_;
};

std::shared_ptr<const TextTower> made_vocabulary() {
    for (const bool of_clip : {true, false}) try {
            return std::make_shared<VocabularyTower>(ClipTokenizer::open(of_clip ? find_merges({}) : resolve_input({}, "heddle:models/pico/tokenizer/merges.txt")));
        } catch (const gpu::Error&) {      // the other one, or none
        }
    return nullptr;
}

}  // namespace

TokenCount count_tokens(const TextTower& tower, const std::vector<TextEmbedding>& embeddings, const QString& prompt, const EncodeOptions& options) {
    std::vector<QString> texts;
    if (options.dialect == PromptDialect::A1111) {
        QStringList networks;
        for (const SubPrompt& part : prompt_alternatives(without_networks(prompt, networks)))
            for (const PromptSpan& span : prompt_schedule(part.text, options.steps))
                if (std::ranges::find(texts, span.text) == texts.end()) texts.push_back(span.text);
    } else {
        texts.push_back(prompt);
    }
    TokenCount longest{.tokens = 0, .room = 0, .chunks = 0};
    std::set<std::string> missing;
    for (const QString& text : texts) {
        std::vector<std::string> absent;
        TokenCount count{.tokens = 0, .room = 0, .chunks = 0};
        for (const TextChunk& chunk : text_chunks(tower, embeddings, text, options.dialect, &absent)) {
            count.tokens += used(chunk, tower.info());
            count.room += tower.info().positions;
            ++count.chunks;
        }
        missing.insert(absent.begin(), absent.end());
        if (std::pair(count.chunks, count.tokens) > std::pair(longest.chunks, longest.tokens)) longest = count;
    }
    longest.missing = {missing.begin(), missing.end()};
    return longest;
}

std::shared_ptr<const TextTower> vocabulary_tower() {
    static const std::shared_ptr<const TextTower> made = made_vocabulary();
    return made;
}

}  // namespace nodes
