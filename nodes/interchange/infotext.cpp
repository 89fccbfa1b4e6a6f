#include "nodes/interchange/infotext.h"

#include <QRegularExpression>
#include <QStringList>
#include <algorithm>

#include "gpu/base/error.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

struct SamplerRow {
    const char* theirs;
    const char* ours;
    bool exact;
};

// By the longest beginning; " Karras" and " Exponential" at the end name a schedule.
constexpr SamplerRow sampler_rows[] = {
    {"DPM++ 3M SDE", "dpmpp_3m_sde", true},
    {"DPM++ 2M SDE", "dpmpp_2m_sde", true},
    {"DPM++ 2S a", "dpmpp_2s_ancestral", true},
    {"DPM++ SDE", "dpmpp_sde", true},
    {"DPM++ 2M", "dpmpp_2m", true},
    {"DPM2 a", "dpm_2_ancestral", true},
    {"DPM fast", "dpmpp_2m", false},
    {"DPM adaptive", "dpmpp_2m", false},
    {"DPM2", "dpm_2", true},
    {"Euler a", "euler_ancestral", true},
    {"Euler", "euler", true},
    {"Heun", "heun", true},
    {"LMS", "lms", true},
    {"DDIM", "ddim", true},
    {"PLMS", "pndm", true},
    {"UniPC", "unipc", true},
    {"LCM", "lcm", true},
};

constexpr SamplerRow schedule_rows[] = {
    {"Karras", "karras", true},    {"Exponential", "exponential", true}, {"SGM Uniform", "sgm_uniform", true},
    {"Uniform", "linspace", true}, {"Normal", "linspace", true},         {"Simple", "simple", true},
};

const std::map<std::string, bool> understood{{"Steps", true},     {"Sampler", true},       {"CFG scale", true},
                                             {"Seed", true},      {"Size", true},          {"Model", true},
                                             {"Clip skip", true}, {"Schedule type", true}, {"RNG", true}};
// Names of files and programs, which change no picture.
const std::map<std::string, bool> harmless{{"Model hash", true}, {"Version", true},  {"Lora hashes", true},
                                           {"TI hashes", true},  {"VAE hash", true}, {"Hashes", true}};

class Builder {
public:
    Builder(const Infotext& text, const std::string& path) : text_(text), path_(path) { report_.form = "A1111"; }

    ComfyImport build() {
        document_ = document_.add_node("model.load", "model", {0, 0})
                        .add_node("text.encode", "prompt", {280, 0})
                        .add_node("text.encode", "negative", {280, 220})
                        .add_node("latent.empty", "size", {280, 440})
                        .add_node("sample.run", "sample", {560, 0})
                        .add_node("vae.decode", "decode", {840, 0})
                        .add_node("image.save", "save", {1120, 0});
        set("model", "file", QString::fromStdString(value("Model", "model") + ".safetensors"));
        Endpoint model{"model", "model"}, encoder{"model", "encoder"};
        const std::string prompt = take_loras(text_.prompt, model, encoder),
                          negative = take_loras(text_.negative, model, encoder);
        encode("prompt", prompt, encoder);
        encode("negative", negative, encoder);
        set_size();
        set_sampler();
        connect(model, {"sample", "model"});
        connect({"model", "model"}, {"size", "model"});
        connect({"prompt", "conditioning"}, {"sample", "positive"});
        connect({"negative", "conditioning"}, {"sample", "negative"});
        connect({"size", "latent"}, {"sample", "latent"});
        connect({"sample", "latent"}, {"decode", "latent"});
        connect({"model", "vae"}, {"decode", "vae"});
        connect({"decode", "image"}, {"save", "image"});
        set("save", "file", "picture.png");
        for (const auto& [name, given] : text_.values)
            if (!understood.contains(name) && !harmless.contains(name))
                adjust(name + ": " + given + " has no counterpart here");
        return {document_.with_path(path_), std::move(report_)};
    }

private:
    std::string value(const std::string& name, const std::string& otherwise) const {
        const auto at = text_.values.find(name);
        return at == text_.values.end() || at->second.empty() ? otherwise : at->second;
    }

    void adjust(const std::string& what) { report_.adjusted.push_back({"", "infotext", what}); }
    void connect(const Endpoint& from, const Endpoint& to) { document_ = document_.connect(from, to); }

    // Values that the declaration does not take are told, and left at their initial ones.
    void set(const std::string& node, const std::string& param, const QJsonValue& given) {
        const ParamInfo* info = find_node_type(document_.node(node).type)->param(param);
        if (const std::string wrong = info->problem(given); !wrong.empty()) return adjust(param + ": " + wrong);
        const QJsonValue canonical = info->canonical(given);
        document_ = document_.set_param(
            node, param, canonical == info->canonical(info->initial) ? QJsonValue(QJsonValue::Undefined) : canonical);
    }

