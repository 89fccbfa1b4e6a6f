#include "nodes/models/detect/complete.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "gpu/base/error.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/clip/text.h"
#include "nodes/models/controlnet/controlnet.h"
#include "nodes/models/unet/unet.h"
#include "nodes/models/vae/kl.h"
#include "nodes/models/vae/vq.h"

namespace nodes {
namespace {

using gpu::format;

// Compares what a network asked of a scope of shapes with what files hold.
void compare(const gpu::Scope& asked, const gpu::Weights& weights, const std::string& prefix, ModelFacts& facts) {
    std::set<std::string, std::less<>> names;
    for (const gpu::Scope::Asked& one : asked.asked()) {
        names.insert(one.name);
        const auto at = weights.find(one.name);
        if (at == weights.end())
            facts.missing.push_back(prefix + one.name);
        else if (at->second.entry.shape != one.shape)
            facts.unexpected.push_back(format("{}{} (expected {}, got {})", prefix, one.name, gpu::to_string(one.shape), gpu::to_string(at->second.entry.shape)));
    }
    for (const auto& [name, weight] : weights)
        if (!names.contains(name)) facts.unexpected.push_back(weight.entry.name);
}

// Buffers of training and schedules that checkpoints carry.
bool is_ballast(std::string_view name) {
    static constexpr std::string_view starts[] = {"model_ema.", "betas", "alphas_cumprod", "sqrt_", "posterior_", "log_one_minus_", "logvar", "num_updates", "lvlb_weights",
                                                  "denoiser.", "edm_", "v_pred", "ztsnr", "ucg_state", "scale_factor", "loss.", "optimizer", "low_scale_model.", "embedding_manager."};
    return std::any_of(std::begin(starts), std::end(starts), [&](std::string_view start) { return name.starts_with(start); }) || name.ends_with("position_ids") ||
           name.ends_with("logit_scale") || name.ends_with("attn_mask") || name.ends_with("text_projection") || name.ends_with("text_projection.weight");
}

void check_text(const FileNames& names, ModelFacts& facts) {
    // Without the projection, which not all have and which would be read: it is stored turned.
    std::vector<gpu::Checkpoint> files;
    for (const gpu::Checkpoint& file : names.files()) {
        gpu::CheckpointContent content{.path = file.path(), .format = file.format(), .keep = {file.owner()}};
        std::copy_if(file.entries().begin(), file.entries().end(), std::back_inserter(content.entries),
                     [](const gpu::TensorEntry& entry) { return entry.name.find("text_projection") == entry.name.npos; });
        files.emplace_back(std::move(content));
    }
    for (const ClipPlace& place : find_clip_text(files)) {
        gpu::Weights weights;
        add_clip_text_weights(weights, files, place.prefix);
        const gpu::Scope scope = gpu::Scope::shapes();
        const ClipText tower(scope, read_clip_text_config(weights));
        compare(scope, weights, place.prefix, facts);
    }
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return text;
}

// What only a name or the file's own words tell: distilled models have the weights' names and shapes of their teachers.
void read_words(const FileNames& names, ModelFacts& facts) {
    for (const gpu::Checkpoint& file : names.files()) {
        std::string words = lower(file.path().substr(file.path().rfind('/') + 1));
        for (const auto& [key, value] : file.metadata()) {
            if (key == "modelspec.title" || key == "modelspec.architecture") words += " " + lower(value);
            if (key == "modelspec.prediction_type" && !value.empty()) facts.prediction = lower(value) == "v" || lower(value) == "v_prediction" ? "v" : "epsilon";
        }
        for (const char* word : {"turbo", "lightning", "hyper"})
            if (facts.variant.empty() && words.find(word) != words.npos) {
                facts.variant = word;
                facts.notes.push_back(format("Its name says {}; the weights of such models look like their teacher's.", word));
            }
    }
}

}  // namespace

bool predicts_v(const gpu::Weights& unet) {
    const auto at = unet.find("output_blocks.11.1.transformer_blocks.0.norm1.bias");
    if (at == unet.end()) return false;
    const std::vector<float> values = gpu::entry_floats(at->second.entry);
    double sum = 0, squares = 0;
    for (const float value : values) sum += value, squares += double(value) * value;
    const double count = static_cast<double>(values.size());
    return count > 1 && std::sqrt(std::max(0.0, (squares - sum * sum / count) / (count - 1))) > 0.09;
}

void describe_unet(const FileNames& names, const UnetPlace& place, ModelFacts& facts) {
    gpu::Weights weights;
    add_unet_weights(weights, names.files(), place.prefix);
    try {
        const UnetConfig config = read_unet_config(weights);
        const gpu::Scope scope = gpu::Scope::shapes();
        const UnetNetwork network(scope, config);
        compare(scope, weights, place.prefix, facts);
        facts.family = config.family();
        facts.prediction = "epsilon";
        if (config.guidance_width > 0) facts.variant = "LCM";
        const int extra = config.in_channels - config.out_channels;
        if (extra == 5) facts.variant = "inpainting";
        if (extra == 4) facts.variant = "instruction or pose";
        if (extra == 1) facts.variant = "depth";
        if (extra == 3) facts.variant = "upscaler", facts.prediction = "v";
        if (facts.family == "sd2") {
            try {
                if (predicts_v(weights)) facts.prediction = "v";
                facts.notes.push_back("The prediction type is a guess from a bias; a loader can be told another.");
            } catch (const gpu::Error& error) {
                facts.notes.push_back(std::string("The bias that tells the prediction type can not be read: ") + error.what());
            }
        }
    } catch (const gpu::Error& error) {
        facts.notes.push_back(std::string("The UNet does not hang together: ") + error.what());
    }
    if (names.has("v_pred")) facts.prediction = "v";
    if (names.has("ztsnr")) facts.zero_terminal_snr = true;
    if (names.has("edm_mean") || names.has("edm_std")) facts.prediction = "edm", facts.variant = "Playground 2.5";
    read_words(names, facts);
    if (facts.kind != FileKind::Checkpoint) return;
    for (const gpu::Checkpoint& file : names.files())
        if (file.find("first_stage_model.encoder.conv_in.weight") || file.find("first_stage_model.decoder.conv_in.weight"))
            if (const auto vae = find_vae(file, "first_stage_model.")) {
                const std::vector<std::string> notes = facts.notes;
                describe_vae(file, *vae, facts);
                facts.notes = notes;
            }
    try {
        check_text(names, facts);
    } catch (const gpu::Error& error) {
        facts.notes.push_back(std::string("The text encoder does not hang together: ") + error.what());
    }
    for (const gpu::Checkpoint& file : names.files())
        for (const gpu::TensorEntry& entry : file.entries()) {
            const std::string_view name = entry.name;
            if (!name.starts_with(place.prefix) && !name.starts_with("first_stage_model.") && !name.starts_with("cond_stage_model.") && !name.starts_with("conditioner.embedders.") &&
                !is_ballast(name))
                facts.unexpected.push_back(entry.name);
        }
}

void describe_vae(const gpu::Checkpoint& file, const VaePlace& place, ModelFacts& facts) {
    try {
        gpu::Weights weights;
        add_vae_weights(weights, file, place.prefix);
        const VaeConfig config = read_vae_config(weights);
        facts.notes.push_back(format("{} latent channels, {} pixels a cell.", config.channels, config.factor()));
        if (place.kind != VaeKind::Kl) return;      // their lists are not known here
        const gpu::Scope scope = gpu::Scope::shapes();
        const KlAutoencoder network(scope, config, latent_format("", config.channels));
        compare(scope, weights, place.prefix, facts);
    } catch (const gpu::Error& error) {
        facts.notes.push_back(std::string("The autoencoder does not hang together: ") + error.what());
    }
}

void describe_control(const gpu::Checkpoint& file, ModelFacts& facts) {
    try {
        gpu::Weights weights;
        if (add_controlnet_weights(weights, file) == ControlForm::Lora) return;
        // Zeros of the same shapes: the hint encoder's widths are read off them, and no weight is read.
        NamedTensors shapes;
        for (const auto& [name, weight] : weights) shapes.emplace(name, gpu::zeros(weight.entry.shape));
        const gpu::Scope scope = gpu::Scope::tensors(std::move(shapes));
        const UnetConfig config = read_unet_config(weights);
        const ControlNetBranch network(scope, config);
        compare(scope, weights, "", facts);
        if (facts.family.empty()) facts.family = config.family();
    } catch (const gpu::Error& error) {
        facts.notes.push_back(std::string("The ControlNet does not hang together: ") + error.what());
    }
}

}  // namespace nodes
