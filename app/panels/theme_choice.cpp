#include "app/panels/theme_choice.h"

#include <QActionGroup>
#include <QCoreApplication>
#include <QPointer>
#include <QSettings>

#include "app/panels/desktop_portal.h"
#include "app/panels/theme.h"

namespace app {
namespace {

constexpr std::pair<ThemeChoice, const char*> names[] = {
    {ThemeChoice::System, "system"}, {ThemeChoice::Dark, "dark"}, {ThemeChoice::Light, "light"}};
const QString settings_key = QStringLiteral("theme");

ThemeChoice chosen = ThemeChoice::Dark;
bool applying = false;  // the palette changes because this file changes it

struct ThemeMenu {
    Q_DECLARE_TR_FUNCTIONS(ThemeMenu)
};

Theme meaning(ThemeChoice choice) {
    switch (choice) {
        case ThemeChoice::System: return SystemTheme::instance().theme();
        case ThemeChoice::Light: return Theme::Light;
        case ThemeChoice::Dark: break;
    }
    return Theme::Dark;
}

}  // namespace

std::optional<ThemeChoice> theme_named(const QString& name) {
    for (const auto& [choice, text] : names)
        if (name == QLatin1String(text)) return choice;
    return {};
}

QString name_of(ThemeChoice choice) {
    for (const auto& [known, text] : names)
        if (known == choice) return QLatin1String(text);
    return {};
}

ThemeChoice stored_theme() {
    return theme_named(QSettings().value(settings_key).toString()).value_or(ThemeChoice::Dark);
}

void store_theme(ThemeChoice choice) { QSettings().setValue(settings_key, name_of(choice)); }

ThemeChoice theme_choice() { return chosen; }

void choose_theme(QApplication& application, ThemeChoice choice) {
    SystemTheme::instance();  // reads the desktop's palette, which is covered from here on
    chosen = choice;
    applying = true;
    apply_theme(application, meaning(choice));
    applying = false;
}

// --- the desktop's ---

SystemTheme& SystemTheme::instance() {
    static QPointer<SystemTheme> made;
    if (!made) made = new SystemTheme(qApp);
    return *made;
}

SystemTheme::SystemTheme(QObject* parent) : QObject(parent), from_palette_(theme_of(QGuiApplication::palette())) {
    parent->installEventFilter(this);
    watch_color_scheme(this, [this](uint scheme) { prefer(scheme); });
}

Theme SystemTheme::theme_of(const QPalette& palette) {
    return palette.color(QPalette::Window).lightness() < palette.color(QPalette::WindowText).lightness() ? Theme::Dark
                                                                                                           : Theme::Light;
}

void SystemTheme::prefer(uint scheme) {
    set(scheme == 1   ? std::optional(Theme::Dark)
        : scheme == 2 ? std::optional(Theme::Light)
                      : std::nullopt,
        from_palette_);
}

bool SystemTheme::eventFilter(QObject* object, QEvent* event) {
    if (!applying && object == parent() && event->type() == QEvent::ApplicationPaletteChange)
        QMetaObject::invokeMethod(this, [this] { read_palette(); }, Qt::QueuedConnection);
    return false;
}

// The desktop's palette lies under the program's own: uncovers it for a moment.
void SystemTheme::read_palette() {
    const QPalette own = QApplication::palette();
    applying = true;
    QApplication::setPalette({});
    const Theme found = theme_of(QGuiApplication::palette());
    QApplication::setPalette(own);
    applying = false;
    set(preferred_, found);
}

void SystemTheme::set(std::optional<Theme> preferred, Theme from_palette) {
    const Theme before = theme();
    preferred_ = preferred;
    from_palette_ = from_palette;
    if (theme() != before) emit changed();
}

// --- the menu ---

QMenu* make_theme_menu(QWidget* parent, std::function<void()> restyle) {
    auto* menu = new QMenu(ThemeMenu::tr("&Theme"), parent);
    auto* group = new QActionGroup(menu);
    const auto add = [&](ThemeChoice choice, const QString& text) {
        QAction* made = menu->addAction(text);
        made->setObjectName(QStringLiteral("theme_") + name_of(choice));
        made->setCheckable(true);
        made->setChecked(choice == theme_choice());
        group->addAction(made);
        QObject::connect(made, &QAction::triggered, menu, [choice, restyle] {
            store_theme(choice);
            choose_theme(*qApp, choice);
            restyle();
        });
    };
    add(ThemeChoice::System, ThemeMenu::tr("As the &Desktop"));
    add(ThemeChoice::Dark, ThemeMenu::tr("&Dark"));
    add(ThemeChoice::Light, ThemeMenu::tr("&Light"));
    QObject::connect(&SystemTheme::instance(), &SystemTheme::changed, menu, [restyle] {
        if (theme_choice() != ThemeChoice::System) return;
        choose_theme(*qApp, ThemeChoice::System);
        restyle();
    });
    return menu;
}

}  // namespace app
