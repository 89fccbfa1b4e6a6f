// heddle serve: one process that keeps models and results in memory and runs what clients send, one after another.
#include <unistd.h>

#include <QJsonDocument>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>

#include "app/cli/cache_option.h"
#include "app/cli/command.h"
#include "app/cli/line_server.h"
#include "app/cli/run_setup.h"
#include "app/cli/serve_options.h"
#include "app/cli/serve_queue.h"
#include "app/cli/serve_requests.h"
#include "gpu/base/error.h"
#include "gpu/base/switches.h"

namespace app {
namespace {

using gpu::ErrorCode;

constexpr std::size_t lagging = std::size_t{256} << 10;      // unread bytes from which on a client gets no more progress

// The clients' side of the queue: who may ask, and who gets which lines.
class Server {
public:
    Server(const ServePlace& place, std::size_t cache_bytes, std::shared_ptr<nodes::DiskCache> disk, std::vector<std::shared_ptr<gpu::DeviceSlot>> devices)
        : place_(place),
          lines_({}, {.arrived = [this](Client client) { if (!place_.socket.empty()) lines_.admit(client), known_.insert(client); },
                      .line = [this](Client client, const std::string& line) { on_line(client, line); },
                      .gone = [this](Client client) { known_.erase(client), watched_.erase(client); },
                      .expects = [this](Client client) { return watched_.contains(client); },
                      .woken = [this] { deliver(); },
                      .signal = [this](int number) { on_signal(number); }}),
          queue_({}, cache_bytes, std::move(disk), [this](const ServedLine& line) { on_told(line); }, std::move(devices)) {
        if (place_.socket.empty())
            lines_.listen(listen_loopback(&place_.port));
        else
            lines_.listen(listen_unix(place_.socket));
    }

    // Until it is shut down or a signal comes. 0.
    int run(bool json) {
        json_ = json;
        const QString where = place_.socket.empty() ? QString("127.0.0.1:%1").arg(place_.port) : QString::fromStdString(place_.socket);
        if (json)
            print_json_line(QJsonObject{{"event", "serving"}, {"at", where}, {"pid", static_cast<qint64>(::getpid())}});
        else
            print_line("serving at " + where.toStdString());
        std::fflush(stdout);
        lines_.run();
        if (!place_.socket.empty()) ::unlink(place_.socket.c_str());
        return 0;
    }

private:
    using Client = LineServer::Client;

    void send(Client client, const QJsonObject& object) { lines_.send(client, QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString()); }

    void on_line(Client client, const std::string& line) {
        if (!known_.contains(client) && !introduce(client, line)) return;
        const ServeAnswer answer = answer_request(line, queue_);
        send(client, answer.reply);
        if (answer.watch) watch(client, *answer.watch);
        if (answer.close_server) close(answer.finish_runs);
    }

    // Of a port: the first line must be a "hello" with the token.
    bool introduce(Client client, const std::string& line) {
        const QJsonObject hello = QJsonDocument::fromJson(QByteArray::fromStdString(line)).object();
        const bool right = same_secret(hello["token"].toString().toStdString(), place_.token);
        if (right && hello["op"] == "hello") {
            known_.insert(client);
            lines_.admit(client);
            return true;
        }
        send(client, error_reply(ErrorCode::Usage, "expected {\"op\": \"hello\", \"token\": ...} with the server's token first"));
        lines_.close(client);
        return false;
    }

    // Sends what a run has told so far; what comes later follows by itself.
    void watch(Client client, int job) {
        if (job == 0) {
            watched_[client][0] = 0;
            return;
        }
        std::int64_t& next = watched_[client][job];
        bool last = false;
        try {
            for (const ServedLine& line : queue_.lines(job)) {
                if (line.seq >= next) lines_.send(client, line.json.toStdString());
                next = std::max(next, line.seq + 1);
                last = line.last;
            }
        } catch (const gpu::Error&) {      // forgotten since it was asked for
            last = true;
        }
        if (last) unwatch(client, job);
    }

