#include "nodes/codec/libav/support.h"

#include <cstdarg>
#include <cstdio>

namespace nodes::libav {
namespace {

std::string& words() {
    thread_local std::string text;
    return text;
}

void listen(void*, int level, const char* text, va_list arguments) {
    if (level > AV_LOG_ERROR) return;
    char line[512];
    const int length = std::vsnprintf(line, sizeof line, text, arguments);
    std::string message(line, static_cast<std::size_t>(std::clamp(length, 0, static_cast<int>(sizeof line) - 1)));
    while (!message.empty() && (message.back() == '\n' || message.back() == '.' || message.back() == ' '))
        message.pop_back();
    if (!message.empty()) words() = std::move(message);
}

}  // namespace

const std::string& complaint() { return words(); }
void clear_complaint() { words().clear(); }
void listen_to_complaints() { av_log_set_callback(listen); }

std::string reason(int code) {
    char text[AV_ERROR_MAX_STRING_SIZE] = {};
    av_strerror(code, text, sizeof text);
    return words().empty() ? std::string(text) : format("{} ({})", text, words());
}

void set_colors(SwsContext* scaler, const int* source_matrix, bool source_full, const int* target_matrix,
                bool target_full) {
    // Formats without a matrix, such as RGB to RGB, refuse, and need none.
    sws_setColorspaceDetails(scaler, source_matrix, source_full, target_matrix, target_full, 0, 1 << 16, 1 << 16);
}

}  // namespace nodes::libav
