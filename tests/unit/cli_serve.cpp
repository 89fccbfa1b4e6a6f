// heddle serve as a process, and its parts: the queue, the secret, the socket.
#include <sys/socket.h>
#include <sys/stat.h>

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <csignal>
#include <future>
#include <thread>

#include "app/cli/line_server.h"
#include "app/cli/serve_client.h"
#include "app/cli/serve_queue.h"
#include "app/cli/serve_requests.h"
#include "gpu/base/error.h"
#include "gpu/io/pending_writes.h"
#include "tests/support/error_of.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using app::ServeClient;

// a + 1, reported.
const QJsonObject sum = QJsonDocument::fromJson(R"({"heddle": 1, "nodes": {"a": {"type": "value.number"}, "b": {"type": "value.number", "params": {"value": 1}},
    "sum": {"type": "value.calculate", "params": {"operation": "add"}}, "report": {"type": "value.report"}},
    "links": [{"from": "a.number", "to": "sum.a"}, {"from": "b.number", "to": "sum.b"}, {"from": "sum.result", "to": "report.number"}]})").object();

// A loop that takes minutes.
const QJsonObject endless = QJsonDocument::fromJson(R"({"heddle": 1, "nodes": {"n": {"type": "value.number"}, "begin": {"type": "loop.begin", "params": {"count": 1000000}},
    "end": {"type": "loop.end"}, "sum": {"type": "value.calculate", "params": {"operation": "add"}}, "report": {"type": "value.report"}},
    "links": [{"from": "n.number", "to": "begin.a"}, {"from": "begin.a", "to": "sum.a"}, {"from": "n.number", "to": "sum.b"}, {"from": "sum.result", "to": "end.a"},
              {"from": "begin.loop", "to": "end.loop"}, {"from": "end.a", "to": "report.number"}]})").object();

QJsonObject submit(const QJsonObject& document, const QJsonObject& more = {}) {
    QJsonObject request{{"op", "submit"}, {"document", document}};
    for (auto at = more.begin(); at != more.end(); ++at) request[at.key()] = at.value();
    return request;
}

// A server of its own for each test.
class Served {
public:
    explicit Served(const QStringList& options = {}) {
        const bool port = options.contains("--port");
        if (!port) place_.socket = folder_.filePath("s").toStdString();
        process_.setWorkingDirectory(folder_.path());
        process_.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        process_.start(QStringLiteral(HEDDLE_BINARY), QStringList{"serve", "--no-cache"} + (port ? options : QStringList{"--socket", "s"} + options));
        while (!process_.canReadLine() && process_.waitForReadyRead(20000)) {}
        where_ = process_.readLine().trimmed();
        if (port) place_.port = where_.mid(where_.lastIndexOf(':') + 1).toUShort();
    }
    ~Served() {
        if (process_.state() == QProcess::NotRunning) return;
        process_.terminate();
        if (!process_.waitForFinished(5000)) process_.kill(), process_.waitForFinished(5000);
    }

    bool up() const { return where_.startsWith("serving at "); }
    app::ServePlace place() const { return place_; }
    const QTemporaryDir& folder() const { return folder_; }
    QProcess& process() { return process_; }
    // May be asked again.
    int status() {
        const bool ended = process_.state() == QProcess::NotRunning || process_.waitForFinished(10000);
        return ended && process_.exitStatus() == QProcess::NormalExit ? process_.exitCode() : -1;
    }

private:
    QTemporaryDir folder_;
    QProcess process_;
    QByteArray where_;
    app::ServePlace place_;
};

// Lines up to the one that ends the run.
QList<QJsonObject> until_end(ServeClient& client, int job) {
    QList<QJsonObject> lines;
    do lines << client.read();
    while (lines.last()["event"] != "end" || lines.last()["job"].toInt() != job);
    return lines;
}

QStringList events(const QList<QJsonObject>& lines) {
    QStringList names;
    for (const QJsonObject& line : lines) names << line["event"].toString();
    return names;
}

QStringList states(const QJsonObject& list) {
    QStringList told;
    for (const QJsonValue job : list["jobs"].toArray()) told << QString::number(job["job"].toInt()) + " " + job["state"].toString();
    return told;
}

}  // namespace

