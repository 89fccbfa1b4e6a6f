// The window's words in another language, and for those who hear it.
#include "app/panels/language.h"

#include <QDirIterator>
#include <QMenuBar>
#include <QPushButton>
#include <QScopeGuard>
#include <QToolBar>
#include <QTranslator>
#include <QXmlStreamReader>

#include "app/panels/accessibility.h"
#include "tests/app/editor_fixture.h"

class LanguageTest : public QObject {
    Q_OBJECT

private slots:
    void the_window_speaks_chinese() {
        const auto english = qScopeGuard([] {
            for (QTranslator* translator : qApp->findChildren<QTranslator*>()) delete translator;
            QLocale::setDefault(QLocale::system());
        });
        if (!app::use_language(*qApp, "zh_CN")) QSKIP("built without lrelease");
        tests::Editor e;
        QCOMPARE(e.window.menuBar()->actions().at(0)->text(), QStringLiteral("文件(&F)"));
        QCOMPARE(e.window.findChild<QAction*>("undo")->text(), QStringLiteral("撤销(&U)"));
        const app::NodeId id = e.model.add_node("stub.kinds", {});
        e.scene.select({id});
        QCOMPARE(e.window.params().editor("seed")->findChild<QToolButton*>("dice")->toolTip(), QStringLiteral("换一个种子"));
        e.trigger("mute");
        QCOMPARE(e.model.undo_stack().undoText(), QStringLiteral("静音 1 个节点"));
    }
    void other_languages_stay_english() {
        const auto english = qScopeGuard([] { QLocale::setDefault(QLocale::system()); });
        QVERIFY(!app::use_language(*qApp, "xx_XX"));
        tests::Editor e;
        QCOMPARE(e.window.menuBar()->actions().at(0)->text(), QStringLiteral("&File"));
    }
    // What a translator gets wrong most easily: the places of values.
    void translations_keep_the_places_of_values() {
        QDirIterator files(HEDDLE_SOURCE_DIR "/resources/translations", {"*.ts"});
        int messages = 0;
        while (files.hasNext()) {
            QFile file(files.next());
            QVERIFY(file.open(QIODevice::ReadOnly));
            QXmlStreamReader xml(&file);
            QString source;
            while (!xml.atEnd()) {
                xml.readNext();
                if (xml.name() == QStringLiteral("source") && xml.isStartElement()) source = xml.readElementText();
                const bool translated = xml.isStartElement() && (xml.name() == QStringLiteral("numerusform") || xml.name() == QStringLiteral("translation"));
                if (!translated || xml.attributes().hasAttribute("type")) continue;
                const QString text = xml.name() == QStringLiteral("numerusform") ? xml.readElementText() : xml.readElementText(QXmlStreamReader::IncludeChildElements);
                if (text.trimmed().isEmpty() && !source.trimmed().isEmpty()) QFAIL(qPrintable(source));
                for (const char* value : {"%1", "%2", "%3", "%n"})
                    QVERIFY2(source.contains(QLatin1String(value)) == text.contains(QLatin1String(value)), qPrintable(source));
                QCOMPARE(text.contains("&") || text.contains("--"), source.contains("&") || source.contains("--"));
                ++messages;
            }
            QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
        }
        QVERIFY(messages > 100);
    }
    void everything_that_can_be_used_has_a_name() {
        const app::WidgetNames names(qApp);
        tests::Editor e;
        const app::NodeId id = e.model.add_node("stub.kinds", {});
        e.scene.select({id});
        QCoreApplication::processEvents();
        int seen = 0;
        for (QWidget* widget : e.window.findChildren<QWidget*>()) {
            const auto* button = qobject_cast<QAbstractButton*>(widget);
            const bool field = button || qobject_cast<QLineEdit*>(widget) || qobject_cast<QComboBox*>(widget);
            if (!field || !widget->isVisible() || widget->objectName().startsWith("qt_")) continue;
            ++seen;
            QVERIFY2(!widget->accessibleName().isEmpty() || (button && !button->text().isEmpty()), qPrintable(widget->metaObject()->className() + (" " + widget->objectName())));
        }
        QVERIFY(seen > 15);
        QCOMPARE(e.view.accessibleDescription(), QStringLiteral("Kinds (kinds), 0 input(s), 1 output(s)"));
        e.scene.clearSelection();
        QCOMPARE(e.view.accessibleDescription(), QStringLiteral("nothing selected"));
    }
};

HEDDLE_TEST(language, LanguageTest)
#include "language.moc"
