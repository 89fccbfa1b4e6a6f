// The other end of `heddle serve`: requests and their replies.
#pragma once

#include <QJsonObject>

#include "app/cli/line_socket.h"
#include "app/cli/serve_options.h"

namespace app {

class ServeClient {
public:
    // Connects and says who it is. Throws gpu::Error{Io} where nobody listens, and what request() throws.
    explicit ServeClient(const ServePlace& place);

    // Sends a request and returns its reply. Lines of runs that come before it are dropped. Throws the error that the reply
    // says, with its code.
    QJsonObject request(const QJsonObject& request);
    void send(const QJsonObject& request);
    // The next line. Empty when a signal came; throws gpu::Error{Io} when the server is gone.
    QJsonObject read();

private:
    LineClient client_;
};

}  // namespace app
