#include "nodes/core/executor.h"

#include <QCryptographicHash>
#include <QFile>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <new>

#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "nodes/core/eval.h"
#include "nodes/core/plan.h"

namespace nodes {
namespace {

using gpu::Error;
using gpu::ErrorCode;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Everything one run holds; also what each node's Eval talks to.
class Run final : public EvalHost {
public:
    Run(const Document& document, const RunOptions& options) : document_(document), options_(options) {}

    RunResult go() {
        const auto start = Clock::now();
        try {
            prepare();
            if (result_.status != RunStatus::Invalid) execute();
        } catch (...) {
            fail_run(std::current_exception());
        }
        result_.ms = ms_since(start);
        send(event::End{result_.status, result_.ms});
        return std::move(result_);
    }

private:
    struct Step {
        std::vector<Value> outputs;
        int readers = 0;
        bool ready = false;
    };

    // --- before anything runs ---

    void prepare() {
        const std::vector<std::string> targets =
            options_.targets.empty() ? default_targets(document_) : options_.targets;
        result_.problems = validate(document_, targets);
        if (options_.targets.empty()) escalate_structure();
        if (targets.empty() && !has_errors(result_.problems))
            result_.problems.push_back(
                {ProblemKind::NothingToRun, Severity::Error, "", "", "expected nodes to run, there is none"});
        for (const Problem& problem : result_.problems) {
            if (problem.severity == Severity::Warning) {
                send(event::Warning{problem.node, problem.message});
                continue;
            }
            result_.status = RunStatus::Invalid;
            fail({problem.node, problem.socket, problem.message, ErrorCode::InvalidGraph});
        }
        if (result_.status == RunStatus::Invalid) return;

        places_ = {document_.folder(), options_.output_folder, options_.allowed};
        plan_ = make_plan(document_, targets, places_, options_.cache);
        steps_.resize(plan_.size());
    }

    // When nobody names targets, damage anywhere stops the run: the lost node may have been one of them.
    void escalate_structure() {
        for (Problem& problem : result_.problems)
            if (problem.kind == ProblemKind::UnknownType || problem.kind == ProblemKind::Cycle ||
                problem.kind == ProblemKind::DanglingLink)
                problem.severity = Severity::Error;
    }

    // --- running ---

    void execute() {
        event::Plan planned;
        for (const PlannedNode& step : plan_) {
            if (!step.needed) continue;
            planned.nodes.push_back(step.record->id);
            if (step.cached) planned.cached.push_back(step.record->id);
        }
        send(planned);
        for (const std::string& id : planned.nodes) send(event::State{id, NodeState::Pending});

        int done = 0, targets = 0;
        for (std::size_t i = 0; i < plan_.size(); ++i) {
            steps_[i].readers = plan_[i].readers;
            if (plan_[i].needed) run_step(i);
            targets += plan_[i].target;
            done += plan_[i].target && steps_[i].ready;
            if (!cancelled_) continue;
            settle_pending(i);
            result_.status = RunStatus::Cancelled;
            return;
        }
        if (done < targets) result_.status = done > 0 ? RunStatus::Partial : RunStatus::Failed;
    }

    void settle_pending(std::size_t from) {
        for (std::size_t i = from; i < plan_.size(); ++i)
            if (plan_[i].needed && !steps_[i].ready) send(event::State{plan_[i].record->id, NodeState::Idle});
    }

    void run_step(std::size_t index) {
        PlannedNode& step = plan_[index];
        current_ = step.record->id;
        const bool recheck = step.cached && gpu::switches().checks("cache");
        if (step.cached && !recheck) {
            take_cached(index);
            return;
        }
        const bool fed = std::ranges::all_of(
            step.inputs, [&](const PlannedInput& input) { return input.step < 0 || steps_[input.step].ready; });
        if (fed) {
            compute(index);
        } else {
            send(event::State{current_, NodeState::Idle});
        }
        for (const PlannedInput& input : step.inputs)
            if (input.step >= 0) release(input.step);
    }