class CliServeTest : public QObject {
    Q_OBJECT
private slots:
    void runs_and_tells() {
        Served served;
        QVERIFY(served.up());
        ServeClient client(served.place());
        QCOMPARE(client.request({{"op", "hello"}, {"request", 5}})["request"].toInt(), 5);
        const int job = client.request(submit(sum, {{"set", QJsonObject{{"a.value", 4}}}, {"watch", true}}))["job"].toInt();
        QCOMPARE(job, 1);
        const QList<QJsonObject> lines = until_end(client, job);
        for (int i = 0; i < lines.size(); ++i) QCOMPARE(lines[i]["seq"].toInt(-1), i);      // none is missing, none comes twice
        const QStringList names = events(lines);
        QCOMPARE(names.mid(0, 3), (QStringList{"queued", "start", "plan"}));
        QCOMPARE(lines[names.indexOf("metric")]["value"].toDouble(), 5.0);
        QCOMPARE(client.request({{"op", "status"}, {"job", job}})["metrics"].toObject()["report.value"].toDouble(), 5.0);
        // Once more: what did not change is not computed, and somebody who comes late sees it all.
        client.request(submit(sum, {{"set", QJsonArray{"a.value=4"}}}));
        ServeClient late(served.place());
        late.request({{"op", "watch"}, {"job", 2}});
        const QJsonObject end = until_end(late, 2).last();
        QCOMPARE(end["exit_code"].toInt(-1), 0);
        QCOMPARE(end["cached"].toInt(), 1);      // the sum; what it is made of is not needed
        QCOMPARE(states(client.request({{"op", "list"}})), (QStringList{"2 done", "1 done"}));
    }

    void the_queue_can_be_changed() {
        Served served;
        ServeClient client(served.place());
        client.request({{"op", "pause"}});
        for (int i = 0; i < 3; ++i) client.request(submit(sum, {{"name", QString("n%1").arg(i)}}));
        client.request({{"op", "move"}, {"job", 3}, {"to", 1}});
        QCOMPARE(client.request({{"op", "cancel"}, {"job", 1}})["state"].toString(), QString("cancelled"));
        const QJsonObject list = client.request({{"op", "list"}});
        QCOMPARE(states(list), (QStringList{"3 waiting", "2 waiting", "1 cancelled"}));
        QVERIFY(list["paused"].toBool());
        QCOMPARE(error_of([&] { client.request({{"op", "move"}, {"job", 2}, {"to", 3}}); }), std::string("expected a position from 1 to 2, got 3"));
        client.request({{"op", "watch"}, {"job", 2}});
        client.request({{"op", "resume"}});
        until_end(client, 2);
        QCOMPARE(states(client.request({{"op", "list"}})), (QStringList{"2 done", "3 done", "1 cancelled"}));
    }

    void a_run_that_goes_is_cancelled() {
        Served served;
        ServeClient client(served.place());
        client.request(submit(endless, {{"watch", true}}));
        client.request(submit(sum));
        for (QJsonObject line; line["event"] != "node_end";) line = client.read();      // it has begun
        client.request({{"op", "cancel"}, {"job", 1}});
        QCOMPARE(until_end(client, 1).last()["exit_code"].toInt(), 130);
        client.request({{"op", "watch"}, {"job", 2}});
        QCOMPARE(until_end(client, 2).last()["exit_code"].toInt(-1), 0);      // the next one is not concerned
    }

