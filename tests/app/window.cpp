// Panels, files and runs through the window.
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSlider>
#include <QToolButton>
#include <random>

#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

template <typename Widget>
Widget* widget(tests::Editor& editor, const char* param) {
    ParamEditor* found = editor.window.params().editor(param);
    return found ? found->findChild<Widget*>() : nullptr;
}

}  // namespace

class WindowTest : public QObject {
    Q_OBJECT

private slots:
    void every_kind_of_parameter_has_its_widget() {
        tests::Editor e;
        const NodeId id = e.model.add_node("stub.kinds", {});
        e.scene.select({id});
        QTest::mouseClick(widget<QAbstractButton>(e, "flag"), Qt::LeftButton, {},
                          {8, widget<QAbstractButton>(e, "flag")->height() / 2});
        QCOMPARE(e.model.param(id, "flag"), QJsonValue(true));
        auto* whole = widget<QDoubleSpinBox>(e, "whole");
        QCOMPARE(whole->value(), 6.0);
        QCOMPARE(whole->maximum(), 64.0);
        whole->setValue(12);
        QCOMPARE(e.model.param(id, "whole"), QJsonValue(12));
        QCOMPARE(widget<QSlider>(e, "whole")->value(), 12);
        widget<QSlider>(e, "real")->setValue(256);
        QCOMPARE(e.model.param(id, "real").toDouble(), 0.25);
        auto* way = widget<QComboBox>(e, "way");
        QCOMPARE(way->currentText(), QStringLiteral("error"));
        QTest::keyClick(way, Qt::Key_Down);
        QCOMPARE(e.model.param(id, "way"), QJsonValue("standard"));
        QTest::keyClicks(widget<QPlainTextEdit>(e, "words"), "two");
        QTest::keyClick(widget<QPlainTextEdit>(e, "words"), Qt::Key_Return);
        QTest::keyClicks(widget<QPlainTextEdit>(e, "words"), "lines");
        QCOMPARE(e.model.param(id, "words"), QJsonValue("two\nlines"));
        auto* seed = widget<QLineEdit>(e, "seed");
        seed->selectAll();
        QTest::keyClicks(seed, "18446744073709551615");  // 2^64 - 1 keeps every digit
        QCOMPARE(e.model.param(id, "seed"), QJsonValue("18446744073709551615"));
        QTest::mouseClick(e.window.params().editor("seed")->findChild<QToolButton*>("dice"), Qt::LeftButton);
        QVERIFY(e.model.param(id, "seed") != QJsonValue("18446744073709551615"));
        QTest::keyClicks(widget<QLineEdit>(e, "file"), "in.png");
        QCOMPARE(e.model.param(id, "file"), QJsonValue("in.png"));
        QVERIFY(nodes::has_errors(nodes::validate(e.model.document(), {id})) == false);
    }

    void typing_a_text_is_one_step_and_keeps_the_cursor() {
        tests::Editor e;
        const NodeId id = e.model.add_node("stub.kinds", {});
        e.scene.select({id});
        const int steps = e.model.undo_stack().index();
        auto* text = widget<QPlainTextEdit>(e, "words");
        QTest::keyClicks(text, "ac");
        QTest::keyClick(text, Qt::Key_Left);
        QTest::keyClicks(text, "b");
        QCOMPARE(e.model.param(id, "words"), QJsonValue("abc"));
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        e.trigger("undo");
        QCOMPARE(text->toPlainText(), QString());
        e.trigger("redo");
        QCOMPARE(text->toPlainText(), QStringLiteral("abc"));
    }

    void a_slider_drag_is_one_step() {
        tests::Editor e;
        const NodeId id = e.model.add_node("stub.kinds", {});
        e.scene.select({id});
        const int steps = e.model.undo_stack().index();
        auto* slider = widget<QSlider>(e, "whole");
        slider->setSliderDown(true);
        for (int i = 7; i < 30; ++i) slider->setSliderPosition(i);
        slider->setSliderDown(false);
        QCOMPARE(e.model.param(id, "whole"), QJsonValue(29));
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        slider->setSliderDown(true);
        slider->setSliderPosition(40);
        slider->setSliderDown(false);
        QCOMPARE(e.model.undo_stack().index(), steps + 2);
    }

