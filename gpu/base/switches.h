// Every environment switch of Heddle, declared once: name, type, default, help. `heddle --help-env` prints this table.
// A switch NAME is read from HEDDLE_<NAME in capitals>; nothing else in the program reads the environment for tuning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpu {

struct Switches {
    int debug = 0;
    std::string trace;
    std::string dump;
    std::string check;
    std::string device;
    std::uint64_t budget = 0;
    bool discrete = false;
    int slice = 50;
    std::string fault;
    bool host = true;
    bool fuse = true;
    bool small_storage = true;
    bool plan_cache = true;
    std::string variant;
    std::string fast;
    bool tune = true;
    bool serial = false;
    std::string shader_dir;
    bool validation = false;
    bool sync_validation = false;
    std::string cache_dir;
    std::uint64_t cache_budget = std::uint64_t{4} << 30;
    std::string log;

    // True when `check` lists `word` (comma separated): check=nan,oracle.
    bool checks(const std::string& word) const;
    // The same of `fast`.
    bool allows(const std::string& word) const;
};

struct SwitchHelp {
    std::string name;      // "HEDDLE_DEBUG"
    std::string type;      // "0..4", "flag", "bytes", "text", "path"
    std::string initial;
    std::string help;
};

// The switches of this process: read once from the environment, later changed only by tests and command-line options.
Switches& switches();

// Rows for --help-env and the docs, in declaration order.
const std::vector<SwitchHelp>& switch_help();

// "1500", "64K", "512M", "2.5G" (powers of 1024). Throws Error{Usage} that names `what` for anything else.
std::uint64_t parse_bytes(std::string_view text, std::string_view what);

// The folder for caches that can be rebuilt: HEDDLE_CACHE_DIR, else $XDG_CACHE_HOME/heddle, else ~/.cache/heddle.
std::string cache_directory();

// Sets one switch and puts the old value back at the end of the scope: ScopedSwitch no_host(&Switches::host, false).
template <typename T>
class ScopedSwitch {
public:
    ScopedSwitch(T Switches::*member, T value) : member_(member), old_(switches().*member) { switches().*member = value; }
    ~ScopedSwitch() { switches().*member_ = old_; }
    ScopedSwitch(const ScopedSwitch&) = delete;
    ScopedSwitch& operator=(const ScopedSwitch&) = delete;

private:
    T Switches::*member_;
    T old_;
};

}  // namespace gpu
