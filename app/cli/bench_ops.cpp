// heddle bench ops: single operations and small chains, each beside the machine's own peak.
#include <algorithm>
#include <functional>

#include "app/cli/bench.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/host_kernel.h"
#include "gpu/vulkan/device.h"

namespace app {
namespace {

using gpu::Shape;
using gpu::Tensor;
using gpu::Tensors;

struct OpBench {
    std::string name;
    std::vector<Shape> in;
    std::function<Tensor(const Tensors&)> make;
    double flop = 0;                          // 0: memory bound, judged by bytes
    std::function<double()> reference = {};   // seconds that oneDNN alone takes, if that is the yardstick
    bool in_rows = false;                     // inputs lie as they are written; else maps have their channels last
};

// A convolution of kernels `kernel` with as many zeros around as keep the size, or one of its gradients.
OpBench conv(gpu::ConvPass pass, std::int64_t batch, std::int64_t in, std::int64_t out, const Shape& size, const Shape& kernel) {
    const std::size_t rank = size.size();
    Shape x{batch, in}, w{out, in}, y{batch, out}, pad;
    x.insert(x.end(), size.begin(), size.end());
    y.insert(y.end(), size.begin(), size.end());
    w.insert(w.end(), kernel.begin(), kernel.end());
    for (const std::int64_t taps : kernel) pad.push_back(taps / 2);
    const gpu::ConvGeometry geometry{Shape(rank, 1), pad, pad, Shape(rank, 1), 1};
    const double flop = 2.0 * static_cast<double>(gpu::element_count(y)) * static_cast<double>(gpu::element_count(w) / out);
    const auto reference = [=] { return gpu::onednn_conv_seconds(pass, geometry, x, w, y, 5); };
    std::string name = "conv" + std::to_string(rank) + "d ";
    for (const std::int64_t taps : kernel) name.append(name.back() == ' ' ? "" : "x").append(std::to_string(taps));
    if (pass == gpu::ConvPass::Forward)
        return {name, {x, w}, [=](const Tensors& t) { return gpu::convolution(t[0], t[1], geometry); }, flop, reference};
    if (pass == gpu::ConvPass::InputGrad)
        return {name + " dx", {y, w}, [=](const Tensors& t) { return gpu::conv_input_grad(t[0], t[1], geometry, size); }, flop, reference};
    return {name + " dw", {x, y}, [=](const Tensors& t) { return gpu::conv_weight_grad(t[0], t[1], geometry, kernel); }, flop, reference};
}

OpBench product(std::int64_t m, std::int64_t k, std::int64_t n) {
    return {"matmul", {{m, k}, {k, n}}, [](const Tensors& t) { return gpu::matmul(t[0], t[1]); },
            2.0 * static_cast<double>(m * k * n), [=] { return gpu::onednn_matmul_seconds(m, k, n, 5); }};
}

// Heads as projections leave them: [B, T, H D].
OpBench attention(std::int64_t heads, std::int64_t queries, std::int64_t keys, std::int64_t size) {
    const auto split = [=](const Tensor& x) { return gpu::permute(gpu::reshape(x, {1, x.size(1), heads, size}), {0, 2, 1, 3}); };
    return {"attention x" + std::to_string(heads), {{1, queries, heads * size}, {1, keys, heads * size}, {1, keys, heads * size}},
            [=](const Tensors& t) { return gpu::attention(split(t[0]), split(t[1]), split(t[2])); },
            4.0 * static_cast<double>(heads * queries * keys * size), {}, true};
}

std::vector<OpBench> op_benches() {
    const Shape line{4 << 20}, map{1, 64, 256, 256}, small_map{1, 320, 64, 64};
    std::vector<OpBench> benches{
        {"silu+add", {line, line}, [](const Tensors& t) { return gpu::silu(t[0]) + t[1]; }},
        {"mul+add+relu", {line, line}, [](const Tensors& t) { return gpu::relu(t[0] * t[1] + 0.5); }},
        {"gelu", {line}, [](const Tensors& t) { return gpu::gelu(t[0]); }},
        {"bias+relu (map)", {map, {1, 64, 1, 1}}, [](const Tensors& t) { return gpu::relu(t[0] + t[1]); }},
        {"softmax", {{4096, 1024}}, [](const Tensors& t) { return gpu::softmax(t[0]); }},
        {"layer_norm", {{4096, 1024}, {1024}, {1024}}, [](const Tensors& t) { return gpu::layer_norm(t[0], t[1], t[2]); }},
        {"residual+rms_norm", {{4096, 1024}, {4096, 1024}, {1024}}, [](const Tensors& t) { return gpu::rms_norm(t[0] + t[1], t[2]); }},
        {"geglu", {{1024, 5120}}, [](const Tensors& t) { return gpu::slice(t[0], 1, 0, 2560) * gpu::gelu(gpu::slice(t[0], 1, 2560, 5120)); }},
        {"bias+residual", {line, {1}, line}, [](const Tensors& t) { return t[0] + t[1] + t[2]; }},
        {"bias+residual (map)", {small_map, {1, 320, 1, 1}, small_map}, [](const Tensors& t) { return t[0] + t[1] + t[2]; }},
        {"sum (columns)", {{4096, 1024}}, [](const Tensors& t) { return gpu::sum(t[0], {0}); }},
        {"mean (all)", {line}, [](const Tensors& t) { return gpu::mean(t[0]); }},
        {"sum (rows)", {{4096, 1024}}, [](const Tensors& t) { return gpu::sum(t[0], {1}); }},
        {"group_norm+silu", {small_map}, [](const Tensors& t) { return gpu::silu(gpu::group_norm(t[0], 32, {}, {})); }},
        {"resize bicubic x0.5", {{1, 3, 1024, 1024}}, [](const Tensors& t) { return gpu::resize(t[0], 512, 512, gpu::Filter::Bicubic); }},
        {"upsample_nearest x2", {{1, 64, 128, 128}}, [](const Tensors& t) { return gpu::upsample_nearest(t[0], 2); }},
        product(1024, 1024, 1024),
        product(1024, 640, 2560),
        product(4096, 320, 320),
        product(4096, 320, 2560),
        attention(8, 4096, 4096, 40),
        attention(8, 1024, 1024, 80),
        attention(8, 256, 256, 160),
        attention(8, 4096, 77, 40),
        attention(1, 4096, 4096, 512),
    };
    using gpu::ConvPass;
    for (const ConvPass pass : {ConvPass::Forward, ConvPass::InputGrad, ConvPass::WeightGrad}) {
        benches.push_back(conv(pass, 1, 64, 64, {256, 256}, {3, 3}));
        benches.push_back(conv(pass, 1, 320, 320, {32, 32}, {3, 3}));
        benches.push_back(conv(pass, 16, 16, 16, {64, 64}, {3, 3}));
        benches.push_back(conv(pass, 32, 64, 64, {16, 16}, {3, 3}));
        benches.push_back(conv(pass, 32, 192, 192, {4, 4}, {3, 3}));
        benches.push_back(conv(pass, 1, 640, 640, {32, 32}, {3, 3}));
        benches.push_back(conv(pass, 1, 320, 320, {32, 32}, {1, 1}));
        benches.push_back(conv(pass, 1, 1280, 1280, {8, 8}, {3, 3}));
        benches.push_back(conv(pass, 1, 64, 64, {8, 32, 32}, {3, 3, 3}));
        benches.push_back(conv(pass, 1, 256, 256, {4096}, {3}));
    }
    return benches;
}

std::string shapes_text(const OpBench& bench) {
    std::string shapes;
    for (const Shape& shape : bench.in) shapes.append(shapes.empty() ? "" : " ").append(gpu::to_string(shape));
    return shapes;
}

QJsonObject run_bench(const OpBench& bench, gpu::Dtype type, const BenchPeaks& peaks, int repeats) {
    Tensors in;
    const double size = static_cast<double>(gpu::size_of(type));
    double bytes = 0;
    for (std::size_t i = 0; i < bench.in.size(); ++i) {
        const bool map = !bench.in_rows && bench.in[i].size() >= 3 && bench.in[i].back() > 3;   // not the taps of a weight
        in.push_back(gpu::cast(map ? bench_map(bench.in[i], static_cast<unsigned>(i)) : bench_noise(bench.in[i], static_cast<unsigned>(i)), type));
        bytes += size * static_cast<double>(gpu::element_count(bench.in[i]));
    }
    gpu::evaluate(in);
    bytes += size * static_cast<double>(bench.make(in).element_count());
    const auto run = [&] { gpu::evaluate({bench.make(in)}); };
    const BenchTiming time = bench_time(run, repeats);
    QJsonObject row{{"name", QString::fromStdString(bench.name)}, {"type", type_word(type)}, {"shapes", QString::fromStdString(shapes_text(bench))},
                    {"device", QString::fromStdString(gpu::Device::current().caps().name)},
                    {"median_ms", time.median * 1e3}, {"p90_ms", time.p90 * 1e3}, {"gbytes_per_s", bytes / time.median * 1e-9}};
    if (bench.flop > 0) {
        row["gflop_per_s"] = bench.flop / time.median * 1e-9;
        row["share_of_peak"] = bench.flop / time.median * 1e-9 / peaks.gflops;
        if (bench.reference) {   // in turns, since the machine's own pace changes
            std::vector<double> shares;
            for (int round = 0; round < 3; ++round) shares.push_back(bench.reference() / bench_time(run, repeats / 3 + 1).median);
            std::sort(shares.begin(), shares.end());
            row["share_of_onednn"] = shares[1];
        }
    } else {
        row["share_of_peak"] = bytes / time.median * 1e-9 / peaks.gbytes;
    }
    return row;
}

}  // namespace

int bench_ops(const Arguments& arguments, int repeats) {
    const std::string filter = arguments.value("--filter").value_or("");
    const gpu::Dtype type = bench_type(arguments);
    const BenchPeaks peaks = bench_peaks(type);
    const bool json = arguments.has("--json");
    std::vector<std::vector<std::string>> rows{{"OP", "SHAPES", "MEDIAN MS", "P90 MS", "GB/S", "GFLOP/S", "OF PEAK", "OF ONEDNN"}};
    for (const OpBench& one : op_benches()) {
        if (gpu::format("{} {}", one.name, shapes_text(one)).find(filter) == std::string::npos) continue;
        const QJsonObject row = run_bench(one, type, peaks, repeats);
        if (json) print_json_line(row);
        const auto percent = [&](const char* key) { return row.contains(key) ? fixed_text(row[key].toDouble() * 100, 0) + " %" : std::string("-"); };
        rows.push_back({one.name, row["shapes"].toString().toStdString(), fixed_text(row["median_ms"].toDouble(), 2),
                        fixed_text(row["p90_ms"].toDouble(), 2), fixed_text(row["gbytes_per_s"].toDouble(), 1),
                        row.contains("gflop_per_s") ? fixed_text(row["gflop_per_s"].toDouble(), 1) : "-", percent("share_of_peak"),
                        percent("share_of_onednn")});
    }
    if (json) return 0;
    print_line(gpu::format("{}; measured peak: {} GFLOP/s (matrix product), {} GB/s (copy, read + write)",
                           gpu::Device::current().caps().name, fixed_text(peaks.gflops, 1), fixed_text(peaks.gbytes, 1)));
    print_line(table_text(rows));
    return 0;
}

}  // namespace app
