#include "app/panels/drawn_editor.h"

#include <QCoreApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

#include "gpu/base/error.h"
#include "nodes/core/direct_edit.h"
#include "nodes/types/strokes.h"

namespace app {
namespace {

class DrawnEditor final : public ParamEditor {
    Q_DECLARE_TR_FUNCTIONS(app::DrawnEditor)
public:
    explicit DrawnEditor(const nodes::ParamInfo& info) : ParamEditor(info), label_(new QLabel(this)), clear_(new QToolButton(this)) {
        auto* layout = new QHBoxLayout(this);
        layout->setContentsMargins(0, 0, 0, 0);
        layout->addWidget(label_, 1);
        layout->addWidget(clear_);
        label_->setObjectName(QStringLiteral("drawn"));
        label_->setTextFormat(Qt::PlainText);
        label_->setWordWrap(true);
        clear_->setText(tr("Clear"));
        connect(clear_, &QToolButton::clicked, this, [this] { emit edited(QString(), Gesture::none()); });
    }
    void show_value(const QJsonValue& value) override {
        const QString text = value.toString();
        if (text == shown_) return;
        shown_ = text;
        try {
            label_->setText(tr("%n stroke(s), drawn on the picture", nullptr, static_cast<int>(nodes::parse_strokes(text.toUtf8()).size())));
        } catch (const gpu::Error& error) {
            label_->setText(QString::fromUtf8(error.what()));
        }
        clear_->setEnabled(!text.isEmpty());
    }

private:
    QLabel* label_;
    QToolButton* clear_;
    QString shown_ = QStringLiteral("?");  // nothing yet
};

}  // namespace

bool is_drawn(const nodes::Node& type, const std::string& param) {
    for (const nodes::DirectEdit& edit : nodes::direct_edits_of(&type))
        if (const auto* strokes = std::get_if<nodes::StrokesEdit>(&edit); strokes && strokes->strokes == param) return true;
    return false;
}

std::unique_ptr<ParamEditor> make_drawn_editor(const nodes::ParamInfo& info) { return std::make_unique<DrawnEditor>(info); }

}  // namespace app
