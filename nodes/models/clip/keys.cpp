#include "nodes/models/clip/keys.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::format;
using gpu::TensorEntry;
using gpu::Weight;
using gpu::Weights;

struct Row {
    std::string_view open_clip, transformers;      // a name or what names begin with, up to a dot
    bool turned = false;                           // a matrix that OpenCLIP stores transposed
};

// A tower: names outside of layers, and where the layers are.
struct Tower {
    std::string_view title, open_clip_layers, transformers_layers, level, first_table;
    std::array<Row, 6> stem;
    std::string_view projection;
};

constexpr Tower text_tower = {"text encoder", "transformer.resblocks.", "text_model.encoder.layers.", "text_model.",
                              "text_model.embeddings.token_embedding.weight",
                              {{{"token_embedding", "text_model.embeddings.token_embedding"},
                                {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
                                {"ln_final", "text_model.final_layer_norm"},
                                {"text_projection.weight", "text_projection.weight"},
                                {"text_projection", "text_projection.weight", true}}},
                              "text_projection"};

constexpr Tower vision_tower = {"vision tower", "visual.transformer.resblocks.", "vision_model.encoder.layers.", "vision_model.",
                                "vision_model.embeddings.class_embedding",
                                {{{"visual.class_embedding", "vision_model.embeddings.class_embedding"},
                                  {"visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"},
                                  {"visual.conv1", "vision_model.embeddings.patch_embedding"},
                                  {"visual.ln_pre", "vision_model.pre_layrnorm"},
                                  {"visual.ln_post", "vision_model.post_layernorm"},
                                  {"visual.proj", "visual_projection.weight", true}}},
                                "visual_projection"};

constexpr Row layer_rows[] = {{"ln_1", "layer_norm1"},       {"ln_2", "layer_norm2"}, {"attn.out_proj", "self_attn.out_proj"},
                              {"mlp.c_fc", "mlp.fc1"},       {"mlp.c_proj", "mlp.fc2"}};

constexpr std::string_view parts_of_attention[] = {"q_proj", "k_proj", "v_proj"};

// Whether `name` is `row` or lies below it; then what follows, with its dot.
std::optional<std::string_view> below(std::string_view name, std::string_view row) {
    if (row.empty() || !name.starts_with(row) || (name.size() > row.size() && name[row.size()] != '.')) return std::nullopt;
    return name.substr(row.size());
}

// "12.ln_1.weight" -> "12", "ln_1.weight".
std::optional<std::pair<std::string_view, std::string_view>> numbered(std::string_view rest) {
    const std::size_t dot = rest.find('.');
    if (dot == 0 || dot == rest.npos || rest.substr(0, dot).find_first_not_of("0123456789") != rest.npos) return std::nullopt;
    return std::pair(rest.substr(0, dot), rest.substr(dot + 1));
}

void put(Weights& into, std::string name, Weight weight) {
    const std::string from = weight.entry.name, file = weight.file;
    const auto [at, fresh] = into.emplace(std::move(name), std::move(weight));
    gpu::check(fresh, gpu::ErrorCode::BadFile, "{}: expected one tensor for {}, got {} and {} of {}", file, at->first, from, at->second.entry.name,
               at->second.file);
}

// An entry with bytes of its own.
Weight with_bytes(const Weight& like, gpu::Dtype dtype, gpu::Shape shape, std::vector<std::byte> bytes) {
    const auto kept = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    Weight made{TensorEntry{.name = like.entry.name, .dtype = dtype, .shape = std::move(shape), .bytes = *kept}, kept, like.file};
    return made;
}

Weight with_floats(const Weight& like, gpu::Shape shape, const std::vector<float>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    return with_bytes(like, gpu::Dtype::F32, std::move(shape), {bytes.begin(), bytes.end()});
}

Weight turned(const Weight& weight) {
    const TensorEntry& entry = weight.entry;
    if (entry.shape.size() != 2) return weight;      // Scope says what is wrong
    const auto rows = static_cast<std::size_t>(entry.shape[0]), columns = static_cast<std::size_t>(entry.shape[1]);
    const gpu::Shape shape{entry.shape[1], entry.shape[0]};
    const auto transpose = [&](const std::byte* from, std::size_t size) {
        std::vector<std::byte> bytes(rows * columns * size);
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t c = 0; c < columns; ++c) std::memcpy(&bytes[(c * rows + r) * size], from + (r * columns + c) * size, size);
        return bytes;
    };
    if (!entry.blocks && (entry.dtype == gpu::Dtype::F32 || entry.dtype == gpu::Dtype::F16 || entry.dtype == gpu::Dtype::BF16))
        return with_bytes(weight, entry.dtype, shape, transpose(gpu::used_bytes(entry).data(), gpu::bytes_of(entry) / (rows * columns)));
    const std::vector<float> values = gpu::entry_floats(entry);
    return with_bytes(weight, gpu::Dtype::F32, shape, transpose(reinterpret_cast<const std::byte*>(values.data()), sizeof(float)));
}

