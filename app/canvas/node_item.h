// A node on the canvas: an id, and what the model said about it when it was last asked.
#pragma once

#include <QGraphicsItem>
#include <QPixmapCache>

#include "app/canvas/geometry.h"

namespace app {

class GraphScene;

class NodeItem final : public QGraphicsItem {
public:
    enum { Type = UserType + 1 };

    NodeItem(GraphScene& scene, NodeId id);

    int type() const override { return Type; }
    const NodeId& id() const { return id_; }
    void set_id(const NodeId& id);
    // As the model says now. Asking lays the card out where that was still to come.
    const NodeLook& look() const { return up_to_date(), look_; }
    const NodeGeometry& geometry() const { return up_to_date(), geometry_; }
    // As it is drawn: before its turn has come that is a plain card, or what it was before.
    const NodeLook& shown_look() const { return look_; }

    // The model is asked again, the look and everything that follows from it, when the scene comes to it: GraphScene::lay_out_later().
    void refresh();
    bool waits() const { return stale_; }
    void lay_out();
    // The picture of it that is kept is drawn anew: after anything that it shows has changed.
    void forget_picture();
    // Only what a run changes.
    void refresh_status();
    void refresh_thumbnail();

    // In scene coordinates, as it is drawn.
    QPointF socket_centre(const SocketId& id) const;
    QRectF card_in_scene() const { return mapRectToScene(geometry_.card); }

    QRectF boundingRect() const override;
    QPainterPath shape() const override;
    void paint(QPainter* painter, const QStyleOptionGraphicsItem* option, QWidget* widget) override;

protected:
    QVariant itemChange(GraphicsItemChange change, const QVariant& value) override;
    void hoverEnterEvent(QGraphicsSceneHoverEvent* event) override;
    void hoverMoveEvent(QGraphicsSceneHoverEvent* event) override;
    void hoverLeaveEvent(QGraphicsSceneHoverEvent* event) override;

private:
    QString tip_at(QPointF point) const;
    qint64 held_bytes() const;  // by its results; 0 where they are of a former graph
    void up_to_date() const;
    void paint_whole(QPainter& painter, qreal scale);
    bool paint_kept(QPainter& painter, qreal scale);

    GraphScene& scene_;
    NodeId id_;
    NodeLook look_;
    QImage thumbnail_;
    NodeGeometry geometry_;
    bool stale_ = false;      // to be laid out
    bool bare_ = true;        // it never was
    bool hovered_ = false;
    QColor tone_;                 // of the title bar
    QPixmapCache::Key picture_;   // what was last drawn; may be gone, the cache has a budget
    qreal picture_scale_ = 0;
};

}  // namespace app
