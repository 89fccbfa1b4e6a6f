// What a person keeps between sessions: starred node types, and parameter values under a name.
#include "app/model/favourites.h"

#include <QDir>
#include <QInputDialog>
#include <QSettings>
#include <QToolButton>

#include "app/model/presets.h"
#include "nodes/core/expression.h"
#include "app/panels/canvas_actions.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

QStringList rows(const tests::Editor& e) {
    QStringList all;
    for (int row = 0; row < e.view.search()->list()->count(); ++row) all << e.view.search()->list()->item(row)->text().section(QStringLiteral("  "), 0, 0);
    return all;
}

// The entry of an open menu, by its text without the mark of its key.
QAction* entry(QMenu* menu, const QString& text) {
    emit menu->aboutToShow();
    for (QAction* action : menu->actions())
        if (action->text().remove('&') == text) return action;
    return nullptr;
}

void save_as(tests::Editor& e, QMenu* menu, const QString& name) {
    entry(menu, "Save as Preset...")->trigger();
    auto* dialog = e.window.findChild<QInputDialog*>("preset_name");
    dialog->setTextValue(name);
    dialog->accept();
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
}

}  // namespace

class FavouritesTest : public QObject {
    Q_OBJECT

private slots:
    void cleanup() {
        for (const std::string& type : favourite_types()) set_favourite(type, false);
        for (const char* type : {"stub.constant", "stub.kinds"})
            for (const QString& name : preset_names(type)) remove_preset(type, name);
    }

    void starred_types_come_first() {
        tests::Editor e;
        SearchPopup* search = e.view.search();
        QTest::keyClick(&e.view, Qt::Key_Tab);
        QVERIFY(!rows(e).contains("Favourites"));
        QTest::keyClicks(search->field(), "stub.ramp");
        QTest::keyClick(search->field(), Qt::Key_D, Qt::ControlModifier);       // not the window's Duplicate
        QVERIFY(is_favourite("stub.ramp"));
        QCOMPARE(QSettings().value("favourites").toStringList(), QStringList{"stub.ramp"});
        QVERIFY(search->isVisible());
        QTest::keyClick(search->field(), Qt::Key_Escape);

        // By a click on the star at the end of the row.
        QTest::keyClick(&e.view, Qt::Key_Tab);
        QTest::keyClicks(search->field(), "stub.counter");
        const QRect row = search->list()->visualItemRect(search->list()->item(0));
        QTest::mouseClick(search->list()->viewport(), Qt::LeftButton, {}, QPoint(row.right() - 8, row.center().y()));
        QVERIFY(is_favourite("stub.counter"));
        QVERIFY(e.model.node_ids().empty());
        QTest::keyClick(search->field(), Qt::Key_Escape);

        QTest::keyClick(&e.view, Qt::Key_Tab);
        QCOMPARE(rows(e).mid(0, 4), (QStringList{"Favourites", "Ramp", "Counter", "All others"}));
        QCOMPARE(search->list()->currentRow(), 1);                              // headings are passed over
        QTest::keyClick(search->field(), Qt::Key_Down);
        QTest::keyClick(search->field(), Qt::Key_Down);
        QCOMPARE(search->list()->currentRow(), 4);
        QTest::keyClick(search->field(), Qt::Key_Up);
        QTest::keyClick(search->field(), Qt::Key_Return);
        QCOMPARE(e.model.node_ids(), std::vector<NodeId>{"counter"});

        QTest::keyClick(&e.view, Qt::Key_Tab);
        QTest::keyClicks(search->field(), "stub");                              // of what is found, too
        QCOMPARE(search->list()->item(0)->data(Qt::UserRole).toString(), QStringLiteral("stub.counter"));
        QTest::keyClick(search->field(), Qt::Key_D, Qt::ControlModifier);
        QVERIFY(!is_favourite("stub.counter") && is_favourite("stub.ramp"));
        QTest::keyClick(search->field(), Qt::Key_Escape);
    }

    void the_menu_of_the_canvas_adds_favourites() {
        tests::Editor e;
        set_favourite("stub.ramp", true);
        set_favourite("no.such", true);      // of another version of the program: kept, not listed
        const auto menu = e.window.canvas_actions().menu_at({500, 300});
        auto* favourites = menu->findChild<QMenu*>("favourites");
        QCOMPARE(favourites->actions().size(), 1);
        favourites->actions()[0]->trigger();
        QCOMPARE(e.model.node_ids(), std::vector<NodeId>{"ramp"});
        QCOMPARE(e.model.position("ramp"), QPointF(500, 300));
        QVERIFY(is_favourite("no.such"));
        set_favourite("no.such", false);
    }

