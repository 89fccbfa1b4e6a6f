// heddle bench: how fast this machine runs the runtime's kernels, beside what it could reach.
#include <QJsonArray>
#include <QJsonObject>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>

#include "app/cli/command.h"
#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/host_kernel.h"
#include "gpu/vulkan/device.h"
#include "nodes/models/taesd/taesd.h"

namespace app {
namespace {

using gpu::ErrorCode;
using gpu::Shape;
using gpu::Tensor;
using gpu::Tensors;

struct Peaks {
    double gflops = 0, gbytes = 0;
};

struct OpBench {
    std::string name;
    std::vector<Shape> in;
    std::function<Tensor(const Tensors&)> make;
    double flop = 0;                          // 0: memory bound, judged by bytes
    std::function<double()> reference = {};   // seconds that oneDNN alone takes, if that is the yardstick
};

struct Timing {
    double median = 0, p90 = 0;   // seconds
};

// Median and 90th percentile of `repeats` runs after two to warm up.
Timing measure(const std::function<void()>& run, int repeats) {
    std::vector<double> seconds;
    for (int i = -2; i < repeats; ++i) {
        const auto start = std::chrono::steady_clock::now();
        run();
        if (i >= 0) seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    return {seconds[seconds.size() / 2], seconds[seconds.size() * 9 / 10]};
}

Tensor noise(const Shape& shape, unsigned seed) {
    std::mt19937 generator(seed);
    std::vector<float> values(static_cast<std::size_t>(gpu::element_count(shape)));
    for (float& value : values) value = static_cast<float>(generator()) * 0x1p-31f - 1;
    const Tensor leaf = gpu::tensor(values, shape);
    return leaf;
}

// Feature maps as the runtime keeps them: channels last.
Tensor feature_map(const Shape& s, unsigned seed) { return gpu::permute(noise({s[0], s[2], s[3], s[1]}, seed), {0, 3, 1, 2}); }

OpBench conv(const std::string& name, std::int64_t batch, std::int64_t in, std::int64_t out, std::int64_t side, int kernel) {
    const Shape x{batch, in, side, side}, w{out, in, kernel, kernel}, y{batch, out, side, side};
    const int pad = kernel / 2;
    return {name, {x, w}, [pad](const Tensors& t) { return gpu::conv2d(t[0], t[1], {.pad = pad}); },
            2.0 * static_cast<double>(batch * out * side * side * in * kernel * kernel),
            [=] { return gpu::onednn_conv2d_seconds(x, w, y, 1, pad, 5); }};
}

OpBench product(std::int64_t m, std::int64_t k, std::int64_t n) {
    return {"matmul", {{m, k}, {k, n}}, [](const Tensors& t) { return gpu::matmul(t[0], t[1]); },
            2.0 * static_cast<double>(m * k * n), [=] { return gpu::onednn_matmul_seconds(m, k, n, 5); }};
}

std::vector<OpBench> op_benches() {
    const Shape line{4 << 20}, map{1, 64, 256, 256};
    return {
        {"silu+add", {line, line}, [](const Tensors& t) { return gpu::silu(t[0]) + t[1]; }},
        {"mul+add+relu", {line, line}, [](const Tensors& t) { return gpu::relu(t[0] * t[1] + 0.5); }},
        {"gelu", {line}, [](const Tensors& t) { return gpu::gelu(t[0]); }},
        {"bias+relu (map)", {map, {1, 64, 1, 1}}, [](const Tensors& t) { return gpu::relu(t[0] + t[1]); }},
        {"softmax", {{4096, 1024}}, [](const Tensors& t) { return gpu::softmax(t[0]); }},
        {"mean (all)", {line}, [](const Tensors& t) { return gpu::mean(t[0]); }},
        {"sum (rows)", {{4096, 1024}}, [](const Tensors& t) { return gpu::sum(t[0], {1}); }},
        {"group_norm+silu", {{1, 320, 64, 64}}, [](const Tensors& t) { return gpu::silu(gpu::group_norm(t[0], 32, {}, {})); }},
        {"resize bicubic x0.5", {{1, 3, 1024, 1024}}, [](const Tensors& t) { return gpu::resize(t[0], 512, 512, gpu::Filter::Bicubic); }},
        {"upsample_nearest x2", {{1, 64, 128, 128}}, [](const Tensors& t) { return gpu::upsample_nearest(t[0], 2); }},
        conv("conv2d 3x3", 1, 64, 64, 256, 3),
        conv("conv2d 3x3", 1, 320, 320, 32, 3),
        conv("conv2d 3x3", 16, 16, 16, 64, 3),
        conv("conv2d 1x1", 1, 320, 320, 32, 1),
        conv("conv2d 3x3", 1, 1280, 1280, 8, 3),
        product(1024, 1024, 1024),
        product(1024, 640, 2560),
        product(4096, 320, 320),
    };
}

QJsonObject run_bench(const OpBench& bench, const Peaks& peaks, int repeats) {
    Tensors in;
    double bytes = 0;
    for (std::size_t i = 0; i < bench.in.size(); ++i) {
        const bool map = bench.in[i].size() == 4 && bench.in[i][2] > 3;
        in.push_back(map ? feature_map(bench.in[i], static_cast<unsigned>(i)) : noise(bench.in[i], static_cast<unsigned>(i)));
        bytes += 4.0 * static_cast<double>(gpu::element_count(bench.in[i]));
    }
    gpu::evaluate(in);
    bytes += 4.0 * static_cast<double>(bench.make(in).element_count());
    const Timing time = measure([&] { gpu::evaluate({bench.make(in)}); }, repeats);
    std::string shapes;
    for (const Shape& shape : bench.in) shapes += (shapes.empty() ? "" : " ") + gpu::to_string(shape);
    QJsonObject row{{"name", QString::fromStdString(bench.name)}, {"shapes", QString::fromStdString(shapes)},
                    {"device", QString::fromStdString(gpu::Device::current().caps().name)},
                    {"median_ms", time.median * 1e3}, {"p90_ms", time.p90 * 1e3}, {"gbytes_per_s", bytes / time.median * 1e-9}};
    if (bench.flop > 0) {
        row["gflop_per_s"] = bench.flop / time.median * 1e-9;
        row["share_of_peak"] = bench.flop / time.median * 1e-9 / peaks.gflops;
        if (bench.reference) row["share_of_onednn"] = bench.reference() / time.median;
    } else {
        row["share_of_peak"] = bytes / time.median * 1e-9 / peaks.gbytes;
    }
    return row;
}

std::string fixed(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

int bench_ops(const Arguments& arguments, int repeats) {
    const std::string filter = arguments.value("--filter").value_or("");
    Peaks peaks;
    peaks.gflops = 2e-9 * 1024.0 * 1024 * 1024 / gpu::onednn_matmul_seconds(1024, 1024, 1024, 8);
    peaks.gbytes = 2e-9 * (64 << 20) / gpu::copy_seconds(64 << 20, 8);
    const bool json = arguments.has("--json");
    std::vector<std::vector<std::string>> rows{{"OP", "SHAPES", "MEDIAN MS", "P90 MS", "GB/S", "GFLOP/S", "OF PEAK", "OF ONEDNN"}};
    for (const OpBench& one : op_benches()) {
        if (one.name.find(filter) == std::string::npos) continue;
        const QJsonObject row = run_bench(one, peaks, repeats);
        if (json) print_json_line(row);
        const auto percent = [&](const char* key) { return row.contains(key) ? fixed(row[key].toDouble() * 100, 0) + " %" : std::string("-"); };
        rows.push_back({one.name, row["shapes"].toString().toStdString(), fixed(row["median_ms"].toDouble(), 2),
                        fixed(row["p90_ms"].toDouble(), 2), fixed(row["gbytes_per_s"].toDouble(), 1),
                        row.contains("gflop_per_s") ? fixed(row["gflop_per_s"].toDouble(), 1) : "-", percent("share_of_peak"),
                        percent("share_of_onednn")});
    }
    if (json) return 0;
    print_line(gpu::format("{}; measured peak: {} GFLOP/s (matrix product), {} GB/s (copy, read + write)",
                           gpu::Device::current().caps().name, fixed(peaks.gflops, 1), fixed(peaks.gbytes, 1)));
    print_line(table_text(rows));
    return 0;
}

// Encodes and decodes a square picture of noise with a tiny autoencoder; weights are loaded and packed before the clock.
int bench_vae(const Arguments& arguments, int repeats) {
    const auto& files = arguments.positionals();
    gpu::check(files.size() == 2 || files.size() == 3, ErrorCode::Usage, "bench vae: expected ENCODER [DECODER], got {} files", files.size() - 1);
    const int side = std::clamp(std::atoi(arguments.value("--size").value_or("512").c_str()) / 8 * 8, 8, 8192);
    const nodes::Vae vae = nodes::load_taesd(files[1], files.size() == 3 ? files[2] : files[1]);
    const Tensor picture = feature_map({1, 3, side, side}, 1) * 0.5 + 0.5;
    Tensor latent = vae->encode(picture);
    gpu::evaluate({picture, latent});
    const Timing encode = measure([&] { gpu::evaluate({vae->encode(picture + 0.0)}); }, repeats);
    const Timing decode = measure([&] { gpu::evaluate({vae->decode(latent + 0.0)}); }, repeats);
    const QJsonObject row{{"name", "vae"}, {"model", QString::fromStdString(vae->summary())}, {"side", side},
                          {"encode_ms", encode.median * 1e3}, {"decode_ms", decode.median * 1e3},
                          {"both_ms", (encode.median + decode.median) * 1e3}};
    if (arguments.has("--json")) return print_json_line(row), 0;
    print_line(gpu::format("{}, {} x {}: encode {} ms, decode {} ms, both {} ms (medians of {})", vae->summary(), side, side,
                           fixed(encode.median * 1e3, 1), fixed(decode.median * 1e3, 1), fixed((encode.median + decode.median) * 1e3, 1), repeats));
    return 0;
}

int bench(const Arguments& arguments) {
    const int repeats = std::clamp(std::atoi(arguments.value("--repeat").value_or("9").c_str()), 1, 1000);
    const std::string what = arguments.positionals().empty() ? "" : arguments.positionals()[0];
    if (what == "vae") return bench_vae(arguments, repeats);
    gpu::check(what == "ops" && arguments.positionals().size() == 1, ErrorCode::Usage, "bench: expected ops, or vae and its files, got \"{}\"", what);
    return bench_ops(arguments, repeats);
}

}  // namespace

REGISTER_COMMAND(bench, {.name = "bench",
                         .arguments = "ops | vae ENCODER [DECODER]",
                         .summary = "Measures the runtime's kernels beside this machine's own peak",
                         .help = "Each row is the median of whole evaluations: planning from the cache, submission and wait included. "
                                 "OF PEAK compares with a large matrix product (or a large copy, for what memory limits) measured "
                                 "in the same run, OF ONEDNN with oneDNN alone on the same shape in layouts of its own choice.",
                         .options = {json_option, {"--filter", "TEXT", "Only ops whose name contains TEXT"},
                                     {"--repeat", "N", "Runs of each (9)"},
                                     {"--size", "PIXELS", "vae: side of the picture (512)"}},
                         .run = bench})

}  // namespace app
