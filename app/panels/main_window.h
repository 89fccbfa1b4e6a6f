// The editor's window: canvas in the middle, panels around it, menus. Owns the model, the runs and the scene.
#pragma once

#include <QDateTime>
#include <QLabel>
#include <QMainWindow>
#include <QMenu>
#include <QMessageBox>
#include <QProgressBar>
#include <functional>

#include "app/canvas/view.h"
#include "app/model/autosave.h"
#include "app/model/log_relay.h"
#include "app/model/run_queue.h"
#include "app/panels/canvas_actions.h"
#include "app/panels/log_panel.h"
#include "app/panels/message_bar.h"
#include "app/panels/param_panel.h"
#include "app/panels/reference_panel.h"
#include "app/panels/viewer_panel.h"
#include "nodes/interchange/open_graph.h"

namespace app {

class Gallery;

class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(QWidget* parent = nullptr);
    ~MainWindow() override;

    GraphModel& model() { return model_; }
    RunController& runs() { return runs_; }
    RunQueue& queue() { return queue_; }
    GraphScene& scene() { return scene_; }
    GraphView& view() { return *view_; }
    ParamPanel& params() { return *params_; }
    ViewerPanel& viewer() { return *viewer_; }
    LogPanel& log() { return *log_; }
    ReferencePanel& reference() { return *reference_; }
    MessageBar& messages() { return *bar_; }
    CanvasActions& canvas_actions() { return *canvas_actions_; }

    // Asks first where edits would be lost. False when it was refused or could not be read; the window then shows why
    // and keeps what it has.
    bool open_file(const QString& path);
    // A file from outside: opens the graph that it is or holds, else adds the node that reads it.
    void drop_file(const QString& path, QPointF at);
    // The start page, until something comes into the document.
    void show_gallery();
    bool open_example(const QString& path);  // as a new graph that is not saved yet
    bool new_file();
    bool save();
    bool save_to(const QString& path);
    // Keeps what is not saved in `folder`, and offers what a program that crashed has left there.
    void keep_unsaved(const QString& folder);
    // Files and folders that runs may touch beside the usual ones: --allow.
    void allow(const QStringList& paths);
    // Run behind what runs already. Asks in the message bar first where the graph names files that nobody allowed.
    void run_all();
    void run_selected();
    void copy();
    void cut();
    void paste();

    // Who answers questions about unsaved work; a message box unless a test says otherwise.
    using Question = std::function<QMessageBox::StandardButton(const QString& text, QMessageBox::StandardButtons)>;
    void set_question(Question question) { question_ = std::move(question); }

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void build_docks();
    void build_menus();
    void build_file_menu();
    void build_edit_menu();
    void build_run_menu();
    void build_view_menu();
    void build_toolbar();
    void build_status_bar();
    QAction* add_action(QMenu* menu, const char* name, const QString& text, const QKeySequence& keys,
                        std::function<void()> act);
    QAction* action(const char* name) const;

    void restore(const LeftBehind& left);
    class FileUse;
    // In a thread of its own, see apart(); throws what open_graph() throws, and where another file is in use.
    nodes::OpenedGraph read_graph(const QString& path);
    // False when the user kept what is there.
    bool show_graph(const QString& path, const nodes::OpenedGraph& opened);
    void tell_unknown_type();
    void choose_file();
    bool save_as();
    bool may_discard();
    bool may_end_runs();
    // Files that were given to parameters stay allowed when their documents are opened again.
    void remember_given(const QStringList& more = {});
    void run(const std::vector<NodeId>& targets);
    void remember(const QString& path);
    void fill_recent();
    void note_file_time();
    void update_title();
    void update_actions();
    void update_selection();
    void update_tally();
    void run_finished(nodes::RunStatus status, double ms, const QStringList& problems);
    void hide_gallery();
    void restyle();  // after the theme has changed
    void toggle_mode(nodes::NodeMode mode);
    void show_reference();
    // Runs an edit that may throw and shows why it did.
    void guarded(const std::function<void()>& act);
    void error(const QString& text) { bar_->show_message(MessageBar::Level::Error, text); }

    GraphModel model_;
    RunController runs_;
    RunQueue queue_;
    GraphScene scene_;
    LogRelay relay_;
    GraphView* view_;
    ParamPanel* params_;
    ViewerPanel* viewer_;
    LogPanel* log_;
    ReferencePanel* reference_;
    MessageBar* bar_;
    CanvasActions* canvas_actions_ = nullptr;
    QMenu *edit_menu_ = nullptr, *view_menu_ = nullptr;
    Gallery* gallery_ = nullptr;
    std::vector<QDockWidget*> put_away_;  // panels that the gallery hides
    QMenu* recent_ = nullptr;
    QMenu* panels_ = nullptr;
    QLabel* status_ = nullptr;
    QLabel* pixel_ = nullptr;
    QProgressBar* progress_ = nullptr;
    bool file_in_use_ = false;
    QDateTime file_time_;  // of the document's file when it was last read or written here
    Question question_;
    QStringList allowed_;
    std::unique_ptr<Autosave> autosave_;
};

}  // namespace app
