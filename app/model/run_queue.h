// Runs one behind the other. Each works on the document as it was when it was added: edits made while it waits do not reach it,
// and it stays where another graph is opened.
#pragma once

#include <QObject>
#include <deque>

#include "app/model/run_controller.h"

namespace app {

// A run as a list shows it.
struct QueuedRun {
    int number = 0;  // counts all runs since the program started, from 1
    QString title;   // of the document: its file
    QString target;  // which nodes, empty: all that give something
    QString change;  // what differs from the run that was added before it
};

// Everything happens on the GUI thread; the controller runs what this hands to it, one at a time.
class RunQueue : public QObject {
    Q_OBJECT

public:
    RunQueue(GraphModel& model, RunController& runs, QObject* parent = nullptr);

    // Takes the document as it is now. Starts at once where nothing runs. Returns the run's number.
    int add(const std::vector<NodeId>& targets = {});
    // The one that runs first, where one does; then those that wait, in their order.
    std::vector<QueuedRun> runs() const;
    bool first_runs() const { return going_; }
    int waiting() const { return static_cast<int>(entries_.size()) - (going_ ? 1 : 0); }
    bool busy() const { return !entries_.empty() || runs_.running(); }
    // Stops the one that runs, or takes away one that waits; nothing for a number that is not there.
    void cancel(int number);
    // Puts one that waits at this place of runs(); the one that runs stays first.
    void move(int number, int to);
    void clear();  // what waits

signals:
    void changed();  // which runs there are, in which order, and whether the first runs

private:
    struct Entry {
        QueuedRun about;
        RunRequest request;
    };
    void start_next();
    void ended();

    GraphModel& model_;
    RunController& runs_;
    std::deque<Entry> entries_;
    bool going_ = false;       // the first entry is what the controller runs
    bool starting_ = false;
    nodes::Document last_;     // of the run that was added last
    int number_ = 0;
};

}  // namespace app
