#include "app/cli/slurm_events.h"

#include <QFile>
#include <QJsonDocument>
#include <cstdio>

#include "app/cli/command.h"
#include "gpu/base/format.h"

namespace app {

std::vector<QJsonObject> SlurmEvents::read(const std::vector<std::pair<std::size_t, std::uint64_t>>& active) {
    std::vector<QJsonObject> events;
    if (clock_.isValid() && clock_.elapsed() < 500) return events;
    clock_.start();
    for (const auto& name : active) {
        QFile file(QString::fromStdString(work_.events_path(name.first, name.second)));
        qint64& place = places_[name];
        if (!file.open(QIODevice::ReadOnly) || !file.seek(place)) continue;
        const QByteArray grown = file.readAll();
        const QByteArray whole = grown.left(grown.lastIndexOf('\n') + 1);
        place += whole.size();
        for (const QByteArray& line : whole.split('\n'))
            if (const QJsonObject event = QJsonDocument::fromJson(line).object(); !event.isEmpty()) events.push_back(event);
    }
    return events;
}

std::string last_line(const std::string& path) {
    QFile file(QString::fromStdString(path));
    if (!file.open(QIODevice::ReadOnly)) return {};
    file.seek(std::max<qint64>(0, file.size() - 4096));
    const QByteArray text = file.readAll().trimmed();
    return text.mid(text.lastIndexOf('\n') + 1).right(400).toStdString();
}

void SweepPrinter::submitted(const std::string& job, const std::string& tasks) {
    clear();
    if (json_)
        print_json_line(QJsonObject{{"v", 1}, {"event", "submitted"}, {"job", QString::fromStdString(job)}, {"tasks", QString::fromStdString(tasks)}});
    else
        std::fprintf(stderr, "heddle: submitted job %s, tasks %s\n", job.c_str(), tasks.c_str());
}

void SweepPrinter::retry(std::size_t cell, int tries, const std::string& why) {
    clear();
    if (json_)
        print_json_line(QJsonObject{{"v", 1}, {"event", "retry"}, {"cell", static_cast<qint64>(cell + 1)}, {"tries", tries}, {"message", QString::fromStdString(why)}});
    else
        std::fprintf(stderr, "heddle: cell %zu goes out again after: %s\n", cell + 1, why.c_str());
}

void SweepPrinter::warn(const std::string& text) {
    clear();
    std::fprintf(stderr, "warning: %s\n", text.c_str());
}

void SweepPrinter::progress(const SweepProgress& now, const std::vector<QJsonObject>& events) {
    if (style_ == ProgressStyle::Json) {
        for (const QJsonObject& event : events) print_json_line(event);
        if (now == last_) return;
        print_json_line(QJsonObject{{"v", 1}, {"event", "sweep"}, {"cells", static_cast<qint64>(now.cells)}, {"done", static_cast<qint64>(now.done)},
                                    {"failed", static_cast<qint64>(now.failed)}, {"retried", static_cast<qint64>(now.retried)},
                                    {"running", static_cast<qint64>(now.running)}, {"waiting", static_cast<qint64>(now.waiting)},
                                    {"reason", QString::fromStdString(now.reason)}});
        last_ = now;
        return;
    }
    for (const QJsonObject& event : events)
        if (event["event"] == "progress" && event["steps"].toInteger() > 0)
            step_ = gpu::format("cell {}: {} {}/{}", event["cell"].toInteger(), event["id"].toString().toStdString(), event["step"].toInteger(), event["steps"].toInteger());
    draw(now);
}

void SweepPrinter::draw(const SweepProgress& now) {
    std::string text = gpu::format("[{}/{}] {} running, {} waiting", now.done, now.cells, now.running, now.waiting);
    if (now.running == 0 && !now.reason.empty()) text += " (" + now.reason + ")";
    if (now.failed > 0) text += gpu::format(", {} failed", now.failed);
    if (now.retried > 0) text += gpu::format(", {} tried again", now.retried);
    if (now.running > 0 && !step_.empty()) text += "  " + step_;
    if (bar_shown_ && text == drawn_) return;
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
    drawn_ = text;
    bar_shown_ = true;
}

void SweepPrinter::clear() {
    if (bar_shown_) std::fputs("\r\033[K", stderr);
    bar_shown_ = false;
}

}  // namespace app
