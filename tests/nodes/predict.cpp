// What a model says under several conditionings: areas and masks against the formula of other tools, rows in one call, time
// ranges, guidance, and the nodes that combine conditionings.
#include "nodes/models/diffusion/predict.h"

#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/diffusion/loop.h"
#include "nodes/types/mask.h"
#include "tests/support/gaussian_model.h"
#include "tests/support/compare.h"
#include "tests/support/named_weights.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::constant_prompt;
using tests::gaussian_info;
using tests::GaussianModel;
using tests::relative_error;

namespace {

constexpr int rows = 24, columns = 40, channels = 4, batch = 2;

const NoiseLevel level = NoiseTable().level(500);

PredictOptions at(double progress = 0.5) { return {.at = {.step = 3, .steps = 10, .progress = progress, .level = level}}; }

std::vector<float> x_values() { return tests::draw(batch * channels * rows * columns, 4); }
Tensor x_tensor() { return gpu::tensor(x_values(), {batch, channels, rows, columns}); }

std::vector<float> predicted(const GaussianModel& base, const Conditioning& conditioning, const PredictOptions& options = at()) {
    const Model model(std::shared_ptr<const GaussianModel>(&base, [](const GaussianModel*) {}));
    return gpu::to_floats(predict(model, {&conditioning}, x_tensor(), options)[0]);
}

Conditioning with(Conditioning conditioning, const std::function<void(ConditioningEntry&)>& change) {
    for (ConditioningEntry& entry : conditioning.entries) change(entry);
    return conditioning;
}

// An entry as the formula sees it: where, and the weight of each cell of that part before borders fade.
struct Part {
    double mean;
    int top, left, height, width;
    std::function<double(int, int)> weight;
    bool fades;
};

// ComfyUI's average: sum of weight x output over sum of weights, each part predicted on its crop, with borders inside the picture
// that rise over min(8, side / 4) cells.
std::vector<double> averaged(const std::vector<Part>& parts, double reach) {
    const std::vector<float> x = x_values();
    std::vector<double> sum(x.size()), weights(x.size());
    const double a = level.signal, s = level.noise, gain = a * 0.25 / (a * a * 0.25 + s * s);
    for (const Part& part : parts)
        for (int n = 0; n < batch; ++n) {
            const auto index = [&](int c, int i, int j) { return std::size_t(((n * channels + c) * rows + i) * columns + j); };
            double mean = 0;
            for (int c = 0; c < channels; ++c)
                for (int i = part.top; i < part.top + part.height; ++i)
                    for (int j = part.left; j < part.left + part.width; ++j) mean += x[index(c, i, j)] / double(channels * part.height * part.width);
            for (int i = 0; i < part.height; ++i)
                for (int j = 0; j < part.width; ++j) {
                    double weight = part.weight(part.top + i, part.left + j);
                    const auto fade = [&](int k, int length, int from, int whole) {
                        const int over = std::min(8, length / 4);
                        if (from != 0 && k < over) weight *= (k + 1.0) / over;
                        if (from + length < whole && length - 1 - k < over) weight *= double(length - k) / over;
                    };
                    if (part.fades) fade(i, part.height, part.top, rows), fade(j, part.width, part.left, columns);
                    for (int c = 0; c < channels; ++c) {
                        const std::size_t k = index(c, part.top + i, part.left + j);
                        const double x0 = part.mean + (x[k] - a * part.mean) * gain;
                        sum[k] += weight * ((x[k] - a * x0) / s + reach * mean);
                        weights[k] += weight;
                    }
                }
        }
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] = weights[k] > 0 ? sum[k] / weights[k] : 0;
    return sum;
}

double error_of(const std::vector<float>& got, const std::vector<double>& wanted) { return relative_error(got, {wanted.begin(), wanted.end()}); }

const auto one = [](int, int) { return 1.0; };

std::vector<float> deviations(const Tensor& x) {
    return gpu::to_floats(gpu::sqrt(gpu::mean(gpu::square(x - gpu::mean(x, {1, 2, 3})), {1, 2, 3})));
}

}  // namespace