    void values_are_saved_and_applied() {
        tests::Editor e;
        const NodeId one = e.model.add_node("stub.constant", {}), two = e.model.add_node("stub.constant", {0, 200});
        e.model.set_param(one, "value", 42);
        e.scene.select({one});
        auto* button = e.window.params().findChild<QToolButton*>("presets");
        save_as(e, button->menu(), "the answer: /../ & more");
        QCOMPARE(preset_names("stub.constant"), QStringList{"the answer: /../ & more"});
        const QString file = preset_file("stub.constant", "the answer: /../ & more");
        QVERIFY2(QFile::exists(file) && !file.contains("/../"), qPrintable(file));
        QCOMPARE(nodes::Document::load(file.toStdString()).param("preset", "value"), QJsonValue(42));

        // From the menu of another node of the kind, in one step.
        const int before = e.model.undo_stack().index();
        const auto menu = e.window.canvas_actions().menu_at(e.scene.item(two)->mapToScene(e.scene.item(two)->geometry().title.center()));
        entry(menu->findChild<QMenu*>("presets"), "the answer: /../  more")->trigger();
        QCOMPARE(e.model.param(two, "value"), QJsonValue(42));
        QCOMPARE(e.model.undo_stack().index(), before + 1);
        e.model.undo_stack().undo();
        QVERIFY(!e.model.param_is_set(two, "value"));

        // A preset of initial values takes back what is set.
        e.scene.select({two});
        button = e.window.params().findChild<QToolButton*>("presets");
        save_as(e, button->menu(), "plain");
        e.scene.select({one});
        button = e.window.params().findChild<QToolButton*>("presets");
        entry(button->menu(), "plain")->trigger();
        QVERIFY(!e.model.param_is_set(one, "value"));

        entry(entry(button->menu(), "Remove")->menu(), "plain")->trigger();
        QVERIFY(entry(button->menu(), "plain") == nullptr);
        QCOMPARE(preset_names("stub.constant").size(), 1);
    }

    void several_parameters_are_one_undo_step() {
        tests::Editor e;
        const NodeId kinds = e.model.add_node("stub.kinds", {});
        e.model.set_param(kinds, "words", "a prompt");
        e.model.set_param(kinds, "flag", true);
        save_preset(e.model, kinds, "mine");
        const NodeId other = e.model.add_node("stub.kinds", {0, 300});
        e.model.set_param(other, "words", "something else");
        const QByteArray before = e.model.document().to_json();
        apply_preset(e.model, other, "mine");
        QCOMPARE(e.model.document().node(other).params, e.model.document().node(kinds).params);
        e.model.undo_stack().undo();
        QCOMPARE(e.model.document().to_json(), before);
    }

    void expressions_are_kept() {
        tests::Editor e;
        const NodeId size = e.model.add_node("stub.constant", {}), one = e.model.add_node("stub.kinds", {300, 0}), two = e.model.add_node("stub.kinds", {300, 300});
        e.model.set_param(one, "whole", nodes::expression_value(size + ".value * 2"));
        e.model.set_param(one, "real", nodes::expression_value("min(" + one + ".whole, 1) / `" + one + "`.whole"));
        save_preset(e.model, one, "computed");
        QCOMPARE(apply_preset(e.model, two, "computed"), QStringList());
        QCOMPARE(e.model.param(two, "whole"), nodes::expression_value(size + ".value * 2"));
        QCOMPARE(e.model.param(two, "real"), nodes::expression_value("min(" + two + ".whole, 1) / " + two + ".whole"));

        // Without the node that is named: the parameter stays, the rest comes, and the window says what was left out.
        e.model.set_param(two, "whole", 4);
        e.model.set_param(two, "real", 0.25);
        e.model.remove({size});
        e.scene.select({two});
        entry(e.window.params().findChild<QToolButton*>("presets")->menu(), "computed")->trigger();
        QCOMPARE(e.model.param(two, "whole"), QJsonValue(4));
        QVERIFY(nodes::expression_of(e.model.param(two, "real")));
        QVERIFY2(e.window.messages().text().contains(qt("whole = " + size + ".value * 2")), qPrintable(e.window.messages().text()));
    }

    void damaged_presets_say_so() {
        tests::Editor e;
        const NodeId one = e.model.add_node("stub.constant", {});
        e.model.set_param(one, "value", 3);
        save_preset(e.model, one, "bad");
        QFile file(preset_file("stub.constant", "bad"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("{");
        file.close();
        e.model.set_param(one, "value", 5);
        e.scene.select({one});
        entry(e.window.params().findChild<QToolButton*>("presets")->menu(), "bad")->trigger();
        QVERIFY(!e.window.messages().text().isEmpty());
        QCOMPARE(e.model.param(one, "value"), QJsonValue(5));
    }
};

HEDDLE_TEST(favourites, FavouritesTest)
#include "favourites.moc"
