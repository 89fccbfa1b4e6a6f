#include "nodes/core/run_state.h"

#include <new>

#include "nodes/core/eval.h"

namespace nodes {

void RunState::send(const Event& event) {
    if (!options.on_event) return;
    const std::lock_guard lock(telling_);
    options.on_event(event);
}

void RunState::fail(NodeFailure failure) {
    send(event::Failure{failure});
    const std::lock_guard lock(telling_);
    result.failures.push_back(std::move(failure));
}

void RunState::add(const event::Metric& metric) {
    {
        const std::lock_guard lock(telling_);
        result.metrics.push_back(metric);
    }
    send(metric);
}

void RunState::add(const event::Output& output) {
    {
        const std::lock_guard lock(telling_);
        result.outputs.push_back(output);
    }
    send(output);
}

void RunState::count(bool cached) {
    const std::lock_guard lock(telling_);
    ++(cached ? result.cached : result.computed);
}

void RunState::resumable() {
    const std::lock_guard lock(telling_);
    result.resumable = true;
}

bool RunState::hold() {
    if (!options.pause.paused()) return false;
    // The first that holds tells, and the last that goes on.
    const auto tell = [&](bool paused) {
        const std::lock_guard lock(telling_);
        const bool alone = (paused ? holding_++ : --holding_) == 0;
        if (alone && options.on_event) options.on_event(event::Paused{paused});
    };
    tell(true);
    options.pause.wait(options.cancel);
    tell(false);
    return true;
}

std::optional<NodeFailure> failure_of(const std::exception_ptr& thrown, const std::string& node) {
    NodeFailure failure{.node = node};
    try {
        std::rethrow_exception(thrown);
    } catch (const SocketError& error) {
        failure = {node, error.socket(), error.what(), error.code()};
    } catch (const gpu::Error& error) {
        if (error.code() == gpu::ErrorCode::Cancelled) return std::nullopt;
        failure.message = error.what();
        failure.code = error.code();
    } catch (const std::bad_alloc&) {
        failure.message = "expected memory for the result, the machine has no more";
        failure.code = gpu::ErrorCode::OutOfMemory;
    } catch (const std::exception& error) {
        failure.message = error.what();
    } catch (...) {
        failure.message = "something was thrown that is no error";
    }
    return failure;
}

}  // namespace nodes
