#include "nodes/core/executor.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "gpu/io/pending_writes.h"
#include "gpu/vulkan/device_scope.h"
#include "nodes/core/lowering.h"
#include "nodes/core/regions.h"
#include "nodes/core/run_order.h"
#include "nodes/core/run_worker.h"

namespace nodes {
namespace {

using gpu::ErrorCode;
using Clock = std::chrono::steady_clock;

class Run {
public:
    Run(const Document& document, const RunOptions& options) : run_(document, options) {}

    RunResult go() {
        const auto start = Clock::now();
        try {
            prepare();
            if (run_.result.status == RunStatus::Done) execute();
        } catch (...) {
            const auto failure = failure_of(std::current_exception(), "");
            run_.result.status = failure ? RunStatus::Failed : RunStatus::Cancelled;
            if (failure) run_.fail(*failure);
        }
        if (run_.options.memo && !run_.plan.empty())
            run_.options.memo->put(run_.document, run_.low, asked(), run_.places, {run_.result.problems, std::move(run_.plan)});
        run_.result.ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
        run_.send(event::End{run_.result.status, run_.result.ms});
        return std::move(run_.result);
    }

private:
    // --- before anything runs ---

    void prepare() {
        gpu::wait_for_writes();      // it may read what the run before still writes
        run_.places = {run_.document.folder(), run_.options.output_folder, run_.options.allowed};
        if (auto known = run_.options.memo ? run_.options.memo->take(run_.document, asked(), run_.places, run_.options.cache) : std::nullopt) {
            run_.result.problems = std::move(known->warnings);
            for (const Problem& problem : run_.result.problems) run_.send(event::Warning{problem.node, problem.message});
            run_.low = run_.document;
            run_.plan = std::move(known->plan);
            run_.steps.resize(run_.plan.size());
            return;
        }
        std::vector<std::string> targets = run_.options.targets.empty() ? default_targets(run_.document) : run_.options.targets;
        run_.result.problems = validate(run_.document, targets);
        if (run_.options.targets.empty()) escalate_structure();
        if (targets.empty() && !has_errors(run_.result.problems))
            run_.result.problems.push_back(
                {ProblemKind::NothingToRun, Severity::Error, "", "", "expected nodes to run, there is none"});
        for (const Problem& problem : run_.result.problems) {
            if (problem.severity == Severity::Warning) {
                run_.send(event::Warning{problem.node, problem.message});
                continue;
            }
            run_.result.status = RunStatus::Invalid;
            run_.fail({problem.node, problem.socket, problem.message, ErrorCode::InvalidGraph});
        }
        if (run_.result.status == RunStatus::Invalid) return;

        std::vector<ListProblem> lists;
        run_.low = lowered(run_.document, &run_.places, &lists);
        for (const ListProblem& problem : lists) run_.fail({problem.node, problem.socket, problem.message, problem.code});
        if (!lists.empty()) run_.result.status = RunStatus::Failed;
        if (!lists.empty()) return;
        targets = run_.options.targets.empty() ? default_targets(run_.low) : lowered_targets(run_.document, run_.low, targets);
        add_watched(targets);
        run_.plan = make_plan(run_.low, targets, run_.places, run_.options.cache);
        run_.steps.resize(run_.plan.size());
    }

    // What makes the plan of a document another one.
    std::vector<std::string> asked() const {
        std::vector<std::string> all = run_.options.targets;
        all.emplace_back();
        all.insert(all.end(), run_.options.watched.begin(), run_.options.watched.end());
        return all;
    }

    void add_watched(std::vector<std::string>& targets) const {
        if (run_.options.watched.empty()) return;
        const std::vector<Region> regions = regions_of(run_.low);
        const auto in_loop = [&](const std::string& id) { return std::ranges::any_of(regions, [&](const Region& region) { return region.body.contains(id); }); };
        for (const std::string& id : run_.options.watched) {
            try {
                if (!run_.document.contains(id.substr(0, id.find('/'))) || has_errors(validate(run_.document, {id}))) continue;
                for (const std::string& target : lowered_targets(run_.document, run_.low, {id}))
                    if (!in_loop(target) && std::ranges::find(targets, target) == targets.end()) targets.push_back(target);
            } catch (const gpu::Error&) {      // a wire, or muted: nothing of it runs
            }
        }
    }

    // When nobody names targets, damage anywhere stops the run: the lost node may have been one of them.
    void escalate_structure() {
        for (Problem& problem : run_.result.problems)
            if (problem.kind == ProblemKind::UnknownType || problem.kind == ProblemKind::Cycle ||
                problem.kind == ProblemKind::DanglingLink)
                problem.severity = Severity::Error;
    }

    // --- running ---

