// Predicted speed of the matrix products and convolutions of the SD 1.5 (512 x 512) and SDXL (1024 x 1024) UNets, two
// pictures at once as guidance wants them, f16. See chip_model.h for what the model knows and ignores.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/ops/gemm.h"
#include "gpu/ops/winograd.h"
#include "tests/isa/chip_model.h"
#include "tests/isa/subjects.h"
#include "tests/isa/winograd_model.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

struct Work {
    std::string name;
    tests::Product product;
    enum { Linear, Scores, Values, Conv3x3, Attention } kind = Linear;
    bool large = false;   // the goal holds for it
    Dtype dtype = Dtype::F16;
};

Work linear(const std::string& name, double m, double k, double n) { return {name, {1, m, n, k}, Work::Linear}; }

// Attention of `heads` in one kernel, and beside it its two products alone: scores of `heads` with `tokens` queries against `keys`, and their product with the values.
void attention(std::vector<Work>& list, const std::string& model, double heads, double tokens, double keys, double width) {
    const std::string name = gpu::format("{} attention {} x {}, {} heads of {}", model, tokens, keys, heads, width);
    list.push_back({name, {heads, tokens, width, keys}, Work::Attention});
    list.push_back({name + ": scores", {heads, tokens, keys, width}, Work::Scores});
    list.push_back({name + ": values", {heads, tokens, width, keys}, Work::Values});
}

Work conv(const std::string& model, double batch, double side, double in, double out, Dtype dtype = Dtype::F16) {
    Work work{gpu::format("{} conv 3x3 {} x {}, {} -> {}", model, side, side, in, out), {1, batch * side * side, out, 9 * in}, Work::Conv3x3};
    work.dtype = dtype;
    work.product.element_bytes = static_cast<double>(size_of(dtype));
    work.product.read_bytes = work.product.element_bytes * (batch * side * side * in + 9 * in * out);
    return work;
}

std::vector<Work> works() {
    std::vector<Work> list;
    const auto transformer = [&](const std::string& model, double tokens, double width, double heads, double context) {
        const double rows = 2 * tokens;
        list.push_back(linear(gpu::format("{} q, k, v, out {} x {}", model, rows, width), rows, width, width));
        list.push_back(linear(gpu::format("{} feed-forward in {} x {}", model, rows, width), rows, width, 8 * width));
        list.push_back(linear(gpu::format("{} feed-forward out {} x {}", model, rows, width), rows, 4 * width, width));
        list.push_back(linear(gpu::format("{} context k, v {} x {}", model, 2 * 77, width), 2 * 77, context, width));
        attention(list, model, 2 * heads, tokens, tokens, width / heads);
        attention(list, model, 2 * heads, tokens, 77, width / heads);
    };
    transformer("SD1.5", 4096, 320, 8, 768);
    transformer("SD1.5", 1024, 640, 8, 768);
    transformer("SD1.5", 256, 1280, 8, 768);
    transformer("SD1.5", 64, 1280, 8, 768);
    transformer("SDXL", 4096, 640, 10, 2048);
    transformer("SDXL", 1024, 1280, 20, 2048);
    list.push_back(conv("SD1.5", 2, 64, 320, 320));
    list.push_back(conv("SD1.5", 2, 32, 640, 640));
    list.push_back(conv("SD1.5", 2, 16, 1280, 1280));
    list.push_back(conv("SD1.5", 2, 8, 1280, 1280));
    list.push_back(conv("SDXL", 2, 128, 320, 320));
    list.push_back(conv("SDXL", 2, 64, 640, 640));
    list.push_back(conv("SDXL", 2, 32, 1280, 1280));
    // Large: enough to do for every unit, several times over.
    for (Work& work : list)
        work.large = work.kind == Work::Linear && work.product.m * work.product.n >= 4096.0 * 1280 && work.product.k >= 640;
    return list;
}

// The op of that kind at a size that no property of the code depends on beyond what the kind says.
Tensor sample(const Work& work) {
    const auto half = [&](const Shape& shape) { return tests::blank(work.dtype, shape); };
    const auto k = static_cast<std::int64_t>(work.product.k), n = static_cast<std::int64_t>(work.product.n);
    switch (work.kind) {
        case Work::Linear: return matmul(half({256, k}), transpose(half({n, k}), 0, 1));
        case Work::Scores: return matmul(half({2, 256, k}), transpose(half({2, n, k}), 1, 2));
        case Work::Values: return matmul(half({2, 256, k}), half({2, k, n}));
        case Work::Attention: {
            const auto heads = static_cast<std::int64_t>(work.product.batch), tokens = static_cast<std::int64_t>(work.product.m);
            const Tensor keys = half({1, heads, k, n});
            return gpu::attention(half({1, heads, tokens, n}), keys, keys);
        }
        case Work::Conv3x3: return conv2d(permute(half({1, 16, 16, k / 9}), {0, 3, 1, 2}), half({std::min<std::int64_t>(n, 320), k / 9, 3, 3}), {.pad = 1});
    }
    return {};
}

