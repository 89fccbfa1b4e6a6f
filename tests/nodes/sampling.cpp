// Sampling: the Sample node against what is known of a Gaussian, its parts, seeds, masks, hand-overs and plans.
#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/diffusion/loop.h"
#include "nodes/types/number.h"
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

using Inputs = std::map<std::string, Value>;

struct Setting {
    std::shared_ptr<const GaussianModel> base;
    Inputs inputs;
};

Latent zeros(std::int64_t batch = 1, std::int64_t height = 8, std::int64_t width = 8) {
    return make_latent(gpu::zeros({batch, 4, height, width}), latent_format("sd1", 4));
}

Latent drawn(std::int64_t batch = 1, double seed = 5) { return make_latent(tests::draw_tensor({batch, 4, 8, 8}, seed), latent_format("sd1", 4)); }

Setting setting(const ModelInfo& info = gaussian_info(), const Latent& latent = zeros()) {
    const auto base = std::make_shared<const GaussianModel>(info);
    return {base, {{"model", Value::of(Model(base))}, {"positive", Value::of(constant_prompt(0.3))}, {"negative", Value::of(constant_prompt(-0.2, 6))},
                   {"latent", Value::of(latent)}}};
}

std::vector<float> sampled(const QJsonObject& params, const Inputs& inputs, const char* output = "latent") {
    return gpu::to_floats(tests::run_node("sample.run", params, inputs).get<Latent>(output).tensor);
}

bool finite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// Largest difference over what `keep` says of each index.
double largest(const std::vector<float>& a, const std::vector<float>& b) {
    double most = a.size() == b.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) most = std::max(most, std::abs(double(a[i]) - b[i]));
    return most;
}

void every_sampler() {
    QTest::addColumn<QString>("sampler");
    for (const Sampler* sampler : samplers()) QTest::newRow(sampler->info().name.c_str()) << QString::fromStdString(sampler->info().name);
}

}  // namespace

class SamplingTest : public QObject {
    Q_OBJECT
private slots:
    // Deterministic samplers follow the probability flow, whose end is known; the others end in the right distribution.
    void samplers_solve_a_gaussian_data() { every_sampler(); }
    void samplers_solve_a_gaussian() {
        QFETCH(QString, sampler);
        const bool stochastic = find_sampler(sampler.toStdString()).info().stochastic && sampler != "ddim";
        for (const double denoise : {1.0, 0.5}) {
            if (stochastic && denoise < 1) continue;
            const Latent start = denoise == 1 ? zeros(1, 32, 32) : make_latent(tests::draw_tensor({1, 4, 32, 32}, 2), latent_format("sd1", 4));
            const Setting all = setting(gaussian_info(), start);
            const int steps = sampler == "lcm" ? 4 : stochastic ? 160 : 40;
            const std::vector<float> result = sampled({{"sampler", sampler}, {"steps", steps}, {"denoise", denoise}, {"guidance", 1}, {"seed", 3}}, all.inputs);
            QVERIFY(finite(result));
            double mean = 0, square = 0;
            for (const float value : result) mean += value, square += double(value) * value;
            mean /= double(result.size());
            const double deviation = std::sqrt(square / double(result.size()) - mean * mean);
            if (stochastic) {
                QVERIFY2(std::abs(mean - 0.3) < 0.03, qPrintable(QString::number(mean)));
                if (sampler != "lcm") QVERIFY2(std::abs(deviation - 0.5) < 0.05, qPrintable(QString::number(deviation)));
                continue;
            }
            const Sampling sampling = make_sampling(all.base->info(), {.sampler = sampler.toStdString(), .steps = steps, .denoise = denoise});
            QCOMPARE(sampling.levels.size(), std::size_t(steps) + 1);
            const SamplingState begun = begin_sampling(sampling, all.base->info(), start, {.seed = 3});
            const std::vector<float> exact = gpu::to_floats(all.base->flowed(begun.sampler.x, sampling.calls.front(), sampling.levels.back(), 0.3));
            const double error = relative_error(result, exact);
            const double limit = sampler == "euler" || sampler == "ddim" ? 0.1 : 0.03;
            QVERIFY2(error < limit, qPrintable(QString("denoise %1: %2").arg(denoise).arg(error)));
        }
    }

