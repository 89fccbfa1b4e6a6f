// Training steps on the device: one plan, no doubled memory, skipping, resuming, and what may not be given away.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <QTemporaryDir>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/io/checkpoint.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/leaf.h"
#include "gpu/run/oracle.h"
#include "gpu/train/clip.h"
#include "gpu/train/dynamic_code.h"
#include "gpu/train/trainer.h"
#include "tests/support/op_cases.h"
#include "tests/support/submissions.h"
#include "tests/support/test.h"
#include "tests/support/two_block.h"

using namespace gpu;
using namespace gpu::train;
using tests::random_tensor;

namespace {

std::vector<Parameter> fresh_parameters() {
    const Scope scope = Scope::random(5);
    const tests::TwoBlock made(scope);
    std::vector<Parameter> parameters;
    for (const Scope::Asked& asked : scope.asked()) {
        const bool vector = asked.shape.size() == 1;
        const Tensor start = asked.name.starts_with("norm") ? full(asked.shape, asked.name.ends_with("weight") ? 1 : 0)
                                                            : random_tensor(asked.shape, hash_text(asked.name).low, -0.2, 0.2);
        parameters.push_back({asked.name, start, {.decay = vector ? 0.0 : 1.0}});
    }
    return parameters;
}

Tensor loss(const NamedTensors& w, const Tensors& batch) {
    return mean(square(tests::TwoBlock(Scope::tensors(w))(batch[0]) - batch[1]));
}

// The batch of a step: data order is a function of the step, as a trainer that resumes needs it.
Tensors batch_at(std::int64_t step, std::int64_t count = 4) {
    const auto seed = static_cast<std::uint64_t>(step);
    return {random_tensor({count, 3, 8, 8}, 100 + seed), random_tensor({count, 5}, 200 + seed)};
}

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Where its bytes lie: on the device, which may be another memory than the host's.
std::uint64_t address_of(const Tensor& x) {
    for (const auto& [key, made] : x.value()->derived)
        if (key.starts_with(device_key_prefix)) return static_cast<const DeviceCopy*>(made.get())->buffer->address();
    return 0;
}

TrainOptions full_options(OptimiserRef optimiser) {
    return {.optimiser = std::move(optimiser),
            .schedule = {.decay = Schedule::Decay::Cosine, .rate = 2e-3, .warmup = 3, .total = 30},
            .max_norm = 1,
            .ema = {.decay = 0.999},
            .loss_scale = LossScaleOptions{.start = 1024, .growth_interval = 4}};
}

}  // namespace

class TrainTest : public QObject {
    Q_OBJECT

    static void add_optimisers() {
        QTest::addColumn<int>("which");
        const char* names[] = {"sgd", "adamw", "adamw8", "adafactor"};
        for (int i = 0; i < 4; ++i) QTest::newRow(names[i]) << i;
    }
    static OptimiserRef chosen() {
        QFETCH(int, which);
        switch (which) {
            case 0: return sgd({.momentum = 0.9, .nesterov = true, .weight_decay = 0.01});
            case 1: return adamw();
            case 2: return adamw8({.block = 256, .smallest = 512});
            default: return adafactor({.momentum = 0.9});
        }
    }

private slots:
    void a_stopped_run_goes_on_bit_for_bit_data() { add_optimisers(); }
    void a_stopped_run_goes_on_bit_for_bit() {
        const QTemporaryDir folder;
        const std::string unbroken = folder.filePath("unbroken").toStdString(), half = folder.filePath("half").toStdString(),
                          resumed = folder.filePath("resumed").toStdString();
        Trainer whole(fresh_parameters(), full_options(chosen()));
        for (int i = 0; i < 9; ++i) {
            if (i == 5) whole.save(half, {{"order", "5"}});
            whole.step(loss, {batch_at(whole.step_count())});
        }
        whole.save(unbroken);
        std::vector<Parameter> other = fresh_parameters();
        for (Parameter& parameter : other) parameter.value = parameter.value * 0.5;   // all comes from the file
        Trainer again(other, full_options(chosen()));
        QCOMPARE(again.load(half).at("order"), std::string("5"));
        QCOMPARE(again.step_count(), 5);
        while (again.step_count() < 9) again.step(loss, {batch_at(again.step_count())});
        again.save(resumed);
        QVERIFY(content(unbroken) == content(resumed));
    }