// Third `part` of the rows, by a view of the bytes where blocks do not straddle the border.
Weight third(const Weight& weight, int part) {
    const TensorEntry& entry = weight.entry;
    gpu::check(!entry.shape.empty() && entry.shape[0] % 3 == 0, gpu::ErrorCode::BadFile, "{}: expected rows in thirds for {}, got {}", weight.file,
               entry.name, gpu::to_string(entry.shape));
    gpu::Shape shape = entry.shape;
    shape[0] /= 3;
    const auto count = static_cast<std::size_t>(gpu::element_count(shape));
    if (!entry.blocks || count % gpu::elements_of(*entry.blocks) == 0) {
        Weight made = weight;
        made.entry.shape = std::move(shape);
        made.entry.bytes = entry.bytes.subspan(static_cast<std::size_t>(part) * (entry.bytes.size() / 3), entry.bytes.size() / 3);
        return made;
    }
    const std::vector<float> values = gpu::entry_floats(entry);
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(count) * part;
    return with_floats(weight, std::move(shape), {first, first + static_cast<std::ptrdiff_t>(count)});
}

// A tensor of an OpenCLIP tower, `name` without prefix. False where it does not belong to the tower.
bool add_open_clip(Weights& into, const Tower& tower, std::string_view name, const Weight& weight) {
    for (const Row& row : tower.stem)
        if (const auto rest = below(name, row.open_clip)) {
            if (row.turned && !rest->empty()) continue;
            put(into, format("{}{}", row.transformers, *rest), row.turned ? turned(weight) : weight);
            return true;
        }
    if (!name.starts_with(tower.open_clip_layers)) return false;
    const auto layer = numbered(name.substr(tower.open_clip_layers.size()));
    if (!layer) return false;
    const std::string base = format("{}{}.", tower.transformers_layers, layer->first);
    for (const Row& row : layer_rows)
        if (const auto rest = below(layer->second, row.open_clip)) {
            put(into, format("{}{}{}", base, row.transformers, *rest), weight);
            return true;
        }
    if (layer->second == "attn.in_proj_weight" || layer->second == "attn.in_proj_bias") {
        for (int part = 0; part < 3; ++part)
            put(into, format("{}self_attn.{}.{}", base, parts_of_attention[part], layer->second.substr(13)), third(weight, part));
        return true;
    }
    put(into, std::string(name), weight);
    return true;
}

// Buffers and numbers beside the weights.
bool left_out(std::string_view name) { return name.ends_with("position_ids") || name == "logit_scale" || name == "attn_mask"; }

bool add_transformers(Weights& into, const Tower& tower, const ClipPlace& place, std::string_view name, const Weight& weight) {
    if (name.starts_with(tower.projection) && name.substr(tower.projection.size()) == ".weight") return put(into, std::string(name), weight), true;
    if (!place.short_names) return name.starts_with(tower.level) && (put(into, std::string(name), weight), true);
    for (const std::string_view folder : {"embeddings.", "encoder.", "final_layer_norm.", "pre_layrnorm.", "post_layernorm."})
        if (name.starts_with(folder)) return put(into, format("{}{}", tower.level, name), weight), true;
    return false;
}

