// Parameters that are computed from others.
#include "nodes/core/expression.h"

#include "nodes/core/lowering.h"
#include "nodes/core/validate.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

double value_of(const std::string& text) {
    return evaluate_expression(text, [](const Endpoint& at) { return at.text() == "a.x" ? 3.0 : at.text() == "my-node.y" ? 5.0 : -1.0; });
}

std::string problem_of(const std::string& text) {
    try {
        value_of(text);
    } catch (const gpu::Error& error) {
        return error.message();
    }
    return "none";
}

Document linked() {
    return Document()
        .add_node("stub.constant", "one")
        .add_node("stub.constant", "two")
        .set_param("one", "value", 6)
        .set_param("two", "value", expression_value("one.value / 4 + 1"))
        .add_node("stub.kinds", "kinds")
        .set_param("kinds", "whole", expression_value("two.value * 3"))
        .set_param("kinds", "flag", expression_value("two.value - 2.5"));
}

std::string problems_of(const Document& document) {
    std::string text;
    for (const Problem& problem : validate(document)) text += problem.text() + "\n";
    return text;
}

}  // namespace

class ExpressionTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void computes() {
        QCOMPARE(value_of("1 + 2 * 3 - 4 / 2"), 5.0);
        QCOMPARE(value_of("-2 ^ 2"), 4.0);      // the sign belongs to the number
        QCOMPARE(value_of("2 ^ 3 ^ 2"), 512.0);
        QCOMPARE(value_of("(1 + 2) * a.x % 5"), 4.0);
        QCOMPARE(value_of("`my-node`.y * 2"), 10.0);
        QCOMPARE(value_of("max(1, a.x, 2) + min(4, 5) + clamp(9, 0, 1)"), 8.0);
        QCOMPARE(value_of("round(2.4) + floor(-0.5) + sqrt(16) + 1e-1 * 10"), 6.0);
        QVERIFY(std::abs(value_of("sin(pi / 2)") - 1) < 1e-12);
    }

    void says_what_is_wrong() {
        QCOMPARE(problem_of("1 +"), std::string("expression '1 +': expected a value at column 4, got the end"));
        QCOMPARE(problem_of("(1"), std::string("expression '(1': expected ')' at column 3, got the end"));
        QCOMPARE(problem_of("1 2"), std::string("expression '1 2': expected an operator at column 3, got '2'"));
        QVERIFY(problem_of("size").find("expected NODE.param or a function after 'size'") != std::string::npos);
        QVERIFY(problem_of("system(1)").find("expected a function, got 'system'") != std::string::npos);
        QVERIFY(problem_of(std::string(1000, '(')).find("less nesting") != std::string::npos);
        QVERIFY(problem_of(std::string(5000, '-') + "1") == "none");
        for (const char* text : {"", ".", "1..2", "`", "a.", "f(", "f(,)", "1e", "%", "a.x.y"}) QVERIFY2(problem_of(text) != "none" || std::string(text) == "1e", text);
    }

    void parameters_follow_one_another() {
        const Document document = linked();
        QCOMPARE(problems_of(document), std::string());
        const Document low = lowered(document);
        QCOMPARE(low.param("two", "value"), QJsonValue(2.5));
        QCOMPARE(low.param("kinds", "whole"), QJsonValue(8));      // 7.5, to the nearest whole number
        QCOMPARE(low.param("kinds", "flag"), QJsonValue(false));
        QCOMPARE(Document::from_json(document.to_json()) == document, true);
        Recorder seen;
        QCOMPARE(run(document, {.on_event = seen.sink()}).status, RunStatus::Done);
        QCOMPARE(seen.number("two", "out"), 2.5);
        // On the command line.
        QCOMPARE(document.type_of("two")->param("value")->parse("=one.value * 2"), expression_value("one.value * 2"));
        QCOMPARE(document.type_of("two")->param("value")->text(expression_value("1 + 1")), std::string("=1 + 1"));
    }

    void what_can_not_be_computed_is_a_problem() {
        QVERIFY(problems_of(linked().set_param("one", "value", expression_value("two.value"))).find("expected no ring of parameters") != std::string::npos);
        QVERIFY(problems_of(linked().set_param("two", "value", expression_value("won.value"))).find("got 'won'; did you mean one?") != std::string::npos ||
                problems_of(linked().set_param("two", "value", expression_value("won.value"))).find("expected a node of the document, got 'won'") != std::string::npos);
        QVERIFY(problems_of(linked().set_param("two", "value", expression_value("kinds.words"))).find("expected a parameter that is a number") != std::string::npos);
        QVERIFY(problems_of(linked().set_param("two", "value", expression_value("1 / 0"))).find("expected a number, got inf") != std::string::npos);
        QVERIFY(problems_of(linked().set_param("two", "value", expression_value("1000"))).find("error: two.value: expected") != std::string::npos);      // out of range
        QCOMPARE(run(linked().set_param("two", "value", expression_value("1 +"))).status, RunStatus::Invalid);
    }
};

HEDDLE_TEST(expression, ExpressionTest)

}  // namespace tests

#include "expression.moc"
