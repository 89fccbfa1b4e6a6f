#include "app/panels/param_editor.h"

#include <QCheckBox>
#include <QColorDialog>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QRandomGenerator>
#include <QRegularExpressionValidator>
#include <QSignalBlocker>
#include <QSlider>
#include <QToolButton>
#include <QWheelEvent>
#include <cmath>

#include "app/panels/icons.h"

namespace app {
namespace {

using nodes::ParamInfo;
using nodes::ParamKind;

constexpr int gesture_pause_ms = 1200;  // after a pause, typing on is a new undo step
constexpr int slider_steps = 1024;      // of a slider; a number from a wider range is typed

// Scrolling through the panel must not change what the mouse passes over.
class WheelGuard : public QObject {
public:
    using QObject::QObject;
    bool eventFilter(QObject* watched, QEvent* event) override {
        if (event->type() != QEvent::Wheel || static_cast<QWidget*>(watched)->hasFocus()) return false;
        event->ignore();
        return true;
    }
};

void guard_wheel(QWidget* widget) {
    widget->setFocusPolicy(Qt::StrongFocus);
    widget->installEventFilter(new WheelGuard(widget));  // owned by the widget
}

QHBoxLayout* row(QWidget* widget) {
    auto* layout = new QHBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    return layout;
}

// Without zeros at the end: "10 px", "0.25".
class PlainSpinBox final : public QDoubleSpinBox {
public:
    using QDoubleSpinBox::QDoubleSpinBox;
    QString textFromValue(double value) const override {
        QString text = QDoubleSpinBox::textFromValue(value);
        const QString point = locale().decimalPoint();
        if (!text.contains(point)) return text;
        while (text.endsWith('0')) text.chop(1);
        if (text.endsWith(point)) text.chop(point.size());
        return text;
    }
};

class BoolEditor final : public ParamEditor {
public:
    explicit BoolEditor(const ParamInfo& info) : ParamEditor(info), box_(new QCheckBox(this)) {
        row(this)->addWidget(box_);
        connect(box_, &QCheckBox::toggled, this, [this](bool on) { emit edited(on, Gesture::none()); });
    }
    void show_value(const QJsonValue& value) override {
        const QSignalBlocker quiet(box_);
        box_->setChecked(value.toBool());
    }

private:
    QCheckBox* box_;
};

// Int and Number: a spin box, and a slider where the range has two ends.
class NumberEditor final : public ParamEditor {
public:
    explicit NumberEditor(const ParamInfo& info)
        : ParamEditor(info), whole_(info.kind == ParamKind::Int), spin_(new PlainSpinBox(this)) {
        const bool bounded = std::isfinite(info.min) && std::isfinite(info.max) && info.max - info.min <= slider_steps;
        auto* layout = row(this);
        spin_->setDecimals(whole_ ? 0 : info.decimals);
        spin_->setRange(std::isfinite(info.min) ? info.min : -1e15, std::isfinite(info.max) ? info.max : 1e15);
        spin_->setSingleStep(info.step > 0 ? info.step : whole_ ? 1 : bounded ? (info.max - info.min) / 100 : 0.1);
        spin_->setKeyboardTracking(true);
        spin_->setAccelerated(true);
        spin_->setButtonSymbols(QAbstractSpinBox::NoButtons);
        if (!info.unit.empty()) spin_->setSuffix(" " + qt(info.unit));
        guard_wheel(spin_);
        if (bounded) {
            slider_ = new QSlider(Qt::Horizontal, this);
            slider_->setRange(0, whole_ ? static_cast<int>(info.max - info.min) : slider_steps);
            guard_wheel(slider_);
            layout->addWidget(slider_, 1);
            spin_->setFixedWidth(84);
            connect(slider_, &QSlider::sliderPressed, this, [this] { begin_gesture(); });
            connect(slider_, &QSlider::sliderReleased, this, [this] { begin_gesture(); });
            connect(slider_, &QSlider::valueChanged, this, [this](int at) { spin_->setValue(value_at(at)); });
        }
        layout->addWidget(spin_, bounded ? 0 : 1);
        connect(spin_, &QDoubleSpinBox::valueChanged, this, [this](double value) {
            place_slider(value);
            emit edited(value, gesture());
        });
    }
    void show_value(const QJsonValue& value) override {
        const QSignalBlocker quiet(spin_);
        if (spin_->value() != value.toDouble()) spin_->setValue(value.toDouble());
        place_slider(value.toDouble());
    }

private:
    double value_at(int step) const {
        if (whole_) return info().min + step;
        double value = info().min + (info().max - info().min) * step / slider_steps;
        return info().step > 0 ? info().min + std::round((value - info().min) / info().step) * info().step : value;
    }
    void place_slider(double value) {
        if (!slider_ || slider_->isSliderDown()) return;
        const QSignalBlocker quiet(slider_);
        slider_->setValue(
            qRound(whole_ ? value - info().min : (value - info().min) / (info().max - info().min) * slider_steps));
    }

