#include "app/panels/canvas_bench.h"

#include <QApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QScrollBar>
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "app/panels/block_watch.h"
#include "nodes/core/frames.h"

namespace app {
namespace {

constexpr int frames_each = 40;

double ms_of(const std::function<void()>& act) {
    // Time of the processor: what others do on the machine does not count.
    const std::clock_t start = std::clock();
    act();
    return 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

void report(const char* what, qreal scale, std::vector<double> times) {
    std::ranges::sort(times);
    std::printf("%-22s scale %.2f  median %6.2f ms  worst %6.2f ms\n", what, scale, times[times.size() / 2], times.back());
}

// What an act and all that follows from it take, and the longest that the window is kept busy at once.
void report_blocks(const char* what, MainWindow& window, const std::function<void()>& act) {
    window.scene().counts() = {};
    double longest = 0;
    const double all = ms_of([&] { longest = longest_block(window, act); });
    std::printf("%-22s %6.1f ms, longest block %6.1f ms, %d slices\n", what, all, longest, window.scene().counts().slices);
}

}  // namespace

double longest_block(MainWindow& window, const std::function<void()>& act) {
    QApplication::processEvents();
    BlockWatch watch;
    act();
    QEventLoop loop;
    QTimer look;  // a turn of the loop each: the watch ticks in between
    QObject::connect(&look, &QTimer::timeout, &loop, [&] {
        if (!window.scene().laying_out() && !window.model().checking()) loop.quit();
    });
    look.start(1);
    loop.exec();
    QApplication::processEvents();  // what is painted at last
    return watch.longest_ms();
}

nodes::Document bench_graph(int count) {
    static const char* const kinds[] = {"text.encode", "latent.empty", "sample.run", "vae.decode", "image.blend", "image.save"};
    constexpr int row_length = 6, row_step = 260, column_step = 320, rows_in_block = 25;
    // As text: an edit of a document copies its tables, which thousands of edits in a row would feel.
    QJsonObject records, layout, frames;
    QJsonArray links;
    for (int i = 0; i < count; ++i) {
        const int row = i / row_length, column = i % row_length, block = row / rows_in_block;
        const QString id = QStringLiteral("n%1").arg(i);
        records[id] = QJsonObject{{"type", kinds[column]}};
        QJsonObject place{{"x", (block * (row_length + 1) + column) * column_step}, {"y", row % rows_in_block * row_step}};
        if (row % 10 == 0) {
            place["frame"] = QStringLiteral("f%1").arg(row);
            frames[QStringLiteral("f%1").arg(row)] = QJsonObject{{"title", QStringLiteral("Row %1").arg(row)}, {"colour", row % 20 ? "#4d86d6" : "#5fae6e"}};
        }
        layout[id] = place;
        const auto link = [&](const char* from, const char* to, int source) {
            if (source >= 0) links.append(QJsonObject{{"from", QStringLiteral("n%1.%2").arg(source).arg(from)}, {"to", id + "." + to}});
        };
        if (column == 2) link("conditioning", "positive", i - 2), link("latent", "latent", i - 1);
        if (column == 3) link("latent", "latent", i - 1);
        if (column == 4) link("image", "base", i - 1), link("image", "top", i - 1 - row_length);
        if (column == 5) link("image", "image", i - 1);
    }
    const QJsonObject root{{"heddle", 1}, {"nodes", records}, {"links", links}, {"layout", layout}, {"frames", frames}};
    return nodes::Document::from_json(QJsonDocument(root).toJson());
}

int bench_canvas(MainWindow& window, const QString& file_or_count) {
    bool number = false;
    const int count = file_or_count.toInt(&number);
    GraphView& view = window.view();
    bool opened = true;
    if (number) {
        const nodes::Document document = bench_graph(std::clamp(count, 1, 100000));
        report_blocks("open", window, [&] {
            window.model().set_document(document);
            view.frame_all();
        });
    } else {
        report_blocks("open", window, [&] { opened = window.open_file(file_or_count); });
    }
    if (!opened) return 4;
    std::printf("%-22s %zu nodes, %zu wires, %zu frames, canvas %d x %d\n", "graph", window.model().node_ids().size(), window.model().links().size(),
                window.model().frames().size(), view.viewport()->width(), view.viewport()->height());
    const auto repaint = [&] { view.viewport()->repaint(); };
    const qreal fitting = view.scale_factor();
    const QPointF middle = view.mapToScene(view.viewport()->rect().center());
    for (const qreal scale : {fitting, 0.2, 0.35, 0.5, 0.7, 1.0}) {
        view.setTransform(QTransform::fromScale(scale, scale));
        view.centerOn(middle);
        repaint();
        std::vector<double> pan, zoom;
        for (int i = 0; i < frames_each; ++i)
            pan.push_back(ms_of([&] {
                view.horizontalScrollBar()->setValue(view.horizontalScrollBar()->value() + (i < frames_each / 2 ? 9 : -9));
                view.verticalScrollBar()->setValue(view.verticalScrollBar()->value() + (i % 2 ? 7 : -7));
                repaint();
            }));
        report("pan", scale, pan);
        for (int i = 0; i < frames_each; ++i)
            zoom.push_back(ms_of([&] {
                view.zoom_by(i < frames_each / 2 ? 1.02 : 1 / 1.02, view.viewport()->rect().center());
                repaint();
            }));
        report("zoom", scale, zoom);
    }
    const auto ids = window.model().node_ids();
    if (ids.size() > 1) {
        std::vector<double> drag;
        NodeItem* node = window.scene().item(ids[ids.size() / 2]);
        view.setTransform(QTransform::fromScale(0.7, 0.7));
        view.centerOn(node);
        repaint();
        for (int i = 0; i < frames_each; ++i)
            drag.push_back(ms_of([&] {
                node->moveBy(3, i % 2 ? 2 : -2);
                QApplication::processEvents();
            }));
        report("drag a node", 0.7, drag);
        std::vector<double> edit;
        for (int i = 0; i < 10; ++i)
            edit.push_back(ms_of([&] { window.model().move({{ids[0], QPointF(i, i)}}); }));
        report("edit", 0.7, edit);
    }
    view.frame_all();
    report_blocks("select all", window, [&] { window.scene().select(window.model().node_ids()); });
    report_blocks("delete all", window, [&] { window.scene().remove_selection(); });
    report_blocks("undo", window, [&] { window.model().undo_stack().undo(); });
    report_blocks("redo", window, [&] { window.model().undo_stack().redo(); });
    report_blocks("undo", window, [&] { window.model().undo_stack().undo(); });
    window.scene().select(window.model().node_ids());
    report_blocks("duplicate all", window, [&] { window.scene().select_made(window.model().duplicate(window.scene().selected_nodes())); });
    return 0;
}

}  // namespace app
