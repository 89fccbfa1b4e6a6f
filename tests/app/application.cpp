// The application object of this tier, and what holds for the program as a whole.
#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>

#include "tests/app/editor_fixture.h"

namespace tests {

std::unique_ptr<QCoreApplication> make_application(int& argc, char** argv) {
    static const QTemporaryDir settings;  // nothing of the user's own is read or written
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, settings.path());
    QStandardPaths::setTestModeEnabled(true);
    auto application = std::make_unique<QApplication>(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("heddle"));
    QApplication::setApplicationName(QStringLiteral("heddle-editor-test"));
    app::apply_theme(*application, app::Theme::Dark);
    return application;
}

}  // namespace tests

class ApplicationTest : public QObject {
    Q_OBJECT

private slots:
    void themes_differ_and_come_back() {
        const QColor dark = app::canvas_style().canvas;
        app::apply_theme(*qApp, app::Theme::Light);
        QVERIFY(app::canvas_style().canvas.lightness() > 200);
        QCOMPARE(qApp->palette().color(QPalette::Window), app::canvas_style().window);
        app::apply_theme(*qApp, app::Theme::Dark);
        QCOMPARE(app::canvas_style().canvas, dark);
    }
    void category_colours_are_stable() {
        const app::Style& style = app::canvas_style();
        QCOMPARE(style.category("Image"), style.category("image"));
        QVERIFY(style.category("Image") != style.category("Value"));
    }
    void window_follows_the_theme() {
        tests::Editor editor;
        editor.model.add_node("stub.add", {0, 0});
        editor.trigger("light_theme");
        QCOMPARE(app::current_theme(), app::Theme::Light);
        editor.trigger("light_theme");
        QCOMPARE(app::current_theme(), app::Theme::Dark);
    }
};

HEDDLE_TEST(application, ApplicationTest)
#include "application.moc"
