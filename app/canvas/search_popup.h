// A small list over the canvas: type, choose, and a node is added where it was opened.
#pragma once

#include <QFrame>
#include <QLineEdit>
#include <QListWidget>

#include "app/model/graph_model.h"

namespace app {

class SearchPopup : public QFrame {
    Q_OBJECT

public:
    SearchPopup(GraphModel& model, QWidget* parent);

    // Shows it with its corner near `corner` (of the parent), kept inside. The chosen node goes to `at` in the scene;
    // with `from` only types that fit that socket are listed, and the new node is connected to it.
    void open(QPoint corner, QPointF at, const SocketId& from = {});

    QLineEdit* field() const { return field_; }
    QListWidget* list() const { return list_; }

signals:
    void chosen(const std::string& type, QPointF at, const app::SocketId& from);
    void closed();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void fill();
    void choose();
    void close_popup();

    GraphModel& model_;
    QLineEdit* field_;
    QListWidget* list_;
    QPointF at_;
    SocketId from_;
};

}  // namespace app
