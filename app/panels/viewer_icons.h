// Drawn icons of the viewer's tools, in the colours of the theme.
#pragma once

#include <QIcon>

namespace app {

enum class ViewerGlyph { Brush, Eraser, Lasso, Rectangle, Ellipse, Gradient, Fill, Clear, Invert, Play, Pause, Adjust, Keep, Wipe, Difference, Overlay, AddPerson, RemovePerson };

QIcon viewer_icon(ViewerGlyph glyph);

}  // namespace app
