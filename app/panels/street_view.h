// What the views that a street is edited in have in common: drawn anew with every edit, and keys of their own.
#pragma once

#include <QWidget>

#include "app/panels/street_model.h"

namespace app {

class StreetView : public QWidget {
public:
    QSize sizeHint() const override { return {420, 360}; }

protected:
    StreetView(StreetModel& street, QWidget* parent);
    bool event(QEvent* event) override;

    StreetModel& street_;
};

}  // namespace app
