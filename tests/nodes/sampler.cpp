// Samplers against a case with a known answer: data drawn from N(0, c^2), for which the best network is known and the
// probability flow ODE has the closed solution y(sigma) = y(sigma_0) sqrt((c^2 + sigma^2) / (c^2 + sigma_0^2)).
#include "nodes/sampling/sampler.h"

#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/conform/conform.h"
#include "nodes/models/diffusion/loop.h"
#include "nodes/sampling/noise.h"
#include "tests/support/test.h"

using namespace nodes;

namespace {

constexpr double deviation = 0.5;      // c

// epsilon that the best network predicts of x_t: (y - E[x0 | y]) / sigma.
gpu::Tensor best_epsilon(const gpu::Tensor& x, const NoiseLevel& level) {
    const double variance = level.signal * level.signal * deviation * deviation + level.noise * level.noise;
    return x * (level.noise / variance);
}

gpu::Tensor run(const Sampler& sampler, const NoiseTable& table, const NoiseLevels& levels, const gpu::Tensor& start, SamplerOptions options) {
    const NoiseLevels calls = sampler.calls(levels, table, options);
    SamplerState state{start, {}};
    std::uint32_t draws = 0;
    for (int i = 0; i < static_cast<int>(calls.size()); ++i) {
        const NoiseLevel& level = calls[static_cast<std::size_t>(i)];
        const SamplerStep step{levels, calls, i, table, options,
                               [&] { return noise(NoiseSource::Heddle, state.x.shape(), 7, 1, ++draws); }};
        state = sampler.step(step, state, predict(PredictionType::Epsilon, best_epsilon(state.x, level), state.x, level));
        gpu::evaluate({state.x});
    }
    return state.x;
}

// |x - exact| / |exact| at the end of `steps` steps over an exponential schedule that ends with noise left, so that the
// last step is no special case.
double ode_error(const Sampler& sampler, int steps, int order) {
    const NoiseTable table;
    ScheduleOptions options{.steps = steps, .highest_sigma = 8, .lowest_sigma = 0.4};
    NoiseLevels levels = make_levels("exponential", table, options);
    levels.back() = level_of_sigma(-1, 0.4 * std::pow(0.4 / 8, 1.0 / (steps - 1)));
    const gpu::Tensor start = noise(NoiseSource::Heddle, {1, 4, 8, 8}, 3);
    const double from = levels.front().sigma(), to = levels.back().sigma(), c2 = deviation * deviation;
    const double scale = std::sqrt((c2 + to * to) / (c2 + from * from)) * levels.back().signal / levels.front().signal;
    const std::vector<float> ours = gpu::to_floats(run(sampler, table, levels, start, {.eta = 0, .order = order})), x = gpu::to_floats(start);
    double error = 0, size = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        error += std::pow(ours[i] - scale * x[i], 2);
        size += std::pow(scale * x[i], 2);
    }
    return std::sqrt(error / size);
}

double spread(const gpu::Tensor& x) {
    double sum = 0;
    const std::vector<float> values = gpu::to_floats(x);
    for (const float value : values) sum += double(value) * value;
    return std::sqrt(sum / static_cast<double>(values.size()));
}

}  // namespace

class SamplerTest : public QObject {
    Q_OBJECT
private slots:
    void schedules_are_those_of_their_authors() {
        const NoiseTable table;
        QVERIFY(std::abs(table.lowest_sigma() - 0.02917) < 1e-5 && std::abs(table.highest_sigma() - 14.61464) < 1e-4);
        const NoiseLevels leading = make_levels("leading", table, {.steps = 50});
        QCOMPARE(leading.size(), 51u);
        QCOMPARE(leading[0].timestep, 981.0);
        QCOMPARE(leading[49].timestep, 1.0);
        const NoiseLevels trailing = make_levels("trailing", table, {.steps = 30, .whole_timesteps = true});
        QCOMPARE(trailing[1].timestep, 966.0);      // 1000 - 33.3 rounded, less one
        const NoiseLevels simple = make_levels("simple", table, {.steps = 14});
        QCOMPARE(simple[2].timestep, 857.0);        // 999 - 142.8 cut
        const NoiseLevels lcm = make_levels("lcm", table, {.steps = 4});
        QCOMPARE(lcm[1].timestep, 759.0);
        const NoiseLevels ays = make_levels("ays_sd15", table, {.steps = 10});
        QVERIFY(std::abs(ays[1].sigma() - 6.475) < 1e-3 && ays.back().noise == 0);
        for (const std::string& name : schedule_names()) {
            for (const int steps : {1, 2, 7, 20, 50}) {
                const NoiseLevels levels = make_levels(name, table, {.steps = steps});
                QCOMPARE(levels.size(), static_cast<std::size_t>(steps) + 1);
                for (int i = 0; i < steps; ++i)
                    QVERIFY2(levels[static_cast<std::size_t>(i)].sigma() > levels[static_cast<std::size_t>(i) + 1].sigma(), name.c_str());
            }
            QVERIFY_EXCEPTION_THROWN(make_levels(name, table, {.steps = 0}), gpu::Error);
            QVERIFY_EXCEPTION_THROWN(make_levels(name, table, {.steps = 1001}), gpu::Error);
        }
        QVERIFY_EXCEPTION_THROWN(make_levels("none", table, {}), gpu::Error);
    }

