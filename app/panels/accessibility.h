// Names for screen readers where widgets have none of their own.
#pragma once

#include <QObject>

#include "app/canvas/view.h"

namespace app {

// Buttons without a text are named by their tool tips, fields inside an editor by the editor.
class WidgetNames : public QObject {
    Q_OBJECT

public:
    explicit WidgetNames(QObject* application);

protected:
    bool eventFilter(QObject* object, QEvent* event) override;
};

// What is selected on the canvas: "Sample (sample), 4 inputs, 2 outputs, done". Items of a scene are nothing that screen
// readers know, so the view says it as its description.
QString selection_in_words(const GraphScene& scene);
void describe_selection(GraphView& view);  // from now on

}  // namespace app
