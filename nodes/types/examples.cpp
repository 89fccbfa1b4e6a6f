#include "nodes/types/examples.h"

#include <QJsonArray>

#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"

namespace nodes {
namespace {

std::shared_ptr<const std::vector<float>> floats_of(const Tensor& tensor) { return std::make_shared<const std::vector<float>>(gpu::to_floats(tensor)); }

std::optional<StoredValue> stored(const Examples& e) {
    QJsonArray captions;
    for (const std::string& caption : e.captions) captions.append(QString::fromStdString(caption));
    StoredValue kept{.fields = {{"family", QString::fromStdString(e.format.family)}, {"factor", e.format.factor}, {"scale", e.format.scale}, {"shift", e.format.shift},
                                  {"captions", captions}},
                       .tensors = {{"latents", gpu::tensor(*e.latents, {e.size(), e.variants, e.format.channels, e.height, e.width})},
                                   {"contexts", gpu::tensor(*e.contexts, {e.size() + 1, e.tokens, e.context_width})}}};
    if (e.masks) kept.tensors.emplace("masks", gpu::tensor(*e.masks, {e.size(), e.variants, e.height, e.width}));
    return kept;
}

Value restored(const StoredValue& from) {
    const Tensor latents = stored_tensor(from, "latents"), contexts = stored_tensor(from, "contexts");
    Examples e;
    for (const QJsonValue& caption : from.fields["captions"].toArray()) e.captions.push_back(caption.toString().toStdString());
    gpu::check(latents.rank() == 5 && contexts.rank() == 3 && latents.size(0) == e.size() && contexts.size(0) == e.size() + 1, gpu::ErrorCode::BadFile,
               "stored examples: expected latents and contexts of {} captions, got {} and {}", e.size(), gpu::to_string(latents.shape()), gpu::to_string(contexts.shape()));
    e.format = {.family = from.fields["family"].toString().toStdString(), .channels = static_cast<int>(latents.size(2)), .factor = from.fields["factor"].toInt(),
                .scale = from.fields["scale"].toDouble(), .shift = from.fields["shift"].toDouble()};
    e.variants = static_cast<int>(latents.size(1)), e.height = latents.size(3), e.width = latents.size(4);
    e.tokens = contexts.size(1), e.context_width = contexts.size(2);
    e.latents = floats_of(latents), e.contexts = floats_of(contexts);
    if (from.tensors.contains("masks")) {
        const Tensor masks = stored_tensor(from, "masks");
        gpu::check(masks.shape() == gpu::Shape{e.size(), e.variants, e.height, e.width}, gpu::ErrorCode::BadFile, "stored examples: expected masks of the latents' size, got {}",
                   gpu::to_string(masks.shape()));
        e.masks = floats_of(masks);
    }
    return Value::of<Examples>(std::move(e));
}

}  // namespace

SocketType SocketTraits<Examples>::describe() {
    return {.title = "Examples", .colour = "#6b5b95", .help = "Latents with their encoded captions, ready to train on",
            .bytes = erased<Examples>([](const Examples& e) { return e.bytes(); }),
            .summary = erased<Examples>([](const Examples& e) {
                return gpu::format("{} pictures x {}, {} x {} x {}, {} tokens of {}", e.size(), e.variants, e.format.channels, e.height, e.width, e.tokens, e.context_width);
            }),
            .store = erased<Examples>(stored),
            .restore = restored};
}

}  // namespace nodes
