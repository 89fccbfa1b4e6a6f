// What a run tells as JSON objects: one line each of `heddle run --progress json`, and of `heddle serve`.
#pragma once

#include <QElapsedTimer>
#include <QJsonObject>
#include <optional>
#include <string>

#include "nodes/core/executor.h"

namespace app {

// "event" and the fields of that event. Nothing for states, previews and values.
std::optional<QJsonObject> event_json(const nodes::Event& event);

// The first and the last of a run.
QJsonObject start_json(const std::string& graph);
QJsonObject end_json(const nodes::RunResult& result, int exit_code);

// Gives lines "v": 1, a "seq" that counts up from 0, and "t", seconds since this was made.
class LineStamp {
public:
    LineStamp() { clock_.start(); }
    QJsonObject operator()(QJsonObject fields);

private:
    QElapsedTimer clock_;
    int sequence_ = 0;
};

}  // namespace app
