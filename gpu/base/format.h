// String formatting with "{}" placeholders, filled in order. GCC 12 ships no std::format.
#pragma once

#include <sstream>
#include <string>
#include <string_view>

namespace gpu {

namespace detail {

// Writes `text` up to its next "{}", then `value`, and leaves in `text` what follows. Without one, the value is dropped.
template <typename T>
void write_placeholder(std::ostringstream& out, std::string_view& text, const T& value) {
    const auto at = text.find("{}");
    out << text.substr(0, at);
    if (at != std::string_view::npos) out << value;
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 2);
}

}  // namespace detail

// format("{} of {}", 3, "four") == "3 of four". Surplus arguments are dropped, surplus placeholders are empty.
template <typename... Args>
std::string format(std::string_view text, const Args&... args) {
    std::ostringstream out;
    (detail::write_placeholder(out, text, args), ...);
    while (!text.empty()) detail::write_placeholder(out, text, "");
    return std::move(out).str();
}

}  // namespace gpu
