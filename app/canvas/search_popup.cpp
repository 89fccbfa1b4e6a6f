#include "app/canvas/search_popup.h"

#include "app/canvas/style.h"
#include "app/model/search.h"

namespace app {

SearchPopup::SearchPopup(GraphModel& model, QWidget* parent) : PickPopup(tr("Search nodes"), parent), model_(model) {}

void SearchPopup::open(QPoint corner, QPointF at, const SocketId& from) {
    at_ = at;
    from_ = from;
    open_near(corner);
}

void SearchPopup::fill() {
    const auto fits = [this](const nodes::Node& type) { return from_.empty() || model_.type_accepts(type, from_); };
    for (const nodes::Node* type : search_types(field()->text(), fits)) {
        auto* item = new QListWidgetItem(list());  // the list owns it
        // A type that was found by a name of elsewhere says so.
        const QString other = other_name(field()->text(), type->info());
        item->setText(qt(type->info().title) + QStringLiteral("  \u2014  ") + (other.isEmpty() ? qt(type->info().category) : other));
        item->setToolTip(qt(type->info().help));
        item->setData(Qt::UserRole, qt(type->info().id));
        QPixmap dot(10, 10);
        dot.fill(canvas_style().category(qt(type->info().category)));
        item->setIcon(QIcon(dot));
    }
}

void SearchPopup::choose(const QListWidgetItem& item) {
    const std::string type = item.data(Qt::UserRole).toString().toStdString();
    close_popup();
    emit chosen(type, at_, from_);
}

}  // namespace app
