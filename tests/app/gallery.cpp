// The start page: examples, recent files, and what becomes of it.
#include "app/panels/gallery.h"

#include <QDockWidget>
#include <QPushButton>

#include "nodes/interchange/open_graph.h"
#include "tests/app/editor_fixture.h"

using namespace app;

class GalleryTest : public QObject {
    Q_OBJECT

private slots:
    void every_example_can_be_opened_and_would_run() {
        const std::vector<Example> examples = read_examples("en_US");
        QVERIFY(examples.size() >= 8);
        for (const Example& example : examples) {
            const nodes::Document document = nodes::open_graph(example.graph.toStdString()).document;
            for (const nodes::Problem& problem : nodes::validate(document))
                QVERIFY2(problem.severity != nodes::Severity::Error, qPrintable(example.graph + ": " + qt(problem.text())));
            QVERIFY(!example.title.isEmpty() && example.about.endsWith('.'));
            if (!example.picture.isEmpty()) QVERIFY2(!QImage(example.picture).isNull(), qPrintable(example.picture));
        }
    }
    void examples_speak_chinese() {
        const std::vector<Example> examples = read_examples("zh_CN");
        QCOMPARE(examples.size(), read_examples("en_US").size());
        QCOMPARE(examples.at(0).title, QStringLiteral("文生图"));
        for (const Example& example : examples) QVERIFY2(example.about.at(0).unicode() > 127 || example.about.contains(QChar(0x3002)), qPrintable(example.graph));
    }
    void graphs_are_drawn() {
        const QImage drawn = draw_graph(HEDDLE_SOURCE_DIR "/resources/graphs/subgraph.heddle", {200, 120}, 1).toImage();
        int other = 0;
        for (int y = 0; y < drawn.height(); ++y)
            for (int x = 0; x < drawn.width(); ++x) other += drawn.pixelColor(x, y) != canvas_style().canvas;
        QVERIFY(other > 1000);
        QVERIFY(!draw_graph("no such file", {200, 120}, 1).isNull());
    }
    void a_card_opens_a_copy_that_saving_asks_about() {
        tests::Editor e;
        auto docks = e.window.findChildren<QDockWidget*>();
        docks.removeIf([](const QDockWidget* dock) { return dock->isHidden(); });    // before it, too
        QVERIFY(docks.size() > 2);
        e.window.show_gallery();
        auto* page = e.window.findChild<Gallery*>();
        QVERIFY(page->isVisible() && !e.view.isVisible());
        for (QDockWidget* dock : docks) QVERIFY(dock->isHidden());
        QCoreApplication::processEvents();  // lays the cards out
        QToolButton* card = page->cards().at(0);
        QVERIFY(!card->accessibleName().isEmpty() && !card->icon().isNull());
        QTest::mouseClick(card, Qt::LeftButton);
        QVERIFY(!page->isVisible() && e.view.isVisible());
        for (QDockWidget* dock : docks) QVERIFY(!dock->isHidden());
        QVERIFY(e.model.contains("prompt"));
        QVERIFY(e.model.path().isEmpty());
        QVERIFY(!e.model.dirty());
    }
    void unsaved_work_is_asked_about_and_kept() {
        tests::Editor e;
        e.model.add_node("stub.constant", {});
        e.trigger("gallery");
        auto* page = e.window.findChild<Gallery*>();
        e.answer = QMessageBox::Cancel;
        QCoreApplication::processEvents();
        QTest::mouseClick(page->cards().at(0), Qt::LeftButton);
        QCOMPARE(e.questions.size(), 1);
        QVERIFY(e.model.contains("constant"));
        QTest::keyClick(page, Qt::Key_Escape);
        QVERIFY(!page->isVisible() && e.view.isVisible());
    }
    void recent_files_and_a_new_graph_leave_it() {
        const QTemporaryDir folder;
        tests::Editor e;
        e.model.add_node("stub.constant", {});
        QVERIFY(e.window.save_to(folder.filePath("mine.heddle")));
        QVERIFY(e.window.new_file());
        e.window.show_gallery();
        auto* page = e.window.findChild<Gallery*>();
        QTest::mouseClick(page->findChild<QPushButton*>("gallery_new"), Qt::LeftButton);
        QVERIFY(e.view.isVisible() && e.model.node_ids().empty());
        e.window.show_gallery();
        auto* file = page->findChild<QToolButton*>("recent_file");
        QVERIFY(file);
        QCOMPARE(file->text(), QStringLiteral("mine.heddle"));
        QTest::mouseClick(file, Qt::LeftButton);
        QVERIFY(e.view.isVisible() && e.model.contains("constant"));
    }
};

HEDDLE_TEST(gallery, GalleryTest)
#include "gallery.moc"
