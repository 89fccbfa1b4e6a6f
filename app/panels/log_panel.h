// What runs and the engine said: messages in order, and the numbers that nodes reported.
#pragma once

#include <QListWidget>
#include <QTreeWidget>
#include <QWidget>

#include "app/model/run_controller.h"

namespace app {

class LogPanel : public QWidget {
    Q_OBJECT

public:
    LogPanel(GraphModel& model, RunController& runs, QWidget* parent = nullptr);

    enum class Level { Note, Good, Warning, Error };
    void add(Level level, const QString& text, const NodeId& node = {});
    QListWidget* messages() const { return messages_; }
    QTreeWidget* metrics() const { return metrics_; }

signals:
    void node_wanted(const app::NodeId& id);  // double click on a line about it

private:
    void add_metric(const NodeId& node, const QString& name, double value, const QString& unit);

    QListWidget* messages_;
    QTreeWidget* metrics_;
};

}  // namespace app