    void the_same_seed_gives_the_same_bytes() {
        const QTemporaryDir folder;
        const std::string paths[] = {folder.filePath("a").toStdString(), folder.filePath("b").toStdString()};
        for (const std::string& path : paths) {
            Trainer trainer(fresh_parameters(), full_options(adamw()));
            for (int i = 0; i < 4; ++i) trainer.step(loss, {batch_at(i)});
            trainer.save(path);
        }
        QVERIFY(content(paths[0]) == content(paths[1]));
    }

    void a_state_file_does_not_depend_on_packing() {
        const QTemporaryDir folder;
        const std::string path = folder.filePath("state").toStdString(), copy = folder.filePath("copy").toStdString();
        TrainOptions options = full_options(adamw());
        Trainer packed(fresh_parameters(), options);
        packed.step(loss, {batch_at(0)});
        packed.save(path);
        options.pack = false;
        Trainer apart(fresh_parameters(), options);
        apart.load(path);
        apart.save(copy);
        QVERIFY(content(path) == content(copy));
    }

    void one_plan_serves_every_step_data() { add_optimisers(); }
    void one_plan_serves_every_step() {
        Trainer trainer(fresh_parameters(), full_options(chosen()));
        trainer.step(loss, {batch_at(0)});
        const EvaluationCounters before = evaluation_counters();
        for (int i = 1; i < 6; ++i) trainer.step(loss, {batch_at(i)});
        QCOMPARE(evaluation_counters().plans_made, before.plans_made);
        QCOMPARE(evaluation_counters().evaluations, before.evaluations + 5);
    }

    void it_learns() {
        Trainer trainer(fresh_parameters(), {.optimiser = adamw(), .schedule = {.rate = 3e-3}, .max_norm = 1});
        double first = 0, last = 0;
        for (int i = 0; i < 40; ++i) {
            last = trainer.step(loss, {batch_at(0)}).loss;
            if (i == 0) first = last;
        }
        QVERIFY2(last < 0.7 * first, qPrintable(QString("from %1 to %2").arg(first).arg(last)));
    }

    void micro_batches_sum_up() {
        const Tensors whole = batch_at(3, 6);
        std::vector<Tensors> parts;
        for (int i = 0; i < 3; ++i) parts.push_back({slice(whole[0], 0, 2 * i, 2 * i + 2), slice(whole[1], 0, 2 * i, 2 * i + 2)});
        Trainer one(fresh_parameters(), {.optimiser = sgd(), .schedule = {.rate = 1}, .max_norm = 1e9});
        Trainer three(fresh_parameters(), {.optimiser = sgd(), .schedule = {.rate = 1}, .max_norm = 1e9});
        const StepResult a = one.step(loss, {whole});
        const std::uint64_t bytes = evaluation_counters().arena_bytes;
        const StepResult b = three.step(loss, parts);
        QVERIFY(std::abs(a.loss - b.loss) < 1e-5 * a.loss);
        QVERIFY(std::abs(a.norm - b.norm) < 1e-4 * a.norm);
        for (const auto& [name, value] : one.parameters())
            QVERIFY(relative_error(oracle(value), oracle(three.parameters().at(name))) < 1e-5);
        QVERIFY(evaluation_counters().arena_bytes < bytes * 7 / 10);   // a third of the activations at once
    }