    void mistakes_are_answered() {
        Served served;
        ServeClient client(served.place());
        const auto problem = [&](const QJsonObject& request) { return error_of([&] { client.request(request); }); };
        QCOMPARE(problem({{"op", "sumbit"}}), std::string("op: expected one of hello, submit, list, status, watch, cancel, pause, resume, move, shutdown, got 'sumbit'; did you mean 'submit'?"));
        QCOMPARE(problem({{"op", "status"}, {"job", 9}}), std::string("expected the number of a run, got 9"));
        QCOMPARE(problem({{"op", "status"}, {"jop", 9}}), std::string("expected a known field, got 'jop'; did you mean 'job'?"));
        QCOMPARE(problem({{"op", "submit"}}), std::string("expected \"graph\", a path, or \"document\", the graph itself"));
        QVERIFY(problem({{"op", "submit"}, {"graph", "no.heddle"}}).find("there is no " + served.folder().path().toStdString() + "/no.heddle") != std::string::npos);
        QCOMPARE(problem(submit(sum, {{"set", QJsonObject{{"a.value", "x"}}}})), std::string("--set a.value: expected a number, got 'x'"));
        QCOMPARE(problem(submit(sum, {{"targets", QJsonArray{"som"}}})), std::string("targets: expected a node of the graph, got 'som'; did you mean 'sum'?"));
        QCOMPARE(problem(submit({{"heddle", 1}, {"nodes", QJsonObject{{"r", QJsonObject{{"type", "value.report"}}}}}, {"links", QJsonArray()}})).substr(0, 24), std::string("r.number: expected a link"  ).substr(0, 24));
        QVERIFY(states(client.request({{"op", "list"}})).isEmpty());
    }

    void a_client_does_no_harm() {
        Served served;
        const std::string path = served.place().socket;
        {
            app::LineClient wild(app::connect_unix(path));
            wild.send("this is no JSON");
            QVERIFY(wild.read()->find("expected a JSON object") != std::string::npos);
            wild.send("[1]");
            QVERIFY(wild.read()->find("\"ok\":false") != std::string::npos);
            wild.send(QJsonDocument(submit(endless, {{"watch", true}})).toJson(QJsonDocument::Compact).toStdString());
        }      // gone without a word
        ServeClient client(served.place());
        for (QJsonObject job; job["state"] != "running";) job = client.request({{"op", "status"}, {"job", 1}});
        client.request({{"op", "cancel"}, {"job", 1}});
        // As many as there may be, and one more.
        std::vector<std::unique_ptr<ServeClient>> many;
        for (int i = 0; i < 31; ++i) many.push_back(std::make_unique<ServeClient>(served.place())), many.back()->request({{"op", "hello"}});
        QVERIFY(error_of([&] { ServeClient(served.place()).request({{"op", "hello"}}); }) != "nothing was thrown");
        many.clear();
        // A line without end.
        app::LineClient endless_line(app::connect_unix(path));
        const std::string much(17 << 20, 'x');
        QVERIFY(error_of([&] { endless_line.send(much); if (!endless_line.read()) throw gpu::Error(gpu::ErrorCode::Io, "closed"); }) != "");
        QVERIFY(client.request({{"op", "hello"}})["ok"].toBool());
    }

    // Nobody waits for a client that does not read, or that does not say who it is.
    void slow_and_silent_clients_are_closed() {
        QTemporaryDir folder;
        const std::string path = folder.filePath("s").toStdString();
        app::LineServer* server = nullptr;
        app::LineServer::Handler handler{
            .line = [&](int client, const std::string& line) {
                server->admit(client);
                if (line == "stop") server->stop();
                for (int i = 0; line == "much" && i < 64; ++i) server->send(client, std::string(64 << 10, 'x'));
                server->send(client, "got " + line);
            },
            .expects = [](int) { return false; }};
        app::Fd socket = app::listen_unix(path);
        std::thread thread([&] {
            app::LineServer made({.line = 100, .first_line = 10, .unread = 1 << 20, .patience = std::chrono::seconds(1)}, handler);
            server = &made;
            made.listen(std::move(socket));
            made.run();
        });
        app::LineClient silent(app::connect_unix(path)), slow(app::connect_unix(path)), good(app::connect_unix(path)), wordy(app::connect_unix(path));
        slow.send("much");
        good.send("hi");
        QCOMPARE(good.read(), std::optional<std::string>("got hi"));
        good.send(std::string(100, 'a'));
        QCOMPARE(good.read(), std::optional<std::string>("got " + std::string(100, 'a')));
        wordy.send(std::string(11, 'a'));
        QVERIFY(wordy.read()->find("expected a line of at most 10 bytes") != std::string::npos);
        QVERIFY(!wordy.read());
        QVERIFY(!silent.read());      // after a second
        std::size_t lines = 0;
        while (slow.read()) ++lines;      // what was on its way, then the end
        QVERIFY(lines < 64);
        good.send("stop");
        QCOMPARE(good.read(), std::optional<std::string>("got stop"));
        thread.join();
    }

