#include "gpu/base/span.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "gpu/base/log.h"
#include "gpu/base/switches.h"

namespace gpu {
namespace {

// Writes HEDDLE_TRACE's file when the process ends.
struct Collector {
    std::mutex mutex;
    std::vector<SpanRecord> spans;
    std::atomic<bool> active{!switches().trace.empty()};
    const std::chrono::steady_clock::time_point origin = std::chrono::steady_clock::now();

    ~Collector() {
        if (switches().trace.empty()) return;
        std::ofstream file(switches().trace, std::ios::binary);
        file << chrome_trace(spans);
        if (!file.flush()) log("trace", LogLevel::Error, "could not write {}", switches().trace);
    }
};

Collector& collector() {
    static Collector instance;
    return instance;
}

}  // namespace

int trace_lane() {
    static std::atomic<int> next{1};
    thread_local const int lane = next++;
    return lane;
}

bool tracing() { return collector().active.load(std::memory_order_relaxed); }

std::int64_t trace_clock_ns() {
    const auto since = std::chrono::steady_clock::now() - collector().origin;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

void add_span(SpanRecord record) {
    Collector& to = collector();
    const std::lock_guard lock(to.mutex);
    to.spans.push_back(std::move(record));
}

void start_tracing() { collector().active = true; }

std::vector<SpanRecord> take_spans() {
    Collector& from = collector();
    const std::lock_guard lock(from.mutex);
    from.active = !switches().trace.empty();
    return from.active ? from.spans : std::exchange(from.spans, {});
}

std::string chrome_trace(const std::vector<SpanRecord>& spans) {
    nlohmann::json events = nlohmann::json::array();
    std::set<int> lanes;
    for (const SpanRecord& span : spans) lanes.insert(span.lane);
    for (const int lane : lanes)
        events.push_back({{"ph", "M"}, {"name", "thread_name"}, {"pid", 1}, {"tid", lane},
                          {"args", {{"name", lane == device_lane ? std::string("device") : "thread " + std::to_string(lane)}}}});
    for (const SpanRecord& span : spans) {
        nlohmann::json event = {{"ph", "X"},
                                {"cat", span.category},
                                {"name", span.name},
                                {"ts", static_cast<double>(span.start_ns) / 1e3},
                                {"dur", static_cast<double>(span.length_ns) / 1e3},
                                {"pid", 1},
                                {"tid", span.lane}};
        if (!span.detail.empty()) event["args"] = {{"detail", span.detail}};
        events.push_back(std::move(event));
    }
    return nlohmann::json{{"traceEvents", events}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Span::Span(std::string_view category, std::string_view name, std::string_view detail) : active_(tracing()) {
    if (active_) record_ = {std::string(category), std::string(name), trace_clock_ns(), 0, trace_lane(), std::string(detail)};
}

void Span::detail(std::string text) {
    if (active_) record_.detail = std::move(text);
}

Span::~Span() {
    if (!active_) return;
    record_.length_ns = trace_clock_ns() - record_.start_ns;
    add_span(std::move(record_));
}

}  // namespace gpu