    void a_step_that_overflows_is_skipped() {
        TrainOptions options = full_options(adamw());
        options.loss_scale = LossScaleOptions{.start = 1e37, .backoff = 1e-36, .growth_interval = 2};
        Trainer trainer(fresh_parameters(), options);
        const std::vector<float> before = to_floats(trainer.parameters().at("conv1.weight"));
        const StepResult skipped = trainer.step([](const NamedTensors& w, const Tensors& b) { return loss(w, b) * 1e6; }, {batch_at(0)});
        QVERIFY(skipped.skipped);
        QCOMPARE(to_floats(trainer.parameters().at("conv1.weight")), before);
        QCOMPARE(to_floats(trainer.averages().at("conv1.weight")), before);
        const StepResult taken = trainer.step(loss, {batch_at(0)});
        QVERIFY(!taken.skipped);
        QVERIFY(to_floats(trainer.parameters().at("conv1.weight")) != before);
    }

    void clipping() {
        const Tensor a = random_tensor({3, 5}, 1), b = random_tensor({20000}, 2);
        double squares = 0;
        for (const Tensor& one : {a, b})
            for (const double value : oracle(one)) squares += value * value;
        const Tensor norm = global_norm({a, b});
        QVERIFY(std::abs(to_number(norm) - std::sqrt(squares)) < 1e-5 * std::sqrt(squares));
        QVERIFY(std::abs(to_number(global_norm(clip_by_norm({a, b}, norm, 0.5))) - 0.5) < 1e-5);
        QVERIFY(relative_error(oracle(clip_by_norm({a, b}, norm, 1e3)[1]), oracle(b)) < 1e-7);
        for (const float value : to_floats(clip_by_value({a}, 0.25)[0])) QVERIFY(std::abs(value) <= 0.25f);
    }

    void codes_of_8_bits_come_back() {
        for (const bool with_sign : {true, false}) {
            const Tensor x = pow(random_tensor({4, 256}, 1, 0, 1), 4.0) * (with_sign ? random_tensor({4, 256}, 2) : ones({4, 256}));
            const DynamicCodes coded = encode(x, with_sign);
            const Tensor y = decode(coded, with_sign);
            const std::vector<double> in = oracle(x), scales = oracle(max(abs(x), {1})), out = oracle(y);
            for (std::size_t i = 0; i < in.size(); ++i) {
                const double scale = scales[i / 256], unit = std::abs(in[i]) / scale;
                // Half of the step between codes: a decade down to 10^d holds 2^(6 + d + 1) of them, or twice as many.
                const double decade = std::clamp(std::floor(std::log10(unit)), -7.0, -1.0);
                const double step = 0.9 * std::pow(10, decade + 1) / std::pow(2, decade + (with_sign ? 7 : 8));
                QVERIFY2(std::abs(out[i] - in[i]) / scale < 0.501 * step, qPrintable(QString("%1 became %2").arg(in[i]).arg(out[i])));
            }
            evaluate({coded.codes, coded.scales});
            const DynamicCodes twice = encode(decode(coded, with_sign), with_sign);
            QCOMPARE(to_ints(twice.codes), to_ints(coded.codes));   // every value is its own nearest
        }
    }

    void averages_warm_up() {
        QCOMPARE(ema_decay({.decay = 0.999}, 1), 2.0 / 11);
        QCOMPARE(ema_decay({.decay = 0.999}, 100000), 0.999);
        QCOMPARE(ema_decay({.decay = 0.999, .warmup = false}, 1), 0.999);
        QVERIFY(std::abs(ema_decay({.decay = 0.9999, .power = 0.75}, 1000) - (1 - std::pow(1001, -0.75))) < 1e-12);
    }

    // --- donation ---

