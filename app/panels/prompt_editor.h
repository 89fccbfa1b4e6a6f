// Texts of several lines; of prompts (app/model/prompt_use.h) it shows the grammar and counts the tokens.
#pragma once

#include <QLabel>
#include <QPlainTextEdit>

#include "app/model/latest_task.h"
#include "app/model/prompt_use.h"
#include "app/model/run_controller.h"
#include "app/panels/param_editor.h"

namespace app {

// Marks are those of the prompt parser, for the dialect of the node that reads the prompt. Ctrl+Up and Ctrl+Down change the weight of
// what is selected, or of the word at the cursor, by 0.1, an undo step each. Tokens are counted in a worker thread: with the tokenizer of
// the encoder that is connected where a run has loaded it, else with a vocabulary at hand, as an estimate.
class PromptEditor final : public ParamEditor {
    Q_OBJECT

public:
    PromptEditor(const nodes::ParamInfo& info, GraphModel& model, RunController& runs, NodeId node);

    void show_value(const QJsonValue& value) override;
    QPlainTextEdit* text() const { return text_; }
    QLabel* count() const { return count_; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    struct Count;
    void follow();  // the graph around the node, or what is known of it, has changed
    void change_weight(double by);
    void mark();
    void recount();
    void show_count(const Count& count);

    GraphModel& model_;
    RunController& runs_;
    NodeId node_;
    QPlainTextEdit* text_;
    QLabel* count_;
    std::optional<PromptUse> use_;
    nodes::Value encoder_;  // that counts; empty: not known
    LatestTask task_;
};

}  // namespace app