    // DDIM and PNDM count T / N timesteps back: they land on the levels of any schedule and of any part of one.
    void strides_fit_every_schedule() {
        for (const char* sampler : {"ddim", "pndm"})
            for (const std::string& schedule : schedule_names())
                for (const double denoise : {1.0, 0.4}) {
                    if (schedule == "lcm" && denoise < 1) continue;
                    const Setting all = setting(gaussian_info(), drawn());
                    const SamplingSettings settings{.sampler = sampler, .schedule = schedule, .steps = 30, .denoise = denoise};
                    const Sampling sampling = make_sampling(all.base->info(), settings);
                    const SamplingState begun = begin_sampling(sampling, all.base->info(), drawn(), {.seed = 3});
                    const std::vector<float> exact = gpu::to_floats(all.base->flowed(begun.sampler.x, sampling.calls.front(), sampling.levels.back(), 0.3));
                    const std::vector<float> result = sampled({{"sampler", sampler}, {"schedule", QString::fromStdString(schedule)}, {"steps", 30}, {"denoise", denoise},
                                                               {"guidance", 1}, {"seed", 3}}, all.inputs);
                    const double error = relative_error(result, exact);
                    QVERIFY2(error < 0.15, qPrintable(QString("%1 %2 %3: %4").arg(sampler).arg(QString::fromStdString(schedule)).arg(denoise).arg(error)));
                }
    }

    // Differential diffusion: each cell comes out as if the whole picture had been run by the strength that its mask says.
    void a_gray_mask_is_a_strength_for_each_cell_data() {
        QTest::addColumn<QString>("sampler");
        for (const char* sampler : {"euler", "ddim"}) QTest::newRow(sampler) << sampler;      // one call a step, and no memory of others
    }
    void a_gray_mask_is_a_strength_for_each_cell() {
        QFETCH(QString, sampler);
        const int steps = 8;
        std::vector<float> strengths(64);
        for (std::size_t i = 0; i < strengths.size(); ++i) strengths[i] = float(i % 5) / 4;      // 0, 0.25, 0.5, 0.75, 1
        const Latent start = drawn();
        Setting all = setting(gaussian_info(), start.with_mask(gpu::tensor(strengths, {1, 1, 8, 8})));
        all.inputs["model"] = tests::run_node("inpaint.differential", {}, {{"model", all.inputs.at("model")}}).outputs.at("model");
        const QJsonObject params{{"sampler", sampler}, {"steps", steps}, {"guidance", 2}, {"seed", 9}};
        const std::vector<float> made = sampled(params, all.inputs);
        for (int k = 0; k <= 4; ++k) {
            const int first = steps - steps * k / 4;
            QJsonObject part = params;
            part["start_step"] = first;
            const std::vector<float> wanted = first == steps ? gpu::to_floats(start.tensor) : sampled(part, setting(gaussian_info(), start).inputs);
            for (std::size_t i = 0; i < made.size(); ++i)
                if (int(i % 64 % 5) == k) QVERIFY2(std::abs(made[i] - wanted[i]) < 1e-5, qPrintable(QString("strength %1: %2, not %3").arg(k / 4.0).arg(made[i]).arg(wanted[i])));
        }
        QVERIFY(largest(sampled(params, setting(gaussian_info(), start.with_mask(gpu::tensor(strengths, {1, 1, 8, 8}))).inputs), made) > 0.05);      // without the node it is a blend
    }

