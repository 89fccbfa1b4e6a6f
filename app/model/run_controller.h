// Runs the document of a GraphModel in the engine's thread and keeps what it told, by node id, for the GUI thread. What a run
// tells is kept for nodes at every level; it is asked for, and signals name it, by the ids of the level that is shown.
#pragma once

#include <QImage>
#include <QObject>
#include <QThreadPool>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "app/model/graph_model.h"
#include "nodes/core/disk_cache.h"
#include "nodes/core/runner.h"

namespace app {

// What is known about a node from the last run.
struct NodeStatus {
    nodes::NodeState state = nodes::NodeState::Idle;
    qint64 done = 0, total = 0;  // steps while running; total 0: not known
    double eta = -1;             // seconds, -1: not known
    double ms = -1;              // how long it took, -1: not known
    QString message;             // of a failure or a warning
    std::string socket;          // that the failure points at, may be empty
    bool stale = false;          // edited since, or fed by what was: the facts are of the former graph
};

struct OutputValue {
    std::string socket;
    nodes::Value value;
};

// What a run works on, taken at one moment: later edits do not reach it.
struct RunRequest {
    nodes::Document document;
    nodes::RunOptions options;
    int graph = 0;  // which of the graphs that were opened it is of, see RunController::of_shown_graph()
};

// Events cross from the engine's thread in batches by one queued call, so that a fast run can not flood the event loop.
// Pictures are made from values in a worker thread: neither the window nor the run waits for them.
//
// A run goes on where another graph is opened meanwhile. Its nodes are then not those that are shown, whatever their ids: status(),
// thumbnail() and values() say nothing of them, run_values() and what belongs to the whole run do.
class RunController : public QObject {
    Q_OBJECT

public:
    explicit RunController(GraphModel& model, QObject* parent = nullptr);
    ~RunController() override;  // cancels and waits

    // Queues a run of a snapshot of the document as it is now; a run that goes is cancelled first.
    void start(const std::vector<NodeId>& targets = {}) { start_request(request(targets)); }
    // The document, and the files that it may touch, as they are now.
    RunRequest request(const std::vector<NodeId>& targets = {}) const;
    // The same for one that was taken earlier. Nodes that were edited since are stale once it is done.
    void start_request(RunRequest request);
    void cancel();
    // Hold the run at its next step, and let it go on. Without a run they do nothing; a new run is not paused.
    void pause();
    void resume();
    bool paused() const { return paused_; }
    bool running() const { return running_; }
    // Whether the run that goes, or went last, is of the graph that is shown.
    bool of_shown_graph() const { return run_graph_ == graph_; }
    // Where results are kept between sessions; none without it. Before the first run.
    void keep_results(std::shared_ptr<nodes::DiskCache> disk) { runner_->cache().set_disk(std::move(disk)); }
    // Where relative names of output files start; empty: the current folder.
    void set_output_folder(const QString& folder) { output_folder_ = folder; }

    // Devices of runs from now on, each as --device takes it, one of them twice for two of it: branches of a graph run at once, one on
    // each. None: the program's own.
    void set_devices(const QStringList& selectors);
    const QStringList& devices() const { return devices_; }

    // Files and folders that any run may read and write, beside those of the document, of its output and those given.
    void set_allowed(const QStringList& paths) { allowed_ = paths; }

    // Absolute names of files that the document names and a run may not touch.
    QStringList files_outside() const;

