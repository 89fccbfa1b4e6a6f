#include "nodes/interchange/comfy_class.h"

#include <QString>

#include "gpu/base/error.h"

namespace nodes {
namespace {

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    for (const QString& word : QString::fromStdString(text).split(' ', Qt::SkipEmptyParts))
        words.push_back(word.toStdString());
    return words;
}

QJsonValue initial_of(const std::string& type, const QString& text) {
    if (type == "INT" || type == "FLOAT") return text.toDouble();
    if (type == "BOOLEAN") return text == "true";
    return text;
}

ComfyField field_of(const std::string& word) {
    ComfyField field;
    QString text = QString::fromStdString(word), initial;
    if ((field.optional = text.startsWith('?'))) text.remove(0, 1);
    const qsizetype equals = text.indexOf('=');
    if (equals >= 0) initial = text.mid(equals + 1);
    text = text.left(equals);
    if ((field.control = text.endsWith('!')) || (field.upload = text.endsWith('^'))) text.chop(1);
    const qsizetype colon = text.indexOf(':');
    gpu::check(colon > 0 && colon + 1 < text.size(), gpu::ErrorCode::Failure,
               "ComfyUI classes: expected NAME:TYPE, got '{}'", word);
    field.name = text.left(colon).toStdString();
    field.type = text.mid(colon + 1).toStdString();
    if (equals >= 0)
        field.initial = initial_of(field.type, initial);
    else
        field.initial = QJsonValue::Undefined;
    return field;
}

}  // namespace

bool ComfyField::widget() const {
    return type == "INT" || type == "FLOAT" || type == "STRING" || type == "BOOLEAN" || type == "COMBO";
}

std::vector<ComfyField> comfy_fields(const std::string& text) {
    std::vector<ComfyField> fields;
    for (const std::string& word : words_of(text)) fields.push_back(field_of(word));
    return fields;
}

using Kind = ComfyRule::Kind;

ComfyRule link(std::string from, std::string to) {
    return {.kind = Kind::Link, .from = std::move(from), .to = std::move(to)};
}

ComfyRule value(std::string from, std::string to, ComfyConversion convert) {
    if (to.empty()) to = from;
    return {.kind = Kind::Value, .from = std::move(from), .to = std::move(to), .convert = std::move(convert)};
}

ComfyRule fixed(std::string to, QJsonValue value) {
    return {.kind = Kind::Fixed, .from = {}, .to = std::move(to), .fixed = std::move(value)};
}

ComfyRule out(std::string from, std::string to) {
    return {.kind = Kind::Output, .from = std::move(from), .to = std::move(to)};
}

ComfyRule fold(std::string from) { return {.kind = Kind::Fold, .from = std::move(from), .to = {}}; }

ComfyRule wire(std::string part, std::string socket, std::string to) {
    return {.kind = Kind::Wire, .from = std::move(socket), .to = std::move(to), .part = std::move(part)};
}

ComfyRule above(std::string from, std::string type, std::string value, std::string to, ComfyConversion convert) {
    return {.kind = Kind::Above,
            .from = std::move(from),
            .to = std::move(to),
            .part = std::move(type),
            .socket = std::move(value),
            .convert = std::move(convert)};
}

ComfyRule when(ComfyTest test, ComfyRule rule) {
    rule.when = std::move(test);
    return rule;
}

const ComfyField* ComfyClass::field(const std::string& input) const {
    for (const ComfyField& one : fields)
        if (one.name == input) return &one;
    return nullptr;
}

const std::map<std::string, ComfyClass>& comfy_classes() {
    static const std::map<std::string, ComfyClass> all = [] {
        std::map<std::string, ComfyClass> classes;
        for (const auto& piece :
             {comfy_classes_load, comfy_classes_conditioning, comfy_classes_latent, comfy_classes_sampling,
              comfy_classes_model, comfy_classes_image, comfy_classes_video, comfy_classes_others})
            for (ComfyClass& one : piece()) {
                one.fields = comfy_fields(one.inputs);
                one.output_names = words_of(one.outputs);
                const std::string name = one.name;
                gpu::check(classes.emplace(name, std::move(one)).second, gpu::ErrorCode::Failure,
                           "ComfyUI classes: expected one entry for {}, got two", name);
            }
        return classes;
    }();
    return all;
}

const ComfyClass* find_comfy_class(const std::string& name) {
    const auto at = comfy_classes().find(name);
    return at == comfy_classes().end() ? nullptr : &at->second;
}

}  // namespace nodes