class PredictTest : public QObject {
    Q_OBJECT
private slots:
    void areas_follow_the_formula() {
        const GaussianModel base(gaussian_info(), 0.5, 0.3);
        Conditioning both = constant_prompt(0.1);
        // In shares: half to even, as Python rounds: 0.1 x 40 = 4, 0.4375 x 24 = 10.5 -> 10.
        const Conditioning right = with(constant_prompt(0.8), [](ConditioningEntry& e) { e.area = Area{0.1, 0.4375, 0.5, 0.5}, e.strength = 1.7; });
        // In pixels, over the lower right corner: it is cut.
        const Conditioning corner = with(constant_prompt(-0.5), [](ConditioningEntry& e) { e.area = Area{240, 96, 400, 400, false}, e.strength = 0.6; });
        for (const Conditioning* more : {&right, &corner}) both.entries.insert(both.entries.end(), more->entries.begin(), more->entries.end());
        const auto scaled = [](double by) { return [by](int, int) { return by; }; };
        const std::vector<double> wanted = averaged({{0.1, 0, 0, rows, columns, one, false}, {0.8, 10, 4, 12, 20, scaled(1.7), true}, {-0.5, 12, 30, 12, 10, scaled(0.6), true}}, 0.3);
        const double error = error_of(predicted(base, both), wanted);
        QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
        // An area alone: nothing is predicted outside of it.
        const double alone = error_of(predicted(base, right), averaged({{0.8, 10, 4, 12, 20, scaled(1.7), true}}, 0.3));
        QVERIFY2(alone < 1e-5, qPrintable(QString::number(alone)));
    }

    void masks_follow_the_formula() {
        const GaussianModel base(gaussian_info(), 0.5, 0.3);
        // Twice the latent's size: bilinear without antialiasing takes the mean of 2 x 2.
        const std::vector<float> mask = tests::draw(4 * rows * columns, 9);
        std::vector<float> positive(mask.size());
        for (std::size_t i = 0; i < mask.size(); ++i) positive[i] = 0.5f + 0.5f * mask[i];
        const Tensor tensor = gpu::tensor(positive, {1, 1, 2 * rows, 2 * columns});
        const auto cell = [&](int i, int j) {
            const auto pixel = [&](int y, int x) { return double(positive[std::size_t(y * 2 * columns + x)]); };
            return (pixel(2 * i, 2 * j) + pixel(2 * i + 1, 2 * j) + pixel(2 * i, 2 * j + 1) + pixel(2 * i + 1, 2 * j + 1)) / 4;
        };
        Conditioning both = with(constant_prompt(0.7), [&](ConditioningEntry& e) { e.mask = tensor, e.strength = 2; });
        const Conditioning other = with(constant_prompt(-0.7), [&](ConditioningEntry& e) { e.mask = 1.0 - tensor, e.area = Area{0.25, 0, 0.5, 1}; });
        both.entries.push_back(other.entries[0]);
        const std::vector<double> wanted = averaged({{0.7, 0, 0, rows, columns, [&](int i, int j) { return 2 * cell(i, j); }, false},
                                                     {-0.7, 0, 10, rows, 20, [&](int i, int j) { return 1 - cell(i, j); }, false}}, 0.3);
        const double error = error_of(predicted(base, both), wanted);
        QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
        // A prompt with a mask alone is not weakened where the mask is gray, and says nothing where it is black.
        const Conditioning gray = with(constant_prompt(0.7), [&](ConditioningEntry& e) { e.mask = gpu::concat({gpu::zeros({1, 1, rows, 8}), gpu::full({1, 1, rows, columns - 8}, 0.25)}, 3); });
        QVERIFY(error_of(predicted(base, gray), averaged({{0.7, 0, 0, rows, columns, [](int, int j) { return j < 8 ? 0.0 : 1.0; }, false}}, 0.3)) < 1e-5);
    }

    void strengths_average() {
        const GaussianModel base(gaussian_info());
        Conditioning both = with(constant_prompt(0.9), [](ConditioningEntry& e) { e.strength = 3; });
        both.entries.push_back(constant_prompt(0.1).entries[0]);
        QVERIFY(error_of(predicted(base, both), averaged({{0.7, 0, 0, rows, columns, one, false}}, 0)) < 1e-5);      // (3 x 0.9 + 0.1) / 4
    }