    bool whole_;
    QDoubleSpinBox* spin_;
    QSlider* slider_ = nullptr;
};

class ChoiceEditor final : public ParamEditor {
public:
    explicit ChoiceEditor(const ParamInfo& info) : ParamEditor(info), box_(new QComboBox(this)) {
        for (const std::string& name : info.choices) box_->addItem(qt(name));
        guard_wheel(box_);
        row(this)->addWidget(box_);
        connect(box_, &QComboBox::activated, this, [this](int) { emit edited(box_->currentText(), Gesture::none()); });
    }
    void show_value(const QJsonValue& value) override {
        const int at = box_->findText(value.toString());
        if (at < 0 && box_->count() && box_->placeholderText() != value.toString())
            box_->setPlaceholderText(value.toString());
        box_->setCurrentIndex(at);  // -1 shows a name that is not in the list as it is
    }

private:
    QComboBox* box_;
};

// Text, files, seeds and colours: a line, with a button where there is something to choose.
class LineEditor : public ParamEditor {
public:
    explicit LineEditor(const ParamInfo& info) : ParamEditor(info), line_(new QLineEdit(this)), layout_(row(this)) {
        layout_->addWidget(line_, 1);
        connect(line_, &QLineEdit::textEdited, this, [this](const QString& text) { send(text, gesture()); });
        connect(line_, &QLineEdit::editingFinished, this, [this] { begin_gesture(); });
    }
    void show_value(const QJsonValue& value) override {
        const QString text = qt(info().text(value));
        if (line_->text() != text && !(line_->hasFocus() && line_->text().isEmpty())) line_->setText(text);
    }

protected:
    // What cannot be a value (a seed that is being cleared) waits for more typing.
    void send(const QString& text, Gesture gesture) {
        if (info().problem(text).empty()) emit edited(info().canonical(text), gesture);
    }
    QToolButton* add_button(Glyph glyph, const QString& tip) {
        auto* button = new QToolButton(this);
        button->setIcon(icon(glyph));
        button->setToolTip(tip);
        button->setFocusPolicy(Qt::TabFocus);
        layout_->addWidget(button);
        return button;
    }
    QLineEdit* line() const { return line_; }

private:
    QLineEdit* line_;
    QHBoxLayout* layout_;
};

class SeedEditor final : public LineEditor {
public:
    explicit SeedEditor(const ParamInfo& info) : LineEditor(info) {
        line()->setValidator(new QRegularExpressionValidator(QRegularExpression(QStringLiteral("[0-9]{0,20}")), this));
        QToolButton* dice = add_button(Glyph::Dice, ParamEditor::tr("Another seed"));
        dice->setObjectName(QStringLiteral("dice"));
        connect(dice, &QToolButton::clicked, this, [this] {
            // Below 2^32: easy to read aloud and to type.
            emit edited(static_cast<qint64>(QRandomGenerator::global()->generate()), Gesture::none());
        });
    }
};

class FileEditor final : public LineEditor {
public:
    FileEditor(const ParamInfo& info, QString folder) : LineEditor(info), folder_(std::move(folder)) {
        line()->setPlaceholderText(info.required ? ParamEditor::tr("Needs a file") : ParamEditor::tr("No file"));
        QToolButton* browse = add_button(Glyph::Folder, ParamEditor::tr("Choose a file"));
        browse->setObjectName(QStringLiteral("browse"));
        connect(browse, &QToolButton::clicked, this, &FileEditor::choose);
    }

private:
    void choose() {
        auto* dialog = new QFileDialog(this, qt(info().label), folder_.isEmpty() ? QDir::currentPath() : folder_);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        if (!info().filter.empty()) dialog->setNameFilters({qt(info().filter), ParamEditor::tr("All files (*)")});
        const bool reads = info().kind == ParamKind::InputFile;
        dialog->setAcceptMode(reads ? QFileDialog::AcceptOpen : QFileDialog::AcceptSave);
        dialog->setFileMode(reads ? QFileDialog::ExistingFile : QFileDialog::AnyFile);
        connect(dialog, &QFileDialog::fileSelected, this,
                [this](const QString& path) { emit edited(short_name(path), Gesture::none()); });
        dialog->open();  // does not block the event loop
    }
    // Relative where the document's folder holds the file, so that both can move together.
    QString short_name(const QString& path) const {
        if (folder_.isEmpty()) return path;
        const QString relative = QDir(folder_).relativeFilePath(path);
        return relative.startsWith(QStringLiteral("..")) ? path : relative;
    }

