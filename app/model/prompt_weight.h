// Changing the weight of words in a prompt: "(red heart:1.1)".
#pragma once

#include <QString>
#include <optional>

#include "nodes/types/prompt.h"

namespace app {

// What stands in the place of a piece of the prompt, and what is selected then, in the new text.
struct PromptEdit {
    qsizetype at = 0, length = 0;
    QString text;
    qsizetype select = 0, select_length = 0;
};

// Adds `by` to the weight of what is selected, [from, to): writes brackets and a number around it, changes the number of those that
// are there, and takes them away where the weight comes to 1. Without a selection it means the brackets that the cursor is in, else the
// word at the cursor. Nothing where there is no word, and in the plain dialect, which has no weights.
std::optional<PromptEdit> change_weight(const QString& prompt, qsizetype from, qsizetype to, double by, nodes::PromptDialect dialect);

}  // namespace app