    void ranges_of_time() {
        const GaussianModel base(gaussian_info());
        Conditioning both = with(constant_prompt(0.9), [](ConditioningEntry& e) { e.end = 0.4; });
        const Conditioning late = with(constant_prompt(0.1), [](ConditioningEntry& e) { e.start = 0.4; });
        both.entries.push_back(late.entries[0]);
        for (const auto& [progress, mean] : {std::pair(0.0, 0.9), {0.39, 0.9}, {0.4, 0.1}, {1.0, 0.1}})
            QVERIFY(error_of(predicted(base, both, at(progress)), averaged({{mean, 0, 0, rows, columns, one, false}}, 0)) < 1e-5);
        // Progress counts timesteps: of 20 `linspace` steps 8 lie before 0.4.
        const auto model = std::make_shared<const GaussianModel>(gaussian_info());
        const Sampling sampling = make_sampling(model->info(), {.sampler = "euler", .schedule = "linspace", .steps = 20});
        int before = 0;
        for (int call = 0; call < 20; ++call) before += sampling.info(call).progress < 0.4;
        QCOMPARE(before, 8);
        QCOMPARE(sampling.info(0).progress, 0.0);
    }

    // Rows of one shape go together, whatever their prompts' lengths; those that repetition can not align go apart.
    void rows_share_calls() {
        const auto base = std::make_shared<const GaussianModel>(gaussian_info());
        const Model model(base);
        const Conditioning three = constant_prompt(0.3), six = constant_prompt(-0.3, 6), seven = constant_prompt(0.5, 7);
        const auto outputs = predict(model, {&three, &six}, x_tensor(), {.at = at().at, .negative = 1});
        QCOMPARE(base->calls().size(), std::size_t(1));
        const DenoiserInput call = base->calls()[0];
        QCOMPARE(call.latent.size(0), std::int64_t(2 * batch));
        QCOMPARE(call.context.size(1), std::int64_t(6));
        QVERIFY((call.negative == std::vector<bool>{false, false, true, true}));
        QVERIFY(error_of(gpu::to_floats(outputs[0]), averaged({{0.3, 0, 0, rows, columns, one, false}}, 0)) < 1e-5);
        QVERIFY(error_of(gpu::to_floats(outputs[1]), averaged({{-0.3, 0, 0, rows, columns, one, false}}, 0)) < 1e-5);
        base->forget();
        predict(model, {&three, &seven}, x_tensor(), at());      // 21 is 7 times 3
        QCOMPARE(base->calls().size(), std::size_t(2));
        base->forget();
        // A token patch may replace rows by their place: no repetition.
        struct Tokens final : TokenPatch {
            std::string summary() const override { return "tokens"; }
            Tensor context(const DenoiserInput&, const Tensor& context) const override { return context; }
        };
        predict(model.with(std::make_shared<const Tokens>()), {&three, &six}, x_tensor(), at());
        QCOMPARE(base->calls().size(), std::size_t(2));
        base->forget();
        // One prompt for each picture.
        Conditioning each = three;
        each.entries[0].context = gpu::concat({three.entries[0].context, three.entries[0].context * -2.0}, 0);
        const std::vector<float> two = gpu::to_floats(predict(model, {&each}, x_tensor(), at())[0]);
        const std::vector<double> first = averaged({{0.3, 0, 0, rows, columns, one, false}}, 0), second = averaged({{-0.6, 0, 0, rows, columns, one, false}}, 0);
        std::vector<double> wanted(first.begin(), first.begin() + std::ptrdiff_t(first.size() / 2));
        wanted.insert(wanted.end(), second.begin() + std::ptrdiff_t(second.size() / 2), second.end());
        QVERIFY(error_of(two, wanted) < 1e-5);
    }

