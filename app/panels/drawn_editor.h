// In the place of a text that is drawn on the picture: how much there is, and a way to start over.
#pragma once

#include "app/panels/param_editor.h"

namespace app {

// Whether strokes on the picture write this parameter.
bool is_drawn(const nodes::Node& type, const std::string& param);

std::unique_ptr<ParamEditor> make_drawn_editor(const nodes::ParamInfo& info);

}  // namespace app