    void reset_goes_back_to_the_initial_value() {
        tests::Editor e;
        const NodeId id = e.model.add_node("stub.kinds", {});
        e.scene.select({id});
        auto* reset = e.window.params().findChild<QToolButton*>("reset_whole");
        QVERIFY(!reset->isVisible());
        e.model.set_param(id, "whole", 33);
        QVERIFY(reset->isVisible());
        QTest::mouseClick(reset, Qt::LeftButton);
        QVERIFY(!e.model.param_is_set(id, "whole"));
        QCOMPARE(widget<QDoubleSpinBox>(e, "whole")->value(), 6.0);
    }

    void a_node_is_renamed_in_the_panel() {
        tests::Editor e;
        const NodeId id = e.model.add_node("stub.constant", {});
        e.model.add_node("stub.add", {300, 0});
        e.scene.select({id});
        auto* name = e.window.params().findChild<QLineEdit*>("node_name");
        name->selectAll();
        QTest::keyClicks(name, "first");
        QTest::keyClick(name, Qt::Key_Return);
        QVERIFY(e.model.contains("first"));
        QVERIFY(e.scene.item("first"));
        name->selectAll();
        QTest::keyClicks(name, "add");  // taken
        QTest::keyClick(name, Qt::Key_Return);
        QVERIFY(e.model.contains("first"));
        QVERIFY(e.window.messages().text().contains("taken"));
        QCOMPARE(name->text(), QStringLiteral("first"));
    }

    void a_run_shows_the_picture_and_its_pixels() {
        tests::Editor e;
        const NodeId ramp = e.model.add_node("stub.ramp", {});
        QTest::keyClick(&e.view, Qt::Key_F5);
        QVERIFY(e.wait_for_run());
        PictureView* picture = e.window.viewer().picture();
        QVERIFY(QTest::qWaitFor([&] { return !picture->picture().isNull(); }, 10000));
        QCOMPARE(picture->picture(), tests::picture_of({40, 7}));
        QSignalSpy pixel(picture, &PictureView::pixel_hovered);
        QTest::mouseMove(picture, picture->rect().center() + QPoint(1, 1));
        QVERIFY(!pixel.isEmpty());
        QVERIFY2(pixel.last()[0].toString().contains("#141407"), qPrintable(pixel.last()[0].toString()));
        QVERIFY(QTest::qWaitFor([&] { return !e.window.runs().thumbnail(ramp).isNull(); }, 10000));
        QVERIFY(!e.scene.item(ramp)->geometry().thumbnail.isEmpty());
    }

    void escape_cancels_a_run() {
        tests::Editor e;
        const NodeId counter = e.model.add_node("stub.counter", {});
        e.model.set_param(counter, "steps", 100000);
        e.trigger("run");
        QVERIFY(QTest::qWaitFor([&] { return e.window.runs().status(counter).done > 2; }, 10000));
        QTest::keyClick(&e.view, Qt::Key_Escape);
        QVERIFY(e.wait_for_run());
        QCOMPARE(e.window.runs().status(counter).state, nodes::NodeState::Idle);
    }

