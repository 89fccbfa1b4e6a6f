#include "app/panels/prompt_editor.h"

#include <QKeyEvent>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "app/canvas/style.h"
#include "app/model/prompt_weight.h"
#include "nodes/types/prompt_tokens.h"
#include "nodes/types/text.h"

namespace app {
namespace {

constexpr double weight_step = 0.1;
constexpr double strongest_tint = 0.5;  // opacity, of weights from twice and down to half on

using nodes::PromptMark;
using nodes::PromptMarkKind;

// Only what leaves the letters where they are.
QTextCharFormat format_of(const PromptMark& mark) {
    const Style& style = canvas_style();
    QTextCharFormat format;
    switch (mark.kind) {
        case PromptMarkKind::Weighted: {
            const double far = mark.weight > 0 ? std::min(1.0, std::abs(std::log2(mark.weight))) : 1;
            QColor tint = mark.weight > 1 ? style.warning : style.accent;
            tint.setAlphaF(static_cast<float>(strongest_tint * far));
            format.setBackground(tint);
            break;
        }
        case PromptMarkKind::Bracket:
        case PromptMarkKind::Number: format.setForeground(style.accent); break;
        case PromptMarkKind::Escape: format.setForeground(style.dim_text); break;
        case PromptMarkKind::Network:
            format.setForeground(style.dim_text);
            format.setFontStrikeOut(true);
            break;
        case PromptMarkKind::Break:
        case PromptMarkKind::And:
        case PromptMarkKind::Schedule: format.setForeground(style.done); break;
        case PromptMarkKind::Embedding:
            format.setForeground(style.done);
            format.setUnderlineStyle(QTextCharFormat::SingleUnderline);
            break;
    }
    return format;
}

// The prompts of a text, with the places where they begin.
std::vector<std::pair<qsizetype, QString>> prompts_of(const QString& text, bool lines) {
    if (!lines) return {{0, text}};
    std::vector<std::pair<qsizetype, QString>> all;
    qsizetype at = 0;
    for (const QString& line : text.split('\n')) {
        const QString kept = line.trimmed();  // as nodes::text_lines() does
        if (!kept.isEmpty()) all.emplace_back(at + line.indexOf(kept), kept);
        at += line.size() + 1;
    }
    return all;
}

}  // namespace

struct PromptEditor::Count {
    nodes::TokenCount tokens;
    bool known = false;     // by the encoder itself
    bool possible = false;
};

PromptEditor::PromptEditor(const nodes::ParamInfo& info, GraphModel& model, RunController& runs, NodeId node)
    : ParamEditor(info), model_(model), runs_(runs), node_(std::move(node)), text_(new QPlainTextEdit), count_(new QLabel) {
    text_->setTabChangesFocus(true);
    text_->setMinimumHeight(84);
    text_->setMaximumHeight(160);
    text_->installEventFilter(this);
    count_->setObjectName(QStringLiteral("dim"));
    count_->setAlignment(Qt::AlignRight);
    count_->setWordWrap(true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addWidget(text_);
    layout->addWidget(count_);
    connect(text_, &QPlainTextEdit::textChanged, this, [this] {
        mark();
        recount();
        emit edited(text_->toPlainText(), gesture());
    });
    connect(&model_, &GraphModel::node_renamed, this, [this](const NodeId& from, const NodeId& to) {
        if (from == node_) node_ = to;
    });
    connect(&model_, &GraphModel::edited, this, &PromptEditor::follow);
    connect(&runs_, &RunController::values_changed, this, [this](const NodeId& id) {
        if (use_ && id == use_->encoder.node) follow();
    });
    count_->hide();
    follow();
}

void PromptEditor::show_value(const QJsonValue& value) {
    if (text_->toPlainText() == value.toString()) return;
    {
        const QSignalBlocker quiet(text_);
        text_->setPlainText(value.toString());
    }
    mark();
    recount();
}

void PromptEditor::follow() {
    const auto use = prompt_use(model_.document(), node_, info().name);
    nodes::Value encoder;
    if (use && !use->encoder.empty())
        for (const OutputValue& value : runs_.values(use->encoder.node))
            if (value.socket == use->encoder.name) encoder = value.value;
    const bool same_encoder = encoder.get<nodes::Encoder>() == encoder_.get<nodes::Encoder>();
    if (use == use_ && same_encoder) return;
    use_ = use;
    encoder_ = encoder;
    text_->setAccessibleDescription(use_ ? tr("A prompt. Ctrl+Up and Ctrl+Down change the weight of the selected words.") : QString());
    mark();
    recount();
}

bool PromptEditor::eventFilter(QObject* watched, QEvent* event) {
    if (watched == text_ && use_ && (event->type() == QEvent::KeyPress || event->type() == QEvent::ShortcutOverride)) {
        const auto& key = static_cast<const QKeyEvent&>(*event);
        if ((key.modifiers() & ~Qt::KeypadModifier) == Qt::ControlModifier && (key.key() == Qt::Key_Up || key.key() == Qt::Key_Down)) {
            event->accept();  // the window has commands of its own on these keys
            if (event->type() == QEvent::KeyPress) change_weight(key.key() == Qt::Key_Up ? weight_step : -weight_step);
            return true;
        }
    }
    return ParamEditor::eventFilter(watched, event);
}

void PromptEditor::change_weight(double by) {
    QTextCursor cursor = text_->textCursor();
    const QString text = text_->toPlainText();
    for (const auto& [at, prompt] : prompts_of(text, use_->lines)) {
        const qsizetype from = cursor.selectionStart() - at, to = cursor.selectionEnd() - at;
        if (from < 0 || to > prompt.size()) continue;
        const auto edit = app::change_weight(prompt, from, to, by, use_->dialect);
        if (!edit) return;
        begin_gesture();  // one undo step, whatever was typed just before
        cursor.setPosition(static_cast<int>(at + edit->at));
        cursor.setPosition(static_cast<int>(at + edit->at + edit->length), QTextCursor::KeepAnchor);
        cursor.insertText(edit->text);
        cursor.setPosition(static_cast<int>(at + edit->select));
        cursor.setPosition(static_cast<int>(at + edit->select + edit->select_length), QTextCursor::KeepAnchor);
        text_->setTextCursor(cursor);
        begin_gesture();
        return;
    }
}

void PromptEditor::mark() {
    QList<QTextEdit::ExtraSelection> marks;
    // The comfy dialect calls learned words by "embedding:name", which its grammar knows; the others by names that only the encoder knows.
    QStringList names;
    const auto* encoder = encoder_.get<nodes::Encoder>();
    if (use_ && use_->dialect != nodes::PromptDialect::Comfy && encoder)
        for (const nodes::TextEmbedding& embedding : encoder->embeddings())
            for (const std::string& name : embedding.names) names << qt(name);
    if (use_)
        for (const auto& [at, prompt] : prompts_of(text_->toPlainText(), use_->lines)) {
            std::vector<PromptMark> found = nodes::prompt_syntax(prompt, use_->dialect, use_->steps).marks;
            for (const auto& [from, length] : bare_names(prompt, names)) found.push_back({.at = from, .length = length, .kind = PromptMarkKind::Embedding});
            for (const PromptMark& mark : found) {
                const QTextCharFormat format = format_of(mark);
                // Neighbours that look alike are one: Qt 6.4 paints the second of them without its format.
                if (!marks.isEmpty() && marks.back().format == format && marks.back().cursor.position() == at + mark.at) {
                    marks.back().cursor.setPosition(static_cast<int>(at + mark.at + mark.length), QTextCursor::KeepAnchor);
                    continue;
                }
                QTextCursor cursor(text_->document());
                cursor.setPosition(static_cast<int>(at + mark.at));
                cursor.setPosition(static_cast<int>(at + mark.at + mark.length), QTextCursor::KeepAnchor);
                marks.append({cursor, format});
            }
        }
    text_->setExtraSelections(marks);
}

void PromptEditor::recount() {
    if (!use_) {
        task_.drop();
        count_->hide();
        return;
    }
    task_.start(
        [text = text_->toPlainText(), use = *use_, encoder = encoder_] {
            Count longest;
            const auto* known = encoder.get<nodes::Encoder>();
            try {
                std::shared_ptr<const nodes::TextTower> tower;
                if (known && !known->towers().empty()) tower = known->towers()[std::min(static_cast<std::size_t>(use.tower), known->towers().size() - 1)].tower;
                longest.known = tower != nullptr;
                if (!tower) tower = nodes::vocabulary_tower();
                if (!tower) return longest;
                longest.possible = true;
                const std::vector<nodes::TextEmbedding> none;
                for (const auto& [at, prompt] : prompts_of(text, use.lines)) {
                    nodes::TokenCount count = nodes::count_tokens(*tower, known ? known->embeddings() : none, prompt, {.dialect = use.dialect, .steps = use.steps});
                    std::swap(count.missing, longest.tokens.missing);
                    longest.tokens.missing.insert(longest.tokens.missing.end(), count.missing.begin(), count.missing.end());
                    if (count.tokens <= longest.tokens.tokens) continue;
                    count.missing = std::move(longest.tokens.missing);
                    longest.tokens = std::move(count);
                }
            } catch (const std::exception&) {  // of an encoder without room for a text
                longest.possible = false;
            }
            return longest;
        },
        [this](const Count& count) { show_count(count); });
}

void PromptEditor::show_count(const Count& count) {
    count_->setVisible(count.possible);
    if (!count.possible) return;
    QString text = tr("%1 / %2").arg(count.tokens.tokens).arg(count.tokens.room);
    if (count.tokens.chunks > 1) text += tr(", %n chunks", nullptr, count.tokens.chunks);
    if (!count.known) text += tr(" (estimate)");
    if (count.known && !count.tokens.missing.empty()) {
        QStringList names;
        for (const std::string& name : count.tokens.missing) names << qt(name);
        names.removeDuplicates();
        text += tr(", not known: %1").arg(names.join(QStringLiteral(", ")));
    }
    count_->setText(text);
    count_->setAccessibleName(tr("Tokens: %1").arg(text));
    count_->setToolTip((use_ && use_->lines ? tr("Tokens of the longest line") : tr("Tokens of the prompt")) + ' ' +
                       tr("with start and end, of those that the text encoder takes.") + ' ' +
                       (count.known ? tr("Counted by the encoder that is connected.") : tr("Counted by a vocabulary at hand: once the graph has run, the encoder's own is used.")));
}

}  // namespace app
