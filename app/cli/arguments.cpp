#include "app/cli/arguments.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "nodes/core/nearest.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

const Option& find_option(const std::vector<Option>& options, const std::string& name) {
    std::vector<std::string> names;
    for (const Option& option : options) {
        if (name == option.name || (!option.shorthand.empty() && name == option.shorthand)) return option;
        names.push_back(option.name);
    }
    const std::string near = nodes::nearest(name, names);
    throw Error(ErrorCode::Usage, "unknown option {}{}", name, near.empty() ? "" : "; did you mean " + near + "?");
}

}  // namespace

std::vector<Option> joined(std::initializer_list<std::vector<Option>> lists) {
    std::vector<Option> all;
    for (const std::vector<Option>& list : lists) all.insert(all.end(), list.begin(), list.end());
    return all;
}

Arguments::Arguments(const std::vector<Option>& options, const std::vector<std::string>& words) {
    bool ended = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (ended || word == "-" || !word.starts_with('-')) {
            positionals_.push_back(word);
            continue;
        }
        if (word == "--") {
            ended = true;
            continue;
        }
        const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
        const Option& option = find_option(options, word.substr(0, equals));
        std::string value;
        if (option.value.empty()) {
            gpu::check(equals == std::string::npos, ErrorCode::Usage, "{}: expected no value, got '{}'", option.name,
                       word.substr(equals + 1));
        } else if (equals != std::string::npos) {
            value = word.substr(equals + 1);
        } else {
            gpu::check(i + 1 < words.size(), ErrorCode::Usage, "{}: expected {}, got nothing", option.name,
                       option.value);
            value = words[++i];
        }
        std::vector<std::string>& values = given_[option.name];
        gpu::check(option.repeats || option.value.empty() || values.empty(), ErrorCode::Usage,
                   "{}: expected once, got '{}' and '{}'", option.name, values.empty() ? "" : values[0], value);
        values.push_back(value);
    }
}

std::optional<std::string> Arguments::value(const std::string& option) const {
    const auto at = given_.find(option);
    return at == given_.end() ? std::nullopt : std::optional(at->second.back());
}

std::vector<std::string> Arguments::values(const std::string& option) const {
    const auto at = given_.find(option);
    return at == given_.end() ? std::vector<std::string>() : at->second;
}

const std::string& Arguments::only(const std::string& what) const {
    expect_count(1, 1, what);
    return positionals_.front();
}

void Arguments::expect_count(std::size_t least, std::size_t most, const std::string& what) const {
    gpu::check(positionals_.size() >= least, ErrorCode::Usage, "expected {}, got {}", what,
               positionals_.empty() ? "nothing" : "only '" + positionals_.back() + "'");
    gpu::check(positionals_.size() <= most, ErrorCode::Usage, "expected {}, got also '{}'", what,
               positionals_.size() > most ? positionals_[most] : "");
}

std::string Arguments::choice(const std::string& option, const std::vector<std::string>& choices) const {
    const auto given = value(option);
    if (!given) return choices.front();
    if (std::ranges::count(choices, *given)) return *given;
    std::string list;
    for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
    throw Error(ErrorCode::Usage, "{}: expected one of {}, got '{}'", option, list, *given);
}

}  // namespace app
