#include "app/canvas/connect_popup.h"

#include <algorithm>
#include <cmath>

#include "app/model/search.h"

namespace app {
namespace {

constexpr std::size_t most_links = 200, most_types = 40;  // that are listed: typing brings the others

QString arrow(const SocketId& own, const QString& other) {
    return own.output ? QStringLiteral("%1 \u2192 %2").arg(qt(own.name), other) : QStringLiteral("%1 \u2190 %2").arg(qt(own.name), other);
}

}  // namespace

ConnectPopup::ConnectPopup(GraphScene& scene, QWidget* parent) : PickPopup(tr("Connect to"), parent), scene_(scene) {}

void ConnectPopup::open(QPoint corner, const NodeId& node) {
    const NodeItem* item = scene_.item(node);
    if (!item) return;
    node_ = node;
    links_.clear();
    const QPointF here = item->card_in_scene().center();
    std::vector<std::pair<qreal, Choice>> found;
    for (const auto* list : {&item->look().outputs, &item->look().inputs})
        for (const SocketLook& socket : *list)
            for (const SocketId& other : scene_.model().partners(socket.id)) {
                const LinkId link = socket.id.output ? LinkId{socket.id.endpoint(), other.endpoint()} : LinkId{other.endpoint(), socket.id.endpoint()};
                if (const nodes::Link* now = scene_.model().document().link_into(link.to); now && now->from == link.from) continue;  // there already
                const QPointF way = scene_.item(other.node)->card_in_scene().center() - here;
                found.emplace_back(std::hypot(way.x(), way.y()), Choice{socket.id, other, {}, arrow(socket.id, qt(other.node + "." + other.name))});
            }
    std::ranges::stable_sort(found, {}, [](const auto& entry) { return entry.first; });
    for (auto& [far, choice] : found) links_.push_back(std::move(choice));
    open_near(corner);
}

void ConnectPopup::fill() {
    const QStringList words = field()->text().split(' ', Qt::SkipEmptyParts);
    shown_.clear();
    for (const Choice& choice : links_) {
        if (shown_.size() >= most_links) break;
        if (std::ranges::all_of(words, [&](const QString& word) { return choice.text.contains(word, Qt::CaseInsensitive); })) shown_.push_back(choice);
    }
    const NodeItem* item = scene_.item(node_);
    if (!item) return;
    std::size_t types = 0;
    for (const nodes::Node* type : search_types(field()->text(), [&](const nodes::Node& type) {
             const auto fits = [&](const SocketLook& socket) { return scene_.model().type_accepts(type, socket.id); };
             return std::ranges::any_of(item->look().outputs, fits) || std::ranges::any_of(item->look().inputs, fits);
         })) {
        if (types++ >= most_types) break;
        for (const auto* list : {&item->look().outputs, &item->look().inputs}) {
            const auto fits = std::ranges::find_if(*list, [&](const SocketLook& socket) { return scene_.model().type_accepts(*type, socket.id); });
            if (fits == list->end()) continue;
            shown_.push_back({fits->id, {}, type->info().id, arrow(fits->id, tr("new %1").arg(qt(type->info().title)))});
            break;
        }
    }
    for (std::size_t i = 0; i < shown_.size(); ++i) {
        auto* entry = new QListWidgetItem(shown_[i].text, list());  // the list owns it
        entry->setData(Qt::UserRole, static_cast<int>(i));
    }
}

void ConnectPopup::choose(const QListWidgetItem& item) {
    const Choice choice = shown_.at(static_cast<std::size_t>(item.data(Qt::UserRole).toInt()));
    close_popup();
    if (choice.other.empty())
        emit new_node_chosen(choice.type, choice.own);
    else
        emit connect_chosen(choice.own, choice.other);
}

}  // namespace app