    void prediction_types_agree() {
        const QJsonObject params{{"sampler", "dpmpp_2m"}, {"steps", 12}, {"guidance", 2}, {"seed", 1}};
        const std::vector<float> epsilon = sampled(params, setting().inputs);
        QVERIFY(relative_error(sampled(params, setting(gaussian_info(PredictionType::V)).inputs), epsilon) < 1e-3);
        QVERIFY(relative_error(sampled(params, setting(gaussian_info(PredictionType::Sample)).inputs), epsilon) < 1e-3);
    }

    // Levels without any signal (arXiv:2305.08891): every sampler with every schedule stays finite and arrives.
    void zero_terminal_snr_is_finite_data() { every_sampler(); }
    void zero_terminal_snr_is_finite() {
        QFETCH(QString, sampler);
        for (const PredictionType type : {PredictionType::V, PredictionType::Sample})
            for (const char* schedule : {"auto", "trailing", "karras", "sgm_uniform", "linspace"}) {
                const Setting all = setting(gaussian_info(type, true), zeros(1, 16, 16));
                const std::vector<float> result = sampled({{"sampler", sampler}, {"schedule", schedule}, {"steps", 12}, {"guidance", 1}}, all.inputs);
                double mean = 0;
                for (const float value : result) mean += value / double(result.size());
                QVERIFY2(finite(result) && std::abs(mean - 0.3) < 0.2, qPrintable(QString("%1: mean %2").arg(schedule).arg(mean)));
            }
    }

    void denoise_says_how_much_is_made_anew() {
        const Latent start = drawn();
        const Setting all = setting(gaussian_info(), start);
        const tests::NodeRun none = tests::run_node("sample.run", {{"denoise", 0.0}}, all.inputs);
        QVERIFY(none.get<Latent>("latent").tensor.same_as(start.tensor));
        QVERIFY(none.get<Latent>("denoised").tensor.same_as(start.tensor));
        QCOMPARE(all.base->calls().size(), std::size_t(0));
        // As in other tools: the last 10 steps of a schedule of int(10 / 0.3) = 33.
        sampled({{"steps", 10}, {"denoise", 0.3}, {"guidance", 1}, {"schedule", "linspace"}}, all.inputs);
        QCOMPARE(all.base->calls().size(), std::size_t(10));
        const NoiseLevels whole = make_levels("linspace", NoiseTable(), {.steps = 33});
        QCOMPARE(all.base->calls().front().at.level.timestep, whole[23].timestep);
        // The less, the nearer to the start.
        const std::vector<float> from = gpu::to_floats(start.tensor);
        double before = 0;
        for (const double denoise : {0.05, 0.2, 0.5, 0.9}) {
            const double distance = relative_error(sampled({{"steps", 8}, {"denoise", denoise}, {"guidance", 1}}, all.inputs), from);
            QVERIFY2(distance > before, qPrintable(QString::number(distance)));
            before = distance;
        }
        QCOMPARE(tests::failure_of("sample.run", {{"steps", 20}, {"denoise", 0.01}}, all.inputs), std::optional(gpu::ErrorCode::InvalidGraph));
    }

    // What a mask keeps comes out as it went in, to the last bit; what it frees is what a run without a mask would paint there at a
    // cell's own; gray lies between.
    void masks_keep_the_outside_data() { every_sampler(); }
    void masks_keep_the_outside() {
        QFETCH(QString, sampler);
        std::vector<float> mask(64);
        for (std::size_t i = 0; i < 64; ++i) mask[i] = i % 8 < 3 ? 0.0f : 1.0f;
        const Latent start = drawn(2), masked = start.with_mask(gpu::tensor(mask, {1, 1, 8, 8}));
        const QJsonObject params{{"sampler", sampler}, {"steps", 6}, {"denoise", 0.8}, {"guidance", 3}};
        const std::vector<float> kept = sampled(params, setting(gaussian_info(), masked).inputs), free = sampled(params, setting(gaussian_info(), start).inputs),
                                 from = gpu::to_floats(start.tensor);
        for (std::size_t i = 0; i < kept.size(); ++i) {
            if (mask[i % 64] == 0) QCOMPARE(kept[i], from[i]);
            else QVERIFY2(std::abs(kept[i] - free[i]) < 1e-4, qPrintable(QString("%1: %2 %3").arg(i).arg(kept[i]).arg(free[i])));
        }
    }

