// The application object of this tier, and what holds for the program as a whole.
#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>

#include "app/panels/theme_choice.h"
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
        editor.trigger("theme_light");
        QCOMPARE(app::current_theme(), app::Theme::Light);
        QCOMPARE(app::stored_theme(), app::ThemeChoice::Light);
        editor.trigger("theme_dark");
        QCOMPARE(app::current_theme(), app::Theme::Dark);
        QCOMPARE(app::stored_theme(), app::ThemeChoice::Dark);
    }
    void window_follows_the_desktop_where_that_is_chosen() {
        tests::Editor editor;
        app::SystemTheme& desktop = app::SystemTheme::instance();
        desktop.prefer(1);
        editor.trigger("theme_system");
        QCOMPARE(app::current_theme(), app::Theme::Dark);
        desktop.prefer(2);  // the portal says that the desktop has become light
        QCOMPARE(app::current_theme(), app::Theme::Light);
        QCOMPARE(app::stored_theme(), app::ThemeChoice::System);
        editor.trigger("theme_dark");
        desktop.prefer(1);
        desktop.prefer(2);  // is nothing to one who has chosen
        QCOMPARE(app::current_theme(), app::Theme::Dark);
        desktop.prefer(0);
    }
    void the_desktops_palette_decides_without_a_portal() {
        QPalette dark(QColor(0x202020)), light(QColor(0xf0f0f0));
        QCOMPARE(app::SystemTheme::theme_of(dark), app::Theme::Dark);
        QCOMPARE(app::SystemTheme::theme_of(light), app::Theme::Light);
        // The program's own palette does not hide the desktop's.
        app::choose_theme(*qApp, app::ThemeChoice::Dark);
        QEvent change(QEvent::ApplicationPaletteChange);
        QCoreApplication::sendEvent(qApp, &change);
        QCoreApplication::processEvents();
        QCOMPARE(app::SystemTheme::instance().theme(), app::Theme::Light);  // Fusion's, as no desktop gives one here
        QCOMPARE(qApp->palette().color(QPalette::Window), app::canvas_style().window);
        QCOMPARE(app::current_theme(), app::Theme::Dark);
    }
    void themes_have_names() {
        for (const auto choice : {app::ThemeChoice::System, app::ThemeChoice::Dark, app::ThemeChoice::Light})
            QCOMPARE(app::theme_named(app::name_of(choice)), std::optional(choice));
        QVERIFY(!app::theme_named(QStringLiteral("pink")));
    }
};

HEDDLE_TEST(application, ApplicationTest)
#include "application.moc"
