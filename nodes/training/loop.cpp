#include "nodes/training/loop.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <utility>

#include "gpu/base/error.h"
#include "gpu/io/pending_writes.h"
#include "nodes/training/parameters.h"
#include "nodes/training/walk.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;
using Clock = std::chrono::steady_clock;

constexpr double smoothing = 0.98;      // of the loss that is shown

// Rows that a checkpoint knows of stay, later ones of a run that was stopped go: the curve has each step once.
class LossLog {
public:
    LossLog(std::string path, std::int64_t from) : path_(std::move(path)) {
        if (path_.empty()) return;
        std::string kept = "step,loss,norm,rate,items_per_second\n";
        if (std::ifstream old(path_); from > 0 && old)
            for (std::string line; std::getline(old, line);) {
                std::int64_t step = 0;
                const auto [end, status] = std::from_chars(line.data(), line.data() + line.size(), step);
                if (status == std::errc() && step <= from) kept += line + "\n";
            }
        write(kept, std::ios::trunc);
    }
    void row(const TrainProgress& at) {
        if (!path_.empty()) write(gpu::format("{},{},{},{},{}\n", at.step, at.loss, at.norm, at.rate, at.items_per_second), std::ios::app);
    }

private:
    void write(const std::string& text, std::ios::openmode mode) {
        std::ofstream file(path_, std::ios::out | mode);
        file << text << std::flush;
        check(file.good(), ErrorCode::Io, "train: expected to write the loss curve to {}, got an error", path_);
    }
    std::string path_;
};

double number_of(const std::map<std::string, std::string>& extra, const std::string& key) {
    const auto at = extra.find(key);
    return at == extra.end() ? 0 : std::strtod(at->second.c_str(), nullptr);
}

}  // namespace

TrainOutcome train(const Objective& objective, const TrainPlan& plan, const gpu::CancelToken& cancel, const TrainEvents& events) {
    check(plan.batch > 0 && plan.accumulate > 0 && plan.steps > 0, ErrorCode::InvalidGraph,
          "train: expected at least one step, item and micro-batch, got {}, {} and {}", plan.steps, plan.batch, plan.accumulate);
    gpu::wait_for_writes();      // of a run before, which may have been this one
    gpu::train::Trainer trainer(objective.parameters(), plan.options);
    TrainProgress at{.step = 0, .steps = plan.steps};
    const auto identity = gpu::format("{}; batch {} x {}; seed {}", objective.summary(), plan.batch, plan.accumulate, plan.seed);
    if (!plan.checkpoint.empty() && std::filesystem::exists(plan.checkpoint)) {
        const auto extra = trainer.load(plan.checkpoint);
        const auto known = extra.find("run");
        check(known != extra.end() && known->second == identity, ErrorCode::BadFile, "{}: expected a checkpoint of \"{}\", got one of \"{}\"", plan.checkpoint, identity,
              known == extra.end() ? "another program" : known->second);
        at.step = trainer.step_count();
        at.loss = number_of(extra, "loss");
    }
    std::int64_t saved = at.step;
    const auto extra = [&] { return std::map<std::string, std::string>{{"run", identity}, {"loss", gpu::format("{}", at.loss)}}; };
    const auto save = [&] {
        if (!plan.checkpoint.empty()) trainer.save(plan.checkpoint, extra());
        saved = at.step;
    };
    const auto current = [&] { return plan.options.ema.decay > 0 ? trainer.averages() : trainer.parameters(); };
    std::vector<TrainMetric> metrics;
    const auto show = [&] {
        const NamedTensors parameters = current();
        metrics = objective.metrics(parameters);
        if (events.metrics && !metrics.empty()) events.metrics(at, metrics);
        if (!events.samples) return;
        if (const std::optional<Image> picture = objective.samples(parameters)) events.samples(at, *picture);
    };

    LossLog log(plan.log, at.step);
    const Clock::time_point begun = Clock::now();
    const Walk walk(plan.seed, objective.size(), objective.groups(), plan.batch, plan.accumulate);
    std::int64_t visited = 0;      // in this sitting
    const auto loss = [&](const NamedTensors& parameters, const gpu::Tensors& batch) { return objective.loss(parameters, batch); };
    const auto advance = [&] {
        cancel.check();
        std::vector<gpu::Tensors> batches;
        for (const std::vector<Visit>& visits : walk.step(at.step)) {
            batches.push_back(objective.batch(visits, plan.seed));
            visited += static_cast<std::int64_t>(visits.size());
        }
        const gpu::train::StepResult step = trainer.step(loss, batches);      // taken or not, also where a cancel comes: its state can be kept
        check(step.skipped || std::isfinite(step.loss), ErrorCode::Numeric, "train: expected a loss, got {} at step {}: a lower rate or clipped gradients may help", step.loss,
              at.step);
        ++at.step;
        const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
        at.loss = at.step == 1 ? step.loss : smoothing * at.loss + (1 - smoothing) * step.loss;
        at.rate = step.rate, at.norm = step.norm;
        at.items_per_second = static_cast<double>(visited) / std::max(seconds, 1e-9);
        if (at.step % std::max<std::int64_t>(1, plan.log_every) == 0 || at.step == plan.steps) log.row(at);
        if (events.progress) events.progress(at);
        if (plan.checkpoint_every > 0 && at.step % plan.checkpoint_every == 0) save();
        if (plan.sample_every > 0 && at.step % plan.sample_every == 0 && at.step != plan.steps) show();
    };
    try {
        while (at.step < plan.steps) advance();
        if (saved != at.step) save();
        show();
        return {objective.result(current()), at, metrics};
    } catch (const gpu::Cancelled&) {
        if (plan.checkpoint.empty()) throw;
        // The trainer takes no step any more: it goes with the thread that writes its state.
        if (saved != at.step) {
            auto write = [kept = std::make_shared<gpu::train::Trainer>(std::move(trainer)), path = plan.checkpoint, about = extra()]() mutable {
                std::exchange(kept, nullptr)->save(path, about);
            };
            gpu::leave_write(plan.checkpoint, std::async(std::launch::async, std::move(write)).share());
        }
        if (events.stopped) events.stopped(at);
        throw;
    }
}

}  // namespace nodes
