#include "gpu/ops.h"
#include "nodes/text/encoder_params.h"
#include "nodes/types/number.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

struct TextEncodeLines final : Node, ReadsPrompts {
    TextEncodeLines() : Node({.id = "text.encode_lines", .version = 1, .title = "Encode Lines", .category = "Text",
                              .help = "One prompt a line, for one picture each of a batch. Empty Latent makes as many latents as there are lines. Prompts of a1111's dialect with "
                                      "schedules or AND do not fit into a line."}) {}

    In<Encoder>          encoder{this, "encoder", "The text encoders"};
    In<std::string>      prompts{this, "prompts", "The prompts; the parameter when nothing is connected", {.optional = true}};
    Param<std::string>   text   {this, "text", "The prompts, one a line; empty lines are passed over", {.multiline = true}};
    Param<PromptDialect> dialect{this, "dialect", "How weights and learned words are written, and how weights act",
                                 {.initial = PromptDialect::Comfy, .names = {"comfy", "a1111", "plain"}}};
    Out<Conditioning>    conditioning{this, "conditioning", "The encoded prompts, a row each"};
    Out<std::string>     lines  {this, "lines", "The prompts that were encoded"};
    Out<double>          count  {this, "count", "How many"};

    std::vector<PromptText> prompt_texts() const override { return {{.param = "text", .input = "prompts", .lines = true}}; }

    void compute(Eval& ev) const override {
        std::vector<Tensor> contexts, pooled;
        std::int64_t longest = 0;
        std::string told;
        for (const std::string& prompt : text_lines(ev.has(prompts) ? ev[prompts] : ev[text])) {
            EncodedPrompt made = encode_prompt(ev[encoder], {prompt}, {.dialect = ev[dialect]});
            for (const std::string& warning : made.warnings) ev.warn("{}: {}", prompt, warning);
            if (made.conditioning.entries.size() != 1) ev.fail(text, "expected prompts without schedules and AND, got \"{}\"", prompt);
            const ConditioningEntry& entry = made.conditioning.entries[0];
            contexts.push_back(entry.context);
            if (entry.pooled) pooled.push_back(entry.pooled);
            longest = std::max(longest, entry.context.size(1));
            told += (told.empty() ? "" : "\n") + prompt;
        }
        if (contexts.empty()) ev.fail(text, "expected a line, got none");
        // Shorter prompts are repeated whole, as chunks are: attention to a context twice is attention to it once.
        for (Tensor& context : contexts)
            if (context.size(1) < longest) {
                if (longest % context.size(1) != 0) ev.fail(text, "expected prompts of lengths that divide one another, got {} and {} tokens", context.size(1), longest);
                context = gpu::repeat(context, {1, longest / context.size(1), 1});
            }
        Conditioning all;
        all.entries.push_back({.context = gpu::concat(contexts, 0), .pooled = pooled.size() == contexts.size() ? gpu::concat(pooled, 0) : Tensor(), .mask = {}});
        ev.set(count, static_cast<double>(contexts.size()));
        ev.set(conditioning, evaluated(std::move(all)));
        ev.set(lines, told);
    }
};

}  // namespace

REGISTER_NODE(text_encode_lines, TextEncodeLines)

}  // namespace nodes