    void set_number(const std::string& node, const std::string& param, const std::string& name) {
        bool fine = false;
        const double number = QString::fromStdString(value(name, "")).toDouble(&fine);
        if (fine) set(node, param, number);
    }

    // "<lora:name:0.8>" changes model and encoders, and is no part of the prompt.
    std::string take_loras(const std::string& prompt, Endpoint& model, Endpoint& encoder) {
        static const QRegularExpression tag(R"(<lora:([^:>]+):?([-+0-9.eE]*)[^>]*>)");
        QString text = QString::fromStdString(prompt);
        auto found = tag.globalMatch(text);
        while (found.hasNext()) {
            const QRegularExpressionMatch one = found.next();
            std::string id;
            document_ = document_.add_node("adapt.lora", document_.free_id("lora"), {140, -220}, &id);
            set(id, "file", one.captured(1) + ".safetensors");
            bool fine = false;
            const double strength = one.captured(2).toDouble(&fine);
            if (fine) {
                set(id, "strength", strength);
                set(id, "strength_text", strength);
            }
            connect(model, {id, "model"});
            connect(encoder, {id, "encoder"});
            model = {id, "model"};
            encoder = {id, "encoder"};
        }
        return text.remove(tag).trimmed().toStdString();
    }

    void encode(const std::string& node, const std::string& prompt, const Endpoint& encoder) {
        set(node, "text", QString::fromStdString(prompt));
        set(node, "dialect", "a1111");
        set_number(node, "steps", "Steps");
        if (const int skip = QString::fromStdString(value("Clip skip", "1")).toInt(); skip > 1)
            set(node, "skip", skip - 1);
        connect(encoder, {node, "encoder"});
    }

    void set_size() {
        const QStringList sides = QString::fromStdString(value("Size", "512x512")).split('x');
        if (sides.size() != 2) return adjust("Size: expected two numbers: 512 x 512 is taken");
        set("size", "width", sides[0].toInt());
        set("size", "height", sides[1].toInt());
    }

    void set_sampler() {
        set_number("sample", "steps", "Steps");
        set_number("sample", "guidance", "CFG scale");
        if (const std::string seed = value("Seed", ""); !seed.empty())
            set("sample", "seed", QString::fromStdString(seed));
        set("sample", "levels", "k-diffusion");
        set("sample", "noise", value("RNG", "GPU") == "CPU" ? "torch-cpu" : "cuda-philox");
        const std::string name = value("Sampler", "Euler");
        choose(sampler_rows, "sampler", name);
        QString schedule = QString::fromStdString(value("Schedule type", ""));
        if (schedule == "Automatic") schedule.clear();
        for (const char* ending : {" Karras", " Exponential"})
            if (schedule.isEmpty() && QString::fromStdString(name).endsWith(ending))
                schedule = QString(ending).trimmed();
        if (schedule.isEmpty()) {
            set("sample", "schedule", "linspace");
        } else {
            choose(schedule_rows, "schedule", schedule.toStdString());
        }
    }

    template <std::size_t N>
    void choose(const SamplerRow (&rows)[N], const char* param, const std::string& name) {
        for (const SamplerRow& row : rows) {
            if (!name.starts_with(row.theirs)) continue;
            set("sample", param, row.ours);
            if (!row.exact) adjust(gpu::format("{} {} became {}, the nearest", param, name, row.ours));
            return;
        }
        adjust(gpu::format("there is no {} '{}': the usual one is taken", param, name));
    }

    const Infotext& text_;
    std::string path_;
    Document document_;
    ComfyReport report_;
};

}  // namespace

Infotext parse_infotext(const std::string& text) {
    QStringList lines = QString::fromStdString(text).split('\n');
    while (!lines.isEmpty() && lines.last().trimmed().isEmpty()) lines.removeLast();
    Infotext made;
    if (!lines.isEmpty() && lines.last().contains(QRegularExpression(R"(^\s*Steps: )"))) {
        static const QRegularExpression pair(R"REGEX(\s*([\w ()/-]+):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$))REGEX");
        auto found = pair.globalMatch(lines.takeLast());
        while (found.hasNext()) {
            const QRegularExpressionMatch one = found.next();
            made.values[one.captured(1).trimmed().toStdString()] = one.captured(2).trimmed().toStdString();
        }
    }
    const QString rest = lines.join('\n');
    const QString mark = "Negative prompt:";
    const qsizetype at = rest.startsWith(mark) ? 0 : rest.indexOf("\n" + mark);
    made.prompt = rest.left(at).trimmed().toStdString();
    if (at >= 0) made.negative = rest.mid(rest.indexOf(mark, at) + mark.size()).trimmed().toStdString();
    return made;
}

ComfyImport import_infotext(const std::string& text, const std::string& path) {
    const Infotext parsed = parse_infotext(text);
    gpu::check(parsed.values.contains("Steps"), gpu::ErrorCode::BadFile,
               "read infotext {}: expected a line \"Steps: ...\", there is none", path);
    return Builder(parsed, path).build();
}

}  // namespace nodes
