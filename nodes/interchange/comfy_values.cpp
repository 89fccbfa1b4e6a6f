#include "nodes/interchange/comfy_values.h"

#include <QString>
#include <algorithm>
#include <filesystem>

#include "gpu/base/format.h"

namespace nodes {
namespace {

std::string plain(const QJsonValue& value) { return value.toString().toStdString(); }

QJsonValue text_value(const std::string& text) { return QString::fromStdString(text); }

// Windows writes backslashes, and pictures may carry the folder that they lie in.
std::string file_name(const QJsonValue& value) {
    std::string name = plain(value);
    for (const char* suffix : {" [input]", " [output]", " [temp]"})
        if (name.ends_with(suffix)) name.erase(name.size() - std::string_view(suffix).size());
    std::ranges::replace(name, '\\', '/');
    return name;
}

std::string below(const std::string& folder, const std::string& place, const std::string& name) {
    return (std::filesystem::path(folder) / place / name).lexically_normal().string();
}

struct SamplerName {
    const char* comfy;
    const char* heddle;
    bool exact;
};

// ComfyUI's ddim is Euler's method, which it equals without fresh noise.
constexpr SamplerName sampler_table[] = {
    {"euler", "euler", true},
    {"euler_ancestral", "euler_ancestral", true},
    {"heun", "heun", true},
    {"lms", "lms", true},
    {"dpm_2", "dpm_2", true},
    {"dpm_2_ancestral", "dpm_2_ancestral", true},
    {"dpmpp_2s_ancestral", "dpmpp_2s_ancestral", true},
    {"dpmpp_sde", "dpmpp_sde", true},
    {"dpmpp_2m", "dpmpp_2m", true},
    {"dpmpp_2m_sde", "dpmpp_2m_sde", true},
    {"dpmpp_3m_sde", "dpmpp_3m_sde", true},
    {"ddpm", "ddpm", true},
    {"lcm", "lcm", true},
    {"uni_pc_bh2", "unipc", true},
    {"uni_pc", "unipc_bh1", true},
    {"ddim", "euler", true},
    {"ddim", "ddim", true},  // for the way back
    {"dpmpp_2m_sde_gpu", "dpmpp_2m_sde", true},
    {"dpmpp_3m_sde_gpu", "dpmpp_3m_sde", true},
    {"euler_cfg_pp", "euler", false},
    {"euler_ancestral_cfg_pp", "euler_ancestral", false},
    {"heunpp2", "heun", false},
    {"dpm_fast", "dpmpp_2m", false},
    {"dpm_adaptive", "dpmpp_2m", false},
    {"dpmpp_2s_ancestral_cfg_pp", "dpmpp_2s_ancestral", false},
    {"dpmpp_sde_gpu", "dpmpp_sde", true},
    {"dpmpp_2m_cfg_pp", "dpmpp_2m", false},
    {"dpmpp_2m_sde_heun", "dpmpp_2m_sde", false},
    {"dpmpp_2m_sde_heun_gpu", "dpmpp_2m_sde", false},
    {"ipndm", "dpmpp_2m", false},
    {"ipndm_v", "dpmpp_2m", false},
    {"deis", "dpmpp_2m", false},
    {"res_multistep", "dpmpp_2m", false},
    {"res_multistep_cfg_pp", "dpmpp_2m", false},
    {"res_multistep_ancestral", "euler_ancestral", false},
    {"res_multistep_ancestral_cfg_pp", "euler_ancestral", false},
    {"gradient_estimation", "dpmpp_2m", false},
    {"gradient_estimation_cfg_pp", "dpmpp_2m", false},
    {"er_sde", "dpmpp_2m_sde", false},
    {"seeds_2", "dpmpp_2m_sde", false},
    {"seeds_3", "dpmpp_3m_sde", false},
    {"sa_solver", "dpmpp_2m_sde", false},
    {"sa_solver_pece", "dpmpp_2m_sde", false},
};

constexpr SamplerName scheduler_table[] = {
    {"normal", "linspace", true},         {"karras", "karras", true},
    {"exponential", "exponential", true}, {"sgm_uniform", "sgm_uniform", true},
    {"simple", "simple", true},           {"ddim_uniform", "leading", false},
    {"beta", "linspace", false},          {"linear_quadratic", "linspace", false},
    {"kl_optimal", "karras", false},
};

// By a table of nearest names: what is not exact, or unknown, is told.
template <std::size_t N>
ComfyConversion nearest_names(const SamplerName (&table)[N], const char* what) {
    const auto forward = [&table, what](const QJsonValue& value, ComfyValues& values) -> QJsonValue {
        const std::string name = plain(value);
        const auto found =
            std::ranges::find(table, name, [](const SamplerName& row) { return std::string(row.comfy); });
        if (found == std::end(table)) {
            if (!name.empty()) values.adjust(gpu::format("there is no {} '{}': the usual one is taken", what, name));
            return QJsonValue::Undefined;
        }
        if (!found->exact) values.adjust(gpu::format("{} {} became {}, the nearest", what, name, found->heddle));
        return QString(found->heddle);
    };
    const auto back = [&table](const QJsonValue& value) -> QJsonValue {
        for (const SamplerName& row : table)
            if (row.heddle == plain(value)) return QString(row.comfy);
        return QJsonValue::Undefined;
    };
    return {forward, back};
}

}  // namespace

ComfyConversion names(std::initializer_list<std::pair<const char*, const char*>> pairs) {
    const std::vector<std::pair<std::string, std::string>> table(pairs.begin(), pairs.end());
    const auto forward = [table](const QJsonValue& value, ComfyValues& values) -> QJsonValue {
        for (const auto& [comfy, heddle] : table)
            if (comfy == plain(value)) return text_value(heddle);
        values.adjust(gpu::format("'{}' has no counterpart: the usual value is taken", plain(value)));
        return QJsonValue::Undefined;
    };
    const auto back = [table](const QJsonValue& value) -> QJsonValue {
        for (const auto& [comfy, heddle] : table)
            if (heddle == plain(value)) return text_value(comfy);
        return QJsonValue::Undefined;
    };
    return {forward, back};
}

ComfyConversion flag_names(const char* for_true, const char* for_false) {
    return {[=](const QJsonValue& value, ComfyValues&) -> QJsonValue {
                return QString(value.toBool() ? for_true : for_false);
            },
            [=](const QJsonValue& value) -> QJsonValue { return value.toString() == for_true; }};
}

ComfyConversion enabled() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue {
                return value.isBool() ? value.toBool() : value.toString() != "disable";
            },
            [](const QJsonValue& value) -> QJsonValue { return QString(value.toBool() ? "enable" : "disable"); }};
}

