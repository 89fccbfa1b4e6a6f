#include "nodes/models/taesd/taesd.h"

#include <charconv>
#include <filesystem>

#include "gpu/base/error.h"
#include "nodes/models/detect/detect.h"

namespace nodes {
namespace {

std::string number(int at) { return std::to_string(at); }

// Without weights to look at (drawn, shapes only) the usual one.
int length_or(const gpu::Shape& shape, std::size_t axis, int usual) {
    return shape.size() == 4 ? static_cast<int>(shape[axis]) : usual;
}

}  // namespace

TaesdBlock::Pool::Pool(const Scope& s, int width)
    : widen(s / "0", width, 4 * width, {.kernel = 1, .pad = 0, .bias = false}),
      norm(s / "1", 4 * width, 4),
      narrow(s / "3", 4 * width, width, {.kernel = 1, .pad = 0, .bias = false}) {}

Tensor TaesdBlock::Pool::operator()(const Tensor& x) const { return narrow(gpu::relu(norm(widen(x)))); }

TaesdBlock::TaesdBlock(const Scope& s, int width, bool pooled)
    : conv0(s / "conv.0", width, width), conv2(s / "conv.2", width, width), conv4(s / "conv.4", width, width) {
    if (pooled) pool.emplace(s / "pool", width);
}

Tensor TaesdBlock::operator()(const Tensor& x) const {
    const Tensor from = pool ? x + (*pool)(x) : x;
    return gpu::relu(conv4(gpu::relu(conv2(gpu::relu(conv0(from))))) + from);
}

TaesdEncoder::Stage::Stage(const Scope& s, int at, int width, bool pooled)
    : down(s / number(at), width, width, {.stride = 2, .bias = false}) {
    for (int i = 1; i <= 3; ++i) blocks.emplace_back(s / number(at + i), width, pooled);
}

TaesdEncoder::TaesdEncoder(const Scope& s, int width, int latent_channels, bool pooled)
    : first(s / "0", 3, width),
      top(s / "1", width),
      stages{{s, 2, width, false}, {s, 6, width, false}, {s, 10, width, pooled}},
      last(s / "14", width, latent_channels) {}

Tensor TaesdEncoder::operator()(const Tensor& x) const {
    Tensor h = top(first(x));                                   // [N, width, 8h, 8w]
    for (const Stage& stage : stages) {
        h = stage.down(h);                                      // half of both sides
        for (const TaesdBlock& block : stage.blocks) h = block(h);
    }
    return last(h);                                             // [N, latent_channels, h, w]
}

TaesdDecoder::Stage::Stage(const Scope& s, int at, int width, bool pooled)
    : conv(s / number(at + 4), width, width, {.bias = false}) {
    for (int i = 0; i < 3; ++i) blocks.emplace_back(s / number(at + i), width, pooled);
}

TaesdDecoder::TaesdDecoder(const Scope& s, int width, int latent_channels, bool pooled)
    : first(s / "1", latent_channels, width),
      stages{{s, 3, width, pooled}, {s, 8, width, false}, {s, 13, width, false}},
      bottom(s / "18", width),
      last(s / "19", width, 3) {}

Tensor TaesdDecoder::operator()(const Tensor& latent) const {
    Tensor h = gpu::relu(first(3.0 * gpu::tanh(latent / 3.0)));      // a soft clamp; [N, width, h, w]
    for (const Stage& stage : stages) {
        for (const TaesdBlock& block : stage.blocks) h = block(h);
        h = stage.conv(gpu::upsample_nearest(h, 2));                 // twice both sides
    }
    return last(bottom(h));                                          // [N, 3, 8h, 8w]
}

void add_taesd_weights(gpu::Weights& into, const gpu::Checkpoint& file) {
    expect_kind(file, {FileKind::TinyVae}, "a tiny autoencoder");
    // A file of one half has bare numbers as keys; the last layer says which half.
    const bool bare_encoder = file.find("14.weight") && file.find("0.weight");
    const bool bare_decoder = file.find("19.weight") && file.find("1.weight");
    struct Rule {
        std::string_view prefix, to;
        int shift;      // of the number that follows
    };
    static constexpr Rule rules[] = {{"encoder.layers.", "encoder.", 0}, {"decoder.layers.", "decoder.", 1},
                                     {"taesd_encoder.", "encoder.", 0},  {"taesd_decoder.", "decoder.", 0},
                                     {"encoder.", "encoder.", 0},        {"decoder.", "decoder.", 0}};
    bool any = bare_encoder || bare_decoder;
    for (const Rule& rule : rules)
        for (const gpu::TensorEntry& entry : file.entries()) any = any || entry.name.starts_with(rule.prefix);
    const std::string example = file.entries().empty() ? "no tensors" : "tensors such as " + file.entries()[0].name;
    gpu::check(any, gpu::ErrorCode::BadFile,
               "{}: expected a tiny autoencoder with keys such as 14.weight, 19.weight or encoder.layers.0.weight, got {}",
               file.path(), example);

    gpu::add_weights(into, file, [&](const std::string& name) -> std::string {
        for (const Rule& rule : rules) {
            if (!name.starts_with(rule.prefix)) continue;
            const std::string_view rest = std::string_view(name).substr(rule.prefix.size());
            int at = 0;
            const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), at);
            if (status != std::errc() || at < 0 || at > 99) return name;      // no rule: will be named as unexpected
            return std::string(rule.to) + number(at + rule.shift) + std::string(end, rest.data() + rest.size());
        }
        return (bare_encoder ? "encoder." : bare_decoder ? "decoder." : "") + name;
    });
}

