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
                       .tensors = {{"contexts", gpu::tensor(*e.contexts, {e.size() + 1, e.tokens, e.context_width})}}};
    const auto keep = [&](const char* name, const std::vector<float>& values, std::int64_t channels) {
        const gpu::Shape one{e.size(), e.variants, channels, e.height, e.width}, several{static_cast<std::int64_t>(values.size())};
        kept.tensors.emplace(name, gpu::tensor(values, e.sizes.empty() ? one : several));
    };
    keep("latents", *e.latents, e.format.channels);
    if (e.masks) keep("masks", *e.masks, 1);
    if (e.pooled) kept.tensors.emplace("pooled", gpu::tensor(*e.pooled, {e.size() + 1, e.pooled_width}));
    if (!e.sizes.empty()) {
        QJsonArray sizes, groups;
        for (const CellSize& size : e.sizes) sizes.append(QJsonArray{static_cast<qint64>(size.height), static_cast<qint64>(size.width)});
        for (const int group : e.groups) groups.append(group);
        kept.fields["sizes"] = sizes, kept.fields["groups"] = groups;
        kept.fields["channels"] = e.format.channels, kept.fields["variants"] = e.variants;
    }
    return kept;
}

Value restored(const StoredValue& from) {
    const Tensor latents = stored_tensor(from, "latents"), contexts = stored_tensor(from, "contexts");
    Examples e;
    for (const QJsonValue& caption : from.fields["captions"].toArray()) e.captions.push_back(caption.toString().toStdString());
    for (const QJsonValue& size : from.fields["sizes"].toArray()) e.sizes.push_back({size.toArray().at(0).toInteger(), size.toArray().at(1).toInteger()});
    for (const QJsonValue& group : from.fields["groups"].toArray()) e.groups.push_back(group.toInt());
    const bool several = !e.sizes.empty();
    bool fits = contexts.rank() == 3 && contexts.size(0) == e.size() + 1 && (several ? latents.rank() == 1 : latents.rank() == 5 && latents.size(0) == e.size());
    fits = fits && (!several || static_cast<std::int64_t>(e.groups.size()) == e.size());
    for (const int group : e.groups) fits = fits && group >= 0 && group < static_cast<int>(e.sizes.size());
    gpu::check(fits, gpu::ErrorCode::BadFile,
               "stored examples: expected latents and contexts of {} captions, got {} and {}", e.size(), gpu::to_string(latents.shape()), gpu::to_string(contexts.shape()));
    e.format = {.family = from.fields["family"].toString().toStdString(), .channels = several ? from.fields["channels"].toInt() : static_cast<int>(latents.size(2)), .factor = from.fields["factor"].toInt(),
                .scale = from.fields["scale"].toDouble(), .shift = from.fields["shift"].toDouble()};
    e.variants = several ? from.fields["variants"].toInt() : static_cast<int>(latents.size(1));
    e.height = several ? e.sizes[0].height : latents.size(3), e.width = several ? e.sizes[0].width : latents.size(4);
    if (several) e.lay_out();
    e.tokens = contexts.size(1), e.context_width = contexts.size(2);
    e.latents = floats_of(latents), e.contexts = floats_of(contexts);
    if (from.tensors.contains("masks")) e.masks = floats_of(stored_tensor(from, "masks"));
    if (from.tensors.contains("pooled")) {
        const Tensor pooled = stored_tensor(from, "pooled");
        gpu::check(pooled.rank() == 2 && pooled.size(0) == e.size() + 1, gpu::ErrorCode::BadFile, "stored examples: expected pooled text of {} captions, got {}", e.size(),
                   gpu::to_string(pooled.shape()));
        e.pooled_width = pooled.size(1), e.pooled = floats_of(pooled);
    }
    const auto cells = static_cast<std::size_t>(e.all_cells());
    gpu::check(e.latents->size() == cells * static_cast<std::size_t>(e.format.channels) && (!e.masks || e.masks->size() == cells), gpu::ErrorCode::BadFile,
               "stored examples: expected {} cells, got {} numbers and {} of masks", cells, e.latents->size(), e.masks ? e.masks->size() : 0);
    return Value::of<Examples>(std::move(e));
}

}  // namespace

SocketType SocketTraits<Examples>::describe() {
    return {.title = "Examples", .colour = "#6b5b95", .help = "Latents with their encoded captions, ready to train on",
            .bytes = erased<Examples>([](const Examples& e) { return e.bytes(); }),
            .summary = erased<Examples>([](const Examples& e) {
                if (e.sizes.size() > 1)
                    return gpu::format("{} pictures x {}, {} channels, {} sizes, {} tokens of {}", e.size(), e.variants, e.format.channels, e.sizes.size(), e.tokens, e.context_width);
                return gpu::format("{} pictures x {}, {} x {} x {}, {} tokens of {}", e.size(), e.variants, e.format.channels, e.height, e.width, e.tokens, e.context_width);
            }),
            .store = erased<Examples>(stored),
            .restore = restored};
}

}  // namespace nodes