ComfyConversion complement() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue { return 1 - value.toDouble(); },
            [](const QJsonValue& value) -> QJsonValue { return 1 - value.toDouble(); }};
}

ComfyConversion model_file(std::initializer_list<const char*> folders) {
    const std::vector<std::string> places(folders.begin(), folders.end());
    const auto forward = [places](const QJsonValue& value, ComfyValues& values) -> QJsonValue {
        const std::string name = file_name(value), root = values.folder();
        if (root.empty() || name.empty()) return text_value(name);
        std::error_code error;
        for (const std::string& place : places)
            if (const std::string path = below(root, "models/" + place, name); std::filesystem::exists(path, error))
                return text_value(path);
        return text_value(below(root, "models/" + places.front(), name));
    };
    return {forward, {}};
}

ComfyConversion input_file() {
    const auto forward = [](const QJsonValue& value, ComfyValues& values) -> QJsonValue {
        const std::string name = file_name(value);
        return text_value(values.folder().empty() || name.empty() ? name : below(values.folder(), "input", name));
    };
    return {forward, {}};
}

ComfyConversion output_file(const char* ending) {
    const auto forward = [ending](const QJsonValue& value, ComfyValues& values) -> QJsonValue {
        std::string name = file_name(value);
        if (name.find('%') != std::string::npos)
            values.adjust("the words between % in '" + name + "' stay as they are");
        if (name.empty() || name.ends_with('/')) name += "ComfyUI";
        return text_value(name + ending);
    };
    const auto back = [ending](const QJsonValue& value) -> QJsonValue {
        QString name = value.toString();
        if (name.endsWith(ending)) name.chop(static_cast<qsizetype>(std::string_view(ending).size()));
        return name;
    };
    return {forward, back};
}

std::string first_alternatives(const std::string& prompt, bool& changed) {
    // One level for each open brace: the alternative that is taken, and all of its text should no brace close it.
    struct Level {
        QString taken, whole;
        bool over = false;  // the first alternative has ended
        void add(const QString& text) {
            if (!over) taken += text;
            whole += text;
        }
    };
    std::vector<Level> levels(1);
    changed = false;
    const QString text = QString::fromStdString(prompt);
    for (qsizetype at = 0; at < text.size(); ++at) {
        if (text[at] == '{') {
            levels.emplace_back();
        } else if (text[at] == '}' && levels.size() > 1) {
            const Level inner = std::move(levels.back());
            levels.pop_back();
            levels.back().add(inner.taken);
            changed = true;
        } else if (text[at] == '|' && levels.size() > 1) {
            levels.back().over = true;
            levels.back().whole += '|';
        } else {
            const QString letter = text.mid(at, text[at] == '\\' ? 2 : 1);
            levels.back().add(letter);
            at += letter.size() - 1;
        }
    }
    for (; levels.size() > 1; levels.pop_back()) levels[levels.size() - 2].add("{" + levels.back().whole);
    return levels.front().taken.toStdString();
}

ComfyConversion prompt() {
    const auto forward = [](const QJsonValue& value, ComfyValues& values) -> QJsonValue {
        if (!values.template_prompts()) return value;
        bool changed = false;
        const std::string made = first_alternatives(plain(value), changed);
        if (changed) values.adjust("of {this|that}, which ComfyUI's editor draws before each run, the first was taken");
        return text_value(made);
    };
    return {forward, {}};
}

ComfyRule text(std::string from, std::string to, std::string socket) {
    ComfyRule rule = value(std::move(from), std::move(to), prompt());
    rule.socket = std::move(socket);
    return rule;
}

ComfyConversion sampler_name() { return nearest_names(sampler_table, "sampler"); }

ComfyConversion scheduler_name() { return nearest_names(scheduler_table, "scheduler"); }

ComfyConversion sampler_order() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue {
                return value.toString().startsWith("uni_pc") ? QJsonValue(3) : QJsonValue(QJsonValue::Undefined);
            },
            {}};
}

ComfyConversion skipped_layers() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue { return -1 - value.toInt(-1); },
            [](const QJsonValue& value) -> QJsonValue { return -1 - value.toInt(); }};
}

ComfyConversion packed_color() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue {
                return QString("#%1").arg(value.toInt() & 0xffffff, 6, 16, QChar('0'));
            },
            [](const QJsonValue& value) -> QJsonValue { return value.toString().mid(1, 6).toInt(nullptr, 16); }};
}

}  // namespace nodes
