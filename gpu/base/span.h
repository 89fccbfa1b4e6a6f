// Profiling spans: one API for nodes, passes and kernels. HEDDLE_TRACE=FILE writes them as a Chrome trace at exit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpu {

struct SpanRecord {
    std::string category;      // "node", "pass", "kernel", "io"
    std::string name;
    std::int64_t start_ns = 0; // steady clock, since the process started tracing
    std::int64_t length_ns = 0;
    int lane = 0;              // a thread, or a device's queue
    std::string detail;        // shapes, bytes; shown as an argument of the event
};

// The lane of work on a device; threads have small numbers.
inline constexpr int device_lane = 1000;
int trace_lane();   // of this thread

bool tracing();
std::int64_t trace_clock_ns();
void add_span(SpanRecord record);

// Starts collecting (also without HEDDLE_TRACE); take_spans() returns what came since and stops.
void start_tracing();
std::vector<SpanRecord> take_spans();

// The records as Chrome trace JSON ("traceEvents"), which Perfetto reads too.
std::string chrome_trace(const std::vector<SpanRecord>& spans);

// Measures its own scope; costs one branch when tracing is off.
class Span {
public:
    Span(std::string_view category, std::string_view name, std::string_view detail = {});
    ~Span();
    // Replaces the detail: what is known only at the end.
    void detail(std::string text);
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

private:
    bool active_;
    SpanRecord record_;
};

}  // namespace gpu