    NodeStatus status(const NodeId& id) const;
    // Of the first output that has a picture, or what the node last showed of its work; null when there is none. Of a node that runs
    // once for every element of a list, the last element's, here and in values().
    QImage thumbnail(const NodeId& id) const;
    // Outputs in order of declaration that the last run produced.
    std::vector<OutputValue> values(const NodeId& id) const;
    QString value_summary(const SocketId& output) const;
    // Looks in the cache for results of nodes that the last run did not visit, or that were edited since: of the graph as it is now, also where it never ran.
    // Nothing is computed. values_changed() tells of what was found.
    void find_values(const std::vector<NodeId>& ids);
    // Nodes whose results somebody looks at: runs of the whole graph visit them also where all that reads them is in the cache.
    void watch(const std::vector<NodeId>& ids);
    // Asks for the full picture of an output; picture_ready() answers, with a null image where there is none.
    void request_picture(const SocketId& output);
    // What runs, or ran last, and what its nodes produced, by the ids of a run.
    const nodes::Document& run_document() const { return run_document_; }
    std::vector<OutputValue> run_values(const NodeId& id) const;
    // How much of the current run is done, 0 to 1: nodes count alike, the ones that run by their steps.
    double progress() const;
    // Nodes finished and nodes to visit in the current or last run.
    std::pair<int, int> tally() const { return {finished_, planned_}; }

signals:
    void running_changed(bool running);
    void paused_changed(bool paused);
    void run_started(int run);
    void status_changed(const app::NodeId& id);
    void tally_changed();
    void thumbnail_changed(const app::NodeId& id);
    void values_changed(const app::NodeId& id);
    void picture_ready(const app::SocketId& output, const QImage& image);
    void metric(const app::NodeId& node, const QString& name, double value, const QString& unit);
    void wrote(const app::NodeId& node, const QString& path, quint64 bytes);
    void warned(const app::NodeId& node, const QString& message);
    void failed(const app::NodeId& node, const std::string& socket, const QString& message);
    // Last of a run. The problems are why an invalid document did not run.
    void finished(nodes::RunStatus status, double ms, const QStringList& problems);

private:
    struct Mailbox;  // shared with the engine's thread
    struct Visitor;

    std::vector<std::string> allowed_places() const;
    void drain();
    // A run that was cancelled while it waited is dropped by the runner and never reports its end.
    void watch_cancel();
    void handle(const nodes::Event& event);
    void end(const nodes::RunResult& result);
    void forget_all();
    void tell_status(const std::set<NodeId>& running);
    NodeStatus status_inside(const NodeId& prefix) const;
    void set_running(bool running);
    void set_paused(bool paused);
    void mark_stale(const NodeId& id) { edited_.insert(id); }
    void mark_edited();
    void note_edits_since(const nodes::Document& then);
    void make_thumbnail(const NodeId& id, const nodes::Value& value);
    void keep_found(const std::vector<nodes::event::Produced>& found);
    bool is_fresh(const NodeId& shown) const;
    nodes::FilePlaces places() const;  // of the document that is shown
    void rename(const NodeId& from, const NodeId& to);

    GraphModel& model_;
    std::vector<std::shared_ptr<gpu::DeviceSlot>> known_devices_;  // as long as results may lie on them
    std::vector<std::shared_ptr<gpu::DeviceSlot>> used_devices_;
    QStringList devices_;
    std::shared_ptr<Mailbox> mailbox_;
    QString output_folder_;
    QStringList allowed_;
    bool running_ = false, paused_ = false;
    int graph_ = 0;  // counts the graphs that were shown
    nodes::Document run_document_;
    int run_ = 0;
    int finished_ = 0, planned_ = 0;
    int run_graph_ = 0;  // the one that the run is of
    std::map<NodeId, NodeStatus> status_;  // by the ids of a run, "face/encode", as the other maps
    std::map<NodeId, QImage> thumbnails_;
    std::map<NodeId, std::vector<OutputValue>> values_;
    std::map<NodeId, std::vector<OutputValue>> found_;  // of the graph that is shown, newer than those of its run
    std::vector<NodeId> watched_;
    std::set<NodeId> touched_;  // while draining: whose status changed
    std::set<NodeId> edited_;         // in the edit that goes on, by the ids that are shown
    std::set<NodeId> edited_in_run_;
    std::set<NodeId> still_good_;  // nodes whose results of the run before no edit has touched
    QTimer cancel_watch_;
    QThreadPool pictures_;
    std::unique_ptr<nodes::Runner> runner_;  // last: its thread ends first
};

}  // namespace app
