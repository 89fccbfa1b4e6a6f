// A window of the editor with stub nodes, and the gestures that tests make in it.
#pragma once

#include <QApplication>
#include <QComboBox>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QWheelEvent>

#include "app/panels/main_window.h"
#include "app/panels/theme.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {

// A value with a picture: a ramp in one colour, so that every pixel is known.
struct Swatch {
    int side = 0;
    int blue = 0;
};

inline QImage picture_of(const Swatch& swatch) {
    QImage image(swatch.side, swatch.side, QImage::Format_RGB32);
    for (int y = 0; y < swatch.side; ++y)
        for (int x = 0; x < swatch.side; ++x) image.setPixel(x, y, qRgb(x, y, swatch.blue));
    return image;
}

}  // namespace tests

template <>
struct nodes::SocketTraits<tests::Swatch> {
    static constexpr const char* name = "swatch";
    static SocketType describe() {
        return {.title = "Swatch",
                .colour = "#5c8fd6",
                .help = "A ramp of colours",
                .summary = erased<tests::Swatch>(
                    [](const tests::Swatch& swatch) { return gpu::format("side {}", swatch.side); }),
                .preview = erased<tests::Swatch>([](const tests::Swatch& swatch, int max_side) {
                    const QImage image = tests::picture_of(swatch);
                    return swatch.side <= max_side ? image : image.scaled(max_side, max_side);
                })};
    }
};

namespace tests {

struct Ramp final : Node {
    Ramp() : Node({.id = "stub.ramp", .title = "Ramp", .category = "Picture", .help = "Draws a ramp of colours."}) {}
    In<double> blue{this, "blue", "How blue it is", {.initial = 7.0}};
    Param<int> side{this, "side", "Width and height", {.initial = 40, .min = 1, .max = 256, .unit = "px"}};
    Out<Swatch> picture{this, "picture", "The ramp"};
    void compute(Eval& ev) const override { ev.set(picture, Swatch{ev[side], static_cast<int>(ev[blue])}); }
};

inline void register_editor_stubs() {
    register_stub_nodes();
    static const bool once = [] {
        add_node_type(std::make_unique<Ramp>());
        return true;
    }();
    (void)once;
}

struct Editor {
    app::MainWindow window;
    app::GraphModel& model = window.model();
    app::GraphView& view = window.view();
    app::GraphScene& scene = window.scene();

    Editor() {
        register_editor_stubs();
        window.set_question([this](const QString& text, QMessageBox::StandardButtons) {
            questions.push_back(text);
            return answer;
        });
        window.resize(1200, 800);
        window.show();
        window.activateWindow();
        (void)QTest::qWaitForWindowExposed(&window);
        view.setFocus();
    }
    ~Editor() { answer = QMessageBox::Discard; }

    QPoint at(QPointF scene_point) const { return view.mapFromScene(scene_point); }
    QPoint at(const app::NodeId& node, const char* socket, bool output) const {
        return at(scene.socket_position({node, socket, output}));
    }
    QPoint title(const app::NodeId& node) const {
        return at(scene.item(node)->mapToScene(scene.item(node)->geometry().title.center()));
    }
    void drag(QPoint from, QPoint to, Qt::MouseButton button = Qt::LeftButton) const {
        QWidget* target = view.viewport();
        QTest::mouseMove(target, from);
        QTest::mousePress(target, button, {}, from);
        // QTest::mouseMove carries no buttons in Qt 6.4, so that views would see hovering.
        for (int i = 1; i <= 4; ++i) {
            const QPointF point = QPointF(from) + QPointF(to - from) * i / 4.0;
            QMouseEvent move(QEvent::MouseMove, point, target->mapToGlobal(point), Qt::NoButton, button, {});
            QApplication::sendEvent(target, &move);
        }
        QTest::mouseRelease(target, button, {}, to);
    }
    void connect_by_mouse(const app::NodeId& from, const char* output, const app::NodeId& to, const char* input) const {
        drag(at(from, output, true), at(to, input, false));
    }
    // Opens the search with Tab, types, presses Return; the id of the node that came.
    app::NodeId add_by_search(const QString& text) {
        const auto before = model.node_ids();
        QTest::keyClick(&view, Qt::Key_Tab);
        QTest::keyClicks(view.search()->field(), text);
        QTest::keyClick(view.search()->field(), Qt::Key_Return);
        for (const app::NodeId& id : model.node_ids())
            if (std::ranges::find(before, id) == before.end()) return id;
        return {};
    }
    // The same by a double click at a place of the canvas.
    app::NodeId add_at(QPoint point, const QString& text) {
        const auto before = model.node_ids();
        QTest::mouseDClick(view.viewport(), Qt::LeftButton, {}, point);
        QTest::keyClicks(view.search()->field(), text);
        QTest::keyClick(view.search()->field(), Qt::Key_Return);
        for (const app::NodeId& id : model.node_ids())
            if (std::ranges::find(before, id) == before.end()) return id;
        return {};
    }
    void click(const app::NodeId& node) const {
        // A pause, or the click counts as the second of a double click.
        QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, title(node), QApplication::doubleClickInterval() + 1);
    }
    void rename(const app::NodeId& node, const QString& to) {
        click(node);
        replace_text(window.params().findChild<QLineEdit*>(QStringLiteral("node_name")), to);
    }
    void type_param(const app::NodeId& node, const char* param, const QString& text) {
        click(node);
        replace_text(window.params().editor(param)->findChild<QLineEdit*>(), text);
    }
    void choose_param(const app::NodeId& node, const char* param, const QString& name) {
        click(node);
        auto* box = window.params().editor(param)->findChild<QComboBox*>();
        const int wanted = box->findText(name);
        box->setFocus();    // else the arrows go to the canvas
        while (box->currentIndex() != wanted)
            QTest::keyClick(box, box->currentIndex() < wanted ? Qt::Key_Down : Qt::Key_Up);
    }
    static void replace_text(QLineEdit* line, const QString& text) {
        line->selectAll();
        QTest::keyClicks(line, text);
        QTest::keyClick(line, Qt::Key_Return);
    }
    void trigger(const char* action) { window.findChild<QAction*>(QString::fromLatin1(action))->trigger(); }
    // Waits for the end of all runs; false when it does not come.
    bool wait_for_run() {
        return QTest::qWaitFor([this] { return !window.queue().busy(); }, 60000);
    }

    QMessageBox::StandardButton answer = QMessageBox::Discard;
    QStringList questions;
};

}  // namespace tests
