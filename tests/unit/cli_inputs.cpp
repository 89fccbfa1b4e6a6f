// Values from files, and the paths that --out makes.
#include <QDir>
#include <QDirIterator>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <filesystem>

#include "app/cli/cells.h"
#include "app/cli/csv.h"
#include "app/cli/graph_options.h"
#include "app/cli/input_rows.h"
#include "app/cli/output_template.h"
#include "gpu/base/error.h"
#include "tests/support/error_of.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using app::InputRows;
using nodes::Document;
using Values = std::vector<std::pair<std::string, std::string>>;

InputRows inputs(const char* text, const char* name = "x") { return app::parse_inputs(text, name); }

std::string input_error(const char* text, const char* name = "x") {
    return error_of([&] { inputs(text, name); });
}

// --- the program ---

struct Outcome {
    int status = -1;
    QByteArray out, err;
};

Outcome heddle(const QStringList& arguments, const QString& folder, const QByteArray& input = {}) {
    QProcess process;
    process.setWorkingDirectory(folder);
    process.start(QStringLiteral(HEDDLE_BINARY), arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(30000)) return {};
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

bool write(const QString& path, const QByteArray& text) {
    QFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(text) == text.size();
}

QByteArray read(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("no file");
}

// a / b, reported.
const QByteArray ratio = R"({"heddle": 1, "nodes": {
    "a": {"type": "value.number"}, "b": {"type": "value.number", "params": {"value": 2}},
    "ratio": {"type": "value.calculate", "params": {"operation": "divide"}},
    "report": {"type": "value.report", "params": {"label": "ratio"}}},
    "links": [{"from": "a.number", "to": "ratio.a"}, {"from": "b.number", "to": "ratio.b"}, {"from": "ratio.result", "to": "report.number"}]})";

// A number, written to two files.
Document two_files() {
    return Document().add_node("stub.constant", "n").add_node("stub.write", "one").add_node("stub.write", "two")
        .connect({"n", "out"}, {"one", "in"}).connect({"n", "out"}, {"two", "in"})
        .set_param("one", "file", "one.txt").set_param("two", "file", "two.csv");
}

// Runs two_files() with these values of n.value in a folder, as the options say. The files that are there then.
QStringList run_cells(const QTemporaryDir& folder, const std::vector<std::string>& values, std::vector<std::string> words, const std::string& target = {}) {
    std::vector<app::Option> options = app::output_options(true);
    options.push_back({"--output-dir", "DIR", ""});
    words.insert(words.begin(), "/graphs/my.heddle");
    app::RunSetup setup{.document = two_files()};
    if (!target.empty()) setup.options.targets = {target};
    setup.options.output_folder = folder.path().toStdString();
    setup.options.allowed = {folder.path().toStdString()};
    std::vector<app::Cell> cells;
    for (const std::string& value : values) {
        app::Cell cell{.document = setup.document};
        cell.document = app::apply_param(cell.document, "n.value", value, cell.files);
        cells.push_back(std::move(cell));
    }
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path().toStdString());
    try {
        app::name_files(cells, cells.size() > 1, app::Arguments(options, words), setup);
        for (app::Cell& cell : cells) app::run_cell(cell, setup.options);
    } catch (...) {
        std::filesystem::current_path(before);
        throw;
    }
    std::filesystem::current_path(before);
    QStringList files;
    for (QDirIterator at(folder.path(), QDir::Files, QDirIterator::Subdirectories); at.hasNext();) files << QDir(folder.path()).relativeFilePath(at.next());
    files.sort();
    return files;
}

}  // namespace

class CliInputsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void csv_reads_what_it_writes() {
        const std::vector<std::vector<std::string>> rows{{"a", "b,c", "d\"e\""}, {"", "two\nlines", "ä"}, {"\"", ",", "x"}};
        std::string text;
        for (const auto& row : rows) text += app::csv_line(row);
        const auto records = app::parse_csv(text);
        QCOMPARE(records.size(), rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) QCOMPARE(records[i].fields, rows[i]);
        QCOMPARE(records[2].line, 4u);      // behind the one with two lines
    }

    void csv_of_other_programs() {
        const auto records = app::parse_csv("a,b\r\n\r\n\"1\",\r\n,2");
        QCOMPARE(records.size(), 3u);
        QCOMPARE(records[1].fields, (std::vector<std::string>{"1", ""}));
        QCOMPARE(records[2].fields, (std::vector<std::string>{"", "2"}));
        QCOMPARE(error_of([] { app::parse_csv("a\n\"b"); }), std::string("line 2: expected a quote that ends the field"));
        QCOMPARE(error_of([] { app::parse_csv("a\"b\""); }), std::string("line 1: expected a quote only around a whole field, got one after 'a'"));
        QCOMPARE(error_of([] { app::parse_csv("\"a\"b"); }), std::string("line 1: expected a comma after the quoted field 'a'"));
    }

    void one_object_is_one_run() {
        const InputRows one = inputs(R"({"a.value": 2.5, "b.text": "x,y", "c.on": true, "d.seed": 9007199254740993, "e.width": {"=": "a.value * 2"}, "f.none": null})");
        QVERIFY(!one.several);
        QCOMPARE(one.rows.size(), 1u);
        QCOMPARE(one.rows[0].values, (Values{{"a.value", "2.5"}, {"b.text", "x,y"}, {"c.on", "true"}, {"d.seed", "9007199254740993"}, {"e.width", "=a.value * 2"}}));
    }

    void all_forms_of_several_say_the_same() {
        const Values first{{"a.value", "1"}, {"b.text", "two, three"}}, second{{"a.value", "4"}};
        for (const char* text : {R"([{"a.value": 1, "b.text": "two, three"}, {"a.value": 4}])", "{\"a.value\": 1, \"b.text\": \"two, three\"}\n\n{\"a.value\": 4}\n",
                                 "a.value,b.text\n1,\"two, three\"\n4,\n", "\xef\xbb\xbf" "a.value, b.text\r\n1,\"two, three\"\r\n4,\r\n"}) {
            const InputRows rows = inputs(text);
            QVERIFY(rows.several && rows.problems.empty());
            QCOMPARE(rows.rows.size(), 2u);
            QCOMPARE(rows.rows[0].values, first);
            QCOMPARE(rows.rows[1].values, second);
        }
        QVERIFY(inputs(R"([{"a.value": 1}])").several);
        QVERIFY(inputs(R"({"a.value": 1})", "x.jsonl").several);
        QCOMPARE(inputs("{\"a.b\": 1}\n\n{\"a.b\": 2}").name_of(1), std::string("row 2 (line 3)"));
    }

    void files_that_are_none() {
        QCOMPARE(input_error("[]"), std::string("--inputs x: expected rows of values, there is none"));
        QCOMPARE(input_error(""), std::string("--inputs x: expected a first line with the parameters' names, the file is empty"));
        QVERIFY(input_error("[\n{\"a.b\": 1},\n{]").starts_with("--inputs x: line 3: expected JSON: "));
        QVERIFY(input_error("{\"a.b\": 1}\n{\"a.b\": }").starts_with("--inputs x: line 2: expected a JSON object: "));
        QCOMPARE(input_error(R"({"a.b": 1, "a.b": 2})"), std::string("--inputs x: expected 'a.b' once, it stands twice in one object"));
        QCOMPARE(input_error("a.b\n\xff"), std::string("--inputs x: expected text in UTF-8"));
        const InputRows bad = inputs(R"([{"a.b": [1]}, 7, {"a.c": {}}])");
        QCOMPARE(bad.problems, (std::vector<std::string>{"row 1, a.b: expected a number, a text, true or false, got a list",
                                                         "row 2: expected an object {\"node.param\": value}",
                                                         "row 3, a.c: expected a number, a text, true or false, got an object"}));
        QCOMPARE(inputs("a.b,a.b,\n1,2,3\n4,5\n").problems,
                 (std::vector<std::string>{"column a.b: expected once, it stands twice", "column 3: expected a name NODE.param, got nothing",
                                           "row 2 (line 3): expected 3 fields, got 2"}));
    }

    void fields_of_a_template() {
        const Document document = Document().add_node("stub.kinds", "k").add_node("stub.write", "save")
            .set_param("k", "words", "a/b: \"c\"").set_param("k", "seed", 42).set_param("k", "file", "/photos/cat.jpg").set_param("save", "file", "was.txt");
        const auto path = [&](const char* text) {
            return app::OutputTemplate(text).expand({.graph = "my graph", .document = &document, .node = "save", .param = "file", .row = 7,
                                                     .started = QDateTime(QDate(2024, 2, 3), QTime(4, 5, 6))});
        };
        QCOMPARE(path("out/{graph}-{row:03}-{node}-{param:k.seed}.png"), std::string("out/my graph-007-save-42.png"));
        QCOMPARE(path("{seed:05}{set:k.seed:4}_{output}{{{row}}}"), std::string("000420042_file{7}"));
        QCOMPARE(path("{file}.{suffix} {date} {time}"), std::string("was.txt.txt 2024-02-03 04-05-06"));
        QCOMPARE(path("{param:k.words:09}/{param:k.file}"), std::string("a_b_ _c_/cat"));
    }

    void mistakes_in_a_template_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("message");
        const QString list = " are {graph} {node} {output} {file} {suffix} {row} {seed} {param:NODE.param} {date} {time}, and {{ for a brace";
        QTest::newRow("unknown") << "{x1}" << "unknown field {x1}; there" + list;
        QTest::newRow("near") << "{nod}" << "unknown field {nod}, did you mean {node}? There" + list;
        QTest::newRow("open") << "a{row" << "expected '}' after '{row'";
        QTest::newRow("closed") << "a}b" << "expected a field before '}', or '}}' for a brace";
        QTest::newRow("argument") << "{row:x}" << "{row:x}: expected {row} or a width such as {row:03}";
        QTest::newRow("no parameter") << "{param}" << "{param}: expected {param:NODE.param}";
        QTest::newRow("width") << "{row:99}" << "{row:99}: expected a width of 1 to 20";
        QTest::newRow("parameter") << "{param:k.sed}" << "stub.kinds has no parameter 'sed'; did you mean 'seed'?";
        QTest::newRow("seeds") << "{seed}" << "{seed}: expected one seed in the graph, there are k.seed, l.seed: write {param:k.seed}";
        QTest::newRow("no name") << "{file}" << "{file}: expected save.file to name a file in the graph, it names none";
    }
    void mistakes_in_a_template() {
        QFETCH(QString, text);
        QFETCH(QString, message);
        const Document document = Document().add_node("stub.kinds", "k").add_node("stub.kinds", "l").add_node("stub.write", "save");
        const std::string error = error_of([&] {
            (void)app::OutputTemplate(text.toStdString()).expand({.graph = "g", .document = &document, .node = "save", .param = "file"});
        });
        QCOMPARE(error, "--out " + text.toStdString() + ": " + message.toStdString());
    }

    void parts_of_paths_are_safe() {
        QCOMPARE(app::safe_part("../../etc/passwd"), std::string(".._.._etc_passwd"));
        QCOMPARE(app::safe_part(".."), std::string("__"));
        QCOMPARE(app::safe_part(""), std::string("_"));
        QCOMPARE(app::safe_part(std::string("a\0b#\n", 5)), std::string("a_b__"));
        QCOMPARE(app::safe_part(QString(60, u'ä').toStdString()).size(), 100u);
        QCOMPARE(app::safe_part("x" + QString(60, u'ä').toStdString()).size(), 99u);      // no half character
    }

    // --- heddle run ---

    void runs_every_row() {
        const QTemporaryDir folder;
        QVERIFY(write(folder.filePath("g.heddle"), ratio) && write(folder.filePath("in.csv"), "a.value,b.value\n1,\n3,4\n1,0\n"));
        const Outcome done = heddle({"run", "g.heddle", "--inputs", "in.csv", "--table", "t.csv", "--no-cache"}, folder.path());
        QCOMPARE(done.out, QByteArray("1/3  a.value=1\nreport.ratio 0.5\n2/3  a.value=3  b.value=4\nreport.ratio 0.75\n3/3  a.value=1  b.value=0\n"));
        QCOMPARE(done.status, 10);      // the last one divides by zero
        QVERIFY2(done.err.contains("error: ratio.b: "), done.err);
        QCOMPARE(read(folder.filePath("t.csv")), QByteArray("a.value,b.value,report.ratio,exit_code\n1,,0.5,0\n3,4,0.75,0\n1,0,,8\n"));
        // --set has the last word.
        QCOMPARE(heddle({"run", "g.heddle", "--inputs", "-", "--set", "b.value=10"}, folder.path(), R"({"a.value": 5, "b.value": 1})").out,
                 QByteArray("report.ratio 0.5\n"));
    }

    void values_come_from_files() {
        const QTemporaryDir folder;
        QVERIFY(write(folder.filePath("g.heddle"), ratio) && write(folder.filePath("five"), "5\n"));
        QCOMPARE(heddle({"run", "g.heddle", "--set", "a.value=@five"}, folder.path()).out, QByteArray("report.ratio 2.5\n"));
        QCOMPARE(heddle({"run", "g.heddle", "--set", "a.value=@-"}, folder.path(), "7\n").out, QByteArray("report.ratio 3.5\n"));
        // Read once for all rows.
        QCOMPARE(heddle({"run", "g.heddle", "--inputs", "in.jsonl", "--set", "a.value=@-"}, folder.path(), "7\n").status, 4);
        QVERIFY(write(folder.filePath("in.jsonl"), "{\"b.value\": 1}\n{\"b.value\": 7}\n"));
        QCOMPARE(heddle({"run", "g.heddle", "--inputs", "in.jsonl", "--set", "a.value=@-"}, folder.path(), "7\n").out,
                 QByteArray("1/2  b.value=1\nreport.ratio 7\n2/2  b.value=7\nreport.ratio 1\n"));
        QCOMPARE(heddle({"validate", "g.heddle", "--set", "a.value=@five"}, folder.path()).status, 0);
        const Outcome missing = heddle({"run", "g.heddle", "--set", "a.value=@six"}, folder.path());
        QVERIFY2(missing.status == 4 && missing.err.contains("--set a.value: expected a file, there is no six"), missing.err);
    }

    void events_name_the_row() {
        const QTemporaryDir folder;
        QVERIFY(write(folder.filePath("g.heddle"), ratio));
        const Outcome done = heddle({"run", "g.heddle", "--inputs", "-", "--progress", "json", "--no-cache"}, folder.path(), R"([{"a.value": 1}, {"a.value": 2}])");
        QCOMPARE(done.status, 0);
        QStringList told;
        for (const QByteArray& line : done.out.trimmed().split('\n')) {
            const QJsonObject event = QJsonDocument::fromJson(line).object();
            if (const QString kind = event["event"].toString(); kind == "row" || kind == "metric" || kind == "end" || kind == "summary")
                told << kind + QString::number(event["row"].toInt());
        }
        QCOMPARE(told, (QStringList{"row1", "metric1", "end1", "row2", "metric2", "end2", "summary0"}));
    }

    void all_that_is_wrong_stops_it_before_it_starts() {
        const QTemporaryDir folder;
        QVERIFY(write(folder.filePath("g.heddle"), ratio));
        const Outcome wrong = heddle({"run", "g.heddle", "--inputs", "-"}, folder.path(), "a.value,retio.operation,ratio.operation\n1,add,add\nx,add,add\n2,add,plus\n");
        QCOMPARE(wrong.status, 2);
        QVERIFY2(wrong.err.contains("3 problems, nothing was run\n"
                                    "  column retio.operation: expected a node of the graph, got 'retio'; did you mean 'ratio'?\n"
                                    "  row 2 (line 3), a.value: expected a number, got 'x'\n"
                                    "  row 3 (line 4), ratio.operation: expected one of "), wrong.err);
        const QByteArray load = R"({"heddle": 1, "nodes": {"load": {"type": "image.load", "params": {"file": "a.png"}},
            "save": {"type": "image.save", "params": {"file": "x.png"}}}, "links": [{"from": "load.image", "to": "save.image"}]})";
        const Outcome missing = heddle({"run", "-", "--inputs", "in.csv"}, folder.path(), load);
        QVERIFY2(missing.status == 4 && missing.err.contains("there is no in.csv"), missing.err);
        QVERIFY(write(folder.filePath("in.csv"), "load.file\nnowhere.png\n") && write(folder.filePath("l.heddle"), load));
        const Outcome nowhere = heddle({"run", "l.heddle", "--inputs", "in.csv"}, folder.path());
        QVERIFY2(nowhere.status == 4 && nowhere.err.contains("  row 1 (line 2), load.file: "), nowhere.err);
        QCOMPARE(QDir(folder.path()).entryList(QDir::Files), (QStringList{"g.heddle", "in.csv", "l.heddle"}));
    }

    void rows_do_not_overwrite_each_other() {
        const QTemporaryDir folder, other;
        QCOMPARE(run_cells(folder, {"1", "2"}, {}), (QStringList{"one-001.txt", "one-002.txt", "two-001.csv", "two-002.csv"}));
        QCOMPARE(read(folder.filePath("one-002.txt")), QByteArray("2"));
        QCOMPARE(run_cells(other, {"1", "2"}, {"-o", "x.txt"}, "one"), (QStringList{"x-001.txt", "x-002.txt"}));
    }

    void out_makes_folders_and_names() {
        const QTemporaryDir folder;
        QCOMPARE(run_cells(folder, {"8", "9"}, {"--out", "o/{row:02}/{node}-{param:n.value}.{suffix}"}),
                 (QStringList{"o/01/one-8.txt", "o/01/two-8.csv", "o/02/one-9.txt", "o/02/two-9.csv"}));
        const QTemporaryDir inside, same;
        QCOMPARE(run_cells(inside, {"1"}, {"--output-dir", "d", "--out", "{graph}{row}{file}"}), (QStringList{"d/my1one.txt", "d/my1two.csv"}));
        // A name for both is no name, and no folder is made for it.
        QCOMPARE(error_of([&] { run_cells(same, {"1"}, {"--out", "p/x"}); }),
                 std::string("--out: expected a path of its own for each file, p/x is both one.file and two.file; {node} and {row} tell them apart"));
        QCOMPARE(error_of([&] { run_cells(same, {"1", "2"}, {"--out", "{node}"}); }),
                 std::string("--out: expected a path of its own for each file, one is both one.file of run 1 and one.file of run 2; {node} and {row} tell them apart"));
        QCOMPARE(error_of([&] { run_cells(same, {"1"}, {"--out", "x", "-o", "y"}); }), std::string("expected -o or --out, got both"));
        QVERIFY(QDir(same.path()).isEmpty());
        QCOMPARE(run_cells(same, {"1"}, {"--out", "p/x"}, "two"), (QStringList{"p/x"}));
    }
};

}  // namespace tests

HEDDLE_TEST(cli_inputs, tests::CliInputsTest)
#include "cli_inputs.moc"