    void new_values_take_the_place_of_old_ones() {
        Tensor p = random_tensor({1 << 16}, 1), m = random_tensor({1 << 16}, 2);
        evaluate({p, m});
        const std::vector<float> old = to_floats(p), momentum = to_floats(m);
        for (int i = 0; i < 2; ++i) {
            const Tensor g = square(p), next_m = m * 0.5 + g, next_p = p - next_m * 0.1;
            const std::vector<double> expected = oracle(next_p), expected_m = oracle(next_m);
            const std::uint64_t lay = i ? address_of(p) : 0;
            evaluate({next_p, next_m}, {p, m});
            QVERIFY(!p.value() && !m.value());
            QVERIFY(relative_error(oracle(next_p), expected) < 1e-6);
            QVERIFY(relative_error(oracle(next_m), expected_m) < 1e-6);
            if (i) QVERIFY(lay != 0 && (address_of(next_p) == lay || address_of(next_m) == lay));
            QVERIFY_EXCEPTION_THROWN(to_floats(p + 1.0), Error);
            p = next_p;
            m = next_m;
        }
    }

    void what_is_still_read_is_not_written_over() {
        const Tensor a = random_tensor({64, 64}, 1), b = random_tensor({64, 64}, 2);
        const Tensor swapped_a = transpose(a, 0, 1) + b, swapped_b = matmul(a, b) + a;
        const std::vector<double> expected_a = oracle(swapped_a), expected_b = oracle(swapped_b);
        evaluate({swapped_a, swapped_b}, {a, b});
        QVERIFY(relative_error(oracle(swapped_a), expected_a) < 1e-6);
        QVERIFY(relative_error(oracle(swapped_b), expected_b) < 1e-6);
    }

    void a_view_of_what_was_given_lives_on() {
        const Tensor x = random_tensor({8, 8}, 1);
        const Tensor view = reshape(x, {64}), next = x + 1.0;
        const std::vector<double> expected = oracle(view);
        evaluate({view, next}, {x});
        QCOMPARE(read_doubles(view.value()), expected);
        QVERIFY(relative_error(read_doubles(next.value()), expected) > 0.1);
    }

    void a_cancel_waits_for_the_step() {
        Tensor x = random_tensor({16}, 1);
        CancelToken token;
        const CancelScope scope(token);
        evaluate({x});
        token.cancel();
        QVERIFY_EXCEPTION_THROWN(evaluate({x + 1.0}, {x}), Cancelled);   // before: nothing is lost
        QVERIFY(x.value());
    }

    // Until something is written over a cancel stops the step, and it was not taken.
    void a_cancel_inside_of_a_step_takes_nothing() {
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch alone(&Switches::serial, true);   // a submission for each kernel
        const Tensor w = random_tensor({8, 8, 3, 3}, 1, -0.1, 0.1), p = random_tensor({1, 8, 16, 16}, 2);
        evaluate({p, conv2d(p, w, {.pad = 1})});      // pipelines are there
        const std::vector<float> before = to_floats(p);
        const auto next = [&] {
            Tensor h = p;
            for (int i = 0; i < 24; ++i) h = conv2d(h, w, {.pad = 1});
            return p - h * 1e-3;
        };
        evaluate({next()});
        for (const int at : {1, 7, 24}) {
            const CancelToken token;
            const CancelScope scope(token);
            const tests::CancelAtSubmission stop(token, at);
            const std::uint64_t dispatches = evaluation_counters().dispatches;
            QVERIFY_EXCEPTION_THROWN(evaluate({next()}, {p}), Cancelled);
            QVERIFY(p.value());
            QCOMPARE(stop.seen(), at);
            QCOMPARE(evaluation_counters().dispatches, dispatches + static_cast<std::uint64_t>(at));
        }
        QVERIFY(to_floats(p) == before);
        evaluate({next()}, {p});                      // and it can be taken later
        QVERIFY(!p.value());
    }

