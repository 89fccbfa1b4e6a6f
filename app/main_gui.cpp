// heddle-editor [FILE]: the desktop editor.
#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QStandardPaths>
#include <QTimer>
#include <cstdio>

#include "app/build_stamp.h"
#include "app/panels/accessibility.h"
#include "app/panels/canvas_bench.h"
#include "app/panels/device_menu.h"
#include "app/panels/language.h"
#include "app/panels/main_window.h"
#include "app/panels/theme_choice.h"

namespace {

constexpr int settle_ms = 600;  // for pictures to arrive after a run before the window is grabbed

// The current folder, as with the headless runner; pictures' own folder for a program that a desktop started, whose
// current folder says nothing (and would let any graph read all of a home folder).
QString default_output_folder() {
    const QDir current = QDir::current();
    return current.isRoot() || current == QDir::home()
               ? QStandardPaths::writableLocation(QStandardPaths::PicturesLocation)
               : current.path();
}

// Grabs the window in a moment and ends the program: 0 when the run was done and the file was written.
void grab(app::MainWindow& window, const QString& path, bool done) {
    QTimer::singleShot(settle_ms, &window, [&window, path, done] {
        window.view().frame_all();
        const bool saved = window.grab().save(path);
        if (!saved)
            std::fprintf(stderr, "save a screenshot: expected a picture file that can be written, got %s\n",
                         qPrintable(path));
        QCoreApplication::exit(!saved ? 9 : done ? 0 : 1);
    });
}

void take_screenshot(app::MainWindow& window, const QString& path) {
    QObject::connect(&window.runs(), &app::RunController::finished, &window, [&window, path](nodes::RunStatus status) {
        grab(window, path, status == nodes::RunStatus::Done);
    });
    QTimer::singleShot(0, &window, [&window] { window.runs().start(); });
}

}  // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("heddle"));
    QApplication::setApplicationName(QStringLiteral("heddle-editor"));
    QApplication::setApplicationVersion(QStringLiteral(HEDDLE_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("heddle-editor"));
    QIcon icon(QStringLiteral(":/icons/48.png"));
    icon.addFile(QStringLiteral(":/icons/256.png"));
    QApplication::setWindowIcon(icon);

    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Edits and runs Heddle graphs."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(QStringLiteral("file"), QStringLiteral("The graph to open (.heddle)."),
                                 QStringLiteral("[FILE]"));
    const QCommandLineOption screenshot(
        QStringLiteral("screenshot"), QStringLiteral("Runs the graph, if one is named, writes a picture of the window to PNG and ends."),
        QStringLiteral("PNG"));
    const QCommandLineOption select(QStringLiteral("select"), QStringLiteral("Selects a node at the start."),
                                    QStringLiteral("NODE"));
    const QCommandLineOption size(QStringLiteral("size"), QStringLiteral("Size of the window, e.g. 1360x860."),
                                  QStringLiteral("WxH"));
    const QCommandLineOption theme(QStringLiteral("theme"), QStringLiteral("dark, light, or system: as the desktop."), QStringLiteral("NAME"));
    const QCommandLineOption output(
        QStringLiteral("output-dir"),
        QStringLiteral("Folder that relative names of written files start from; else the current folder."),
        QStringLiteral("DIR"));
    const QCommandLineOption allow(QStringLiteral("allow"),
                                   QStringLiteral("Lets graphs read and write here too (may be repeated)."),
                                   QStringLiteral("PATH"));
    const QCommandLineOption keys(QStringLiteral("keys"), QStringLiteral("Lists the commands of the window with their ids and keys, and ends."));
    QCommandLineOption bench(QStringLiteral("bench-canvas"), QStringLiteral("Measures how fast a graph, or so many nodes, opens and draws."), QStringLiteral("FILE|COUNT"));
    bench.setFlags(QCommandLineOption::HiddenFromHelp);
    const QCommandLineOption language(QStringLiteral("language"),
                                      QStringLiteral("Language of the window, en or zh_CN; else the system's."),
                                      QStringLiteral("NAME"));
    parser.addOptions({bench, keys, screenshot, select, size, theme, language, output, allow});
    parser.process(application);

    app::choose_theme(application, app::theme_named(parser.value(theme)).value_or(app::stored_theme()));
    app::use_language(application, parser.value(language));
    const app::WidgetNames names(&application);
    app::MainWindow window;
    if (parser.isSet(keys)) {
        std::fputs(qPrintable(window.canvas_actions().keys().table()), stdout);
        return 0;
    }
    window.runs().set_output_folder(parser.isSet(output) ? parser.value(output) : default_output_folder());
    window.allow(parser.values(allow));
    app::use_stored_devices(window.runs());
    if (const auto place = nodes::DiskCache::usual(heddle_build_stamp)) window.runs().keep_results(std::make_shared<nodes::DiskCache>(*place));
    if (const QStringList sides = parser.value(size).split('x');
        sides.size() == 2 && sides[0].toInt() > 0 && sides[1].toInt() > 0)
        window.resize(sides[0].toInt(), sides[1].toInt());
    if (!parser.isSet(screenshot))
        window.keep_unsaved(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/unsaved"));
    window.show();
    if (parser.isSet(bench)) {
        application.processEvents();
        return app::bench_canvas(window, parser.value(bench));
    }
    const QStringList files = parser.positionalArguments();
    if (files.isEmpty()) window.show_gallery();
    const bool opened = files.isEmpty() || window.open_file(files.front());
    if (parser.isSet(select)) window.scene().select({parser.value(select).toStdString()});
    if (parser.isSet(screenshot)) {
        if (!opened) {
            std::fprintf(stderr, "%s\n", qPrintable(window.messages().text()));
            return 4;
        }
        if (files.isEmpty())
            grab(window, parser.value(screenshot), true);
        else
            take_screenshot(window, parser.value(screenshot));
    }
    return QApplication::exec();
}
