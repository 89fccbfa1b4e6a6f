// The program's icons, drawn: they follow the theme's colours and any scale.
#pragma once

#include <QIcon>

namespace app {

enum class Glyph { Run, Pause, Stop, Undo, Redo, Add, Frame, Dice, Reset, Folder, Pin, Close, Fit, ActualSize, Pipette };

// In the text colour of the current theme, or in `colour`; dimmed where the action is disabled.
QIcon icon(Glyph glyph, const QColor& colour = {});

}  // namespace app