    // Whichever kernel a cancel comes in, none follows, until those that write the new state: they all follow, and no product is
    // among them. The state is that of before or of after the step, never one in between.
    void a_cancel_at_any_kernel_leaves_a_whole_step_data() { add_optimisers(); }
    void a_cancel_at_any_kernel_leaves_a_whole_step() {
        const QTemporaryDir folder;
        const auto saved = [&](const Trainer& trainer) {
            const std::string path = folder.filePath("now").toStdString();
            trainer.save(path);
            return content(path);
        };
        const std::string start = folder.filePath("start").toStdString();
        Trainer whole(fresh_parameters(), full_options(chosen()));
        for (int i = 0; i < 2; ++i) whole.step(loss, {batch_at(i)});
        whole.save(start);

        const ScopedSwitch tell(&Switches::debug, 2);      // a line for each kernel
        const ScopedSwitch alone(&Switches::serial, true); // when it is over, and before the next one
        int kernels = 0, cancel_at = 0, products = 0;      // products behind the cancel
        CancelToken token;
        const LogSink former = set_log_sink([&](std::string_view area, LogLevel, const std::string& text) {
            if (area != "kernel") return;
            products += token.cancelled() && text.find(" 0.000 MFLOP") == std::string::npos;
            if (++kernels == cancel_at) token.cancel();
        });
        whole.step(loss, {batch_at(2)});
        const int all = kernels;
        const std::string before = content(start), after = saved(whole);
        int last_stop = 0, first_end = all + 1;
        bool right = all > 40 && before != after;
        for (int at = 1; at <= all; at += at < all * 3 / 4 ? std::max(1, all / 12) : std::max(1, all / 40)) {
            Trainer trainer(fresh_parameters(), full_options(chosen()));
            trainer.load(start);
            token = CancelToken();
            kernels = products = 0;
            cancel_at = at;
            bool cancelled = false;
            try {
                const CancelScope scope(token);
                trainer.step(loss, {batch_at(2)});
            } catch (const Cancelled&) {
                cancelled = true;
            }
            cancel_at = 0;
            right = right && kernels == (cancelled ? at : all) && products == 0 && saved(trainer) == (cancelled ? before : after) && trainer.step_count() == (cancelled ? 2 : 3);
            if (cancelled) last_stop = std::max(last_stop, at);
            if (!cancelled) first_end = std::min(first_end, at);
        }
        set_log_sink(former);
        QVERIFY(right);
        QVERIFY2(last_stop < first_end && last_stop > 40, qPrintable(QString("%1 of %2 kernels can be stopped").arg(last_stop).arg(all)));
    }

    // --- complaints ---

    void bad_files_are_named() {
        const QTemporaryDir folder;
        const std::string path = folder.filePath("state").toStdString();
        Trainer trainer(fresh_parameters(), full_options(adamw()));
        trainer.save(path);
        Trainer other(fresh_parameters(), full_options(sgd()));
        QVERIFY_EXCEPTION_THROWN(other.load(path), Error);
        std::vector<Parameter> fewer = fresh_parameters();
        fewer.pop_back();
        Trainer less_of_it(fewer, full_options(adamw()));
        QVERIFY_EXCEPTION_THROWN(less_of_it.load(path), Error);
        std::vector<Parameter> renamed = fresh_parameters();
        renamed[0].name = "other";
        Trainer stranger(renamed, full_options(adamw()));
        QVERIFY_EXCEPTION_THROWN(stranger.load(path), Error);
        QCOMPARE(stranger.step_count(), 0);
    }

    void bad_parameters_are_named() {
        const Tensor x = ones({2});
        QVERIFY_EXCEPTION_THROWN(Trainer({}, {}), Error);
        QVERIFY_EXCEPTION_THROWN(Trainer({{"a", x, {}}, {"a", x, {}}}, {}), Error);
        QVERIFY_EXCEPTION_THROWN(Trainer({{"a", cast(x, Dtype::I32), {}}}, {}), Error);
        QVERIFY_EXCEPTION_THROWN(rate_at({.decay = Schedule::Decay::Linear}, 0), Error);
        QVERIFY_EXCEPTION_THROWN(rate_at({.decay = Schedule::Decay::Step}, 0), Error);
    }
};

HEDDLE_TEST(train, TrainTest)
#include "train.moc"
