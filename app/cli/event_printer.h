// What a run tells, for people (stderr and stdout) or as JSON lines (stdout).
#pragma once

#include <QElapsedTimer>
#include <QJsonObject>
#include <string>

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

private:
    void print_json_event(const nodes::Event& event);
    void print_for_people(const nodes::Event& event);
    void line(const char* name, QJsonObject fields);
    void draw_bar(const std::string& text);
    void clear_bar();

    ProgressStyle style_;
    bool json_;
    QElapsedTimer clock_;
    int sequence_ = 0;
    int nodes_ = 0;  // of the plan
    int visited_ = 0;
    bool bar_shown_ = false;
};

}  // namespace app
