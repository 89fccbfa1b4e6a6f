#include "nodes/models/lora/blocks.h"

#include <charconv>
#include <optional>
#include <sstream>

#include "gpu/base/error.h"

namespace nodes {
namespace {

constexpr int most_blocks = 12;

std::optional<double> number_of(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    double value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || status != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

struct Vector {
    std::vector<int> input, output;
};
// By the number of values, BASE and MID counted.
Vector vector_of(std::size_t count) {
    const auto range = [](int first, int last) {
        std::vector<int> list;
        for (int i = first; i <= last; ++i) list.push_back(i);
        return list;
    };
    switch (count) {
        case 12: return {{4, 5, 7, 8}, range(0, 5)};
        case 17: return {{1, 2, 4, 5, 7, 8}, range(3, 11)};
        case 20: return {range(0, 8), range(0, 8)};
        case 26: return {range(0, 11), range(0, 11)};
        default: return {};
    }
}

// "input_blocks.4.1..." -> 4.
std::optional<int> block_of(std::string_view name, std::string_view folder) {
    if (!name.starts_with(folder)) return std::nullopt;
    const std::string_view rest = name.substr(folder.size());
    int number = 0;
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (status != std::errc()) return std::nullopt;
    return number;
}

}  // namespace

BlockStrengths::BlockStrengths(const std::string& text) {
    const auto refuse = [&](const std::string& what) {
        throw gpu::Error(gpu::ErrorCode::InvalidGraph, "blocks: expected 12, 17, 20 or 26 numbers with commas, or names such as \"in=0.5 mid=1 out3-8=0.2 base=0\", got {}", what);
    };
    if (text.find_first_not_of(" \t\n") == text.npos) return;
    if (text.find('=') == text.npos) {
        std::vector<double> values;
        std::istringstream list(text);
        for (std::string one; std::getline(list, one, ',');) {
            const auto value = number_of(one);
            if (!value) refuse("\"" + one + "\"");
            values.push_back(*value);
        }
        const Vector places = vector_of(values.size());
        if (places.input.empty()) refuse(gpu::format("{} numbers", values.size()));
        std::size_t at = 0;
        base_ = values[at++];
        for (const int block : places.input) input_[block] = values[at++];
        middle_ = values[at++];
        for (const int block : places.output) output_[block] = values[at++];
        return;
    }
    std::string spaced = text;
    for (char& letter : spaced)
        if (letter == ',' || letter == ';' || letter == '\n') letter = ' ';
    std::istringstream list(spaced);
    std::optional<double> base, middle;
    for (std::string one; list >> one;) {
        const std::size_t equals = one.find('=');
        const auto value = equals == one.npos ? std::nullopt : number_of(std::string_view(one).substr(equals + 1));
        if (!value) refuse("\"" + one + "\"");
        const std::string name = one.substr(0, equals);
        const auto range = [&](std::map<int, double>& blocks, std::string_view rest) {
            if (rest.empty()) {
                for (int i = 0; i < most_blocks; ++i) blocks[i] = *value;
                return;
            }
            const std::size_t dash = rest.find('-');
            const auto first = number_of(rest.substr(0, dash)), last = dash == rest.npos ? first : number_of(rest.substr(dash + 1));
            if (!first || !last || *first < 0 || *last >= most_blocks || *first > *last) refuse("\"" + one + "\"");
            for (int i = static_cast<int>(*first); i <= static_cast<int>(*last); ++i) blocks[i] = *value;
        };
        if (name == "base")
            base = value;
        else if (name == "mid")
            middle = value;
        else if (name == "all")
            others_ = *value;
        else if (name.starts_with("in"))
            range(input_, std::string_view(name).substr(2));
        else if (name.starts_with("out"))
            range(output_, std::string_view(name).substr(3));
        else
            refuse("\"" + one + "\"");
    }
    base_ = base.value_or(others_), middle_ = middle.value_or(others_);
}

double BlockStrengths::of(const std::string& name) const {
    const auto in = [&](const std::map<int, double>& blocks, int block) {
        const auto at = blocks.find(block);
        return at == blocks.end() ? others_ : at->second;
    };
    if (const auto block = block_of(name, "input_blocks.")) return in(input_, *block);
    if (const auto block = block_of(name, "output_blocks.")) return in(output_, *block);
    return name.starts_with("middle_block.") ? middle_ : base_;
}

}  // namespace nodes
