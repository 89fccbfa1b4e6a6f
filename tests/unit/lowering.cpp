// What runs of a document: subgraphs, muted and bypassed nodes, wires; and inputs that are computed only where wanted.
#include "nodes/core/lowering.h"

#include "nodes/core/any_type.h"
#include "nodes/core/subgraph.h"
#include "nodes/core/validate.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// one -> sum <- two -> after
Document sums() {
    return Document()
        .add_node("stub.constant", "one")
        .add_node("stub.constant", "two")
        .set_param("two", "value", 2)
        .add_node("stub.add", "sum")
        .add_node("stub.add", "after")
        .connect({"one", "out"}, {"sum", "a"})
        .connect({"two", "out"}, {"sum", "b"})
        .connect({"sum", "sum"}, {"after", "a"});
}

double result_of(const Document& document, const std::string& node, const std::string& socket) {
    Recorder seen;
    const RunResult result = run(document, {.on_event = seen.sink()});
    for (const NodeFailure& failure : result.failures) qWarning("%s: %s", failure.node.c_str(), failure.message.c_str());
    return seen.number(node, socket);
}

std::vector<std::string> started(const Document& document) {
    Recorder seen;
    run(document, {.on_event = seen.sink()});
    std::vector<std::string> ids;
    for (const auto& start : seen.all<event::NodeStart>()) ids.push_back(start.node);
    std::ranges::sort(ids);
    return ids;
}

std::string problems_of(const Document& document) {
    std::string text;
    for (const Problem& problem : validate(document)) text += problem.text() + "\n";
    return text;
}

using Ids = std::vector<std::string>;

}  // namespace

class LoweringTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void nothing_to_do_changes_nothing() { QCOMPARE(lowered(sums()) == sums(), true); }

    void bypassed_nodes_pass_their_first_input_of_the_type() {
        const Document document = sums().set_mode("sum", NodeMode::Bypassed);
        QCOMPARE(result_of(document, "after", "sum"), 11.0);
        QCOMPARE(started(document), (Ids{"after", "one", "two"}));
        // A node without inputs passes nothing, and a loose input falls back to what it has at first.
        QCOMPARE(result_of(sums().set_mode("two", NodeMode::Bypassed), "sum", "sum"), 11.0);
        QVERIFY(problems_of(sums().set_mode("one", NodeMode::Bypassed)).find("error: sum.a: expected a link") != std::string::npos);
    }

    void muted_nodes_silence_what_needs_them() {
        QCOMPARE(started(sums().set_mode("one", NodeMode::Muted)), (Ids{"two"}));
        const Document document = sums().set_mode("two", NodeMode::Muted);      // b of the sum may stay free
        QCOMPARE(started(document), (Ids{"after", "one", "sum"}));
        QCOMPARE(result_of(document, "sum", "sum"), 11.0);
        const RunResult result = run(sums().set_mode("sum", NodeMode::Muted), {.targets = {"after"}});
        QVERIFY(result.exit_code() != 0);
        QVERIFY(result.failures.at(0).message.find("'after' does not") != std::string::npos);
    }

    void modes_are_stored() {
        const Document document = sums().set_mode("sum", NodeMode::Bypassed).set_mode("one", NodeMode::Muted);
        QCOMPARE(Document::from_json(document.to_json()) == document, true);
        QCOMPARE(Document::from_json(document.to_json()).node("one").mode, NodeMode::Muted);
        // A mode of a newer program stays in the file.
        const QByteArray newer = R"({"heddle": 1, "nodes": {"one": {"type": "stub.constant", "version": 1, "mode": "frozen"}}, "links": []})";
        QVERIFY(Document::from_json(newer).to_json().contains("frozen"));
    }

    void wires_vanish() {
        const Document document = sums()
                                      .add_node("flow.reroute", "bend")
                                      .add_node("flow.reroute", "again")
                                      .connect({"sum", "sum"}, {"bend", "value"})
                                      .connect({"bend", "value"}, {"again", "value"})
                                      .connect({"again", "value"}, {"after", "a"});
        QCOMPARE(problems_of(document), std::string());
        QCOMPARE(result_of(document, "after", "sum"), 13.0);
        QVERIFY(!lowered(document).contains("bend"));
        // A ring of them is reported, not followed for ever.
        const Document ring = document.connect({"again", "value"}, {"bend", "value"});
        QVERIFY(problems_of(ring).find("error: after.a: expected a link") != std::string::npos);
    }

    void a_subgraph_runs_as_its_nodes_do() {
        std::string use;
        const Document document = grouped(sums(), {"two", "sum"}, "adder", &use);
        QCOMPARE(use, std::string("adder"));
        QCOMPARE(problems_of(document), std::string());
        QCOMPARE(document.node_ids(), (Ids{"adder", "after", "one"}));
        const Node* type = document.type_of(use);
        QVERIFY(type && type->input("a") && type->output("sum_out"));
        QCOMPARE(type->input("a")->type, &socket_type<double>());
        QCOMPARE(type->input("a")->optional, false);
        QCOMPARE(type->output("sum_out")->label, std::string("sum"));
        QCOMPARE(result_of(document, "after", "sum"), 13.0);
        QCOMPARE(started(document), (Ids{"adder/sum", "adder/two", "after", "one"}));
        QCOMPARE(Document::from_json(document.to_json()) == document, true);
        QCOMPARE(Document::from_json(document.to_json()).to_json(), document.to_json());
        // And back: the same nodes and links.
        const Document back = ungrouped(document, use);
        QCOMPARE(back.node_ids(), sums().node_ids());
        QCOMPARE(back.links() == sums().links(), true);
    }

    void uses_share_the_inside_and_have_their_own_parameters() {
        Document document = grouped(sums(), {"two", "sum"}, "adder");
        Document inside = document.inside("adder");
        QJsonObject extra = inside.extra();
        extra["params"] = QJsonObject{{"more", "two.value"}};
        document = document.set_subgraph("adder", inside.set_extra(extra));
        document = document.add_node("subgraph:adder", "second").connect({"adder", "sum_out"}, {"second", "a"}).connect({"second", "sum_out"}, {"after", "a"});
        document = document.set_param("second", "more", 40);
        QCOMPARE(problems_of(document), std::string());
        QCOMPARE(document.param("adder", "more"), QJsonValue(2));
        QCOMPARE(result_of(document, "second/sum", "sum"), 43.0);
        QVERIFY(problems_of(document.set_param("second", "more", 4000)).find("error: second.more: expected") != std::string::npos);
        QVERIFY(problems_of(document.set_param("second", "most", 1)).find("no parameter 'most'") != std::string::npos);
    }

    void ports_may_have_a_value_of_their_own() {
        Document document = grouped(sums(), {"sum"}, "adder");      // ports a and b
        QCOMPARE(document.type_of("adder")->input("a")->optional, false);
        QCOMPARE(document.type_of("adder")->input("b")->optional, true);
        Document inside = document.inside("adder").add_node("stub.constant", "seven").set_param("seven", "value", 7).connect({"seven", "out"}, {"a", "value"});
        document = document.set_subgraph("adder", inside);
        QCOMPARE(document.type_of("adder")->input("a")->optional, true);
        QCOMPARE(result_of(document, "after", "sum"), 13.0);
        document = document.disconnect({"one", "out"}, {"adder", "a"});
        QCOMPARE(problems_of(document), std::string());
        QCOMPARE(result_of(document, "after", "sum"), 19.0);
    }

    void subgraphs_in_subgraphs() {
        Document document = grouped(sums(), {"sum"}, "inner");
        document = grouped(document, {"inner", "two"}, "outer");
        QCOMPARE(problems_of(document), std::string());
        QCOMPARE(result_of(document, "after", "sum"), 13.0);
        QCOMPARE(started(document), (Ids{"after", "one", "outer/inner/sum", "outer/two"}));
        QCOMPARE(Document::from_json(document.to_json()) == document, true);
        // A target inside is what its outputs come from.
        Recorder seen;
        QCOMPARE(run(document, {.targets = {"outer"}, .on_event = seen.sink()}).status, RunStatus::Done);
        QCOMPARE(seen.number("outer/inner/sum", "sum"), 3.0);
        // Muted and bypassed as a whole.
        QCOMPARE(started(document.set_mode("outer", NodeMode::Muted)), (Ids{"one"}));
        QCOMPARE(result_of(document.set_mode("outer", NodeMode::Bypassed), "after", "sum"), 11.0);
    }

    void faults_inside_are_named() {
        Document document = grouped(sums(), {"two", "sum"}, "adder");
        Document inside = document.inside("adder").set_param("two", "value", 1e9);
        QVERIFY(problems_of(document.set_subgraph("adder", inside)).find("error: adder/two.value: expected") != std::string::npos);
        inside = document.inside("adder").set_param("a", "type", "hat");
        QVERIFY(problems_of(document.set_subgraph("adder", inside)).find("error: adder/a: expected the name of a socket type, got 'hat'") != std::string::npos);
        inside = document.inside("adder").add_node("subgraph:adder", "self").connect({"a", "value"}, {"self", "a"});
        const Document ring = document.set_subgraph("adder", inside);
        QVERIFY(problems_of(ring).find("not to hold itself") != std::string::npos);
        QVERIFY(run(ring).exit_code() != 0);
        QVERIFY(problems_of(document.remove_subgraph("adder")).find("expected a known node type, got 'subgraph:adder'") != std::string::npos);
        QVERIFY_EXCEPTION_THROWN(grouped(sums(), {"one", "after"}, "ring"), gpu::Error);      // a path leads out and back
        const QByteArray bad = R"({"heddle": 1, "nodes": {}, "links": [], "subgraphs": {"a b": {}}})";
        QVERIFY_EXCEPTION_THROWN(Document::from_json(bad), gpu::Error);
    }

    void only_the_chosen_side_runs() {
        Document document = sums()
                                .add_node("stub.add", "dear")
                                .connect({"one", "out"}, {"dear", "a"})
                                .add_node("flow.if", "choose")
                                .connect({"sum", "sum"}, {"choose", "yes"})
                                .connect({"dear", "sum"}, {"choose", "no"})
                                .connect({"choose", "value"}, {"after", "a"});
        QCOMPARE(problems_of(document), std::string());
        QCOMPARE(started(document), (Ids{"after", "choose", "one", "sum", "two"}));
        QCOMPARE(result_of(document, "after", "sum"), 13.0);
        document = document.set_param("choose", "condition", false);
        QCOMPARE(started(document), (Ids{"after", "choose", "dear", "one"}));
        // The condition may be computed, and a side may have a condition of its own.
        document = document.add_node("flow.switch", "inner")
                       .connect({"dear", "sum"}, {"inner", "a"})
                       .connect({"two", "out"}, {"inner", "b"})
                       .connect({"one", "out"}, {"inner", "number"})
                       .connect({"inner", "value"}, {"choose", "no"})
                       .connect({"two", "out"}, {"choose", "test"})
                       .set_param("two", "value", 0);
        QCOMPARE(started(document), (Ids{"after", "choose", "inner", "one", "two"}));
        QCOMPARE(result_of(document, "after", "sum"), 10.0);
        QVERIFY(problems_of(document.add_node("stub.read", "words").connect({"words", "text"}, {"choose", "no"})).find("expected number as yes is, got text") !=
                std::string::npos);
        Recorder seen;
        const RunResult result = run(document.set_param("one", "value", 9), {.on_event = seen.sink()});
        QCOMPARE(result.failures.at(0).node, std::string("inner"));
        QCOMPARE(result.status, RunStatus::Failed);
    }

    void a_choice_in_a_loop_is_made_in_every_iteration() {
        // index 0 takes `sum`, later ones what went round.
        const Document document = sums()
                                      .add_node("loop.begin", "begin")
                                      .set_param("begin", "count", 3)
                                      .add_node("loop.end", "end")
                                      .connect({"begin", "loop"}, {"end", "loop"})
                                      .connect({"one", "out"}, {"begin", "a"})
                                      .add_node("stub.add", "grown")
                                      .connect({"begin", "a"}, {"grown", "a"})
                                      .add_node("flow.if", "choose")
                                      .connect({"begin", "index"}, {"choose", "test"})
                                      .connect({"grown", "sum"}, {"choose", "yes"})
                                      .connect({"sum", "sum"}, {"choose", "no"})
                                      .connect({"choose", "value"}, {"end", "a"})
                                      .connect({"end", "a"}, {"after", "a"});
        QCOMPARE(problems_of(document), std::string());
        QCOMPARE(result_of(document, "after", "sum"), 3.0 + 10 + 10 + 10);
        const auto ids = started(document);
        QCOMPARE(std::ranges::count(ids, "grown"), 2);
        QCOMPARE(std::ranges::count(ids, "sum"), 1);
    }

    void what_was_not_wanted_is_not_computed_by_a_later_run_either() {
        const Document document = sums().add_node("flow.if", "choose").connect({"sum", "sum"}, {"choose", "yes"}).connect({"one", "out"}, {"choose", "no"});
        ResultCache cache;
        QCOMPARE(run(document, {.targets = {"choose"}, .cache = &cache}).computed, 4);
        const RunResult again = run(document, {.targets = {"choose"}, .cache = &cache});
        QCOMPARE(again.computed, 0);
        QCOMPARE(again.cached, 1);
        const RunResult other = run(document.set_param("choose", "condition", false), {.targets = {"choose"}, .cache = &cache});
        QCOMPARE(other.computed, 1);
        QCOMPARE(other.cached, 1);
    }
};

HEDDLE_TEST(lowering, LoweringTest)

}  // namespace tests

#include "lowering.moc"
