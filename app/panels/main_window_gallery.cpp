// The start page in the place of the canvas; the panels make room for it.
#include <QDockWidget>
#include <QFileInfo>
#include <QSettings>
#include <QToolBar>
#include <QVBoxLayout>

#include "app/panels/gallery.h"
#include "app/panels/main_window.h"
#include "nodes/interchange/open_graph.h"

namespace app {

void MainWindow::show_gallery() {
    if (!gallery_) {
        gallery_ = new Gallery;
        static_cast<QVBoxLayout*>(centralWidget()->layout())->addWidget(gallery_, 1);
        connect(gallery_, &Gallery::new_wanted, this, [this] { if (new_file()) hide_gallery(); });
        connect(gallery_, &Gallery::open_wanted, this, &MainWindow::choose_file);
        connect(gallery_, &Gallery::file_wanted, this, &MainWindow::open_file);
        connect(gallery_, &Gallery::example_wanted, this, &MainWindow::open_example);
        connect(gallery_, &Gallery::closed, this, &MainWindow::hide_gallery);
        // Whatever comes into the document is to be seen.
        for (const auto signal : {&GraphModel::reset, &GraphModel::edited}) connect(&model_, signal, this, &MainWindow::hide_gallery);
    }
    QStringList there;
    for (const QString& path : QSettings().value(QStringLiteral("recent")).toStringList())
        if (QFileInfo(path).isFile()) there.push_back(path);
    gallery_->refresh(there);
    if (!view_->isHidden()) {
        put_away_.clear();
        for (QDockWidget* dock : findChildren<QDockWidget*>())
            if (!dock->isHidden()) put_away_.push_back(dock);
        for (QDockWidget* dock : put_away_) dock->hide();
    }
    view_->hide();
    gallery_->show();
    gallery_->setFocus();
}

void MainWindow::hide_gallery() {
    if (!gallery_ || gallery_->isHidden()) return;
    gallery_->hide();
    view_->show();
    for (QDockWidget* dock : std::exchange(put_away_, {})) dock->show();
    view_->setFocus();
    // The canvas gets its size from the layout after this.
    QMetaObject::invokeMethod(this, [this] { view_->frame_all(); }, Qt::QueuedConnection);
}

bool MainWindow::open_example(const QString& path) {
    try {
        const nodes::OpenedGraph opened = read_graph(path);
        if (!may_discard()) return false;
        model_.set_document(opened.document.with_path({}));  // a copy: saving asks where to
        file_time_ = {};
        bar_->clear();
        view_->frame_all();
        return true;
    } catch (const std::exception& problem) {
        error(tr("Could not open %1: %2").arg(QFileInfo(path).fileName(), QString::fromUtf8(problem.what())));
        return false;
    }
}

}  // namespace app