    void sizes_and_pooled_text_reach_the_model() {
        ModelInfo info = gaussian_info();
        info.pooled_width = 2, info.size_ids = 6;
        auto base = std::make_shared<const GaussianModel>(info);
        Conditioning prompt = constant_prompt(0.2);
        prompt.entries[0].pooled = gpu::tensor(std::vector<float>{0.5, 0.7}, {1, 2});
        predict(Model(base), {&prompt}, x_tensor(), at());
        // The picture's own size in place of what is not said.
        QVERIFY((gpu::to_floats(gpu::slice(base->calls()[0].size_ids, 0, 0, 1)) == std::vector<float>{rows * 8, columns * 8, 0, 0, rows * 8, columns * 8}));
        QVERIFY((gpu::to_floats(gpu::slice(base->calls()[0].pooled, 0, 1, 2)) == std::vector<float>{0.5f, 0.7f}));
        prompt = tests::run_node("conditioning.size", {{"width", 1024}, {"height", 768}, {"left", 8}, {"top", 16}, {"target_width", 512}, {"target_height", 256}, {"aesthetic", 2.5}},
                                 {{"conditioning", Value::of(prompt)}}).get<Conditioning>("conditioning");
        base->forget();
        predict(Model(base), {&prompt}, x_tensor(), at());
        QVERIFY((gpu::to_floats(gpu::slice(base->calls()[0].size_ids, 0, 0, 1)) == std::vector<float>{768, 1024, 16, 8, 256, 512}));
        info.size_ids = 5;
        base = std::make_shared<const GaussianModel>(info);
        predict(Model(base), {&prompt}, x_tensor(), at());
        QVERIFY((gpu::to_floats(gpu::slice(base->calls()[0].size_ids, 0, 0, 1)) == std::vector<float>{768, 1024, 16, 8, 2.5}));
        prompt.entries[0].pooled = gpu::zeros({1, 3});
        QVERIFY_EXCEPTION_THROWN(predict(Model(base), {&prompt}, x_tensor(), at()), gpu::Error);
    }

    // LCM: the scale goes into the network, sine first, of 1000 (scale - 1); the negative prompt is not asked.
    void embedded_guidance() {
        ModelInfo info = gaussian_info();
        info.guidance_width = 8;
        const auto base = std::make_shared<const GaussianModel>(info);
        const Latent latent = make_latent(gpu::zeros({1, 4, 8, 8}), info.latent);
        tests::run_node("sample.run", {{"sampler", "lcm"}, {"steps", 4}, {"guidance", 7.5}},
                        {{"model", Value::of(Model(base))}, {"positive", Value::of(constant_prompt(0.3))}, {"negative", Value::of(constant_prompt(0))}, {"latent", Value::of(latent)}});
        QCOMPARE(base->calls().size(), std::size_t(4));
        std::vector<double> timesteps;
        for (const DenoiserInput& call : base->calls()) timesteps.push_back(call.at.level.timestep);
        QVERIFY((timesteps == std::vector<double>{999, 759, 499, 259}));
        QCOMPARE(base->calls()[0].latent.size(0), std::int64_t(1));
        const std::vector<float> given = gpu::to_floats(base->calls()[0].guidance);
        for (int i = 0; i < 4; ++i) {
            const double angle = 6500 * std::exp(-std::log(10000.0) * i / 3);
            QVERIFY2(std::abs(given[std::size_t(i)] - std::sin(angle)) < 1e-3 && std::abs(given[std::size_t(i + 4)] - std::cos(angle)) < 1e-3,
                     qPrintable(QString("%1: %2").arg(i).arg(given[std::size_t(i)])));
        }
    }

    void guidance_skips_the_negative_at_one() {
        const auto base = std::make_shared<const GaussianModel>(gaussian_info());
        const Model model(base);
        const Sampling sampling = make_sampling(base->info(), {.steps = 4});
        const SamplingState state = begin_sampling(sampling, base->info(), make_latent(tests::draw_tensor({1, 4, 8, 8}, 1), base->info().latent), {});
        const Conditioning positive = constant_prompt(0.5), negative = constant_prompt(-0.25);
        const Predictions alone = predict_step(model, sampling, state, positive, &negative, 1);
        QVERIFY(!alone.negative);
        QCOMPARE(base->calls()[0].latent.size(0), std::int64_t(1));
        const Predictions both = predict_step(model, sampling, state, positive, &negative, 3);
        QCOMPARE(base->calls()[1].latent.size(0), std::int64_t(2));
        // Guidance is linear in the prompts' means here: -0.25 + 3 x 0.75 = 2.
        const Conditioning far = constant_prompt(2);
        const Predictions beyond = predict_step(model, sampling, state, far, nullptr, 1);
        QVERIFY(relative_error(gpu::to_floats(combine({}, sampling, both, 3)), gpu::to_floats(beyond.positive)) < 1e-5);
    }