struct Best {
    std::string variant;
    tests::Prediction prediction;
};

class Predictor {
public:
    Predictor(const tests::NullDevice& device, const std::string& family) : device_(device), family_(family) {}

    // Of products with F32 sums, or of half products alone.
    Best best(const Work& work, bool half_products = false) {
        if (work.kind == Work::Attention) return half_products ? Best{} : best_attention(work);
        Best best;
        const DeviceTraits traits = tests::traits_of(device_, family_);
        const auto whole = [](double x) { return static_cast<std::int64_t>(x); };
        const GemmShape shape{whole(work.product.batch), whole(work.product.m), whole(work.product.n), whole(work.product.k)};
        const tests::Chip& chip = tests::chip(family_);
        const Tensor y = sample(work);
        for (const std::string& variant : gemm_variants(shape, work.dtype == Dtype::F16, traits)) {
            const GemmTiling& tiling = gemm_tiling(variant);
            if ((tiling.kind == GemmKind::Half) != half_products || tiling.kind == GemmKind::Simple || tiling.kind == GemmKind::Subgroup) continue;
            const std::int64_t parts = gemm_parts(variant);
            const tests::CompiledStep& step = code(work, y, tiling.name);   // a split changes nothing in the loop
            if (step.code.assembly.empty()) continue;
            const tests::Tiling shape_of{double(tiling.m), double(tiling.n), double(tiling.step_k()),
                                         static_cast<int>(tiling.lanes(traits)) / step.wave};
            const tests::LoopStatistics& loop = loop_of(step, 2 * shape_of.m * shape_of.n * shape_of.k / shape_of.waves);
            if (!loop.found) continue;
            auto prediction = tests::predict(chip, loop, static_cast<int>(step.code.statistic("Subgroups per SIMD")), shape_of, in_parts(work.product, parts));
            if (parts > 1) {
                prediction.seconds += second_step(work.product, parts, chip);
                prediction.flops = 2 * work.product.batch * work.product.m * work.product.n * work.product.k / prediction.seconds;
            }
            if (prediction.flops > best.prediction.flops) best = {variant, prediction};
        }
        return best;
    }

    // A 3x3 convolution by one of Winograd's variants (gpu/ops/winograd.h): 16 products of a quarter of the pixels each, in the
    // best of their kernels, between the transforms; and how much of it the weight's transform is, which every run does anew.
    std::pair<double, double> winograd_seconds(const Work& work, const std::string& variant) {
        const tests::Product& p = work.product;
        const std::string key = gpu::format("{} {}", variant, name_of(work.dtype));
        if (!transforms_.contains(key)) transforms_.emplace(key, tests::WinogradTransforms(device_, family_, work.dtype, variant));
        const tests::WinogradTransforms& transforms = transforms_.at(key);
        Work products{work.name, {16, p.m / 4, p.n, p.k / 9}, Work::Scores};
        products.dtype = variant == "winograd_half" ? Dtype::F16 : Dtype::F32;
        products.product.element_bytes = transforms.transformed_bytes();
        const double weight = transforms.weight_seconds(p.k / 9, p.n);
        return {best(products).prediction.seconds + transforms.seconds(p.m, p.k / 9, p.n) + weight, weight};
    }

private:
    // Constants of shaders/attention_coop.comp: lanes, lanes of a subgroup, keys of a step, matrices of queries, of a query, of columns.
    Best best_attention(const Work& work) {
        Best best;
        const tests::Product& p = work.product;   // heads, queries, width, keys
        for (const char* variant : {"coop_128x64", "coop_128x32", "coop_64x64", "coop_64x32"}) {
            const tests::CompiledStep step = tests::compile(device_, family_, sample(work), variant);
            if (step.code.assembly.empty() || step.name.find(variant) == std::string::npos) continue;   // not offered: another one
            const std::vector<std::uint32_t>& c = step.constants;
            tests::Launch launch;
            launch.waves = c[0] / c[1];
            launch.workgroups = double(step.groups[0]) * step.groups[1] * step.groups[2];
            launch.iterations = std::ceil(p.k / c[2]);
            launch.useful = 4 * p.batch * p.m * p.n * p.k;
            const double queries = launch.waves * c[3] * 16, chunks = std::ceil(p.n / (c[5] * 16.0));
            launch.tile_share = p.m / (std::ceil(p.m / queries) * queries) * p.k / (launch.iterations * c[2]) * 2 * p.n / ((c[4] * chunks + c[5] * chunks) * 16);
            launch.memory_bytes = 2 * p.batch * (2 * p.m + 2 * p.k) * p.n;
            launch.l2_bytes = 2 * launch.workgroups * (queries + p.k) * (c[4] + c[5]) * 16;
            const auto loop = tests::loop_statistics(step.code, step.wave, tests::chip(family_));
            if (!loop.found) continue;
            const auto prediction = tests::predict(tests::chip(family_), loop, static_cast<int>(step.code.statistic("Subgroups per SIMD")), launch);
            if (prediction.flops > best.prediction.flops) best = {variant, prediction};
        }
        return best;
    }

