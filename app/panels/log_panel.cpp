#include "app/panels/log_panel.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLocale>
#include <QShortcut>
#include <QSplitter>
#include <QTime>
#include <QVBoxLayout>

#include "app/canvas/style.h"

namespace app {
namespace {

constexpr int max_lines = 2000;  // older ones go

QColor colour_of(LogPanel::Level level) {
    switch (level) {
        case LogPanel::Level::Good: return canvas_style().done;
        case LogPanel::Level::Warning: return canvas_style().warning;
        case LogPanel::Level::Error: return canvas_style().failed;
        case LogPanel::Level::Note: break;
    }
    return canvas_style().text;
}

QString time_text(double ms) {
    return ms < 1000 ? LogPanel::tr("%1 ms").arg(qRound(ms)) : LogPanel::tr("%1 s").arg(ms / 1000, 0, 'f', 2);
}

}  // namespace

LogPanel::LogPanel(GraphModel& model, RunController& runs, QWidget* parent)
    : QWidget(parent), messages_(new QListWidget), metrics_(new QTreeWidget) {
    messages_->setObjectName(QStringLiteral("messages"));
    messages_->setAccessibleName(tr("Messages"));
    messages_->setSelectionMode(QAbstractItemView::ExtendedSelection);
    messages_->setWordWrap(true);
    metrics_->setObjectName(QStringLiteral("metrics"));
    metrics_->setAccessibleName(tr("Metrics"));
    metrics_->setHeaderLabels({tr("Node"), tr("Metric"), tr("Value")});
    metrics_->setRootIsDecorated(false);
    metrics_->setColumnWidth(0, 110);
    metrics_->setColumnWidth(1, 90);
    auto* splitter = new QSplitter(Qt::Horizontal, this);
    splitter->addWidget(messages_);
    splitter->addWidget(metrics_);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 2);
    splitter->setSizes({600, 320});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(6, 4, 6, 4);
    layout->addWidget(splitter);

    connect(messages_, &QListWidget::itemDoubleClicked, this, [this](const QListWidgetItem* item) {
        if (const QString node = item->data(Qt::UserRole).toString(); !node.isEmpty())
            emit node_wanted(node.toStdString());
    });
    auto* copy = new QShortcut(QKeySequence::Copy, messages_, nullptr, nullptr, Qt::WidgetShortcut);
    connect(copy, &QShortcut::activated, this, [this] {
        QStringList lines;
        for (const QListWidgetItem* item : messages_->selectedItems()) lines.push_back(item->text());
        QGuiApplication::clipboard()->setText(lines.join('\n'));
    });

    connect(&model, &GraphModel::reset, this, [this] { metrics_->clear(); });
    connect(&runs, &RunController::run_started, this, [this] { metrics_->clear(); });
    connect(&runs, &RunController::metric, this, &LogPanel::add_metric);
    connect(&runs, &RunController::wrote, this, [this](const NodeId& node, const QString& path, quint64 bytes) {
        add(Level::Good, tr("Wrote %1 (%2)").arg(path, QLocale().formattedDataSize(static_cast<qint64>(bytes))), node);
    });
    connect(&runs, &RunController::warned, this,
            [this](const NodeId& node, const QString& text) { add(Level::Warning, qt(node) + ": " + text, node); });
    connect(&runs, &RunController::failed, this,
            [this](const NodeId& node, const std::string& socket, const QString& text) {
                const QString at = node.empty() ? tr("Run") : socket.empty() ? qt(node) : qt(node + "." + socket);
                add(Level::Error, at + ": " + text, node);
            });
    connect(&runs, &RunController::finished, this,
            [this](nodes::RunStatus status, double ms, const QStringList& problems) {
                switch (status) {
                    case nodes::RunStatus::Done: return add(Level::Note, tr("Run done in %1").arg(time_text(ms)));
                    case nodes::RunStatus::Partial:
                        return add(Level::Warning, tr("Run done in part, in %1").arg(time_text(ms)));
                    case nodes::RunStatus::Failed:
                        return add(Level::Error, tr("Run failed after %1").arg(time_text(ms)));
                    case nodes::RunStatus::Cancelled: return add(Level::Note, tr("Run cancelled"));
                    case nodes::RunStatus::Invalid: break;
                }
                add(Level::Error, tr("Nothing ran: the graph has errors"));
                for (const QString& problem : problems) add(Level::Error, problem);
            });
}

void LogPanel::add(Level level, const QString& text, const NodeId& node) {
    auto* item = new QListWidgetItem(QTime::currentTime().toString(QStringLiteral("hh:mm:ss   ")) + text, messages_);
    item->setForeground(colour_of(level));
    item->setData(Qt::UserRole, qt(node));
    while (messages_->count() > max_lines) delete messages_->takeItem(0);
    messages_->scrollToBottom();
}

void LogPanel::add_metric(const NodeId& node, const QString& name, double value, const QString& unit) {
    auto* row = new QTreeWidgetItem(metrics_);  // the tree owns it
    row->setText(0, qt(node));
    row->setText(1, name);
    row->setText(2, QString::number(value, 'g', 6) + (unit.isEmpty() ? QString() : " " + unit));
}

}  // namespace app