    void guidance_patches() {
        const auto base = std::make_shared<const GaussianModel>(gaussian_info());
        const Sampling sampling = make_sampling(base->info(), {.steps = 4});
        Predictions given{.state = begin_sampling(sampling, base->info(), make_latent(tests::draw_tensor({2, 4, 8, 8}, 1), base->info().latent), {}),
                          .positive = tests::draw_tensor({2, 4, 8, 8}, 2), .negative = tests::draw_tensor({2, 4, 8, 8}, 3), .others = {}};
        const Value model = Value::of(Model(base));
        const auto patches = [&](const char* node, const QJsonObject& params, Inputs more = {}) {
            more["model"] = model;
            return tests::run_node(node, params, more).get<Model>("model").patches();
        };
        const std::vector<float> plain = gpu::to_floats(combine({}, sampling, given, 9));
        // Rescaled wholly each picture has the deviation of the positive prediction; in part what lies between.
        const Tensor rescaled = combine(patches("guidance.rescale", {{"share", 1.0}}), sampling, given, 9);
        QVERIFY(relative_error(deviations(rescaled), deviations(given.positive)) < 1e-5);
        QVERIFY(relative_error(gpu::to_floats(combine(patches("guidance.rescale", {{"share", 0.0}}), sampling, given, 9)), plain) < 1e-6);
        const Tensor half = combine(patches("guidance.rescale", {{"share", 0.5}}), sampling, given, 9), middle = (rescaled + gpu::tensor(plain, {2, 4, 8, 8})) * 0.5;
        QVERIFY(relative_error(gpu::to_floats(half), gpu::to_floats(middle)) < 1e-5);

        // Mimicking its own scale with all values below the threshold changes nothing; a weaker one has that one's range.
        QVERIFY(relative_error(gpu::to_floats(combine(patches("guidance.threshold", {{"mimic", 9}, {"share", 1.0}}), sampling, given, 9)), plain) < 1e-5);
        const auto range = [](const Tensor& x) { return gpu::to_floats(gpu::max(gpu::abs(x - gpu::mean(x, {2, 3})), {2, 3})); };
        const Tensor weak = given.negative + (given.positive - given.negative) * 2.0;
        QVERIFY(relative_error(range(combine(patches("guidance.threshold", {{"mimic", 2}, {"share", 1.0}}), sampling, given, 9)), range(weak)) < 1e-5);
        // Imagen's: the predicted picture lies in -1..1, of each picture by its own quantile (numpy's, interpolated).
        const Tensor clipped = combine(patches("guidance.threshold", {{"way", "clip"}, {"share", 0.9}}), sampling, given, 9);
        const NoiseLevel& here = sampling.calls[0];
        const std::vector<float> before = gpu::to_floats(predict(PredictionType::Epsilon, gpu::tensor(plain, {2, 4, 8, 8}), given.state.sampler.x, here).x0),
                                 after = gpu::to_floats(predict(PredictionType::Epsilon, clipped, given.state.sampler.x, here).x0);
        for (std::size_t n = 0; n < 2; ++n) {
            std::vector<double> sizes;
            for (std::size_t i = 0; i < 256; ++i) sizes.push_back(std::abs(before[n * 256 + i]));
            std::sort(sizes.begin(), sizes.end());
            const double position = 0.9 * 255, reach = std::max(1.0, sizes[229] + (sizes[230] - sizes[229]) * (position - 229));
            for (std::size_t i = 0; i < 256; ++i)
                QVERIFY(std::abs(after[n * 256 + i] - std::clamp(double(before[n * 256 + i]), -reach, reach) / reach) < 2e-3);
        }

        // Perpendicular: what of the negative lies along the positive has no effect, the rest is pushed away from.
        const Tensor nothing = tests::draw_tensor({2, 4, 8, 8}, 4);
        const Inputs empty{{"empty", Value::of(constant_prompt(0))}};
        given.others = {nothing};
        const Patches perpendicular = patches("guidance.perpendicular", {{"weight", 0.8}}, empty);
        Predictions parallel = given;
        parallel.negative = nothing + (given.positive - nothing) * 0.37;
        const Tensor towards = nothing + (given.positive - nothing) * 9.0;
        QVERIFY(relative_error(gpu::to_floats(combine(perpendicular, sampling, parallel, 9)), gpu::to_floats(towards)) < 1e-5);
        const Tensor made = (combine(perpendicular, sampling, given, 9) - towards) * (-1 / (9 * 0.8));
        const std::vector<int> each{1, 2, 3};
        const std::vector<float> dot = gpu::to_floats(gpu::sum(made * (given.positive - nothing), each)), size = gpu::to_floats(gpu::sum(gpu::square(made), each));
        for (std::size_t n = 0; n < 2; ++n) QVERIFY(std::abs(dot[n]) < 1e-3 * size[n] && size[n] > 1);
        // A patch in the loop: its conditioning is predicted in the same call.
        tests::run_node("sample.run", {{"steps", 2}}, {{"model", Value::of(Model(base).with(perpendicular))}, {"positive", Value::of(constant_prompt(0.3))}, {"negative", Value::of(constant_prompt(0.1))},
                                                   {"latent", Value::of(make_latent(gpu::zeros({1, 4, 8, 8}), base->info().latent))}});
        QCOMPARE(base->calls().size(), std::size_t(2));
        QCOMPARE(base->calls()[0].latent.size(0), std::int64_t(3));
    }

