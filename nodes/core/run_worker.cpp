#include "nodes/core/run_worker.h"

#include <QCryptographicHash>
#include <QFile>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "nodes/core/computing.h"
#include "nodes/core/eval.h"
#include "nodes/core/key.h"
#include "nodes/core/regions.h"

namespace nodes {
namespace {

using gpu::Error;
using gpu::ErrorCode;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

// What one thread is at; also what its nodes' Evals talk to.
class RunWorker::Work final : public EvalHost {
public:
    Work(RunState& run, int number) : run_(run), plan_(run.plan), steps_(run.steps), cancel_(run.options.cancel), number_(number) {}

    void run_step(std::size_t index) {
        PlannedNode& step = plan_[index];
        const Over over(run_, index);
        hold();
        current_ = step.record->id;
        const bool recheck = step.cached && gpu::switches().checks("cache");
        if (step.cached && !recheck) {
            take_cached(index);
            return;
        }
        if (step.type->info().loop == LoopPart::End)
            go_round(index);
        else
            run_fed(index);
        for (int read : step.releases) release(read);
    }

private:
    // The step is over with its scope, unless the run ends with it.
    struct Over {
        RunState& run;
        std::size_t step;
        Over(RunState& run, std::size_t step) : run(run), step(step) {}
        ~Over() {
            const std::lock_guard lock(run.mutex);
            run.steps[step].over = !run.stopped && run.plan[step].loop < 0;
            run.changed.notify_all();
        }
    };

    // Computes a step, unless one that it reads has failed.
    void run_fed(std::size_t index) {
        steps_[index].ready = false;
        steps_[index].wanted.assign(plan_[index].inputs.size(), true);
        if (fed(index) && run_wanted(index) && fed(index))
            compute(index);
        else if (!run_.stopped && !steps_[index].failed)
            send(event::State{current_, NodeState::Idle});
    }

    // Whether all is there that a step reads; of its lazy inputs only those that it has asked for.
    bool fed(std::size_t index) const {
        const PlannedNode& step = plan_[index];
        for (std::size_t i = 0; i < step.inputs.size(); ++i) {
            const bool waits = step.type->inputs()[i].lazy && !steps_[index].asked;
            if (step.inputs[i].step >= 0 && !waits && steps_[index].wanted[i] && !steps_[step.inputs[i].step].ready) return false;
        }
        return true;
    }

    // --- lazy inputs ---

    // Asks a node which of its lazy inputs it wants, and runs what they need. False where that failed.
    bool run_wanted(std::size_t index) {
        const PlannedNode& step = plan_[index];
        RunStep& state = steps_[index];
        const auto& sockets = step.type->inputs();
        if (std::ranges::none_of(sockets, &SocketInfo::lazy)) return true;
        try {
            for (std::size_t i = 0; i < sockets.size(); ++i) state.wanted[i] = !sockets[i].lazy;
            Eval eval(*step.type, current_, gather(index), step.params, cancel_, *this);
            for (std::size_t i = 0; i < sockets.size(); ++i)
                if (sockets[i].lazy) state.wanted[i] = step.type->wants(eval, sockets[i]);
        } catch (...) {
            state.failed = true;
            fail_node(std::current_exception());
            return false;
        }
        state.asked = true;
        for (std::size_t i = 0; i < sockets.size(); ++i)
            if (sockets[i].lazy && state.wanted[i] && step.inputs[i].step >= 0) run_deferred(index, step.inputs[i].step);
        current_ = step.record->id;
        return !run_.stopped;
    }

    // Runs the steps that `source` needs and that nobody has run yet, in order, and waits for those that another worker runs. What
    // lies in a loop further in runs with that loop's end; nodes with lazy inputs ask for their own. Nobody waits for ever: all
    // that a worker holds on to meanwhile comes after what it waits for.
    void run_deferred(std::size_t reader, std::size_t source) {
        for (const std::size_t at : deferred_for(source)) {
            if (!around(plan_[at].loop, reader)) continue;
            if (take(at)) run_step(at);
            if (run_.stopped) return;
        }
    }

