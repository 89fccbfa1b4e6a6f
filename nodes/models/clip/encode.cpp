#include "nodes/models/clip/encode.h"

#include <algorithm>
#include <set>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "nodes/models/clip/chunks.h"

namespace nodes {
namespace {

using Texts = std::vector<QString>;      // one a tower

// A part of the steps and what is said in it.
struct Span {
    int first = 0, last = 1;
    Texts texts;
};

// Schedules of several texts over the same steps, cut where any of them changes.
std::vector<Span> joint_schedule(const Texts& texts, int steps) {
    std::vector<std::vector<PromptSpan>> schedules;
    std::set<int> ends;
    for (const QString& text : texts) {
        schedules.push_back(prompt_schedule(text, steps));
        for (const PromptSpan& span : schedules.back()) ends.insert(span.last);
    }
    std::vector<Span> spans;
    int first = 0;
    for (const int end : ends) {
        Span span{first, end, {}};
        for (const auto& schedule : schedules)
            span.texts.push_back(std::find_if(schedule.begin(), schedule.end(), [&](const PromptSpan& one) { return first < one.last; })->text);
        spans.push_back(std::move(span));
        first = end;
    }
    return spans;
}

bool weighted(const TextChunk& chunk) {
    return std::any_of(chunk.weights.begin(), chunk.weights.end(), [](double weight) { return weight != 1; });
}

// Weights of rows as a tensor [rows, T, 1].
Tensor weight_tensor(const std::vector<const TextChunk*>& chunks) {
    std::vector<float> values;
    for (const TextChunk* chunk : chunks)
        for (const double weight : chunk->weights) values.push_back(static_cast<float>(weight));
    const auto rows = static_cast<std::int64_t>(chunks.size());
    return gpu::tensor(values, {rows, static_cast<std::int64_t>(values.size()) / rows, 1});
}

Tensor rows_of(const Tensor& x, std::size_t first, std::size_t count, std::size_t step = 1) {
    const auto from = static_cast<std::int64_t>(first), by = static_cast<std::int64_t>(step);
    return gpu::slice(x, 0, from, from + (static_cast<std::int64_t>(count) - 1) * by + 1, by);
}

struct Encoded {
    Tensor context, pooled;      // of one text
};

// All texts of one tower in one batch. `chunks`: of each text, all of one number. `times`: how often each is in the schedule.
std::vector<Encoded> encode_tower(const Encoder& encoder, std::size_t tower, const std::vector<std::vector<TextChunk>>& chunks, const std::vector<double>& times,
                                  PromptDialect dialect) {
    const TowerUse& use = encoder.towers()[tower];
    const std::size_t texts = chunks.size(), count = chunks[0].size();
    std::vector<TextRow> rows;
    std::vector<const TextChunk*> all;
    bool any = false;
    for (const auto& text : chunks)
        for (const TextChunk& chunk : text) {
            rows.push_back(chunk.tokens);
            all.push_back(&chunk);
            any = any || weighted(chunk);
        }
    const bool against_empty = any && dialect == PromptDialect::Comfy;
    if (against_empty) rows.push_back(empty_chunk(use.tower->info()).tokens);
    const EncodedText made = (*encoder.network(tower))(rows, encoder.drop(tower), use.norm, use.pooled);
    Tensor context = rows_of(made.context, 0, texts * count);                                        // [texts * chunks, T, D]
    if (against_empty) {
        const Tensor empty = rows_of(made.context, texts * count, 1);                                // [1, T, D]
        context = context + (weight_tensor(all) - 1.0) * (context - empty);
    } else if (any) {
        // The mean is that of the same chunk of all texts.
        gpu::Tensors parts;
        std::vector<float> shares;
        for (const double time : times) shares.push_back(static_cast<float>(time));
        const Tensor share = gpu::tensor(shares, {static_cast<std::int64_t>(texts), 1, 1});
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<const TextChunk*> same;
            for (std::size_t text = 0; text < texts; ++text) same.push_back(&chunks[text][i]);
            const Tensor z = rows_of(context, i, texts, count), scaled = z * weight_tensor(same);    // [texts, T, D]
            parts.push_back(scaled * (gpu::sum(z * share) / gpu::sum(scaled * share)));
        }
        context = gpu::reshape(gpu::stack(parts, 1), context.shape());                               // texts, then chunks
    }
    std::vector<Encoded> encoded;
    for (std::size_t text = 0; text < texts; ++text) {
        const Tensor own = rows_of(context, text * count, count);
        Encoded one{gpu::reshape(own, {1, own.size(0) * own.size(1), own.size(2)}), {}};             // [1, chunks * T, D]
        if (made.pooled) one.pooled = rows_of(made.pooled, text * count, 1);
        encoded.push_back(std::move(one));
    }
    return encoded;
}

// All spans of one part of the prompt.
std::vector<ConditioningEntry> encode_spans(const Encoder& encoder, const std::vector<Span>& spans, double strength, const EncodeOptions& options,
                                            std::set<std::string>& missing) {
    std::vector<Texts> distinct;
    std::vector<double> times;
    std::vector<std::size_t> which;
    for (const Span& span : spans) {
        const auto at = static_cast<std::size_t>(std::find(distinct.begin(), distinct.end(), span.texts) - distinct.begin());
        if (at == distinct.size()) {
            distinct.push_back(span.texts);
            times.push_back(0);
        }
        times[at] += 1;
        which.push_back(at);
    }
    const std::size_t towers = encoder.towers().size();
    std::vector<std::vector<std::vector<TextChunk>>> chunks(towers);                                 // [tower][text][chunk]
    std::size_t most = 1;
    for (std::size_t tower = 0; tower < towers; ++tower)
        for (const Texts& texts : distinct) {
            std::vector<std::string> absent;
            chunks[tower].push_back(text_chunks(*encoder.towers()[tower].tower, encoder.embeddings(), texts[tower], options.dialect, &absent));
            missing.insert(absent.begin(), absent.end());
            most = std::max(most, chunks[tower].back().size());
        }
    std::vector<gpu::Tensors> contexts(distinct.size());
    std::vector<Tensor> pooled(distinct.size());
    for (std::size_t tower = 0; tower < towers; ++tower) {
        for (auto& text : chunks[tower]) text.resize(most, empty_chunk(encoder.towers()[tower].tower->info()));
        const std::vector<Encoded> encoded = encode_tower(encoder, tower, chunks[tower], times, options.dialect);
        for (std::size_t text = 0; text < distinct.size(); ++text) {
            contexts[text].push_back(encoded[text].context);
            if (encoded[text].pooled) pooled[text] = encoded[text].pooled;
        }
    }
    std::vector<Tensor> joined;
    for (const gpu::Tensors& parts : contexts) joined.push_back(parts.size() == 1 ? parts[0] : gpu::concat(parts, 2));
    std::vector<ConditioningEntry> entries;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        const double start = static_cast<double>(spans[i].first) / options.steps, end = static_cast<double>(spans[i].last) / options.steps;
        if (i > 0 && which[i] == which[i - 1])
            entries.back().end = end;
        else
            entries.push_back({.context = joined[which[i]], .pooled = pooled[which[i]], .strength = strength, .start = start, .end = end});
    }
    return entries;
}

}  // namespace

