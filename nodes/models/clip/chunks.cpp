#include "nodes/models/clip/chunks.h"

#include <QRegularExpression>
#include <algorithm>

#include "gpu/base/error.h"

namespace nodes {
namespace {

constexpr std::size_t long_word = 8;           // tokens from which comfy splits a part between chunks
constexpr std::size_t comma_reach = 20;        // tokens that a1111 looks back for a comma

// The chunks under construction; start, end and padding come at the end.
class Chunks {
public:
    explicit Chunks(const TextTowerInfo& info) : info_(info), room_(static_cast<std::size_t>(info.positions) - 2) {}

    std::size_t room() const { return room_ - tokens_.size(); }
    std::size_t size() const { return tokens_.size(); }
    void add(TextToken token, double weight) {
        if (room() == 0) next();
        tokens_.push_back(std::move(token));
        weights_.push_back(weight);
    }
    void next() {
        TextChunk chunk;
        chunk.tokens.push_back({info_.start});
        chunk.weights.push_back(1);
        std::move(tokens_.begin(), tokens_.end(), std::back_inserter(chunk.tokens));
        chunk.weights.insert(chunk.weights.end(), weights_.begin(), weights_.end());
        chunk.tokens.push_back({info_.end});
        chunk.tokens.resize(static_cast<std::size_t>(info_.positions), TextToken{info_.pad});
        chunk.weights.resize(static_cast<std::size_t>(info_.positions), 1);
        done_.push_back(std::move(chunk));
        tokens_.clear();
        weights_.clear();
    }
    // Takes the tokens from `at` on into the next chunk.
    void next_from(std::size_t at) {
        TextRow tokens(tokens_.begin() + static_cast<std::ptrdiff_t>(at), tokens_.end());
        std::vector<double> weights(weights_.begin() + static_cast<std::ptrdiff_t>(at), weights_.end());
        tokens_.resize(at);
        weights_.resize(at);
        next();
        tokens_ = std::move(tokens);
        weights_ = std::move(weights);
    }
    std::vector<TextChunk> take() {
        if (!tokens_.empty() || done_.empty()) next();
        return std::move(done_);
    }

private:
    const TextTowerInfo& info_;
    std::size_t room_;
    TextRow tokens_;
    std::vector<double> weights_;
    std::vector<TextChunk> done_;
};

TextToken learned(const std::shared_ptr<const std::vector<float>>& row) { return {0, row}; }

const TextEmbedding::Rows* rows_for(const TextEmbedding& embedding, int width) {
    const auto at = embedding.rows.find(width);
    return at == embedding.rows.end() ? nullptr : &at->second;
}

// --- comfy ---

// Rows for this tower; an empty list where the embedding has none for it, null where no embedding has the name.
const TextEmbedding::Rows* find_by_name(const std::vector<TextEmbedding>& embeddings, const QString& name, int width) {
    static const TextEmbedding::Rows none;
    for (const TextEmbedding& embedding : embeddings)
        for (const std::string& known : embedding.names)
            if (QString::fromStdString(known).compare(name, Qt::CaseInsensitive) == 0) {
                const TextEmbedding::Rows* rows = rows_for(embedding, width);
                return rows ? rows : &none;
            }
    return nullptr;
}

using Group = std::vector<TextToken>;

std::vector<Group> comfy_groups(const TextTower& tower, const std::vector<TextEmbedding>& embeddings, const QString& text, std::vector<std::string>* missing) {
    static const QRegularExpression space("\\s+");
    std::vector<Group> groups;
    const auto add_text = [&](const QString& piece) {
        Group group;
        for (const int id : tower.tokens(piece.toStdString())) group.push_back({id});
        if (!group.empty()) groups.push_back(std::move(group));
    };
    qsizetype from = 0;
    bool named = false;
    const auto add_piece = [&](const QString& piece) {
        if (!named) return add_text(piece);
        const qsizetype blank = piece.indexOf(space);
        QString name = blank < 0 ? piece : piece.left(blank), rest = blank < 0 ? QString() : piece.mid(blank + 1);
        const TextEmbedding::Rows* rows = find_by_name(embeddings, name, tower.info().width);
        if (!rows && name.endsWith(',')) {
            QString bare = name;
            while (bare.endsWith(',')) bare.chop(1);
            rest = name.mid(bare.size()) + ' ' + rest;
            rows = find_by_name(embeddings, bare, tower.info().width);
            name = bare;
        }
        if (rows) {
            Group group;
            for (const auto& row : *rows) group.push_back(learned(row));
            if (!group.empty()) groups.push_back(std::move(group));
        } else if (missing && !name.isEmpty()) {
            missing->push_back(name.toStdString());
        }
        add_text(rest);
    };
    for (const EmbeddingCall& call : embedding_calls(text)) {
        const qsizetype before = call.at > 0 ? call.at - 1 : 0;      // the space belongs to the call
        add_piece(text.mid(from, before - from));
        from = call.name;
        named = true;
    }
    add_piece(text.mid(from));
    return groups;
}

void add_group(Chunks& chunks, const Group& group, double weight, int positions) {
    const bool is_long = group.size() >= long_word || group.size() > static_cast<std::size_t>(positions) - 2;
    if (!is_long && group.size() > chunks.room()) chunks.next();
    for (const TextToken& token : group) chunks.add(token, weight);
}

// --- bare names ---

struct NamedIds {
    std::vector<int> ids;
    const TextEmbedding* embedding;
};

// Tokens of every name, the longest first.
std::vector<NamedIds> name_tokens(const TextTower& tower, const std::vector<TextEmbedding>& embeddings) {
    std::vector<NamedIds> names;
    for (const TextEmbedding& embedding : embeddings)
        for (const std::string& name : embedding.names)
            if (auto ids = tower.tokens(name); !ids.empty()) names.push_back({std::move(ids), &embedding});
    std::stable_sort(names.begin(), names.end(), [](const NamedIds& a, const NamedIds& b) { return a.ids.size() > b.ids.size(); });
    return names;
}

std::vector<TextChunk> bare_chunks(const TextTower& tower, const std::vector<TextEmbedding>& embeddings, const QString& prompt, PromptDialect dialect) {
    const TextTowerInfo& info = tower.info();
    const std::vector<NamedIds> names = name_tokens(tower, embeddings);
    Chunks chunks(info);
    constexpr auto none = static_cast<std::size_t>(-1);
    std::size_t comma = none;      // where the last one is in the current chunk
    const auto next = [&] {
        chunks.next();
        comma = none;
    };
    for (const PromptPart& part : weighted_parts(prompt, dialect)) {
        if (part.chunk_end) {
            next();
            continue;
        }
        const std::vector<int> ids = tower.tokens(part.text.toStdString());
        for (std::size_t at = 0; at < ids.size();) {
            if (dialect == PromptDialect::A1111 && info.comma && ids[at] == *info.comma) {
                comma = chunks.size();
            } else if (dialect == PromptDialect::A1111 && chunks.room() == 0 && comma != none && chunks.size() - comma <= comma_reach) {
                chunks.next_from(comma + 1);
                comma = none;
            }
            if (chunks.room() == 0) next();
            const auto named = std::find_if(names.begin(), names.end(), [&](const NamedIds& name) {
                return name.ids.size() <= ids.size() - at && std::equal(name.ids.begin(), name.ids.end(), ids.begin() + static_cast<std::ptrdiff_t>(at));
            });
            if (named == names.end()) {
                chunks.add({ids[at++]}, part.weight);
                continue;
            }
            at += named->ids.size();
            const TextEmbedding::Rows* rows = rows_for(*named->embedding, info.width);
            if (!rows) continue;
            if (rows->size() > chunks.room()) next();
            for (const auto& row : *rows) chunks.add(learned(row), part.weight);
        }
    }
    return chunks.take();
}

}  // namespace

std::vector<TextChunk> text_chunks(const TextTower& tower, const std::vector<TextEmbedding>& embeddings, const QString& prompt, PromptDialect dialect,
                                   std::vector<std::string>* missing) {
    gpu::check(tower.info().positions > 2, gpu::ErrorCode::InvalidGraph, "text encoder: expected positions for start, end and more, got {}", tower.info().positions);
    if (dialect != PromptDialect::Comfy) return bare_chunks(tower, embeddings, prompt, dialect);
    Chunks chunks(tower.info());
    for (const PromptPart& part : weighted_parts(prompt, dialect))
        for (const Group& group : comfy_groups(tower, embeddings, part.text, missing)) add_group(chunks, group, part.weight, tower.info().positions);
    return chunks.take();
}

TextChunk empty_chunk(const TextTowerInfo& info) {
    TextChunk chunk{TextRow(static_cast<std::size_t>(info.positions), TextToken{info.pad}), std::vector<double>(static_cast<std::size_t>(info.positions), 1)};
    chunk.tokens[0].id = info.start;
    chunk.tokens[1].id = info.end;
    return chunk;
}

}  // namespace nodes
