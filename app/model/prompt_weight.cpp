#include "app/model/prompt_weight.h"

#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr double least = 0, most = 10;

bool of_word(QChar c) { return !c.isSpace() && !QStringLiteral(".,\\/!?%^*;:{}=`~()[]<>|").contains(c); }

QString number(double weight) { return QString::number(weight, 'g', 4); }

}  // namespace

std::optional<PromptEdit> change_weight(const QString& prompt, qsizetype from, qsizetype to, double by, nodes::PromptDialect dialect) {
    if (dialect == nodes::PromptDialect::Plain) return {};
    const bool nothing_selected = from == to;
    if (nothing_selected) {
        while (from > 0 && of_word(prompt[from - 1])) --from;
        while (to < prompt.size() && of_word(prompt[to])) ++to;
    }
    while (from < to && prompt[from].isSpace()) ++from;
    while (to > from && prompt[to - 1].isSpace()) --to;

    const nodes::PromptSyntax syntax = nodes::prompt_syntax(prompt, dialect);
    const nodes::PromptEmphasis* found = nullptr;  // the innermost that fits: they come outermost first
    for (const nodes::PromptEmphasis& one : syntax.emphasis) {
        const qsizetype end = one.at + one.length, inner_end = one.inner + one.inner_length;
        const bool same = (from == one.at && to == end) || (from == one.inner && to == inner_end);
        const bool inside = nothing_selected && from >= one.at && to <= end;
        if (same || inside) found = &one;
    }
    const double weight = std::clamp(std::round(((found ? found->weight : 1) + by) * 100) / 100, least, most);
    if (found) {
        const QString inner = prompt.mid(found->inner, found->inner_length);
        PromptEdit edit{found->at, found->length, inner, found->at, inner.size()};
        if (weight == 1) return edit;
        edit.text = QStringLiteral("(%1:%2)").arg(inner, number(weight));
        ++edit.select;
        return edit;
    }
    if (from == to) return {};
    const QString words = prompt.mid(from, to - from);
    return PromptEdit{from, to - from, QStringLiteral("(%1:%2)").arg(words, number(weight)), from + 1, words.size()};
}

}  // namespace app
