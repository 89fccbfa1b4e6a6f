// What a run ended with, as JSON that another process reads back.
#pragma once

#include <QJsonObject>

#include "nodes/core/executor.h"

namespace app {

// Status, failures, written files, metrics, counts and time; numbers come back bit by bit. Problems of validation are left out.
QJsonObject result_json(const nodes::RunResult& result);

// The reverse. Fields that are absent or of another kind keep their defaults; an unknown status or code counts as a failure.
nodes::RunResult parse_result(const QJsonObject& json);

}  // namespace app
