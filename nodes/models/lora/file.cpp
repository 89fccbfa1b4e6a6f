#include "nodes/models/lora/file.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;
using gpu::Shape;

// Ends of keys and the roles they stand for. Longer ones before those that they end in.
struct Ending {
    std::string_view text, part;
};
constexpr Ending endings[] = {
    {".lora_linear_layer.up.weight", "up"}, {".lora_linear_layer.down.weight", "down"},          // diffusers, old
    {"_lora.up.weight", "up"}, {"_lora.down.weight", "down"}, {".lora.up.weight", "up"}, {".lora.down.weight", "down"},
    {".lora_up.weight", "up"}, {".lora_down.weight", "down"}, {".lora_mid.weight", "mid"},       // kohya
    {".lora_B.default.weight", "up"}, {".lora_A.default.weight", "down"}, {".lora_B.weight", "up"}, {".lora_A.weight", "down"},   // PEFT
    {".lora_magnitude_vector.default.weight", "dora"}, {".lora_magnitude_vector.weight", "dora"}, {".lora_magnitude_vector", "dora"},
    {".lora.weight", "diff"},                                                                    // full matrices of ZipLoRA
    {".alpha", "alpha"}, {".dora_scale", "dora"},
    {".hada_w1_a", "hada_w1_a"}, {".hada_w1_b", "hada_w1_b"}, {".hada_w2_a", "hada_w2_a"}, {".hada_w2_b", "hada_w2_b"},
    {".hada_t1", "hada_t1"}, {".hada_t2", "hada_t2"},
    {".lokr_w1_a", "lokr_w1_a"}, {".lokr_w1_b", "lokr_w1_b"}, {".lokr_w2_a", "lokr_w2_a"}, {".lokr_w2_b", "lokr_w2_b"},
    {".lokr_w1", "lokr_w1"}, {".lokr_w2", "lokr_w2"}, {".lokr_t2", "lokr_t2"},
    {".diff_b", "diff_b"}, {".diff", "diff"}, {".w_norm", "w_norm"}, {".b_norm", "b_norm"}, {".set_weight", "set"},
    {"_custom_diffusion.weight", "set"}, {"_custom_diffusion.0.weight", "set"}, {"_custom_diffusion.0.bias", "set_b"}};

std::int64_t columns(const Shape& shape) {
    std::int64_t count = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) count *= shape[i];
    return count;
}

// The key's module and role; empty where it has none.
std::pair<std::string, std::string> split(const std::string& key) {
    for (const Ending& ending : endings)
        if (key.size() > ending.text.size() && key.ends_with(ending.text))
            return {key.substr(0, key.size() - ending.text.size()), std::string(ending.part)};
    return {};
}

// "unet:12:up" of cloneofsimo's tool.
bool is_counted(const std::string& key) {
    const std::size_t first = key.find(':');
    if (first == key.npos || !(key.starts_with("unet:") || key.starts_with("text_encoder:"))) return false;
    const std::size_t second = key.find(':', first + 1);
    return second != key.npos && (key.substr(second) == ":up" || key.substr(second) == ":down") &&
           key.substr(first + 1, second - first - 1).find_first_not_of("0123456789") == key.npos && second > first + 1;
}

std::vector<std::string> texts_of(const std::string& json) {
    std::vector<std::string> texts;
    for (const QJsonValue& value : QJsonDocument::fromJson(QByteArray::fromStdString(json)).array()) texts.push_back(value.toString().toStdString());
    return texts;
}

// What PEFT's adapter_config.json beside the file says about scales: lora_alpha / r, or lora_alpha / sqrt(r) of rank-stabilised files.
void read_peft_scale(LoraFile& lora) {
    const QString folder = QFileInfo(QString::fromStdString(lora.path)).path();
    QFile config(folder + "/adapter_config.json");
    if (!config.open(QIODevice::ReadOnly)) return;
    const QJsonObject json = QJsonDocument::fromJson(config.readAll()).object();
    if (!json["lora_alpha"].isDouble()) return;
    for (LoraModule& module : lora.modules) {
        const auto rank = static_cast<double>(module.rank());
        if (rank == 0 || module.has("alpha")) continue;
        module.scale = json["lora_alpha"].toDouble() / (json["use_rslora"].toBool() ? std::sqrt(rank) : rank);
    }
}

