// Groups on the canvas of ComfyUI's editor. They hold no list of nodes: what lies in one belongs to it.
#include <algorithm>

#include "gpu/base/error.h"
#include "nodes/interchange/comfy_graph.h"

namespace nodes {
namespace {

constexpr qsizetype most_groups = 2000;
constexpr double title_height = 30;      // of nodes; their places are below it
constexpr double no_width = 140, no_height = 60;      // of nodes that do not say

// "#8A8" and "#88aa88ff" as "#88aa88"; anything else is none.
std::string plain_colour(const QString& text) {
    const QString digits = text.mid(1).toLower();
    const bool hex = text.startsWith('#') && std::ranges::all_of(digits, [](QChar c) { return QStringLiteral("0123456789abcdef").contains(c); });
    if (!hex || (digits.size() != 3 && digits.size() != 4 && digits.size() != 6 && digits.size() != 8)) return {};
    QString made = QStringLiteral("#");
    for (int i = 0; i < 3; ++i) made += digits.size() < 6 ? QString(2, digits[i]) : digits.mid(2 * i, 2);
    return made.toStdString();
}

}  // namespace

std::optional<Position> comfy_position(const QJsonValue& value) {
    const QJsonArray list = value.toArray();
    const QJsonObject object = value.toObject();
    const QJsonValue x = value.isArray() ? list[0] : object["0"], y = value.isArray() ? list[1] : object["1"];
    if (!x.isDouble() || !y.isDouble()) return std::nullopt;
    return Position{x.toDouble(), y.toDouble()};
}

ComfyGroups::ComfyGroups(const QJsonValue& list, int around, ComfyGraph& graph) : around_(around) {
    gpu::check(static_cast<qsizetype>(graph.groups.size()) + list.toArray().size() <= most_groups, gpu::ErrorCode::BadFile,
               "groups: expected at most {}, got more", most_groups);
    for (const QJsonValue value : list.toArray()) {
        const QJsonObject fields = value.toObject();
        const QJsonArray bounding = fields["bounding"].toArray();
        if (bounding.size() != 4 || !std::ranges::all_of(bounding, [](const QJsonValue& side) { return side.isDouble(); })) continue;
        boxes_.push_back({bounding[0].toDouble(), bounding[1].toDouble(), bounding[2].toDouble(), bounding[3].toDouble(), static_cast<int>(graph.groups.size())});
        graph.groups.push_back({.title = fields["title"].toString().toStdString(), .colour = plain_colour(fields["color"].toString()), .around = around});
    }
    std::ranges::stable_sort(boxes_, {}, [](const Box& box) { return box.width * box.height; });
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
        const Box& inner = boxes_[i];
        const auto outer = std::find_if(boxes_.begin() + static_cast<std::ptrdiff_t>(i) + 1, boxes_.end(), [&](const Box& box) {
            return inner.x >= box.x && inner.y >= box.y && inner.x + inner.width <= box.x + box.width && inner.y + inner.height <= box.y + box.height;
        });
        if (outer != boxes_.end()) graph.groups[static_cast<std::size_t>(inner.group)].around = outer->group;
    }
}

int ComfyGroups::at(const QJsonObject& node) const {
    const std::optional<Position> place = comfy_position(node["pos"]);
    if (!place || boxes_.empty()) return around_;
    const Position size = comfy_position(node["size"]).value_or(Position{no_width, no_height});
    const auto box = std::ranges::find_if(boxes_, [&](const Box& one) { return one.holds(place->x + size.x / 2, place->y + (size.y - title_height) / 2); });
    return box == boxes_.end() ? around_ : box->group;
}

}  // namespace nodes
