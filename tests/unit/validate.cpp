#include "nodes/core/validate.h"

#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// "kind node.socket" of each problem, errors only unless `warnings`.
std::vector<std::string> found(const Document& document, const std::vector<std::string>& targets = {},
                               bool warnings = false) {
    std::vector<std::string> list;
    for (const Problem& problem : validate(document, targets))
        if (warnings || problem.severity == Severity::Error)
            list.push_back(std::string(to_string(problem.kind)) + " " + problem.node + "." + problem.socket);
    return list;
}

std::vector<std::string> one(const std::string& problem) { return {problem}; }

Document pair() {
    return Document()
        .add_node("stub.constant", "one")
        .add_node("stub.add", "sum")
        .connect({"one", "out"}, {"sum", "a"});
}

}  // namespace

class ValidateTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void sound_document() { QVERIFY(validate(pair()).empty()); }

    void all_problems_at_once() {
        const Document document = pair()
                                      .add_node("stub.contsant", "odd")
                                      .add_node("stub.add", "bare")
                                      .set_param("one", "value", 500)
                                      .set_param("one", "valeu", 1);
        const std::vector<Problem> problems = validate(document);
        QCOMPARE(problems.size(), 4u);
        QCOMPARE(problems[0].text(),
                 std::string("error: bare.a: expected a link that brings a value of type number, there is none"));
        QVERIFY(problems[1].message.ends_with("did you mean 'stub.constant'?"));
        QCOMPARE(problems[2].text(),
                 std::string("error: one.valeu: stub.constant has no parameter 'valeu'; did you mean 'value'?"));
        QCOMPARE(problems[3].text(), std::string("error: one.value: expected a number, -100 to 100, got 500"));
    }

    void links() {
        const Document known = pair().add_node("stub.read", "read").set_param("read", "file", "x");
        QCOMPARE(found(known.connect({"read", "text"}, {"sum", "b"})), one("type-mismatch sum.b"));
        QCOMPARE(found(known.connect({"one", "uot"}, {"sum", "b"})), one("dangling-link sum.b"));
        QCOMPARE(found(known.connect({"one", "out"}, {"sum", "c"})), one("dangling-link sum."));
        const Document lost = Document::from_json(
            R"({"heddle": 1, "nodes": {"one": {"type": "stub.constant"}, "sum": {"type": "stub.add"}},
                "links": [{"from": "one.out", "to": "sum.a"}, {"from": "two.out", "to": "sum.b"},
                          {"from": "one.out", "to": "gone.b"}, {"from": "sum.sum", "to": "sum2.a"}]})");
        QCOMPARE(found(lost).size(), 3u);
        const Document twice = Document::from_json(
            R"({"heddle": 1, "nodes": {"one": {"type": "stub.constant"}, "two": {"type": "stub.constant"}, "sum": {"type": "stub.add"}},
                "links": [{"from": "one.out", "to": "sum.a"}, {"from": "two.out", "to": "sum.a"}]})");
        QCOMPARE(found(twice), one("duplicate-link sum.a"));
        QCOMPARE(Document::from_json(twice.to_json()).links().size(), 2u);  // kept until somebody decides
    }

    void cycles() {
        const Document chain = Document()
                                   .add_node("stub.add", "a")
                                   .add_node("stub.add", "b")
                                   .add_node("stub.add", "c")
                                   .connect({"a", "sum"}, {"b", "a"})
                                   .connect({"b", "sum"}, {"c", "a"});
        const std::vector<Problem> problems = validate(chain.connect({"c", "sum"}, {"a", "a"}));
        QCOMPARE(problems.size(), 1u);
        QCOMPARE(problems[0].message, std::string("expected no cycle, got a -> b -> c -> a"));
        QCOMPARE(found(chain.connect({"a", "sum"}, {"a", "a"})), one("cycle a."));
        const Document two = chain.connect({"a", "sum"}, {"a", "a"})
                                 .add_node("stub.add", "x")
                                 .add_node("stub.add", "y")
                                 .connect({"x", "sum"}, {"y", "a"})
                                 .connect({"y", "sum"}, {"x", "a"});
        QCOMPARE(found(two).size(), 2u);
    }

    void only_what_targets_need_counts() {
        const Document document = pair().add_node("stub.add", "half");
        QVERIFY(found(document, {"sum"}).empty());
        QCOMPARE(found(document, {"sum"}, true), one("missing-input half.a"));
        QCOMPARE(found(document, {"half"}), one("missing-input half.a"));
        QCOMPARE(found(document, {"smu"}), one("unknown-target ."));
    }

    void values() {
        const Document kinds = Document().add_node("stub.kinds", "k");
        QVERIFY(found(kinds).empty());
        QCOMPARE(found(kinds.set_param("k", "whole", 1.5)), one("bad-value k.whole"));
        QCOMPARE(found(kinds.set_param("k", "whole", "3")), one("bad-value k.whole"));
        QCOMPARE(found(kinds.set_param("k", "real", 1.01)), one("bad-value k.real"));
        QCOMPARE(found(kinds.set_param("k", "flag", 1)), one("bad-value k.flag"));
        QCOMPARE(found(kinds.set_param("k", "way", "sideways")), one("bad-value k.way"));
        QCOMPARE(found(kinds.set_param("k", "seed", -1)), one("bad-value k.seed"));
        QCOMPARE(found(kinds.set_param("k", "seed", "18446744073709551616")), one("bad-value k.seed"));
        QCOMPARE(found(kinds.set_param("k", "tint", "red")), one("bad-value k.tint"));
        QCOMPARE(found(kinds.set_param("k", "words", QJsonValue::Null)), one("bad-value k.words"));
        QCOMPARE(found(pair().add_node("stub.write", "w").connect({"one", "out"}, {"w", "in"})),
                 one("missing-value w.file"));
    }

    void newer_files_warn() {
        const Document newer = Document::from_json(
            R"({"heddle": 2, "nodes": {"k": {"type": "stub.kinds", "version": 9, "params": {"future": 1}}}})");
        QVERIFY(found(newer).empty());
        QCOMPARE(found(newer, {}, true).size(), 3u);
    }

    void connecting() {
        const Document document = pair()
                                      .add_node("stub.add", "next")
                                      .connect({"sum", "sum"}, {"next", "a"})
                                      .add_node("stub.measure", "m")
                                      .add_node("stub.read", "read");
        QVERIFY(connect_problem(document, {"one", "out"}, {"next", "a"}).empty());
        QVERIFY(connect_problem(document, {"one", "out"}, {"m", "in"}).empty());  // by conversion
        QCOMPARE(connect_problem(document, {"read", "text"}, {"m", "in"}), std::string("expected length, got text"));
        QCOMPARE(connect_problem(document, {"next", "sum"}, {"sum", "b"}), std::string("expected no cycle"));
        QVERIFY(!connect_problem(document, {"one", "nothing"}, {"sum", "b"}).empty());
    }

    void targets_of_a_run() {
        QCOMPARE(default_targets(pair()), one("sum"));
        const Document marked = pair().add_node("stub.write", "w").connect({"one", "out"}, {"w", "in"});
        QCOMPARE(default_targets(marked), one("w"));
    }

    void near_names() {
        QCOMPARE(nearest("encdoe", {"decode", "encode", "load"}), std::string("encode"));
        QCOMPARE(nearest("load", {"image.load", "image.save"}), std::string("image.load"));
        QCOMPARE(nearest("zebra", {"decode", "encode"}), std::string());
        QCOMPARE(nearest("", {"a", "bb"}), std::string());
    }
};

}  // namespace tests

using tests::ValidateTest;
HEDDLE_TEST(validate, ValidateTest)
#include "validate.moc"