    // Heddle's noise belongs to a picture: batch, split and order do not change it.
    void pictures_do_not_depend_on_their_batch() {
        for (const char* sampler : {"euler", "euler_ancestral", "dpmpp_2m_sde"}) {
            const QJsonObject params{{"sampler", sampler}, {"steps", 6}, {"seed", 11}, {"guidance", 2}};
            const std::vector<float> three = sampled(params, setting(gaussian_info(), zeros(3)).inputs);
            QJsonObject alone = params;
            for (int i = 0; i < 3; ++i) {
                alone["first_image"] = i;
                const std::vector<float> one = sampled(alone, setting(gaussian_info(), zeros(1)).inputs);
                QVERIFY(largest(one, {three.begin() + i * 256, three.begin() + (i + 1) * 256}) == 0);
            }
            QVERIFY(largest({three.begin(), three.begin() + 256}, {three.begin() + 256, three.begin() + 512}) > 0.1);
            QJsonObject other = params;
            other["seed"] = 12;
            QVERIFY(largest(sampled(other, setting(gaussian_info(), zeros(3)).inputs), three) > 0.1);
            QVERIFY(largest(sampled(params, setting(gaussian_info(), zeros(3)).inputs), three) == 0);
        }
    }

    // The other sources: one draw for the whole batch, then the stream goes on, whoever asks in which order.
    void other_tools_noise() {
        const gpu::Shape shape{2, 4, 8, 8};
        TorchCpuGenerator torch(42);
        std::vector<float> first(512), second(512), third(512);
        for (auto* values : {&first, &second, &third}) torch.randn(*values);
        const NoiseStream stream(NoiseSource::TorchCpu, 42, shape);
        QVERIFY(gpu::to_floats(stream.step(5, 1)) == third);
        QVERIFY(gpu::to_floats(stream.start()) == first);
        QVERIFY(gpu::to_floats(stream.step(0, 0)) == second);
        const NoiseStream later(NoiseSource::TorchCpu, 42, {1, 4, 8, 8}, 1);
        QVERIFY(gpu::to_floats(later.start()) == std::vector<float>(first.begin() + 256, first.end()));
        CudaGenerator cuda(7);
        for (auto* values : {&first, &second}) cuda.randn(*values);
        const NoiseStream nv(NoiseSource::CudaPhilox, 7, shape);
        QVERIFY(gpu::to_floats(nv.step(0, 0)) == second && gpu::to_floats(nv.start()) == first);
        // A run begins with it: at the highest level of `leading` x is the noise.
        const Sampling sampling = make_sampling(gaussian_info(), {.sampler = "euler", .steps = 10});
        const SamplingState begun = begin_sampling(sampling, gaussian_info(), zeros(2), {.source = NoiseSource::TorchCpu, .seed = 42});
        QVERIFY(gpu::to_floats(begun.sampler.x) == gpu::to_floats(stream.start()));
    }

