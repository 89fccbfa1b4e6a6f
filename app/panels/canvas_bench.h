// heddle-editor --bench-canvas FILE|COUNT: how long the canvas takes to open a graph and to draw it, for those who work on it.
#pragma once

#include <QString>
#include <functional>

#include "app/panels/main_window.h"

namespace app {

// COUNT nodes of a text-to-image graph's kinds in rows, wired, every tenth row in a frame.
nodes::Document bench_graph(int count);

// Acts, and waits until the canvas shows all that follows from it: the longest block of the event loop, in milliseconds of the processor.
double longest_block(MainWindow& window, const std::function<void()>& act);

// Prints milliseconds of the processor to standard output; 0, or 4 where the file can not be opened.
int bench_canvas(MainWindow& window, const QString& file_or_count);

}  // namespace app
