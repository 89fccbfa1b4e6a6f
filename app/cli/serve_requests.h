// What a client of `heddle serve` may ask for, one JSON object a line (resources/docs/serve.md), without the sockets.
#pragma once

#include <QJsonObject>
#include <functional>
#include <optional>
#include <string>

#include "app/cli/serve_queue.h"

namespace app {

// The run that a request "submit" asks for. Throws gpu::Error: Usage for fields that are unknown or do not fit, and all
// that reading a graph and setting its parameters throws; InvalidGraph lists everything that is wrong with the graph.
ServedRun read_submission(const QJsonObject& request, std::vector<std::string>* notes);

// The answer to a request, and what the server has to do beside it.
struct ServeAnswer {
    QJsonObject reply;                      // "ok", and "request" as the request had it
    std::optional<int> watch;               // from now on its lines go to the client; 0: those of all runs
    bool close_server = false, finish_runs = false;
};

// Never throws: what goes wrong is in the reply.
ServeAnswer answer_request(const std::string& line, ServeQueue& queue);

// {"ok": false, "error": {"code", "message", "exit_code"}}
QJsonObject error_reply(gpu::ErrorCode code, const std::string& message);

// Whether two secrets are the same, in a time that does not depend on where they differ.
bool same_secret(const std::string& a, const std::string& b);

}  // namespace app