    // Perturbed attention: the positive prompt once more, through self-attention that hands its values on.
    void perturbed_attention_leads_away_from_broken_attention() {
        const auto base = std::make_shared<const GaussianModel>(gaussian_info());
        const auto patched = [&](const char* where) {
            return tests::run_node("guidance.perturbed_attention", {{"scale", 2.5}, {"where", where}}, {{"model", Value::of(Model(base))}}).get<Model>("model").patches();
        };
        const Tensor x = tests::draw_tensor({1, 6, 4}, 1), values = tests::draw_tensor({1, 2, 6, 2}, 2), sums = tests::draw_tensor({1, 2, 6, 2}, 3);
        const DenoiserInput input{.latent = gpu::zeros({1, 4, 8, 8})};
        const AttentionCall call{.x = x, .q = values, .k = values, .v = values, .input = input};
        for (const char* where : {"middle", "all"}) {
            const Patches patches = patched(where);
            const std::vector<Conditioning> asked = of_kind<StepPatch>(patches)[0]->conditionings(constant_prompt(0.3), nullptr);
            QCOMPARE(asked.size(), std::size_t(1));
            QCOMPARE(of_kind<StepPatch>(patches)[0]->conditionings({}, nullptr).size(), std::size_t(1));
            QCOMPARE(asked[0].entries.size(), constant_prompt(0.3).entries.size());
            const AttentionPatch* const broken = of_kind<AttentionPatch>(asked[0].entries[0].patches).at(0);
            const auto broken_at = [&](const char* name, bool cross) { return gpu::to_floats(broken->result({.name = name, .cross = cross}, call, sums)) == gpu::to_floats(values); };
            QVERIFY(broken_at("middle_block.1.transformer_blocks.0.attn1", false));
            QVERIFY(!broken_at("middle_block.1.transformer_blocks.0.attn2", true));
            QCOMPARE(broken_at("input_blocks.1.1.transformer_blocks.0.attn1", false), std::string(where) == "all");
        }
        const Sampling sampling = make_sampling(base->info(), {.sampler = "euler", .steps = 4});
        Predictions given{.state = begin_sampling(sampling, base->info(), make_latent(gpu::zeros({1, 4, 8, 8}), base->info().latent), {.seed = 1}),
                          .positive = tests::draw_tensor({1, 4, 8, 8}, 4), .negative = tests::draw_tensor({1, 4, 8, 8}, 5), .others = {tests::draw_tensor({1, 4, 8, 8}, 6)}};
        const Tensor wanted = guided_by(given.positive, given.negative, 7) + (given.positive - given.others[0]) * 2.5;
        QVERIFY(relative_error(gpu::to_floats(combine(patched("middle"), sampling, given, 7)), gpu::to_floats(wanted)) < 1e-6);
    }