    QString folder_;
};

class ColorEditor final : public LineEditor {
public:
    explicit ColorEditor(const ParamInfo& info)
        : LineEditor(info), swatch_(add_button(Glyph::Add, ParamEditor::tr("Choose a colour"))),
          pick_(add_button(Glyph::Pipette, ParamEditor::tr("Take a colour from the picture"))) {
        line()->setMaxLength(9);
        line()->setAccessibleName(ParamEditor::tr("Colour as #rrggbb or #rrggbbaa"));
        swatch_->setObjectName(QStringLiteral("swatch"));
        pick_->setObjectName(QStringLiteral("pick"));
        for (QToolButton* button : {swatch_, pick_}) button->setAccessibleName(button->toolTip());
        pick_->setCheckable(true);
        connect(pick_, &QToolButton::clicked, this, [this](bool on) {
            picked_ = Gesture::next();
            emit pick_wanted(on);
        });
        connect(swatch_, &QToolButton::clicked, this, [this] {
            auto* dialog = new QColorDialog(colour(), this);
            dialog->setAttribute(Qt::WA_DeleteOnClose);
            dialog->setOption(QColorDialog::ShowAlphaChannel);
            const Gesture all = Gesture::next();
            connect(dialog, &QColorDialog::currentColorChanged, this, [this, all](const QColor& chosen) {
                emit edited(text_of(chosen), all);
            });
            connect(dialog, &QDialog::rejected, this, [this, all, before = text_of(colour())] { emit edited(before, all); });
            dialog->open();
        });
    }
    void show_value(const QJsonValue& value) override {
        LineEditor::show_value(value);
        QPixmap filled(16, 16);
        filled.fill(colour());
        swatch_->setIcon(filled);
    }
    // How transparent the colour is stays.
    void take_picked(const QColor& picked) override {
        QColor made = picked;
        made.setAlpha(colour().alpha());
        emit edited(text_of(made), picked_);
    }
    void pick_ended() override { pick_->setChecked(false); }

private:
    static QString text_of(const QColor& colour) {
        const QString rgb = colour.name(QColor::HexRgb);
        return colour.alpha() == 255 ? rgb : rgb + QStringLiteral("%1").arg(colour.alpha(), 2, 16, QChar('0'));
    }
    QColor colour() const {
        const QString text = line()->text();  // "#rrggbbaa", Qt reads "#aarrggbb"
        QColor made(text.left(7));
        if (text.size() == 9) made.setAlpha(text.mid(7).toInt(nullptr, 16));
        return made;
    }
    QToolButton *swatch_, *pick_;
    Gesture picked_;
};

}  // namespace

std::unique_ptr<ParamEditor> ParamEditor::make(const ParamInfo& info, const QString& folder) {
    switch (info.kind) {
        case ParamKind::Bool: return std::make_unique<BoolEditor>(info);
        case ParamKind::Int:
        case ParamKind::Number: return std::make_unique<NumberEditor>(info);
        case ParamKind::Choice: return std::make_unique<ChoiceEditor>(info);
        case ParamKind::Seed: return std::make_unique<SeedEditor>(info);
        case ParamKind::InputFile:
        case ParamKind::OutputFile: return std::make_unique<FileEditor>(info, folder);
        case ParamKind::Color: return std::make_unique<ColorEditor>(info);
        case ParamKind::Text: break;
    }
    return std::make_unique<LineEditor>(info);
}

Gesture ParamEditor::gesture() {
    if (!since_last_.isValid() || since_last_.elapsed() > gesture_pause_ms) gesture_ = Gesture::next();
    since_last_.start();
    return gesture_;
}

}  // namespace app
