#include "app/model/arrange.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <vector>

namespace app {
namespace {

using nodes::Document;

constexpr qreal column_gap = 70, row_gap = 30;
constexpr int sweeps = 6;

using Neighbours = std::map<NodeId, std::set<NodeId>>;

struct Graph {
    Neighbours sources, readers;
};

// Links between the nodes that move; those that close a ring are left out.
Graph graph_of(const Document& document, const std::map<NodeId, QSizeF>& sizes) {
    Graph graph;
    for (const auto& [id, size] : sizes) graph.sources[id], graph.readers[id];
    for (const nodes::Link& link : document.links())
        if (sizes.contains(link.from.node) && sizes.contains(link.to.node)) {
            graph.sources[link.to.node].insert(link.from.node);
            graph.readers[link.from.node].insert(link.to.node);
        }
    return graph;
}

// For each node the longest way from a node without sources; sources themselves stand right before their first reader.
std::map<NodeId, int> columns_of(const Graph& graph) {
    std::map<NodeId, int> column;
    std::map<NodeId, std::size_t> waiting;
    std::vector<NodeId> open;
    for (const auto& [id, sources] : graph.sources)
        if (waiting[id] = sources.size(); sources.empty()) open.push_back(id);
    for (std::size_t next = 0; next < open.size(); ++next) {
        const NodeId id = open[next];
        column.try_emplace(id, 0);
        for (const NodeId& reader : graph.readers.at(id)) {
            column[reader] = std::max(column[reader], column[id] + 1);
            if (--waiting[reader] == 0) open.push_back(reader);
        }
    }
    for (const auto& [id, count] : waiting) column.try_emplace(id, 0);      // in a ring
    for (const auto& [id, sources] : graph.sources) {
        if (!sources.empty() || graph.readers.at(id).empty()) continue;
        int first = 1 << 30;
        for (const NodeId& reader : graph.readers.at(id)) first = std::min(first, column[reader]);
        column[id] = std::max(0, first - 1);
    }
    return column;
}

// Orders every column by the mean place of the neighbours in the one before, then the one after, a few times.
void order(std::vector<std::vector<NodeId>>& columns, const Graph& graph) {
    std::map<NodeId, double> place;
    const auto number = [&] {
        for (const auto& column : columns)
            for (std::size_t i = 0; i < column.size(); ++i) place[column[i]] = static_cast<double>(i) - static_cast<double>(column.size()) / 2;
    };
    number();
    for (int sweep = 0; sweep < sweeps; ++sweep) {
        const Neighbours& beside = sweep % 2 ? graph.readers : graph.sources;
        for (auto& column : columns) {
            std::map<NodeId, double> wanted;
            for (const NodeId& id : column) {
                double sum = 0;
                for (const NodeId& other : beside.at(id)) sum += place[other];
                wanted[id] = beside.at(id).empty() ? place[id] : sum / static_cast<double>(beside.at(id).size());
            }
            std::ranges::stable_sort(column, {}, [&](const NodeId& id) { return wanted[id]; });
        }
        number();
    }
}

}  // namespace

std::map<NodeId, QPointF> layered(const Document& document, const std::map<NodeId, QSizeF>& sizes) {
    if (sizes.empty()) return {};
    const Graph graph = graph_of(document, sizes);
    std::vector<std::vector<NodeId>> columns;
    for (const auto& [id, column] : columns_of(graph)) {
        if (columns.size() <= static_cast<std::size_t>(column)) columns.resize(static_cast<std::size_t>(column) + 1);
        columns[static_cast<std::size_t>(column)].push_back(id);
    }
    for (auto& column : columns)      // as they stand now, from above
        std::ranges::stable_sort(column, {}, [&](const NodeId& id) { return document.position(id).y; });
    order(columns, graph);

    qreal left = 1e18, top = 1e18, tallest = 0;
    for (const auto& [id, size] : sizes) left = std::min(left, document.position(id).x), top = std::min(top, document.position(id).y);
    std::vector<qreal> heights;
    for (const auto& column : columns) {
        qreal height = 0;
        for (const NodeId& id : column) height += sizes.at(id).height() + row_gap;
        heights.push_back(height - row_gap);
        tallest = std::max(tallest, heights.back());
    }
    std::map<NodeId, QPointF> to;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        qreal y = top + std::round((tallest - heights[i]) / 2), widest = 0;
        for (const NodeId& id : columns[i]) {
            to[id] = {left, y};
            y += sizes.at(id).height() + row_gap;
            widest = std::max(widest, sizes.at(id).width());
        }
        left += widest + (columns[i].empty() ? 0 : column_gap);
    }
    return to;
}

std::map<NodeId, QPointF> aligned(const Document& document, const std::map<NodeId, QSizeF>& sizes, Edge edge) {
    std::map<NodeId, QPointF> to;
    if (sizes.size() < 2) return to;
    qreal left = 1e18, top = 1e18, right = -1e18, bottom = -1e18, widths = 0, heights = 0;
    for (const auto& [id, size] : sizes) {
        const nodes::Position at = document.position(id);
        to[id] = {at.x, at.y};
        left = std::min(left, at.x), top = std::min(top, at.y);
        right = std::max(right, at.x + size.width()), bottom = std::max(bottom, at.y + size.height());
        widths += size.width(), heights += size.height();
    }
    if (edge != Edge::Spread) {
        for (auto& [id, at] : to) {
            if (edge == Edge::Left) at.setX(left);
            if (edge == Edge::Right) at.setX(right - sizes.at(id).width());
            if (edge == Edge::Top) at.setY(top);
            if (edge == Edge::Bottom) at.setY(bottom - sizes.at(id).height());
        }
        return to;
    }
    const bool across = right - left > bottom - top;
    std::vector<NodeId> ids;
    for (const auto& [id, at] : to) ids.push_back(id);
    std::ranges::stable_sort(ids, {}, [&](const NodeId& id) { return across ? to[id].x() : to[id].y(); });
    const qreal gap = ((across ? right - left - widths : bottom - top - heights)) / static_cast<qreal>(ids.size() - 1);
    qreal next = across ? left : top;
    for (const NodeId& id : ids) {
        across ? to[id].setX(next) : to[id].setY(next);
        next += (across ? sizes.at(id).width() : sizes.at(id).height()) + gap;
    }
    return to;
}

}  // namespace app
