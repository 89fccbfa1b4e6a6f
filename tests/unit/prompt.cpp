// The grammar of prompts: every rule with the weights, texts and steps that the dialects give it.
#include "nodes/types/prompt.h"

#include <algorithm>
#include <cmath>

#include "tests/support/test.h"

using nodes::PromptDialect;
using nodes::PromptPart;
using nodes::PromptSpan;

namespace {

// "a |b:1.1| BREAK" as one line, so that a failure shows both sides.
QString written(const std::vector<PromptPart>& parts) {
    QStringList list;
    for (const PromptPart& part : parts)
        list << (part.chunk_end ? QString("BREAK") : part.weight == 1 ? part.text : QString("%1:%2").arg(part.text).arg(part.weight, 0, 'g', 6));
    return list.join('|');
}

QString written(const std::vector<PromptSpan>& spans) {
    QStringList list;
    for (const PromptSpan& span : spans) list << QString("%1 %2").arg(span.last).arg(span.text);
    return list.join('|');
}

// A letter below each character of the prompt: w weighted, b bracket, n number, e escape, B BREAK, A AND, s schedule, x network,
// m embedding; the weight of what is weighted stays out.
QString written(const QString& prompt, const nodes::PromptSyntax& syntax) {
    QString line(prompt.size(), '.');
    const auto put = [&](bool weighted) {
        for (const nodes::PromptMark& mark : syntax.marks)
            if ((mark.kind == nodes::PromptMarkKind::Weighted) == weighted)
                for (qsizetype i = mark.at; i < mark.at + mark.length; ++i) line[i] = QLatin1Char("wbneBAsxm"[static_cast<int>(mark.kind)]);
    };
    put(true);
    put(false);
    return line;
}

}  // namespace

class PromptTest : public QObject {
    Q_OBJECT
private slots:
    void weights_data() {
        QTest::addColumn<int>("dialect");
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<QString>("expected");
        const auto comfy = [](const char* prompt, const char* expected) {
            QTest::newRow(qPrintable(QString("comfy %1").arg(prompt))) << int(PromptDialect::Comfy) << prompt << expected;
        };
        comfy("a cat", "a cat");
        comfy("a (b) c", "a |b:1.1| c");
        comfy("((b))", "b:1.21");
        comfy("(b:1.5)", "b:1.5");
        comfy("((b:1.5))", "b:1.5");                      // the inner one sets it
        comfy("((b) c:2)", "b:2.2| c:2");
        comfy("(b:-0.5)", "b:-0.5");
        comfy("(b:c)", "b:c:1.1");
        comfy("(b: 1.25 )", "b:1.25");
        comfy("(:1.2)", ":1.2:1.1");
        comfy("(b:nan)", "b:nan:1.1");
        comfy("[b] \\(c\\)", "[b] (c)");
        comfy("(\\(c\\):2)", "(c):2");
        comfy("a (b", "a |(b");
        comfy("a) b", "a) b");
        comfy("a BREAK b AND c", "a BREAK b AND c");
        const auto a1111 = [](const char* prompt, const char* expected) {
            QTest::newRow(qPrintable(QString("a1111 %1").arg(prompt))) << int(PromptDialect::A1111) << prompt << expected;
        };
        a1111("normal text", "normal text");
        a1111("an (important) word", "an |important:1.1| word");
        a1111("(unbalanced", "unbalanced:1.1");
        a1111("[un[balanced", "un:0.909091|balanced:0.826446");
        a1111("\\(literal\\]", "(literal]");
        a1111("\\\\(a)", "\\|a:1.1");
        a1111("(unnecessary)(parens)", "unnecessaryparens:1.1");
        a1111("((a:1.5))", "a:1.65");                     // levels multiply
        a1111("[a]", "a:0.909091");
        a1111("(a:b)", "a:b:1.1");
        a1111("(a:1.2.3)", "a:1.2.3):1.1");
        a1111("a) b]", "a) b]");
        a1111("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
              "a |house:1.573| :1.1|on| a :1.1|hill:0.55|, sun, :1.1|sky:1.4641|.:1.1");
        a1111("a BREAK b", "a|BREAK|b");
        a1111("(a BREAK b:2)", "a:2|BREAK|b:2");
        a1111("BREAKFAST", "BREAKFAST");
        a1111("", "");
        QTest::newRow("plain") << int(PromptDialect::Plain) << "(a:2) [b] \\( BREAK" << "(a:2) [b] \\( BREAK";
    }
    void weights() {
        QFETCH(int, dialect);
        QFETCH(QString, prompt);
        QFETCH(QString, expected);
        QCOMPARE(written(nodes::weighted_parts(prompt, PromptDialect(dialect))), expected);
    }

