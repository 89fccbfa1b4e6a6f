#include "app/canvas/search_popup.h"

#include <QKeyEvent>
#include <QPainter>
#include <QPainterPath>
#include <QStyledItemDelegate>
#include <algorithm>
#include <cmath>
#include <functional>

#include "app/canvas/style.h"
#include "app/model/favourites.h"
#include "app/model/search.h"
#include "nodes/core/registry.h"

namespace app {
namespace {

constexpr int star_width = 26;
constexpr int type_role = Qt::UserRole;

// At the right end of a row of the list.
QRect star_rect(const QRect& row) { return {row.right() - star_width + 1, row.top(), star_width, row.height()}; }

QPainterPath star_path(QPointF centre, qreal radius) {
    QPolygonF points;
    for (int i = 0; i < 10; ++i) {
        const qreal angle = -M_PI / 2 + i * M_PI / 5, reach = i % 2 == 0 ? radius : 0.45 * radius;
        points << centre + reach * QPointF(std::cos(angle), std::sin(angle));
    }
    QPainterPath path;
    path.addPolygon(points);
    path.closeSubpath();
    return path;
}

// Filled for a favourite; others show one while they are chosen.
class StarDelegate final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        const std::string type = index.data(type_role).toString().toStdString();
        if (type.empty()) return;
        const bool starred = is_favourite(type);
        if (!starred && !(option.state & (QStyle::State_Selected | QStyle::State_MouseOver))) return;
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(starred ? canvas_style().warning : canvas_style().dim_text, 1.2));
        painter->setBrush(starred ? QBrush(canvas_style().warning) : Qt::NoBrush);
        painter->drawPath(star_path(QRectF(star_rect(option.rect)).center(), 6));
        painter->restore();
    }

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
        QStyledItemDelegate::initStyleOption(option, index);
        // Room for the star.
        if (!index.data(type_role).isNull()) option->text = option->fontMetrics.elidedText(option->text, Qt::ElideRight, option->rect.width() - star_width - 34);
    }
};

// Clicks on a star, and Ctrl+D for the chosen entry. Installed later than the popup's own filter, it is asked first.
class StarSwitch final : public QObject {
public:
    StarSwitch(QLineEdit* field, QListWidget* list, std::function<void(const QString& type)> toggle) : QObject(list), list_(list), toggle_(std::move(toggle)) {
        field->installEventFilter(this);
        list->viewport()->installEventFilter(this);
    }

protected:
    bool eventFilter(QObject*, QEvent* event) override {
        if (event->type() == QEvent::ShortcutOverride || event->type() == QEvent::KeyPress) {
            const auto* key = static_cast<const QKeyEvent*>(event);
            if (key->modifiers() != Qt::ControlModifier || key->key() != Qt::Key_D) return false;
            event->accept();  // not the window's command on these keys
            if (event->type() == QEvent::KeyPress) switch_star(list_->currentItem());
            return true;
        }
        if (event->type() != QEvent::MouseButtonPress && event->type() != QEvent::MouseButtonRelease && event->type() != QEvent::MouseButtonDblClick) return false;
        const QPoint at = static_cast<const QMouseEvent*>(event)->pos();
        const QListWidgetItem* item = list_->itemAt(at);
        if (!item || !star_rect(list_->visualItemRect(item)).contains(at)) return false;
        if (event->type() != QEvent::MouseButtonRelease) switch_star(item);
        return true;
    }

private:
    void switch_star(const QListWidgetItem* item) {
        if (item && !item->data(type_role).isNull()) toggle_(item->data(type_role).toString());
    }
    QListWidget* list_;
    std::function<void(const QString&)> toggle_;
};

void add_heading(QListWidget* list, const QString& text) {
    auto* item = new QListWidgetItem(text, list);  // the list owns it
    item->setFlags(Qt::NoItemFlags);
    item->setForeground(canvas_style().dim_text);
}

}  // namespace

SearchPopup::SearchPopup(GraphModel& model, QWidget* parent) : PickPopup(tr("Search nodes"), parent), model_(model) {
    list()->setItemDelegate(new StarDelegate(list()));
    list()->setMouseTracking(true);
    list()->setAccessibleDescription(tr("Ctrl+D makes the chosen node a favourite, or no longer one"));
    new StarSwitch(field(), list(), [this](const QString& type) {  // the list owns it
        set_favourite(type.toStdString(), !is_favourite(type.toStdString()));
        list()->clear();
        fill();
        for (int row = 0; row < list()->count(); ++row)
            if (list()->item(row)->data(type_role).toString() == type) return list()->setCurrentRow(row);
    });
}

void SearchPopup::open(QPoint corner, QPointF at, const SocketId& from) {
    at_ = at;
    from_ = from;
    open_near(corner);
}

void SearchPopup::fill() {
    const auto fits = [this](const nodes::Node& type) { return from_.empty() || model_.type_accepts(type, from_); };
    std::vector<const nodes::Node*> types = search_types(field()->text(), fits);
    // Favourites come first; while nothing is typed in the order in which they were starred.
    const auto rest = std::stable_partition(types.begin(), types.end(), [](const nodes::Node* type) { return is_favourite(type->info().id); });
    const bool headings = field()->text().trimmed().isEmpty() && rest != types.begin();
    if (headings) {
        std::size_t at = 0;
        for (const std::string& id : favourite_types())
            if (const auto found = std::ranges::find(types.begin() + static_cast<std::ptrdiff_t>(at), rest, nodes::find_node_type(id)); found != rest)
                std::rotate(types.begin() + static_cast<std::ptrdiff_t>(at++), found, found + 1);
        add_heading(list(), tr("Favourites"));
    }
    for (auto type = types.begin(); type != types.end(); ++type) {
        if (headings && type == rest) add_heading(list(), tr("All others"));
        const nodes::NodeInfo& info = (*type)->info();
        auto* item = new QListWidgetItem(list());  // the list owns it
        // A type that was found by a name of elsewhere says so.
        const QString other = other_name(field()->text(), info);
        item->setText(qt(info.title) + QStringLiteral("  \u2014  ") + (other.isEmpty() ? qt(info.category) : other));
        item->setToolTip(qt(info.help));
        item->setData(type_role, qt(info.id));
        if (is_favourite(info.id)) item->setData(Qt::AccessibleDescriptionRole, tr("favourite"));
        QPixmap dot(10, 10);
        dot.fill(canvas_style().category(qt(info.category)));
        item->setIcon(QIcon(dot));
    }
}

void SearchPopup::choose(const QListWidgetItem& item) {
    const std::string type = item.data(type_role).toString().toStdString();
    close_popup();
    emit chosen(type, at_, from_);
}

}  // namespace app
