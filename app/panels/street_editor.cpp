#include "app/panels/street_editor.h"

#include <QGridLayout>
#include <QSignalBlocker>
#include <QSplitter>
#include <QVBoxLayout>

namespace app {

using Kind = StreetModel::Kind;
using Tool = StreetPlan::Tool;

StreetEditor::StreetEditor(GraphModel& model, QWidget* parent)
    : QWidget(parent), street_(model), plan_(new StreetPlan(street_)), space_(new StreetSpace(street_)), views_(new StreetViews(street_)), stack_(new QStackedWidget) {
    setObjectName(QStringLiteral("street_editor"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(8, 0, 6, 0);
    bar->setSpacing(2);
    build_bar(bar);
    layout->addLayout(bar);
    auto* grid = new QGridLayout;
    grid->setContentsMargins(8, 0, 6, 0);
    grid->setSpacing(2);
    build_fields(grid);
    layout->addLayout(grid);
    hint_ = new QLabel;
    hint_->setObjectName(QStringLiteral("dim"));
    hint_->setTextFormat(Qt::PlainText);
    hint_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    hint_->setContentsMargins(10, 0, 6, 0);
    layout->addWidget(hint_);
    stack_->addWidget(plan_);
    stack_->addWidget(space_);
    auto* split = new QSplitter(Qt::Vertical);
    split->addWidget(stack_);
    split->addWidget(views_);
    split->setStretchFactor(0, 3);
    split->setStretchFactor(1, 1);
    split->setChildrenCollapsible(false);
    split->setSizes({300, 160});
    layout->addWidget(split, 1);
    connect(&street_, &StreetModel::active_changed, this, &StreetEditor::active_changed);
    connect(&street_, &StreetModel::changed, this, &StreetEditor::show_chosen);
    connect(&street_, &StreetModel::chosen_changed, this, &StreetEditor::show_chosen);
    connect(plan_, &StreetPlan::tool_changed, this, &StreetEditor::show_tool);
    show_space(false);
    show_tool();
    plan_->fit();
}

QToolButton* StreetEditor::add_button(const char* name, const QString& text, const QString& tip, QLayout* to) {
    auto* button = new QToolButton;
    button->setObjectName(QString::fromLatin1(name));
    button->setText(text);
    button->setToolTip(tip);
    button->setAccessibleName(tip);
    to->addWidget(button);
    return button;
}

void StreetEditor::build_bar(QLayout* bar) {
    above_ = add_button("street_above", tr("Above"), tr("Show the street from above"), bar);
    around_ = add_button("street_around", tr("3-D"), tr("Show the street in three dimensions"), bar);
    select_ = add_button("street_select", tr("Select"), tr("Choose and move things (Escape)"), bar);
    box_ = add_button("street_box", tr("Box"), tr("Put boxes on the street: a press for each"), bar);
    lane_ = add_button("street_lane", tr("Lane"), tr("Draw lanes and areas: a press for each point, Return or a double click at the end, the right button takes one back"), bar);
    camera_ = add_button("street_camera", tr("Camera"), tr("Put cameras: press where one is to be, and drag to where it looks (Insert: beside the chosen one)"), bar);
    for (QToolButton* button : {above_, around_, select_, box_, lane_, camera_}) button->setCheckable(true);
    class_ = new QComboBox;
    class_->setObjectName(QStringLiteral("street_class"));
    class_->setAccessibleName(tr("Class"));
    class_->setToolTip(tr("Class of what is drawn, or of what is chosen"));
    class_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    class_->setMinimumContentsLength(8);
    bar->addWidget(class_);
    remove_ = add_button("street_remove", tr("Remove"), tr("Remove what is chosen (Delete)"), bar);
    connect(above_, &QToolButton::clicked, this, [this] { show_space(false); });
    connect(around_, &QToolButton::clicked, this, [this] { show_space(true); });
    const std::pair<QToolButton*, Tool> tools[] = {{select_, Tool::Select}, {box_, Tool::Box}, {lane_, Tool::Lane}, {camera_, Tool::Camera}};
    for (const auto& [button, tool] : tools)
        connect(button, &QToolButton::clicked, this, [this, tool = tool] {
            show_space(false);
            plan_->set_tool(tool);
            show_tool();
            plan_->setFocus();
        });
    connect(remove_, &QToolButton::clicked, &street_, &StreetModel::remove_chosen);
    connect(class_, &QComboBox::activated, this, &StreetEditor::set_class);
}

void StreetEditor::build_fields(QLayout* layout) {
    struct Row {
        const char* name;
        QString prefix, tip, unit;
        double low, high, step;
    };
    const double far = nodes::max_street_coordinate;
    const QString m = tr(" m"), deg = QStringLiteral("\u00b0");
    const Row rows[FieldCount] = {{"street_x", tr("X"), tr("To the right of the LiDAR"), m, -far, far, 0.5},
                                  {"street_y", tr("Y"), tr("Ahead of the LiDAR"), m, -far, far, 0.5},
                                  {"street_z", tr("Z"), tr("Above the LiDAR"), m, -far, far, 0.1},
                                  {"street_width", tr("Width"), tr("Width; of a lane 0 is a line, or the area inside its points"), m, 0, 100, 0.1},
                                  {"street_length", tr("Length"), tr("Length"), m, 0.1, 100, 0.1},
                                  {"street_height", tr("Height"), tr("Height"), m, 0.1, 100, 0.1},
                                  {"street_yaw", tr("Yaw"), tr("Direction: 0 to the right, 90 ahead, counterclockwise seen from above"), deg, -360, 360, 5},
                                  {"street_pitch", tr("Pitch"), tr("How far the camera looks up"), deg, -90, 90, 1},
                                  {"street_roll", tr("Roll"), tr("How far the camera is turned clockwise, seen from behind"), deg, -180, 180, 1}};
    auto* grid = static_cast<QGridLayout*>(layout);
    for (int i = 0; i < FieldCount; ++i) {
        auto* box = new QDoubleSpinBox;
        box->setObjectName(QString::fromLatin1(rows[i].name));
        box->setPrefix(rows[i].prefix + ' ');
        box->setSuffix(rows[i].unit);
        box->setToolTip(rows[i].tip);
        box->setAccessibleName(rows[i].tip);
        box->setDecimals(i < Yaw ? 2 : 1);
        box->setRange(rows[i].low, rows[i].high);
        box->setSingleStep(rows[i].step);
        box->setKeyboardTracking(false);
        box->setButtonSymbols(QAbstractSpinBox::NoButtons);
        box->setMinimumWidth(60);
        // Else the street would move under the mouse that chooses something.
        QSizePolicy keeps = box->sizePolicy();
        keeps.setRetainSizeWhenHidden(true);
        box->setSizePolicy(keeps);
        grid->addWidget(box, i / 3, i % 3);
        connect(box, &QDoubleSpinBox::valueChanged, this, &StreetEditor::set_field);
        fields_[static_cast<std::size_t>(i)] = box;
    }
}

void StreetEditor::show_space(bool on) {
    stack_->setCurrentWidget(on ? static_cast<QWidget*>(space_) : plan_);
    above_->setChecked(!on);
    around_->setChecked(on);
    if (on) plan_->set_tool(Tool::Select);
    show_hint();
}

void StreetEditor::fit() { stack_->currentWidget() == plan_ ? plan_->fit() : space_->fit(); }

void StreetEditor::show_tool() {
    select_->setChecked(plan_->tool() == Tool::Select);
    box_->setChecked(plan_->tool() == Tool::Box);
    lane_->setChecked(plan_->tool() == Tool::Lane);
    camera_->setChecked(plan_->tool() == Tool::Camera);
    show_chosen();
}

void StreetEditor::show_chosen() {
    const nodes::StreetBox* box = street_.chosen_box();
    const nodes::Lane* lane = street_.chosen_lane();
    const nodes::Camera* camera = street_.chosen_camera();
    const bool of_lanes = plan_->tool() == Tool::Lane || (plan_->tool() == Tool::Select && lane);
    const auto& names = of_lanes ? nodes::lane_classes() : nodes::box_classes();
    const QSignalBlocker quiet(class_);
    if (class_->count() != static_cast<int>(names.size()) || class_->itemText(0) != qt(names[0])) {
        class_->clear();
        for (const std::string& name : names) class_->addItem(qt(name));
    }
    if (plan_->tool() == Tool::Select && box) box_class_ = box->box_class;
    if (plan_->tool() == Tool::Select && lane) lane_class_ = lane->lane_class;
    class_->setCurrentIndex(static_cast<int>(of_lanes ? lane_class_ : box_class_));
    plan_->set_box_class(box_class_);
    plan_->set_lane_class(lane_class_);
    class_->setEnabled(plan_->tool() != Tool::Camera && !(plan_->tool() == Tool::Select && camera));  // cameras have none
    camera_->setEnabled(street_.may_add_camera() || plan_->tool() == Tool::Camera);
    remove_->setEnabled(street_.may_remove_chosen());
    const nodes::Vec3 at = box ? box->center : camera ? camera->position : nodes::Vec3{};
    const double values[FieldCount] = {at.x, at.y, at.z, box ? box->size.width : lane ? lane->width : 0, box ? box->size.length : 1, box ? box->size.height : 1,
                                       box ? box->yaw : camera ? camera->yaw : 0, camera ? camera->pitch : 0, camera ? camera->roll : 0};
    for (int i = 0; i < FieldCount; ++i) {
        QDoubleSpinBox* field = fields_[static_cast<std::size_t>(i)];
        const bool shown = i == Width ? box || lane : i <= Z || i == Yaw ? box || camera : i < Yaw ? box != nullptr : camera != nullptr;
        const QSignalBlocker blocked(field);
        field->setVisible(shown);
        field->setEnabled(camera ? street_.edits_cameras() : street_.edits_street());
        if (shown) field->setValue(values[i]);
    }
    show_hint();
}

void StreetEditor::show_hint() {
    if (!hint_) return;
    const nodes::Camera* camera = street_.chosen_camera();
    QString text = !street_.problem().isEmpty()               ? street_.problem()
                   : plan_->tool() == Tool::Box               ? tr("Press where a box is to be")
                   : plan_->tool() == Tool::Lane              ? tr("Press for each point; Return ends")
                   : plan_->tool() == Tool::Camera            ? (street_.edits_cameras() ? tr("Press where a camera is to be, and drag to where it looks")
                                                                                         : tr("Add a node of cameras to put one"))
                   : camera && !street_.edits_cameras()       ? tr("Camera %1: add a node of cameras to move it").arg(qt(camera->name))
                   : camera                                   ? tr("Camera %1").arg(qt(camera->name))
                   : street_.chosen_box()                     ? qt(nodes::box_classes()[street_.chosen_box()->box_class])
                   : street_.chosen_lane()                    ? qt(nodes::lane_classes()[street_.chosen_lane()->lane_class])
                   : !street_.edits_street()                  ? tr("There is no street: these are the cameras alone")
                                                              : tr("%n box(es)", nullptr, static_cast<int>(street_.street().boxes.size()));
    hint_->setText(text);
    hint_->setToolTip(text);
}

void StreetEditor::set_class(int index) {
    const auto chosen = static_cast<std::size_t>(index);
    const bool select = plan_->tool() == Tool::Select;
    if (plan_->tool() == Tool::Lane || (select && street_.chosen_lane())) {
        lane_class_ = chosen;
        if (const nodes::Lane* lane = street_.chosen_lane(); select && lane) {
            nodes::Lane other = *lane;
            other.lane_class = chosen;
            street_.set_lane(street_.chosen().index, other);
        }
    } else {
        box_class_ = chosen;
        if (const nodes::StreetBox* box = street_.chosen_box(); select && box) {
            nodes::StreetBox other = *box;
            // The usual size of the other class, where it had the usual one of its own; it stays on its feet.
            if (other.size == nodes::usual_size(other.box_class)) other.size = nodes::usual_size(chosen);
            other.center.z += (other.size.height - box->size.height) / 2;
            other.box_class = chosen;
            street_.set_box(street_.chosen().index, other);
        }
    }
    show_chosen();
}

void StreetEditor::set_field() {
    const auto value = [&](Field field) { return fields_[field]->value(); };
    const int index = street_.chosen().index;
    if (const nodes::StreetBox* box = street_.chosen_box()) {
        nodes::StreetBox now = *box;
        now.center = {value(X), value(Y), value(Z)};
        now.size = {value(Width), value(Length), value(Height)};
        now.yaw = value(Yaw);
        street_.set_box(index, now);
    } else if (const nodes::Lane* lane = street_.chosen_lane()) {
        nodes::Lane now = *lane;
        now.width = value(Width);
        street_.set_lane(index, now);
    } else if (const nodes::Camera* camera = street_.chosen_camera()) {
        nodes::Camera now = *camera;
        now.position = {value(X), value(Y), value(Z)};
        now.yaw = value(Yaw), now.pitch = value(Pitch), now.roll = value(Roll);
        street_.set_camera(index, now);
    }
    show_chosen();
}

}  // namespace app
