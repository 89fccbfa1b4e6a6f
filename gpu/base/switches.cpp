#include "gpu/base/switches.h"

#include <cstdlib>
#include <variant>

#include "gpu/base/error.h"

namespace gpu {
namespace {

using Member = std::variant<int Switches::*, bool Switches::*, std::string Switches::*>;

struct Row {
    const char* name;
    Member member;
    const char* type;
    const char* help;
};

const Row rows[] = {
    {"DEBUG", &Switches::debug, "0..5",
     "1 device and plan totals; 2 per-kernel time, bytes, GB/s; 3 fusion decisions; 4 shader variant and constants; "
     "5 whole tensor graph"},
    {"TRACE", &Switches::trace, "path", "write profiling spans as a Chrome trace (chrome://tracing, Perfetto) to this file"},
    {"DUMP", &Switches::dump, "path", "write every plan as text and every generated shader into this folder"},
    {"CHECK", &Switches::check, "list", "comma-separated: nan (stop at the first NaN or Inf), oracle (compare each kernel), "
     "cache (compute cached nodes again and compare)"},
    {"DEVICE", &Switches::device, "text", "device to use: an index, cpu, gpu, or a part of its name; see `heddle devices`"},
    {"HOST", &Switches::host, "flag", "0 runs matmul and convolution in shaders even where host kernels would be faster"},
    {"FUSE", &Switches::fuse, "flag", "0 gives every operation a kernel of its own"},
    {"SMALL_STORAGE", &Switches::small_storage, "flag", "0 does without 8- and 16-bit storage, as on devices that lack it"},
    {"PLAN_CACHE", &Switches::plan_cache, "flag", "0 plans every evaluation anew"},
    {"SERIAL", &Switches::serial, "flag", "1 waits after every kernel, so that a fault points at its cause"},
    {"SHADER_DIR", &Switches::shader_dir, "path", "read shaders from this folder instead of the built-in ones"},
    {"VALIDATION", &Switches::validation, "flag", "1 turns on the Vulkan validation layer, where it is installed"},
    {"SYNC_VALIDATION", &Switches::sync_validation, "flag", "1 adds synchronisation validation to it"},
    {"CACHE_DIR", &Switches::cache_dir, "path", "folder for caches that can be rebuilt"},
    {"LOG", &Switches::log, "text", "area:level pairs, comma separated: vulkan:debug,*:warning"},
};

void parse(Switches& into, const Row& row, const std::string& text) {
    if (const auto* number = std::get_if<int Switches::*>(&row.member)) {
        char* end = nullptr;
        const long value = std::strtol(text.c_str(), &end, 10);
        check(!text.empty() && *end == 0, ErrorCode::Usage, "switch HEDDLE_{}: expected a number, got \"{}\"", row.name, text);
        into.*(*number) = static_cast<int>(value);
    } else if (const auto* flag = std::get_if<bool Switches::*>(&row.member)) {
        const bool on = text == "1" || text == "true" || text == "on";
        check(on || text == "0" || text == "false" || text == "off" || text.empty(), ErrorCode::Usage,
              "switch HEDDLE_{}: expected 0 or 1, got \"{}\"", row.name, text);
        into.*(*flag) = on;
    } else {
        into.*std::get<std::string Switches::*>(row.member) = text;
    }
}

Switches from_environment() {
    Switches result;
    for (const Row& row : rows)
        if (const char* text = std::getenv((std::string("HEDDLE_") + row.name).c_str())) parse(result, row, text);
    return result;
}

std::string initial_text(const Row& row) {
    const Switches initial;
    if (const auto* number = std::get_if<int Switches::*>(&row.member)) return std::to_string(initial.*(*number));
    if (const auto* flag = std::get_if<bool Switches::*>(&row.member)) return initial.*(*flag) ? "1" : "0";
    return initial.*std::get<std::string Switches::*>(row.member);
}

}  // namespace

bool Switches::checks(const std::string& word) const { return ("," + check + ",").find("," + word + ",") != std::string::npos; }

Switches& switches() {
    static Switches instance = from_environment();
    return instance;
}

const std::vector<SwitchHelp>& switch_help() {
    static const std::vector<SwitchHelp> help = [] {
        std::vector<SwitchHelp> list;
        for (const Row& row : rows)
            list.push_back({std::string("HEDDLE_") + row.name, row.type, initial_text(row), row.help});
        return list;
    }();
    return help;
}

std::string cache_directory() {
    if (!switches().cache_dir.empty()) return switches().cache_dir;
    if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg == '/') return std::string(xdg) + "/heddle";
    if (const char* home = std::getenv("HOME"); home && *home == '/') return std::string(home) + "/.cache/heddle";
    return "/tmp/heddle-cache";
}

}  // namespace gpu