// Custom Diffusion's own files, a pickle {'unet': {parameter: tensor or {'u', 'v'}}, 'modifier_token': {token: row}, 'text_encoder'}.
bool read_custom_diffusion(LoraFile& lora, const gpu::Checkpoint& file, std::map<std::string, std::size_t>& at) {
    const auto is_delta = [](const std::string& name) {
        return name.starts_with("unet.") && name.find(".attn2.to_") != name.npos && name.find("lora") == name.npos;
    };
    const bool any = std::any_of(file.entries().begin(), file.entries().end(), [&](const gpu::TensorEntry& entry) {
        return entry.name.starts_with("modifier_token.") || (is_delta(entry.name) && (entry.name.ends_with(".weight.u") || entry.name.ends_with(".weight.v")));
    });
    if (!any) return false;
    const auto module = [&](const std::string& name) -> LoraModule& {
        const auto [found, fresh] = at.emplace(name, lora.modules.size());
        if (fresh) lora.modules.push_back({.name = name});
        return lora.modules[found->second];
    };
    for (const gpu::TensorEntry& entry : file.entries()) {
        const gpu::Weight weight{entry, file.owner(), file.path()};
        const std::string& name = entry.name;
        const auto without = [&](std::string_view end) { return name.substr(0, name.size() - end.size()); };
        if (name.starts_with("modifier_token."))
            lora.embeddings.emplace(name.substr(15), weight);
        else if (is_delta(name) && name.ends_with(".weight.u"))
            module(without(".weight.u")).parts["up"] = weight;
        else if (is_delta(name) && name.ends_with(".weight.v"))
            module(without(".weight.v")).parts["down"] = weight;
        else if (is_delta(name) && name.ends_with(".weight"))
            module(without(".weight")).parts["set"] = weight;
        else if (is_delta(name) && name.ends_with(".bias"))
            module(without(".bias")).parts["set_b"] = weight;
        else if (name.starts_with("text_encoder.") && name.ends_with(".weight"))
            module(without(".weight")).parts["set"] = weight;
        else if (name.starts_with("text_encoder.") && name.ends_with(".bias"))
            module(without(".bias")).parts["set_b"] = weight;
        else
            lora.unknown.push_back(name);
    }
    return true;
}

// A list of tensors, up and down in turn: the .pt files of cloneofsimo's tool, which count as its safetensors do.
bool is_plain_list(const gpu::Checkpoint& file) {
    const auto& entries = file.entries();
    if (entries.size() < 2 || entries.size() % 2) return false;
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (entries[i].name != std::to_string(i) || entries[i].shape.size() < 2) return false;
    return entries[0].shape[1] == entries[1].shape[0];
}

}  // namespace

bool LoraModule::changes_weight() const {
    return std::any_of(parts.begin(), parts.end(), [](const auto& part) {
        const std::string& name = part.first;
        return name != "alpha" && name != "dora" && name != "diff_b" && name != "b_norm" && name != "set_b";
    });
}

std::int64_t LoraModule::rank() const {
    for (const char* part : {"down", "hada_w1_b", "lokr_w2_b", "lokr_w1_b"})
        if (const auto at = parts.find(part); at != parts.end() && !at->second.entry.shape.empty()) return at->second.entry.shape[0];
    return 0;
}

std::string LoraModule::form() const {
    if (has("dora")) return "DoRA";
    if (has("hada_w1_a")) return "LoHa";
    if (has("lokr_w1") || has("lokr_w1_a")) return "LoKr";
    if (const auto down = parts.find("down"); down != parts.end())
        return down->second.entry.shape.size() == 4 && (has("mid") || columns(down->second.entry.shape) != down->second.entry.shape[1]) ? "LoCon" : "LoRA";
    return has("set") || has("set_b") ? "replacement" : "difference";
}

