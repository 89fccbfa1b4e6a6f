#include "app/cli/serve_client.h"

#include <QJsonDocument>

#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

// The code of that name, Failure for one that nobody knows.
ErrorCode code_of(const std::string& name) {
    for (int i = static_cast<int>(ErrorCode::Failure); i <= static_cast<int>(ErrorCode::Cancelled); ++i)
        if (name == gpu::to_string(static_cast<ErrorCode>(i))) return static_cast<ErrorCode>(i);
    return ErrorCode::Failure;
}

}  // namespace

ServeClient::ServeClient(const ServePlace& place)
    : client_(place.socket.empty() ? connect_loopback(place.port) : connect_unix(place.socket)) {
    if (place.socket.empty()) request({{"op", "hello"}, {"token", QString::fromStdString(place.token)}});
}

void ServeClient::send(const QJsonObject& request) { client_.send(QJsonDocument(request).toJson(QJsonDocument::Compact).toStdString()); }

QJsonObject ServeClient::read() {
    const auto line = client_.read();
    if (!line && client_.interrupted()) return {};
    gpu::check(line.has_value(), ErrorCode::Io, "expected a line from the server, it is gone");
    return QJsonDocument::fromJson(QByteArray::fromStdString(*line)).object();
}

QJsonObject ServeClient::request(const QJsonObject& request) {
    send(request);
    QJsonObject reply;
    while (!reply.contains("ok")) reply = read();
    if (reply["ok"].toBool()) return reply;
    const QJsonObject error = reply["error"].toObject();
    throw Error(code_of(error["code"].toString().toStdString()), error["message"].toString().toStdString());
}

}  // namespace app