    void execute() {
        const RunPlan& plan = run_.plan;
        event::Plan planned;
        for (const PlannedNode& step : plan) {
            if (!step.needed) continue;
            planned.nodes.push_back(step.record->id);
            if (step.cached) planned.cached.push_back(step.record->id);
        }
        run_.send(planned);
        for (const std::string& id : planned.nodes) run_.send(event::State{id, NodeState::Pending});

        for (std::size_t i = 0; i < plan.size(); ++i) {
            run_.steps[i].readers = plan[i].readers;
            run_.steps[i].key = plan[i].key;
        }
        run_.options.devices.size() < 2 ? run_in_order() : run_on_all();
        if (run_.stopped) {
            settle_pending();
            run_.result.status = RunStatus::Cancelled;
            return;
        }
        int done = 0, targets = 0;
        for (std::size_t i = 0; i < plan.size(); ++i) {
            const RunStep& step = run_.steps[i];
            if (plan[i].needed && plan[i].deferred && !step.begun) run_.send(event::State{plan[i].record->id, NodeState::Idle});      // nobody wanted it
            targets += plan[i].target;
            done += plan[i].target && step.ready;
        }
        if (done < targets) run_.result.status = done > 0 ? RunStatus::Partial : RunStatus::Failed;
    }

    bool begins_by_itself(std::size_t step) const { return run_.plan[step].needed && run_.plan[step].loop < 0 && !run_.plan[step].deferred; }

    void run_in_order() {
        std::optional<gpu::DeviceScope> scope;
        if (!run_.options.devices.empty()) scope.emplace(run_.options.devices[0]);
        RunWorker worker(run_, 0);
        for (std::size_t i = 0; i < run_.plan.size() && !run_.stopped; ++i) {
            if (!begins_by_itself(i)) continue;
            run_.steps[i].begun = true;
            worker.run_step(i);
        }
    }

    // A worker for each device, the first in this thread. Values lie on the device that made them, and are copied where another
    // one reads them.
    void run_on_all() {
        RunOrder order(run_.plan);
        std::exception_ptr broken;
        const auto work = [&](int number) {
            const gpu::DeviceScope scope(run_.options.devices[static_cast<std::size_t>(number)]);
            std::unique_lock lock(run_.mutex);
            try {
                RunWorker worker(run_, number);
                while (!run_.stopped && !order.all_taken()) {
                    const std::optional<std::size_t> step = order.take(number);
                    if (!step) {
                        run_.changed.wait(lock);
                        continue;
                    }
                    run_.steps[*step].begun = true;
                    lock.unlock();
                    worker.run_step(*step);
                    lock.lock();
                    order.over(*step, number);
                    run_.changed.notify_all();
                }
            } catch (...) {      // of a listener, or no memory: the others end with what they are at
                if (!lock.owns_lock()) lock.lock();
                run_.stopped = true;
                if (!broken) broken = std::current_exception();
            }
            run_.changed.notify_all();
        };
        {
            std::vector<std::jthread> others;
            for (std::size_t i = 1; i < run_.options.devices.size(); ++i) others.emplace_back(work, static_cast<int>(i));
            work(0);
        }
        in_order_of_plan();
        if (broken) std::rethrow_exception(broken);
    }

    // What came in the order of time, as one device would have told it.
    void in_order_of_plan() {
        std::map<std::string, std::size_t> place;
        for (std::size_t i = 0; i < run_.plan.size(); ++i) place[run_.plan[i].record->id] = i;
        const auto sort = [&](auto& told) { std::ranges::stable_sort(told, {}, [&](const auto& one) { return place[one.node]; }); };
        sort(run_.result.failures);
        sort(run_.result.outputs);
        sort(run_.result.metrics);
    }

    // What a cancel left undone.
    void settle_pending() {
        for (std::size_t i = 0; i < run_.plan.size(); ++i) {
            std::size_t outer = i;
            while (run_.plan[outer].loop >= 0) outer = static_cast<std::size_t>(run_.plan[outer].loop);
            if (run_.plan[i].needed && !run_.steps[i].ready && !run_.steps[outer].over) run_.send(event::State{run_.plan[i].record->id, NodeState::Idle});
        }
    }

    RunState run_;
};

}  // namespace

int RunResult::exit_code() const {
    switch (status) {
        case RunStatus::Done: return 0;
        case RunStatus::Partial: return 10;
        case RunStatus::Invalid: return gpu::exit_code(ErrorCode::InvalidGraph);
        case RunStatus::Cancelled: return resumable ? 75 : gpu::exit_code(ErrorCode::Cancelled);
        case RunStatus::Failed: break;
    }
    return gpu::exit_code(failures.empty() ? ErrorCode::Failure : failures.front().code);
}

RunResult run(const Document& document, const RunOptions& options) { return Run(document, options).go(); }

}  // namespace nodes
