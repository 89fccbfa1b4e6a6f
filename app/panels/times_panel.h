// What each node of the last run took: time, its share of the whole, and the memory that its results hold. A click on a head sorts.
#pragma once

#include <QTimer>
#include <QTreeWidget>

#include "app/model/run_controller.h"

namespace app {

class TimesPanel : public QTreeWidget {
    Q_OBJECT

public:
    TimesPanel(GraphModel& model, RunController& runs, QWidget* parent = nullptr);

signals:
    void node_wanted(const app::NodeId& node);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();

    GraphModel& model_;
    RunController& runs_;
    QTimer later_;  // many nodes change in a moment
};

}  // namespace app
