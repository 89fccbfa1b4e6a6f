#include "app/model/bookmarks.h"

#include <QJsonArray>
#include <QJsonObject>
#include <cmath>

namespace app {
namespace {

const QString key = QStringLiteral("bookmarks");

}  // namespace

std::optional<Bookmark> bookmark_of(const nodes::Document& whole, int digit) {
    const QJsonValue value = whole.extra()[key].toObject()[QString::number(digit)];
    const double x = value["x"].toDouble(NAN), y = value["y"].toDouble(NAN), scale = value["scale"].toDouble(NAN);
    if (!std::isfinite(x) || !std::isfinite(y) || !(scale >= 0.01 && scale <= 100)) return {};
    Bookmark bookmark{.centre = {x, y}, .scale = scale};
    for (const QJsonValue use : value["level"].toArray()) bookmark.uses.push_back(use.toString().toStdString());
    return bookmark;
}

nodes::Document with_bookmark(const nodes::Document& whole, int digit, const Bookmark& bookmark) {
    QJsonObject extra = whole.extra(), all = extra[key].toObject();
    QJsonObject fields{{"x", std::round(bookmark.centre.x())}, {"y", std::round(bookmark.centre.y())}, {"scale", std::round(bookmark.scale * 1000) / 1000}};
    QJsonArray level;
    for (const NodeId& use : bookmark.uses) level.append(qt(use));
    if (!level.isEmpty()) fields["level"] = level;
    all[QString::number(digit)] = fields;
    extra[key] = all;
    return whole.set_extra(extra);
}

}  // namespace app