    // Two samplers that take turns give what one gives: the hand-over from SDXL to its refiner.
    void hand_over_continues_data() {
        QTest::addColumn<QString>("sampler");
        for (const char* sampler : {"euler", "ddim", "euler_ancestral", "ddpm", "lcm"}) QTest::newRow(sampler) << sampler;
    }
    void hand_over_continues() {
        QFETCH(QString, sampler);
        const Setting all = setting(gaussian_info(), drawn());
        QJsonObject params{{"sampler", sampler}, {"steps", 10}, {"seed", 4}, {"guidance", 2}};
        const std::vector<float> whole = sampled(params, all.inputs);
        QJsonObject first = params, second = params;
        first["end_step"] = 6;
        second["start_step"] = 6;
        second["add_noise"] = false;
        const tests::NodeRun base = tests::run_node("sample.run", first, all.inputs);
        Inputs rest = all.inputs;
        rest["latent"] = base.outputs.at("latent");
        QVERIFY2(largest(sampled(second, rest), whole) == 0, qPrintable(QString::number(largest(sampled(second, rest), whole))));
        // The latent still has noise, the other output has not: it is near to the prompt's mean.
        double left = 0, clean = 0;
        for (const float value : gpu::to_floats(base.get<Latent>("latent").tensor)) left += std::abs(value - 0.3) / 256;
        for (const float value : gpu::to_floats(base.get<Latent>("denoised").tensor)) clean += std::abs(value - 0.3) / 256;
        QVERIFY2(clean < left, qPrintable(QString("%1 %2").arg(clean).arg(left)));
        QCOMPARE(tests::failure_of("sample.run", {{"steps", 10}, {"start_step", 6}, {"end_step", 6}}, all.inputs), std::optional(gpu::ErrorCode::InvalidGraph));
    }

