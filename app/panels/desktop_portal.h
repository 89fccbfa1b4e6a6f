// What the desktop says about itself through the XDG desktop portal, where there is one.
#pragma once

#include <QObject>
#include <functional>

namespace app {

// Tells org.freedesktop.appearance's color-scheme (0 no preference, 1 dark, 2 light) when the portal has answered and
// whenever it changes, in the GUI thread; never where there is no session bus, no portal or no QtDBus. Waits for nothing.
void watch_color_scheme(QObject* context, std::function<void(uint scheme)> tell);

}  // namespace app
