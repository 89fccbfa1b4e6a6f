// Scrubs and plays: which picture of a batch or which frame of a video is shown.
#pragma once

#include <QElapsedTimer>
#include <QLabel>
#include <QSlider>
#include <QTimer>
#include <QToolButton>
#include <QWidget>

namespace app {

class FrameBar : public QWidget {
    Q_OBJECT

public:
    explicit FrameBar(QWidget* parent = nullptr);

    // What is shown now; hidden where there is just one.
    void show_frame(int index, int count);
    void set_duration(double ms) { duration_ms_ = ms; }  // of the frame that is shown
    int index() const { return slider_->value(); }
    bool playing() const { return playing_; }
    void stop();
    void restyle();

signals:
    void wanted(int index);

private:
    void play(bool on);
    void next();

    QToolButton* play_;
    QSlider* slider_;
    QLabel* label_;
    QTimer timer_;
    QElapsedTimer since_wanted_;
    double duration_ms_ = 0;
    bool playing_ = false;
};

}  // namespace app