    // Ten steps; "3 a |10 a b": "a " up to step 3, "a b" up to step 10.
    void schedules_data() {
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<QString>("expected");
        const auto row = [](const char* prompt, const char* expected) { QTest::newRow(prompt) << prompt << expected; };
        row("test", "10 test");
        row("a [b:3]", "3 a |10 a b");
        row("a [b: 3]", "3 a |10 a b");
        row("a [b::4]", "4 a b|10 a ");
        row("a [[[b]]:2]", "2 a |10 a [[b]]");
        row("[(a:2):3]", "3 |10 (a:2)");
        row("a [b : c : 1] d", "1 a b  d|10 a  c  d");
        row("a[b:[c:d:2]:1]e", "1 abe|2 ace|10 ade");
        row("a [unbalanced", "10 a [unbalanced");
        row("a [b:.5] c", "5 a  c|10 a b c");
        row("a [b:c:99]", "10 a b");
        row("a [b:c:0]", "10 a c");
        row("((a][:b:c [d:3]", "3 ((a][:b:c |10 ((a][:b:c d");
        row("a \\[b:3\\] [c:d]", "10 a \\[b:3\\] [c:d]");
        row("[(a|b):c:5]", "5 (a|b)|10 c");
        row("[a|(b:1.1)]", "1 a|2 (b:1.1)|3 a|4 (b:1.1)|5 a|6 (b:1.1)|7 a|8 (b:1.1)|9 a|10 (b:1.1)");
        row("[fe|]male", "1 female|2 male|3 female|4 male|5 female|6 male|7 female|8 male|9 female|10 male");
        row("[fe|||]male", "1 female|2 male|3 male|4 male|5 female|6 male|7 male|8 male|9 female|10 male");
    }
    void schedules() {
        QFETCH(QString, prompt);
        QFETCH(QString, expected);
        QCOMPARE(written(nodes::prompt_schedule(prompt, 10)), expected);
    }
    void schedules_have_no_gaps() {
        int at = 0;
        for (const PromptSpan& span : nodes::prompt_schedule("[a|b] [c:d:3] [e:.25]", 8)) {
            QCOMPARE(span.first, at);
            at = span.last;
        }
        QCOMPARE(at, 8);
    }
    // Brackets without end must not take time without end.
    void many_brackets_are_quick() {
        QVERIFY(!nodes::prompt_schedule(QString("[").repeated(100000), 20).empty());
        QVERIFY(!nodes::prompt_schedule(QString("[").repeated(20000) + QString("]").repeated(20000), 20).empty());
        QVERIFY(!nodes::weighted_parts(QString("(").repeated(2000) + QString(")").repeated(2000), PromptDialect::Comfy).empty());
        QVERIFY(!nodes::weighted_parts(QString("([").repeated(20000), PromptDialect::A1111).empty());
    }

