// The selected node's parameters as widgets made from its declaration.
#pragma once

#include <QLabel>
#include <QLineEdit>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/model/run_controller.h"
#include "app/panels/param_editor.h"

namespace app {

class SchedulePlot;

class ParamPanel : public QScrollArea {
    Q_OBJECT

public:
    ParamPanel(GraphModel& model, RunController& runs, QWidget* parent = nullptr);

    // Which node; an empty id shows a hint. Several selected nodes are shown as their number.
    void show_node(const NodeId& id);
    void show_count(int nodes);
    const NodeId& node() const { return node_; }
    ParamEditor* editor(const std::string& param) const;  // null when there is none
    SchedulePlot* plot() const { return plot_; }          // of the node's results; null without a node
    void rebuild();                                       // after a change of theme

signals:
    void message(const QString& text);  // why an edit was refused
    // An editor wants a colour from the picture; null: it does no more.
    void pick_wanted(app::ParamEditor* editor);

private:
    struct Row {
        QLabel* label;
        ParamEditor* editor;
        QToolButton* reset;
        QLineEdit* expression = nullptr;  // of numbers: in the editor's place where they are computed
    };
    void build();
    void build_header(QVBoxLayout* layout);
    void build_params(QVBoxLayout* layout);
    void add_expression(Row& row, const nodes::ParamInfo& info, QHBoxLayout* line);
    void refresh();
    void refresh_problem();
    void refresh_plot();

    GraphModel& model_;
    RunController& runs_;
    NodeId node_;
    nodes::Document shown_;  // as it was when the editors were made
    int count_ = 0;
    std::map<std::string, Row> rows_;
    QLabel* problem_ = nullptr;
    QLineEdit* name_ = nullptr;
    SchedulePlot* plot_ = nullptr;
};

}  // namespace app
