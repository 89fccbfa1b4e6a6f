// Shared pieces of `heddle bench`: one file a suite, each printing rows as a table or as JSON lines.
#pragma once

#include <QJsonObject>
#include <functional>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "gpu/graph/tensor.h"

namespace app {

struct BenchTiming {
    double median = 0, p90 = 0;   // seconds
    double host = 0;              // seconds, median of what a run neither waited for the device nor spent in kernels of the host
    double host_share_percent() const { return 100 * host / median; }
};

// Medians and 90th percentile of `repeats` runs after two to warm up.
BenchTiming bench_time(const std::function<void()>& run, int repeats);

// What this machine reaches: a large matrix product, on a GPU in numbers of `type`, and a large copy, measured when called.
struct BenchPeaks {
    double gflops = 0, gbytes = 0;   // per second
};
BenchPeaks bench_peaks(gpu::Dtype type = gpu::Dtype::F32);

// Uniform numbers in [-1, 1), the same for the same seed.
gpu::Tensor bench_noise(const gpu::Shape& shape, unsigned seed);
// [N, C, H, W] as the runtime keeps feature maps: channels last.
gpu::Tensor bench_map(const gpu::Shape& shape, unsigned seed);

// The type that an option names; F32 where it is not given. Its word: "f16".
gpu::Dtype bench_type(const Arguments& arguments, const std::string& option = "--type");
const char* type_word(gpu::Dtype type);
// What --type names, else F32 and F16, one after the other.
std::vector<gpu::Dtype> bench_types(const Arguments& arguments);

// Prints a row as a JSON line under --json, else as "field value" pairs.
int print_bench_row(const Arguments& arguments, const QJsonObject& row);

std::string fixed_text(double value, int digits);

// The suites: `repeats` runs of each row.
int bench_ops(const Arguments& arguments, int repeats);
int bench_train(const Arguments& arguments, int repeats);
int bench_vae(const Arguments& arguments, int repeats);
int bench_engine(const Arguments& arguments, int repeats);
int bench_graph(const Arguments& arguments, int repeats);
int bench_model(const Arguments& arguments, int repeats);
int bench_replay(const Arguments& arguments, int repeats);
int bench_block(const Arguments& arguments, int repeats);
int bench_unet(const Arguments& arguments, int repeats);
int bench_sample(const Arguments& arguments, int repeats);
int bench_text(const Arguments& arguments, int repeats);

}  // namespace app
