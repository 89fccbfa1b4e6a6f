// Command-line arguments by table: options are declared once; parsing, the help text and messages derive from that.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace app {

struct Option {
    std::string name;   // "--set"
    std::string value;  // "NODE.param=VALUE" as the help shows it; empty: a flag
    std::string help;
    std::string shorthand;  // "-o", or empty
    bool repeats = false;   // may be given more than once
};

// One list of several, in order.
std::vector<Option> joined(std::initializer_list<std::vector<Option>> lists);

// What was given: `--name value`, `--name=value`, `-o value`, and the rest in order. `--` ends the options.
class Arguments {
public:
    // Throws gpu::Error{Usage} for an unknown option (with the nearest one), a missing or surplus value, or an option
    // given twice that does not repeat.
    Arguments(const std::vector<Option>& options, const std::vector<std::string>& words);

    const std::vector<std::string>& positionals() const { return positionals_; }
    bool has(const std::string& option) const { return given_.contains(option); }
    std::optional<std::string> value(const std::string& option) const;
    std::vector<std::string> values(const std::string& option) const;

    // The only positional argument. Throws gpu::Error{Usage} naming `what` is expected when there is none or more.
    const std::string& only(const std::string& what) const;
    // Throws gpu::Error{Usage} when there are fewer or more positional arguments.
    void expect_count(std::size_t least, std::size_t most, const std::string& what) const;
    // The value of an option that must be one of `choices`; the first of them when it is not given.
    std::string choice(const std::string& option, const std::vector<std::string>& choices) const;

private:
    std::vector<std::string> positionals_;
    std::map<std::string, std::vector<std::string>> given_;
};

}  // namespace app