    void the_socket_is_its_owners_alone() {
        Served served;
        struct stat facts {};
        QCOMPARE(::stat(served.place().socket.c_str(), &facts), 0);
        QCOMPARE(facts.st_mode & 0777, 0600u);
        const QString path = QString::fromStdString(served.place().socket);
        QProcess second;
        second.start(QStringLiteral(HEDDLE_BINARY), {"serve", "--socket", path});
        QVERIFY(second.waitForFinished(20000));
        QCOMPARE(second.exitCode(), 2);
        QVERIFY(second.readAllStandardError().contains("another server listens on"));
        // One that was killed leaves its file behind; the next takes its place.
        served.process().kill();
        QVERIFY(served.process().waitForFinished(5000));
        QVERIFY(QFile::exists(path));
        second.start(QStringLiteral(HEDDLE_BINARY), {"serve", "--socket", path, "--no-cache"});
        QVERIFY(second.waitForReadyRead(20000));
        ServeClient(served.place()).request({{"op", "shutdown"}});
        QVERIFY(second.waitForFinished(10000));
        QCOMPARE(second.exitCode(), 0);
        QVERIFY(!QFile::exists(path));
        // No other file is touched.
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        second.start(QStringLiteral(HEDDLE_BINARY), {"serve", "--socket", path});
        QVERIFY(second.waitForFinished(20000));
        QCOMPARE(second.exitCode(), 2);
        QVERIFY(QFile::exists(path));
    }

