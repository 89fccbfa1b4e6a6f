#include "nodes/types/latent.h"

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/image.h"
#include "nodes/types/tensor.h"

namespace nodes {
namespace {

// RGB in -1..1 as a linear map of the four channels, fitted to decoded pictures by others.
struct Colours {
    const char* family;
    float rows[4][3];      // a row a channel
};
constexpr Colours colours[] = {
    // discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204
    {"sd1", {{0.298F, 0.207F, 0.208F}, {0.187F, 0.286F, 0.173F}, {-0.158F, 0.189F, 0.264F}, {-0.184F, -0.271F, -0.473F}}},
    // github.com/AUTOMATIC1111/stable-diffusion-webui, modules/sd_vae_approx.py
    {"sdxl", {{0.3448F, 0.4168F, 0.4395F}, {-0.1953F, -0.0290F, 0.0250F}, {0.1074F, 0.0886F, -0.0163F}, {-0.3730F, -0.2499F, -0.2088F}}}};

Tensor rgb_of(const Tensor& latent, const LatentFormat& format) {      // [1, C, h, w] -> [1, 1 or 3, h, w] in 0..1
    for (const Colours& each : colours) {
        if (format.family != each.family || format.channels != 4) continue;
        std::vector<float> weights;      // [3, 4, 1, 1]
        for (int colour = 0; colour < 3; ++colour)
            for (const auto& row : each.rows) weights.push_back(row[colour]);
        return gpu::conv2d(latent, gpu::tensor(weights, {3, 4, 1, 1})) * 0.5 + 0.5;
    }
    // Not the picture that it stands for, but enough to see shapes: four deviations wide around zero.
    return gpu::slice(latent, 1, 0, format.channels >= 3 ? 3 : 1) / 6.0 + 0.5;
}

Value collected_latents(const std::vector<Value>& values) {
    gpu::Tensors parts, masks;
    bool masked = false;
    for (const Value& value : values) masked = masked || value.get<Latent>()->mask;
    for (const Value& value : values) {
        const Latent& latent = *value.get<Latent>();
        parts.push_back(latent.tensor);
        const gpu::Shape shape{latent.batch(), 1, latent.height(), latent.width()};
        if (masked) masks.push_back(latent.mask ? gpu::broadcast_to(latent.mask, shape) : gpu::ones(shape));
    }
    const Latent all = make_latent(collected(parts, "latent"), values.front().get<Latent>()->format);
    return Value::of(evaluated(masked ? all.with_mask(collected(masks, "mask of a latent")) : all));
}

std::optional<StoredValue> stored(const Latent& latent) {
    const LatentFormat& f = latent.format;
    StoredValue stored{{{"family", QString::fromStdString(f.family)}, {"channels", f.channels}, {"factor", f.factor}, {"scale", f.scale}, {"shift", f.shift}},
                       {{"tensor", latent.tensor}}};
    if (latent.mask) stored.tensors.emplace("mask", latent.mask);
    return stored;
}

Value restored(const StoredValue& stored) {
    const QJsonObject& f = stored.fields;
    const Latent latent = make_latent(stored_tensor(stored, "tensor"),
                                      {.family = f["family"].toString().toStdString(), .channels = f["channels"].toInt(), .factor = f["factor"].toInt(8),
                                       .scale = f["scale"].toDouble(1), .shift = f["shift"].toDouble()});
    return Value::of<Latent>(stored.tensors.contains("mask") ? latent.with_mask(stored_tensor(stored, "mask")) : latent);
}

bool fits(const Tensor& mask, const Latent& latent) {
    return mask.dtype() == gpu::Dtype::F32 && mask.rank() == 4 && (mask.size(0) == 1 || mask.size(0) == latent.batch()) && mask.size(1) == 1 &&
           mask.size(2) == latent.height() && mask.size(3) == latent.width();
}

}  // namespace

LatentFormat latent_format(const std::string& family, int channels) {
    struct Row {
        const char* family;
        int channels;
        double scale, shift;
    };
    static constexpr Row rows[] = {{"sd1", 4, 0.18215, 0},
                                   {"sdxl", 4, 0.13025, 0},
                                   {"sd3", 16, 1.5305, 0.0609},
                                   {"flux", 16, 0.3611, 0.1159}};
    for (const Row& row : rows)
        if (row.family == family && row.channels == channels)
            return {.family = family, .channels = channels, .scale = row.scale, .shift = row.shift};
    return {.family = family, .channels = channels};
}

Latent Latent::with(Tensor changed) const {
    Latent made = make_latent(std::move(changed), format);
    if (mask && fits(mask, made)) made.mask = mask;
    return made;
}

Latent Latent::with_mask(Tensor changed) const {
    gpu::check(!changed || fits(changed, *this), gpu::ErrorCode::InvalidGraph, "latent: expected a mask F32 [1 or {}, 1, {}, {}], got {}", batch(),
               height(), width(), changed ? gpu::to_string(changed.spec()) : "none");
    Latent made = *this;
    made.mask = std::move(changed);
    return made;
}

Latent make_latent(Tensor tensor, LatentFormat format) {
    const gpu::Shape& s = tensor.shape();
    gpu::check(tensor.dtype() == gpu::Dtype::F32 && s.size() == 4 && s[1] == format.channels && tensor.element_count() > 0,
               gpu::ErrorCode::InvalidGraph, "latent: expected F32 [N, {}, h, w] with cells, got {}", format.channels,
               gpu::to_string(tensor.spec()));
    return {std::move(tensor), std::move(format), {}};
}

Latent evaluated(Latent latent) {
    gpu::Tensors wanted{latent.tensor};
    if (latent.mask) wanted.push_back(latent.mask);
    gpu::evaluate(wanted);
    return latent;
}

QImage latent_preview(const Latent& latent, int max_side) {
    const Tensor shown = rgb_of(gpu::slice(latent.tensor, 0, 0, 1), latent.format);
    return to_qimage({gpu::clamp(shown, 0, 1), latent.format.channels >= 3 ? ColorSpace::Srgb : ColorSpace::Raw}, max_side);
}

SocketType SocketTraits<Latent>::describe() {
    return {.title = "Latent", .colour = "#b86a9a", .help = "An autoencoder's compact form of pictures",
            .bytes = erased<Latent>([](const Latent& latent) { return tensor_bytes(latent.tensor) + (latent.mask ? tensor_bytes(latent.mask) : 0); }),
            .summary = erased<Latent>([](const Latent& latent) {
                const std::string batch = latent.batch() == 1 ? "" : gpu::format("{} x ", latent.batch());
                const std::string& family = latent.format.family;
                return gpu::format("{}{} x {}, {} channels{}{}{}", batch, latent.width(), latent.height(), latent.format.channels,
                                   family.empty() ? "" : ", ", family, latent.mask ? ", masked" : "");
            }),
            .preview = erased<Latent>(latent_preview),
            .hash = erased<Latent>([](const Latent& latent) {
                gpu::Hasher hasher;
                hasher.add(latent.format.family).add(content_hash(latent.tensor));
                if (latent.mask) hasher.add(content_hash(latent.mask));
                return hasher.finish();
            }),
            .collect = collected_latents,
            .store = erased<Latent>(stored),
            .restore = restored};
}

}  // namespace nodes
