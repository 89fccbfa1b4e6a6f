// The title of a frame being typed, in its place on the canvas.
#pragma once

#include <QLineEdit>

#include "app/model/ids.h"

namespace app {

class GraphView;

class FrameTitleEdit : public QLineEdit {
    Q_OBJECT

public:
    explicit FrameTitleEdit(GraphView& view);

    // Return or a click elsewhere keeps what is typed, Escape does not.
    void open(const FrameId& frame);

protected:
    bool event(QEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    void finish(bool keep);

    GraphView& view_;
    FrameId frame_;
};

}  // namespace app