    void a_failure_is_seen_on_node_panel_and_log() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {}), bad = e.model.add_node("stub.failing", {300, 0});
        e.model.connect_sockets({a, "out", true}, {bad, "in", false});
        e.scene.select({bad});
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        auto* problem = e.window.params().findChild<QLabel*>("problem");
        QVERIFY(problem->text().contains("expected less than 0"));
        bool logged = false;
        for (int i = 0; i < e.window.log().messages()->count(); ++i)
            logged |= e.window.log().messages()->item(i)->text().contains("failing.in: expected less than 0");
        QVERIFY(logged);
    }

    void metrics_are_listed() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {}), sum = e.model.add_node("stub.add", {300, 0});
        e.model.connect_sockets({a, "out", true}, {sum, "a", false});
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QCOMPARE(e.window.log().metrics()->topLevelItemCount(), 1);
        QCOMPARE(e.window.log().metrics()->topLevelItem(0)->text(2), QStringLiteral("11 m"));
    }

    void save_and_reopen_gives_the_same_graph() {
        const QTemporaryDir folder;
        const QString path = folder.filePath("graph.heddle");
        QByteArray text;
        {
            tests::Editor e;
            const NodeId a = e.model.add_node("stub.constant", {}), sum = e.model.add_node("stub.add", {300, 0});
            e.model.connect_sockets({a, "out", true}, {sum, "a", false});
            QVERIFY(e.window.windowTitle().contains("*"));
            QVERIFY(e.window.save_to(path));
            QVERIFY(!e.window.windowTitle().contains("*"));
            QVERIFY(e.window.windowTitle().contains("graph.heddle"));
            e.model.set_param(a, "value", 3);
            QVERIFY(e.window.windowTitle().contains("*"));
            e.trigger("save");
            QVERIFY(!e.model.dirty());
            text = e.model.document().to_json();
        }
        tests::Editor e;
        QVERIFY(e.window.open_file(path));
        QCOMPARE(e.model.document().to_json(), text);
        QVERIFY(e.scene.item("add"));
    }

    void bad_files_are_refused_with_a_message_and_nothing_is_lost() {
        const QTemporaryDir folder;
        tests::Editor e;
        e.model.add_node("stub.constant", {});
        const QByteArray before = e.model.document().to_json();
        for (const QByteArray& content : {QByteArray("{"), QByteArray("\x89PNG\r\n\x1a\n\0\0", 10), QByteArray("[1]"),
                                          QByteArray(R"({"heddle": 1, "nodes": 5})"), QByteArray()}) {
            QFile file(folder.filePath("bad.heddle"));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(content);
            file.close();
            QVERIFY2(!e.window.open_file(file.fileName()), content.constData());
            QVERIFY(e.window.messages().text().contains("bad.heddle"));
            QCOMPARE(e.model.document().to_json(), before);
        }
        QVERIFY(!e.window.open_file(folder.filePath("missing.heddle")));
        QVERIFY(e.questions.isEmpty());  // nothing was about to be lost, so nobody is asked
        QVERIFY(!e.window.save_to("/no/such/folder/x.heddle"));
        QVERIFY(e.model.dirty());
    }

    void unsaved_work_is_asked_about() {
        const QTemporaryDir folder;
        tests::Editor e;
        e.model.add_node("stub.constant", {});
        e.answer = QMessageBox::Cancel;
        QVERIFY(!e.window.new_file());
        QVERIFY(!e.window.close());
        QCOMPARE(e.questions.size(), 2);
        QCOMPARE(e.model.node_ids().size(), 1u);
        e.answer = QMessageBox::Discard;
        QVERIFY(e.window.new_file());
        QVERIFY(e.model.node_ids().empty());
    }

    void a_newer_or_changed_file_is_not_overwritten_unasked() {
        const QTemporaryDir folder;
        QFile file(folder.filePath("new.heddle"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(
            R"({"heddle": 99, "future": true, "nodes": {"a": {"type": "stub.constant", "version": 1}}, "links": []})");
        file.close();
        tests::Editor e;
        QVERIFY(e.window.open_file(file.fileName()));
        QVERIFY(e.window.messages().text().contains("newer"));
        e.model.set_param("a", "value", 2);
        e.answer = QMessageBox::Cancel;
        QVERIFY(!e.window.save());
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY(file.readAll().contains("99"));
        file.close();

        QVERIFY(e.window.save_to(folder.filePath("mine.heddle")));
        e.questions.clear();
        QFile mine(folder.filePath("mine.heddle"));
        QVERIFY(mine.open(QIODevice::WriteOnly | QIODevice::Append));
        mine.write(" ");
        mine.setFileTime(QDateTime::currentDateTime().addSecs(60), QFileDevice::FileModificationTime);
        mine.close();
        QVERIFY(!e.window.save());
        QVERIFY(!e.questions.isEmpty());
    }

    void files_outside_the_folder_are_asked_about_once() {
        const QTemporaryDir mine, other;
        QFile secret(other.filePath("secret.txt"));
        QVERIFY(secret.open(QIODevice::WriteOnly));
        secret.write("text");
        secret.close();
        nodes::Document document =
            nodes::Document().add_node("stub.read", "read").set_param("read", "file", secret.fileName());
        document.save(mine.filePath("graph.heddle").toStdString());
        tests::Editor e;
        e.window.runs().set_output_folder(mine.path());
        QVERIFY(e.window.open_file(mine.filePath("graph.heddle")));
        e.trigger("run");
        QVERIFY(!e.window.runs().running());
        QVERIFY(e.window.messages().text().contains("secret.txt"));
        e.window.runs().start();  // past the question: the engine refuses
        QVERIFY(e.wait_for_run());
        QCOMPARE(e.window.runs().status("read").state, nodes::NodeState::Failed);
        e.trigger("run");
        QTest::mouseClick(e.window.messages().button(), Qt::LeftButton);
        QVERIFY(e.wait_for_run());
        QCOMPARE(e.window.runs().status("read").state, nodes::NodeState::Done);
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QVERIFY(e.window.messages().text().isEmpty());
        // What is typed allows the file that it ends in, not the folders it names on its way.
        e.type_param("read", "file", other.filePath("other.txt"));
        QVERIFY(e.window.runs().files_outside().isEmpty());
        e.model.undo_stack().undo();
        e.type_param("read", "file", "/");
        QVERIFY(!e.window.runs().files_outside().isEmpty());
    }

    void a_parameter_edited_during_a_run_is_kept() {
        tests::Editor e;
        const NodeId counter = e.model.add_node("stub.counter", {});
        const NodeId kinds = e.model.add_node("stub.kinds", {300, 0});
        e.model.set_param(counter, "steps", 100000);
        e.scene.select({kinds});
        e.trigger("run");
        QVERIFY(QTest::qWaitFor([&] { return e.window.runs().status(counter).done > 2; }, 10000));
        const QString prompt = QStringLiteral("a photograph of a loom, evening light, dust in the air");
        for (const QChar letter : prompt) {
            QTest::keyClick(widget<QPlainTextEdit>(e, "words"), letter.toLatin1());
            QCoreApplication::processEvents();
        }
        QCOMPARE(e.model.param(kinds, "words").toString(), prompt);
        e.trigger("cancel");
        QVERIFY(e.wait_for_run());
        QCOMPARE(e.model.param(kinds, "words").toString(), prompt);
    }

    void nodes_are_muted_and_bypassed_by_key() {
        tests::Editor e;
        const NodeId one = e.model.add_node("stub.constant", {}), sum = e.model.add_node("stub.add", {300, 0});
        QVERIFY(e.model.connect_sockets({one, "out", true}, {sum, "a", false}).isEmpty());
        e.scene.select({sum});
        e.trigger("bypass");
        QCOMPARE(e.model.look(sum).mode, nodes::NodeMode::Bypassed);
        e.trigger("mute");
        QCOMPARE(e.model.look(sum).mode, nodes::NodeMode::Muted);
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QCOMPARE(e.window.runs().status(one).state, nodes::NodeState::Done);
        QCOMPARE(e.window.runs().status(sum).state, nodes::NodeState::Idle);
        e.trigger("mute");
        QCOMPARE(e.model.look(sum).mode, nodes::NodeMode::On);
        e.model.undo_stack().undo();
        e.model.undo_stack().undo();
        QCOMPARE(e.model.look(sum).mode, nodes::NodeMode::Bypassed);
    }

    void subgraphs_are_made_entered_edited_and_left() {
        const QTemporaryDir folder;
        tests::Editor e;
        const NodeId one = e.model.add_node("stub.constant", {}), two = e.model.add_node("stub.constant", {0, 200});
        const NodeId sum = e.model.add_node("stub.add", {300, 0}), after = e.model.add_node("stub.add", {600, 0});
        e.model.set_param(two, "value", 2);
        for (const auto& [from, to] : {std::pair(SocketId{one, "out", true}, SocketId{sum, "a", false}), {{two, "out", true}, {sum, "b", false}}, {{sum, "sum", true}, {after, "a", false}}})
            QVERIFY(e.model.connect_sockets(from, to).isEmpty());
        e.scene.select({two, sum});
        e.trigger("group");
        QCOMPARE(e.model.node_ids().size(), std::size_t{3});
        const NodeId use = e.scene.selected_nodes().at(0);
        QVERIFY(e.model.look(use).subgraph);
        QVERIFY(e.scene.item(use));
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QCOMPARE(e.window.runs().status(use).state, nodes::NodeState::Done);
        // Inside: the nodes, their results, and an edit that one undo takes back wherever one looks.
        e.trigger("enter");
        QCOMPARE(e.model.levels().size(), std::size_t{1});
        QVERIFY(e.model.contains(two) && e.model.contains(sum) && !e.model.contains(after));
        QVERIFY(e.scene.item(sum) && !e.scene.item(after));
        QVERIFY(e.window.windowTitle().contains("group"));
        QCOMPARE(e.window.runs().status(sum).state, nodes::NodeState::Done);
        QCOMPARE(*e.window.runs().values(sum).at(0).value.get<double>(), 3.0);
        e.model.set_param(two, "value", 40);
        QVERIFY(e.window.runs().status(sum).stale);
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QCOMPARE(*e.window.runs().values(sum).at(0).value.get<double>(), 41.0);
        QVERIFY(e.window.save_to(folder.filePath("g.heddle")));
        e.trigger("leave");
        QVERIFY(e.model.levels().empty());
        QCOMPARE(*e.window.runs().values(after).at(0).value.get<double>(), 51.0);
        const nodes::Document stored = nodes::Document::load(folder.filePath("g.heddle").toStdString());
        QCOMPARE(stored == e.model.whole(), true);
        QCOMPARE(stored.inside("group").param(two, "value"), QJsonValue(40));
        e.model.undo_stack().undo();      // the edit inside: shown where it happened
        QCOMPARE(e.model.levels().size(), std::size_t{1});
        QCOMPARE(e.model.param(two, "value"), QJsonValue(2));
        e.model.undo_stack().undo();      // the grouping
        QVERIFY(e.model.levels().empty());
        QCOMPARE(e.model.node_ids().size(), std::size_t{4});
        e.model.undo_stack().redo();
        // Copies share the inside; pasted into another document the subgraph comes along.
        const std::vector<NodeId> copies = e.model.duplicate({use});
        QCOMPARE(e.model.document().subgraph_names().size(), std::size_t{1});
        const QByteArray text = e.model.copy(copies);
        e.model.clear();
        const std::vector<NodeId> pasted = e.model.paste(text, {});
        QVERIFY(e.model.look(pasted.at(0)).subgraph && e.model.document().subgraph("group"));
        e.scene.select(pasted);
        e.trigger("ungroup");
        QVERIFY(e.model.contains(sum) && e.model.contains(two));
    }

    void deleting_heals_and_dropping_on_a_wire_inserts() {
        tests::Editor e;
        const NodeId one = e.model.add_node("stub.constant", {}), sum = e.model.add_node("stub.add", {300, 0}), after = e.model.add_node("stub.add", {900, 0});
        QVERIFY(e.model.connect_sockets({one, "out", true}, {sum, "a", false}).isEmpty());
        QVERIFY(e.model.connect_sockets({sum, "sum", true}, {after, "a", false}).isEmpty());
        const NodeId loose = e.model.add_node("stub.counter", {300, 600});
        const LinkId wire{{sum, "sum"}, {after, "a"}};
        QVERIFY(e.model.place_on_link(loose, {600, 0}, wire));
        QCOMPARE(e.model.document().link_into({loose, "start"})->from.node, sum);
        QCOMPARE(e.model.document().link_into({after, "a"})->from.node, loose);
        QCOMPARE(e.model.position(loose), QPointF(600, 0));
        e.model.undo_stack().undo();
        QCOMPARE(e.model.position(loose), QPointF(300, 600));
        QVERIFY(e.model.links_of(loose).empty());
        // Without a socket that fits it only moves.
        const NodeId text = e.model.add_node("stub.read", {0, 600});
        QVERIFY(!e.model.place_on_link(text, {600, 0}, wire));
        QCOMPARE(e.model.links_of(text).size(), std::size_t{0});
        e.scene.select({sum});
        e.trigger("dissolve");
        QVERIFY(!e.model.contains(sum));
        QCOMPARE(e.model.document().link_into({after, "a"})->from.node, one);
        e.model.undo_stack().undo();
        QCOMPARE(e.model.document().link_into({after, "a"})->from.node, sum);
    }

    void arranging_puts_readers_to_the_right_and_nothing_upon_another() {
        tests::Editor e;
        std::mt19937 random(3);
        std::vector<NodeId> ids;
        for (int i = 0; i < 40; ++i) ids.push_back(e.model.add_node(i < 6 ? "stub.constant" : "stub.add", {double(random() % 500), double(random() % 500)}));
        for (int i = 6; i < 40; ++i)
            for (const char* socket : {"a", "b"}) {
                const std::size_t from = random() % static_cast<unsigned>(i);
                QVERIFY(e.model.connect_sockets({ids[from], from < 6 ? "out" : "sum", true}, {ids[static_cast<std::size_t>(i)], socket, false}).isEmpty());
            }
        e.scene.select({});
        e.trigger("arrange");
        for (const LinkId& link : e.model.links()) QVERIFY(e.scene.item(link.from.node)->card_in_scene().right() < e.scene.item(link.to.node)->card_in_scene().left());
        for (std::size_t i = 0; i < ids.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) QVERIFY(!e.scene.item(ids[i])->card_in_scene().intersects(e.scene.item(ids[j])->card_in_scene()));
        e.scene.select({ids[0], ids[10], ids[20]});
        e.trigger("align_top");
        QCOMPARE(e.model.position(ids[0]).y(), e.model.position(ids[20]).y());
        e.model.undo_stack().undo();
        e.model.undo_stack().undo();
        QVERIFY(e.model.position(ids[0]).x() < 500);
    }

    void workflows_of_others_open_untitled() {
        const QTemporaryDir folder;
        QFile file(folder.filePath("workflow.json"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(R"({"3": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
                       "4": {"class_type": "SomethingElse", "inputs": {"latent": ["3", 0], "strength": 2}}})");
        file.close();
        tests::Editor e;
        QVERIFY(e.window.open_file(file.fileName()));
        QCOMPARE(e.model.node_ids().size(), std::size_t{2});
        QVERIFY(e.model.path().isEmpty());      // saving can not write over the workflow
        QVERIFY(e.window.messages().text().contains("SomethingElse"));
        QFile stays(file.fileName());
        QVERIFY(stays.open(QIODevice::ReadOnly));
        const QByteArray text = stays.readAll();
        e.model.clear();
        e.model.paste(text, {});
        QCOMPARE(e.model.node_ids().size(), std::size_t{2});
    }

    void a_number_is_computed_from_another() {
        tests::Editor e;
        const NodeId one = e.model.add_node("stub.constant", {}), two = e.model.add_node("stub.constant", {300, 0});
        e.model.set_param(one, "value", 6);
        e.scene.select({two});
        e.window.findChild<QAction*>("compute_value")->trigger();
        auto* line = e.window.findChild<QLineEdit*>("expression_value");
        QVERIFY(line && line->isVisibleTo(&e.window));
        QVERIFY(!e.window.params().editor("value")->isVisibleTo(&e.window));
        line->setText(qt(one) + ".value / 4");
        emit line->editingFinished();
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QCOMPARE(*e.window.runs().values(two).at(0).value.get<double>(), 1.5);
        QTest::mouseClick(e.window.findChild<QToolButton*>("reset_value"), Qt::LeftButton);
        QVERIFY(e.window.params().editor("value")->isVisibleTo(&e.window));
        QCOMPARE(e.model.param(two, "value"), QJsonValue(1));
    }

    void dropped_files_make_their_loaders() {
        const QTemporaryDir folder;
        tests::Editor e;
        const auto drop = [&](const char* name, const QByteArray& bytes) {
            QFile file(folder.filePath(name));
            if (file.open(QIODevice::WriteOnly)) file.write(bytes);
            file.close();
            e.window.drop_file(file.fileName(), {10, 20});
            return file.fileName();
        };
        QImage picture(8, 8, QImage::Format_RGB32);
        picture.fill(Qt::red);
        QVERIFY(picture.save(folder.filePath("red.png")));
        e.window.drop_file(folder.filePath("red.png"), {10, 20});
        QCOMPARE(e.model.node_ids().size(), std::size_t{1});
        QCOMPARE(e.model.document().node("load").type, std::string("image.load"));
        QCOMPARE(e.model.param("load", "file").toString(), folder.filePath("red.png"));
        e.model.undo_stack().undo();      // one step
        QVERIFY(e.model.node_ids().empty());
        const QByteArray header = R"({"emb_params":{"dtype":"F32","shape":[1,768],"data_offsets":[0,3072]}})";
        QByteArray length(8, 0);
        length[0] = static_cast<char>(header.size());
        drop("word.safetensors", length + header + QByteArray(3072, 0));
        QCOMPARE(e.model.node_ids().size(), std::size_t{1});
        QCOMPARE(e.model.document().node(e.model.node_ids()[0]).type, std::string("text.embedding_load"));
        // Whatever else is dropped is refused by name.
        for (const char* name : {"odd.bin", "half.safetensors", "note.txt", "bad.png", "bad.heddle"}) drop(name, "\x01\x02 nothing of this kind");
        QVERIFY(!e.window.messages().text().isEmpty());
        const QString heddle = drop("graph.heddle", nodes::Document().add_node("stub.add").to_json());
        QCOMPARE(e.model.path(), heddle);
    }

    void a_crash_loses_no_edit() {
        const QTemporaryDir folder;
        const QString kept = folder.filePath("unsaved"), path = folder.filePath("graph.heddle");
        nodes::Document().add_node("stub.constant", "one").save(path.toStdString());
        {
            GraphModel model;      // a program that ends without a word: its lock is gone, its file is there
            model.load(path);
            auto* lost = new Autosave(model, kept);
            model.set_param("one", "value", 42);
            lost->write_now();
            QCOMPARE(Autosave::left_behind(kept).size(), std::size_t{0});      // while it lives
            const QStringList files = QDir(kept).entryList({"*.json"});
            QCOMPARE(files.size(), 1);
            QVERIFY(QFile::copy(QDir(kept).filePath(files[0]), QDir(kept).filePath("crashed.json")));
            delete lost;      // ends well: nothing stays of it
            QCOMPARE(QDir(kept).entryList({"*.json"}), QStringList{"crashed.json"});
        }
        QFile bad(QDir(kept).filePath("bad.json"));
        QVERIFY(bad.open(QIODevice::WriteOnly) && bad.write("{\"document\": \"not one") > 0);
        bad.close();
        tests::Editor e;
        e.window.keep_unsaved(kept);
        QVERIFY(e.window.messages().text().contains("graph.heddle"));
        QTest::mouseClick(e.window.messages().button(), Qt::LeftButton);
        QCOMPARE(e.model.param("one", "value"), QJsonValue(42));
        QCOMPARE(e.model.path(), path);
        QVERIFY(e.model.dirty());
        QVERIFY(!QFile::exists(QDir(kept).filePath("crashed.json")));
        e.model.undo_stack().undo();
        QCOMPARE(e.model.param("one", "value"), QJsonValue(1));
        e.model.undo_stack().redo();
        QVERIFY(e.window.save());
        QCOMPARE(nodes::Document::load(path.toStdString()).param("one", "value"), QJsonValue(42));
    }

    void notes_show_their_words_and_never_run() {
        tests::Editor e;
        const NodeId note = e.model.add_node("flow.note", {}), one = e.model.add_node("stub.constant", {400, 0});
        const qreal empty = e.scene.item(note)->geometry().card.height();
        e.model.set_param(note, "text", QString("why this graph is as it is ").repeated(6));
        QVERIFY(e.scene.item(note)->geometry().card.height() > empty + 30);
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QCOMPARE(e.window.runs().status(one).state, nodes::NodeState::Done);
        QCOMPARE(e.window.runs().status(note).state, nodes::NodeState::Idle);
    }
};

HEDDLE_TEST(window, WindowTest)
#include "window.moc"
