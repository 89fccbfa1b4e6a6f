#include "app/panels/device_menu.h"

#include <QSettings>

#include "app/canvas/painter.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/device_scope.h"

namespace app {
namespace {

const QString settings_key = QStringLiteral("devices");

QStringList stored() { return QSettings().value(settings_key).toStringList(); }

// Runs in a worker thread, where nothing may throw.
std::vector<gpu::Caps> listed(const DeviceMenu::List& list) {
    try {
        return list();
    } catch (const std::exception& error) {
        gpu::log("editor", gpu::LogLevel::Warning, "list the devices: {}", error.what());
        return {};
    }
}

// As --device takes them. One that is gone is passed over: it may come back.
QStringList selectors_of(const QStringList& uuids, const std::vector<gpu::Caps>& devices) {
    QStringList selectors;
    for (const gpu::Caps& caps : devices)
        if (uuids.contains(qt(caps.uuid)) && caps.missing().empty()) selectors << QString::number(caps.index);
    return selectors;
}

}  // namespace

DeviceMenu::DeviceMenu(RunController& runs, QWidget* parent, List list) : QMenu(tr("De&vices"), parent), runs_(runs), list_(std::move(list)) {
    setObjectName(QStringLiteral("devices"));
    setToolTipsVisible(true);
    addAction(tr("Looking for devices..."))->setEnabled(false);  // an empty menu would not show
    connect(this, &QMenu::aboutToShow, this, &DeviceMenu::look);
}

void DeviceMenu::look() {
    if (devices_) fill();
    look_.start([list = list_] { return listed(list); },
                [this](std::vector<gpu::Caps> devices) {
                    devices_ = std::move(devices);
                    fill();
                });
}

void DeviceMenu::fill() {
    clear();
    const QStringList kept = stored();
    const auto add = [&](const QString& text, bool checked) {
        QAction* made = addAction(text);
        made->setCheckable(true);
        made->setChecked(checked);
        return made;
    };
    QAction* automatic = add(tr("&Automatic"), selectors_of(kept, *devices_).isEmpty());
    automatic->setObjectName(QStringLiteral("device_automatic"));
    automatic->setToolTip(tr("The fastest device of this machine, or the one that HEDDLE_DEVICE names"));
    connect(automatic, &QAction::triggered, this, [this] { choose({}, false); });
    addSeparator();
    for (const gpu::Caps& caps : *devices_) {
        const QString uuid = qt(caps.uuid), missing = qt(caps.missing());
        QAction* device = add(QStringLiteral("%1: %2, %3").arg(QString::number(caps.index), qt(caps.name).replace('&', QStringLiteral("&&")), size_text(static_cast<qint64>(caps.memory_bytes))),
                              missing.isEmpty() && kept.contains(uuid));
        device->setObjectName(QStringLiteral("device_") + uuid);
        device->setToolTip(missing.isEmpty() ? qt(caps.driver) : tr("It lacks %1").arg(missing));
        device->setEnabled(missing.isEmpty());
        connect(device, &QAction::triggered, this, [this, uuid](bool on) { choose(uuid, on); });
    }
}

// An empty name: none of them.
void DeviceMenu::choose(const QString& uuid, bool on) {
    QStringList kept = uuid.isEmpty() ? QStringList() : stored();
    kept.removeAll(uuid);
    if (on) kept << uuid;
    QSettings().setValue(settings_key, kept);
    runs_.set_devices(selectors_of(kept, *devices_));
    QMetaObject::invokeMethod(this, &DeviceMenu::fill, Qt::QueuedConnection);  // not from within one of its actions
}

void use_stored_devices(RunController& runs, const DeviceMenu::List& list) {
    QStringList selectors = stored().isEmpty() ? QStringList() : selectors_of(stored(), listed(list));
    if (selectors.isEmpty()) {
        const QString named = qt(gpu::switches().device);
        if (named.count(',') == 0) return;
        for (const auto& slot : gpu::device_slots(gpu::switches().device)) selectors << qt(slot->selector);
    }
    if (selectors.isEmpty()) return;
    gpu::switches().device = selectors.front().toStdString();
    runs.set_devices(selectors);
}

}  // namespace app
