#include "nodes/types/latent.h"

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/image.h"
#include "nodes/types/tensor.h"

namespace nodes {
namespace {

// Not the picture that it stands for, but enough to see shapes: three channels, four deviations wide around zero.
QImage preview(const Latent& latent, int max_side) {
    const Tensor first = gpu::slice(latent.tensor, 0, 0, 1);
    const Tensor shown = latent.format.channels >= 3 ? gpu::slice(first, 1, 0, 3) : gpu::slice(first, 1, 0, 1);
    return to_qimage({gpu::clamp(shown / 6.0 + 0.5, 0, 1), ColorSpace::Raw}, max_side);
}

std::optional<StoredValue> stored(const Latent& latent) {
    const LatentFormat& f = latent.format;
    return StoredValue{{{"family", QString::fromStdString(f.family)}, {"channels", f.channels}, {"factor", f.factor}, {"scale", f.scale}, {"shift", f.shift}},
                       {{"tensor", latent.tensor}}};
}

Value restored(const StoredValue& stored) {
    const QJsonObject& f = stored.fields;
    return Value::of<Latent>(make_latent(stored_tensor(stored, "tensor"),
                                         {.family = f["family"].toString().toStdString(), .channels = f["channels"].toInt(), .factor = f["factor"].toInt(8),
                                          .scale = f["scale"].toDouble(1), .shift = f["shift"].toDouble()}));
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

Latent Latent::with(Tensor changed) const { return make_latent(std::move(changed), format); }

Latent make_latent(Tensor tensor, LatentFormat format) {
    const gpu::Shape& s = tensor.shape();
    gpu::check(tensor.dtype() == gpu::Dtype::F32 && s.size() == 4 && s[1] == format.channels && tensor.element_count() > 0,
               gpu::ErrorCode::InvalidGraph, "latent: expected F32 [N, {}, h, w] with cells, got {}", format.channels,
               gpu::to_string(tensor.spec()));
    return {std::move(tensor), std::move(format)};
}

Latent evaluated(Latent latent) {
    gpu::evaluate({latent.tensor});
    return latent;
}

SocketType SocketTraits<Latent>::describe() {
    return {.title = "Latent", .colour = "#b86a9a", .help = "An autoencoder's compact form of pictures",
            .bytes = erased<Latent>([](const Latent& latent) { return tensor_bytes(latent.tensor); }),
            .summary = erased<Latent>([](const Latent& latent) {
                const std::string batch = latent.batch() == 1 ? "" : gpu::format("{} x ", latent.batch());
                const std::string& family = latent.format.family;
                return gpu::format("{}{} x {}, {} channels{}{}", batch, latent.width(), latent.height(),
                                   latent.format.channels, family.empty() ? "" : ", ", family);
            }),
            .preview = erased<Latent>(preview),
            .hash = erased<Latent>([](const Latent& latent) {
                return gpu::Hasher().add(latent.format.family).add(content_hash(latent.tensor)).finish();
            }),
            .collect = collect_tensors<Latent>,
            .store = erased<Latent>(stored),
            .restore = restored};
}

}  // namespace nodes
