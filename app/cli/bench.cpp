// heddle bench: how fast this machine runs the runtime's kernels and models, beside what it could reach.
#include "app/cli/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"

namespace app {

BenchTiming bench_time(const std::function<void()>& run, int repeats) {
    std::vector<double> wall, host;
    for (int i = -2; i < repeats; ++i) {
        const gpu::EvaluationCounters before = gpu::evaluation_counters();
        const auto start = std::chrono::steady_clock::now();
        run();
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const gpu::EvaluationCounters after = gpu::evaluation_counters();
        if (i < 0) continue;
        wall.push_back(seconds);
        host.push_back(seconds - 1e-9 * static_cast<double>(after.wait_ns - before.wait_ns + after.host_kernel_ns - before.host_kernel_ns));
    }
    std::sort(wall.begin(), wall.end());
    std::sort(host.begin(), host.end());
    return {wall[wall.size() / 2], wall[wall.size() * 9 / 10], host[host.size() / 2]};
}

gpu::Tensor bench_noise(const gpu::Shape& shape, unsigned seed) {
    std::mt19937 generator(seed);
    std::vector<float> values(static_cast<std::size_t>(gpu::element_count(shape)));
    for (float& value : values) value = static_cast<float>(generator()) * 0x1p-31f - 1;
    return gpu::tensor(values, shape);
}

gpu::Tensor bench_map(const gpu::Shape& s, unsigned seed) {
    gpu::Shape stored{s[0]};   // [N, spatial axes..., C]
    stored.insert(stored.end(), s.begin() + 2, s.end());
    stored.push_back(s[1]);
    std::vector<int> order{0, static_cast<int>(s.size()) - 1};
    for (int axis = 1; axis + 1 < static_cast<int>(s.size()); ++axis) order.push_back(axis);
    return gpu::permute(bench_noise(stored, seed), order);
}

const char* type_word(gpu::Dtype type) { return type == gpu::Dtype::F32 ? "f32" : type == gpu::Dtype::F16 ? "f16" : "bf16"; }

gpu::Dtype bench_type(const Arguments& arguments, const std::string& option) {
    const std::string word = arguments.choice(option, {"f32", "f16", "bf16"});
    for (const gpu::Dtype type : {gpu::Dtype::F16, gpu::Dtype::BF16})
        if (word == type_word(type)) return type;
    return gpu::Dtype::F32;
}

std::vector<gpu::Dtype> bench_types(const Arguments& arguments) {
    if (arguments.value("--type")) return {bench_type(arguments)};
    return {gpu::Dtype::F32, gpu::Dtype::F16};
}

std::string fixed_text(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

int print_bench_row(const Arguments& arguments, const QJsonObject& row) {
    if (arguments.has("--json")) return print_json_line(row), 0;
    std::vector<std::vector<std::string>> lines;
    for (auto field = row.begin(); field != row.end(); ++field) {
        const bool whole = field->isDouble() && field->toDouble() == std::floor(field->toDouble());
        lines.push_back({field.key().toStdString(), field->isDouble() ? fixed_text(field->toDouble(), whole ? 0 : 2)
                                                                      : field->toString().toStdString()});
    }
    print_line(table_text(lines));
    return 0;
}

namespace {

int bench(const Arguments& arguments) {
    const int repeats = std::clamp(std::atoi(arguments.value("--repeat").value_or("9").c_str()), 1, 1000);
    const std::string what = arguments.positionals().empty() ? "" : arguments.positionals()[0];
    if (what == "train") return bench_train(arguments, repeats);
    if (what == "vae") return bench_vae(arguments, repeats);
    if (what == "engine") return bench_engine(arguments, repeats);
    if (what == "graph") return bench_graph(arguments, repeats);
    if (what == "model") return bench_model(arguments, repeats);
    if (what == "block") return bench_block(arguments, repeats);
    if (what == "replay") return bench_replay(arguments, repeats);
    if (what == "unet") return bench_unet(arguments, repeats);
    if (what == "sample") return bench_sample(arguments, repeats);
    if (what == "text") return bench_text(arguments, repeats);
    gpu::check(what == "ops" && arguments.positionals().size() == 1, gpu::ErrorCode::Usage,
               "bench: expected ops, block, engine, graph, model, replay, sample, text, train, unet or vae, got \"{}\"", what);
    return bench_ops(arguments, repeats);
}

}  // namespace

REGISTER_COMMAND(bench, {.name = "bench",
                         .arguments = "ops | block | engine | graph GRAPH | model [NAME...] | replay | sample [NAME] | text [NAME...] | train | unet [NAME...] | vae [ENCODER [DECODER]]",
                         .summary = "Measures kernels beside this machine's own peak, graphs and models",
                         .help = "Each row is the median of whole evaluations: planning from the cache, submission and wait included. "
                                 "OF PEAK compares with a large matrix product (or a large copy, for what memory limits) measured "
                                 "in the same run, OF ONEDNN with oneDNN alone on the same shape in layouts of its own choice. "
                                 "engine is a graph of 10,000 small nodes: checked, planned, run, and run again after an edit. "
                                 "Training steps are forward, backward, clipping, AdamW and an average of a small UNet; tests/bench/train_torch.py "
                                 "runs the same in PyTorch. Without files vae takes the KL autoencoder of Stable Diffusion. "
                                 "Models have empty weights: zeros that take no memory of their own, so that no file is needed. "
                                 "tests/bench/compare.py shows two files of --json lines side by side.",
                         .options = {json_option, {"--activations", "TYPE", "unet: what lies between its layers, f32, f16 or bf16 (f32)"},
                                     {"--filter", "TEXT", "Only ops whose name and shapes contain TEXT"},
                                     {"--batch", "N", "train: pictures a step (32); unet, text: rows of one evaluation (unet: 1 and 2; text: 1)"},
                                     {"--repeat", "N", "Runs of each (9); steps of sample"},
                                     {"--size", "PIXELS", "vae, model: side of the picture (512); unet, sample (256)"},
                                     {"--type", "TYPE", "ops: of inputs and results; unet, text, vae: how empty weights are stored; f32, f16 or bf16 (unet, text: f32 and f16; else f32)"}},
                         .run = bench})

}  // namespace app
