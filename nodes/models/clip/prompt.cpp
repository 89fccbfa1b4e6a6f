#include "nodes/models/clip/prompt.h"

#include <QRegularExpression>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <set>

namespace nodes {
namespace {

constexpr double step_up = 1.1;

// "1.2"; nothing for text, and for the numbers that would spoil all others.
std::optional<double> finite_number(const QString& text) {
    bool number = false;
    const double value = text.trimmed().toDouble(&number);
    return number && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// --- comfy ---

// Escaped parentheses as characters that no prompt holds.
constexpr QChar open_mark(0xe001), close_mark(0xe002);

QString with_marks(QString text) { return text.replace("\\)", QString(close_mark)).replace("\\(", QString(open_mark)); }
QString without_marks(QString text) { return text.replace(close_mark, ')').replace(open_mark, '('); }

// Outermost parentheses, each as one piece with its parentheses, and the text between. Unbalanced ones stay in the text.
QStringList pieces_of(const QString& text) {
    QStringList pieces;
    QString piece;
    int depth = 0;
    for (const QChar c : text) {
        if (c == '(') {
            if (depth == 0 && !piece.isEmpty()) {
                pieces << piece;
                piece.clear();
            }
            ++depth;
        } else if (c == ')') {
            --depth;
            if (depth == 0) {
                pieces << piece + ')';
                piece.clear();
                continue;
            }
        }
        piece += c;
    }
    if (!piece.isEmpty()) pieces << piece;
    return pieces;
}

constexpr int deepest = 200;      // of nested parentheses; deeper ones are text

void comfy_parts(const QString& text, double weight, int depth, std::vector<PromptPart>& parts) {
    for (const QString& piece : pieces_of(text)) {
        if (piece.size() < 2 || !piece.startsWith('(') || !piece.endsWith(')') || depth >= deepest) {
            parts.push_back({without_marks(piece), weight});
            continue;
        }
        QString inner = piece.mid(1, piece.size() - 2);
        double inner_weight = weight * step_up;
        const qsizetype colon = inner.lastIndexOf(':');
        if (const auto given = colon > 0 ? finite_number(inner.mid(colon + 1)) : std::nullopt) {
            inner_weight = *given;
            inner.truncate(colon);
        }
        comfy_parts(inner, inner_weight, depth + 1, parts);
    }
}

// --- a1111 ---

void append_text(std::vector<PromptPart>& parts, const QString& text) {
    static const QRegularExpression word("\\s*\\bBREAK\\b\\s*");
    const QStringList pieces = text.split(word);
    for (qsizetype i = 0; i < pieces.size(); ++i) {
        if (i > 0) parts.push_back({{}, 1, true});
        parts.push_back({pieces[i], 1});
    }
}

std::vector<PromptPart> a1111_parts(const QString& prompt) {
    static const QRegularExpression token(R"(\\[()\[\]\\]|\\|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]|[^\\()\[\]:]+|:)");
    std::vector<PromptPart> parts;
    std::vector<std::size_t> round, square;      // where open ones began
    const auto multiply = [&](std::size_t from, double by) {
        for (std::size_t i = from; i < parts.size(); ++i) parts[i].weight *= by;
    };
    const auto closed = [](std::vector<std::size_t>& open) {
        const std::size_t at = open.back();
        open.pop_back();
        return at;
    };
    for (auto matches = token.globalMatch(prompt); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        const QString text = match.captured(0);
        const auto weight = finite_number(match.captured(1));
        if (text.startsWith('\\')) {
            parts.push_back({text.mid(1), 1});
        } else if (text == "(") {
            round.push_back(parts.size());
        } else if (text == "[") {
            square.push_back(parts.size());
        } else if (weight && !round.empty()) {
            multiply(closed(round), *weight);
        } else if (text == ")" && !round.empty()) {
            multiply(closed(round), step_up);
        } else if (text == "]" && !square.empty()) {
            multiply(closed(square), 1 / step_up);
        } else {
            append_text(parts, text);
        }
    }
    for (const std::size_t at : round) multiply(at, step_up);
    for (const std::size_t at : square) multiply(at, 1 / step_up);

    std::vector<PromptPart> merged;
    for (PromptPart& part : parts) {
        if (part.chunk_end) part.weight = 1;
        if (!merged.empty() && !part.chunk_end && !merged.back().chunk_end && merged.back().weight == part.weight)
            merged.back().text += part.text;
        else
            merged.push_back(std::move(part));
    }
    std::erase_if(merged, [](const PromptPart& part) { return part.text.isEmpty() && !part.chunk_end; });
    if (merged.empty()) merged.push_back({});
    return merged;
}

// --- schedules: a tree of texts, switches and alternations ---

struct Piece;
using Sequence = std::vector<Piece>;

struct Piece {
    QString text;                          // of a text
    std::vector<Sequence> options;         // of a switch (before, after) or an alternation
    std::optional<double> when;            // of a switch
    bool square = false;                   // options[0] in brackets that are none of these: emphasis, kept as they are
};

class ScheduleParser {
public:
    explicit ScheduleParser(const QString& prompt) : text_(prompt), partner_(prompt.size(), -1) {
        std::vector<qsizetype> open;
        for (qsizetype i = 0; i < text_.size(); ++i) {
            if (text_[i] == '\\') {
                ++i;
            } else if (text_[i] == '[') {
                open.push_back(i);
            } else if (text_[i] == ']' && !open.empty()) {
                if (open.size() <= deepest) partner_[open.back()] = i, partner_[i] = open.back();
                open.pop_back();
            }
        }
    }

    Sequence parse() { return sequence(false); }

private:
    static constexpr std::size_t deepest = 100;      // brackets; deeper ones are text

    // Up to the end, or to what ends an option in square brackets: ] | : outside of parentheses.
    Sequence sequence(bool in_square) {
        Sequence parts;
        QString plain;
        int round = 0;
        const auto flush = [&] {
            if (!plain.isEmpty()) parts.push_back({plain});
            plain.clear();
        };
        while (at_ < text_.size()) {
            const QChar c = text_[at_];
            const bool paired = partner_[at_] >= 0;
            if (c == '[' && paired) {
                flush();
                parts.push_back(brackets());
                continue;
            }
            if ((c == ']' && paired) || (in_square && round == 0 && (c == '|' || c == ':'))) break;
            if (c == '(') ++round;
            if (c == ')' && round > 0) --round;
            const qsizetype length = c == '\\' && at_ + 1 < text_.size() ? 2 : 1;      // an escaped character is none of these
            plain += text_.mid(at_, length);
            at_ += length;
        }
        flush();
        return parts;
    }

    // From a bracket that has its partner on.
    Piece brackets() {
        const qsizetype end = partner_[at_++];
        std::vector<Sequence> options;
        std::vector<QChar> between;
        qsizetype last = at_;
        for (;;) {
            last = at_;
            options.push_back(sequence(true));
            if (at_ >= end) break;
            between.push_back(text_[at_++]);
        }
        at_ = end + 1;
        Piece made;
        const auto all = [&](QChar c) { return std::all_of(between.begin(), between.end(), [&](QChar b) { return b == c; }); };
        if (!between.empty() && all('|')) {
            made.options = std::move(options);
            return made;
        }
        if (!between.empty() && between.size() <= 2 && all(':'))
            if (const auto when = finite_number(text_.mid(last, end - last))) {
                made.when = when;
                options.pop_back();
                if (options.size() == 1) options.insert(options.begin(), Sequence{});
                made.options = std::move(options);
                return made;
            }
        // Emphasis, or text in brackets: switches inside still count.
        made.square = true;
        made.options.emplace_back();
        for (std::size_t i = 0; i < options.size(); ++i) {
            if (i > 0) made.options[0].push_back({QString(between[i - 1])});
            std::move(options[i].begin(), options[i].end(), std::back_inserter(made.options[0]));
        }
        return made;
    }

    const QString text_;
    std::vector<qsizetype> partner_;      // of each bracket that has one, else -1
    qsizetype at_ = 0;
};

// The last step, counted from 1, at which the "before" of a switch is used.
int switch_step(double when, int steps) {
    const double step = when < 1 ? when * steps : when;
    return static_cast<int>(std::clamp(step, 0.0, static_cast<double>(steps)));
}

void collect_ends(const Sequence& sequence, int steps, std::set<int>& ends) {
    for (const Piece& piece : sequence) {
        if (piece.when) {
            if (const int at = switch_step(*piece.when, steps); at >= 1) ends.insert(at);
        } else if (!piece.options.empty() && !piece.square) {
            for (int step = 1; step <= steps; ++step) ends.insert(step);
        }
        for (const Sequence& option : piece.options) collect_ends(option, steps, ends);
    }
}

QString text_at(const Sequence& sequence, int step, int steps) {
    QString text;
    for (const Piece& piece : sequence) {
        if (piece.options.empty())
            text += piece.text;
        else if (piece.square)
            text += '[' + text_at(piece.options[0], step, steps) + ']';
        else if (piece.when)
            text += text_at(piece.options[step <= switch_step(*piece.when, steps) ? 0 : 1], step, steps);
        else
            text += text_at(piece.options[static_cast<std::size_t>(step - 1) % piece.options.size()], step, steps);
    }
    return text;
}

}  // namespace

std::vector<PromptPart> weighted_parts(const QString& prompt, PromptDialect dialect) {
    if (dialect == PromptDialect::Plain) return {{prompt, 1}};
    if (dialect == PromptDialect::A1111) return a1111_parts(prompt);
    std::vector<PromptPart> parts;
    comfy_parts(with_marks(prompt), 1, 0, parts);
    return parts;
}

std::vector<PromptSpan> prompt_schedule(const QString& prompt, int steps) {
    steps = std::max(steps, 1);
    const Sequence tree = ScheduleParser(prompt).parse();
    std::set<int> ends{steps};
    collect_ends(tree, steps, ends);
    std::vector<PromptSpan> spans;
    int first = 0;
    for (const int end : ends) {
        spans.push_back({first, end, text_at(tree, end, steps)});
        first = end;
    }
    return spans;
}

std::vector<SubPrompt> prompt_alternatives(const QString& prompt) {
    static const QRegularExpression word("\\bAND\\b"), number(R"(\s*:\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*$)");
    std::vector<SubPrompt> parts;
    for (const QString& piece : prompt.split(word)) {
        const QRegularExpressionMatch match = number.match(piece);
        SubPrompt part{piece};
        if (match.hasMatch()) {
            part.text.truncate(match.capturedStart());
            part.weight = match.captured(1).toDouble();
        }
        parts.push_back(std::move(part));
    }
    return parts;
}

QString without_networks(const QString& prompt, QStringList& removed) {
    static const QRegularExpression network("<(?:lora|lyco|hypernet):[^>]+>");
    QString text;
    qsizetype from = 0;
    for (auto matches = network.globalMatch(prompt); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        removed << match.captured(0);
        text += prompt.mid(from, match.capturedStart() - from);
        from = match.capturedEnd();
    }
    return text + prompt.mid(from);
}

}  // namespace nodes
