#include "app/panels/inspection.h"

#include "app/panels/history_panel.h"
#include "app/panels/main_window.h"
#include "app/panels/queue_panel.h"
#include "app/panels/times_panel.h"
#include "app/panels/values_panel.h"

namespace app {

std::vector<InspectionPanel> inspection_panels(MainWindow& window) {
    auto* values = new ValuesPanel(window.model(), window.runs());
    auto* times = new TimesPanel(window.model(), window.runs());
    auto* history = new HistoryPanel(window.model(), window.runs());
    // With the window as receiver: it lets go of the scene before either is gone.
    QObject::connect(&window.scene(), &GraphScene::selectionChanged, &window, [&window, values] {
        const auto ids = window.scene().selected_nodes();
        values->show_node(ids.size() == 1 ? ids.front() : NodeId());
    });
    QObject::connect(times, &TimesPanel::node_wanted, &window, [&window](const NodeId& id) {
        window.scene().select({id});
        window.view().frame_selection();
    });
    QObject::connect(history, &HistoryPanel::picture_wanted, &window, [&window](const QImage& image, const QString& title) { window.viewer().show_picture(image, title); });
    auto* queue = new QueuePanel(window.queue(), window.runs());
    return {{"dock_values", MainWindow::tr("Values"), values}, {"dock_times", MainWindow::tr("Times"), times}, {"dock_history", MainWindow::tr("History"), history},
            {"dock_queue", MainWindow::tr("Queue"), queue}};
}

}  // namespace app