    void a_port_wants_its_token() {
        QTemporaryDir folder;
        QFile file(folder.filePath("token"));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("0123456789abcdef\n") == 17);
        file.close();
        QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::WriteOwner));
        Served served({"--port", "0", "--token", file.fileName()});
        QVERIFY(served.up());
        app::ServePlace place = served.place();
        QVERIFY(place.port != 0);
        for (const char* token : {"", "0123456789abcdeg", "0123456789abcdef0"}) {
            place.token = token;
            QVERIFY(error_of([&] { ServeClient client(place); }).starts_with("expected {\"op\": \"hello\""));
        }
        app::LineClient unknown(app::connect_loopback(place.port));
        unknown.send(R"({"op": "list"})");
        QVERIFY(unknown.read()->find("\"ok\":false") != std::string::npos);
        QVERIFY(!unknown.read());      // closed
        place.token = "0123456789abcdef";
        ServeClient client(place);
        QVERIFY(client.request({{"op", "list"}})["ok"].toBool());
        QProcess open;
        QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::ReadOther));
        open.start(QStringLiteral(HEDDLE_BINARY), {"serve", "--port", "0", "--token", file.fileName()});
        QVERIFY(open.waitForFinished(20000));
        QVERIFY(open.readAllStandardError().contains("others may read"));
        open.start(QStringLiteral(HEDDLE_BINARY), {"serve", "--port", "0"});
        QVERIFY(open.waitForFinished(20000));
        QCOMPARE(open.exitCode(), 2);
        QVERIFY(app::same_secret("abc", "abc") && !app::same_secret("abc", "abd") && !app::same_secret("abc", ""));
    }

    void signals_end_it_cleanly() {
        Served served;
        ServeClient client(served.place());
        client.request(submit(endless, {{"watch", true}}));
        client.request(submit(sum));
        for (QJsonObject line; line["event"] != "node_end";) line = client.read();
        ::kill(static_cast<pid_t>(served.process().processId()), SIGINT);
        QCOMPARE(until_end(client, 1).last()["status"].toString(), QString("cancelled"));
        QCOMPARE(served.status(), 0);
        QVERIFY(!QFile::exists(QString::fromStdString(served.place().socket)));
    }

    void shutdown_may_wait() {
        Served served;
        ServeClient client(served.place());
        client.request({{"op", "pause"}});
        client.request(submit(sum, {{"watch", true}}));
        client.request({{"op", "shutdown"}, {"finish", true}});
        QVERIFY(error_of([&] { client.request(submit(sum)); }).find("closing") != std::string::npos || served.status() == 0);
        QCOMPARE(served.status(), 0);
    }

    void submit_is_a_client() {
        Served served;
        QFile graph(served.folder().filePath("g.heddle"));
        QVERIFY(graph.open(QIODevice::WriteOnly) && graph.write(QJsonDocument(sum).toJson()) > 0);
        graph.close();
        const auto run = [&](const QStringList& arguments) {
            QProcess process;
            process.setWorkingDirectory(served.folder().path());
            process.start(QStringLiteral(HEDDLE_BINARY), arguments);
            process.waitForFinished(20000);
            return std::pair(process.exitCode(), process.readAllStandardOutput() + process.readAllStandardError());
        };
        QCOMPARE(run({"submit", "g.heddle", "--socket", "s", "--set", "a.value=2", "--wait"}), std::pair(0, QByteArray("run 1\nreport.value 3\n")));
        QFile file(served.folder().filePath("four"));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("4\n") == 2);
        file.close();
        QVERIFY(run({"submit", "g.heddle", "--socket", "s", "--set", "a.value=@four", "--wait"}).second.endsWith("report.value 5\n"));
        const auto failed = run({"submit", "g.heddle", "--socket", "s", "--set", "b.value=0", "--set", "sum.operation=divide", "--wait"});
        QCOMPARE(failed.first, 8);
        QVERIFY2(failed.second.contains("error: sum.b: "), failed.second);
        QCOMPARE(run({"submit", "g.heddle", "--socket", "s", "--set", "a.valeu=2"}).first, 2);
        QVERIFY(run({"queue", "status", "1", "--socket", "s"}).second.startsWith("run 1: done\n"));
        QVERIFY(run({"queue", "--socket", "s"}).second.contains("3    failed  " + graph.fileName().toUtf8()));
        QCOMPARE(run({"queue", "shutdown", "--socket", "s"}).first, 0);
        QCOMPARE(served.status(), 0);
        QCOMPARE(run({"submit", "g.heddle", "--socket", "s"}).first, 9);
    }

    void a_file_that_fails_behind_its_run_is_told() {
        gpu::leave_write("state", std::async(std::launch::deferred, [] { throw gpu::Error(gpu::ErrorCode::Io, "save file state: no room"); }).share());
        std::promise<void> told;
        QStringList lines;
        app::ServeQueue queue({}, 0, nullptr, [&](const app::ServedLine& line) {
            lines << QJsonDocument::fromJson(line.json).object()["event"].toString();
            if (lines.last() == "error") told.set_value();
        });
        const int job = queue.submit(app::read_submission(submit(sum), nullptr));
        QCOMPARE(told.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
        QCOMPARE(lines.mid(lines.size() - 2), (QStringList{"end", "error"}));
        QCOMPARE(queue.job_json(job)["exit_code"].toInt(), 9);
        QCOMPARE(queue.job_json(job)["errors"].toArray().last().toString(), QString("save file state: no room"));
        QCOMPARE(queue.job_json(job)["state"].toString(), QString("failed"));
    }

    void the_queue_has_an_end() {
        app::ServeQueue queue({.waiting = 2, .finished = 2, .lines = 3}, 0, nullptr, {});
        queue.set_paused(true);
        const auto run = [&] { return queue.submit(app::read_submission(submit(sum), nullptr)); };
        run(), run();
        QCOMPARE(error_of(run), std::string("expected at most 2 runs that wait, there are as many"));
        queue.cancel(1), queue.cancel(2);
        run();
        queue.cancel(3);
        QCOMPARE(queue.list_json().size(), 2);
        QCOMPARE(error_of([&] { queue.job_json(1); }), std::string("expected a run that is remembered, 1 is forgotten"));
        queue.close(false);
        QVERIFY(queue.closed());
        QVERIFY(error_of(run).find("closing") != std::string::npos);
    }
};

}  // namespace tests

HEDDLE_TEST(cli_serve, tests::CliServeTest)
#include "cli_serve.moc"
