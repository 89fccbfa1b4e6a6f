// A small list over the canvas: type, choose, and a node is added where it was opened.
#pragma once

#include "app/canvas/pick_popup.h"
#include "app/model/graph_model.h"

namespace app {

class SearchPopup : public PickPopup {
    Q_OBJECT

public:
    SearchPopup(GraphModel& model, QWidget* parent);

    // Shows it with its corner near `corner` (of the parent), kept inside. The chosen node goes to `at` in the scene;
    // with `from` only types that fit that socket are listed, and the new node is connected to it.
    void open(QPoint corner, QPointF at, const SocketId& from = {});

signals:
    void chosen(const std::string& type, QPointF at, const app::SocketId& from);

protected:
    void fill() override;
    void choose(const QListWidgetItem& item) override;

private:
    GraphModel& model_;
    QPointF at_;
    SocketId from_;
};

}  // namespace app