    std::set<std::size_t> deferred_for(std::size_t source) {
        const std::lock_guard lock(run_.mutex);
        std::set<std::size_t> open{source}, found;
        while (!open.empty()) {
            const std::size_t at = *open.begin();
            open.erase(open.begin());
            const bool is_over = steps_[at].begun && (steps_[at].over || plan_[at].loop >= 0);
            if (is_over || !plan_[at].needed || !found.insert(at).second) continue;
            if (plan_[at].cached && !gpu::switches().checks("cache")) continue;
            for (std::size_t i = 0; i < plan_[at].inputs.size(); ++i)
                if (plan_[at].inputs[i].step >= 0 && !plan_[at].type->inputs()[i].lazy) open.insert(static_cast<std::size_t>(plan_[at].inputs[i].step));
        }
        return found;
    }

    // Whether the step is this worker's to run; where it is another's, waits until it is over.
    bool take(std::size_t index) {
        std::unique_lock lock(run_.mutex);
        if (!steps_[index].begun) return steps_[index].begun = true;
        if (plan_[index].loop < 0) run_.changed.wait(lock, [&] { return steps_[index].over || run_.stopped; });
        return false;
    }

    // Whether a loop (its end, -1 for none) runs the step `inner`.
    bool around(int loop, std::size_t inner) const {
        for (int at = plan_[inner].loop; at >= 0; at = plan_[at].loop)
            if (at == loop) return true;
        return loop < 0;
    }

    // --- loops ---

    // Runs a loop's body and its end, an iteration after the other.
    void go_round(std::size_t end) {
        const std::string id = plan_[end].record->id;
        std::vector<std::size_t> body;
        std::size_t begin = end;
        for (std::size_t i = 0; i < end; ++i) {
            if (plan_[i].loop != static_cast<int>(end) || !plan_[i].needed) continue;
            body.push_back(i);
            if (plan_[i].record->id == loop_begin(end)) begin = i;
        }
        const Clock::time_point start = Clock::now();
        Clock::time_point told{};
        steps_[begin].iteration = 0;
        steps_[begin].given.clear();
        steps_[begin].given_keys.clear();
        for (bool again = true; again;) {
            for (std::size_t i : body) {
                steps_[i].readers = plan_[i].readers;
                steps_[i].ready = steps_[i].begun = steps_[i].asked = false;
            }
            for (std::size_t i : body) {
                begin_iteration(i);
                if (plan_[i].deferred) continue;
                if (take(i)) run_step(i);
                if (run_.stopped) return;
            }
            current_ = id;
            // The last iteration's result is that of the whole loop, under the key that the plan knows.
            steps_[end].key = iteration_key(end);
            run_fed(end);
            if (!steps_[end].ready) return;
            const auto carried = carry(end, begin);
            again = carried.again;
            start_ = start;
            last_progress_ = told;
            tell_progress(carried.index + 1, again ? carried.count : carried.index + 1);
            told = last_progress_;
        }
        if (plan_[end].loop < 0 && run_.options.cache) run_.options.cache->store(plan_[end].key, last_, ms_since(start));
        for (std::size_t i : body) steps_[i].outputs.clear();
    }

    std::string loop_begin(std::size_t end) const {
        const auto& inputs = plan_[end].type->inputs();
        const auto at = std::ranges::find(inputs, "loop", &SocketInfo::name) - inputs.begin();
        return plan_[plan_[end].inputs[at].step].record->id;
    }

    // In a loop each iteration has keys of its own, so that another run finds the iterations that did not change.
    gpu::Hash iteration_key(std::size_t index) const {
        const PlannedNode& step = plan_[index];
        std::vector<gpu::Hash> keys;
        for (const PlannedInput& input : step.inputs) keys.push_back(input.step < 0 ? gpu::Hash{} : key_of(input));
        return gpu::Hasher().add(node_key(*step.type, step.params, keys)).add(steps_[index].iteration).finish();
    }

