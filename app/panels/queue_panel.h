// The runs that go and wait: what they are, how far they are, and their order.
#pragma once

#include <QTimer>
#include <QToolButton>
#include <QTreeWidget>

#include "app/model/run_queue.h"

namespace app {

// Rows are moved by dragging, by the buttons and with Ctrl+Up and Ctrl+Down; Delete cancels.
class QueuePanel : public QWidget {
    Q_OBJECT

public:
    QueuePanel(RunQueue& queue, RunController& runs, QWidget* parent = nullptr);

    QTreeWidget* list() const { return list_; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QToolButton* add_button(const char* name, const QString& tip, void (QueuePanel::*act)());
    bool key_pressed(const QKeyEvent& key);
    int selected() const;  // number of the run, 0 for none
    void cancel_selected();
    void move_up();
    void move_down();
    void move_by(int rows);
    void pause();
    void clear();
    void refresh();
    void refresh_progress();
    void refresh_buttons();

    RunQueue& queue_;
    RunController& runs_;
    QTreeWidget* list_;
    QToolButton *pause_ = nullptr, *cancel_ = nullptr, *up_ = nullptr, *down_ = nullptr, *clear_ = nullptr;
    QTimer later_;
    int dragged_ = 0;  // number of the run under the pressed button
};

}  // namespace app
