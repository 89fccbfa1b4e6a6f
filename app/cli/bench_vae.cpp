// heddle bench vae: a tiny autoencoder of files, or the KL autoencoder of Stable Diffusion with empty weights.
#include <algorithm>
#include <cstdlib>
#include <functional>

#include "app/cli/bench.h"
#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"
#include "nodes/models/taesd/taesd.h"
#include "nodes/models/vae/kl.h"

namespace app {

using gpu::ErrorCode;
using gpu::Tensor;

namespace {

nodes::Vae kl_with_empty_weights(const Arguments& arguments) {
    const gpu::Scope scope = gpu::Scope::empty(bench_type(arguments));
    return {std::make_shared<const nodes::KlAutoencoder>(scope, nodes::vae_config(), nodes::latent_format("sd1", 4))};
}

}  // namespace

// Encodes and decodes a square picture of noise; weights are loaded and packed before the clock.
int bench_vae(const Arguments& arguments, int repeats) {
    const auto& files = arguments.positionals();
    gpu::check(files.size() <= 3, ErrorCode::Usage, "bench vae: expected nothing, kl, or ENCODER [DECODER], got {} files", files.size() - 1);
    const int side = std::clamp(std::atoi(arguments.value("--size").value_or("512").c_str()) / 8 * 8, 8, 8192);
    const bool empty = files.size() == 1 || files[1] == "kl";
    const nodes::Vae vae = empty ? kl_with_empty_weights(arguments) : nodes::load_taesd(files[1], files.size() == 3 ? files[2] : files[1]);
    const Tensor picture = bench_map({1, 3, side, side}, 1) * 0.5 + 0.5, latent = bench_map({1, vae->format().channels, side / 8, side / 8}, 2);
    gpu::evaluate({picture, latent});
    gpu::Device& device = gpu::Device::current();
    struct Way {
        const char* name;
        std::function<Tensor()> make;
        double median = 0;
        gpu::PlanCost cost;
        std::uint64_t peak = 0;
    };
    std::vector<Way> ways;
    if (vae->can_encode()) ways.push_back({"encode", [&] { return vae->encode(picture + 0.0); }});
    if (vae->can_decode()) ways.push_back({"decode", [&] { return vae->decode(latent + 0.0); }});
    double both = 0;
    QJsonObject row{{"name", "vae"}, {"model", QString::fromStdString(vae->summary())}, {"side", side}, {"device", QString::fromStdString(device.caps().name)}};
    std::string line;
    for (Way& way : ways) {
        way.cost = gpu::plan_cost({way.make()});
        device.reset_peak();
        way.median = bench_time([&] { gpu::evaluate({way.make()}); }, repeats).median;
        way.peak = device.memory_use().peak;
        both += way.median;
        const auto key = [&](const char* what) { return QString("%1_%2").arg(way.name, what); };
        row[key("ms")] = way.median * 1e3;
        row[key("gflop")] = way.cost.flop * 1e-9;
        row[key("gflop_per_s")] = way.cost.flop / way.median * 1e-9;
        row[key("peak_bytes")] = static_cast<double>(way.peak);
        line += gpu::format("{} {} ms ({} GFLOP/s, peak {} MiB), ", way.name, fixed_text(way.median * 1e3, 1), fixed_text(way.cost.flop / way.median * 1e-9, 0),
                            way.peak >> 20);
    }
    row["both_ms"] = both * 1e3;
    if (arguments.has("--json")) return print_json_line(row), 0;
    print_line(gpu::format("{}, {} x {}: {}both {} ms (medians of {})", vae->summary(), side, side, line, fixed_text(both * 1e3, 1), repeats));
    return 0;
}

}  // namespace app
