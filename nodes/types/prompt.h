// The grammar of prompts, without tokens. Three dialects: `comfy` (ComfyUI), `a1111` (stable-diffusion-webui), `plain`.
//
//     (x)        emphasis by 1.1                                     comfy, a1111
//     (x:w)      comfy: the weight is w; a1111: it is multiplied     comfy, a1111
//     [x]        emphasis by 1 / 1.1                                 a1111
//     \( \)      the character itself; a1111: also \[ \] \\          comfy, a1111
//     BREAK      ends the chunk of 75 tokens                         a1111
//     [a:b:n]    a up to step n (below 1: that part of the steps), b from then on; [b:n], [a::n]      a1111
//     [a|b|c]    one step a, the next b, ...                         a1111
//     a AND b:w  prompts that are predicted each by itself           a1111
#pragma once

#include <QString>
#include <QStringList>
#include <vector>

namespace nodes {

enum class PromptDialect { Comfy, A1111, Plain };

// How a prompt is read.
struct EncodeOptions {
    PromptDialect dialect = PromptDialect::Comfy;
    int steps = 20;                 // of the sampler: what steps of a1111's schedules mean
};

// A run of text with one weight.
struct PromptPart {
    QString text;
    double weight = 1;
    bool chunk_end = false;      // BREAK: no text, the next part starts a chunk
    bool operator==(const PromptPart&) const = default;
};

// Never empty of text where the prompt has some; an empty prompt gives one empty part, or none.
std::vector<PromptPart> weighted_parts(const QString& prompt, PromptDialect dialect);

// What the prompt says in steps first <= step < last, counted from 0.
struct PromptSpan {
    int first = 0, last = 1;
    QString text;
    bool operator==(const PromptSpan&) const = default;
};

// The schedule of an a1111 prompt for a sampler of `steps` steps, without gaps; neighbours may say the same. A prompt whose brackets make no sense is taken
// literally where they don't.
std::vector<PromptSpan> prompt_schedule(const QString& prompt, int steps);

// The parts of an a1111 prompt between the words AND, with their weights.
struct SubPrompt {
    QString text;
    double weight = 1;
    bool operator==(const SubPrompt&) const = default;
};
std::vector<SubPrompt> prompt_alternatives(const QString& prompt);

// Learned words that a text of the comfy dialect calls by "embedding:name", at the start or behind a space or a new line.
struct EmbeddingCall {
    qsizetype at = 0;              // where "embedding:" begins
    qsizetype name = 0, end = 0;   // the name goes up to white space
    bool operator==(const EmbeddingCall&) const = default;
};
std::vector<EmbeddingCall> embedding_calls(const QString& text);

// What characters of a prompt are, for those who show it: found by the functions above as they read, not by another grammar.
enum class PromptMarkKind {
    Weighted,      // text whose weight is not 1
    Bracket,       // ( ) [ ] of emphasis
    Number,        // ":1.2" of emphasis and behind AND
    Escape,        // "\("
    Break, And,    // the words
    Schedule,      // [ ] | : and the number of a schedule
    Network,       // "<lora:name:1>", which an encoder leaves out
    Embedding,     // "embedding:name"
};

struct PromptMark {
    qsizetype at = 0, length = 0;
    PromptMarkKind kind = PromptMarkKind::Weighted;
    double weight = 1;             // of Weighted
    bool operator==(const PromptMark&) const = default;
};

// One pair of round brackets: "(red heart:1.2)".
struct PromptEmphasis {
    qsizetype at = 0, length = 0;              // with its brackets
    qsizetype inner = 0, inner_length = 0;     // without them and the number
    double weight = 1;                         // its own: 1.1 where no number is written
    bool operator==(const PromptEmphasis&) const = default;
};

// Marks in the order of their places; those of one kind do not overlap.
struct PromptSyntax {
    std::vector<PromptMark> marks;
    std::vector<PromptEmphasis> emphasis;
};
PromptSyntax prompt_syntax(const QString& prompt, PromptDialect dialect, int steps = 20);

// The prompt without "<lora:name:weight>" and its like, which are for a loader; `removed` gets them.
QString without_networks(const QString& prompt, QStringList& removed);

}  // namespace nodes
