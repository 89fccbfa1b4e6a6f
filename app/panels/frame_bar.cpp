#include "app/panels/frame_bar.h"

#include <QHBoxLayout>
#include <QSignalBlocker>
#include <algorithm>

#include "app/panels/viewer_icons.h"

namespace app {
namespace {

constexpr double batch_ms = 500;  // a picture of a batch has no duration of its own

}  // namespace

FrameBar::FrameBar(QWidget* parent) : QWidget(parent), play_(new QToolButton(this)), slider_(new QSlider(Qt::Horizontal, this)), label_(new QLabel(this)) {
    setObjectName(QStringLiteral("frame_bar"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(8, 2, 10, 4);
    layout->addWidget(play_);
    layout->addWidget(slider_, 1);
    layout->addWidget(label_);
    play_->setObjectName(QStringLiteral("play"));
    play_->setCheckable(true);
    play_->setToolTip(tr("Play"));
    play_->setAccessibleName(tr("Play"));
    slider_->setObjectName(QStringLiteral("frame_slider"));
    slider_->setAccessibleName(tr("Frame"));
    slider_->setPageStep(10);
    label_->setObjectName(QStringLiteral("dim"));
    timer_.setSingleShot(true);
    timer_.setTimerType(Qt::PreciseTimer);
    connect(&timer_, &QTimer::timeout, this, &FrameBar::next);
    connect(play_, &QToolButton::toggled, this, &FrameBar::play);
    connect(slider_, &QSlider::valueChanged, this, [this](int value) { emit wanted(value); });
    restyle();
    hide();
}

void FrameBar::restyle() { play_->setIcon(viewer_icon(playing_ ? ViewerGlyph::Pause : ViewerGlyph::Play)); }

void FrameBar::show_frame(int index, int count) {
    setVisible(count > 1);
    if (count <= 1) return stop();
    const QSignalBlocker quiet(slider_);
    slider_->setMaximum(count - 1);
    // While the handle is held the picture follows it, not the other way round.
    if (!slider_->isSliderDown()) slider_->setValue(index);
    label_->setText(QStringLiteral("%1 / %2").arg(index + 1).arg(count));
    // The next one when this one has been shown for its time, reading included.
    if (playing_) timer_.start(std::max(0, static_cast<int>((duration_ms_ > 0 ? duration_ms_ : batch_ms) - static_cast<double>(since_wanted_.elapsed()))));
}

void FrameBar::play(bool on) {
    playing_ = on;
    restyle();
    if (on)
        next();
    else
        timer_.stop();
}

void FrameBar::stop() {
    timer_.stop();
    if (playing_) play_->setChecked(false);
}

void FrameBar::next() {
    since_wanted_.start();
    emit wanted(slider_->value() >= slider_->maximum() ? 0 : slider_->value() + 1);
}

}  // namespace app
