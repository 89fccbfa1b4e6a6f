// Optimisers, schedules and a short training run against stored results of PyTorch and numpy (golden/train/make_train.py).
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/io/checkpoint.h"
#include "gpu/nn/scope.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/train/dynamic_code.h"
#include "gpu/train/trainer.h"
#include "tests/support/test.h"
#include "tests/support/two_block.h"

using namespace gpu;
using namespace gpu::train;

namespace {

const std::string folder = HEDDLE_SOURCE_DIR "/tests/golden/train/";

std::vector<float> wave(const Shape& shape, double seed) {
    std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto at = static_cast<double>(i);
        values[i] = static_cast<float>(std::sin(at * 0.37 + seed * 1.7) * std::cos(at * 0.011 + seed));
    }
    return values;
}

Tensor gradient(const Shape& shape, int step) {
    std::vector<float> values = wave(shape, step + 10);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(static_cast<double>(values[i]) * std::pow(10.0, -static_cast<double>(i % 4)));
    return tensor(values, shape);
}

Tensor stored(const Checkpoint& file, const std::string& name) {
    const TensorEntry* entry = file.find(name);
    if (!entry) throw Error(ErrorCode::MissingFile, "{}", name);
    return leaf({entry->shape, entry->dtype}, entry->bytes, file.owner());
}

double difference(const Tensor& got, const Tensor& expected) {
    evaluate({got});
    return relative_error(read_doubles(got.value()), read_doubles(expected.value()));
}

struct Run {
    Tensor parameter;
    Tensors state;
};

Run run(const OptimiserRef& optimiser, const Shape& shape, int steps, double rate) {
    Run now{tensor(wave(shape, 1), shape), optimiser->start(shape)};
    for (int step = 0; step < steps; ++step) {
        ParameterUpdate next = optimiser->update(now.parameter, gradient(shape, step), now.state, {step + 1, rate}, {});
        Tensors all = next.state;
        all.push_back(next.parameter);
        evaluate(all);
        now = {next.parameter, next.state};
    }
    return now;
}

Trainer two_block_trainer(const Checkpoint& file, bool pack) {
    Scope shapes = Scope::shapes();
    tests::TwoBlock made(shapes);
    std::vector<Parameter> parameters;
    for (const Scope::Asked& asked : shapes.asked()) parameters.push_back({asked.name, stored(file, "start." + asked.name), {}});
    return Trainer(parameters, {.optimiser = adamw({.weight_decay = 0.05}),
                                .schedule = {.decay = Schedule::Decay::Cosine, .rate = 3e-3, .total = 40},
                                .max_norm = 0.5,
                                .ema = {.decay = 0.99},
                                .pack = pack});
}

}  // namespace

class TrainGoldenTest : public QObject {
    Q_OBJECT
private slots:
    void optimiser_data() {
        QTest::addColumn<QString>("run");
        QTest::addColumn<double>("rate");
        const std::map<const char*, double> runs{{"sgd", 0.1}, {"momentum", 0.1}, {"nesterov", 0.1}, {"adamw", 0.01},
                                                 {"adafactor", 0.01}, {"adafactor_fixed", 0.02}};
        for (const auto& [name, rate] : runs) QTest::newRow(name) << name << rate;
    }
    void optimiser() {
        QFETCH(QString, run);
        QFETCH(double, rate);
        const std::map<QString, OptimiserRef> made{
            {"sgd", sgd({.weight_decay = 0.02})},
            {"momentum", sgd({.momentum = 0.9, .dampening = 0.3, .weight_decay = 0.02})},
            {"nesterov", sgd({.momentum = 0.9, .nesterov = true})},
            {"adamw", adamw({.weight_decay = 0.1})},
            {"adafactor", adafactor()},
            {"adafactor_fixed", adafactor({.momentum = 0.9, .weight_decay = 0.1, .relative_step = false})},
        };
        const Checkpoint file = open_checkpoint(folder + "optimisers.safetensors");
        for (const auto& [name, shape] : std::map<std::string, Shape>{{"matrix", {6, 5}}, {"vector", {7}}, {"filter", {4, 3, 3, 3}}}) {
            const double error = difference(::run(made.at(run), shape, 10, rate).parameter, stored(file, run.toStdString() + "." + name));
            QVERIFY2(error < 2e-6, qPrintable(QString("%1: relative L2 %2").arg(QString::fromStdString(name)).arg(error)));
        }
    }

