// Einstein sums as permute, reshape, matmul and sum. Two operands at a time, from the left.
#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "gpu/base/error.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

constexpr const char* wanted = "einsum: expected one list of letters for each operand, such as \"bij,bjk->bik\", got \"{}\" for {} operands";

// The axes that "..." covers get digits, counted from the right, so that they broadcast as numpy does.
using Letters = std::string;

struct Operand {
    Tensor x;
    Letters letters;   // one an axis, each once
};

struct Subscripts {
    std::vector<std::string> inputs;
    std::string output;
    bool has_output = false;
};

Subscripts parse(const std::string& given, std::size_t operands) {
    std::string text;
    for (const char c : given)
        if (c != ' ') text += c;
    Subscripts result;
    const auto arrow = text.find("->");
    result.has_output = arrow != std::string::npos;
    if (result.has_output) result.output = text.substr(arrow + 2);
    std::string inputs = text.substr(0, arrow);
    for (std::size_t start = 0; start <= inputs.size();) {
        const auto comma = std::min(inputs.find(',', start), inputs.size());
        result.inputs.push_back(inputs.substr(start, comma - start));
        start = comma + 1;
    }
    const auto legal = [](std::string list) {
        if (const auto dots = list.find("..."); dots != std::string::npos) list.erase(dots, 3);
        return std::all_of(list.begin(), list.end(), [](unsigned char c) { return std::isalpha(c); });
    };
    check(result.inputs.size() == operands && operands > 0 && legal(result.output) &&
              std::all_of(result.inputs.begin(), result.inputs.end(), legal),
          ErrorCode::InvalidGraph, wanted, given, operands);
    return result;
}

// Puts digits in the place of "...": `count` of them, the last being '0'.
Letters without_dots(const std::string& list, std::size_t count) {
    const auto dots = list.find("...");
    if (dots == std::string::npos) return list;
    std::string digits;
    for (std::size_t i = count; i-- > 0;) digits += static_cast<char>('0' + i);
    return list.substr(0, dots) + digits + list.substr(dots + 3);
}

Operand operand_of(const Tensor& x, const std::string& list, const std::string& given) {
    const bool dots = list.find("...") != std::string::npos;
    const std::size_t named = list.size() - (dots ? 3 : 0), rank = x.shape().size();
    check(dots ? rank >= named && rank - named <= 9 : rank == named, ErrorCode::InvalidGraph, "einsum \"{}\": expected {}{} axes for \"{}\", got {}",
          given, dots ? "at least " : "", named, list, shown(x.spec()));
    Operand result{x, without_dots(list, rank - named)};
    for (std::size_t i = 0; i < result.letters.size();) {
        const char letter = result.letters[i];
        const auto again = result.letters.find(letter, i + 1);
        if (again == std::string::npos) {
            ++i;
            continue;
        }
        result.x = diagonal(result.x, static_cast<int>(i), static_cast<int>(again));   // becomes the last axis
        result.letters.erase(again, 1).erase(i, 1);
        result.letters += letter;
        i = 0;
    }
    return result;
}

std::int64_t length_of(const Operand& operand, char letter) {
    const auto at = operand.letters.find(letter);
    return at == std::string::npos ? 1 : operand.x.shape()[at];
}

// Axes in the order of `letters`; those the operand lacks have length 1.
Tensor arranged(const Operand& operand, const Letters& letters) {
    std::vector<int> order;
    Shape shape;
    for (const char letter : letters) {
        const auto at = operand.letters.find(letter);
        if (at != std::string::npos) order.push_back(static_cast<int>(at));
        shape.push_back(length_of(operand, letter));
    }
    return reshape(permute(operand.x, order), shape);
}

// Sums over the letters that are not in `kept`.
Operand summed(const Operand& operand, const std::set<char>& kept) {
    std::vector<int> axes;
    Letters left;
    for (std::size_t i = 0; i < operand.letters.size(); ++i) {
        if (kept.contains(operand.letters[i])) left += operand.letters[i];
        else axes.push_back(static_cast<int>(i));
    }
    return axes.empty() ? operand : Operand{sum(operand.x, axes, false), left};
}

class Contraction {
public:
    Contraction(const Operand& a, const Operand& b, const std::set<char>& kept) : a_(a), b_(b) {
        const auto in_b = [&](char c) { return b.letters.find(c) != std::string::npos; };
        for (const char c : a.letters) (!in_b(c) ? rows_ : kept.contains(c) ? batch_ : contracted_) += c;
        for (const char c : b.letters)
            if (a.letters.find(c) == std::string::npos) columns_ += c;
    }