    // The key of what an input reads. What goes round keeps the key that it had when it reached the loop's end.
    gpu::Hash key_of(const PlannedInput& input) const {
        const PlannedNode& source = plan_[input.step];
        const SocketInfo& output = source.type->outputs()[input.output];
        if (source.type->info().loop == LoopPart::Begin && output.type->any) {
            const auto given = steps_[input.step].given_keys.find(output.name);
            if (given != steps_[input.step].given_keys.end()) return given->second;
            const auto& inputs = source.type->inputs();
            const PlannedInput& before = source.inputs[std::ranges::find(inputs, output.name, &SocketInfo::name) - inputs.begin()];
            return before.step < 0 ? gpu::Hash{} : key_of(before);
        }
        return output_key(steps_[input.step].key, output.name);
    }

    void begin_iteration(std::size_t index) {
        PlannedNode& step = plan_[index];
        steps_[index].key = iteration_key(index);
        step.cached.reset();
        if (run_.options.cache && !step.type->info().side_effect && step.type->info().loop == LoopPart::None)
            step.cached = run_.options.cache->find(steps_[index].key);
    }

    // Hands the outputs of a loop's end to the inputs of the same name of its begin.
    LoopState carry(std::size_t end, std::size_t begin) {
        LoopState state;
        std::map<std::string, gpu::Hash> keys;
        const auto& outputs = plan_[end].type->outputs();
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const std::string& name = outputs[i].name;
            if (!plan_[begin].type->input(name)) continue;
            const Value& value = last_.outputs[i];
            if (const auto* loop = value.get<LoopState>()) state = *loop;
            if (value.empty()) continue;      // does not go round: stays what it was at first
            steps_[begin].given[name] = value;
            const auto& inputs = plan_[end].type->inputs();
            const auto back = std::ranges::find(inputs, name, &SocketInfo::name) - inputs.begin();
            if (outputs[i].type->any) keys[name] = key_of(plan_[end].inputs[back]);
        }
        // All at once: a value may come straight from the begin.
        for (auto& [name, key] : keys) steps_[begin].given_keys[name] = key;
        steps_[begin].iteration = state.index + 1;
        return state;
    }

    void take_cached(std::size_t index) {
        NodeResult& result = *plan_[index].cached;
        send(event::State{current_, NodeState::Cached});
        for (const Eval::Metric& metric : result.metrics) on_metric(metric.name, metric.value, metric.unit);
        for (const std::string& warning : result.warnings) on_warning(warning);
        run_.count(true);
        finish(index, std::move(result.outputs), 0, true);
    }

    // A run with a device of its own is one beside others: they may have computed the same since the plan was made.
    bool others_may_compute(std::size_t index) const {
        const NodeInfo& about = plan_[index].type->info();
        return run_.options.devices.size() == 1 && run_.options.cache && !plan_[index].cached && !about.side_effect && about.loop == LoopPart::None;
    }

