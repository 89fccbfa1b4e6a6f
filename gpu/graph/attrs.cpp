#include "gpu/graph/attrs.h"

#include "gpu/base/format.h"

namespace gpu {

std::string to_string(const AttrValue& value) {
    if (const auto* list = std::get_if<AttrList>(&value)) {
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
    for (const Attr& attr : attrs) text += (text.empty() ? "" : ", ") + std::string(attr.name) + "=" + to_string(attr.value);
    return text;
}

void add_to(FieldBuffer& fields, const AttrValue& value) {
    fields.add(static_cast<std::uint8_t>(value.index()));
    if (const auto* list = std::get_if<AttrList>(&value)) {
        fields.add(list->size());
        for (const std::int64_t item : *list) fields.add(item);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        fields.add(*integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
        fields.add(*number);
    } else {
        fields.add(std::string_view(std::get<std::string>(value)));
    }
}

}  // namespace gpu
