#include "app/panels/street_view.h"

#include <QKeyEvent>

namespace app {

StreetView::StreetView(StreetModel& street, QWidget* parent) : QWidget(parent), street_(street) {
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(160, 140);
    connect(&street_, &StreetModel::changed, this, qOverload<>(&QWidget::update));
    connect(&street_, &StreetModel::chosen_changed, this, qOverload<>(&QWidget::update));
}

bool StreetView::event(QEvent* event) {
    // Delete and arrows are commands of the window, too.
    if (event->type() == QEvent::ShortcutOverride && StreetModel::wants_key(*static_cast<QKeyEvent*>(event))) {
        event->accept();
        return true;
    }
    return QWidget::event(event);
}

}  // namespace app
