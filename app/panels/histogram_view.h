// How often each level occurs in the picture, and how much of it is cut off at black and at white.
#pragma once

#include <QWidget>

#include "app/model/raw_picture.h"

namespace app {

class HistogramView : public QWidget {
    Q_OBJECT

public:
    explicit HistogramView(QWidget* parent = nullptr);
    void show_histogram(const Histogram& histogram);
    const Histogram& histogram() const { return histogram_; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Histogram histogram_;
};

}  // namespace app
