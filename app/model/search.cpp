#include "app/model/search.h"

#include <QStringList>
#include <algorithm>

#include "app/model/ids.h"
#include "app/model/other_names.h"
#include "nodes/core/registry.h"

namespace app {
namespace {

// 0 when `text` does not hold `word`; 4 equal, 3 at the start, 2 at the start of a later word, 1 inside.
int substring_score(const QString& word, const QString& text) {
    const qsizetype at = text.indexOf(word, 0, Qt::CaseInsensitive);
    if (at < 0) return 0;
    if (at == 0) return text.size() == word.size() ? 4 : 3;
    for (qsizetype i = at; i >= 0; i = text.indexOf(word, i + 1, Qt::CaseInsensitive))
        if (!text[i - 1].isLetterOrNumber()) return 2;
    return 1;
}

bool in_order(const QString& letters, const QString& text) {
    qsizetype at = 0;
    for (const QChar letter : letters) {
        at = text.indexOf(letter, at, Qt::CaseInsensitive);
        if (at < 0) return false;
        ++at;
    }
    return true;
}

int word_score(const QString& word, const nodes::NodeInfo& info) {
    const QString title = qt(info.title), id = qt(info.id);
    int score = 10 * substring_score(word, title);
    score = std::max(score, 8 * substring_score(word, id));
    score = std::max(score, 4 * substring_score(word, qt(info.category)));
    for (const QString& name : other_names(info.id)) score = std::max(score, 6 * substring_score(word, name));
    if (score == 0 && word.size() > 1 && (in_order(word, title) || in_order(word, id))) score = 3;
    if (score == 0 && word.size() > 2 && substring_score(word, qt(info.help)) >= 2) score = 2;
    return score;
}

}  // namespace

int match_score(const QString& query, const nodes::NodeInfo& info) {
    int sum = 1;
    for (const QString& word : query.split(' ', Qt::SkipEmptyParts)) {
        const int score = word_score(word, info);
        if (score == 0) return 0;
        sum += score;
    }
    return sum;
}

QString other_name(const QString& query, const nodes::NodeInfo& info) {
    const QStringList words = query.split(' ', Qt::SkipEmptyParts);
    if (words.isEmpty()) return {};
    const auto in_title = [&](const QString& word) { return substring_score(word, qt(info.title)) > 0 || substring_score(word, qt(info.id)) > 0; };
    if (std::ranges::all_of(words, in_title)) return {};
    for (const QString& name : other_names(info.id))
        if (std::ranges::all_of(words, [&](const QString& word) { return in_title(word) || substring_score(word, name) > 0; })) return name;
    return {};
}

std::vector<const nodes::Node*> search_types(const QString& query,
                                             const std::function<bool(const nodes::Node&)>& filter) {
    std::vector<std::pair<int, const nodes::Node*>> hits;
    for (const nodes::Node* type : nodes::node_types()) {
        const int score = match_score(query, type->info());
        if (score > 0 && (!filter || filter(*type))) hits.emplace_back(score, type);
    }
    const bool all = query.trimmed().isEmpty();
    std::ranges::stable_sort(hits, [all](const auto& a, const auto& b) {
        if (a.first != b.first) return a.first > b.first;
        const nodes::NodeInfo &x = a.second->info(), &y = b.second->info();
        return all && x.category != y.category ? x.category < y.category : x.title < y.title;
    });
    std::vector<const nodes::Node*> types;
    for (const auto& [score, type] : hits) types.push_back(type);
    return types;
}

}  // namespace app
