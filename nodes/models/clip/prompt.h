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

// The prompt without "<lora:name:weight>" and its like, which are for a loader; `removed` gets them.
QString without_networks(const QString& prompt, QStringList& removed);

}  // namespace nodes
