#include "app/panels/language.h"

#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

namespace app {

bool use_language(QApplication& application, const QString& name) {
    if (!name.isEmpty()) QLocale::setDefault(QLocale(name));
    const QLocale locale;
    const auto load = [&](const char* file, const QString& folder) {
        auto* translator = new QTranslator(&application);
        if (translator->load(locale, QString::fromLatin1(file), QStringLiteral("_"), folder)) return application.installTranslator(translator);
        delete translator;
        return false;
    };
    load("qtbase", QLibraryInfo::path(QLibraryInfo::TranslationsPath));
    return load("heddle", QStringLiteral(":/translations"));
}

}  // namespace app
