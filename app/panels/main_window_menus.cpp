// The window's menus: every command of the editor, with its keys.
#include <QActionGroup>
#include <QClipboard>
#include <QDockWidget>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMenuBar>
#include <QMimeData>

#include "app/panels/device_menu.h"
#include "app/panels/icons.h"
#include "app/panels/main_window.h"
#include "app/panels/theme_choice.h"
#include "gpu/base/error.h"

namespace app {
namespace {

constexpr auto fragment_mime = "application/x-heddle-graph";

}  // namespace

QAction* MainWindow::add_action(QMenu* menu, const char* name, const QString& text, const QKeySequence& keys,
                                std::function<void()> act) {
    auto* made = menu->addAction(text);
    made->setObjectName(QString::fromLatin1(name));
    made->setShortcut(keys);
    if (!keys.isEmpty())
        made->setToolTip(
            QStringLiteral("%1 (%2)").arg(QString(text).remove('&'), keys.toString(QKeySequence::NativeText)));
    connect(made, &QAction::triggered, this, [this, act = std::move(act)] { guarded(act); });
    return made;
}

QAction* MainWindow::action(const char* name) const { return findChild<QAction*>(QString::fromLatin1(name)); }

void MainWindow::build_menus() {
    build_file_menu();
    build_edit_menu();
    build_run_menu();
    build_view_menu();
    QMenu* help = menuBar()->addMenu(tr("&Help"));
    add_action(help, "reference", tr("&Documentation of the Node"), QKeySequence(Qt::Key_F1), [this] { show_reference(); });
}

void MainWindow::build_file_menu() {
    QMenu* menu = menuBar()->addMenu(tr("&File"));
    add_action(menu, "new", tr("&New"), QKeySequence::New, [this] { new_file(); });
    add_action(menu, "open", tr("&Open..."), QKeySequence::Open, [this] { choose_file(); });
    recent_ = menu->addMenu(tr("Open &Recent"));
    connect(recent_, &QMenu::aboutToShow, this, &MainWindow::fill_recent);
    add_action(menu, "gallery", tr("&Examples"), {}, [this] { show_gallery(); });
    menu->addSeparator();
    add_action(menu, "save", tr("&Save"), QKeySequence::Save, [this] { save(); });
    add_action(menu, "save_as", tr("Save &As..."), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S),
               [this] { save_as(); });
    menu->addSeparator();
    add_action(menu, "quit", tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), [this] { close(); });
}

void MainWindow::build_edit_menu() {
    QMenu* menu = edit_menu_ = menuBar()->addMenu(tr("&Edit"));
    const auto stack_action = [&](QAction* made, const char* name, Glyph glyph, const QKeySequence& keys) {
        made->setObjectName(QString::fromLatin1(name));
        made->setIcon(icon(glyph));
        made->setShortcut(keys);
        menu->addAction(made);
    };
    QUndoStack& stack = model_.undo_stack();
    stack_action(stack.createUndoAction(this, tr("&Undo")), "undo", Glyph::Undo, QKeySequence::Undo);
    stack_action(stack.createRedoAction(this, tr("&Redo")), "redo", Glyph::Redo,
                 QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z));
    menu->addSeparator();
    add_action(menu, "add", tr("&Add Node..."), QKeySequence(Qt::SHIFT | Qt::Key_A), [this] {
        view_->open_search();
    })->setIcon(icon(Glyph::Add));
    add_action(menu, "cut", tr("Cu&t"), QKeySequence::Cut, [this] { cut(); });
    add_action(menu, "copy", tr("&Copy"), QKeySequence::Copy, [this] { copy(); });
    add_action(menu, "paste", tr("&Paste"), QKeySequence::Paste, [this] { paste(); });
    add_action(menu, "duplicate", tr("D&uplicate"), QKeySequence(Qt::CTRL | Qt::Key_D),
               [this] { scene_.select_made(model_.duplicate(scene_.selected_nodes())); });
    QAction* remove =
        add_action(menu, "delete", tr("&Delete"), QKeySequence(Qt::Key_Delete), [this] { scene_.remove_selection(); });
    remove->setShortcuts({QKeySequence(Qt::Key_Delete), QKeySequence(Qt::Key_Backspace)});
    menu->addSeparator();
    add_action(menu, "mute", tr("&Mute"), QKeySequence(Qt::CTRL | Qt::Key_M), [this] { toggle_mode(nodes::NodeMode::Muted); });
    add_action(menu, "bypass", tr("&Bypass"), QKeySequence(Qt::CTRL | Qt::Key_B), [this] { toggle_mode(nodes::NodeMode::Bypassed); });
    add_action(menu, "group", tr("Make Sub&graph"), QKeySequence(Qt::CTRL | Qt::Key_G),
               [this] { scene_.select({model_.group(scene_.selected_nodes())}); });
    add_action(menu, "ungroup", tr("Dissol&ve Subgraph"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_G), [this] {
        for (const NodeId& id : scene_.selected_nodes())
            if (model_.look(id).subgraph) scene_.select(model_.ungroup(id));
    });
    add_action(menu, "enter", tr("&Enter Subgraph"), QKeySequence(Qt::CTRL | Qt::Key_Down), [this] {
        if (const auto ids = scene_.selected_nodes(); ids.size() == 1) model_.enter(ids.front());
    });
    add_action(menu, "dissolve", tr("Delete and &Heal"), QKeySequence(Qt::CTRL | Qt::Key_Delete),
               [this] { model_.dissolve(scene_.selected_nodes()); });
    add_action(menu, "arrange", tr("A&rrange"), QKeySequence(Qt::Key_L), [this] { model_.arrange(scene_.sizes_of_selection()); });
    QMenu* align = menu->addMenu(tr("Ali&gn"));
    const auto align_action = [&](const char* name, const QString& text, Edge edge) {
        add_action(align, name, text, {}, [this, edge] { model_.align(scene_.sizes_of_selection(), edge); });
    };
    align_action("align_left", tr("&Left Edges"), Edge::Left);
    align_action("align_right", tr("&Right Edges"), Edge::Right);
    align_action("align_top", tr("&Top Edges"), Edge::Top);
    align_action("align_bottom", tr("&Bottom Edges"), Edge::Bottom);
    align_action("spread", tr("&Spread Evenly"), Edge::Spread);
    add_action(menu, "leave", tr("&Leave Subgraph"), QKeySequence(Qt::CTRL | Qt::Key_Up), [this] { model_.leave(); });
    menu->addSeparator();
    add_action(menu, "select_all", tr("Select &All"), QKeySequence::SelectAll,
               [this] { scene_.select(model_.node_ids()); });
}

