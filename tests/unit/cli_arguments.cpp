#include <QTemporaryDir>
#include <filesystem>

#include "app/cli/arguments.h"
#include "app/cli/command.h"
#include "app/cli/graph_options.h"
#include "app/cli/set_values.h"
#include "gpu/base/error.h"
#include "tests/support/error_of.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using app::Arguments;
using namespace nodes;

const std::vector<app::Option> options{{"--set", "NODE.param=VALUE", "", "", true},
                                       {"--output", "FILE", "", "-o"},
                                       {"--progress", "STYLE", ""},
                                       {"--json", "", ""}};

// The message of a usage error, or what else happened.
std::string usage(const std::function<void()>& action) {
    try {
        action();
    } catch (const gpu::Error& error) {
        return error.code() == gpu::ErrorCode::Usage ? error.message() : std::string("another code");
    }
    return "nothing was thrown";
}

std::string parse(std::vector<std::string> words) {
    return usage([&] { Arguments(options, words); });
}

Document graph() {
    return Document()
        .add_node("stub.kinds", "k")
        .add_node("stub.constant", "one")
        .add_node("stub.write", "save")
        .connect({"one", "out"}, {"save", "in"});
}

QJsonValue set(const std::string& assignment) {
    std::vector<std::string> files;
    const Document document = app::apply_set(graph(), assignment, files);
    const std::string name = assignment.substr(0, assignment.find('='));
    return document.param(name.substr(0, name.find('.')), name.substr(name.find('.') + 1));
}

std::string set_problem(const std::string& assignment) {
    return usage([&] { (void)set(assignment); });
}

}  // namespace

class CliArgumentsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void forms() {
        const Arguments given(options,
                              {"g.heddle", "--set", "a.b=1", "--set=c.d==2", "-o", "x.png", "--json", "--", "--set"});
        QCOMPARE(given.positionals(), (std::vector<std::string>{"g.heddle", "--set"}));
        QCOMPARE(given.values("--set"), (std::vector<std::string>{"a.b=1", "c.d==2"}));
        QCOMPARE(given.value("--output"), std::optional<std::string>("x.png"));
        QVERIFY(given.has("--json") && !given.has("--progress"));
        QCOMPARE(Arguments(options, {"-"}).only("GRAPH"), std::string("-"));
        QCOMPARE(Arguments(options, {}).choice("--progress", {"auto", "none"}), std::string("auto"));
    }

    void mistakes() {
        QCOMPARE(parse({"--ste", "a"}), std::string("unknown option --ste; did you mean --set?"));
        QCOMPARE(parse({"--set"}), std::string("--set: expected NODE.param=VALUE, got nothing"));
        QCOMPARE(parse({"--json=1"}), std::string("--json: expected no value, got '1'"));
        QCOMPARE(parse({"-o", "a", "--output", "b"}), std::string("--output: expected once, got 'a' and 'b'"));
        QCOMPARE(usage([] { Arguments(options, {}).only("GRAPH"); }), std::string("expected GRAPH, got nothing"));
        QCOMPARE(usage([] {
                     Arguments(options, {"a", "b"}).only("GRAPH");
                 }),
                 std::string("expected GRAPH, got also 'b'"));
        QCOMPARE(usage([] {
                     Arguments(options, {"--progress", "x"}).choice("--progress", {"auto", "none"});
                 }),
                 std::string("--progress: expected one of auto, none, got 'x'"));
    }

    void set_reads_every_kind() {
        QCOMPARE(set("k.flag=on"), QJsonValue(true));
        QCOMPARE(set("k.whole=64"), QJsonValue(64));
        QCOMPARE(set("k.whole=6e1"), QJsonValue(60));
        QCOMPARE(set("k.real=.25"), QJsonValue(0.25));
        QCOMPARE(set("k.words=a=b\nc"), QJsonValue("a=b\nc"));
        QCOMPARE(set("k.words="), QJsonValue(""));
        QCOMPARE(set("k.way=memory"), QJsonValue("memory"));
        QCOMPARE(set("k.seed=7"), QJsonValue(7));
        QCOMPARE(set("k.seed=18446744073709551615"), QJsonValue("18446744073709551615"));
        QCOMPARE(set("k.tint=#ABCDEF"), QJsonValue("#abcdef"));
        QCOMPARE(set("one.value=-3"), QJsonValue(-3));
    }

    void set_refuses_the_rest_data() {
        QTest::addColumn<QString>("assignment");
        QTest::addColumn<QString>("message");
        QTest::newRow("form") << "k.whole"
                              << "--set k.whole: expected NODE.param=VALUE, got 'k.whole'";
        QTest::newRow("no dot") << "k=1"
                                << "--set k: expected NODE.param=VALUE, got 'k=1'";
        QTest::newRow("node") << "oen.value=1"
                              << "--set oen.value: expected a node of the graph, got 'oen'; did you mean 'one'?";
        QTest::newRow("param") << "k.whoel=1"
                               << "--set k.whoel: stub.kinds has no parameter 'whoel'; did you mean 'whole'?";
        QTest::newRow("range") << "k.whole=65"
                               << "--set k.whole: expected a whole number, 0 to 64, got 65";
        QTest::newRow("fraction") << "k.whole=1.5"
                                  << "--set k.whole: expected a whole number, 0 to 64, got 1.5";
        QTest::newRow("text") << "k.whole=6px"
                              << "--set k.whole: expected a whole number, 0 to 64, got '6px'";
        QTest::newRow("nan") << "k.real=nan"
                             << "--set k.real: expected a number, 0 to 1, got nan";
        QTest::newRow("flag") << "k.flag=maybe"
                              << "--set k.flag: expected true or false, got 'maybe'";
        QTest::newRow("choice") << "k.way=scoket"
                                << "--set k.way: expected one of socket, error, standard, nothing, memory, got "
                                   "'scoket'; did you mean 'socket'?";
        QTest::newRow("seed") << "k.seed=-1"
                              << "--set k.seed: expected a whole number, 0 to 18446744073709551615, got '-1'";
    }
    void set_refuses_the_rest() {
        QFETCH(QString, assignment);
        QFETCH(QString, message);
        QCOMPARE(set_problem(assignment.toStdString()), message.toStdString());
    }

    // --- --set NODE.param=@FILE ---

    void set_takes_text_from_files() {
        QTemporaryDir folder;
        const std::string name = folder.filePath("text").toStdString();
        const auto holds = [&](const QByteArray& bytes) {
            QFile file(folder.filePath("text"));
            return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size();
        };
        const auto with = [&](const QByteArray& bytes, const char* param = "k.words") {
            return holds(bytes) ? set(app::resolved_set(std::string(param) + "=@" + name)) : QJsonValue("not written");
        };
        QCOMPARE(with("a cat,\n(b:1.2) = \xc3\xa4\n"), QJsonValue(QString::fromUtf8("a cat,\n(b:1.2) = \xc3\xa4")));
        QCOMPARE(with("\xef\xbb\xbftwo\r\n\r\n"), QJsonValue("two\r\n"));      // the mark of Windows' editor, and one line break
        QCOMPARE(with("@here"), QJsonValue("@here"));                              // what is in a file names no other
        QCOMPARE(with(""), QJsonValue(""));
        QCOMPARE(with("7\n", "k.whole"), QJsonValue(7));
        QCOMPARE(set(app::resolved_set("k.words=@@you")), QJsonValue("@you"));
        QCOMPARE(app::resolved_set("k.words=a@b"), std::string("k.words=a@b"));
        QCOMPARE(app::resolved_set("k.words"), std::string("k.words"));
        // Where no command line is read, an @ is a letter.
        QCOMPARE(set("k.words=@" + name), QJsonValue("@" + folder.filePath("text")));

        const auto problem = [](const std::string& assignment) { return error_of([&] { (void)app::resolved_set(assignment); }); };
        QCOMPARE(problem("k.words=@"), std::string("--set k.words: expected a file's name behind @; a text that begins with @ is written @@"));
        QCOMPARE(problem("k.words=@/no/such"), std::string("--set k.words: expected a file, there is no /no/such"));
        QCOMPARE(problem("k.words=@" + folder.path().toStdString()), "--set k.words: expected a file, can not read " + folder.path().toStdString());
        QVERIFY(holds("\xff\xfe"));
        QCOMPARE(problem("k.words=@" + name), "--set k.words: expected a text in UTF-8, " + name + " is none");
        QVERIFY(holds(QByteArray("a\0b", 3)));
        QCOMPARE(problem("k.words=@" + name), "--set k.words: expected a text in UTF-8, " + name + " is none");
    }

    void one_text_comes_from_stdin() {
        const auto problem = [](std::vector<std::string> words) {
            return usage([&] { (void)app::given_sets(Arguments({{"--set", "X", "", "", true}, {"--inputs", "FILE", ""}}, words)); });
        };
        const std::string several = "expected one text on stdin, the graph, --inputs or --set ...=@-, got several";
        QCOMPARE(problem({"-", "--set", "k.words=@-"}), several);
        QCOMPARE(problem({"g", "--set", "k.words=@-", "--inputs", "-"}), several);
        QCOMPARE(problem({"g", "--set", "k.words=@-", "--set", "k.name=@-"}), several);
    }

    void files_start_from_the_current_folder() {
        QTemporaryDir folder;
        const auto before = std::filesystem::current_path();
        std::filesystem::current_path(folder.path().toStdString());
        QFile here("here.txt");
        const bool made = here.open(QIODevice::WriteOnly);
        std::vector<std::string> files;
        const Document document =
            app::apply_set(app::apply_set(graph(), "k.file=here.txt", files), "save.file=out.txt", files);
        const Document beside = app::apply_set(graph(), "k.file=beside.txt", files);
        std::filesystem::current_path(before);
        QVERIFY(made);
        QCOMPARE(document.param("k", "file").toString(), folder.filePath("here.txt"));
        QCOMPARE(document.param("save", "file").toString(), folder.filePath("out.txt"));
        QCOMPARE(beside.param("k", "file").toString(), QString("beside.txt"));  // may lie beside the graph
        QCOMPARE(files.size(), 3u);
    }

    void output_needs_one_choice() {
        std::vector<std::string> files;
        QCOMPARE(app::apply_output(graph(), {}, "/tmp/x.txt", files).param("save", "file").toString(),
                 QString("/tmp/x.txt"));
        const Document two = graph().add_node("stub.write", "also").connect({"one", "out"}, {"also", "in"});
        QCOMPARE(usage([&] { (void)app::apply_output(two, {}, "x", files); }),
                 std::string("-o x: expected one node that writes a file, there are also.file, save.file: choose by "
                             "--set or --target"));
        QVERIFY(app::apply_output(two, {"also"}, "/tmp/x", files).param("save", "file").toString().isEmpty());
        QCOMPARE(usage([&] { (void)app::apply_output(graph(), {"one"}, "x", files); }),
                 std::string("-o x: expected one node that writes a file, there is none"));
    }

    void every_command_explains_itself() {
        QVERIFY(app::commands().size() >= 7);
        for (const app::Command& command : app::commands()) {
            const std::string help = app::command_help(command);
            QVERIFY(help.starts_with("Usage: heddle " + command.name) && !command.summary.empty() && command.run);
            for (const app::Option& option : command.options)
                QVERIFY2(!option.help.empty() && help.find(option.name) != std::string::npos, option.name.c_str());
        }
    }
};

}  // namespace tests

using tests::CliArgumentsTest;
HEDDLE_TEST(cli_arguments, CliArgumentsTest)
#include "cli_arguments.moc"
