// What the jobs of a sweep tell while they work, and how it is shown.
#pragma once

#include <QElapsedTimer>
#include <QJsonObject>
#include <map>
#include <string>
#include <vector>

#include "app/cli/event_printer.h"
#include "app/cli/slurm_work.h"

namespace app {

// Reads what the tasks' event files grew by.
class SlurmEvents {
public:
    explicit SlurmEvents(const SlurmWork& work) : work_(work) {}

    // New lines of these (chunk, submission), whole ones only. At most every half second: in between there are none.
    std::vector<QJsonObject> read(const std::vector<std::pair<std::size_t, std::uint64_t>>& active);

private:
    const SlurmWork& work_;
    std::map<std::pair<std::size_t, std::uint64_t>, qint64> places_;  // bytes that were read
    QElapsedTimer clock_;
};

// The last line of a file that is not blank, shortened; empty where there is none.
std::string last_line(const std::string& path);

struct SweepProgress {
    std::size_t cells = 0, done = 0, failed = 0, retried = 0;
    std::size_t running = 0, waiting = 0;  // tasks
    std::string reason;                    // why a task waits, as Slurm says

    friend bool operator==(const SweepProgress&, const SweepProgress&) = default;
};

// A bar on stderr for people; JSON lines on stdout: submitted, retry, and with --progress json sweep (counts, when they change)
// and the tasks' own events with their cell.
class SweepPrinter {
public:
    SweepPrinter(ProgressStyle style, bool json) : style_(style), json_(json || style == ProgressStyle::Json) {}

    bool wants_progress() const { return style_ != ProgressStyle::None; }
    void submitted(const std::string& job, const std::string& tasks);
    void retry(std::size_t cell, int tries, const std::string& why);
    void warn(const std::string& text);
    void progress(const SweepProgress& now, const std::vector<QJsonObject>& events);
    void clear();  // the bar, before something else is written

private:
    void draw(const SweepProgress& now);

    ProgressStyle style_;
    bool json_;
    bool bar_shown_ = false;
    SweepProgress last_;
    std::string step_, drawn_;
};

}  // namespace app
