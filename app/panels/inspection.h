// The panels about what runs left: values as numbers, times and memory, the history of results, and about those to
// come: the queue. Connected to a window here, so
// that it only has to place them.
#pragma once

#include <QString>
#include <vector>

class QWidget;

namespace app {

class MainWindow;

struct InspectionPanel {
    const char* dock;  // name of its dock
    QString title;
    QWidget* panel;
};
std::vector<InspectionPanel> inspection_panels(MainWindow& window);

}  // namespace app
