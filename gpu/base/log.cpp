#include "gpu/base/log.h"

#include <cstdio>
#include <mutex>

#include "gpu/base/switches.h"

namespace gpu {
namespace {

std::mutex sink_mutex;

const char* level_name(LogLevel level) {
    switch (level) {
        case LogLevel::Debug: return "debug";
        case LogLevel::Info: return "info";
        case LogLevel::Warning: return "warning";
        case LogLevel::Error: return "error";
    }
    return "error";
}

LogLevel parse_level(std::string_view name) {
    if (name == "debug") return LogLevel::Debug;
    if (name == "info") return LogLevel::Info;
    if (name == "error") return LogLevel::Error;
    return LogLevel::Warning;
}

// The threshold that HEDDLE_LOG sets for an area; the last pair that names it (or "*") wins.
LogLevel threshold(std::string_view area) {
    LogLevel level = LogLevel::Warning;
    std::string_view rest = switches().log;
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        const std::string_view pair = rest.substr(0, comma);
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
        const auto colon = pair.find(':');
        if (colon == std::string_view::npos) continue;
        if (const auto name = pair.substr(0, colon); name == area || name == "*") level = parse_level(pair.substr(colon + 1));
    }
    return level;
}

void write_to_stderr(std::string_view area, LogLevel level, const std::string& text) {
    std::fprintf(stderr, "%s %.*s: %s\n", level_name(level), static_cast<int>(area.size()), area.data(), text.c_str());
}

LogSink& current_sink() {
    static LogSink sink = write_to_stderr;
    return sink;
}

}  // namespace

bool log_enabled(std::string_view area, LogLevel level) { return level >= threshold(area); }

void log_message(std::string_view area, LogLevel level, const std::string& text) {
    const std::lock_guard lock(sink_mutex);
    current_sink()(area, level, text);
}

LogSink set_log_sink(LogSink sink) {
    const std::lock_guard lock(sink_mutex);
    std::swap(current_sink(), sink);
    return sink;
}

}  // namespace gpu