    void take_cached(std::size_t index) {
        NodeResult& result = *plan_[index].cached;
        send(event::State{current_, NodeState::Cached});
        for (const Eval::Metric& metric : result.metrics) on_metric(metric.name, metric.value, metric.unit);
        for (const std::string& warning : result.warnings) on_warning(warning);
        ++result_.cached;
        finish(index, std::move(result.outputs), 0, true);
    }

    void compute(std::size_t index) {
        PlannedNode& step = plan_[index];
        const gpu::Span span("node", current_, step.record->type);
        start_ = last_progress_ = Clock::now();
        send(event::State{current_, NodeState::Running});
        send(event::NodeStart{current_, step.record->type});
        try {
            options_.cancel.check();
            const gpu::CancelScope scope(options_.cancel);
            check_files(step);
            Eval eval(*step.type, current_, gather(step), step.params, options_.cancel, *this);
            step.type->compute(eval);
            expect_outputs(step, eval.outputs());
            NodeResult result{eval.outputs(), eval.metrics(), eval.warnings()};
            if (step.cached) compare(step, result);
            if (options_.cache && !step.type->info().side_effect) options_.cache->store(step.key, result);
            ++result_.computed;
            send(event::State{current_, NodeState::Done});
            finish(index, std::move(result.outputs), ms_since(start_), false);
        } catch (...) {
            fail_node(std::current_exception());
        }
    }

    void finish(std::size_t index, std::vector<Value> outputs, double ms, bool cached) {
        const auto& sockets = plan_[index].type->outputs();
        for (std::size_t i = 0; i < outputs.size(); ++i) send(event::Produced{current_, sockets[i].name, outputs[i]});
        send(event::NodeEnd{current_, ms, cached});
        steps_[index].ready = true;
        if (steps_[index].readers > 0) steps_[index].outputs = std::move(outputs);
        plan_[index].cached.reset();
    }

    // Values leave memory with their last reader (the cache may keep them).
    void release(int index) {
        if (--steps_[index].readers == 0) steps_[index].outputs.clear();
    }

    std::vector<Value> gather(const PlannedNode& step) const {
        std::vector<Value> values;
        for (std::size_t i = 0; i < step.inputs.size(); ++i) {
            const SocketInfo& socket = step.type->inputs()[i];
            const PlannedInput& input = step.inputs[i];
            if (input.step < 0) {
                values.push_back(socket.initial);
                continue;
            }
            const Value& given = steps_[input.step].outputs[input.output];
            try {
                values.push_back(given.converted_to(*socket.type));
            } catch (const gpu::Cancelled&) {
                throw;
            } catch (const Error& error) {
                throw SocketError(error.code(), socket.name, error.what());
            }
        }
        return values;
    }

    void check_files(const PlannedNode& step) const {
        for (std::size_t i = 0; i < step.params.size(); ++i) {
            const ParamInfo& info = step.type->params()[i];
            const bool reads = info.kind == ParamKind::InputFile;
            const std::string path = step.params[i].toString().toStdString();
            if ((!reads && info.kind != ParamKind::OutputFile) || path.empty()) continue;
            if (!path_allowed(places_, path))
                throw SocketError(ErrorCode::InvalidGraph, info.name,
                                  "expected a file in a folder that was allowed to this run, got " + path);
            std::error_code error;
            if (reads && !std::filesystem::exists(path, error))
                throw SocketError(ErrorCode::MissingFile, info.name, "expected a file, there is no " + path);
        }
    }

    void expect_outputs(const PlannedNode& step, const std::vector<Value>& outputs) const {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].empty())
                throw SocketError(ErrorCode::Failure, step.type->outputs()[i].name,
                                  "expected " + step.type->info().id + " to set this output, it did not");
    }

    void compare(const PlannedNode& step, const NodeResult& fresh) const {
        for (std::size_t i = 0; i < fresh.outputs.size(); ++i)
            if (fresh.outputs[i].hash() != step.cached->outputs[i].hash())
                throw SocketError(ErrorCode::Failure, step.type->outputs()[i].name,
                                  "check the cache: expected the cached value again, got another: " +
                                      step.type->info().id + " depends on something that it does not declare");
    }

