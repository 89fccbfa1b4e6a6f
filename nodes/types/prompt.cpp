#include "nodes/types/prompt.h"

#include <QRegularExpression>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>

namespace nodes {
namespace {

constexpr double step_up = 1.1;

// "1.2"; nothing for text, and for the numbers that would spoil all others.
std::optional<double> finite_number(const QString& text) {
    bool number = false;
    const double value = text.trimmed().toDouble(&number);
    return number && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// Text with the place of every character in the prompt that it came out of.
struct Traced {
    QString text;
    std::vector<qsizetype> at;

    static Traced all(const QString& text) {
        Traced made{text, std::vector<qsizetype>(static_cast<std::size_t>(text.size()))};
        std::iota(made.at.begin(), made.at.end(), qsizetype{0});
        return made;
    }
    qsizetype place(qsizetype i) const { return at[static_cast<std::size_t>(i)]; }
    void append(const Traced& other) {
        text += other.text;
        at.insert(at.end(), other.at.begin(), other.at.end());
    }
    void append(QChar c, qsizetype place) {
        text += c;
        at.push_back(place);
    }
    Traced mid(qsizetype from, qsizetype length) const {
        return {text.mid(from, length), std::vector<qsizetype>(at.begin() + from, at.begin() + from + length)};
    }
};

// Writes down what a parser sees, at the places of the prompt; without a prompt to mark it does nothing.
class Notes {
public:
    Notes(PromptSyntax* to, const std::vector<qsizetype>& places) : to_(to), places_(places) {}

    explicit operator bool() const { return to_ != nullptr; }
    // Characters of the text that is parsed; where they are apart in the prompt, as often as they are.
    void mark(qsizetype from, qsizetype length, PromptMarkKind kind, double weight = 1) const {
        for (qsizetype i = from, end = from + length; to_ && i < end;) {
            qsizetype next = i + 1;
            while (next < end && place(next) == place(next - 1) + 1) ++next;
            to_->marks.push_back({place(i), place(next - 1) + 1 - place(i), kind, weight});
            i = next;
        }
    }
    // From bracket to bracket; `inner_end`: where the number or the closing bracket begins.
    void emphasis(qsizetype open, qsizetype inner_end, qsizetype close, double weight) const {
        if (!to_) return;
        const qsizetype inner = place(open) + 1;
        to_->emphasis.push_back({place(open), place(close) + 1 - place(open), inner, place(inner_end) - inner, weight});
    }

private:
    qsizetype place(qsizetype i) const { return places_[static_cast<std::size_t>(i)]; }

    PromptSyntax* to_;
    const std::vector<qsizetype>& places_;
};

// --- comfy ---

// Escaped parentheses as characters that no prompt holds.
constexpr QChar open_mark(0xe001), close_mark(0xe002);

Traced with_marks(const QString& text) {
    Traced made;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const QChar next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : QChar();
        if (next == '(' || next == ')')
            made.append(next == '(' ? open_mark : close_mark, i++);
        else
            made.append(text[i], i);
    }
    return made;
}
QString without_marks(QString text) { return text.replace(close_mark, ')').replace(open_mark, '('); }

struct Range {
    qsizetype at, length;
};

// Outermost parentheses, each as one piece with its parentheses, and the text between. Unbalanced ones stay in the text.
std::vector<Range> pieces_of(const QString& text, Range within) {
    std::vector<Range> pieces;
    qsizetype from = within.at;
    const qsizetype end = within.at + within.length;
    int depth = 0;
    for (qsizetype i = from; i < end; ++i) {
        if (text[i] == '(') {
            if (depth == 0 && i > from) {
                pieces.push_back({from, i - from});
                from = i;
            }
            ++depth;
        } else if (text[i] == ')' && --depth == 0) {
            pieces.push_back({from, i + 1 - from});
            from = i + 1;
        }
    }
    if (end > from) pieces.push_back({from, end - from});
    return pieces;
}

constexpr int deepest = 200;      // of nested parentheses; deeper ones are text

void note_comfy_text(const QString& text, Range range, double weight, const Notes& notes) {
    if (!notes) return;
    if (weight != 1) notes.mark(range.at, range.length, PromptMarkKind::Weighted, weight);
    for (qsizetype i = range.at; i < range.at + range.length; ++i)
        if (text[i] == open_mark || text[i] == close_mark) notes.mark(i, 1, PromptMarkKind::Escape);
    for (EmbeddingCall call : embedding_calls(text.mid(range.at, range.length))) {
        while (call.end > call.name && text[range.at + call.end - 1] == ',') --call.end;      // part of the text, but for names that have one
        notes.mark(range.at + call.at, call.end - call.at, PromptMarkKind::Embedding);
    }
}

void comfy_parts(const QString& text, Range within, double weight, int depth, std::vector<PromptPart>& parts, const Notes& notes) {
    for (const Range& piece : pieces_of(text, within)) {
        const qsizetype close = piece.at + piece.length - 1;
        if (piece.length < 2 || text[piece.at] != '(' || text[close] != ')' || depth >= deepest) {
            parts.push_back({without_marks(text.mid(piece.at, piece.length)), weight});
            note_comfy_text(text, piece, weight, notes);
            continue;
        }
        Range inner{piece.at + 1, piece.length - 2};
        double own = step_up, inner_weight = weight * step_up;
        const QStringView words = QStringView(text).mid(inner.at, inner.length);
        const qsizetype colon = words.lastIndexOf(':');
        if (const auto given = colon > 0 ? finite_number(words.mid(colon + 1).toString()) : std::nullopt) {
            own = inner_weight = *given;
            inner.length = colon;
            notes.mark(inner.at + colon, close - inner.at - colon, PromptMarkKind::Number);
        }
        notes.mark(piece.at, 1, PromptMarkKind::Bracket);
        notes.mark(close, 1, PromptMarkKind::Bracket);
        notes.emphasis(piece.at, inner.at + inner.length, close, own);
        comfy_parts(text, inner, inner_weight, depth + 1, parts, notes);
    }
}

// --- a1111 ---

// A part and where its text is.
struct PlacedPart {
    PromptPart part;
    Range range{0, 0};
};

void append_text(std::vector<PlacedPart>& parts, const QString& text, qsizetype at, const Notes& notes) {
    static const QRegularExpression word("\\s*\\bBREAK\\b\\s*");
    qsizetype from = 0;
    const auto add = [&](qsizetype end) { parts.push_back({{text.mid(from, end - from), 1}, {at + from, end - from}}); };
    for (auto matches = word.globalMatch(text); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        add(match.capturedStart());
        parts.push_back({{{}, 1, true}});
        notes.mark(at + match.capturedStart() + match.captured().indexOf(QLatin1String("BREAK")), 5, PromptMarkKind::Break);
        from = match.capturedEnd();
    }
    add(text.size());
}

std::vector<PromptPart> a1111_parts(const QString& prompt, const Notes& notes) {
    static const QRegularExpression token(R"(\\[()\[\]\\]|\\|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]|[^\\()\[\]:]+|:)");
    struct Open {
        std::size_t part;      // where it began
        qsizetype at;
    };
    std::vector<PlacedPart> parts;
    std::vector<Open> round, square;
    const auto multiply = [&](std::size_t from, double by) {
        for (std::size_t i = from; i < parts.size(); ++i) parts[i].part.weight *= by;
    };
    // `inner_end`: where the text inside ends, `close`: the bracket.
    const auto closed = [&](std::vector<Open>& open, qsizetype inner_end, qsizetype close, double by) {
        const Open last = open.back();
        open.pop_back();
        multiply(last.part, by);
        notes.mark(last.at, 1, PromptMarkKind::Bracket);
        notes.mark(close, 1, PromptMarkKind::Bracket);
        if (&open == &round) notes.emphasis(last.at, inner_end, close, by);
    };
    for (auto matches = token.globalMatch(prompt); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        const QString text = match.captured(0);
        const qsizetype at = match.capturedStart();
        const auto weight = finite_number(match.captured(1));
        if (text.startsWith('\\')) {
            parts.push_back({{text.mid(1), 1}, {at, text.size()}});
            if (text.size() > 1) notes.mark(at, text.size(), PromptMarkKind::Escape);
        } else if (text == "(") {
            round.push_back({parts.size(), at});
        } else if (text == "[") {
            square.push_back({parts.size(), at});
        } else if (weight && !round.empty()) {
            notes.mark(at, text.size() - 1, PromptMarkKind::Number);
            closed(round, at, at + text.size() - 1, *weight);
        } else if (text == ")" && !round.empty()) {
            closed(round, at, at, step_up);
        } else if (text == "]" && !square.empty()) {
            closed(square, at, at, 1 / step_up);
        } else {
            append_text(parts, text, at, notes);
        }
    }
    for (const Open& open : round) multiply(open.part, step_up), notes.mark(open.at, 1, PromptMarkKind::Bracket);
    for (const Open& open : square) multiply(open.part, 1 / step_up), notes.mark(open.at, 1, PromptMarkKind::Bracket);

    std::vector<PromptPart> merged;
    for (auto& [part, range] : parts) {
        if (part.chunk_end) part.weight = 1;
        if (part.weight != 1) notes.mark(range.at, range.length, PromptMarkKind::Weighted, part.weight);
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
    Traced text{};                         // of a text; the two brackets where `square`
    std::vector<Sequence> options{};       // of a switch (before, after) or an alternation
    std::optional<double> when{};          // of a switch
    bool square = false;                   // options[0] in brackets that are none of these: emphasis, kept as they are
};

class ScheduleParser {
public:
    // `marks`, where it is there, gets the places of what makes a schedule.
    explicit ScheduleParser(const QString& prompt, std::vector<Range>* marks = nullptr) : text_(prompt), partner_(prompt.size(), -1), marks_(marks) {
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
        Traced plain;
        int round = 0;
        const auto flush = [&] {
            if (!plain.text.isEmpty()) parts.push_back({plain});
            plain = {};
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
            for (const qsizetype end = at_ + length; at_ < end; ++at_) plain.append(text_[at_], at_);
        }
        flush();
        return parts;
    }

    // From a bracket that has its partner on.
    Piece brackets() {
        const qsizetype begin = at_, end = partner_[at_++];
        std::vector<Sequence> options;
        std::vector<qsizetype> between;
        qsizetype last = at_;
        for (;;) {
            last = at_;
            options.push_back(sequence(true));
            if (at_ >= end) break;
            between.push_back(at_++);
        }
        at_ = end + 1;
        Piece made;
        const auto all = [&](QChar c) { return std::all_of(between.begin(), between.end(), [&](qsizetype b) { return text_[b] == c; }); };
        const auto note = [&](qsizetype number) {      // the number's place, or the last bracket's
            if (!marks_) return;
            marks_->push_back({begin, 1});
            for (const qsizetype at : between)
                if (at < number) marks_->push_back({at, 1});
            marks_->push_back({number, end + 1 - number});
        };
        if (!between.empty() && all('|')) {
            note(end);
            made.options = std::move(options);
            return made;
        }
        if (!between.empty() && between.size() <= 2 && all(':'))
            if (const auto when = finite_number(text_.mid(last, end - last))) {
                note(between.back());
                made.when = when;
                options.pop_back();
                if (options.size() == 1) options.insert(options.begin(), Sequence{});
                made.options = std::move(options);
                return made;
            }
        // Emphasis, or text in brackets: switches inside still count.
        made.square = true;
        made.text.append('[', begin);
        made.text.append(']', end);
        made.options.emplace_back();
        for (std::size_t i = 0; i < options.size(); ++i) {
            if (i > 0) made.options[0].push_back({Traced{QString(text_[between[i - 1]]), {between[i - 1]}}});
            std::move(options[i].begin(), options[i].end(), std::back_inserter(made.options[0]));
        }
        return made;
    }

    const QString text_;
    std::vector<qsizetype> partner_;      // of each bracket that has one, else -1
    std::vector<Range>* marks_;
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

Traced text_at(const Sequence& sequence, int step, int steps) {
    Traced text;
    for (const Piece& piece : sequence) {
        if (piece.options.empty()) {
            text.append(piece.text);
        } else if (piece.square) {
            text.append(piece.text.mid(0, 1));
            text.append(text_at(piece.options[0], step, steps));
            text.append(piece.text.mid(1, 1));
        } else if (piece.when) {
            text.append(text_at(piece.options[step <= switch_step(*piece.when, steps) ? 0 : 1], step, steps));
        } else {
            text.append(text_at(piece.options[static_cast<std::size_t>(step - 1) % piece.options.size()], step, steps));
        }
    }
    return text;
}

// --- AND ---

// A part between the words, and the place of its weight with the colon, behind it; {0, 0} for none.
struct SubPromptPlace {
    Range text, number;
    double weight = 1;
};

std::vector<SubPromptPlace> alternative_places(const QString& prompt, const Notes& notes) {
    static const QRegularExpression word("\\bAND\\b"), number(R"(\s*:\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*$)");
    std::vector<SubPromptPlace> parts;
    const auto add = [&](qsizetype from, qsizetype end) {
        SubPromptPlace part{{from, end - from}, {0, 0}};
        const QRegularExpressionMatch match = number.match(prompt.mid(from, end - from));
        if (match.hasMatch()) {
            part.text.length = match.capturedStart();
            part.weight = match.captured(1).toDouble();
            const qsizetype colon = match.captured().indexOf(':');
            part.number = {from + match.capturedStart() + colon, match.capturedEnd(1) - match.capturedStart() - colon};
        }
        parts.push_back(part);
    };
    qsizetype from = 0;
    for (auto matches = word.globalMatch(prompt); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        add(from, match.capturedStart());
        notes.mark(match.capturedStart(), match.capturedLength(), PromptMarkKind::And);
        from = match.capturedEnd();
    }
    add(from, prompt.size());
    return parts;
}

Traced traced_without_networks(const QString& prompt, QStringList* removed, PromptSyntax* syntax) {
    static const QRegularExpression network("<(?:lora|lyco|hypernet):[^>]+>");
    const Traced all = Traced::all(prompt);
    Traced text;
    qsizetype from = 0;
    for (auto matches = network.globalMatch(prompt); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        if (removed) *removed << match.captured(0);
        if (syntax) syntax->marks.push_back({match.capturedStart(), match.capturedLength(), PromptMarkKind::Network});
        text.append(all.mid(from, match.capturedStart() - from));
        from = match.capturedEnd();
    }
    text.append(all.mid(from, prompt.size() - from));
    return text;
}

const std::vector<qsizetype> nowhere;

constexpr int most_marked_steps = 32;      // of a schedule: later steps repeat what is marked already, but for very long alternations

void a1111_syntax(const QString& prompt, int steps, PromptSyntax& syntax) {
    const Traced text = traced_without_networks(prompt, nullptr, &syntax);
    const std::vector<SubPromptPlace> parts = alternative_places(text.text, Notes(&syntax, text.at));
    for (const SubPromptPlace& part : parts) {
        Notes(&syntax, text.at).mark(part.number.at, part.number.length, PromptMarkKind::Number);
        const Traced own = text.mid(part.text.at, part.text.length);
        std::vector<Range> marks;
        const Sequence tree = ScheduleParser(own.text, &marks).parse();
        for (const Range& mark : marks) Notes(&syntax, own.at).mark(mark.at, mark.length, PromptMarkKind::Schedule);
        std::set<int> ends{steps};
        collect_ends(tree, steps, ends);
        int marked = 0;
        for (const int end : ends) {
            Traced said = text_at(tree, end, steps);
            for (qsizetype& place : said.at) place = own.place(place);
            a1111_parts(said.text, Notes(&syntax, said.at));
            if (++marked == most_marked_steps) break;
        }
    }
}

}  // namespace

std::vector<PromptPart> weighted_parts(const QString& prompt, PromptDialect dialect) {
    const Notes none(nullptr, nowhere);
    if (dialect == PromptDialect::Plain) return {{prompt, 1}};
    if (dialect == PromptDialect::A1111) return a1111_parts(prompt, none);
    std::vector<PromptPart> parts;
    const QString text = with_marks(prompt).text;
    comfy_parts(text, {0, text.size()}, 1, 0, parts, none);
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
        spans.push_back({first, end, text_at(tree, end, steps).text});
        first = end;
    }
    return spans;
}

std::vector<SubPrompt> prompt_alternatives(const QString& prompt) {
    std::vector<SubPrompt> parts;
    for (const SubPromptPlace& place : alternative_places(prompt, Notes(nullptr, nowhere)))
        parts.push_back({prompt.mid(place.text.at, place.text.length), place.weight});
    return parts;
}

std::vector<EmbeddingCall> embedding_calls(const QString& text) {
    static const QRegularExpression call("(?:^|[ \\n])(embedding:)"), space("\\s");
    std::vector<EmbeddingCall> calls;
    for (auto matches = call.globalMatch(text); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        const qsizetype blank = text.indexOf(space, match.capturedEnd());
        calls.push_back({match.capturedStart(1), match.capturedEnd(), blank < 0 ? text.size() : blank});
    }
    return calls;
}

PromptSyntax prompt_syntax(const QString& prompt, PromptDialect dialect, int steps) {
    PromptSyntax syntax;
    if (dialect == PromptDialect::A1111) {
        a1111_syntax(prompt, std::max(steps, 1), syntax);
    } else if (dialect == PromptDialect::Comfy) {
        Traced text = with_marks(prompt);
        std::vector<PromptPart> parts;
        comfy_parts(text.text, {0, text.text.size()}, 1, 0, parts, Notes(&syntax, text.at));
        for (PromptMark& mark : syntax.marks)
            if (mark.kind == PromptMarkKind::Escape) mark.length = 2;
    }
    // Steps of a schedule say most things again and again.
    std::ranges::sort(syntax.marks, {}, [](const PromptMark& mark) { return std::tuple(mark.kind, mark.at, -mark.length, mark.weight); });
    syntax.marks.erase(std::unique(syntax.marks.begin(), syntax.marks.end(), [](const PromptMark& a, const PromptMark& b) { return a.kind == b.kind && b.at < a.at + a.length; }),
                       syntax.marks.end());
    std::ranges::stable_sort(syntax.marks, {}, &PromptMark::at);
    std::ranges::sort(syntax.emphasis, {}, [](const PromptEmphasis& one) { return std::pair(one.at, -one.length); });
    syntax.emphasis.erase(std::unique(syntax.emphasis.begin(), syntax.emphasis.end()), syntax.emphasis.end());
    return syntax;
}

QString without_networks(const QString& prompt, QStringList& removed) { return traced_without_networks(prompt, &removed, nullptr).text; }

}  // namespace nodes
