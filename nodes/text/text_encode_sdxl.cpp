#include "nodes/text/encoder_params.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

struct TextEncodeSdxl final : Node, ReadsPrompts {
    TextEncodeSdxl() : Node({.id = "text.encode_sdxl", .version = 1, .title = "Encode Text for SDXL", .category = "Text",
                             .help = "Turns one prompt for each of SDXL's encoders into conditioning, with the size that the picture is said to have had "
                                     "and how it was cropped."}) {}

    In<Encoder>          encoder{this, "encoder", "SDXL's text encoders"};
    Param<std::string>   text_l {this, "text_l", "The prompt of the first encoder, CLIP-L", {.multiline = true, .label = "Text of CLIP-L"}};
    Param<std::string>   text_g {this, "text_g", "The prompt of the second encoder, OpenCLIP bigG", {.multiline = true, .label = "Text of bigG"}};
    Param<PromptDialect> dialect{this, "dialect", "How weights, schedules and learned words are written, and how weights act",
                                 {.initial = PromptDialect::Comfy, .names = {"comfy", "a1111", "plain"}}};
    Param<int>           width  {this, "width", "Original width; 0: that of the picture that is made", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>           height {this, "height", "Original height; 0: that of the picture that is made", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>           left   {this, "left", "Columns that were cropped away at the left", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>           top    {this, "top", "Rows that were cropped away at the top", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>           target_width {this, "target_width", "Width after cropping; 0: that of the picture that is made", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>           target_height{this, "target_height", "Height after cropping; 0: that of the picture that is made", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>           skip   {this, "skip", "Layers left out from the end: 0 none, 1 the penultimate state; -1: as SDXL was trained", {.initial = -1, .min = -1, .max = 47, .label = "Clip skip", .advanced = true}};
    Param<int>           steps  {this, "steps", "Steps of the sampler: what the numbers in a1111's schedules mean", {.initial = 20, .min = 1, .max = 10000, .advanced = true}};
    Out<Conditioning>    conditioning{this, "conditioning", "The encoded prompts with their sizes"};

    std::vector<PromptText> prompt_texts() const override { return {{.param = "text_l", .steps = "steps"}, {.param = "text_g", .tower = 1, .steps = "steps"}}; }

    void compute(Eval& ev) const override {
        if (ev[encoder].towers().size() != 2) ev.fail(encoder, "expected the two text encoders of SDXL, got {}", ev[encoder].summary());
        Conditioning made = encoded(ev, with_skip_param(ev[encoder], ev[skip]), {ev[text_l], ev[text_g]}, {.dialect = ev[dialect], .steps = ev[steps]});
        for (ConditioningEntry& entry : made.entries)
            entry.size = {.height = double(ev[height]), .width = double(ev[width]), .top = double(ev[top]), .left = double(ev[left]),
                          .target_height = double(ev[target_height]), .target_width = double(ev[target_width])};
        ev.set(conditioning, std::move(made));
    }
};

}  // namespace

REGISTER_NODE(text_encode_sdxl, TextEncodeSdxl)

}  // namespace nodes
