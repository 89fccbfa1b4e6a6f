// One parameter's widget, chosen by its declaration.
#pragma once

#include <QElapsedTimer>
#include <QWidget>
#include <memory>

#include "app/model/graph_model.h"

namespace app {

class ParamEditor : public QWidget {
    Q_OBJECT

public:
    // The editor for a declaration: a check box, a slider with a spin box, a list, a line, a seed with dice, a file with a
    // folder button, a colour. `folder` is where relative file names start. Texts of several lines: see prompt_editor.h.
    static std::unique_ptr<ParamEditor> make(const nodes::ParamInfo& info, const QString& folder);

    // Shows a value without telling edited(). Keeps the cursor where the text is the same.
    virtual void show_value(const QJsonValue& value) = 0;
    // Of a colour: what pick_wanted() has asked for. All that comes until pick_ended() is one gesture.
    virtual void take_picked(const QColor&) {}
    virtual void pick_ended() {}

signals:
    void edited(const QJsonValue& value, app::Gesture gesture);
    void pick_wanted(bool on);  // a colour from the picture; false: no more

protected:
    explicit ParamEditor(const nodes::ParamInfo& info) : info_(info) {}

    const nodes::ParamInfo& info() const { return info_; }
    // The gesture that an edit belongs to now: a new one after begin_gesture() or a pause.
    Gesture gesture();
    void begin_gesture() { since_last_.invalidate(); }

private:
    const nodes::ParamInfo& info_;  // of a registered node type: lives as long as the program
    Gesture gesture_;
    QElapsedTimer since_last_;
};

}  // namespace app
