// text: a string in UTF-8. In<std::string>, Out<std::string>.
#pragma once

#include <string>
#include <vector>

#include "nodes/core/socket_type.h"

namespace nodes {

// Its lines without white space around them; empty ones are passed over.
std::vector<std::string> text_lines(const std::string& text);

template <>
struct SocketTraits<std::string> {
    static constexpr const char* name = "text";
    static SocketType describe() {
        return {.title = "Text",
                .colour = "#6fa35e",
                .help = "A string",
                .bytes = erased<std::string>([](const std::string& text) { return sizeof text + text.size(); }),
                .summary = erased<std::string>([](const std::string& text) {
                    std::size_t end = 77;  // cut between characters of UTF-8
                    while (text.size() > 80 && (text[end] & 0xc0) == 0x80) --end;
                    return text.size() <= 80 ? text : text.substr(0, end) + "...";
                }),
                .hash = erased<std::string>([](const std::string& text) { return gpu::hash_text(text); }),
                .store = erased<std::string>([](const std::string& text) {
                    return std::optional(StoredValue{{{"text", QString::fromStdString(text)}}, {}});
                }),
                .restore = [](const StoredValue& stored) { return Value::of<std::string>(stored.fields["text"].toString().toStdString()); }};
    }
};

}  // namespace nodes
