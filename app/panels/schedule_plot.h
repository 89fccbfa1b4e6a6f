// The noise levels of a schedule as a plot: sigma over the calls of the network. Left and right go along it.
#pragma once

#include <QWidget>
#include <vector>

#include "nodes/core/socket_type.h"

namespace app {

class SchedulePlot : public QWidget {
    Q_OBJECT

public:
    explicit SchedulePlot(QWidget* parent = nullptr);

    // Hides itself where none of the values is a schedule.
    void show_values(const std::vector<nodes::Value>& values);
    const std::vector<double>& sigmas() const { return sigmas_; }  // of the calls in order, then where the last one ends
    int chosen() const { return chosen_; }                         // the level that is told of; -1 for none
    QPointF place(int level) const;
    QSize sizeHint() const override;

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QRectF area() const;
    void choose(int level);
    QString described(int level) const;

    std::vector<double> sigmas_, timesteps_;
    int chosen_ = -1;
};

}  // namespace app
