#include <filesystem>

#include "gpu/base/error.h"
#include "nodes/models/controlnet/controlnet.h"
#include "nodes/models/detect/detect.h"
#include "nodes/models/t2i_adapter/t2i_adapter.h"

namespace nodes {

Control load_control(const std::string& path, const UnetHints& hints) {
    const gpu::Checkpoint file = gpu::open_checkpoint(path);
    const std::string name = std::filesystem::path(path).stem().string();
    if (control_form(file) == ControlForm::None)
        if (is_t2i_adapter(file)) return {make_t2i_adapter(file, name)};
    if (control_form(file) == ControlForm::None) expect_kind(file, {FileKind::ControlNet, FileKind::T2iAdapter}, "a ControlNet or a T2I-Adapter");
    gpu::Weights weights;
    const ControlForm form = add_controlnet_weights(weights, file);
    // Nothing in the file says so: its published names do ("control_v11e_sd15_shuffle").
    const bool pools = name.find("shuffle") != std::string::npos;
    return {std::make_shared<const ControlNet>(std::move(weights), form, hints, name, pools)};
}

}  // namespace nodes
