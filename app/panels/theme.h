// The look of the window around the canvas: palette and style sheet from the canvas's colours.
#pragma once

#include <QApplication>

#include "app/canvas/style.h"

namespace app {

void apply_theme(QApplication& application, Theme theme);

}  // namespace app