    // A product split along k as the model sees it, and what the second step adds: the parts written and read again through the L2
    // cache in floats, and a dispatch that waits for the first.
    static tests::Product in_parts(tests::Product p, std::int64_t parts) {
        if (parts == 1) return p;
        if (p.read_bytes == 0) p.read_bytes = p.batch * p.element_bytes * (p.m * p.k + p.k * p.n);
        p.batch *= double(parts);
        p.k = std::ceil(p.k / double(parts));
        return p;
    }
    static double second_step(const tests::Product& p, std::int64_t parts, const tests::Chip& chip) {
        constexpr double dispatch_seconds = 3e-6;
        return dispatch_seconds + 2 * 4 * double(parts) * p.batch * p.m * p.n / chip.l2;
    }

    // One compilation for each kernel: variants differ by kind and by what is left over along k.
    const tests::CompiledStep& code(const Work& work, const Tensor& y, const std::string& variant) {
        const std::string key = gpu::format("{} {} {} {} {}", static_cast<int>(work.kind), name_of(work.dtype), variant, std::fmod(work.product.k, 32) == 0, std::fmod(work.product.k, 8) == 0);
        const auto known = kept_.find(key);
        return known != kept_.end() ? known->second : kept_[key] = tests::compile(device_, family_, y, variant);
    }

    const tests::LoopStatistics& loop_of(const tests::CompiledStep& step, double step_flop) {
        const auto known = loops_.find(&step);
        return known != loops_.end() ? known->second
                                     : loops_[&step] = tests::loop_statistics(step.code, step.wave, tests::chip(family_), step_flop);
    }

    const tests::NullDevice& device_;
    const std::string family_;
    std::map<const tests::CompiledStep*, tests::LoopStatistics> loops_;
    std::map<std::string, tests::CompiledStep> kept_;
    std::map<std::string, tests::WinogradTransforms> transforms_;
};

}  // namespace

class PredictTest : public QObject {
    Q_OBJECT
private slots:
    void chip_data() {
        QTest::addColumn<QString>("family");
        for (const char* family : {"navi21", "navi31"}) QTest::newRow(family) << family;
    }
    void chip() {
        QFETCH(QString, family);
        std::string why;
        const auto device = tests::NullDevice::open(family.toStdString(), why);
        if (!device) QSKIP(qPrintable(QString::fromStdString(why)));
        const bool matrix = tests::traits_of(*device, family.toStdString()).cooperative_matrix;
        const double peak = tests::chip(family.toStdString()).peak(matrix);
        std::printf("%s, %s, %s: predicted of a peak of %.1f TFLOP/s\n", qPrintable(family), device->driver().c_str(),
                    matrix ? "cooperative matrices" : "f32 vectors", peak * 1e-12);
        Predictor predictor(*device, family.toStdString());
        QStringList below;
        for (const Work& work : works()) {
            const Best best = predictor.best(work);
            if (best.variant.empty() && work.kind == Work::Attention && !matrix) continue;   // by matrices only
            const double share = best.prediction.flops / peak;
            std::printf("%-52s %7.1f TFLOP/s %3.0f %%  %-22s limit: %s%s\n", work.name.c_str(), best.prediction.flops * 1e-12, share * 100,
                        best.variant.c_str(), best.prediction.limit.c_str(), work.large ? "  (large)" : "");
            QVERIFY2(best.prediction.flops > 0 && share <= 1.0, work.name.c_str());
            if (const Best half = matrix ? Best{} : predictor.best(work, true); !half.variant.empty()) {
                std::printf("%-52s %7.1f TFLOP/s, %.2f times  %-22s limit: %s\n", "    the same by half products", half.prediction.flops * 1e-12,
                            half.prediction.flops / best.prediction.flops, half.variant.c_str(), half.prediction.limit.c_str());
                QVERIFY2(!work.large || half.prediction.flops > 1.1 * best.prediction.flops, work.name.c_str());
            }
            if (work.large && matrix && share < 0.6) below.append(QString::fromStdString(work.name));
        }
        std::fflush(stdout);
        QVERIFY2(below.isEmpty(), qPrintable("large products below 60 % of the matrix units' peak: " + below.join(", ")));
    }

