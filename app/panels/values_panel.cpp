#include "app/panels/values_panel.h"

#include <QHeaderView>

#include "app/canvas/style.h"
#include "app/model/tensor_facts.h"

namespace app {
namespace {

QString number(double value) { return QString::number(value, 'g', 5); }

}  // namespace

ValuesPanel::ValuesPanel(GraphModel& model, RunController& runs, QWidget* parent) : QTreeWidget(parent), runs_(runs) {
    setObjectName(QStringLiteral("values"));
    setAccessibleName(tr("Values of the selected node"));
    setHeaderLabels({tr("Output"), tr("Tensor"), tr("Shape"), tr("Type"), tr("Least"), tr("Largest"), tr("Mean"), tr("Deviation"), tr("NaN"), tr("Infinite")});
    setRootIsDecorated(false);
    setUniformRowHeights(true);
    header()->setDefaultSectionSize(86);
    setColumnWidth(2, 130);
    connect(&model, &GraphModel::reset, this, [this] { show_node({}); });
    connect(&model, &GraphModel::node_renamed, this, [this](const NodeId& from, const NodeId& to) {
        if (from == node_) node_ = to;
    });
    connect(&runs_, &RunController::values_changed, this, [this](const NodeId& id) {
        if (id == node_) refresh();
    });
}

void ValuesPanel::show_node(const NodeId& id) {
    node_ = id;
    refresh();
}

void ValuesPanel::showEvent(QShowEvent* event) {
    QTreeWidget::showEvent(event);
    refresh();
}

// Numbers are read only while somebody sees them.
void ValuesPanel::refresh() {
    if (!isVisible()) return;
    struct Row {
        QString socket, summary;
        std::vector<TensorFacts> tensors;
    };
    const auto values = node_.empty() ? std::vector<OutputValue>() : runs_.values(node_);
    task_.start(
        [values] {
            std::vector<Row> rows;
            for (const OutputValue& value : values) rows.push_back({qt(value.socket), qt(value.value.summary()), tensor_facts(value.value)});
            return rows;
        },
        [this](const std::vector<Row>& rows) {
            clear();
            for (const Row& row : rows) {
                if (row.tensors.empty()) new QTreeWidgetItem(this, {row.socket, {}, row.summary});
                for (const TensorFacts& facts : row.tensors) {
                    QStringList cells{row.socket, qt(facts.name), qt(facts.shape), qt(facts.dtype)};
                    if (facts.read)
                        cells << number(facts.min) << number(facts.max) << number(facts.mean) << number(facts.deviation) << QString::number(facts.nans)
                              << QString::number(facts.infinities);
                    auto* item = new QTreeWidgetItem(this, cells);  // the tree owns it
                    item->setToolTip(0, row.summary);
                    if (facts.nans) item->setForeground(8, canvas_style().failed);
                    if (facts.infinities) item->setForeground(9, canvas_style().failed);
                }
            }
        });
}

}  // namespace app
