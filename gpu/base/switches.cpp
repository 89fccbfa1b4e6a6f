#include "gpu/base/switches.h"

#include <cstdlib>
#include <variant>

#include "gpu/base/error.h"

namespace gpu {
namespace {

using Member = std::variant<int Switches::*, bool Switches::*, std::uint64_t Switches::*, std::string Switches::*>;

struct Row {
    const char* name;
    Member member;
    const char* type;
    const char* help;
};

const Row rows[] = {
    {"DEBUG", &Switches::debug, "0..4",
     "each level adds to the one before: 1 plans and their memory; 2 time, bytes and FLOP of each kernel; 3 the steps of each "
     "plan; 4 every pass's program with pipelines and places"},
    {"TRACE", &Switches::trace, "path", "write profiling spans as a Chrome trace (chrome://tracing, Perfetto) to this file"},
    {"DUMP", &Switches::dump, "path", "write every pass of every plan as text and DOT, and every shader, into this folder"},
    {"CHECK", &Switches::check, "list", "comma-separated: nan (stop at the first NaN or Inf), oracle (compare each kernel "
     "with its definition), cache (compute what caches hold again and compare), sync (watch synchronisation)"},
    {"DEVICE", &Switches::device, "text", "device to use: an index, cpu, gpu, or a part of its name; see `heddle devices`"},
    {"BUDGET", &Switches::budget, "bytes",
     "device memory to keep within, such as 512M or 2G; 0: what the driver grants. Weights beyond it are streamed"},
    {"DISCRETE", &Switches::discrete, "flag", "1 treats the device as a card with memory of its own, for tests"},
    {"SLICE", &Switches::slice, "ms", "longest submission aimed at, so that a desktop stays alive and a stop is seen"},
    {"FAULT", &Switches::fault, "text", "for tests: allocate:N fails the Nth allocation, submit:N loses the device at the Nth submission"},
    {"HOST", &Switches::host, "flag", "0 runs matmul and convolution in shaders even where host kernels would be faster"},
    {"FUSE", &Switches::fuse, "flag", "0 gives every operation a kernel of its own"},
    {"SMALL_STORAGE", &Switches::small_storage, "flag", "0 does without 8- and 16-bit storage, as on devices that lack it"},
    {"PLAN_CACHE", &Switches::plan_cache, "flag", "0 plans every evaluation anew"},
    {"VARIANT", &Switches::variant, "list", "comma-separated beginnings of kernel variants to use where an op has them: "
     "tile_64,subgroup"},
    {"FAST", &Switches::fast, "list", "accuracy given up for speed, comma-separated: half (products of F16 by GPUs sum four terms "
     "in F16 before they go to the F32 total; such a short sum may pass 65504 and become infinite)"},
    {"TUNE", &Switches::tune, "flag", "0 takes each op's default variant instead of measuring on GPUs and remembering the choice"},
    {"SERIAL", &Switches::serial, "flag", "1 waits after every kernel, so that a fault points at its cause"},
    {"SHADER_DIR", &Switches::shader_dir, "path", "read shaders from this folder instead of the built-in ones"},
    {"VALIDATION", &Switches::validation, "flag", "1 turns on the Vulkan validation layer, where it is installed"},
    {"SYNC_VALIDATION", &Switches::sync_validation, "flag", "1 adds synchronisation validation to it"},
    {"CACHE_DIR", &Switches::cache_dir, "path", "folder for caches that can be rebuilt"},
    {"CACHE_BUDGET", &Switches::cache_budget, "bytes", "how much of that folder results of nodes may take, such as 8G; 0 keeps none"},
    {"LOG", &Switches::log, "text", "area:level pairs, comma separated: vulkan:debug,*:warning"},
};

void parse(Switches& into, const Row& row, const std::string& text) {
    if (const auto* number = std::get_if<int Switches::*>(&row.member)) {
        char* end = nullptr;
        const long value = std::strtol(text.c_str(), &end, 10);
        check(!text.empty() && *end == 0, ErrorCode::Usage, "switch HEDDLE_{}: expected a number, got \"{}\"", row.name, text);
        into.*(*number) = static_cast<int>(value);
    } else if (const auto* bytes = std::get_if<std::uint64_t Switches::*>(&row.member)) {
        into.*(*bytes) = parse_bytes(text, std::string("switch HEDDLE_") + row.name);
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

bool lists(const std::string& words, const std::string& word) { return ("," + words + ",").find("," + word + ",") != std::string::npos; }

std::string initial_text(const Row& row) {
    const Switches initial;
    if (const auto* number = std::get_if<int Switches::*>(&row.member)) return std::to_string(initial.*(*number));
    if (const auto* bytes = std::get_if<std::uint64_t Switches::*>(&row.member)) return std::to_string(initial.*(*bytes));
    if (const auto* flag = std::get_if<bool Switches::*>(&row.member)) return initial.*(*flag) ? "1" : "0";
    return initial.*std::get<std::string Switches::*>(row.member);
}

}  // namespace

bool Switches::checks(const std::string& word) const { return lists(check, word); }
bool Switches::allows(const std::string& word) const { return lists(fast, word); }

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

std::uint64_t parse_bytes(std::string_view text, std::string_view what) {
    const std::string copy(text);
    char* end = nullptr;
    double value = std::strtod(copy.c_str(), &end);
    int shift = 0;
    switch (*end) {
        case 'k': case 'K': shift = 10; break;
        case 'm': case 'M': shift = 20; break;
        case 'g': case 'G': shift = 30; break;
        case 't': case 'T': shift = 40; break;
        default: break;
    }
    const bool whole = end != copy.c_str() && end[shift > 0] == 0;
    value *= static_cast<double>(1ull << shift);
    check(whole && value >= 0 && value < 0x1p62, ErrorCode::Usage, "{}: expected bytes such as 512M or 2G, got \"{}\"", what, text);
    return static_cast<std::uint64_t>(value);
}

std::string cache_directory() {
    if (!switches().cache_dir.empty()) return switches().cache_dir;
    if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg == '/') return std::string(xdg) + "/heddle";
    if (const char* home = std::getenv("HOME"); home && *home == '/') return std::string(home) + "/.cache/heddle";
    return "/tmp/heddle-cache";
}

}  // namespace gpu
