// A wire on the canvas: a link of the document, or the loose one that is being dragged.
#pragma once

#include <QGraphicsItem>

#include "app/canvas/geometry.h"

namespace app {

class WireItem final : public QGraphicsItem {
public:
    enum { Type = UserType + 2 };

    explicit WireItem(std::optional<LinkId> link = {});

    int type() const override { return Type; }
    const std::optional<LinkId>& link() const { return link_; }
    void set_link(const LinkId& link) { link_ = link; }
    void set_ends(QPointF from, QPointF to);
    void set_colours(const QColor& from, const QColor& to);

    QRectF boundingRect() const override;
    QPainterPath shape() const override;
    void paint(QPainter* painter, const QStyleOptionGraphicsItem* option, QWidget* widget) override;

protected:
    void hoverEnterEvent(QGraphicsSceneHoverEvent* event) override;
    void hoverLeaveEvent(QGraphicsSceneHoverEvent* event) override;

private:
    std::optional<LinkId> link_;
    QPainterPath path_;
    QPolygonF line_;                        // the path as a few points, made when it is needed
    mutable std::optional<QPainterPath> shape_;
    QColor from_, to_;
    bool hovered_ = false;
};

}  // namespace app
