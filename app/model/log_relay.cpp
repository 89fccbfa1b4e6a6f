#include "app/model/log_relay.h"

#include <string>

namespace app {

LogRelay::LogRelay(QObject* parent) : QObject(parent) {
    const auto relay = [this](std::string_view area, gpu::LogLevel level, const std::string& text) {
        if (former_) former_(area, level, text);
        const QString from = QString::fromUtf8(area.data(), static_cast<qsizetype>(area.size()));
        QMetaObject::invokeMethod(
            this,
            [this, from, level, text = QString::fromStdString(text)] {
                emit message(from, static_cast<int>(level), text);
            },
            Qt::QueuedConnection);
    };
    former_ = gpu::set_log_sink(relay);
}

LogRelay::~LogRelay() { gpu::set_log_sink(former_); }

}  // namespace app
