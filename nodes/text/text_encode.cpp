#include "nodes/text/encoder_params.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

struct TextEncode final : Node, ReadsPrompts {
    TextEncode() : Node({.id = "text.encode", .version = 1, .title = "Encode Text", .category = "Text",
                         .help = "Turns a prompt into conditioning. Dialects: comfy, (x:1.2) sets a weight and embedding:name calls a learned word; a1111, weights "
                                 "multiply, [x] weakens, BREAK, AND, [from:to:when] and [a|b]; plain, text as it is. Prompts of more than 75 tokens become several chunks."}) {}

    In<Encoder>          encoder{this, "encoder", "The text encoders"};
    In<std::string>      prompt {this, "prompt", "The prompt; the parameter when nothing is connected", {.optional = true}};
    Param<std::string>   text   {this, "text", "The prompt", {.multiline = true}};
    Param<PromptDialect> dialect{this, "dialect", "How weights, schedules and learned words are written, and how weights act",
                                 {.initial = PromptDialect::Comfy, .names = {"comfy", "a1111", "plain"}}};
    Param<int>           skip   {this, "skip", "Layers left out from the end: 0 none, 1 the penultimate state (\"clip skip 2\"); -1: as the family was trained",
                                 {.initial = -1, .min = -1, .max = 47, .label = "Clip skip"}};
    Param<int>           steps  {this, "steps", "Steps of the sampler: what the numbers in a1111's schedules mean", {.initial = 20, .min = 1, .max = 10000, .advanced = true}};
    Out<Conditioning>    conditioning{this, "conditioning", "The encoded prompt"};
    Out<std::string>     tokens {this, "tokens", "The tokens with their weights, one line a chunk"};

    std::vector<PromptText> prompt_texts() const override { return {{.param = "text", .input = "prompt", .steps = "steps"}}; }

    void compute(Eval& ev) const override {
        const Encoder used = with_skip_param(ev[encoder], ev[skip]);
        const std::string given = ev.has(prompt) ? ev[prompt] : ev[text];
        const EncodeOptions options{.dialect = ev[dialect], .steps = ev[steps]};
        ev.set(conditioning, encoded(ev, used, {given}, options));
        ev.set(tokens, token_table(used, given, options));
    }
};

}  // namespace

REGISTER_NODE(text_encode, TextEncode)

}  // namespace nodes