std::pair<std::int64_t, std::int64_t> LoraModule::matrix_shape() const {
    const auto shape = [&](const char* part) -> const Shape& {
        const auto at = parts.find(part);
        check(at != parts.end(), ErrorCode::BadFile, "LoRA: expected a part {} of {}, got none", part, name);
        check(!at->second.entry.shape.empty(), ErrorCode::BadFile, "LoRA: expected a matrix for the part {} of {}, got a number", part, name);
        return at->second.entry.shape;
    };
    const auto same = [&](std::int64_t a, std::int64_t b) {
        check(a == b, ErrorCode::BadFile, "LoRA: expected parts of one rank for {}, got {} and {}", name, a, b);
    };
    const auto product = [&](const char* a, const char* b) {
        same(columns(shape(a)), shape(b)[0]);
        return std::pair(shape(a)[0], columns(shape(b)));
    };
    const auto tucker = [&](const char* core, const char* a, const char* b) {      // [i, j, k...], [i, p], [j, r] -> p, r k
        const Shape& t = shape(core);
        check(t.size() >= 2 && shape(a).size() == 2 && shape(b).size() == 2, ErrorCode::BadFile, "LoRA: expected a core and two matrices for {}, got {}", name,
              gpu::to_string(t));
        same(t[0], shape(a)[0]), same(t[1], shape(b)[0]);
        return std::pair(shape(a)[1], shape(b)[1] * (columns(t) / t[1]));
    };
    if (has("up") || has("down")) {
        if (!has("mid")) return product("up", "down");
        same(columns(shape("up")), shape("mid")[0]), same(shape("mid")[1], shape("down")[0]);
        return {shape("up")[0], columns(shape("down")) * (columns(shape("mid")) / shape("mid")[1])};
    }
    if (has("hada_w1_a")) {
        const auto first = has("hada_t1") ? tucker("hada_t1", "hada_w1_a", "hada_w1_b") : product("hada_w1_a", "hada_w1_b");
        const auto second = has("hada_t2") ? tucker("hada_t2", "hada_w2_a", "hada_w2_b") : product("hada_w2_a", "hada_w2_b");
        check(first == second, ErrorCode::BadFile, "LoRA: expected two factors of one shape for {}, got {} x {} and {} x {}", name, first.first, first.second,
              second.first, second.second);
        return first;
    }
    if (has("lokr_w1") || has("lokr_w1_a")) {
        const auto plain = [&](const char* part) { return std::pair(shape(part)[0], columns(shape(part))); };
        const auto first = has("lokr_w1") ? plain("lokr_w1") : product("lokr_w1_a", "lokr_w1_b");
        const auto second = has("lokr_w2") ? plain("lokr_w2") : has("lokr_t2") ? tucker("lokr_t2", "lokr_w2_a", "lokr_w2_b") : product("lokr_w2_a", "lokr_w2_b");
        return {first.first * second.first, first.second * second.second};
    }
    for (const char* part : {"diff", "w_norm", "set"})
        if (has(part)) return {shape(part)[0], columns(shape(part))};
    throw gpu::Error(ErrorCode::BadFile, "LoRA: expected parts of a known form for {}, got {}", name, parts.empty() ? "none" : parts.begin()->first);
}

bool is_lora(const gpu::Checkpoint& file) {
    for (const gpu::TensorEntry& entry : file.entries()) {
        // Adapters of other kinds carry low rank parts of their own.
        if (entry.name == "lora_controlnet" || entry.name.starts_with("ip_adapter.") || entry.name.starts_with("image_proj.")) return false;
        if (entry.name.starts_with("modifier_token.")) return true;
    }
    for (const gpu::TensorEntry& entry : file.entries())
        if (is_counted(entry.name) || (!split(entry.name).first.empty() && !entry.name.ends_with(".alpha"))) return true;
    return is_plain_list(file);
}

