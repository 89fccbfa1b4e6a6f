// The documentation of nodes beside the canvas: what F1 shows, where links lead, what the search finds.
#include <QDockWidget>
#include <QTextBrowser>

#include "nodes/core/subgraph.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

QString shown(tests::Editor& e) { return e.window.reference().browser()->toPlainText(); }

// Clicks a link of the page.
void follow(tests::Editor& e, const char* link) { emit e.window.reference().browser()->anchorClicked(QUrl(link)); }

}  // namespace

class ReferenceTest : public QObject {
    Q_OBJECT

private slots:
    void f1_shows_the_selected_node() {
        tests::Editor e;
        auto* dock = e.window.findChild<QDockWidget*>("dock_reference");
        QVERIFY(dock && !dock->isVisible());
        const NodeId ramp = e.model.add_node("stub.ramp", {});
        const NodeId sum = e.model.add_node("stub.add", {200, 0});
        e.scene.select({ramp});
        e.trigger("reference");
        QVERIFY(dock->isVisible());
        QCOMPARE(e.window.reference().page(), QString("#stub.ramp"));
        for (const char* part : {"Ramp stub.ramp", "Draws a ramp of colours.", "Inputs", "blue", "may stay unlinked", "How blue it is", "Parameters", "1 to 256 px", "initially 40", "Outputs", "Swatch"})
            QVERIFY2(shown(e).contains(part), qPrintable(QString(part) + " in:\n" + shown(e)));
        // It follows the selection, and stays where nothing is selected.
        e.scene.select({sum});
        QCOMPARE(e.window.reference().page(), QString("#stub.add"));
        e.scene.select({});
        QCOMPARE(e.window.reference().page(), QString("#stub.add"));
        e.trigger("reference");
        QCOMPARE(e.window.reference().page(), QString());
        QVERIFY(shown(e).contains("Adds") || shown(e).contains("Add"));
    }

    void links_lead_to_types_and_back() {
        tests::Editor e;
        e.trigger("reference");
        follow(e, "#stub.ramp");
        QVERIFY(e.window.reference().browser()->toHtml().contains("#type-swatch"));
        follow(e, "#type-swatch");
        QCOMPARE(e.window.reference().page(), QString("#type-swatch"));
        QVERIFY2(shown(e).contains("A ramp of colours") && shown(e).contains("Comes from Ramp"), qPrintable(shown(e)));
        QTest::mouseClick(e.window.findChild<QToolButton*>("reference_back"), Qt::LeftButton);
        QCOMPARE(e.window.reference().page(), QString("#stub.ramp"));
        QVERIFY(shown(e).contains("Draws a ramp"));
        follow(e, "#no.such.node");
        QVERIFY(shown(e).contains("Ramp"));      // the index
        follow(e, "file:///etc/passwd");
        follow(e, "https://example.org/");
        QCOMPARE(e.window.reference().page(), QString("#no.such.node"));
    }

    void the_search_lists_and_opens_the_first() {
        tests::Editor e;
        e.trigger("reference");
        QLineEdit* search = e.window.reference().search();
        QTest::keyClicks(search, "ramp");
        QVERIFY2(shown(e).contains("Ramp") && !shown(e).contains("Counter"), qPrintable(shown(e)));
        QTest::keyClick(search, Qt::Key_Return);
        QCOMPARE(e.window.reference().page(), QString("#stub.ramp"));
        QCOMPARE(search->text(), QString());
        QTest::keyClicks(search, "qqqq<b>");
        QVERIFY(shown(e).contains("No node is found by") && shown(e).contains("<b>"));
        search->clear();
        QTest::keyClicks(search, "x");
        QTest::keyClick(search, Qt::Key_Backspace);
        QVERIFY(shown(e).contains("Draws a ramp"));      // back to the page
    }

    void uses_of_subgraphs_have_pages_too() {
        tests::Editor e;
        const NodeId use = e.model.group({e.model.add_node("stub.add", {})});
        e.scene.select({use});
        e.trigger("reference");
        QVERIFY2(shown(e).contains("A subgraph of this document."), qPrintable(shown(e)));
    }

    void examples_open() {
        tests::Editor e;
        e.trigger("reference");
        follow(e, "#image.blur");
        const QString html = e.window.reference().browser()->toHtml();
        QVERIFY2(html.contains("graph:picture.heddle"), qPrintable(html));
        follow(e, "graph:picture.heddle");
        QVERIFY(e.model.path().endsWith("graphs/picture.heddle"));
    }
};

HEDDLE_TEST(reference, ReferenceTest)
#include "reference.moc"