EncodedPrompt encode_prompt(const Encoder& encoder, const std::vector<std::string>& prompts, const EncodeOptions& options) {
    const std::size_t towers = encoder.towers().size();
    gpu::check(prompts.size() == 1 || prompts.size() == towers, gpu::ErrorCode::InvalidGraph,
               "text encode: expected one prompt or {}, one for each tower of {}, got {}", towers, encoder.family(), prompts.size());
    gpu::check(options.steps > 0, gpu::ErrorCode::InvalidGraph, "text encode: expected a number of steps above 0, got {}", options.steps);
    EncodedPrompt made;
    std::set<std::string> missing;
    QStringList networks;
    std::vector<std::vector<SubPrompt>> parts;                                                       // [tower][part]
    for (std::size_t tower = 0; tower < towers; ++tower) {
        const QString prompt = QString::fromStdString(prompts[prompts.size() == 1 ? 0 : tower]);
        QStringList found;
        if (options.dialect == PromptDialect::A1111)
            parts.push_back(prompt_alternatives(without_networks(prompt, found)));
        else
            parts.push_back({{prompt, 1}});
        if (tower == 0 || prompts.size() > 1) networks += found;
        gpu::check(parts[tower].size() == parts[0].size(), gpu::ErrorCode::InvalidGraph, "text encode: expected as many parts between AND in both prompts, {}, got {}",
                   parts[0].size(), parts[tower].size());
    }
    double weights = 0;
    std::int64_t longest = 0;
    for (std::size_t part = 0; part < parts[0].size(); ++part) {
        Texts texts;
        for (const auto& tower : parts) texts.push_back(tower[part].text);
        const std::vector<Span> spans = options.dialect == PromptDialect::A1111 ? joint_schedule(texts, options.steps)
                                                                                : std::vector<Span>{{0, options.steps, texts}};
        const double strength = parts[0].size() == 1 ? 1 : parts[0][part].weight;
        weights += strength;
        for (ConditioningEntry& entry : encode_spans(encoder, spans, strength, options, missing)) {
            longest = std::max(longest, entry.context.size(1));
            made.conditioning.entries.push_back(std::move(entry));
        }
    }
    // As many tokens in all: the last one again and again.
    for (ConditioningEntry& entry : made.conditioning.entries) {
        const std::int64_t length = entry.context.size(1);
        if (length == longest) continue;
        const Tensor last = gpu::slice(entry.context, 1, length - 1, length);
        entry.context = gpu::concat({entry.context, gpu::repeat(last, {1, longest - length, 1})}, 1);
    }
    if (parts[0].size() > 1 && weights != 1)
        made.warnings.push_back(gpu::format("the parts between AND are averaged by their weights; a1111 adds them, which a guidance scale of {} times as much does", weights));
    for (const std::string& name : missing) made.warnings.push_back(gpu::format("embedding:{} was left out: no embedding of this name is loaded", name));
    for (const QString& network : networks) made.warnings.push_back(gpu::format("{} was left out: a node loads adapters", network.toStdString()));
    return made;
}

