// Whether a text parameter is a prompt: which text encoder reads it, and in which grammar.
#pragma once

#include <QStringList>
#include <optional>
#include <utility>
#include <vector>

#include "app/model/ids.h"
#include "nodes/core/document.h"
#include "nodes/types/prompt.h"

namespace app {

struct PromptUse {
    nodes::PromptDialect dialect = nodes::PromptDialect::Comfy;
    int steps = 20;          // of the sampler, for schedules
    bool lines = false;      // a prompt a line
    int tower = 0;           // of the encoder
    SocketId encoder;        // the output that the encoder comes from; empty: nothing is connected
    friend bool operator==(const PromptUse&, const PromptUse&) = default;
};

// A node type says which of its texts are prompts (nodes/core/prompt_texts.h); a text of another node is one where it goes into the
// input of such a node, through reroutes too. Nothing where it is no prompt.
std::optional<PromptUse> prompt_use(const nodes::Document& document, const NodeId& id, const std::string& param);

// Where a text calls learned words by their bare names, as the a1111 and plain dialects do: whole words, the longest name where several
// fit, whatever the case. Places and lengths, in order.
std::vector<std::pair<qsizetype, qsizetype>> bare_names(const QString& text, const QStringList& names);

}  // namespace app