Taesd::Taesd(const Scope& s, const std::string& family) {
    const Scope encoder = s / "encoder", decoder = s / "decoder";
    const bool encodes = encoder.has("0.weight") || encoder.has("14.weight");
    const bool decodes = decoder.has("1.weight") || decoder.has("19.weight");
    const bool drawn = !encodes && !decodes;      // no files behind the scope
    if (encodes || drawn) {
        format_ = latent_format(family, length_or(encoder.shape_of("14.weight"), 0, 4));
        encoder_.emplace(encoder, length_or(encoder.shape_of("0.weight"), 0, 64), format_.channels,
                         encoder.has("11.pool.0.weight"));
    }
    if (decodes || drawn) {
        const int channels = length_or(decoder.shape_of("1.weight"), 1, 4);
        gpu::check(!encoder_ || channels == format_.channels, gpu::ErrorCode::BadFile,
                   "tiny autoencoder: expected a decoder for the encoder's {} latent channels, got one for {}",
                   format_.channels, channels);
        format_ = latent_format(family, channels);
        decoder_.emplace(decoder, length_or(decoder.shape_of("1.weight"), 0, 64), channels, decoder.has("3.pool.0.weight"));
    }
    s.finish("tiny autoencoder");
    gpu::check(format_.channels > 0, gpu::ErrorCode::BadFile, "tiny autoencoder: expected latent channels, got none");
    for (const Scope::Asked& asked : s.asked()) bytes_ += static_cast<std::size_t>(gpu::element_count(asked.shape)) * sizeof(float);
}

Tensor Taesd::encode(const Tensor& pictures) const {
    gpu::check(can_encode(), gpu::ErrorCode::InvalidGraph, "encode: expected an autoencoder with an encoder, got only a decoder");
    return (*encoder_)(pictures);
}

Tensor Taesd::decode(const Tensor& latents) const {
    gpu::check(can_decode(), gpu::ErrorCode::InvalidGraph, "decode: expected an autoencoder with a decoder, got only an encoder");
    return (*decoder_)(latents);
}

std::string Taesd::summary() const {
    const char* halves = !encoder_ ? ", decoder only" : !decoder_ ? ", encoder only" : "";
    return gpu::format("tiny autoencoder, {} channels{}{}{}", format_.channels, format_.family.empty() ? "" : ", ",
                       format_.family, halves);
}

Vae load_taesd(const std::string& encoder, const std::string& decoder, const std::string& family) {
    gpu::Weights weights;
    std::string guess = family;
    const auto add = [&](const std::string& path, const std::string& half, const std::string& other) {
        gpu::Weights found;
        add_taesd_weights(found, gpu::open_checkpoint(path));
        const auto holds = [&](const std::string& prefix) {
            const auto at = found.lower_bound(prefix);
            return at != found.end() && at->first.starts_with(prefix);
        };
        gpu::check(holds(half + "."), gpu::ErrorCode::BadFile, "{}: expected the {} of a tiny autoencoder, got the {}", path, half,
                   other);
        // A file with both halves serves for what was asked of it, and for the other one where nobody named a file.
        for (auto& [name, weight] : found)
            if (name.starts_with(half + ".") || (half == "encoder" ? decoder : encoder).empty()) weights.emplace(name, weight);
        const std::string stem = std::filesystem::path(path).stem().string();
        for (const auto& [part, row] : {std::pair("taesdxl", "sdxl"), {"taesd3", "sd3"}, {"taef1", "flux"}, {"taef2", "flux2"}})
            if (guess.empty() && stem.find(part) != std::string::npos) guess = row;
    };
    gpu::check(!encoder.empty() || !decoder.empty(), gpu::ErrorCode::InvalidGraph,
               "load tiny autoencoder: expected an encoder file, a decoder file or both, got none");
    if (!encoder.empty()) add(encoder, "encoder", "decoder");
    if (!decoder.empty()) add(decoder, "decoder", "encoder");
    if (guess.empty()) {
        for (const auto* key : {"encoder.14.weight", "decoder.1.weight"})
            if (const auto at = weights.find(key); at != weights.end() && at->second.entry.shape.size() == 4) {
                const std::int64_t channels = at->second.entry.shape[*key == 'e' ? 0 : 1];
                guess = channels == 4 ? "sd1" : channels == 16 ? "flux" : channels == 32 ? "flux2" : "";
            }
    }
    return {std::make_shared<const Taesd>(Scope::weights(std::move(weights)), guess)};
}

}  // namespace nodes