    void unwatch(Client client, int job) {
        const auto at = watched_.find(client);
        if (at == watched_.end()) return;
        at->second.erase(job);
        if (at->second.empty()) watched_.erase(at);
    }

    // By the thread that runs: the line is handed to the one of the clients.
    void on_told(const ServedLine& line) {
        const std::lock_guard lock(mutex_);
        if (line.progress && told_.size() > 1000) return;
        told_.push_back(line);
        lines_.wake();
    }

    void deliver() {
        const bool closed = queue_.closed();      // asked first: then nothing is told any more that is not among these lines
        std::vector<ServedLine> told;
        {
            const std::lock_guard lock(mutex_);
            told.swap(told_);
        }
        for (const ServedLine& line : told) {
            if (line.last) report(line);
            std::vector<Client> finished;
            for (auto& [client, jobs] : watched_) {
                const auto one = jobs.find(line.job);
                const bool wanted = jobs.contains(0) || (one != jobs.end() && line.seq >= one->second);
                if (!wanted || (line.progress && lines_.unread(client) > lagging)) continue;
                lines_.send(client, line.json.toStdString());
                if (one != jobs.end()) one->second = line.seq + 1;
                if (one != jobs.end() && line.last) finished.push_back(client);
            }
            for (const Client client : finished) unwatch(client, line.job);
        }
        if (closed) lines_.stop();
    }

    // For who looks at the terminal.
    void report(const ServedLine& line) const {
        if (json_) return print_json_line(QJsonDocument::fromJson(line.json).object());
        const QJsonObject end = QJsonDocument::fromJson(line.json).object();
        std::fprintf(stderr, "run %d: %s, %.2f s\n", line.job, qPrintable(end["status"].toString()), end["ms"].toDouble() / 1000);
    }

    void close(bool finish) {
        queue_.close(finish);
        lines_.wake();      // it may be closed at once
    }

    void on_signal(int number) {
        if (interrupted_) ::_exit(128 + number);
        interrupted_ = true;
        std::fputs("heddle: stops; once more to stop at once\n", stderr);
        close(false);
    }

    ServePlace place_;
    bool json_ = false, interrupted_ = false;
    std::set<Client> known_;                                        // who may ask
    std::map<Client, std::map<int, std::int64_t>> watched_;         // runs, 0 for all, and the line that comes next
    std::mutex mutex_;
    std::vector<ServedLine> told_;                                  // not yet delivered
    LineServer lines_;
    ServeQueue queue_;                                              // last: it tells the others
};

int serve(const Arguments& arguments) {
    arguments.expect_count(0, 0, "no argument");
    std::signal(SIGPIPE, SIG_IGN);      // nobody has to read what the server prints
    auto devices = choose_device(arguments);
    const ServePlace place = serve_place(arguments);
    const std::uint64_t kept = gpu::parse_bytes(arguments.value("--memory").value_or("4G"), "--memory");
    Server server(place, kept, disk_cache(arguments), std::move(devices));
    return server.run(arguments.has("--json"));
}

Command serve_command() {
    return Command{.name = "serve",
                   .arguments = "",
                   .summary = "Keeps models in memory and runs what clients send, one after another",
                   .help = "Listens on a Unix socket that only its owner reaches, or on a port of this machine alone. Clients send a\n"
                           "request a line as JSON: submit, list, status, watch, cancel, pause, resume, move, shutdown\n"
                           "(resources/docs/serve.md). 'heddle submit' and 'heddle queue' are such clients. The first Ctrl-C cancels what\n"
                           "runs and ends.",
                   .options = joined({serve_place_options(),
                                      {{"--memory", "BYTES", "Results and models that stay in memory between runs; 4G without it"}},
                                      device_options(),
                                      {cache_option,
                                       {"--no-cache", "", "Keep no results on disk"},
                                       {"--json", "", "Print where it listens and how runs end as JSON lines on stdout"}}}),
                   .run = serve};
}

}  // namespace

REGISTER_COMMAND(serve, serve_command())

}  // namespace app
