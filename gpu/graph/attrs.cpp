#include "gpu/graph/attrs.h"

#include "gpu/base/format.h"

namespace gpu {

std::string to_string(const AttrValue& value) {
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) {
        std::string text = "[";
        for (std::size_t i = 0; i < list->size(); ++i) text += (i ? ", " : "") + std::to_string((*list)[i]);
        return text + "]";
    }
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    return format("{}", std::get<double>(value));
}

std::string to_string(const Attrs& attrs) {
    std::string text;
    for (const Attr& attr : attrs) text += (text.empty() ? "" : ", ") + attr.name + "=" + to_string(attr.value);
    return text;
}

void add_to(Hasher& hasher, const AttrValue& value) {
    hasher.add(value.index());
    std::visit(
        [&](const auto& held) {
            if constexpr (requires { held.begin(); held.capacity(); } && !requires { held.c_str(); }) {
                hasher.add(held.size());
                for (const std::int64_t item : held) hasher.add(item);
            } else {
                hasher.add(held);
            }
        },
        value);
}

}  // namespace gpu
