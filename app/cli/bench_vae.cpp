// heddle bench vae: a tiny autoencoder of files.
#include <algorithm>
#include <cstdlib>

#include "app/cli/bench.h"
#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/taesd/taesd.h"

namespace app {

using gpu::ErrorCode;
using gpu::Tensor;

// Encodes and decodes a square picture of noise with a tiny autoencoder; weights are loaded and packed before the clock.
int bench_vae(const Arguments& arguments, int repeats) {
    const auto& files = arguments.positionals();
    gpu::check(files.size() == 2 || files.size() == 3, ErrorCode::Usage, "bench vae: expected ENCODER [DECODER], got {} files", files.size() - 1);
    const int side = std::clamp(std::atoi(arguments.value("--size").value_or("512").c_str()) / 8 * 8, 8, 8192);
    const nodes::Vae vae = nodes::load_taesd(files[1], files.size() == 3 ? files[2] : files[1]);
    const Tensor picture = bench_map({1, 3, side, side}, 1) * 0.5 + 0.5;
    Tensor latent = vae->encode(picture);
    gpu::evaluate({picture, latent});
    const BenchTiming encode = bench_time([&] { gpu::evaluate({vae->encode(picture + 0.0)}); }, repeats);
    const BenchTiming decode = bench_time([&] { gpu::evaluate({vae->decode(latent + 0.0)}); }, repeats);
    const QJsonObject row{{"name", "vae"}, {"model", QString::fromStdString(vae->summary())}, {"side", side},
                          {"encode_ms", encode.median * 1e3}, {"decode_ms", decode.median * 1e3},
                          {"both_ms", (encode.median + decode.median) * 1e3}};
    if (arguments.has("--json")) return print_json_line(row), 0;
    print_line(gpu::format("{}, {} x {}: encode {} ms, decode {} ms, both {} ms (medians of {})", vae->summary(), side, side,
                           fixed_text(encode.median * 1e3, 1), fixed_text(decode.median * 1e3, 1), fixed_text((encode.median + decode.median) * 1e3, 1), repeats));
    return 0;
}

}  // namespace app
