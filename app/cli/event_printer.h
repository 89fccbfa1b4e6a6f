// What a run tells, for people (stderr and stdout) or as JSON lines (stdout).
#pragma once

#include <QJsonObject>
#include <string>

#include "app/cli/event_json.h"
#include "nodes/core/executor.h"

namespace app {

enum class ProgressStyle { None, Bar, Json };

// JSON lines: one object each with "v": 1, a "seq" that counts up, "t" in seconds since the start, and "event": start,
// plan, node_start, progress (only with ProgressStyle::Json), node_end, output, metric, warning, error, end. For
// people: metrics and written files on stdout, warnings, errors and the bar on stderr.
class EventPrinter {
public:
    EventPrinter(ProgressStyle style, bool json);

    void start(const std::string& graph);
    void print(const nodes::Event& event);
    void end(const nodes::RunResult& result, int exit_code);
    // A line with an "event" of this program's own.
    void print(QJsonObject event);
    // A line of a run elsewhere, stamped there.
    void relay(const QJsonObject& line);

    // Several runs: lines carry "row" from here on, counted from 1; 0 ends that.
    void set_row(std::size_t row) { row_ = row; }

private:
    void print_for_people(const QJsonObject& event);
    void draw_bar(const std::string& text);
    void clear_bar();

    ProgressStyle style_;
    bool json_;
    LineStamp stamp_;
    std::size_t row_ = 0;
    int nodes_ = 0;  // of the plan
    int visited_ = 0;
    bool bar_shown_ = false;
};

}  // namespace app
