// Messages for people, on stderr, by area and level. HEDDLE_LOG=area:level,... chooses what is shown; warnings always are.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gpu/base/format.h"

namespace gpu {

enum class LogLevel { Debug, Info, Warning, Error };

bool log_enabled(std::string_view area, LogLevel level);
void log_message(std::string_view area, LogLevel level, const std::string& text);

// Replaces the sink (stderr) and returns the former one; the editor's log panel and tests use it. Called under a lock.
using LogSink = std::function<void(std::string_view area, LogLevel level, const std::string& text)>;
LogSink set_log_sink(LogSink sink);

template <typename... Args>
void log(std::string_view area, LogLevel level, std::string_view text, const Args&... args) {
    if (log_enabled(area, level)) log_message(area, level, format(text, args...));
}

}  // namespace gpu