    void zero_terminal_snr_ends_without_a_picture() {
        const NoiseTable table({.zero_terminal_snr = true});
        QVERIFY(table.alpha_bar(999) < 1e-20);
        QVERIFY(std::abs(table.alpha_bar(0) - NoiseTable().alpha_bar(0)) < 1e-12);
        QVERIFY(std::isfinite(table.highest_sigma()));
    }

    void predictions_agree() {
        const NoiseLevel level = NoiseTable().level(400);
        const gpu::Tensor x0 = gpu::tensor({0.3f, -1.2f}), e = gpu::tensor({-0.7f, 0.4f}), x = x0 * level.signal + e * level.noise;
        const gpu::Tensor v = e * level.signal - x0 * level.noise;
        for (const auto& [type, output] : {std::pair{PredictionType::Epsilon, e}, {PredictionType::V, v}, {PredictionType::Sample, x0}}) {
            const Prediction made = predict(type, output, x, level);
            QVERIFY(spread(made.x0 - x0) < 1e-6 && spread(made.epsilon - e) < 1e-6);
        }
    }

    // Halving the step divides the error by 2 at first order and by about 4 at second.
    void deterministic_samplers_converge_at_their_order_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<double>("factor");
        QTest::addColumn<double>("error");      // at 40 steps
        QTest::addColumn<int>("order");
        for (const char* name : {"euler", "dpmpp_2m_sde", "euler_ancestral"}) QTest::newRow(name) << name << (name == QString("dpmpp_2m_sde") ? 3.4 : 1.8) << 0.05 << 2;
        for (const char* name : {"heun", "dpmpp_2m", "unipc", "unipc_bh1", "lms", "dpmpp_3m_sde", "dpm_2", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde"}) QTest::newRow(name) << name << 3.2 << 0.004 << 2;
        for (const char* name : {"unipc", "unipc_bh1"}) QTest::addRow("%s, order 1", name) << name << 3.2 << 0.004 << 1;      // UniC raises the order by one
    }
    void deterministic_samplers_converge_at_their_order() {
        QFETCH(QString, name);
        QFETCH(double, factor);
        QFETCH(double, error);
        QFETCH(int, order);
        const Sampler& sampler = find_sampler(name.toStdString());
        const double coarse = ode_error(sampler, 40, order), fine = ode_error(sampler, 80, order);
        QVERIFY2(coarse < error, qPrintable(QString::number(coarse)));
        QVERIFY2(coarse / fine > factor, qPrintable(QStringLiteral("%1 to %2").arg(coarse).arg(fine)));
    }

    // Seven steps with a network that is no straight line, as make_unipc.py computes them from the paper.
    void unipc_is_that_of_its_paper_data() {
        QTest::addColumn<QString>("solver");
        QTest::addColumn<int>("order");
        QTest::addColumn<std::vector<double>>("wanted");
        QTest::newRow("bh1 1") << "bh1" << 1 << std::vector<double>{7.403616776, -22.759844577, 1.035018730, -18.739003596};
        QTest::newRow("bh1 2") << "bh1" << 2 << std::vector<double>{7.285748289, -22.928092799, 0.887528549, -18.425186468};
        QTest::newRow("bh1 3") << "bh1" << 3 << std::vector<double>{7.331282673, -22.863107828, 0.969921676, -18.545451481};
        QTest::newRow("bh2 1") << "bh2" << 1 << std::vector<double>{7.468366273, -22.667712286, 1.228804073, -18.904601335};
        QTest::newRow("bh2 2") << "bh2" << 2 << std::vector<double>{7.363138659, -22.819150594, 1.016083370, -18.641122429};
        QTest::newRow("bh2 3") << "bh2" << 3 << std::vector<double>{7.394019266, -22.776198714, 1.095212856, -18.733665144};
    }
    void unipc_is_that_of_its_paper() {
        QFETCH(QString, solver);
        QFETCH(int, order);
        QFETCH(std::vector<double>, wanted);
        const Sampler& sampler = find_sampler(solver == "bh1" ? "unipc_bh1" : "unipc");
        const NoiseTable table;
        const NoiseLevels levels = make_levels("linspace", table, {.steps = 7, .end = EndLevel::Lowest, .drop_last = true, .whole_timesteps = true}), calls = sampler.calls(levels, table, {.order = order});
        const gpu::Tensor a = gpu::tensor({0.9f, -0.4f, 1.3f, 0.6f}), b = gpu::tensor({0.3f, 0.8f, -0.5f, 0.1f});
        SamplerState state{gpu::tensor({1.4f, -0.7f, 0.2f, -2.1f}), {}};
        for (int i = 0; i < 7; ++i) {
            const NoiseLevel& level = calls[static_cast<std::size_t>(i)];
            const gpu::Tensor output = gpu::tanh(a * state.x * 0.7 + b * (level.timestep / 1000));
            state = sampler.step({levels, calls, i, table, {.order = order}, {}}, state, predict(PredictionType::Epsilon, output, state.x, level));
        }
        const std::vector<float> made = gpu::to_floats(state.x);
        for (std::size_t i = 0; i < 4; ++i)
            QVERIFY2(std::abs(made[i] - wanted[i]) < 2e-5 * (1 + std::abs(wanted[i])), qPrintable(QStringLiteral("%1, expected %2").arg(made[i], 0, 'g', 9).arg(wanted[i], 0, 'g', 9)));
    }

    // Six steps of Karras' schedule with the same network and known "noise", as make_two_stage.py computes them from the formulas.
    void two_stage_samplers_are_those_of_their_formulas_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<double>("eta");
        QTest::addColumn<std::vector<double>>("wanted");
        QTest::newRow("dpm_2 0.0") << "dpm_2" << 0.0 << std::vector<double>{7.100227534, -23.196056971, 0.592506280, -17.863917735};
        QTest::newRow("dpm_2_ancestral 0.0") << "dpm_2_ancestral" << 0.0 << std::vector<double>{7.100227534, -23.196056971, 0.592506280, -17.863917735};
        QTest::newRow("dpm_2_ancestral 0.6") << "dpm_2_ancestral" << 0.6 << std::vector<double>{9.415314711, -26.581963784, 0.181632752, -12.974322284};
        QTest::newRow("dpm_2_ancestral 1.0") << "dpm_2_ancestral" << 1.0 << std::vector<double>{7.719275153, -32.219519546, -0.389931707, -6.073742397};
        QTest::newRow("dpm_2_ancestral 3.0") << "dpm_2_ancestral" << 3.0 << std::vector<double>{6.756593451, -33.580422588, 1.281826687, -7.393222242};
        QTest::newRow("dpmpp_2s_ancestral 0.0") << "dpmpp_2s_ancestral" << 0.0 << std::vector<double>{7.309622529, -22.900383419, 1.072740750, -18.421773000};
        QTest::newRow("dpmpp_2s_ancestral 0.6") << "dpmpp_2s_ancestral" << 0.6 << std::vector<double>{9.710326409, -26.157371056, 0.656431935, -13.860951221};
        QTest::newRow("dpmpp_2s_ancestral 1.0") << "dpmpp_2s_ancestral" << 1.0 << std::vector<double>{8.580767620, -31.070307196, 0.372449052, -8.573187059};
        QTest::newRow("dpmpp_2s_ancestral 3.0") << "dpmpp_2s_ancestral" << 3.0 << std::vector<double>{6.756593451, -33.580422588, 1.281826687, -7.393222242};
        QTest::newRow("dpmpp_sde 0.0") << "dpmpp_sde" << 0.0 << std::vector<double>{7.309622529, -22.900383419, 1.072740750, -18.421773000};
        QTest::newRow("dpmpp_sde 0.6") << "dpmpp_sde" << 0.6 << std::vector<double>{10.094309468, -27.477131238, 0.539482578, -12.507435295};
        QTest::newRow("dpmpp_sde 1.0") << "dpmpp_sde" << 1.0 << std::vector<double>{7.830653167, -35.881233929, 0.228580856, -5.209650719};
        QTest::newRow("dpmpp_sde 3.0") << "dpmpp_sde" << 3.0 << std::vector<double>{0.768121919, -48.780277108, 0.148027754, -1.172368134};
    }
    void two_stage_samplers_are_those_of_their_formulas() {
        QFETCH(QString, name);
        QFETCH(double, eta);
        QFETCH(std::vector<double>, wanted);
        const Sampler& sampler = find_sampler(name.toStdString());
        const NoiseTable table;
        const SamplerOptions options{.eta = eta};
        const NoiseLevels levels = make_levels("karras", table, {.steps = 6}), calls = sampler.calls(levels, table, options);
        const gpu::Tensor a = gpu::tensor({0.9f, -0.4f, 1.3f, 0.6f}), b = gpu::tensor({0.3f, 0.8f, -0.5f, 0.1f});
        int draws = 0;
        const auto normal = [&] {
            const double k = ++draws;
            return gpu::tensor({static_cast<float>(std::sin(k)), static_cast<float>(std::cos(2 * k)), static_cast<float>(std::sin(3 * k + 1)), static_cast<float>(std::cos(5 * k + 2))});
        };
        SamplerState state{gpu::tensor({1.4f, -0.7f, 0.2f, -2.1f}), {}};
        for (int i = 0; i < static_cast<int>(calls.size()); ++i) {
            const NoiseLevel& level = calls[static_cast<std::size_t>(i)];
            const gpu::Tensor output = gpu::tanh(a * state.x * 0.7 + b * (level.timestep / 1000));
            state = sampler.step({levels, calls, i, table, options, normal}, state, predict(PredictionType::Epsilon, output, state.x, level));
        }
        const std::vector<float> made = gpu::to_floats(state.x);
        for (std::size_t i = 0; i < 4; ++i)
            QVERIFY2(std::abs(made[i] - wanted[i]) < 2e-5 * (1 + std::abs(wanted[i])), qPrintable(QStringLiteral("%1, expected %2").arg(made[i], 0, 'g', 9).arg(wanted[i], 0, 'g', 9)));
    }

