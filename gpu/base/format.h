// String formatting with "{}" placeholders, filled in order. GCC 12 ships no std::format.
#pragma once

#include <sstream>
#include <string>
#include <string_view>

namespace gpu {

namespace detail {

// Writes `text` up to its next "{}" and returns what follows it.
inline std::string_view write_until_placeholder(std::ostringstream& out, std::string_view text) {
    const auto at = text.find("{}");
    out << text.substr(0, at);
    return at == std::string_view::npos ? std::string_view{} : text.substr(at + 2);
}

}  // namespace detail

// format("{} of {}", 3, "four") == "3 of four". Surplus arguments are dropped, surplus placeholders are empty.
template <typename... Args>
std::string format(std::string_view text, const Args&... args) {
    std::ostringstream out;
    ((text = detail::write_until_placeholder(out, text), out << args), ...);
    while (!text.empty()) text = detail::write_until_placeholder(out, text);
    return std::move(out).str();
}

}  // namespace gpu
