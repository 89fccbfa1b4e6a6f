#include "app/cli/serve_options.h"

#include <sys/stat.h>

#include <QFile>
#include <cstdlib>
#include <filesystem>

#include "gpu/base/error.h"
#include "gpu/base/switches.h"

namespace app {
namespace {

using gpu::ErrorCode;

constexpr std::size_t least_token = 16;

std::string read_token(const std::string& source) {
    std::string token;
    if (source.starts_with("env:")) {
        const char* value = std::getenv(source.c_str() + 4);
        gpu::check(value != nullptr, ErrorCode::Usage, "--token: expected the environment to hold {}, it does not", source.substr(4));
        token = value;
    } else {
        struct stat facts {};
        gpu::check(::stat(source.c_str(), &facts) == 0, ErrorCode::MissingFile, "--token: expected a file, there is no {}", source);
        gpu::check((facts.st_mode & 077) == 0, ErrorCode::Usage, "--token: expected a file that only its owner may read, others may read {}: chmod 600 it", source);
        QFile file(QString::fromStdString(source));
        gpu::check(file.open(QIODevice::ReadOnly), ErrorCode::Io, "--token: read {}: {}", source, file.errorString().toStdString());
        token = file.read(4096).trimmed().toStdString();
    }
    gpu::check(token.size() >= least_token, ErrorCode::Usage, "--token: expected a secret of at least {} bytes, got {}", least_token, token.size());
    return token;
}

std::string usual_socket() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const std::string folder = runtime && *runtime ? runtime : gpu::cache_directory();
    gpu::check(!folder.empty(), ErrorCode::Usage, "expected --socket PATH, there is no usual folder for it");
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    return (std::filesystem::path(folder) / "heddle.sock").string();
}

}  // namespace

std::vector<Option> serve_place_options() {
    return {{"--socket", "PATH", "Unix socket; without it and --port heddle.sock in $XDG_RUNTIME_DIR, else in the folder for caches"},
            {"--port", "N", "Port of 127.0.0.1 instead, 0 for a free one"},
            {"--token", "FILE|env:NAME", "The secret that a port's clients must send, from a file or the environment"}};
}

ServePlace serve_place(const Arguments& arguments) {
    const auto socket = arguments.value("--socket"), port = arguments.value("--port"), token = arguments.value("--token");
    gpu::check(!socket || !port, ErrorCode::Usage, "expected --socket or --port, got both");
    if (!port) {
        gpu::check(!token, ErrorCode::Usage, "--token: expected --port beside it; a socket is for its owner alone");
        return {.socket = socket ? std::filesystem::absolute(*socket).string() : usual_socket()};
    }
    bool whole = false;
    const uint number = QString::fromStdString(*port).toUInt(&whole);
    gpu::check(whole && number <= 65535, ErrorCode::Usage, "--port: expected a whole number, 0 to 65535, got '{}'", *port);
    gpu::check(token.has_value(), ErrorCode::Usage, "--port: expected --token FILE or --token env:NAME beside it: other users of this machine reach the port");
    return {.socket = {}, .port = static_cast<std::uint16_t>(number), .token = read_token(*token)};
}

}  // namespace app
