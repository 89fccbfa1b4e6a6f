#include "app/model/autosave.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QUuid>

#include "gpu/base/log.h"
#include "gpu/io/atomic_file.h"

namespace app {
namespace {

constexpr int pause_ms = 2000;      // after the last edit; a drag writes once

QString lock_of(const QString& file) { return file + QStringLiteral(".lock"); }

// What went wrong; empty for nothing.
QString write_to(const QString& file, const QString& path, const nodes::Document& document) {
    try {
        const QJsonObject kept{{"path", path}, {"document", QString::fromUtf8(document.to_json())}};
        gpu::write_file(file.toStdString(), QJsonDocument(kept).toJson().toStdString());
        return {};
    } catch (const std::exception& error) {
        return QString::fromUtf8(error.what());
    }
}

}  // namespace

Autosave::Autosave(GraphModel& model, const QString& folder, QObject* parent) : QObject(parent), model_(model) {
    QDir().mkpath(folder);
    file_ = QDir(folder).filePath(QUuid::createUuid().toString(QUuid::WithoutBraces) + QStringLiteral(".json"));
    lock_ = std::make_unique<QLockFile>(lock_of(file_));
    lock_->setStaleLockTime(0);
    lock_->tryLock();
    later_.setSingleShot(true);
    later_.setInterval(pause_ms);
    connect(&later_, &QTimer::timeout, this, &Autosave::write);
    connect(&model_, &GraphModel::edited, this, &Autosave::follow);
    connect(&model_, &GraphModel::dirty_changed, this, &Autosave::follow);
}

Autosave::~Autosave() {
    writer_.finish();
    QFile::remove(file_);
}

void Autosave::follow() {
    if (model_.dirty()) return later_.start();
    later_.stop();
    QFile::remove(file_);
}

void Autosave::write_now() {
    if (model_.dirty()) tell(write_to(file_, model_.path(), model_.whole()));
}

void Autosave::write() {
    if (!model_.dirty()) return;
    writer_.start([file = file_, path = model_.path(), document = model_.whole()] { return write_to(file, path, document); },
                  [this](const QString& problem) {
                      tell(problem);
                      if (!model_.dirty()) QFile::remove(file_);  // saved in the meantime
                  });
}

void Autosave::tell(const QString& problem) {
    if (!problem.isEmpty() && !std::exchange(told_, true)) gpu::log("editor", gpu::LogLevel::Warning, "keep what is not saved: {}", problem.toStdString());
}

std::vector<LeftBehind> Autosave::left_behind(const QString& folder) {
    std::vector<LeftBehind> found;
    for (const QFileInfo& entry : QDir(folder).entryInfoList({QStringLiteral("*.json")}, QDir::Files, QDir::Time)) {
        QLockFile lock(lock_of(entry.filePath()));
        lock.setStaleLockTime(0);
        if (!lock.tryLock()) continue;      // its program is there
        QFile file(entry.filePath());
        if (!file.open(QIODevice::ReadOnly)) continue;
        const QJsonObject kept = QJsonDocument::fromJson(file.readAll()).object();
        try {
            const QString path = kept["path"].toString();
            found.push_back({entry.filePath(), path, nodes::Document::from_json(kept["document"].toString().toUtf8(), path.toStdString())});
        } catch (const std::exception& error) {
            gpu::log("editor", gpu::LogLevel::Warning, "read {}: {}", entry.filePath().toStdString(), error.what());
        }
    }
    return found;
}

void Autosave::forget(const LeftBehind& left) {
    QFile::remove(left.file);
    QFile::remove(lock_of(left.file));
}

}  // namespace app
