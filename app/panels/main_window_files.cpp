// Opening, saving and closing: what may never lose anybody's work.
#include <QApplication>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QMimeData>
#include <QSettings>

#include "app/model/apart.h"
#include "app/panels/main_window.h"
#include "gpu/base/error.h"
#include "nodes/interchange/loader.h"
#include "nodes/interchange/open_graph.h"

namespace app {
namespace {

constexpr int max_recent = 10;
constexpr int max_given = 500;
const QString recent_key = QStringLiteral("recent");
const QString given_key = QStringLiteral("given_files");

QString file_filter() {
    return MainWindow::tr("Graphs (*.heddle *.json *.png *.jpg *.exr *.tif *.tiff);;All files (*)");
}

// Whether saving may go back to this file: not where the graph came out of a picture or was translated.
bool is_own_file(const QString& path, const nodes::OpenedGraph& opened) {
    QFile file(path);
    char first = 0;
    return !opened.report && file.open(QIODevice::ReadOnly) && file.getChar(&first) && (first == '{' || std::isspace(static_cast<unsigned char>(first)));
}

// A pipe or a device: reading it might never end.
bool has_no_end(const QString& path) {
    const QFileInfo file(path);
    return file.exists() && !file.isFile() && !file.isDir();
}

// What a translation could not carry over, in a line.
QString report_text(const nodes::ComfyReport& report) {
    QStringList missing;
    for (const auto& entry : report.entries)
        if (entry.fate == nodes::ComfyFate::Placeholder) missing << qt(entry.type);
    missing.removeDuplicates();
    QString text = MainWindow::tr("Translated from another program.");
    if (!missing.isEmpty()) text += " " + MainWindow::tr("Without counterpart, kept as they are: %1.").arg(missing.join(", "));
    return text;
}

}  // namespace

// While a file is read or written, see apart(): one at a time, and the window stays.
class MainWindow::FileUse {
public:
    explicit FileUse(MainWindow& window) : window_(window) {
        if (window.file_in_use_) throw gpu::Error(gpu::ErrorCode::Failure, tr("another file is being opened or saved").toStdString());
        window.file_in_use_ = true;
    }
    ~FileUse() { window_.file_in_use_ = false; }

private:
    Q_DISABLE_COPY_MOVE(FileUse)
    MainWindow& window_;
};

nodes::OpenedGraph MainWindow::read_graph(const QString& path) {
    const FileUse use(*this);
    return apart([path = path.toStdString()] { return nodes::open_graph(path); });
}

bool MainWindow::open_file(const QString& path) {
    if (has_no_end(path)) {
        error(tr("Could not open %1: expected a file, it is a pipe or a device").arg(QFileInfo(path).fileName()));
        return false;
    }
    try {
        return show_graph(path, read_graph(path));  // read first: a bad file asks nothing
    } catch (const std::exception& problem) {
        error(tr("Could not open %1: %2").arg(QFileInfo(path).fileName(), QString::fromUtf8(problem.what())));
        return false;
    }
}

bool MainWindow::show_graph(const QString& path, const nodes::OpenedGraph& opened) {
    if (!may_discard()) return false;
    model_.set_document(is_own_file(path, opened) ? opened.document : opened.document.with_path({}));
    bar_->clear();
    note_file_time();
    remember(path);
    view_->frame_all();
    if (opened.report) {
        bar_->show_message(MessageBar::Level::Note, report_text(*opened.report));
        return true;
    }
    if (model_.document().format() > nodes::document_format)
        error(
            tr("A newer Heddle wrote this file. What this one does not know is kept as it is; saving will ask first."));
    else if (model_.checking())
        connect(&model_, &GraphModel::problems_changed, this, &MainWindow::tell_unknown_type, Qt::SingleShotConnection);
    else
        tell_unknown_type();
    return true;
}

void MainWindow::tell_unknown_type() {
    const auto problem = std::ranges::find(model_.problems(), nodes::ProblemKind::UnknownType, &nodes::Problem::kind);
    if (problem != model_.problems().end()) error(qt(problem->text()));
}

bool MainWindow::new_file() {
    if (!may_discard()) return false;
    model_.clear();
    bar_->clear();
    file_time_ = {};
    view_->frame_all();
    return true;
}

void MainWindow::choose_file() {
    const QString path =
        QFileDialog::getOpenFileName(this, tr("Open"), QFileInfo(model_.path()).absolutePath(), file_filter());
    if (!path.isEmpty()) open_file(path);
}

bool MainWindow::save() {
    if (model_.path().isEmpty()) return save_as();
    const QFileInfo file(model_.path());
    const auto yes_no = QMessageBox::Save | QMessageBox::Cancel;
    if (model_.document().format() > nodes::document_format &&
        question_(tr("%1 was written by a newer Heddle. Save over it?").arg(file.fileName()), yes_no) !=
            QMessageBox::Save)
        return false;
    if (file_time_.isValid() && file.exists() && file.lastModified() != file_time_ &&
        question_(tr("%1 was changed by another program since it was opened. Save over it?").arg(file.fileName()),
                  yes_no) != QMessageBox::Save)
        return false;
    return save_to(model_.path());
}

bool MainWindow::save_as() {
    const QString start = model_.path().isEmpty() ? tr("untitled.heddle") : model_.path();
    QString path = QFileDialog::getSaveFileName(this, tr("Save As"), start, file_filter());
    if (path.isEmpty()) return false;
    // The dialog asked about the name that was typed, so an ending is only added where that makes a new file.
    if (QFileInfo(path).suffix().isEmpty() && !QFileInfo::exists(path + ".heddle")) path += QStringLiteral(".heddle");
    return save_to(path);
}

bool MainWindow::save_to(const QString& path) {
    try {
        const FileUse use(*this);
        model_.save_as(path);
    } catch (const std::exception& problem) {
        error(tr("Could not save %1: %2").arg(QFileInfo(path).fileName(), QString::fromUtf8(problem.what())));
        return false;
    }
    note_file_time();
    remember(path);
    status_->setText(tr("Saved %1").arg(QFileInfo(path).fileName()));
    return true;
}

void MainWindow::note_file_time() {
    const QFileInfo file(model_.path());
    file_time_ = file.exists() ? file.lastModified() : QDateTime();
}

bool MainWindow::may_discard() {
    if (!model_.dirty()) return true;
    const QString name = model_.path().isEmpty() ? tr("the new graph") : QFileInfo(model_.path()).fileName();
    switch (question_(tr("Save the changes to %1 first?").arg(name),
                      QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel)) {
        case QMessageBox::Save: return save();
        case QMessageBox::Discard: return true;
        default: return false;
    }
}

bool MainWindow::may_end_runs() {
    if (!queue_.busy()) return true;
    const int waiting = queue_.waiting();
    const QString text = waiting == 0 ? tr("A run is not done yet. Close and end it?") : tr("A run is not done yet. Waiting: %1. Close and end them?").arg(waiting);
    return question_(text, QMessageBox::Discard | QMessageBox::Cancel) == QMessageBox::Discard;
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (file_in_use_ || !may_end_runs() || !may_discard()) return event->ignore();
    queue_.clear();
    runs_.cancel();
    event->accept();
}

void MainWindow::keep_unsaved(const QString& folder) {
    autosave_ = std::make_unique<Autosave>(model_, folder);
    const std::vector<LeftBehind> left = Autosave::left_behind(folder);
    if (left.empty()) return;
    const QString name = left.front().path.isEmpty() ? tr("A graph that was never saved") : QFileInfo(left.front().path).fileName();
    bar_->ask(tr("%1 has changes from before the program ended unexpectedly").arg(name), tr("Restore"), [this, one = left.front()] {
        if (!may_discard()) return;
        restore(one);
    });
}

// As a change to what the file holds, so that it counts as unsaved and one undo shows the file.
void MainWindow::restore(const LeftBehind& left) {
    guarded([&] {
        nodes::Document base;
        try {
            if (!left.path.isEmpty()) base = read_graph(left.path).document;
        } catch (const std::exception&) {      // the file is gone: the name stays
        }
        model_.set_document(base.with_path(left.path.toStdString()));
        model_.replace(left.document, tr("Restore"));
        Autosave::forget(left);
        note_file_time();
        view_->frame_all();
    });
}

// --- recent files, dropped files ---

void MainWindow::remember(const QString& path) {
    QSettings settings;
    QStringList paths = settings.value(recent_key).toStringList();
    const QString absolute = QFileInfo(path).absoluteFilePath();
    paths.removeAll(absolute);
    paths.prepend(absolute);
    settings.setValue(recent_key, QStringList(paths.mid(0, max_recent)));
}

void MainWindow::allow(const QStringList& paths) {
    allowed_ = paths;
    runs_.set_allowed(paths);
}

void MainWindow::remember_given(const QStringList& more) {
    QSettings settings;
    QStringList paths = settings.value(given_key).toStringList();
    QStringList given = more;
    for (const std::string& name : model_.given_files())
        if (const QFileInfo file(qt(name)); file.isAbsolute() && !file.isDir()) given.push_back(file.filePath());
    for (const QString& path : given) {
        paths.removeAll(path);
        paths.prepend(path);
    }
    paths = paths.mid(0, max_given);
    settings.setValue(given_key, paths);
    runs_.set_allowed(allowed_ + paths);
}

void MainWindow::fill_recent() {
    recent_->clear();
    for (const QString& path : QSettings().value(recent_key).toStringList())
        connect(recent_->addAction(path), &QAction::triggered, this, [this, path] { open_file(path); });
    if (recent_->isEmpty()) recent_->addAction(tr("No files yet"))->setEnabled(false);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    const auto urls = event->mimeData()->urls();
    const QPointF at = view_->mapToScene(view_->viewport()->mapFromGlobal(mapToGlobal(event->position().toPoint())));
    for (const QUrl& url : urls)
        if (url.isLocalFile()) drop_file(url.toLocalFile(), at);
}

void MainWindow::drop_file(const QString& path, QPointF at) {
    guarded([&] {
        if (file_in_use_ || has_no_end(path)) return static_cast<void>(open_file(path));  // says why not
        std::optional<nodes::OpenedGraph> graph;
        try {
            graph = read_graph(path);
        } catch (const std::exception&) {  // no graph: perhaps something that a node reads
        }
        if (graph) {
            show_graph(path, *graph);
            return;
        }
        const nodes::Loader loader = nodes::loader_for(path.toStdString());
        if (loader.type.empty()) {
            const QString what = loader.title.empty() ? QString() : QStringLiteral(": ") + qt(loader.title);
            error(tr("No node reads %1%2").arg(QFileInfo(path).fileName(), what));
            return;
        }
        model_.undo_stack().beginMacro(tr("Drop %1").arg(QFileInfo(path).fileName()));
        const NodeId made = model_.add_node(loader.type, at);
        model_.set_param(made, loader.param, path);
        model_.undo_stack().endMacro();
        scene_.select({made});
    });
}

}  // namespace app