LoraFile read_lora(const gpu::Checkpoint& file) {
    LoraFile lora{.path = file.path(), .title = QFileInfo(QString::fromStdString(file.path())).completeBaseName().toStdString()};
    std::map<std::string, std::size_t> at;
    const auto module = [&](const std::string& name) -> LoraModule& {
        const auto [found, fresh] = at.emplace(name, lora.modules.size());
        if (fresh) lora.modules.push_back({.name = name});
        return lora.modules[found->second];
    };
    if (is_plain_list(file)) {
        const auto& entries = file.entries();
        const bool text = entries.size() / 2 <= 48 && std::all_of(entries.begin(), entries.end(), [](const gpu::TensorEntry& entry) {
            return std::max(entry.shape[0], entry.shape[1]) == 768;
        });
        const std::string network = text ? "text_encoder" : "unet";
        lora.counted[network] = text ? std::vector<std::string>{"CLIPAttention"} : std::vector<std::string>{"CrossAttention", "Attention", "GEGLU"};
        for (std::size_t i = 0; i < entries.size(); ++i)
            module(gpu::format("{}:{}", network, i / 2)).parts[i % 2 ? "down" : "up"] = {entries[i], file.owner(), file.path()};
        return lora;
    }
    if (read_custom_diffusion(lora, file, at)) return lora;
    for (const char* network : {"unet", "text_encoder"})
        if (const auto classes = file.metadata().find(network); classes != file.metadata().end()) lora.counted[network] = texts_of(classes->second);
    for (const gpu::TensorEntry& entry : file.entries()) {
        const gpu::Weight weight{entry, file.owner(), file.path()};
        if (is_counted(entry.name)) {
            const std::size_t end = entry.name.rfind(':');
            module(entry.name.substr(0, end)).parts[entry.name.substr(end + 1)] = weight;
            continue;
        }
        const auto flag = file.metadata().find(entry.name);
        if (flag != file.metadata().end() && flag->second == "<embed>") {
            lora.embeddings.emplace(entry.name, weight);
            continue;
        }
        // kohya's bundles carry embeddings as "bundle_emb.TOKEN.string_to_param.*".
        if (entry.name.starts_with("bundle_emb.") && entry.name.ends_with(".string_to_param.*")) {
            lora.embeddings.emplace(entry.name.substr(11, entry.name.size() - 11 - 18), weight);
            continue;
        }
        const auto [name, part] = split(entry.name);
        if (name.empty())
            lora.unknown.push_back(entry.name);
        else
            module(name).parts[part] = weight;
    }
    check(!lora.modules.empty(), ErrorCode::BadFile, "{}: expected keys of a LoRA such as lora_unet_NAME.lora_down.weight, got {}", file.path(),
          file.entries().empty() ? "no tensors" : file.entries()[0].name);
    for (const auto& [name, classes] : std::map(lora.counted))
        if (std::none_of(lora.modules.begin(), lora.modules.end(), [&, network = name + ":"](const LoraModule& one) { return one.name.starts_with(network); }))
            lora.counted.erase(name);
    read_peft_scale(lora);
    return lora;
}

std::string lora_family(const LoraFile& file) {
    bool second = false, first = false;
    for (const LoraModule& module : file.modules) {
        const std::string& name = module.name;
        if (name.find("double_blocks") != name.npos || name.find("single_transformer_blocks") != name.npos) return "Flux";
        if (name.find("joint_blocks") != name.npos) return "SD 3";
        second = second || name.starts_with("lora_te2_") || name.starts_with("text_encoder_2.");
        first = first || name.starts_with("lora_te1_") || name.starts_with("text_encoder.");
        if (!module.changes_weight() || name.find("attn2") == name.npos || !(name.ends_with("to_k") || name.ends_with("to_v"))) continue;
        try {
            switch (module.matrix_shape().second) {
                case 768: return "SD 1";
                case 1024: return "SD 2";
                case 1280: return "SDXL refiner";
                case 2048: return "SDXL";
            }
        } catch (const gpu::Error&) {
        }
    }
    if (second) return "SDXL";
    // The counted files are of SD 1 and 2 alone; their first cross-attention tells.
    for (const LoraModule& module : file.modules)
        if (module.name.starts_with("unet:") && module.has("down")) {
            const Shape& down = module.parts.at("down").entry.shape;
            if (down.size() >= 2 && (down[1] == 768 || down[1] == 1024)) return down[1] == 768 ? "SD 1" : "SD 2";
        }
    return "";
}

}  // namespace nodes