    // Two calls a step, the second in the middle of log sigma between where the step begins and where it goes along the curve, and one to the end.
    void two_stage_samplers_call_in_the_middle() {
        const NoiseTable table;
        const NoiseLevels levels = make_levels("karras", table, {.steps = 10});
        for (const char* name : {"dpm_2", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde"}) {
            const NoiseLevels calls = find_sampler(name).calls(levels, table, {.eta = 0}), rounded = find_sampler(name).calls(levels, table, {.eta = 0, .whole_timesteps = true});
            QCOMPARE(calls.size(), std::size_t(19));
            for (std::size_t i = 0; i < 9; ++i) {
                QCOMPARE(calls[2 * i].sigma(), levels[i].sigma());
                const NoiseLevel& inner = calls[2 * i + 1];
                QVERIFY(std::abs(inner.sigma() * inner.sigma() / (levels[i].sigma() * levels[i + 1].sigma()) - 1) < 1e-9);
                QCOMPARE(inner.timestep, table.timestep_of(inner.sigma()));
                QCOMPARE(rounded[2 * i + 1].timestep, std::nearbyint(inner.timestep));
            }
            QCOMPARE(calls[18].sigma(), levels[9].sigma());
            QCOMPARE(find_sampler(name).calls({levels.begin(), levels.begin() + 4}, table, {}).size(), std::size_t(6));      // a part keeps noise
        }
        // All noise made new leaves nothing to go half way to; the SDE's middle does not depend on it.
        QCOMPARE(find_sampler("dpm_2_ancestral").calls(levels, table, {.eta = 10}).size(), std::size_t(10));
        QCOMPARE(find_sampler("dpmpp_sde").calls(levels, table, {.eta = 10}).size(), std::size_t(19));
    }

    // Every sampler ends with the data's spread on the schedule its authors chose.
    void every_sampler_ends_with_the_data_data() {
        QTest::addColumn<QString>("name");
        for (const Sampler* sampler : samplers()) QTest::newRow(sampler->info().name.c_str()) << QString::fromStdString(sampler->info().name);
    }
    void every_sampler_ends_with_the_data() {
        QFETCH(QString, name);
        const Sampler& sampler = find_sampler(name.toStdString());
        const SamplerInfo info = sampler.info();
        QVERIFY(!info.title.empty() && !info.source.empty());
        const NoiseTable table;
        const NoiseLevels levels = make_levels(info.schedule, table, {.steps = 50, .end = info.end, .drop_last = info.drop_last,
                                                                      .whole_timesteps = info.whole_timesteps});
        const gpu::Tensor x = run(sampler, table, levels, noise(NoiseSource::Heddle, {1, 4, 32, 32}, 11), {});
        const double end = spread(x);
        // LCM wants a distilled network: one call of any other gives the mean of all pictures, so its spread is too small.
        if (info.name == "lcm") QVERIFY2(end > 0.2 && end < 0.52, qPrintable(QString::number(end)));
        else QVERIFY2(std::abs(end - deviation) < 0.05 * deviation, qPrintable(QString::number(end)));
        // One step and two are no special case that fails.
        for (const int steps : {1, 2, 3}) {
            const NoiseLevels few = make_levels(info.schedule, table, {.steps = steps, .end = info.end, .drop_last = info.drop_last,
                                                                       .whole_timesteps = info.whole_timesteps});
            QVERIFY(std::isfinite(spread(run(sampler, table, few, noise(NoiseSource::Heddle, {1, 4, 4, 4}, 1), {}))));
        }
    }

    // sigma(t) = exp((1 - w) ln sigma_floor(t) + w ln sigma_ceil(t)), t_i = (T - 1) (n - 1 - i) / (n - 1), then 0: of every sampler
    // but UniPC and DPM2, which k-diffusion's users give n + 1 levels and take the last one with noise away.
    void levels_of_k_diffusion() {
        const ModelInfo model;
        const NoiseTable table(model.noise);
        const auto sigma = [&](double t) {
            const int low = static_cast<int>(t), high = std::min(low + 1, table.count() - 1);
            return std::exp((1 - (t - low)) * std::log(table.level(low).sigma()) + (t - low) * std::log(table.level(high).sigma()));
        };
        for (const char* name : {"euler", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m_sde", "heun"}) {
            const Sampling made = make_sampling(model, {.sampler = name, .schedule = "linspace", .steps = 20, .k_diffusion = true});
            QCOMPARE(made.levels.size(), std::size_t(21));
            for (int i = 0; i < 20; ++i) {
                const double t = 999.0 * (19 - i) / 19;
                const NoiseLevel& level = made.levels[static_cast<std::size_t>(i)];
                QVERIFY2(std::abs(level.sigma() / sigma(t) - 1) < 1e-9, name);
                QCOMPARE(level.timestep, std::nearbyint(t));
            }
            QCOMPARE(made.levels.back().noise, 0.0);
        }
        for (const char* name : {"unipc", "unipc_bh1", "dpm_2", "dpm_2_ancestral"}) {
            const Sampling dropped = make_sampling(model, {.sampler = name, .schedule = "linspace", .steps = 20, .k_diffusion = true});
            for (int i = 0; i < 20; ++i) QVERIFY(std::abs(dropped.levels[static_cast<std::size_t>(i)].sigma() / sigma(999.0 * (20 - i) / 20) - 1) < 1e-9);
        }
        // Karras' sigmas do not depend on it.
        const Sampling usual = make_sampling(model, {.sampler = "dpmpp_2m", .schedule = "karras"}), theirs = make_sampling(model, {.sampler = "dpmpp_2m", .schedule = "karras", .k_diffusion = true});
        for (std::size_t i = 0; i < usual.levels.size(); ++i) QCOMPARE(theirs.levels[i].sigma(), usual.levels[i].sigma());
    }

    void reference_cases_pass() {
        const std::string shared = tests::shared_dir();
        if (shared.empty()) QSKIP("no shared conformance cases beside the repository");
        for (const char* name : {"sampler-ddim", "sampler-ddim-v", "sampler-heun", "sampler-unipc", "sampler-pndm", "sampler-dpmpp-2m-karras"})
            QVERIFY2(run_conform_case(load_conform_case(shared + "/conformance/" + name)).pass, name);
    }
};

HEDDLE_TEST(sampler, SamplerTest)
#include "sampler.moc"