    // What the parser reads, under what is written.
    void syntax_data() {
        QTest::addColumn<int>("dialect");
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<QString>("expected");
        const auto row = [](PromptDialect dialect, const char* prompt, const char* expected) {
            QTest::newRow(qPrintable(QString("%1 %2").arg(int(dialect)).arg(prompt))) << int(dialect) << prompt << expected;
        };
        const auto comfy = PromptDialect::Comfy, a1111 = PromptDialect::A1111;
        row(comfy, "a (red heart:1.2) b",
                   "..bwwwwwwwwwnnnnb..");
        row(comfy, "((b) c:2) [d]",
                   "bbwbwwnnb....");
        row(comfy, "(a:b) \\(c\\) (open BREAK AND",
                   "bwwwb.ee.ee................");
        row(comfy, "(x\\(y:2)", "bweewnnb");
        row(comfy, "embedding:star, (embedding:moon:.5) notembedding:x",
                   "mmmmmmmmmmmmmm..bmmmmmmmmmmmmmmnnnb...............");
        row(a1111, "a (b:1.5) [c] \\(d\\) BREAK e",
                   "..bwnnnnb.bwb.ee.ee.BBBBB..");
        row(a1111, "[cat:dog:0.5] [a|b] [late:3]",
                   "s...s...sssss.s.s.s.s....sss");
        row(a1111, "(a [b:c:5] d:1.2)",
                   "bwwswswssswwnnnnb");
        row(a1111, "a cat AND (a dog:2) :1.5",
                   "......AAA.bwwwwwnnb.nnnn");
        row(a1111, "x <lora:style:0.8> (y) unclosed) (z",
                   "..xxxxxxxxxxxxxxxx.bwb...........bw");
        row(a1111, "embedding:x [[b]:2]", "............sbwbsss");
        row(PromptDialect::Plain, "(a:2) BREAK [b]", "...............");
    }
    void syntax() {
        QFETCH(int, dialect);
        QFETCH(QString, prompt);
        QFETCH(QString, expected);
        QCOMPARE(written(prompt, nodes::prompt_syntax(prompt, PromptDialect(dialect), 10)), expected);
    }
    void weights_are_told_with_their_places() {
        const nodes::PromptSyntax syntax = nodes::prompt_syntax("a ((b):1.5)", PromptDialect::A1111);
        QCOMPARE(syntax.emphasis.size(), std::size_t{2});
        QVERIFY((syntax.emphasis[0] == nodes::PromptEmphasis{2, 9, 3, 3, 1.5}));
        QVERIFY((syntax.emphasis[1] == nodes::PromptEmphasis{3, 3, 4, 1, 1.1}));
        const auto weighted = std::ranges::find(syntax.marks, nodes::PromptMarkKind::Weighted, &nodes::PromptMark::kind);
        QCOMPARE(weighted->weight, 1.1 * 1.5);
        QVERIFY((nodes::prompt_syntax("(b:1.3)", PromptDialect::Comfy).emphasis == std::vector<nodes::PromptEmphasis>{{0, 7, 1, 1, 1.3}}));
    }

    void alternatives() {
        using nodes::SubPrompt;
        QVERIFY((nodes::prompt_alternatives("a cat") == std::vector<SubPrompt>{{"a cat", 1}}));
        QVERIFY((nodes::prompt_alternatives("a cat AND a dog :1.2 AND b:-.5") == std::vector<SubPrompt>{{"a cat ", 1}, {" a dog", 1.2}, {" b", -0.5}}));
        QVERIFY((nodes::prompt_alternatives("SAND ANDES") == std::vector<SubPrompt>{{"SAND ANDES", 1}}));
        QVERIFY((nodes::prompt_alternatives("a (b:2) AND c") == std::vector<SubPrompt>{{"a (b:2) ", 1}, {" c", 1}}));
    }

    void networks_are_for_loaders() {
        QStringList removed;
        QCOMPARE(nodes::without_networks("a <lora:x:0.8> b <lyco:y> <c>", removed), QString("a  b  <c>"));
        QCOMPARE(removed, (QStringList{"<lora:x:0.8>", "<lyco:y>"}));
    }
};

HEDDLE_TEST(prompt, PromptTest)
#include "prompt.moc"