    void optimiser_in_8_bits() {
        const Checkpoint file = open_checkpoint(folder + "optimisers.safetensors");
        const Run now = ::run(adamw8(), {70, 100}, 4, 0.01);
        QVERIFY(difference(now.parameter, stored(file, "adamw8.large")) < 1e-5);
        const char* names[] = {"moment1", "moment1_scale", "moment2", "moment2_scale"};
        for (int s = 0; s < 4; ++s) {
            const Tensor expected = stored(file, std::string("adamw8.") + names[s]);
            QCOMPARE(now.state[s].shape(), expected.shape());
            if (s % 2) {
                QVERIFY(difference(now.state[s], expected) < 1e-5);
                continue;
            }
            // A moment half way between two codes may take either, and carry that on.
            const std::vector<double> got = read_doubles(now.state[s].value()), wanted = read_doubles(expected.value());
            int off = 0, worst = 0;
            for (std::size_t i = 0; i < got.size(); ++i) {
                const int by = static_cast<int>(std::abs(got[i] - wanted[i]));
                off += by > 0;
                worst = std::max(worst, by);
            }
            QVERIFY2(worst <= 1 && off <= static_cast<int>(got.size() / 500), qPrintable(QString("%1 codes off, by up to %2").arg(off).arg(worst)));
        }
    }

    void schedule() {
        using Decay = Schedule::Decay;
        const std::map<std::string, Schedule> all{
            {"cosine", {.decay = Decay::Cosine, .rate = 0.5, .end = 0.01, .total = 50}},
            {"restarts", {.decay = Decay::Cosine, .rate = 0.5, .end = 0.01, .cycle = 8, .cycle_growth = 2}},
            {"linear", {.decay = Decay::Linear, .rate = 0.5, .end = 0.05, .total = 40}},
            {"polynomial", {.decay = Decay::Polynomial, .rate = 0.5, .total = 40, .power = 2}},
            {"step", {.decay = Decay::Step, .rate = 0.5, .factor = 0.3, .cycle = 7}},
            {"warmup", {.rate = 0.5, .warmup = 10}},
        };
        const Checkpoint file = open_checkpoint(folder + "schedules.safetensors");
        for (const auto& [name, schedule] : all) {
            const std::vector<float> expected = to_floats(stored(file, name));
            for (std::size_t step = 0; step < expected.size(); ++step)
                QVERIFY2(std::abs(rate_at(schedule, static_cast<std::int64_t>(step)) - expected[step]) < 1e-6,
                         qPrintable(QString("%1 at %2").arg(QString::fromStdString(name)).arg(step)));
        }
    }

    void two_blocks_data() {
        QTest::addColumn<bool>("pack");
        QTest::newRow("packed") << true;
        QTest::newRow("one by one") << false;
    }
    void two_blocks() {
        QFETCH(bool, pack);
        const Checkpoint file = open_checkpoint(folder + "two_block.safetensors");
        Trainer trainer = two_block_trainer(file, pack);
        const Tensor x = stored(file, "x"), y = stored(file, "y");
        const std::vector<float> losses = to_floats(stored(file, "losses"));
        for (const float expected : losses) {
            const StepResult result = trainer.step(
                [](const NamedTensors& w, const Tensors& batch) {
                    return mean(square(tests::TwoBlock(Scope::tensors(w))(batch[0]) - batch[1]));
                },
                {{x, y}});
            QVERIFY2(std::abs(result.loss - expected) < 1e-4 * expected, qPrintable(QString("%1, expected %2 at step %3").arg(result.loss).arg(expected).arg(trainer.step_count())));
        }
        for (const auto& [kind, tensors] : {std::pair("end.", trainer.parameters()), std::pair("average.", trainer.averages())})
            for (const auto& [name, value] : tensors) {
                const double error = difference(value, stored(file, kind + name));
                QVERIFY2(error < 1e-4, qPrintable(QString("%1%2: relative L2 %3").arg(kind, QString::fromStdString(name)).arg(error)));
            }
    }
};

HEDDLE_TEST(train, TrainGoldenTest)
#include "train.moc"
