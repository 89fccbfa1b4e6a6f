#include "app/panels/accessibility.h"

#include <QAbstractButton>
#include <QAbstractSlider>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QComboBox>
#include <QCoreApplication>
#include <QEvent>
#include <QLineEdit>
#include <QPlainTextEdit>

namespace app {
namespace {

struct Words {
    Q_DECLARE_TR_FUNCTIONS(Words)
};

bool is_field(const QObject* object) {
    return qobject_cast<const QLineEdit*>(object) || qobject_cast<const QPlainTextEdit*>(object) ||
           qobject_cast<const QAbstractSpinBox*>(object) || qobject_cast<const QComboBox*>(object) ||
           qobject_cast<const QAbstractSlider*>(object) || qobject_cast<const QAbstractButton*>(object);
}

QString state_in_words(const NodeStatus& status) {
    switch (status.state) {
        case nodes::NodeState::Running: return Words::tr("running");
        case nodes::NodeState::Done: return Words::tr("done");
        case nodes::NodeState::Cached: return Words::tr("cached");
        case nodes::NodeState::Partial: return Words::tr("done in part");
        case nodes::NodeState::Failed: return Words::tr("failed: %1").arg(status.message);
        default: return {};
    }
}

}  // namespace

WidgetNames::WidgetNames(QObject* application) : QObject(application) { application->installEventFilter(this); }

bool WidgetNames::eventFilter(QObject* object, QEvent* event) {
    if (event->type() != QEvent::Polish || !is_field(object)) return false;
    auto* widget = static_cast<QWidget*>(object);
    if (!widget->accessibleName().isEmpty()) return false;
    if (const auto* button = qobject_cast<const QAbstractButton*>(widget); button && !button->text().isEmpty()) return false;
    QString name = qobject_cast<const QAbstractButton*>(widget) ? widget->toolTip() : QString();
    const QWidget* around = widget->parentWidget();
    for (int up = 0; name.isEmpty() && around && !around->isWindow() && up < 3; ++up, around = around->parentWidget())
        name = around->accessibleName();
    widget->setAccessibleName(name);
    return false;
}

QString selection_in_words(const GraphScene& scene) {
    std::vector<NodeId> ids = scene.selected_nodes();
    std::erase_if(ids, [&](const NodeId& id) { return !scene.model().contains(id); });  // in the middle of an edit
    if (ids.empty()) return Words::tr("nothing selected");
    if (ids.size() > 1) return Words::tr("%n nodes selected", nullptr, static_cast<int>(ids.size()));
    const NodeLook look = scene.model().look(ids.front());
    QStringList parts{QStringLiteral("%1 (%2)").arg(look.title, qt(ids.front())), Words::tr("%n input(s)", nullptr, static_cast<int>(look.inputs.size())),
                      Words::tr("%n output(s)", nullptr, static_cast<int>(look.outputs.size()))};
    if (const QString state = state_in_words(scene.runs().status(ids.front())); !state.isEmpty()) parts << state;
    if (const auto problem = scene.problem(ids.front())) parts << qt(problem->text());
    return parts.join(QStringLiteral(", "));
}

void describe_selection(GraphView& view) {
    const auto tell = [&view] { view.setAccessibleDescription(selection_in_words(view.graph())); };
    QObject::connect(&view.graph(), &GraphScene::selectionChanged, &view.graph(), tell);
    QObject::connect(&view.graph().runs(), &RunController::status_changed, &view.graph(), [&view, tell](const NodeId& id) {
        const auto ids = view.graph().selected_nodes();
        if (QAccessible::isActive() && ids.size() == 1 && ids.front() == id) tell();
    });
    tell();
}

}  // namespace app
