// Wires by the keyboard: lists what the sockets of one node may be connected to, near nodes first, then new nodes.
#pragma once

#include "app/canvas/pick_popup.h"
#include "app/canvas/scene.h"

namespace app {

class ConnectPopup : public PickPopup {
    Q_OBJECT

public:
    ConnectPopup(GraphScene& scene, QWidget* parent);

    void open(QPoint corner, const NodeId& node);

signals:
    void connect_chosen(const app::SocketId& own, const app::SocketId& other);
    void new_node_chosen(const std::string& type, const app::SocketId& own);

protected:
    void fill() override;
    void choose(const QListWidgetItem& item) override;

private:
    struct Choice {
        SocketId own, other;    // `other` empty: a new node
        std::string type{};
        QString text{};
    };

    GraphScene& scene_;
    NodeId node_;
    std::vector<Choice> links_;    // all there are
    std::vector<Choice> shown_;
};

}  // namespace app
