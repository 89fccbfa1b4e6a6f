#include "nodes/training/byte_pairs.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "gpu/base/error.h"
#include "nodes/models/clip/tokenizer.h"

namespace nodes {
namespace {

using Symbols = std::vector<std::string>;

// Runs of letters, single digits, runs of anything else but spaces.
std::vector<std::string> words_of(const std::string& text) {
    enum class Kind { Space, Letter, Digit, Other };
    const auto kind = [](unsigned char c) {
        return std::isspace(c) ? Kind::Space : std::isalpha(c) ? Kind::Letter : std::isdigit(c) ? Kind::Digit : Kind::Other;
    };
    std::vector<std::string> words;
    Kind before = Kind::Space;
    for (const char c : text) {
        const Kind now = kind(static_cast<unsigned char>(c));
        if (now != Kind::Space) {
            if (now != before || now == Kind::Digit) words.emplace_back();
            words.back() += c;
        }
        before = now;
    }
    return words;
}

}  // namespace

std::string learn_merges(const std::vector<std::string>& texts, int count) {
    gpu::check(count >= 1, gpu::ErrorCode::InvalidGraph, "learn merges: expected at least one, got {}", count);
    std::map<std::string, std::int64_t> counted;
    for (const std::string& text : texts)
        for (const std::string& word : words_of(clean_prompt(QString::fromStdString(text)).toStdString()))
            if (std::all_of(word.begin(), word.end(), [](unsigned char c) { return c > 32 && c < 127; })) ++counted[word];
    std::vector<std::pair<Symbols, std::int64_t>> words;
    for (const auto& [word, times] : counted) {
        Symbols symbols;
        for (const char c : word) symbols.emplace_back(1, c);
        symbols.back() += "</w>";
        words.emplace_back(std::move(symbols), times);
    }
    std::string merges = "#version: 0.2\n";
    int made = 0;
    for (; made < count; ++made) {
        std::map<std::pair<std::string, std::string>, std::int64_t> pairs;
        for (const auto& [symbols, times] : words)
            for (std::size_t i = 0; i + 1 < symbols.size(); ++i) pairs[{symbols[i], symbols[i + 1]}] += times;
        const auto best = std::max_element(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        if (best == pairs.end() || best->second < 2) break;
        const auto [left, right] = best->first;
        merges += gpu::format("{} {}\n", left, right);
        for (auto& [symbols, times] : words)
            for (std::size_t i = 0; i + 1 < symbols.size(); ++i)
                if (symbols[i] == left && symbols[i + 1] == right) {
                    symbols[i] += right;
                    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
                }
    }
    gpu::check(made > 0, gpu::ErrorCode::InvalidGraph, "learn merges: expected words of which some pair of letters stands twice, got {} texts without", texts.size());
    return merges;
}

}  // namespace nodes