    // --- failures ---

    // Names what was thrown. Cancelling is no failure: it only sets the flag.
    std::optional<NodeFailure> failure_of(const std::exception_ptr& thrown) {
        NodeFailure failure{.node = current_};
        try {
            std::rethrow_exception(thrown);
        } catch (const SocketError& error) {
            failure = {current_, error.socket(), error.what(), error.code()};
        } catch (const Error& error) {
            if (error.code() == ErrorCode::Cancelled) {
                cancelled_ = true;
                return std::nullopt;
            }
            failure.message = error.what();
            failure.code = error.code();
        } catch (const std::bad_alloc&) {
            failure.message = "expected memory for the result, the machine has no more";
            failure.code = ErrorCode::OutOfMemory;
        } catch (const std::exception& error) {
            failure.message = error.what();
        } catch (...) {
            failure.message = "something was thrown that is no error";
        }
        return failure;
    }

    void fail_node(const std::exception_ptr& thrown) {
        const auto failure = failure_of(thrown);
        send(event::State{current_, failure ? NodeState::Failed : NodeState::Idle});
        if (failure) fail(*failure);
    }

    void fail_run(const std::exception_ptr& thrown) {
        current_.clear();
        const auto failure = failure_of(thrown);
        result_.status = failure ? RunStatus::Failed : RunStatus::Cancelled;
        if (failure) fail(*failure);
    }

    void fail(NodeFailure failure) {
        send(event::Failure{failure});
        result_.failures.push_back(std::move(failure));
    }

    // --- what nodes tell ---

    void send(const Event& event) const {
        if (options_.on_event) options_.on_event(event);
    }

    void on_progress(std::int64_t done, std::int64_t total) override {
        constexpr auto quiet = std::chrono::milliseconds(50);
        const auto now = Clock::now();
        if (done < total && now - last_progress_ < quiet) return;
        last_progress_ = now;
        const double seconds = ms_since(start_) / 1000;
        const double eta =
            done > 0 && total > 0 ? seconds / static_cast<double>(done) * static_cast<double>(total - done) : -1;
        send(event::Progress{current_, done, total, eta});
    }

    void on_preview(const QImage& image) override { send(event::Preview{current_, image}); }

    void on_metric(const std::string& name, double value, const std::string& unit) override {
        result_.metrics.push_back({current_, name, value, unit});
        send(result_.metrics.back());
    }

    void on_warning(const std::string& message) override { send(event::Warning{current_, message}); }

    void on_wrote(const std::string& path) override {
        event::Output output{.node = current_, .path = path};
        QFile file(QString::fromStdString(path));
        QCryptographicHash hash(QCryptographicHash::Sha256);
        if (!file.open(QIODevice::ReadOnly) || !hash.addData(&file))
            throw Error(ErrorCode::Io, "read back {}: {}", path, file.errorString().toStdString());
        output.bytes = static_cast<std::uint64_t>(file.size());
        output.sha256 = hash.result().toHex().toStdString();
        result_.outputs.push_back(output);
        send(output);
    }

    std::string document_json() const override { return document_.to_json().toStdString(); }

    const Document& document_;
    const RunOptions& options_;
    FilePlaces places_;
    RunPlan plan_;
    std::vector<Step> steps_;
    RunResult result_;
    std::string current_;  // the node that runs
    Clock::time_point start_;
    Clock::time_point last_progress_;
    bool cancelled_ = false;
};

}  // namespace

int RunResult::exit_code() const {
    switch (status) {
        case RunStatus::Done: return 0;
        case RunStatus::Partial: return 10;
        case RunStatus::Invalid: return gpu::exit_code(ErrorCode::InvalidGraph);
        case RunStatus::Cancelled: return gpu::exit_code(ErrorCode::Cancelled);
        case RunStatus::Failed: break;
    }
    return gpu::exit_code(failures.empty() ? ErrorCode::Failure : failures.front().code);
}

RunResult run(const Document& document, const RunOptions& options) { return Run(document, options).go(); }

}  // namespace nodes
