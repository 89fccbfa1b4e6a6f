// Which theme the user wants: one of the two, or what the desktop has. Remembered between sessions.
#pragma once

#include <QApplication>
#include <QMenu>
#include <functional>
#include <optional>

#include "app/canvas/style.h"

namespace app {

enum class ThemeChoice { System, Dark, Light };

// "system", "dark" and "light", as in the settings and on the command line; nothing for other words.
std::optional<ThemeChoice> theme_named(const QString& name);
QString name_of(ThemeChoice choice);

ThemeChoice stored_theme();  // dark where nothing was ever chosen
void store_theme(ThemeChoice choice);

// The choice that holds now; choosing gives the application the theme that it means now.
ThemeChoice theme_choice();
void choose_theme(QApplication& application, ThemeChoice choice);

// What the desktop has: its portal's preference where one answers, else as light or dark as the palette that it gives to
// programs. Follows both while the program runs.
class SystemTheme : public QObject {
    Q_OBJECT

public:
    static SystemTheme& instance();  // belongs to the application
    Theme theme() const { return preferred_.value_or(from_palette_); }
    // By the portal's number: 1 dark, 2 light, all else no preference.
    void prefer(uint scheme);

    static Theme theme_of(const QPalette& palette);

signals:
    void changed();

protected:
    bool eventFilter(QObject* object, QEvent* event) override;

private:
    explicit SystemTheme(QObject* parent);
    void read_palette();
    void set(std::optional<Theme> preferred, Theme from_palette);

    std::optional<Theme> preferred_;
    Theme from_palette_;
};

// A menu of the three. What is chosen holds from then on and is remembered; `restyle` is called whenever the look has
// changed, by the menu or by the desktop.
QMenu* make_theme_menu(QWidget* parent, std::function<void()> restyle);

}  // namespace app