    void conditioning_nodes() {
        const Value a = Value::of(constant_prompt(1)), b = Value::of(constant_prompt(3, 5));
        const auto run = [](const char* node, const QJsonObject& params, const Inputs& inputs) { return tests::run_node(node, params, inputs).get<Conditioning>("conditioning"); };
        QCOMPARE(run("conditioning.combine", {}, {{"a", a}, {"b", b}}).entries.size(), std::size_t(2));
        const Conditioning joined = run("conditioning.concat", {}, {{"first", a}, {"then", b}});
        QCOMPARE(joined.entries[0].context.size(1), std::int64_t(8));
        const std::vector<float> tokens = gpu::to_floats(joined.entries[0].context);
        QVERIFY(tokens[11] == 1 && tokens[12] == 3);
        // As long as a, from whose tokens b is taken; a short b is filled with zeros.
        const Conditioning mixed = run("conditioning.average", {{"weight", 0.25}}, {{"a", a}, {"b", b}});
        QVERIFY(gpu::to_floats(mixed.entries[0].context) == std::vector<float>(12, 2.5f));
        const std::vector<float> filled = gpu::to_floats(run("conditioning.average", {{"weight", 0.25}}, {{"a", b}, {"b", a}}).entries[0].context);
        QVERIFY(filled[0] == 1.5f && filled[11] == 1.5f && filled[12] == 0.75f && filled.size() == 20);
        const Conditioning area = run("conditioning.area", {{"x", 0.25}, {"width", 0.5}, {"strength", 2}}, {{"conditioning", a}});
        QVERIFY(area.entries[0].area && area.entries[0].area->x == 0.25 && area.entries[0].area->relative);
        // Strengths multiply, as area and mask strengths do in other tools.
        const Value white = Value::of(make_mask(gpu::ones({1, 1, 4, 4})));
        const Conditioning masked = run("conditioning.mask", {{"strength", 0.5}}, {{"conditioning", Value::of(area)}, {"mask", white}});
        QVERIFY(masked.entries[0].strength == 1 && masked.entries[0].mask);
        QCOMPARE(run("conditioning.strength", {{"strength", 3}}, {{"conditioning", Value::of(area)}}).entries[0].strength, 6.0);
        const Conditioning late = run("conditioning.range", {{"start", 0.3}, {"end", 0.8}}, {{"conditioning", a}});
        QVERIFY(late.entries[0].start == 0.3 && late.entries[0].end == 0.8);
        QCOMPARE(tests::failure_of("conditioning.range", {{"start", 0.8}, {"end", 0.9}}, {{"conditioning", Value::of(late)}}), std::optional(gpu::ErrorCode::InvalidGraph));
        QCOMPARE(tests::failure_of("conditioning.range", {{"start", 0.8}, {"end", 0.3}}, {{"conditioning", a}}), std::optional(gpu::ErrorCode::InvalidGraph));
        Conditioning pooled = constant_prompt(1);
        pooled.entries[0].pooled = gpu::ones({1, 2});
        const Conditioning zero = run("conditioning.zero", {}, {{"conditioning", Value::of(pooled)}});
        QVERIFY(gpu::to_floats(zero.entries[0].context) == std::vector<float>(12) && gpu::to_floats(zero.entries[0].pooled) == std::vector<float>(2));
        Conditioning wide = constant_prompt(1);
        wide.entries[0].context = gpu::ones({1, 3, 5});
        for (const char* node : {"conditioning.concat", "conditioning.average"})
            QCOMPARE(tests::failure_of(node, {}, {{"first", a}, {"then", Value::of(wide)}, {"a", a}, {"b", Value::of(wide)}}), std::optional(gpu::ErrorCode::InvalidGraph));
    }

private:
    using Inputs = std::map<std::string, Value>;
};

HEDDLE_TEST(predict, PredictTest)
#include "predict.moc"
