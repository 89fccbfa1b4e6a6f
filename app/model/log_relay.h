// Brings the engine's messages, from whatever thread, to the GUI thread.
#pragma once

#include <QObject>

#include "gpu/base/log.h"

namespace app {

// While it lives, messages go to stderr as before and to message(). One at a time in a process.
class LogRelay : public QObject {
    Q_OBJECT

public:
    explicit LogRelay(QObject* parent = nullptr);
    ~LogRelay() override;

signals:
    void message(const QString& area, int level, const QString& text);  // level: gpu::LogLevel

private:
    gpu::LogSink former_;
};

}  // namespace app
