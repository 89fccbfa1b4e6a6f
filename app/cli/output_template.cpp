#include "app/cli/output_template.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "app/cli/graph_options.h"
#include "gpu/base/error.h"
#include "nodes/core/expression.h"
#include "nodes/core/lowering.h"
#include "nodes/core/nearest.h"
#include "nodes/core/node.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;
using nodes::Document;
using nodes::ParamInfo;
using nodes::ParamKind;

constexpr int most_width = 20;

const std::vector<std::string>& field_names() {
    static const std::vector<std::string> names{"graph", "node", "output", "file", "suffix", "row", "seed", "param", "date", "time"};
    return names;
}

// A value as people write it; of a file its name without folder and suffix.
std::string value_text(const Document& document, const std::string& name) {
    const ParamInfo& info = find_param(document, name);
    const std::size_t dot = name.find('.');
    const std::string node = name.substr(0, dot), param = name.substr(dot + 1);
    QJsonValue value = document.param(node, param);
    if (nodes::expression_of(value))
        if (const Document computed = nodes::settled(document); computed.contains(node)) value = computed.param(node, param);
    const std::string text = info.text(value);
    return info.kind == ParamKind::InputFile || info.kind == ParamKind::OutputFile ? std::filesystem::path(text).stem().string() : text;
}

std::string only_seed(const Document& document) {
    std::vector<std::string> found;
    for (const std::string& id : document.node_ids())
        if (const nodes::Node* type = document.type_of(id))
            for (const ParamInfo& info : type->params())
                if (info.kind == ParamKind::Seed) found.push_back(id + "." + info.name);
    if (found.size() == 1) return found[0];
    std::string list;
    for (const std::string& name : found) list += (list.empty() ? "" : ", ") + name;
    throw Error(ErrorCode::Usage, "{seed}: expected one seed in the graph, there {}",
                found.empty() ? "is none" : "are " + list + ": write {param:" + found[0] + "}");
}

std::string filled(const std::string& text, int width) {
    const bool number = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    const auto size = static_cast<int>(text.size());
    return number && size < width ? std::string(static_cast<std::size_t>(width - size), '0') + text : text;
}

}  // namespace

std::string safe_part(const std::string& value) {
    constexpr std::size_t most = 100;
    std::string part;
    for (const char c : value) {
        const bool bad = static_cast<unsigned char>(c) < 0x20 || c == 0x7f || std::string_view("/\\:*?\"<>|#").find(c) != std::string_view::npos;
        part += bad ? '_' : c;
    }
    if (part.size() > most) {
        std::size_t end = most;
        while (end > 0 && (static_cast<unsigned char>(part[end]) & 0xc0) == 0x80) --end;      // not inside of a character
        part.resize(end);
    }
    return part.empty() || part == "." || part == ".." ? std::string(std::max<std::size_t>(1, part.size()), '_') : part;
}

OutputTemplate::Part OutputTemplate::parse_field(const std::string& inside) {
    Part part;
    std::string rest = inside;
    const std::size_t last = rest.rfind(':');
    if (last != std::string::npos && last + 1 < rest.size() && rest.find_first_not_of("0123456789", last + 1) == std::string::npos) {
        std::from_chars(rest.data() + last + 1, rest.data() + rest.size(), part.width);
        gpu::check(part.width >= 1 && part.width <= most_width, ErrorCode::Usage, "{{}}: expected a width of 1 to {}", inside, most_width);
        rest.resize(last);
    }
    const std::size_t colon = rest.find(':');
    part.field = rest.substr(0, colon);
    if (part.field == "set") part.field = "param";
    if (colon != std::string::npos) part.argument = rest.substr(colon + 1);
    if (!std::ranges::count(field_names(), part.field)) {
        std::string list;
        for (const std::string& name : field_names()) list += " {" + name + (name == "param" ? ":NODE.param}" : "}");
        const std::string near = nodes::nearest(part.field, field_names());
        throw Error(ErrorCode::Usage, "unknown field {}{} are{}, and {{ for a brace", "{" + inside + "}",
                    near.empty() ? "; there" : ", did you mean {" + near + "}? There", list);
    }
    gpu::check(part.field == "param" ? part.argument.find('.') != std::string::npos : colon == std::string::npos, ErrorCode::Usage, "{}: expected {}", "{" + inside + "}",
               part.field == "param" ? "{param:NODE.param}" : "{" + part.field + "} or a width such as {" + part.field + ":03}");
    return part;
}

OutputTemplate::OutputTemplate(const std::string& text) : text_(text) {
    try {
        gpu::check(!text.empty(), ErrorCode::Usage, "expected a path, got nothing");
        Part plain;
        for (std::size_t at = 0; at < text.size(); ++at) {
            const char c = text[at];
            if ((c == '{' || c == '}') && at + 1 < text.size() && text[at + 1] == c) {
                plain.text += text[++at - 1];
                continue;
            }
            gpu::check(c != '}', ErrorCode::Usage, "expected a field before '}', or '}}' for a brace");
            if (c != '{') {
                plain.text += c;
                continue;
            }
            const std::size_t end = text.find('}', at);
            gpu::check(end != std::string::npos, ErrorCode::Usage, "expected '}' after '{}'", text.substr(at));
            if (!plain.text.empty()) parts_.push_back(std::exchange(plain, {}));
            parts_.push_back(parse_field(text.substr(at + 1, end - at - 1)));
            at = end;
        }
        if (!plain.text.empty()) parts_.push_back(plain);
    } catch (const Error& error) {
        throw Error(error.code(), "--out " + text + ": " + error.message());
    }
}

std::string OutputTemplate::expand(const OutputPlace& place) const {
    const std::filesystem::path file(place.document->param(place.node, place.param).toString().toStdString());
    const auto value_of = [&](const Part& part) -> std::string {
        if (part.field == "graph") return place.graph;
        if (part.field == "node") return place.node;
        if (part.field == "output") return place.param;
        if (part.field == "row") return std::to_string(place.row);
        if (part.field == "date") return place.started.toString("yyyy-MM-dd").toStdString();
        if (part.field == "time") return place.started.toString("HH-mm-ss").toStdString();
        if (part.field == "seed") return value_text(*place.document, only_seed(*place.document));
        if (part.field == "param") return value_text(*place.document, part.argument);
        gpu::check(!file.filename().empty(), ErrorCode::Usage, "{}: expected {}.{} to name a file in the graph, it names none",
                   "{" + part.field + "}", place.node, place.param);
        return part.field == "file" ? file.filename().string() : file.extension().string().substr(file.has_extension() ? 1 : 0);
    };
    try {
        std::string path;
        for (const Part& part : parts_) path += part.field.empty() ? part.text : filled(safe_part(value_of(part)), part.width);
        return path;
    } catch (const Error& error) {
        throw Error(error.code(), "--out " + text_ + ": " + error.message());
    }
}

}  // namespace app
