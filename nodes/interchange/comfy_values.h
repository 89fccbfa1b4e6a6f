// Conversions that several entries of the ComfyUI table share: names of files, samplers and schedules, prompts,
// numbers.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "nodes/interchange/comfy_class.h"

namespace nodes {

// Names of one tool for those of the other, by pairs {ComfyUI's, Heddle's}. Others are left out, with a word to the
// user.
ComfyConversion names(std::initializer_list<std::pair<const char*, const char*>> pairs);
// true and false for two names.
ComfyConversion flag_names(const char* for_true, const char* for_false);
// "enable" and "disable" for true and false.
ComfyConversion enabled();
// 1 - x, where the tools count from opposite ends.
ComfyConversion complement();

// A name below one of ComfyUI's folders of models, such as {"checkpoints"}: with the folder in front where ComfyUI's
// place is known. The first folder that has the file counts.
ComfyConversion model_file(std::initializer_list<const char*> folders);
// A picture: "mask.png [input]" without the suffix.
ComfyConversion input_file();
// A file prefix with this ending, "ComfyUI" -> "ComfyUI.png".
ComfyConversion output_file(const char* ending);

// A prompt of the editor: of {this|that}, which it draws at random before each run, the first.
ComfyConversion prompt();

ComfyConversion sampler_name();
ComfyConversion scheduler_name();
// The order of UniPC that ComfyUI takes; nothing for other samplers.
ComfyConversion sampler_order();

// clip skip: ComfyUI counts layers from the end, -1 the last; Heddle those that are left out.
ComfyConversion skipped_layers();
// 0xrrggbb as "#rrggbb".
ComfyConversion packed_color();

// The first alternative of each {a|b|c}, innermost first; "\{" and the like are text. `changed` tells whether there was
// one.
std::string first_alternatives(const std::string& prompt, bool& changed);

}  // namespace nodes