    // One evaluation a step; its plan is made at the first step and used again.
    void steps_use_one_plan_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<int>("plans");      // multistep samplers: one for each length of their history, and the last step
        QTest::newRow("euler") << "euler" << 1;
        QTest::newRow("euler_ancestral") << "euler_ancestral" << 2;      // whose last weights are equal, both 0, and so one number
        QTest::newRow("ddim") << "ddim" << 1;
        QTest::newRow("dpmpp_2m") << "dpmpp_2m" << 3;
    }
    void steps_use_one_plan() {
        QFETCH(QString, sampler);
        QFETCH(int, plans);
        const Setting all = setting();
        const Model model(all.base);
        const Sampling sampling = make_sampling(all.base->info(), {.sampler = sampler.toStdString(), .steps = 12});
        SamplingState state = begin_sampling(sampling, all.base->info(), zeros(1, 10, 12), {.seed = 1});      // a size that no other test has
        gpu::evaluate(tensors_of(state));
        const Conditioning positive = constant_prompt(0.4), negative = constant_prompt(0);
        const gpu::EvaluationCounters start = gpu::evaluation_counters();
        QStringList made;
        for (int call = 0; call < sampling.steps(); ++call) {
            const gpu::EvaluationCounters before = gpu::evaluation_counters();
            const Predictions predictions = predict_step(model, sampling, state, positive, &negative, 7);
            state = blend({}, sampling, take_step(sampling, predictions.state, combine({}, sampling, predictions, 7)));
            gpu::evaluate(tensors_of(state));
            made << QString::number(gpu::evaluation_counters().plans_made - before.plans_made);
        }
        const gpu::EvaluationCounters end = gpu::evaluation_counters();
        QCOMPARE(end.evaluations - start.evaluations, std::uint64_t(12));
        QVERIFY2(end.plans_made - start.plans_made <= std::uint64_t(plans), qPrintable(made.join(" ")));
        QVERIFY2(end.replays - start.replays >= 9, qPrintable(QString::number(end.replays - start.replays)));
    }

    // The nodes of an opened loop, one after the other, make the same bits as Sample: with masks and patches too.
    void parts_make_the_same_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<bool>("patched");
        for (const char* sampler : {"euler", "euler_ancestral", "dpmpp_2m", "heun", "unipc"})
            for (const bool patched : {false, true}) QTest::addRow("%s%s", sampler, patched ? ", patched" : "") << sampler << patched;
    }
    void parts_make_the_same() {
        QFETCH(QString, sampler);
        QFETCH(bool, patched);
        Latent latent = drawn();
        if (patched) latent = latent.with_mask(gpu::concat({gpu::zeros({1, 1, 8, 4}), gpu::ones({1, 1, 8, 4})}, 3));
        Inputs inputs = setting(gaussian_info(), latent).inputs;
        if (patched) {
            inputs["model"] = tests::run_node("guidance.perpendicular", {{"weight", 0.5}}, {{"model", inputs["model"]}, {"empty", Value::of(constant_prompt(0.1))}}).outputs.at("model");
            inputs["model"] = tests::run_node("guidance.rescale", {}, {{"model", inputs["model"]}}).outputs.at("model");
        }
        const QJsonObject schedule{{"sampler", sampler}, {"steps", 4}, {"denoise", 0.9}};
        QJsonObject whole = schedule;
        whole["seed"] = 9, whole["guidance"] = 5;
        const std::vector<float> wanted = sampled(whole, inputs);
        const Value model = inputs["model"];
        const tests::NodeRun planned = tests::run_node("sample.schedule", schedule, {{"model", model}});
        const Value sampling = planned.outputs.at("schedule");
        QCOMPARE(planned.get<double>("calls"), double(sampling.get<Sampling>()->steps()));
        Value state = tests::run_node("sample.begin", {{"seed", 9}}, {{"model", model}, {"schedule", sampling}, {"latent", inputs["latent"]}}).outputs.at("state");
        Value result;
        for (int call = 0; call < sampling.get<Sampling>()->steps(); ++call) {
            const auto seen = tests::run_node("sample.predict", {}, {{"model", model}, {"schedule", sampling}, {"state", state}, {"positive", inputs["positive"]},
                                                                     {"negative", inputs["negative"]}}).outputs;
            const Value guided = tests::run_node("sample.guide", {{"guidance", 5}}, {{"positive", seen.at("positive")}, {"negative", seen.at("negative")}, {"others", seen.at("others")},
                                                                                    {"model", model}, {"schedule", sampling}, {"state", seen.at("state")}}).outputs.at("prediction");
            const Value stepped = tests::run_node("sample.step", {}, {{"schedule", sampling}, {"state", seen.at("state")}, {"prediction", guided}}).outputs.at("state");
            const auto blended = tests::run_node("sample.blend", {}, {{"schedule", sampling}, {"state", stepped}, {"model", model}}).outputs;
            state = blended.at("state");
            result = blended.at("latent");
        }
        const std::vector<float> chained = gpu::to_floats(result.get<Latent>()->tensor);
        QVERIFY2(largest(chained, wanted) == 0, qPrintable(QString::number(largest(chained, wanted))));
    }

    void refuses_what_does_not_fit() {
        const Setting all = setting();
        Inputs wrong = all.inputs;
        wrong["latent"] = Value::of(make_latent(gpu::zeros({1, 16, 8, 8}), latent_format("flux", 16)));
        QCOMPARE(tests::failure_of("sample.run", {}, wrong), std::optional(gpu::ErrorCode::InvalidGraph));
        wrong = all.inputs;
        Conditioning other = constant_prompt(1);
        other.entries[0].context = gpu::zeros({1, 3, 7});
        wrong["positive"] = Value::of(other);
        QCOMPARE(tests::failure_of("sample.run", {}, wrong), std::optional(gpu::ErrorCode::InvalidGraph));
        other = constant_prompt(1);
        other.entries[0].context = gpu::zeros({2, 3, 4});
        wrong["positive"] = Value::of(other);
        QCOMPARE(tests::failure_of("sample.run", {}, wrong), std::optional(gpu::ErrorCode::InvalidGraph));
        QCOMPARE(tests::failure_of("sample.blend", {}, {{"schedule", Value::of(make_sampling(all.base->info(), {}))},
                                                        {"state", Value::of(begin_sampling(make_sampling(all.base->info(), {}), all.base->info(), zeros(), {}))}}),
                 std::optional(gpu::ErrorCode::InvalidGraph));
    }
};

HEDDLE_TEST(sampling, SamplingTest)
#include "sampling.moc"