std::vector<ClipPlace> find_towers(const Tower& tower, std::span<const gpu::Checkpoint> files) {
    const std::string_view full = tower.first_table, shorter = full.substr(tower.level.size()),
                           open = &tower == &text_tower ? std::string_view("token_embedding.weight") : std::string_view("visual.class_embedding");
    std::vector<ClipPlace> places;
    const auto has = [&](const std::string& name) { return std::any_of(files.begin(), files.end(), [&](const auto& file) { return file.find(name); }); };
    for (const gpu::Checkpoint& file : files)
        for (const TensorEntry& entry : file.entries()) {
            const std::string_view name = entry.name;
            if (entry.shape.empty() || name.starts_with("model_ema.")) continue;
            const auto prefix = [&](std::string_view table) -> std::optional<std::string> {
                if (!name.ends_with(table)) return std::nullopt;
                const std::string_view before = name.substr(0, name.size() - table.size());
                return before.empty() || before.ends_with('.') ? std::optional<std::string>(before) : std::nullopt;
            };
            const int width = static_cast<int>(entry.shape.back());
            if (const auto at = prefix(full))
                places.push_back({*at, ClipLayout::Transformers, false, width});
            else if (const auto short_at = prefix(shorter); short_at && has(*short_at + "encoder.layers.0.self_attn.q_proj.weight"))
                places.push_back({*short_at, ClipLayout::Transformers, true, width});
            else if (const auto open_at = prefix(open); open_at && has(*open_at + std::string(tower.open_clip_layers) + "0.ln_1.weight"))
                places.push_back({*open_at, ClipLayout::OpenClip, false, width});
        }
    std::sort(places.begin(), places.end(), [](const ClipPlace& a, const ClipPlace& b) { return a.prefix < b.prefix; });
    return places;
}

void add_tower(Weights& into, const Tower& tower, std::span<const gpu::Checkpoint> files, std::string_view prefix) {
    std::vector<ClipPlace> places = find_towers(tower, files);
    std::string found;
    for (const ClipPlace& place : places) found += (found.empty() ? "" : ", ") + ("\"" + place.prefix + "\"");
    std::erase_if(places, [&](const ClipPlace& place) { return !place.prefix.starts_with(prefix); });
    const std::string file_name = files.empty() ? std::string("no file") : files[0].path();
    gpu::check(places.size() == 1, gpu::ErrorCode::BadFile, "{}: expected one {} of CLIP{}, got {}", file_name, tower.title,
               prefix.empty() ? "" : format(" below \"{}\"", prefix),
               !found.empty() ? "towers below " + found
               : files.empty() || files[0].entries().empty() ? std::string("no tensors") : "tensors such as " + files[0].entries()[0].name);
    const ClipPlace& place = places[0];
    for (const gpu::Checkpoint& file : files)
        for (const TensorEntry& entry : file.entries()) {
            if (!std::string_view(entry.name).starts_with(place.prefix)) continue;
            const std::string_view name = std::string_view(entry.name).substr(place.prefix.size());
            if (left_out(name)) continue;
            const Weight weight{entry, file.owner(), file.path()};
            if (place.layout == ClipLayout::OpenClip)
                add_open_clip(into, tower, name, weight);
            else
                add_transformers(into, tower, place, name, weight);
        }
}

// Tensors one below the other.
Weight joined(const std::array<const Weight*, 3>& parts) {
    gpu::Shape shape = parts[0]->entry.shape;
    bool same = true;
    for (const Weight* part : parts) {
        gpu::check(part->entry.shape == parts[0]->entry.shape, gpu::ErrorCode::BadFile, "{}: expected {} for {}, got {}", part->file,
                   gpu::to_string(shape), part->entry.name, gpu::to_string(part->entry.shape));
        same = same && part->entry.dtype == parts[0]->entry.dtype && part->entry.blocks == parts[0]->entry.blocks && part->entry.foreign.empty();
    }
    shape[0] *= 3;
    if (!same) {
        std::vector<float> values;
        for (const Weight* part : parts) {
            const std::vector<float> more = gpu::entry_floats(part->entry);
            values.insert(values.end(), more.begin(), more.end());
        }
        return with_floats(*parts[0], std::move(shape), values);
    }
    std::vector<std::byte> bytes;
    for (const Weight* part : parts) {
        const auto more = gpu::used_bytes(part->entry);
        bytes.insert(bytes.end(), more.begin(), more.end());
    }
    Weight made = with_bytes(*parts[0], parts[0]->entry.dtype, std::move(shape), std::move(bytes));
    made.entry.blocks = parts[0]->entry.blocks;
    return made;
}

}  // namespace

