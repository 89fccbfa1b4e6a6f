#include "nodes/models/upscale/load.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "gpu/base/error.h"
#include "nodes/models/detect/detect.h"

namespace nodes {
namespace {

// Of a convolution's weight [out, in, k, k]; 0 where it is not there.
std::int64_t length(const gpu::Checkpoint& file, const std::string& name, std::size_t axis) {
    const gpu::TensorEntry* const entry = file.find(name);
    return entry && entry->shape.size() == 4 ? entry->shape[axis] : 0;
}

// The number at the start of what follows `prefix` in names that begin so: the largest there is, -1 for none.
int largest_number(const gpu::Checkpoint& file, const std::string& prefix, const std::string& suffix = {}) {
    int largest = -1;
    for (const gpu::TensorEntry& entry : file.entries()) {
        if (!entry.name.starts_with(prefix)) continue;
        int number = 0;
        const char* const end = entry.name.data() + entry.name.size();
        const auto [rest, status] = std::from_chars(entry.name.data() + prefix.size(), end, number);
        if (status == std::errc() && number >= 0 && number < 1000 && std::string_view(rest, end).starts_with(suffix)) largest = std::max(largest, number);
    }
    return largest;
}

// Sizes of an RRDBNet by the names that a layout gives its parts.
std::optional<RrdbConfig> rrdb_config(const gpu::Checkpoint& file, const std::string& first, const std::string& dense_conv, int blocks, int doublings) {
    RrdbConfig c;
    c.width = static_cast<int>(length(file, first, 0));
    c.growth = static_cast<int>(length(file, dense_conv, 0));
    c.unshuffle = static_cast<int>(std::lround(std::sqrt(double(length(file, first, 1)) / 3)));
    c.blocks = blocks;
    c.doublings = doublings;
    if (c.width <= 0 || c.growth <= 0 || c.blocks <= 0 || c.unshuffle < 1 || doublings < 0 || doublings > 3) return {};
    if (3LL * c.unshuffle * c.unshuffle != length(file, first, 1) || (1 << doublings) % c.unshuffle) return {};
    c.scale = (1 << doublings) / c.unshuffle;
    return c;
}

std::optional<UpscalerPlace> find_at(const gpu::Checkpoint& file, const std::string& prefix) {
    const auto rrdb = [&](UpscalerLayout layout, const std::optional<RrdbConfig>& config) -> std::optional<UpscalerPlace> {
        if (!config) return {};
        return UpscalerPlace{layout, prefix, *config};
    };
    if (file.find(prefix + "body.0.rdb1.conv1.weight"))
        return rrdb(UpscalerLayout::RealEsrgan, rrdb_config(file, prefix + "conv_first.weight", prefix + "body.0.rdb1.conv1.weight", largest_number(file, prefix + "body.") + 1,
                                                            std::max(0, largest_number(file, prefix + "conv_up"))));
    if (file.find(prefix + "RRDB_trunk.0.RDB1.conv1.weight"))
        return rrdb(UpscalerLayout::Esrgan, rrdb_config(file, prefix + "conv_first.weight", prefix + "RRDB_trunk.0.RDB1.conv1.weight", largest_number(file, prefix + "RRDB_trunk.") + 1,
                                                        std::max(0, largest_number(file, prefix + "upconv"))));
    if (file.find(prefix + "model.1.sub.0.RDB1.conv1.0.weight")) {
        // model.3, 6, 9 double; two convolutions follow, 2 and 4 behind the last of those.
        const int last = largest_number(file, prefix + "model.");
        if (last < 4 || (last - 4) % 3) return {};
        return rrdb(UpscalerLayout::Numbered, rrdb_config(file, prefix + "model.0.weight", prefix + "model.1.sub.0.RDB1.conv1.0.weight", largest_number(file, prefix + "model.1.sub."),
                                                          (last - 4) / 3));
    }
    const int last = largest_number(file, prefix + "body.");
    const gpu::TensorEntry* const slopes = file.find(prefix + "body.1.weight");
    if (last < 2 || last % 2 || length(file, prefix + "body.0.weight", 1) != 3 || !slopes || slopes->shape.size() != 1) return {};
    const std::int64_t out = length(file, prefix + gpu::format("body.{}.weight", last), 0);
    const auto scale = std::lround(std::sqrt(double(out) / 3));
    if (scale < 1 || 3 * scale * scale != out) return {};
    return UpscalerPlace{UpscalerLayout::Compact, prefix,
                         CompactConfig{.scale = static_cast<int>(scale), .width = static_cast<int>(length(file, prefix + "body.0.weight", 0)), .convs = last / 2 - 1}};
}

// Names of the paper's files and of numbered ones in those of Real-ESRGAN.
std::string renamed(std::string name, const UpscalerPlace& place) {
    if (!name.starts_with(place.prefix)) return name;
    name.erase(0, place.prefix.size());
    const auto replace = [&](std::string_view from, std::string_view to) {
        if (const std::size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
    };
    if (place.layout == UpscalerLayout::Esrgan) {
        for (const auto& [from, to] : {std::pair("RRDB_trunk.", "body."), {".RDB", ".rdb"}, {"trunk_conv.", "conv_body."}, {"upconv", "conv_up"}, {"HRconv.", "conv_hr."}}) replace(from, to);
    } else if (place.layout == UpscalerLayout::Numbered) {
        const RrdbConfig& c = std::get<RrdbConfig>(place.config);
        const std::string trunk = gpu::format("model.1.sub.{}.", c.blocks);
        if (name.starts_with(trunk)) return "conv_body." + name.substr(trunk.size());
        if (name.starts_with("model.1.sub.")) {
            replace("model.1.sub.", "body.");
            replace(".RDB", ".rdb");
            if (const std::size_t at = name.rfind(".0."); at != std::string::npos && name.find(".conv") < at) name.erase(at, 2);      // conv1.0.weight
            return name;
        }
        replace("model.0.", "conv_first.");
        for (int k = 1; k <= c.doublings; ++k) replace(gpu::format("model.{}.", 3 * k), gpu::format("conv_up{}.", k));
        replace(gpu::format("model.{}.", 3 * c.doublings + 2), "conv_hr.");
        replace(gpu::format("model.{}.", 3 * c.doublings + 4), "conv_last.");
    }
    return name;
}

}  // namespace

std::optional<UpscalerPlace> find_upscaler(const gpu::Checkpoint& file) {
    for (const char* prefix : {"", "params_ema.", "params."})
        if (const auto place = find_at(file, prefix)) return place;
    return {};
}

std::string describe(const UpscalerPlace& place) {
    const RrdbConfig* const rrdb = std::get_if<RrdbConfig>(&place.config);
    return rrdb ? gpu::format("ESRGAN, {}x", rrdb->scale) : gpu::format("compact, {}x", std::get<CompactConfig>(place.config).scale);
}

Upscaler load_upscaler(const std::string& path) {
    const gpu::Checkpoint file = gpu::open_checkpoint(path);
    expect_kind(file, {FileKind::Upscaler}, "an upscaler");
    const std::optional<UpscalerPlace> place = find_upscaler(file);
    gpu::check(place.has_value(), gpu::ErrorCode::BadFile, "{}: expected an upscaler of the families ESRGAN, Real-ESRGAN or its compact one, got keys such as {}", path,
               file.entries().empty() ? "none" : file.entries()[0].name);
    gpu::Weights weights;
    // Files of a training hold the network twice, as it was trained and averaged: the other copy is left out.
    gpu::add_weights(weights, file, [&](const std::string& name) { return name.starts_with(place->prefix) ? renamed(name, *place) : std::string(); });
    const Scope scope = Scope::weights(std::move(weights));
    if (const RrdbConfig* const rrdb = std::get_if<RrdbConfig>(&place->config)) return {std::make_shared<const Rrdb>(scope, *rrdb)};
    return {std::make_shared<const Compact>(scope, std::get<CompactConfig>(place->config))};
}

}  // namespace nodes