    // The 3x3 convolutions of the SD 1.5 UNet as implicit matrix products and by Winograd's variants. These win from 16 x 16 pixels of two
    // pictures on, by 1.2 and more from 32 x 32 on, and not at 8 x 8, where the transformed weight is most of the traffic. Where matrix
    // units multiply halves, floats are no way to win: transformed values must be halves as well.
    void winograd_data() { chip_data(); }
    void winograd() {
        QFETCH(QString, family);
        std::string why;
        const auto device = tests::NullDevice::open(family.toStdString(), why);
        if (!device) QSKIP(qPrintable(QString::fromStdString(why)));
        const bool matrix = tests::traits_of(*device, family.toStdString()).cooperative_matrix;
        Predictor predictor(*device, family.toStdString());
        const std::vector<std::pair<double, std::vector<std::pair<double, double>>>> layers = {
            {64, {{320, 320}, {640, 320}, {960, 320}, {640, 640}}},
            {32, {{320, 640}, {640, 640}, {960, 640}, {1280, 640}, {1920, 640}, {1280, 1280}}},
            {16, {{640, 1280}, {1280, 1280}, {1920, 1280}, {2560, 1280}}},
            {8, {{1280, 1280}, {2560, 1280}}},
        };
        QStringList wrong;
        for (const Dtype dtype : {Dtype::F32, Dtype::F16}) {
            std::printf("%s, %s, %s: microseconds, and how many times quicker\n", qPrintable(family), device->driver().c_str(), std::string(name_of(dtype)).c_str());
            for (const auto& [side, channels] : layers)
                for (const auto& [in, out] : channels) {
                    const Work work = conv("SD1.5", 2, side, in, out, dtype);
                    const Best best = predictor.best(work);
                    QVERIFY2(best.prediction.seconds > 0, work.name.c_str());
                    std::printf("%-40s %7.0f %-22s", work.name.c_str(), best.prediction.seconds * 1e6, best.variant.c_str());
                    const auto n = static_cast<std::int64_t>(side);
                    const Spec map{{2, static_cast<std::int64_t>(in), n, n}, dtype}, result{{2, static_cast<std::int64_t>(out), n, n}, dtype};
                    const std::vector<std::string> offered =
                        winograd_variants({{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}, {map, {{result.shape[1], map.shape[1], 3, 3}, dtype}}, result);
                    double most = 0;
                    for (const std::string variant : {"winograd", "winograd_half"}) {
                        if (dtype == Dtype::F32 && variant == "winograd_half") continue;
                        const auto [seconds, weight] = predictor.winograd_seconds(work, variant);
                        const double times = best.prediction.seconds / seconds;
                        std::printf("  %s %6.0f, %4.0f of it the weight (%.2f)", variant.c_str(), seconds * 1e6, weight * 1e6, times);
                        most = std::max(most, times);
                        if (matrix && dtype == Dtype::F16 && variant == "winograd" && times > 0.8) wrong.append(QString::fromStdString(work.name + ": floats win"));
                    }
                    const bool expected = side >= 32 ? most > 1.2 : side >= 16 ? most > 1 : most < 1.1;
                    if (!expected || offered.empty() != (side == 8)) wrong.append(QString::fromStdString(work.name));
                    std::printf("\n");
                }
        }
        std::fflush(stdout);
        QVERIFY2(wrong.isEmpty(), qPrintable("not as the documentation says: " + wrong.join(", ")));
    }
};

HEDDLE_TEST(predict, PredictTest)
#include "predict.moc"
