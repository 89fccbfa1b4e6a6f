// List axes: what runs for which element, how lists combine, and what is found again.
#include "nodes/core/lists.h"

#include <QDir>

#include "nodes/core/executor.h"
#include "nodes/core/lowering.h"
#include "nodes/core/validate.h"
#include "nodes/types/tensor.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

Document list(const Document& document, const char* id, const char* values) { return document.add_node("list.numbers", id).set_param(id, "values", values); }
Document texts(const Document& document, const char* id, const char* lines) { return document.add_node("list.texts", id).set_param(id, "lines", lines); }
QJsonValue formula(const char* text) { return QJsonObject{{"=", text}}; }

// list -> sum (+ 10) -> all
Document summed(const char* values) {
    return list({}, "list", values)
        .add_node("stub.add", "sum")
        .connect({"list", "number"}, {"sum", "a"})
        .add_node("list.collect", "all")
        .connect({"sum", "sum"}, {"all", "value"});
}

std::string text_of(const Recorder& seen, const std::string& node, const std::string& socket) {
    for (const auto& made : seen.all<event::Produced>())
        if (made.node == node && made.socket == socket)
            if (const auto* text = made.value.get<std::string>()) return *text;
    return "nothing";
}

std::string table_of(const Document& document, const char* node = "all", ResultCache* cache = nullptr, const char* socket = "table") {
    Recorder seen;
    const RunResult result = run(document, {.targets = {node}, .cache = cache, .on_event = seen.sink()});
    if (result.status != RunStatus::Done) return result.failures.empty() ? std::string("failed") : result.failures[0].text();
    return text_of(seen, node, socket);
}

std::string problem_of(const Document& document) {
    std::string text;
    for (const Problem& problem : validate(document))
        if (problem.severity == Severity::Error) text += problem.text() + "\n";
    return text;
}

// a and b meet in `sum` by way of `how`.
Document combined(const char* how, const char* a = "1, 2, 3", const char* b = "10, 20") {
    return list(list({}, "a", a), "b", b)
        .add_node(how, "how")
        .connect({"a", "number"}, {"how", "a"})
        .connect({"b", "number"}, {"how", "b"})
        .add_node("stub.add", "first")
        .connect({"how", "a"}, {"first", "a"})
        .add_node("stub.add", "sum")
        .connect({"first", "sum"}, {"sum", "a"})
        .connect({"how", "b"}, {"sum", "b"})
        .add_node("list.collect", "all")
        .connect({"sum", "sum"}, {"all", "value"});
}

}  // namespace

class ListsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void what_follows_a_list_runs_for_every_element() {
        computed = 0;
        QCOMPARE(table_of(summed("1, 2.5, -4")), "1\t11\n2.5\t12.5\n-4\t6\n");
        QCOMPARE(computed.load(), 3);
        QCOMPARE(table_of(summed("0:1:3")), "0\t10\n0.5\t10.5\n1\t11\n");
        QCOMPARE(problem_of(summed("0:1:3")), "");
    }

    void elements_have_names_that_sort() {
        const Document low = lowered(summed("1:12:12"));
        QVERIFY(low.contains("sum/01") && low.contains("sum/12") && !low.contains("sum") && low.contains("all"));
        Recorder seen;
        run(summed("1:12:12"), {.on_event = seen.sink()});
        std::vector<std::string> order;
        for (const auto& start : seen.all<event::NodeStart>())
            if (start.node.starts_with("sum/")) order.push_back(start.node);
        QCOMPARE(order.size(), 12u);
        QVERIFY(std::ranges::is_sorted(order));
    }

    void a_changed_element_alone_runs_anew() {
        ResultCache cache;
        table_of(summed("1, 2, 3, 4"), "all", &cache);
        computed = 0;
        QCOMPARE(table_of(summed("1, 2, 7, 4"), "all", &cache), "1\t11\n2\t12\n7\t17\n4\t14\n");
        QCOMPARE(computed.load(), 1);
        computed = 0;      // neither place nor number of the elements counts
        QCOMPARE(table_of(summed("4, 7, 1"), "all", &cache), "4\t14\n7\t17\n1\t11\n");
        QCOMPARE(computed.load(), 0);
    }

    void a_product_runs_nodes_along_what_they_depend_on() {
        computed = 0;
        QCOMPARE(table_of(combined("list.product")), "1, 10\t21\n1, 20\t31\n2, 10\t22\n2, 20\t32\n3, 10\t23\n3, 20\t33\n");
        QCOMPARE(computed.load(), 3 + 6);      // `first` knows nothing of b
        Recorder seen;
        run(combined("list.product"), {.on_event = seen.sink()});
        QCOMPARE(seen.number("all", "columns"), 2.0);
        QCOMPARE(seen.number("all", "count"), 6.0);
        QCOMPARE(text_of(seen, "all", "labels"), "1, 10\n1, 20\n2, 10\n2, 20\n3, 10\n3, 20");
        QCOMPARE(text_of(seen, "all", "column_labels"), "b: 10\nb: 20");
        QCOMPARE(text_of(seen, "all", "row_labels"), "a: 1\na: 2\na: 3");
    }

    void the_last_list_alone_can_be_collected() {
        const Document rows = combined("list.product").set_param("all", "which", "last").add_node("list.collect", "rows").connect({"all", "count"}, {"rows", "value"});
        Recorder seen;
        QCOMPARE(run(rows, {.on_event = seen.sink()}).status, RunStatus::Done);
        QCOMPARE(text_of(seen, "all/2", "table"), "10\t22\n20\t32\n");
        QCOMPARE(text_of(seen, "rows", "table"), "1\t2\n2\t2\n3\t2\n");
        QCOMPARE(text_of(seen, "rows", "column_labels"), "");      // one list has neither rows nor columns
    }

    void zip_takes_elements_side_by_side() {
        QCOMPARE(table_of(combined("list.zip")), "1, 10\t21\n2, 20\t32\n");
        const Document longest = combined("list.zip").set_param("how", "length", "longest");
        QCOMPARE(table_of(longest), "1, 10\t21\n2, 20\t32\n3, 20\t33\n");
        // What is no list is the same each time.
        const Document constant = combined("list.zip").remove_node("b").add_node("stub.constant", "b").connect({"b", "out"}, {"how", "b"});
        QCOMPARE(table_of(constant), "1\t12\n2\t13\n3\t14\n");
        QVERIFY(problem_of(constant.remove_node("a").add_node("stub.constant", "a").connect({"a", "out"}, {"how", "a"})).find("got none") != std::string::npos);
    }

    void lists_that_nothing_combines_do_not_meet() {
        const Document document = list(list({}, "a", "1, 2"), "b", "3, 4").add_node("stub.add", "sum").connect({"a", "number"}, {"sum", "a"}).connect({"b", "number"}, {"sum", "b"});
        const std::string problem = problem_of(document);
        QVERIFY2(problem.find("sum.b: expected lists that list.product or list.zip has combined, got b beside a") != std::string::npos, problem.c_str());
        QCOMPARE(run(document).status, RunStatus::Invalid);
        QVERIFY(problem_of(combined("list.product").connect({"a", "number"}, {"how", "b"})).find("got a twice") != std::string::npos);
    }

    void parameters_follow_lists() {
        const Document document = list({}, "list", "2, 3")
                                      .add_node("stub.constant", "twice")
                                      .set_param("twice", "value", formula("list.number * 2"))
                                      .add_node("stub.constant", "more")
                                      .set_param("more", "value", formula("twice.value + 1"))
                                      .add_node("list.collect", "all")
                                      .connect({"more", "out"}, {"all", "value"});
        QCOMPARE(problem_of(document), "");
        QCOMPARE(table_of(document), "2\t5\n3\t7\n");
        // Out of the parameter's range: said before anything runs, and for which element.
        const std::string problem = problem_of(document.set_param("list", "values", "2, 70"));
        QVERIFY2(problem.find("twice.value: expected a number, -100 to 100, got 140") != std::string::npos && problem.find("for 70") != std::string::npos, problem.c_str());
        // Along one list of a product by name, along the other by a link.
        const Document both = combined("list.product").disconnect({"how", "b"}, {"sum", "b"}).add_node("stub.constant", "b_value").set_param("b_value", "value", formula("how.b"))
                                  .connect({"b_value", "out"}, {"sum", "b"});
        QCOMPARE(table_of(both), table_of(combined("list.product")));
    }

    void texts_and_choices_follow_by_name() {
        const Document document = texts({}, "words", " error \n\nsocket")
                                      .add_node("stub.kinds", "kinds")
                                      .set_param("kinds", "words", formula("words.text"))
                                      .set_param("kinds", "way", formula("words.text"))
                                      .add_node("list.collect", "all")
                                      .connect({"kinds", "out"}, {"all", "value"});
        const std::string table = table_of(document);
        QVERIFY2(table.starts_with("error\t0 6 0.5 error 1 ") && table.find("\nsocket\t0 6 0.5 socket 0 ") != std::string::npos, table.c_str());
        QVERIFY(problem_of(document.set_param("words", "lines", "error\nother")).find("kinds.way") != std::string::npos);
    }

    void texts_come_from_tables() {
        const QTemporaryDir folder;
        QFile file(folder.filePath("rows.csv"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("name,amount\n\"a, b\",3\nc,4\n");
        file.close();
        Document document = texts({}, "names", "").set_param("names", "file", file.fileName()).set_param("names", "column", "name");
        document = document.add_node("list.texts", "amounts").set_param("amounts", "file", file.fileName()).set_param("amounts", "column", "amount");
        document = document.add_node("stub.constant", "number").set_param("number", "value", formula("amounts.text")).add_node("list.collect", "all").connect({"number", "out"}, {"all", "value"});
        QCOMPARE(problem_of(document), "");
        QCOMPARE(table_of(document), "3\t3\n4\t4\n");
        const Document collected = document.connect({"names", "text"}, {"all", "value"});
        QCOMPARE(table_of(collected), "a, b\ta, b\nc\tc\n");
        QVERIFY(table_of(collected.set_param("names", "column", "nam")).find("did you mean 'name'") != std::string::npos);
        // A folder that was not given is not read.
        const RunResult refused = run(collected, {.targets = {"all"}, .allowed = {QDir::homePath().toStdString()}});
        QCOMPARE(refused.status, RunStatus::Failed);
        QCOMPARE(refused.failures.at(0).node, "names");
    }

    void files_of_a_folder() {
        const QTemporaryDir folder;
        for (const char* name : {"b.txt", "a.txt", "c.md"}) {
            QFile file(folder.filePath(name));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(name);
        }
        const Document document = Document()
                                      .add_node("list.files", "files")
                                      .set_param("files", "folder", folder.path())
                                      .set_param("files", "pattern", "*.txt")
                                      .add_node("stub.read", "read")
                                      .set_param("read", "file", formula("files.path"))
                                      .add_node("list.collect", "all")
                                      .connect({"read", "text"}, {"all", "value"});
        QCOMPARE(problem_of(document), "");
        ResultCache cache;
        QCOMPARE(table_of(document, "all", &cache), "a\ta.txt\nb\tb.txt\n");
        QFile changed(folder.filePath("b.txt"));
        QVERIFY(changed.open(QIODevice::WriteOnly));
        changed.write("new");
        changed.close();
        computed = 0;
        QCOMPARE(table_of(document, "all", &cache), "a\ta.txt\nb\tnew\n");
        QCOMPARE(computed.load(), 1);
        const RunResult none = run(document.set_param("files", "pattern", "*.png"));
        QCOMPARE(none.exit_code(), 4);
        QCOMPARE(none.failures.at(0).node, "files");
    }

    void files_are_written_for_every_element() {
        const QTemporaryDir folder;
        const Document document = summed("1, 2").remove_node("all").add_node("stub.write", "write").connect({"sum", "sum"}, {"write", "in"}).set_param("write", "file", folder.filePath("out.txt"));
        const RunResult result = run(document);
        QCOMPARE(result.status, RunStatus::Done);
        QCOMPARE(QDir(folder.path()).entryList(QDir::Files), QStringList({"out-001.txt", "out-002.txt"}));
    }

    void an_element_that_fails_does_not_stop_the_others() {
        const QTemporaryDir folder;
        Document document = list({}, "list", "1, 2, 3").add_node("stub.kinds", "unused").add_node("stub.failing", "bad").connect({"list", "number"}, {"bad", "in"});
        document = document.add_node("stub.write", "write").connect({"list", "number"}, {"write", "in"}).set_param("write", "file", folder.filePath("out.txt"));
        const RunResult result = run(document, {.targets = {"bad", "write"}});
        QCOMPARE(result.status, RunStatus::Partial);
        QCOMPARE(result.failures.size(), 3u);
        QCOMPARE(result.failures[1].node, "bad/2");
        QCOMPARE(result.outputs.size(), 3u);
    }

    void subgraphs_run_for_every_element() {
        const Document inside = Document()
                                    .add_node("subgraph.input", "x")
                                    .add_node("stub.constant", "factor")
                                    .add_node("stub.add", "sum")
                                    .connect({"x", "value"}, {"sum", "a"})
                                    .connect({"factor", "out"}, {"sum", "b"})
                                    .add_node("subgraph.output", "y")
                                    .connect({"sum", "sum"}, {"y", "value"})
                                    .set_extra({{"params", QJsonObject{{"by", "factor.value"}}}});
        const Document document = list(Document().set_subgraph("part", inside), "list", "1, 2")
                                      .add_node("subgraph:part", "use")
                                      .connect({"list", "number"}, {"use", "x"})
                                      .set_param("use", "by", formula("list.number * 10"))
                                      .add_node("list.collect", "all")
                                      .connect({"use", "y"}, {"all", "value"});
        QCOMPARE(problem_of(document), "");
        QCOMPARE(table_of(document), "1\t11\n2\t22\n");
        QCOMPARE(run(document, {.targets = {"use"}}).status, RunStatus::Done);
    }

    void loops_run_whole_for_every_element() {
        // From each element: adds the index four times, 0 + 1 + 2 + 3.
        const Document document = list({}, "list", "1, 100")
                                      .add_node("loop.begin", "begin")
                                      .set_param("begin", "count", 4)
                                      .connect({"list", "number"}, {"begin", "a"})
                                      .add_node("stub.add", "sum")
                                      .connect({"begin", "a"}, {"sum", "a"})
                                      .connect({"begin", "index"}, {"sum", "b"})
                                      .add_node("loop.end", "end")
                                      .connect({"begin", "loop"}, {"end", "loop"})
                                      .connect({"sum", "sum"}, {"end", "a"})
                                      .add_node("list.collect", "all")
                                      .connect({"end", "a"}, {"all", "value"});
        QCOMPARE(problem_of(document), "");
        QCOMPARE(table_of(document), "1\t7\n100\t106\n");
        // Also where only the inside knows the list.
        const Document inside = document.disconnect({"list", "number"}, {"begin", "a"}).add_node("stub.constant", "zero").connect({"zero", "out"}, {"begin", "a"}).connect({"list", "number"}, {"sum", "b"});
        QCOMPARE(table_of(inside), "1\t5\n100\t401\n");
    }

    void a_batch_needs_a_type_that_can_be_one() {
        const Document document = summed("1, 2").add_node("stub.measure", "reader");
        QCOMPARE(problem_of(document.connect({"all", "batch"}, {"sum", "b"})).find("expected no cycle") != std::string::npos, true);
        const Document read = document.connect({"all", "batch"}, {"reader", "in"});
        QVERIFY(problem_of(read).find("all.value: expected a type that can be a batch") != std::string::npos);
    }

    void targets_are_all_elements() {
        computed = 0;
        const RunResult result = run(summed("1, 2, 3"), {.targets = {"sum"}});
        QCOMPARE(result.status, RunStatus::Done);
        QCOMPARE(computed.load(), 3);
    }

    void damaged_lists_are_refused() {
        for (const char* values : {"", "1, x", "1:2", "1:2:0", "1:2:1e9", "1:2:2.5", "nan", "1:inf:3"})
            QVERIFY2(!problem_of(summed(values)).empty(), values);
        QVERIFY(!problem_of(texts({}, "words", " \n")).empty());
        // More than can be run.
        const Document huge = combined("list.product", "1:1000:1000", "1:1000:1000");
        QVERIFY(problem_of(huge).find("at most") != std::string::npos);
        // A list that follows what follows it.
        const Document ring = list(list({}, "a", "1, 2"), "b", "1, 2").set_param("b", "values", formula("a.number"));
        QVERIFY(!problem_of(ring).empty());
    }
};

}  // namespace tests

using tests::ListsTest;
HEDDLE_TEST(lists, ListsTest)
#include "lists.moc"