    void compute(std::size_t index) {
        PlannedNode& step = plan_[index];
        const gpu::Span span("node", current_, step.record->type);
        start_ = last_progress_ = Clock::now();
        send(event::State{current_, NodeState::Running});
        send(event::NodeStart{current_, step.record->type, number_});
        try {
            cancel_.check();
            const gpu::CancelScope scope(cancel_);
            std::optional<Computing> mine;
            if (others_may_compute(index)) {
                mine.emplace(*run_.options.cache, steps_[index].key, cancel_);
                if ((step.cached = run_.options.cache->find(steps_[index].key))) return take_cached(index);
            }
            check_files(step);
            Eval eval(*step.type, current_, gather(index), step.params, cancel_, *this);
            step.type->compute(eval);
            expect_outputs(step, eval.outputs());
            NodeResult result{eval.outputs(), eval.metrics(), eval.warnings()};
            if (step.cached) compare(step, result);
            // A loop's result is kept when it is whole; its begin costs nothing.
            if (step.type->info().loop == LoopPart::End)
                last_ = result;
            else if ((step.loop < 0 || step.type->info().loop == LoopPart::None) && run_.options.cache && !step.type->info().side_effect)
                run_.options.cache->store(steps_[index].key, result, ms_since(start_));
            run_.count(false);
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
        std::optional<NodeResult> used;      // goes after the lock
        const std::lock_guard lock(run_.mutex);
        steps_[index].ready = true;
        if (steps_[index].readers > 0) steps_[index].outputs = std::move(outputs);
        used.swap(plan_[index].cached);
    }

    // Values leave memory with their last reader (the cache may keep them).
    void release(int index) {
        std::vector<Value> dropped;      // after the lock
        const std::lock_guard lock(run_.mutex);
        if (--steps_[index].readers == 0) dropped.swap(steps_[index].outputs);
    }

    std::vector<Value> gather(std::size_t index) const {
        const PlannedNode& step = plan_[index];
        std::vector<Value> values;
        for (std::size_t i = 0; i < step.inputs.size(); ++i) {
            const SocketInfo& socket = step.type->inputs()[i];
            const PlannedInput& input = step.inputs[i];
            if (!steps_[index].wanted.empty() && !steps_[index].wanted[i]) {
                values.emplace_back();
                continue;
            }
            if (const auto given = steps_[index].given.find(socket.name); given != steps_[index].given.end()) {
                values.push_back(given->second);
                continue;
            }
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
            if (!(reads ? path_readable(run_.places, path) : path_allowed(run_.places, path)))
                throw SocketError(ErrorCode::InvalidGraph, info.name,
                                  "expected a file in a folder that was allowed to this run, got " + path);
            std::error_code error;
            if (reads && !std::filesystem::exists(path, error))
                throw SocketError(ErrorCode::MissingFile, info.name, "expected a file, there is no " + path);
        }
    }

    void expect_outputs(const PlannedNode& step, const std::vector<Value>& outputs) const {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].empty() && !step.type->outputs()[i].type->any)
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

    // Cancelling is no failure: it only ends the run.
    void fail_node(const std::exception_ptr& thrown) {
        const auto failure = failure_of(thrown, current_);
        if (!failure) run_.stopped = true;
        send(event::State{current_, failure ? NodeState::Failed : NodeState::Idle});
        if (failure) run_.fail(*failure);
    }

    // --- what nodes tell ---

    void send(const Event& event) const { run_.send(event); }

    void on_progress(std::int64_t done, std::int64_t total) override {
        tell_progress(done, total);
        if (hold()) cancel_.check();
    }

    // Waits while the run is paused; whether it was. That time counts nowhere.
    bool hold() {
        const auto begin = Clock::now();
        if (!run_.hold()) return false;
        start_ += Clock::now() - begin;
        return true;
    }

    void tell_progress(std::int64_t done, std::int64_t total) {
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
        run_.add(event::Metric{current_, name, value, unit});
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
        run_.add(output);
    }

    void on_resumable() override { run_.resumable(); }

    std::string document_json() const override { return run_.document.to_json().toStdString(); }

    RunState& run_;
    RunPlan& plan_;
    std::vector<RunStep>& steps_;
    const gpu::CancelToken cancel_;
    const int number_;
    NodeResult last_;      // of the end of a loop that has run last
    std::string current_;  // the node that runs
    Clock::time_point start_;
    Clock::time_point last_progress_;
};

RunWorker::RunWorker(RunState& run, int number) : work_(std::make_unique<Work>(run, number)) {}
RunWorker::~RunWorker() = default;
void RunWorker::run_step(std::size_t step) { work_->run_step(step); }

}  // namespace nodes
