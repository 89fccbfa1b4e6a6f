// Places of a document that a person wants to come back to: nine of them, by the digits 1 to 9.
//
// They are kept in the document's field "bookmarks", {"1": {"x", "y", "scale", "level": [USE...]}}, so that they go where
// it goes; setting one is an edit that can be undone.
#pragma once

#include <QPointF>
#include <optional>
#include <vector>

#include "app/model/ids.h"

namespace app {

struct Bookmark {
    QPointF centre;              // of the view, in the scene
    qreal scale = 1;             // 0.01 to 100
    std::vector<NodeId> uses{};  // of subgraphs, from the outermost
};

// Nothing where it is not set or not well-formed.
std::optional<Bookmark> bookmark_of(const nodes::Document& whole, int digit);
nodes::Document with_bookmark(const nodes::Document& whole, int digit, const Bookmark& bookmark);

}  // namespace app
