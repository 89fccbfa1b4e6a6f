// The prompt editor: what the grammar reads is shown, weights by keys, tokens counted by the encoder that is connected.
#include "app/panels/prompt_editor.h"

#include <QRegularExpression>

#include "app/model/prompt_weight.h"
#include "nodes/types/encoder.h"
#include "tests/app/editor_fixture.h"

using namespace app;
using nodes::PromptDialect;

namespace {

// A token a word, ten a sequence.
class WordTower final : public nodes::TextTower {
public:
    WordTower() { info_.positions = 10; }
    const nodes::TextTowerInfo& info() const override { return info_; }
    const gpu::Weights& weights() const override { return none_; }
    std::vector<int> tokens(const std::string& text) const override {
        const auto words = QString::fromStdString(text).split(QRegularExpression("\\s+"), Qt::SkipEmptyParts);
        return std::vector<int>(static_cast<std::size_t>(words.size()), 5);
    }
    std::string text_of(int) const override { return "word"; }
    std::string merges() const override { return {}; }
    std::shared_ptr<const nodes::TextNetwork> build(const nodes::Patches&) const override { return nullptr; }
    std::string summary() const override { return "words"; }

private:
    nodes::TextTowerInfo info_;
    gpu::Weights none_;
};

struct WordEncoder final : nodes::Node {
    WordEncoder() : Node({.id = "stub.encoder", .title = "Word Encoder", .category = "Stub", .help = "A token a word."}) {}
    nodes::Out<nodes::Encoder> encoder{this, "encoder", "The encoder"};
    void compute(nodes::Eval& ev) const override { ev.set(encoder, nodes::Encoder("sd1", {{.tower = std::make_shared<WordTower>()}})); }
};

// The same with a learned word.
struct StarEncoder final : nodes::Node {
    StarEncoder() : Node({.id = "stub.star_encoder", .title = "Star Encoder", .category = "Stub", .help = "A token a word, and a learned one."}) {}
    nodes::Out<nodes::Encoder> encoder{this, "encoder", "The encoder"};
    void compute(nodes::Eval& ev) const override {
        nodes::TextEmbedding star{.names = {"star", "red star"}, .rows = {}};
        star.rows[768] = {std::make_shared<const std::vector<float>>(768)};
        ev.set(encoder, nodes::Encoder("sd1", {{.tower = std::make_shared<WordTower>()}}).with(star));
    }
};

struct Prompt {
    tests::Editor e;
    ParamPanel& params = e.window.params();
    NodeId encoder = e.model.add_node("stub.encoder", {}), node;

    explicit Prompt(const char* type = "text.encode") : node(e.model.add_node(type, {300, 0})) {
        e.model.connect_sockets({encoder, "encoder", true}, {node, "encoder", false});
        e.scene.select({node});
    }
    PromptEditor* editor() const { return static_cast<PromptEditor*>(params.editor("text")); }
    QString words() const { return editor()->text()->toPlainText(); }
    void type(const QString& text) const {
        editor()->text()->setFocus();
        editor()->text()->selectAll();
        QTest::keyClicks(editor()->text(), text);
    }
    void select(int from, int length) const {
        QTextCursor cursor = editor()->text()->textCursor();
        cursor.setPosition(from);
        cursor.setPosition(from + length, QTextCursor::KeepAnchor);
        editor()->text()->setTextCursor(cursor);
    }
    void press(Qt::Key key) const { QTest::keyClick(editor()->text(), key, Qt::ControlModifier); }
    QStringList marked() const {
        QStringList all;
        for (const auto& one : editor()->text()->extraSelections()) all << one.cursor.selectedText();
        return all;
    }
    bool counts(const QString& text) const {
        return QTest::qWaitFor([&] { return editor()->count()->isVisible() && editor()->count()->text() == text; }, 5000);
    }
    void run() {
        e.window.queue().add({encoder});
        (void)e.wait_for_run();
    }
};

}  // namespace

class PromptEditorTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        tests::register_editor_stubs();
        nodes::add_node_type(std::make_unique<WordEncoder>());
        nodes::add_node_type(std::make_unique<StarEncoder>());
    }

    void the_grammar_is_marked() {
        const Prompt p;
        p.type("a (red heart:1.3) \\(x\\) BREAK, embedding:star");
        QCOMPARE(p.marked(), (QStringList{"(", "red heart", ":1.3)", "\\(", "\\)", "embedding:star"}));
        QVERIFY(p.editor()->text()->extraSelections()[1].format.background().color().alpha() > 0);
        p.type("a (red heart:1.3");      // no brackets yet
        QCOMPARE(p.marked(), QStringList());
    }

    void marks_are_of_the_dialect() {
        Prompt p;
        p.type("[cat:dog:5] BREAK [weak] AND b");
        QCOMPARE(p.marked(), QStringList());
        p.e.model.set_param(p.node, "dialect", "a1111");
        QCOMPARE(p.marked(), (QStringList{"[", ":", ":5]", "BREAK", "[", "weak", "]", "AND"}));
        p.e.model.set_param(p.node, "dialect", "plain");
        QCOMPARE(p.marked(), QStringList());
    }

    void names_of_learned_words_are_marked() {
        Prompt p;
        p.e.model.set_param(p.node, "dialect", "plain");
        p.type("a Star, starfish and red star2 red star");
        const NodeId star = p.e.model.add_node("stub.star_encoder", {0, 200});
        QVERIFY(p.e.model.connect_sockets({star, "encoder", true}, {p.node, "encoder", false}).isEmpty());
        QCOMPARE(p.marked(), QStringList());      // nobody knows the names yet
        p.e.window.queue().add({star});
        QVERIFY(p.e.wait_for_run());
        QCOMPARE(p.marked(), (QStringList{"Star", "red star"}));
        p.e.model.set_param(p.node, "dialect", "a1111");
        p.type("(star:1.3) x");
        QCOMPARE(p.marked(), (QStringList{"(", "star", ":1.3)", "star"}));
        QVERIFY(p.editor()->text()->extraSelections().back().format.underlineStyle() == QTextCharFormat::SingleUnderline);
        p.e.model.set_param(p.node, "dialect", "comfy");
        QCOMPARE(p.marked(), (QStringList{"(", "star", ":1.3)"}));
    }

    void a_text_elsewhere_is_a_prompt_once_a_wire_leads_to_an_encoder() {
        Prompt p;
        const NodeId text = p.e.model.add_node("value.text", {0, 200}), bend = p.e.model.add_node("flow.reroute", {150, 200});
        p.e.scene.select({text});
        auto* editor = static_cast<PromptEditor*>(p.e.window.params().editor("value"));
        editor->text()->setFocus();
        QTest::keyClicks(editor->text(), "(x)");
        QVERIFY(editor->text()->extraSelections().isEmpty());
        QVERIFY(!editor->count()->isVisible());
        QVERIFY(p.e.model.connect_sockets({text, "text", true}, {bend, "value", false}).isEmpty());
        QVERIFY(p.e.model.connect_sockets({bend, "value", true}, {p.node, "prompt", false}).isEmpty());
        QCOMPARE(editor->text()->extraSelections().size(), 3);
        QVERIFY(QTest::qWaitFor([&] { return editor->count()->isVisible(); }, 5000));
        p.e.model.undo_stack().undo();
        QVERIFY(editor->text()->extraSelections().isEmpty());
        QVERIFY(!editor->count()->isVisible());
    }

    void keys_change_the_weight_of_the_selection() {
        Prompt p;
        p.e.scene.select({p.node, p.encoder});
        p.e.trigger("group");
        p.e.trigger("enter");                          // Ctrl+Up leaves it, but not from the prompt
        p.e.scene.select({p.node});
        p.type("a red heart");
        p.select(2, 9);
        const int before = p.e.model.undo_stack().index();
        p.press(Qt::Key_Up);
        QCOMPARE(p.words(), QStringLiteral("a (red heart:1.1)"));
        p.press(Qt::Key_Up);
        QCOMPARE(p.words(), QStringLiteral("a (red heart:1.2)"));
        QCOMPARE(p.e.model.param(p.node, "text").toString(), p.words());
        QCOMPARE(p.editor()->text()->textCursor().selectedText(), QStringLiteral("red heart"));
        QCOMPARE(p.e.model.undo_stack().index(), before + 2);
        QCOMPARE(p.e.model.levels().size(), std::size_t{1});
        p.e.model.undo_stack().undo();
        QCOMPARE(p.words(), QStringLiteral("a (red heart:1.1)"));
        p.e.model.undo_stack().redo();
        p.select(3, 9);
        for (int i = 0; i < 3; ++i) p.press(Qt::Key_Down);
        QCOMPARE(p.words(), QStringLiteral("a (red heart:0.9)"));
        p.press(Qt::Key_Up);
        QCOMPARE(p.words(), QStringLiteral("a red heart"));
    }

    void weights_data() {
        QTest::addColumn<QString>("prompt");      // | on both sides of the selection, or where the cursor is
        QTest::addColumn<double>("by");
        QTest::addColumn<QString>("expected");
        QTest::addColumn<int>("dialect");
        const auto row = [](const char* prompt, double by, const char* expected, PromptDialect dialect = PromptDialect::Comfy) {
            QTest::newRow(qPrintable(QString("%1 %2").arg(prompt).arg(int(dialect)))) << prompt << by << expected << int(dialect);
        };
        row("a r|ed heart", 0.1, "a (red:1.1) heart");                    // the word
        row("|a red| heart", -0.1, "(a red:0.9) heart");
        row("a| red |heart", 0.1, "a (red:1.1) heart");                   // white space stays out
        row("a (r|ed heart:1.25)", 0.1, "a (red heart:1.35)");            // the brackets around
        row("|(a:1.1)|", -0.1, "a");
        row("(a)|", 0.1, "(a:1.2)");                                      // 1.1 without a number
        row("((a|:1.2) b:0.5)", 0.1, "((a:1.3) b:0.5)");                  // the innermost
        row("(|(a:1.2) b|:0.5)", 0.1, "((a:1.2) b:0.6)");
        row("(a |b| c:1.2)", 0.1, "(a (b:1.1) c:1.2)");                   // a part of it
        row("\\(|a|\\)", 0.1, "\\((a:1.1)\\)");
        row("(a:0.1)|", -0.1, "(a:0)");
        row("(a:0)|", -0.1, "(a:0)");                                     // no less
        row("[c|at:dog:3]", 0.1, "[(cat:1.1):dog:3]", PromptDialect::A1111);
        row("a ,| b", 0.1, "", PromptDialect::Comfy);                     // no word
        row("|a|", 0.1, "", PromptDialect::Plain);
    }
    void weights() {
        QFETCH(QString, prompt);
        QFETCH(double, by);
        QFETCH(QString, expected);
        QFETCH(int, dialect);
        const qsizetype from = prompt.indexOf('|'), to = prompt.lastIndexOf('|') - (prompt.count('|') == 2 ? 1 : 0);
        prompt.remove('|');
        const auto edit = change_weight(prompt, from, to, by, PromptDialect(dialect));
        QCOMPARE(edit ? QString(prompt).replace(edit->at, edit->length, edit->text) : QString(), expected);
    }

    void tokens_are_counted() {
        Prompt p;
        p.type("one two (three:1.2)");
        QVERIFY(QTest::qWaitFor([&] { return p.editor()->count()->text().endsWith(" / 77 (estimate)"); }, 10000));
        p.run();
        QVERIFY2(p.counts("5 / 10"), qPrintable(p.editor()->count()->text()));
        p.type("1 2 3 4 5 6 7 8 9 10");
        QVERIFY2(p.counts("14 / 20, 2 chunks"), qPrintable(p.editor()->count()->text()));
        p.type("a embedding:star b");
        QVERIFY2(p.counts("4 / 10, not known: star"), qPrintable(p.editor()->count()->text()));
        p.e.model.set_param(p.node, "dialect", "a1111");
        p.type("a [b c d:5] AND e");      // the longest of what is said
        QVERIFY2(p.counts("6 / 10"), qPrintable(p.editor()->count()->text()));
        p.e.model.disconnect_link({{p.encoder, "encoder"}, {p.node, "encoder"}});
        QVERIFY(QTest::qWaitFor([&] { return p.editor()->count()->text().endsWith("(estimate)"); }, 5000));
    }

    void lines_are_prompts_of_their_own() {
        Prompt p("text.encode_lines");
        p.e.model.set_param(p.node, "text", "one (two\n\n  three four (five:1.2) six\n");
        p.run();
        QCOMPARE(p.marked(), (QStringList{"(", "five", ":1.2)"}));
        QVERIFY2(p.counts("6 / 10"), qPrintable(p.editor()->count()->text()));
        p.select(19, 0);
        p.press(Qt::Key_Up);
        QCOMPARE(p.words(), QStringLiteral("one (two\n\n  three (four:1.1) (five:1.2) six\n"));
    }
};

HEDDLE_TEST(prompt_editor, PromptEditorTest)
#include "prompt_editor.moc"
