// Results of the runs since the program started with the graphs that made them: a click shows one again, "open its graph" brings the graph back
// as an edit that can be undone.
#pragma once

#include <QListWidget>
#include <deque>

#include "app/model/run_controller.h"

namespace app {

class HistoryPanel : public QListWidget {
    Q_OBJECT

public:
    HistoryPanel(GraphModel& model, RunController& runs, QWidget* parent = nullptr);

    void open_graph(int row);  // 0: the newest

signals:
    void picture_wanted(const QImage& image, const QString& title);

private:
    struct Entry {
        int run = 0;
        nodes::Document graph;
        QImage image;
        QString title;
    };
    void add(nodes::RunStatus status, double ms);
    // The picture of a result: of what writes files first.
    nodes::Value result() const;
    void show_row(int row);

    GraphModel& model_;
    RunController& runs_;
    nodes::Document started_;  // what runs, or ran last
    std::deque<Entry> entries_;  // newest first, as the rows
    qint64 bytes_ = 0;
    int number_ = 0;
    QThreadPool pictures_;  // last: ends first
};

}  // namespace app