void MainWindow::build_run_menu() {
    QMenu* menu = menuBar()->addMenu(tr("&Run"));
    QAction* run = add_action(menu, "run", tr("&Run"), QKeySequence(Qt::Key_F5), [this] { run_all(); });
    run->setShortcuts({QKeySequence(Qt::Key_F5), QKeySequence(Qt::CTRL | Qt::Key_Return)});
    run->setIcon(icon(Glyph::Run, canvas_style().done));
    add_action(menu, "run_selected", tr("Run &Selected"), QKeySequence(Qt::SHIFT | Qt::Key_F5),
               [this] { run_selected(); });
    QAction* pause = add_action(menu, "pause", tr("&Pause"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P), [this] { runs_.paused() ? runs_.resume() : runs_.pause(); });
    pause->setCheckable(true);
    pause->setIcon(icon(Glyph::Pause));
    connect(&runs_, &RunController::paused_changed, pause, &QAction::setChecked);
    add_action(menu, "cancel", tr("&Cancel"), QKeySequence(Qt::Key_Escape), [this] {
        runs_.cancel();
    })->setIcon(icon(Glyph::Stop));
    add_action(menu, "clear_queue", tr("C&lear Queue"), {}, [this] { queue_.clear(); });
    menu->addSeparator();
    menu->addMenu(new DeviceMenu(runs_, menu));
}

void MainWindow::build_view_menu() {
    QMenu* menu = view_menu_ = menuBar()->addMenu(tr("&View"));
    QAction* all =
        add_action(menu, "frame_all", tr("Frame &All"), QKeySequence(Qt::Key_Home), [this] { view_->frame_all(); });
    all->setIcon(icon(Glyph::Frame));
    add_action(menu, "frame_selected", tr("&Frame Selected"), QKeySequence(Qt::Key_F),
               [this] { view_->frame_selection(); });
    const auto zoom = [this](qreal factor) { view_->zoom_by(factor, view_->viewport()->rect().center()); };
    add_action(menu, "zoom_in", tr("Zoom &In"), QKeySequence::ZoomIn, [zoom] { zoom(1.25); });
    add_action(menu, "zoom_out", tr("Zoom &Out"), QKeySequence::ZoomOut, [zoom] { zoom(0.8); });
    add_action(menu, "zoom_actual", tr("Actual &Size"), QKeySequence(Qt::CTRL | Qt::Key_0),
               [this, zoom] { zoom(1 / view_->scale_factor()); });
    menu->addSeparator();
    for (QDockWidget* dock : findChildren<QDockWidget*>()) menu->addAction(dock->toggleViewAction());
    menu->addSeparator();
    menu->addMenu(make_theme_menu(menu, [this] { restyle(); }));
}

// On again where all that is selected has the mode.
void MainWindow::toggle_mode(nodes::NodeMode mode) {
    const std::vector<NodeId> ids = scene_.selected_nodes();
    const bool all = std::ranges::all_of(ids, [&](const NodeId& id) { return model_.document().node(id).mode == mode; });
    model_.set_mode(ids, all ? nodes::NodeMode::On : mode);
}

void MainWindow::show_reference() {
    auto* dock = findChild<QDockWidget*>(QStringLiteral("dock_reference"));
    dock->show();
    dock->raise();
    const std::vector<NodeId> ids = scene_.selected_nodes();
    reference_->show_type(ids.size() == 1 ? model_.document().type_of(ids.front()) : nullptr);
    if (ids.size() != 1) reference_->search()->setFocus();
}

// --- the clipboard: a fragment is text, so that it can be pasted anywhere ---

void MainWindow::copy() {
    const QByteArray text = model_.copy(scene_.selected_nodes());
    if (text.isEmpty()) return;
    auto* data = new QMimeData;  // the clipboard owns it
    data->setData(QString::fromLatin1(fragment_mime), text);
    data->setText(QString::fromUtf8(text));
    QGuiApplication::clipboard()->setMimeData(data);
}

void MainWindow::cut() {
    copy();
    scene_.remove_selection();
}

void MainWindow::paste() {
    const QMimeData* data = QGuiApplication::clipboard()->mimeData();
    if (!data) return;
    const QByteArray text = data->hasFormat(QString::fromLatin1(fragment_mime))
                                ? data->data(QString::fromLatin1(fragment_mime))
                                : data->text().toUtf8();
    if (!text.trimmed().isEmpty()) scene_.select_made(model_.paste(text, view_->place_for_new()));
}

}  // namespace app
