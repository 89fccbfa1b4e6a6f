// Keys that the user chooses: kept, shown with what they collide with, and given back.
#include <QAction>
#include <QRegularExpression>
#include <QSettings>

#include "app/panels/keys_dialog.h"
#include "tests/app/editor_fixture.h"

using namespace app;

class KeysTest : public QObject {
    Q_OBJECT

private slots:
    void cleanup() { QSettings().remove("keys"); }

    void every_command_has_an_id_and_no_two_the_same_keys() {
        tests::Editor e;
        const KeyBindings& keys = e.window.canvas_actions().keys();
        QVERIFY(keys.all().size() > 60);
        for (const char* id : {"new", "undo", "bypass", "run", "zoom_in", "frame", "find", "search", "go_left", "keys", "set_bookmark_9", "minimap"})
            QVERIFY2(keys.find(id), id);
        for (const KeyBinding& binding : keys.all())
            for (const QKeySequence& one : binding.initial) {
                const auto users = keys.users_of(one, binding.id);
                QVERIFY2(users.empty(), qPrintable(users.empty() ? QString() : binding.id + " and " + users.front()->id));
            }
        for (const QAction* action : e.window.findChildren<QAction*>())
            if (!action->shortcuts().isEmpty()) QVERIFY2(keys.find(action->objectName()), qPrintable(action->text()));
        QVERIFY(keys.table().contains(QRegularExpression("bypass +Ctrl\\+B +Bypass")));
    }

    void chosen_keys_work_and_outlive_the_window() {
        {
            tests::Editor e;
            e.window.canvas_actions().keys().set("bypass", QKeySequence("Ctrl+Alt+B"));
        }
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {});
        e.scene.select({a});
        QTest::keyClick(&e.view, Qt::Key_B, Qt::ControlModifier);
        QCOMPARE(e.model.document().node(a).mode, nodes::NodeMode::On);
        QTest::keyClick(&e.view, Qt::Key_B, Qt::ControlModifier | Qt::AltModifier);
        QCOMPARE(e.model.document().node(a).mode, nodes::NodeMode::Bypassed);
        e.window.canvas_actions().keys().reset("bypass");
        QVERIFY(!QSettings().contains("keys/bypass"));
        QTest::keyClick(&e.view, Qt::Key_B, Qt::ControlModifier);
        QCOMPARE(e.model.document().node(a).mode, nodes::NodeMode::On);
    }

    void keys_of_the_canvas_can_be_chosen_too() {
        tests::Editor e;
        e.window.canvas_actions().keys().set("search", QKeySequence("Ins"));
        QTest::keyClick(&e.view, Qt::Key_Insert);
        QVERIFY(e.view.search()->isVisible());
        QTest::keyClick(e.view.search()->field(), Qt::Key_Escape);
        QTest::keyClick(&e.view, Qt::Key_Tab);
        QVERIFY(!e.view.search()->isVisible());
    }

    void taken_keys_leave_the_other_command() {
        tests::Editor e;
        KeyBindings& keys = e.window.canvas_actions().keys();
        keys.set("bypass", QKeySequence("Ctrl+M"));
        QVERIFY(keys.find("mute")->action->shortcuts().isEmpty());
        QCOMPARE(keys.users_of(QKeySequence("Ctrl+M")).size(), 1u);
        keys.reset("mute");      // takes its own back
        QVERIFY(keys.find("bypass")->action->shortcuts().isEmpty());
        keys.reset_all();
        for (const KeyBinding& binding : keys.all()) QVERIFY(!keys.changed(binding));
        QSettings settings;
        settings.beginGroup("keys");
        QVERIFY(settings.allKeys().isEmpty());
    }

    void bad_settings_are_passed_over() {
        QSettings().setValue("keys/bypass", QStringList{"no such key", "Ctrl+Alt+9"});
        QSettings().setValue("keys/no_such_command", "Ctrl+B");
        tests::Editor e;
        QCOMPARE(e.window.canvas_actions().keys().find("bypass")->action->shortcuts(), QList<QKeySequence>{QKeySequence("Ctrl+Alt+9")});
    }

    void the_dialog_shows_collisions_and_assigns() {
        tests::Editor e;
        KeyBindings& keys = e.window.canvas_actions().keys();
        KeysDialog dialog(keys, &e.window);
        dialog.show();
        dialog.select("bypass");
        QVERIFY(dialog.conflict_text().isEmpty());
        QVERIFY(!dialog.take()->isEnabled());
        dialog.field()->setKeySequence(QKeySequence("Ctrl+M"));
        QVERIFY2(dialog.conflict_text().contains("Mute"), qPrintable(dialog.conflict_text()));
        QTest::mouseClick(dialog.take(), Qt::LeftButton);
        QCOMPARE(keys.find("bypass")->action->shortcut(), QKeySequence("Ctrl+M"));
        QVERIFY(dialog.conflict_text().isEmpty());
    }
};

HEDDLE_TEST(keys, KeysTest)
#include "keys.moc"