    Operand run() const {
        // Without a row or a column on both sides, or without a sum, a matrix product has nothing to reuse.
        if (contracted_.empty() || (rows_.empty() && columns_.empty())) return elementwise();
        const Tensor a = matrix(a_, rows_, contracted_), b = matrix(b_, contracted_, columns_);
        Shape shape = lengths(batch_);
        for (const Letters& part : {rows_, columns_})
            for (const std::int64_t length : lengths(part)) shape.push_back(length);
        return {reshape(matmul(a, b), shape), batch_ + rows_ + columns_};
    }

private:
    std::int64_t length(char c) const { return std::max(length_of(a_, c), length_of(b_, c)); }   // 1 broadcasts
    Shape lengths(const Letters& letters) const {
        Shape shape;
        for (const char c : letters) shape.push_back(std::min(length_of(a_, c), length_of(b_, c)) == 0 ? 0 : length(c));
        return shape;
    }
    Operand elementwise() const {
        const Letters all = batch_ + rows_ + columns_ + contracted_;
        const Tensor product = arranged(a_, all) * arranged(b_, all);
        std::vector<int> axes;
        for (std::size_t i = all.size() - contracted_.size(); i < all.size(); ++i) axes.push_back(static_cast<int>(i));
        return {axes.empty() ? product : sum(product, axes, false), batch_ + rows_ + columns_};
    }
    // [batch, rows, columns], every group merged into one axis.
    Tensor matrix(const Operand& operand, const Letters& rows, const Letters& columns) const {
        const Shape batch = lengths(batch_), r = lengths(rows), c = lengths(columns);
        Shape full = batch;
        full.insert(full.end(), r.begin(), r.end());
        full.insert(full.end(), c.begin(), c.end());
        Shape merged{element_count(batch), element_count(r), element_count(c)};
        if (batch_.empty()) merged.erase(merged.begin());
        return reshape(broadcast_to(arranged(operand, batch_ + rows + columns), full), merged);
    }

    const Operand &a_, &b_;
    Letters batch_, rows_, columns_, contracted_;
};

std::string implied_output(const std::vector<Operand>& operands, const Subscripts& subscripts) {
    std::map<char, int> count;   // over the subscripts as written: a diagonal's letter counts twice
    std::set<char> digits;
    for (const Operand& operand : operands)
        for (const char c : operand.letters)
            if (std::isdigit(static_cast<unsigned char>(c))) digits.insert(c);
    for (const std::string& list : subscripts.inputs)
        for (const char c : list)
            if (c != '.') ++count[c];
    std::string output(digits.rbegin(), digits.rend());
    for (const auto& [letter, times] : count)
        if (times == 1) output += letter;
    return output;
}

}  // namespace

Tensor einsum(const std::string& given, const Tensors& tensors) {
    const Subscripts subscripts = parse(given, tensors.size());
    std::vector<Operand> operands;
    std::map<char, std::int64_t> length;
    std::size_t dots = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        operands.push_back(operand_of(tensors[i], subscripts.inputs[i], given));
        const Operand& operand = operands.back();
        for (std::size_t axis = 0; axis < operand.letters.size(); ++axis) {
            const char c = operand.letters[axis];
            const std::int64_t here = operand.x.shape()[axis];
            if (std::isdigit(static_cast<unsigned char>(c))) dots = std::max<std::size_t>(dots, static_cast<std::size_t>(c - '0') + 1);
            std::int64_t& known = length.emplace(c, here).first->second;
            check(known == here || known == 1 || here == 1, ErrorCode::InvalidGraph, "einsum \"{}\": expected one length for {}, got {} and {}",
                  given, std::isdigit(static_cast<unsigned char>(c)) ? std::string("...") : std::string(1, c), known, here);
            if (known == 1) known = here;
        }
    }
    const Letters output = subscripts.has_output ? without_dots(subscripts.output, dots) : implied_output(operands, subscripts);
    for (std::size_t i = 0; i < output.size(); ++i)
        check(length.contains(output[i]) && output.find(output[i], i + 1) == std::string::npos, ErrorCode::InvalidGraph,
              "einsum \"{}\": expected each letter of the result once, and in an operand", given);

    Operand result = operands[0];
    for (std::size_t i = 0; i < operands.size(); ++i) {
        // Letters that something still to come, or the result, needs.
        std::set<char> later(output.begin(), output.end());
        for (std::size_t j = i + 1; j < operands.size(); ++j) later.insert(operands[j].letters.begin(), operands[j].letters.end());
        if (i == 0) {
            result = summed(result, later);
            continue;
        }
        std::set<char> kept = later;
        kept.insert(result.letters.begin(), result.letters.end());
        const Operand next = summed(operands[i], kept);
        result = summed(Contraction(result, next, later).run(), later);
    }
    return arranged(result, output);
}

}  // namespace gpu