std::string token_table(const Encoder& encoder, const std::string& prompt, const EncodeOptions& options) {
    const QString whole = QString::fromStdString(prompt);
    QStringList texts, networks;
    if (options.dialect == PromptDialect::A1111) {
        for (const SubPrompt& part : prompt_alternatives(without_networks(whole, networks)))
            for (const PromptSpan& span : prompt_schedule(part.text, options.steps))
                if (!texts.contains(span.text)) texts << span.text;
    } else {
        texts << whole;
    }
    std::string table;
    for (const QString& text : texts)
        for (const TowerUse& use : encoder.towers()) {
            const TextTowerInfo& info = use.tower->info();
            for (const TextChunk& chunk : text_chunks(*use.tower, encoder.embeddings(), text, options.dialect)) {
                table += info.name + ":";
                for (std::size_t i = 1; i < chunk.tokens.size(); ++i) {
                    const TextToken& token = chunk.tokens[i];
                    if (!token.row && token.id == info.end) break;
                    std::string word = token.row ? "<learned>" : use.tower->text_of(token.id);
                    if (word.ends_with(' ')) word.pop_back();
                    table += ' ' + word + (chunk.weights[i] == 1 ? "" : gpu::format(":{}", chunk.weights[i]));
                }
                table += '\n';
            }
        }
    return table;
}

}  // namespace nodes
