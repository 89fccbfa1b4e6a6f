// The outputs of the selected node as numbers: shape, element type, range, mean, deviation, NaN and infinities.
#pragma once

#include <QTreeWidget>

#include "app/model/latest_task.h"
#include "app/model/run_controller.h"

namespace app {

class ValuesPanel : public QTreeWidget {
    Q_OBJECT

public:
    ValuesPanel(GraphModel& model, RunController& runs, QWidget* parent = nullptr);
    void show_node(const NodeId& id);
    bool busy() const { return task_.busy(); }

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();

    RunController& runs_;
    NodeId node_;
    LatestTask task_;
};

}  // namespace app
