#include "app/panels/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDockWidget>
#include <QFileInfo>
#include <QSettings>
#include <QStatusBar>
#include <QToolBar>
#include <QVBoxLayout>

#include "app/panels/accessibility.h"
#include "app/panels/gallery.h"
#include "app/panels/icons.h"
#include "app/panels/inspection.h"
#include "app/panels/theme.h"
#include "gpu/base/error.h"

namespace app {

MainWindow::MainWindow(QWidget* parent)
    : QMainWindow(parent),
      runs_(model_),
      queue_(model_, runs_),
      scene_(model_, runs_),
      view_(new GraphView(scene_)),
      params_(new ParamPanel(model_, runs_)),
      viewer_(new ViewerPanel(model_, runs_)),
      log_(new LogPanel(model_, runs_)),
      reference_(new ReferencePanel),
      bar_(new MessageBar) {
    setObjectName(QStringLiteral("main"));
    setAcceptDrops(true);
    view_->setAcceptDrops(false);  // files go to the window
    question_ = [this](const QString& text, QMessageBox::StandardButtons buttons) {
        return QMessageBox::question(this, tr("Heddle"), text, buttons);
    };
    auto* centre = new QWidget;
    auto* layout = new QVBoxLayout(centre);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(bar_);
    layout->addWidget(view_, 1);
    setCentralWidget(centre);
    build_docks();
    build_menus();
    build_toolbar();
    build_status_bar();
    canvas_actions_ = new CanvasActions(*this, *view_, edit_menu_, view_menu_);

    connect(&model_, &GraphModel::dirty_changed, this, &MainWindow::update_title);
    connect(&model_, &GraphModel::path_changed, this, &MainWindow::update_title);
    connect(&model_, &GraphModel::edited, this, &MainWindow::update_actions);
    connect(&scene_, &GraphScene::selectionChanged, this, &MainWindow::update_selection);
    connect(&scene_, &GraphScene::node_activated, this, [this](const NodeId& id) {
        if (model_.look(id).subgraph) return model_.enter(id);
        viewer_->show_node(id);
    });
    connect(&model_, &GraphModel::level_changed, this, [this] {
        update_title();
        view_->frame_all();
    });
    connect(&scene_, &GraphScene::message, this,
            [this](const QString& text) { bar_->show_message(MessageBar::Level::Note, text); });
    connect(params_, &ParamPanel::message, this, &MainWindow::error);
    connect(params_, &ParamPanel::pick_wanted, this, [this](ParamEditor* editor) {
        if (!viewer_->pick_colour(editor)) error(tr("There is no picture to take a colour from: run the graph, or select a node with a picture"));
    });
    connect(viewer_, &ViewerPanel::pixel_hovered, this, [this](const QString& text) { pixel_->setText(text); });
    connect(reference_, &ReferencePanel::example_wanted, this, [this](const QString& path) { guarded([&] { open_file(path); }); });
    connect(log_, &LogPanel::node_wanted, this, [this](const NodeId& id) {
        scene_.select({id});
        view_->frame_selection();
    });
    connect(&relay_, &LogRelay::message, this, [this](const QString& area, int level, const QString& text) {
        log_->add(level >= static_cast<int>(gpu::LogLevel::Error)     ? LogPanel::Level::Error
                  : level >= static_cast<int>(gpu::LogLevel::Warning) ? LogPanel::Level::Warning
                                                                      : LogPanel::Level::Note,
                  area + ": " + text);
    });
    connect(&runs_, &RunController::running_changed, this, &MainWindow::update_actions);
    connect(&runs_, &RunController::tally_changed, this, &MainWindow::update_tally);
    connect(&queue_, &RunQueue::changed, this, [this] {
        update_actions();
        update_tally();
    });
    connect(&runs_, &RunController::finished, this, &MainWindow::run_finished);
    describe_selection(*view_);
    update_title();
    update_actions();
    resize(1360, 860);
    resizeDocks({findChild<QDockWidget*>(QStringLiteral("dock_parameters"))}, {340}, Qt::Horizontal);
    resizeDocks({findChild<QDockWidget*>(QStringLiteral("dock_log"))}, {150}, Qt::Vertical);
    view_->setFocus();
}

MainWindow::~MainWindow() {
    // Selection changes while items go would reach panels that are half gone.
    scene_.disconnect(this);
    model_.disconnect(this);
    queue_.disconnect(this);
    runs_.disconnect(this);
}

void MainWindow::build_docks() {
    setDockOptions(AnimatedDocks | AllowNestedDocks | AllowTabbedDocks);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    const auto dock = [this](const char* name, const QString& title, QWidget* content, Qt::DockWidgetArea area) {
        auto* made = new QDockWidget(title, this);
        made->setObjectName(QString::fromLatin1(name));
        made->setFeatures(QDockWidget::DockWidgetMovable);  // the View menu shows and hides it: no buttons in the way
        made->setWidget(content);
        addDockWidget(area, made);
    };
    dock("dock_parameters", tr("Parameters"), params_, Qt::RightDockWidgetArea);
    dock("dock_picture", tr("Picture"), viewer_, Qt::RightDockWidgetArea);
    dock("dock_log", tr("Log"), log_, Qt::BottomDockWidgetArea);
    for (const auto& [name, title, panel] : inspection_panels(*this)) {
        dock(name, title, panel, Qt::BottomDockWidgetArea);
        tabifyDockWidget(findChild<QDockWidget*>(QStringLiteral("dock_log")), findChild<QDockWidget*>(QString::fromLatin1(name)));
    }
    findChild<QDockWidget*>(QStringLiteral("dock_log"))->raise();
    dock("dock_reference", tr("Documentation"), reference_, Qt::RightDockWidgetArea);
    tabifyDockWidget(findChild<QDockWidget*>(QStringLiteral("dock_picture")), findChild<QDockWidget*>(QStringLiteral("dock_reference")));
    findChild<QDockWidget*>(QStringLiteral("dock_reference"))->hide();      // F1 shows it
}

void MainWindow::build_toolbar() {
    auto* bar = addToolBar(tr("Tools"));
    bar->setObjectName(QStringLiteral("tools"));
    bar->setMovable(false);
    bar->setIconSize({20, 20});
    bar->setToolButtonStyle(Qt::ToolButtonIconOnly);
    for (const char* name : {"run", "pause", "cancel", "", "add", "undo", "redo", "", "frame_all"})
        *name ? bar->addAction(action(name)) : static_cast<void>(bar->addSeparator());
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
}

void MainWindow::build_status_bar() {
    status_ = new QLabel;
    pixel_ = new QLabel;
    pixel_->setTextFormat(Qt::PlainText);
    progress_ = new QProgressBar;
    progress_->setTextVisible(false);
    progress_->setFixedWidth(160);
    progress_->hide();
    statusBar()->addWidget(status_, 1);
    statusBar()->addPermanentWidget(pixel_);
    statusBar()->addPermanentWidget(progress_);
    statusBar()->setSizeGripEnabled(false);
}

// --- following ---

void MainWindow::update_title() {
    QString name = model_.path().isEmpty() ? tr("Untitled") : QFileInfo(model_.path()).fileName();
    for (const Level& level : model_.levels()) name += QStringLiteral(" \u203a ") + qt(level.subgraph);
    setWindowTitle(QStringLiteral("%1%2 \u2013 Heddle").arg(name, model_.dirty() ? QStringLiteral("*") : QString()));
    setWindowFilePath(model_.path());
}

void MainWindow::update_actions() {
    const bool running = runs_.running();
    const bool some = !scene_.selected_nodes().empty();
    action("run")->setEnabled(!model_.node_ids().empty());
    action("run_selected")->setEnabled(some);
    action("cancel")->setEnabled(running);
    action("pause")->setEnabled(running);
    action("clear_queue")->setEnabled(queue_.waiting() > 0);
    for (const char* name : {"copy", "cut", "duplicate", "mute", "bypass", "group", "dissolve", "frame", "unframe"}) action(name)->setEnabled(some);
    action("delete")->setEnabled(some || !scene_.selected_links().empty());
    progress_->setVisible(running);
}

void MainWindow::update_selection() {
    const auto ids = scene_.selected_nodes();
    ids.size() == 1 ? params_->show_node(ids.front()) : params_->show_count(static_cast<int>(ids.size()));
    if (ids.size() == 1) viewer_->show_node(ids.front());
    if (ids.size() == 1 && reference_->isVisible()) reference_->show_type(model_.document().type_of(ids.front()));
    update_actions();
}

void MainWindow::update_tally() {
    const auto [finished, planned] = runs_.tally();
    progress_->setRange(0, planned);  // 0, 0: busy, length not known
    progress_->setValue(finished);
    if (!runs_.running()) return;
    const QString text = tr("Running: %1 of %2 nodes").arg(finished).arg(planned);
    status_->setText(queue_.waiting() > 0 ? tr("%1, waiting: %2").arg(text).arg(queue_.waiting()) : text);
}

void MainWindow::run_finished(nodes::RunStatus status, double ms, const QStringList& problems) {
    const QString time = ms < 1000 ? tr("%1 ms").arg(qRound(ms)) : tr("%1 s").arg(ms / 1000, 0, 'f', 2);
    switch (status) {
        case nodes::RunStatus::Done: status_->setText(tr("Done in %1").arg(time)); break;
        case nodes::RunStatus::Partial: status_->setText(tr("Done in part, in %1").arg(time)); break;
        case nodes::RunStatus::Failed: status_->setText(tr("Failed after %1").arg(time)); break;
        case nodes::RunStatus::Cancelled: status_->setText(tr("Cancelled")); break;
        case nodes::RunStatus::Invalid:
            status_->setText(tr("Nothing ran"));
            error(problems.isEmpty() ? tr("The graph has errors: nothing ran")
                                     : tr("Nothing ran. %1").arg(problems.front()));
            break;
    }
}

// --- runs ---

void MainWindow::run(const std::vector<NodeId>& targets) {
    bar_->clear();
    remember_given();
    const QStringList outside = runs_.files_outside();
    if (outside.isEmpty()) return static_cast<void>(queue_.add(targets));
    bar_->ask(tr("This graph names files outside its folder: %1").arg(outside.join(QStringLiteral(", "))),
              tr("Allow and run"), [this, outside, targets] {
                  remember_given(outside);
                  queue_.add(targets);
              });
}

void MainWindow::run_all() { run({}); }

void MainWindow::run_selected() {
    const auto ids = scene_.selected_nodes();
    if (!ids.empty()) run(ids);
}

void MainWindow::restyle() {
    if (gallery_ && gallery_->isVisible()) show_gallery();
    scene_.restyle();
    view_->viewport()->update();
    params_->rebuild();
    viewer_->restyle();
    const std::pair<const char*, Glyph> glyphs[] = {{"run", Glyph::Run},   {"pause", Glyph::Pause}, {"cancel", Glyph::Stop},
                                                    {"add", Glyph::Add},   {"undo", Glyph::Undo},
                                                    {"redo", Glyph::Redo}, {"frame_all", Glyph::Frame}};
    for (const auto& [name, glyph] : glyphs)
        action(name)->setIcon(glyph == Glyph::Run ? icon(glyph, canvas_style().done) : icon(glyph));
}

void MainWindow::guarded(const std::function<void()>& act) {
    try {
        act();
    } catch (const gpu::Error& problem) {
        error(QString::fromUtf8(problem.what()));
    }
}

}  // namespace app
