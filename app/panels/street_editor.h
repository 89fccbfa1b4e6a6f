// Edits a street and its cameras in the place of the picture, while a node that holds one of them is selected: from above, in three
// dimensions, and by numbers, beside what each camera sees.
#pragma once

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QStackedWidget>
#include <QToolButton>
#include <array>

#include "app/panels/street_plan.h"
#include "app/panels/street_space.h"

namespace app {

class StreetEditor : public QWidget {
    Q_OBJECT

public:
    explicit StreetEditor(GraphModel& model, QWidget* parent = nullptr);

    void show_node(const NodeId& id) { street_.show_node(id); }
    bool active() const { return street_.active(); }
    StreetModel& street() { return street_; }
    StreetPlan* plan() const { return plan_; }
    StreetSpace* space() const { return space_; }
    StreetViews* views() const { return views_; }
    void show_space(bool on);
    void fit();

signals:
    void active_changed();

private:
    QToolButton* add_button(const char* name, const QString& text, const QString& tip, QLayout* to);
    void build_bar(QLayout* bar);
    void build_fields(QLayout* grid);
    void show_tool();
    void show_chosen();
    void show_hint();
    void set_class(int index);
    void set_field();

    StreetModel street_;
    StreetPlan* plan_;
    StreetSpace* space_;
    StreetViews* views_;
    QStackedWidget* stack_;
    QToolButton *select_, *box_, *lane_, *camera_, *remove_, *above_, *around_;
    QComboBox* class_;
    QLabel* hint_ = nullptr;
    enum Field { X, Y, Z, Width, Length, Height, Yaw, Pitch, Roll, FieldCount };
    std::array<QDoubleSpinBox*, FieldCount> fields_{};
    std::size_t box_class_ = 0, lane_class_ = 6;
};

}  // namespace app
