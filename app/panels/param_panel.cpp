#include "app/panels/param_panel.h"

#include <QHBoxLayout>

#include "app/canvas/style.h"
#include "app/panels/curve_editor.h"
#include "app/panels/drawn_editor.h"
#include "app/panels/icons.h"
#include "app/panels/preset_menu.h"
#include "app/panels/prompt_editor.h"
#include "app/panels/schedule_plot.h"
#include "nodes/core/expression.h"
#include "nodes/core/lists.h"

namespace app {
namespace {

constexpr int label_width = 92;

QLabel* dim_label(const QString& text) {
    auto* label = new QLabel(text);
    label->setObjectName(QStringLiteral("dim"));
    label->setWordWrap(true);
    return label;
}

}  // namespace

ParamPanel::ParamPanel(GraphModel& model, RunController& runs, QWidget* parent)
    : QScrollArea(parent), model_(model), runs_(runs) {
    setObjectName(QStringLiteral("parameters"));
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFrameShape(NoFrame);
    connect(&model_, &GraphModel::reset, this, [this] { show_node({}); });
    connect(&model_, &GraphModel::level_changed, this, [this] { show_node({}); });
    connect(&model_, &GraphModel::node_removed, this, [this](const NodeId& id) {
        if (id == node_) show_node({});
    });
    connect(&model_, &GraphModel::node_renamed, this, [this](const NodeId& from, const NodeId& to) {
        if (from != node_) return;
        node_ = to;
        name_->setText(qt(to));
    });
    connect(&model_, &GraphModel::node_changed, this, [this](const NodeId& id) {
        if (id == node_) refresh();
    });
    connect(&model_, &GraphModel::edited, this, [this] {      // another declaration: a subgraph was changed
        if (model_.contains(node_) && shown_.contains(node_) && shown_.type_of(node_) != model_.declaration(node_)) build();
    });
    connect(&model_, &GraphModel::problems_changed, this, &ParamPanel::refresh_problem);
    connect(&runs_, &RunController::status_changed, this, [this](const NodeId& id) {
        if (id == node_) refresh_problem();
    });
    connect(&runs_, &RunController::values_changed, this, [this](const NodeId& id) {
        if (id == node_) refresh_plot();
    });
    build();
}

void ParamPanel::show_node(const NodeId& id) {
    const NodeId wanted = model_.contains(id) ? id : NodeId();
    if (wanted == node_ && count_ == 0 && !wanted.empty()) return;
    node_ = wanted;
    count_ = 0;
    build();
}

void ParamPanel::show_count(int nodes) {
    node_.clear();
    count_ = nodes;
    build();
}

void ParamPanel::rebuild() { build(); }

ParamEditor* ParamPanel::editor(const std::string& param) const {
    const auto at = rows_.find(param);
    return at == rows_.end() ? nullptr : at->second.editor;
}

void ParamPanel::build() {
    rows_.clear();
    emit pick_wanted(nullptr);
    problem_ = nullptr;
    name_ = nullptr;
    plot_ = nullptr;
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(14, 12, 14, 12);
    layout->setSpacing(8);
    if (node_.empty()) {
        layout->addWidget(dim_label(count_ > 1 ? tr("%n nodes selected", nullptr, count_)
                                               : tr("Select a node to see its parameters.")));
    } else {
        build_header(layout);
        plot_ = new SchedulePlot;
        layout->addWidget(plot_);
        build_params(layout);
        refresh_plot();
    }
    layout->addStretch(1);
    if (QWidget* former = takeWidget()) former->deleteLater();  // may be the sender of what brought us here
    setWidget(content);
    if (!node_.empty()) refresh();
}

void ParamPanel::build_header(QVBoxLayout* layout) {
    const NodeLook look = model_.look(node_);
    auto* title = new QLabel(look.title);
    title->setObjectName(QStringLiteral("node_title"));
    layout->addWidget(title);
    if (!look.help.isEmpty()) layout->addWidget(dim_label(look.help));
    problem_ = new QLabel;
    problem_->setObjectName(QStringLiteral("problem"));
    problem_->setWordWrap(true);
    problem_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(problem_);
    layout->addSpacing(4);

    auto* row = new QHBoxLayout;
    row->setSpacing(6);
    auto* label = new QLabel(tr("Name"));
    label->setFixedWidth(label_width);
    label->setToolTip(tr("How the document and --set call this node: letters, digits, '_' and '-'"));
    name_ = new QLineEdit(qt(node_));
    name_->setObjectName(QStringLiteral("node_name"));
    name_->setAccessibleName(tr("Name"));
    connect(name_, &QLineEdit::editingFinished, this, [this, line = name_] {
        if (line != name_) return;  // on its way out: another node is shown
        if (const QString refusal = model_.rename(node_, name_->text()); !refusal.isEmpty()) {
            emit message(refusal);
            name_->setText(qt(node_));
        }
    });
    row->addWidget(label);
    row->addWidget(name_, 1);
    auto* presets = new QToolButton;  // where parameters have their reset button
    presets->setObjectName(QStringLiteral("presets"));
    presets->setToolTip(tr("Presets: values saved under a name"));
    presets->setArrowType(Qt::DownArrow);
    presets->setPopupMode(QToolButton::InstantPopup);
    presets->setAutoRaise(true);
    presets->setFixedSize(22, 22);
    presets->setMenu(new QMenu(presets));
    fill_with_presets(presets->menu(), model_, this, [this] { return node_; }, [this](const QString& why) { emit message(why); });
    row->addWidget(presets);
    layout->addLayout(row);
}

void ParamPanel::build_params(QVBoxLayout* layout) {
    // The declaration of a subgraph belongs to a document: this one lives as long as the editors that refer to it.
    shown_ = model_.document();
    const nodes::Node* type = shown_.contains(node_) ? shown_.type_of(node_) : nullptr;
    if (!type) return;
    const QString folder = qt(model_.document().folder());
    for (const bool advanced : {false, true})
        for (const nodes::ParamInfo& info : type->params()) {
            if (info.advanced != advanced) continue;
            const bool drawn = is_drawn(*type, info.name);
            const bool curve = is_curve(*type, info.name);
            ParamEditor* widget = curve            ? new CurveEditor(info)
                                  : drawn          ? make_drawn_editor(info).release()
                                  : info.multiline ? new PromptEditor(info, model_, runs_, node_)
                                                   : ParamEditor::make(info, folder).release();
            Row row{new QLabel(qt(info.label)), widget, new QToolButton};
            const QString range = qt(info.range());
            row.label->setToolTip(qt(info.help) + (range.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(range)));
            row.label->setFixedWidth(label_width);
            row.label->setWordWrap(true);
            row.editor->setToolTip(row.label->toolTip());
            row.editor->setAccessibleName(qt(info.label));
            row.editor->setObjectName(QStringLiteral("param_") + qt(info.name));
            row.reset->setIcon(icon(Glyph::Reset, canvas_style().dim_text));
            row.reset->setToolTip(
                tr("Back to %1")
                    .arg(qt(info.text(info.initial)).isEmpty() ? tr("empty") : qt(info.text(info.initial))));
            row.reset->setObjectName(QStringLiteral("reset_") + qt(info.name));
            QSizePolicy keeps = row.reset->sizePolicy();
            keeps.setRetainSizeWhenHidden(true);
            row.reset->setSizePolicy(keeps);
            row.reset->setFixedSize(22, 22);
            auto* line = new QHBoxLayout;
            line->setSpacing(6);
            if (curve || (info.multiline && !drawn)) {  // the text, or the curve, takes the whole width below its label
                auto* head = new QHBoxLayout;
                head->addWidget(row.label);
                head->addStretch(1);
                head->addWidget(row.reset);
                layout->addLayout(head);
                line->addWidget(row.editor, 1);
            } else {
                line->addWidget(row.label);
                line->addWidget(row.editor, 1);
                add_expression(row, info, line);
                line->addWidget(row.reset);
            }
            layout->addLayout(line);
            connect(row.editor, &ParamEditor::edited, this,
                    [this, &info, from = row.editor](const QJsonValue& value, Gesture gesture) {
                        if (editor(info.name) != from) return;  // on its way out: another node is shown
                        model_.set_param(node_, info.name, info.problem(value).empty() ? info.canonical(value) : value,
                                         gesture);
                    });
            connect(row.editor, &ParamEditor::pick_wanted, this, [this, from = row.editor](bool on) { emit pick_wanted(on ? from : nullptr); });
            connect(row.reset, &QToolButton::clicked, this,
                    [this, name = info.name] { model_.set_param(node_, name, QJsonValue(QJsonValue::Undefined)); });
            rows_.emplace(info.name, row);
        }
}

namespace {

// An output of a list that a text or a file may follow, for a start.
std::string some_list(const nodes::Document& document, bool file) {
    for (const std::string& id : document.node_ids())
        if (const nodes::ListNode* list = nodes::as_list(document.type_of(id)); list && list->role() == nodes::ListRole::Source)
            for (const nodes::SocketInfo& output : list->outputs())
                if (output.name == "path" || (!file && output.name == "text")) return "`" + id + "`." + output.name;
    return file ? "files.path" : "texts.text";
}

}  // namespace

// Numbers may be computed, and other parameters follow a list: a line with the expression takes the editor's place.
void ParamPanel::add_expression(Row& row, const nodes::ParamInfo& info, QHBoxLayout* line) {
    using Kind = nodes::ParamKind;
    const bool number = info.kind == Kind::Int || info.kind == Kind::Number || info.kind == Kind::Bool;
    if (!number && info.kind != Kind::Text && info.kind != Kind::Choice && info.kind != Kind::InputFile) return;
    row.expression = new QLineEdit;
    row.expression->setObjectName(QStringLiteral("expression_") + qt(info.name));
    row.expression->setAccessibleName(tr("Expression of %1").arg(qt(info.label)));
    row.expression->setToolTip(number ? tr("Computed: numbers, + - * / % ^, min, max, round and others, and parameters and lists as NODE.name")
                                      : tr("An output of a list, as NODE.name"));
    line->addWidget(row.expression, 1);
    connect(row.expression, &QLineEdit::editingFinished, this, [this, name = info.name, edit = row.expression] {
        const auto at = rows_.find(name);
        if (at == rows_.end() || at->second.expression != edit) return;  // on its way out
        const QString text = edit->text().trimmed();
        model_.set_param(node_, name, text.isEmpty() ? QJsonValue(QJsonValue::Undefined) : nodes::expression_value(text.toStdString()));
    });
    auto* compute = new QAction(number ? tr("Compute by an Expression") : tr("Follow a List"), row.label);
    compute->setObjectName(QStringLiteral("compute_") + qt(info.name));
    connect(compute, &QAction::triggered, this, [this, &info, number] {
        const QJsonValue value = model_.param(node_, info.name);
        const auto text = [&] { return value.isBool() ? (value.toBool() ? "1" : "0") : info.text(value); };
        if (!nodes::expression_of(value)) model_.set_param(node_, info.name, nodes::expression_value(number ? text() : some_list(model_.document(), info.kind == Kind::InputFile)));
    });
    row.label->addAction(compute);
    row.label->setContextMenuPolicy(Qt::ActionsContextMenu);
}

void ParamPanel::refresh() {
    for (auto& [name, row] : rows_) {
        const auto expression = nodes::expression_of(model_.param(node_, name));
        if (row.expression) {
            row.expression->setVisible(expression.has_value());
            row.editor->setVisible(!expression.has_value());
            if (expression && row.expression->text() != qt(*expression)) row.expression->setText(qt(*expression));
        }
        if (!expression) row.editor->show_value(model_.param(node_, name));
        row.reset->setVisible(model_.param_is_set(node_, name));
    }
    refresh_problem();
}

void ParamPanel::refresh_plot() {
    if (!plot_) return;
    std::vector<nodes::Value> values;
    for (const OutputValue& output : runs_.values(node_)) values.push_back(output.value);
    plot_->show_values(values);
}

void ParamPanel::refresh_problem() {
    if (!problem_) return;
    QString text;
    const auto at = [](const std::string& socket) {
        return socket.empty() ? QString() : qt(socket) + QStringLiteral(": ");
    };
    const NodeStatus status = runs_.status(node_);
    if (status.state == nodes::NodeState::Failed && !status.stale)
        text = at(status.socket) + status.message;
    else if (const auto problem = model_.worst_problem(node_))
        text = at(problem->socket) + qt(problem->message);
    problem_->setText(text);
    problem_->setVisible(!text.isEmpty());
}

}  // namespace app
