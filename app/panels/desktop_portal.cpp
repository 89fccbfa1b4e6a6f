#include "app/panels/desktop_portal.h"

#ifdef HEDDLE_DBUS
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>

namespace app {
namespace {

const QString service = QStringLiteral("org.freedesktop.portal.Desktop");
const QString path = QStringLiteral("/org/freedesktop/portal/desktop");
const QString settings = QStringLiteral("org.freedesktop.portal.Settings");
const QString space = QStringLiteral("org.freedesktop.appearance");
const QString key = QStringLiteral("color-scheme");

class Watch : public QObject {
    Q_OBJECT

public:
    Watch(QObject* context, std::function<void(uint)> tell) : QObject(context), tell_(std::move(tell)) {
        QDBusConnection bus = QDBusConnection::sessionBus();
        if (!bus.isConnected()) return;
        bus.connect(service, path, settings, QStringLiteral("SettingChanged"), this,
                    SLOT(changed(QString, QString, QDBusVariant)));
        auto ask = QDBusMessage::createMethodCall(service, path, settings, QStringLiteral("Read"));
        ask << space << key;
        auto* answer = new QDBusPendingCallWatcher(bus.asyncCall(ask), this);
        connect(answer, &QDBusPendingCallWatcher::finished, this, [this, answer] {
            const QDBusPendingReply<QDBusVariant> reply = *answer;
            answer->deleteLater();
            if (!reply.isError()) report(reply.value());
        });
    }

private slots:
    void changed(const QString& in, const QString& name, const QDBusVariant& value) {
        if (in == space && name == key) report(value);
    }

private:
    void report(const QDBusVariant& value) {
        QVariant inner = value.variant();
        if (inner.canConvert<QDBusVariant>()) inner = inner.value<QDBusVariant>().variant();  // Read() wraps it twice
        tell_(inner.toUInt());
    }

    std::function<void(uint)> tell_;
};

}  // namespace

void watch_color_scheme(QObject* context, std::function<void(uint scheme)> tell) {
    // Without an address a bus would be started for the asking.
    if (!qEnvironmentVariableIsEmpty("DBUS_SESSION_BUS_ADDRESS")) new Watch(context, std::move(tell));
}

}  // namespace app

#include "desktop_portal.moc"
#else

namespace app {

void watch_color_scheme(QObject*, std::function<void(uint scheme)>) {}

}  // namespace app
#endif