std::vector<ClipPlace> find_clip_text(std::span<const gpu::Checkpoint> files) { return find_towers(text_tower, files); }
std::vector<ClipPlace> find_clip_vision(std::span<const gpu::Checkpoint> files) { return find_towers(vision_tower, files); }

void add_clip_text_weights(Weights& into, std::span<const gpu::Checkpoint> files, std::string_view prefix) { add_tower(into, text_tower, files, prefix); }
void add_clip_text_weights(Weights& into, const gpu::Checkpoint& file, std::string_view prefix) {
    add_clip_text_weights(into, std::span(&file, 1), prefix);
}
void add_clip_vision_weights(Weights& into, std::span<const gpu::Checkpoint> files, std::string_view prefix) {
    add_tower(into, vision_tower, files, prefix);
}
void add_clip_vision_weights(Weights& into, const gpu::Checkpoint& file, std::string_view prefix) {
    add_clip_vision_weights(into, std::span(&file, 1), prefix);
}

Weights clip_text_file_weights(const Weights& weights, ClipLayout layout, std::string_view prefix) {
    Weights made;
    const auto save = [&](std::string name, Weight weight) {
        weight.entry.name = format("{}{}", prefix, name);
        std::string key = weight.entry.name;
        put(made, std::move(key), std::move(weight));
    };
    for (const auto& [name, weight] : weights) {
        if (layout == ClipLayout::Transformers) {
            save(name, weight);
            continue;
        }
        const auto row = std::find_if(text_tower.stem.begin(), text_tower.stem.end(), [&, &name = name](const Row& r) {
            return below(name, r.transformers) && r.open_clip != "text_projection.weight";
        });
        if (row != text_tower.stem.end()) {
            save(format("{}{}", row->open_clip, *below(name, row->transformers)), row->turned ? turned(weight) : weight);
            continue;
        }
        const auto layer = std::string_view(name).starts_with(text_tower.transformers_layers)
                               ? numbered(std::string_view(name).substr(text_tower.transformers_layers.size())) : std::nullopt;
        gpu::check(layer.has_value(), gpu::ErrorCode::InvalidGraph, "text encoder: expected a weight of a text tower to save, got {}", name);
        const std::string base = format("{}{}.", text_tower.open_clip_layers, layer->first);
        const auto plain = std::find_if(std::begin(layer_rows), std::end(layer_rows), [&](const Row& r) { return below(layer->second, r.transformers); });
        if (plain != std::end(layer_rows)) {
            save(format("{}{}{}", base, plain->open_clip, *below(layer->second, plain->transformers)), weight);
            continue;
        }
        const std::string_view kind = layer->second.substr(layer->second.rfind('.') + 1);
        if (layer->second != format("self_attn.q_proj.{}", kind)) continue;      // keys and values go with their queries
        std::array<const Weight*, 3> parts{};
        for (int part = 0; part < 3; ++part) {
            const auto at = weights.find(format("{}{}.self_attn.{}.{}", text_tower.transformers_layers, layer->first, parts_of_attention[part], kind));
            gpu::check(at != weights.end(), gpu::ErrorCode::InvalidGraph, "text encoder: expected queries, keys and values of layer {} to save, got some of them",
                       std::string(layer->first));
            parts[static_cast<std::size_t>(part)] = &at->second;
        }
        save(format("{}attn.in_proj_{}", base, kind), joined(parts));
    }
    return made;
}

}  // namespace nodes
