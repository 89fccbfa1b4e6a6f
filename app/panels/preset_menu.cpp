#include "app/panels/preset_menu.h"

#include <QCoreApplication>
#include <QInputDialog>

#include "app/model/presets.h"
#include "gpu/base/error.h"

namespace app {
namespace {

struct Words {
    Q_DECLARE_TR_FUNCTIONS(app::PresetMenu)
};

using Failed = std::function<void(const QString&)>;

void guarded(const Failed& failed, const std::function<void()>& act) {
    try {
        act();
    } catch (const gpu::Error& error) {
        failed(QString::fromUtf8(error.what()));
    }
}

void apply(GraphModel& model, const NodeId& id, const QString& name, const Failed& failed) {
    guarded(failed, [&] {
        const QStringList left_out = apply_preset(model, id, name);
        if (!left_out.isEmpty()) failed(Words::tr("Left as they were, for they name nodes that this graph lacks: %1").arg(left_out.join(QStringLiteral(", "))));
    });
}

// Does not block the event loop.
void ask_name(QWidget* parent, GraphModel& model, const NodeId& id, const Failed& failed) {
    auto* dialog = new QInputDialog(parent);
    dialog->setObjectName(QStringLiteral("preset_name"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(Words::tr("Save as Preset"));
    dialog->setLabelText(Words::tr("Name of the preset; one of that name is replaced:"));
    QObject::connect(dialog, &QInputDialog::textValueSelected, &model, [&model, id, failed](const QString& given) {
        const QString name = given.trimmed();
        if (!name.isEmpty() && model.contains(id)) guarded(failed, [&] { save_preset(model, id, name); });
    });
    dialog->open();
}

void refill(QMenu* menu, GraphModel& model, QWidget* window, const NodeId& id, const Failed& failed) {
    menu->clear();
    if (!model.contains(id)) return;
    const std::string type = model.document().node(id).type;
    const QStringList names = preset_names(type);
    const auto shown = [](QString name) { return name.replace('&', QStringLiteral("&&")); };
    for (const QString& name : names)
        QObject::connect(menu->addAction(shown(name)), &QAction::triggered, &model, [&model, id, name, failed] { apply(model, id, name, failed); });
    if (names.isEmpty()) menu->addAction(Words::tr("No presets of this kind of node yet"))->setEnabled(false);
    menu->addSeparator();
    QAction* save = menu->addAction(Words::tr("&Save as Preset..."));
    save->setObjectName(QStringLiteral("preset_save"));
    QObject::connect(save, &QAction::triggered, &model, [window, &model, id, failed] { ask_name(window, model, id, failed); });
    if (names.isEmpty()) return;
    QMenu* remove = menu->addMenu(Words::tr("&Remove"));
    for (const QString& name : names) QObject::connect(remove->addAction(shown(name)), &QAction::triggered, &model, [type, name] { remove_preset(type, name); });
}

}  // namespace

void fill_with_presets(QMenu* menu, GraphModel& model, QWidget* window, std::function<NodeId()> node, Failed failed) {
    menu->setTitle(Words::tr("&Presets"));
    QObject::connect(menu, &QMenu::aboutToShow, menu, [menu, &model, window, node = std::move(node), failed = std::move(failed)] { refill(menu, model, window, node(), failed); });
}

}  // namespace app
