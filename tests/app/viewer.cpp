// Looking at results: raw values, channels, exposure, comparing with A, frames, facts about tensors, times, history.
#include <QComboBox>
#include <QDockWidget>
#include <QDoubleSpinBox>
#include <QToolButton>
#include <cmath>

#include "app/model/tensor_facts.h"
#include "app/panels/history_panel.h"
#include "app/panels/times_panel.h"
#include "app/panels/values_panel.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/picture_names.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"
#include "nodes/types/video.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

// The picture of a value, read as the viewer does.
PicturePtr read(const nodes::Value& value, int index = 0) {
    ValueReader reader;
    QSignalSpy spy(&reader, &ValueReader::picture_read);
    PicturePtr got;
    QObject::connect(&reader, &ValueReader::picture_read, [&](const PicturePtr& picture) { got = picture; });
    reader.read(value, index);
    (void)QTest::qWaitFor([&] { return !spy.isEmpty(); }, 10000);
    return got;
}

nodes::Value image(std::vector<float> values, std::int64_t c, std::int64_t h, std::int64_t w, nodes::ColorSpace space = nodes::ColorSpace::Srgb) {
    const auto n = static_cast<std::int64_t>(values.size()) / (c * h * w);
    return nodes::Value::of<nodes::Image>(nodes::make_image(gpu::tensor(values, {n, c, h, w}), space));
}

bool settled(ViewerPanel& viewer) {
    return QTest::qWaitFor([&] { return !viewer.busy() && !viewer.picture()->picture().isNull(); }, 10000);
}

// Three pictures with names, a text of a line each.
struct Named final : nodes::Node, nodes::NamesPictures {
    Named() : Node({.id = "stub.named", .title = "Named", .category = "Stub", .help = "Pictures with names."}) {}
    nodes::Out<nodes::Image> pictures{this, "pictures", "Three pictures"};
    nodes::Out<nodes::Image> others{this, "others", "Pictures without names"};
    nodes::Out<std::string> names{this, "names", "What they show"};
    nodes::PictureNames picture_names() const override { return {.pictures = {"pictures"}, .names = "names"}; }
    void compute(nodes::Eval& ev) const override {
        const nodes::Image made = nodes::make_image(gpu::full({3, 1, 4, 4}, 0.5));
        gpu::evaluate({made.tensor});
        ev.set(pictures, made);
        ev.set(others, made);
        ev.set(names, std::string("red\nheart\non white"));
    }
};

int level(const QImage& picture, int x, int y) { return picture.pixelColor(x, y).red(); }

}  // namespace

class ViewerTest : public QObject {
    Q_OBJECT

private slots:
    void pictures_of_a_batch_are_named() {
        tests::Editor e;
        nodes::add_node_type(std::make_unique<Named>());
        const NodeId named = e.model.add_node("stub.named", {});
        e.scene.select({named});
        e.window.runs().start();
        QVERIFY(e.wait_for_run() && settled(e.window.viewer()));
        const auto title = [&] {
            QStringList texts;
            for (const QLabel* label : e.window.viewer().findChildren<QLabel*>()) texts << label->text();
            return texts.join('|');
        };
        QVERIFY2(title().contains(QStringLiteral("\u201cred\u201d")), qPrintable(title()));
        emit e.window.viewer().frames()->wanted(2);
        QVERIFY(QTest::qWaitFor([&] { return title().contains(QStringLiteral("\u201con white\u201d")); }, 10000));
    }

    void values_are_those_of_the_tensor() {
        const PicturePtr picture = read(image({0.25f, -1.5f, 7.125f, 0.5f, 0, 1, 0.75f, 0.1f, 0, 0, 0, 3}, 3, 2, 2));
        QVERIFY(picture && picture->exact);
        QCOMPARE(picture->width, 2);
        QCOMPARE(picture->pixel(1, 0)[0], -1.5f);
        QCOMPARE(picture->pixel(0, 1)[0], 7.125f);
        QCOMPARE(picture->pixel(1, 1)[2], 3.0f);
        QVERIFY2(pixel_text(*picture, 0, 1).contains("R 7.125  G 0.75  B 0"), qPrintable(pixel_text(*picture, 0, 1)));
        const Histogram histogram = rendered(*picture, {}).histogram;
        QCOMPARE(histogram.below[0], std::uint64_t(1));
        QCOMPARE(histogram.above[0], std::uint64_t(1));
        QCOMPARE(histogram.above[1], std::uint64_t(0));
        QCOMPARE(histogram.above[2], std::uint64_t(1));
        QCOMPARE(histogram.levels[0][64], std::uint32_t(1));  // 0.25
    }

    void unchanged_is_what_other_parts_show() {
        std::vector<float> values;
        for (int i = 0; i < 3 * 8 * 8; ++i) values.push_back(static_cast<float>(std::sin(i) * 0.7 + 0.4));
        for (const auto space : {nodes::ColorSpace::Srgb, nodes::ColorSpace::Linear, nodes::ColorSpace::Raw}) {
            const nodes::Value value = image(values, 3, 8, 8, space);
            const PicturePtr picture = read(value);
            QCOMPARE(rendered(*picture, {}).image, value.preview(1000));
            // The path with changes, asked for none that matters, agrees to a level.
            const QImage other = rendered(*picture, {.exposure = 1e-9}).image;
            for (int y = 0; y < 8; ++y)
                for (int x = 0; x < 8; ++x) QVERIFY(std::abs(level(other, x, y) - level(picture->plain, x, y)) <= 1);
        }
    }

    void exposure_gamma_and_range() {
        const PicturePtr light = read(image({0.125f, 0.25f, 2, 4}, 1, 1, 4, nodes::ColorSpace::Linear));
        const QImage darker = rendered(*light, {.exposure = -2}).image;
        QCOMPARE(level(darker, 3, 0), 255);                                                            // 4 / 4
        QCOMPARE(level(darker, 2, 0), qRound(nodes::srgb_from_linear(0.5) * 255));
        const PicturePtr depth = read(image({2, 4, 6, 10}, 1, 1, 4, nodes::ColorSpace::Raw));
        const QImage ranged = rendered(*depth, {.stretch = true}).image;
        QCOMPARE(level(ranged, 0, 0), 0);
        QCOMPARE(level(ranged, 1, 0), 64);
        QCOMPARE(level(ranged, 3, 0), 255);
        const QImage lifted = rendered(*depth, {.gamma = 2, .stretch = true}).image;
        QCOMPARE(level(lifted, 1, 0), 128);
    }

    void channels_of_colours_and_alpha() {
        const PicturePtr picture = read(image({0.2f, 0.4f, 0.6f, 0.8f}, 4, 1, 1));
        const int wanted[] = {51, 102, 153, 204};
        for (int c = 0; c < 4; ++c) QCOMPARE(level(rendered(*picture, {.channel = static_cast<Channel>(c + 1)}).image, 0, 0), wanted[c]);
        QCOMPARE(level(rendered(*picture, {.channel = Channel::Luminance}).image, 0, 0), qRound((0.2126 * 0.2 + 0.7152 * 0.4 + 0.0722 * 0.6) * 255));
        QCOMPARE(rendered(*picture, {}).image.pixelColor(0, 0).alpha(), 204);
    }

    void differences_and_overlays() {
        const PicturePtr a = read(image({0.2f, 0.9f}, 1, 1, 2)), b = read(image({0.5f, 0.8f}, 1, 1, 2));
        const PicturePtr apart = difference(*a, *b);
        QVERIFY(std::abs(apart->pixel(0, 0)[0] - 0.3f) < 1e-6f && std::abs(apart->pixel(1, 0)[0] - 0.1f) < 1e-6f);
        QVERIFY(!difference(*a, *read(image({1, 1, 1}, 1, 1, 3))));
        QImage under(2, 1, QImage::Format_RGB32);
        under.fill(Qt::black);
        const PicturePtr mask = read(nodes::Value::of<nodes::Mask>(nodes::make_mask(gpu::tensor(std::vector<float>{0, 1}, {1, 1, 1, 2}))));
        QVERIFY(mask->mask);
        const QImage over = overlaid(under, *mask, Qt::red, 0.5);
        QCOMPARE(over.pixelColor(0, 0), QColor(0, 0, 0));
        QCOMPARE(over.pixelColor(1, 0), QColor(128, 0, 0));
    }

    void batches_videos_and_tensors_have_pictures() {
        const nodes::Value batch = image({0, 0, 0.5f, 0.5f, 1, 1}, 1, 1, 2);
        const PicturePtr last = read(batch, 2);
        QCOMPARE(last->count, 3);
        QCOMPARE(last->pixel(0, 0)[0], 1.0f);
        QCOMPARE(read(batch, 99)->index, 2);
        std::vector<float> frames(static_cast<std::size_t>(12) * 3 * 2 * 2);
        for (std::size_t i = 0; i < frames.size(); ++i) frames[i] = static_cast<float>(i / 12) / 20.0f;
        const nodes::Value batched = image(frames, 3, 2, 2);
        const nodes::Value video = nodes::Value::of<nodes::Video>(nodes::video_of(*batched.get<nodes::Image>(), {24, 1}));
        ValueReader reader;  // one reader: playing on, back and far ahead
        PicturePtr got;
        double ms = 0;
        QObject::connect(&reader, &ValueReader::picture_read, [&](const PicturePtr& picture) { got = picture; });
        QObject::connect(&reader, &ValueReader::frame_duration, [&](double d) { ms = d; });
        for (const int index : {0, 1, 2, 11, 4, 5}) {
            got.reset();
            reader.read(video, index);
            QVERIFY(QTest::qWaitFor([&] { return got != nullptr; }, 10000));
            QCOMPARE(got->index, index);
            QCOMPARE(got->count, 12);
            QVERIFY(std::abs(got->pixel(0, 0)[0] - static_cast<float>(index) / 20.0f) < 1e-5f);
            QVERIFY(ms > 40 && ms < 43);
        }
        const PicturePtr tensor = read(nodes::Value::of<nodes::Tensor>(gpu::tensor(std::vector<float>{-2, 0, 2, 6}, {2, 2})));
        QVERIFY(tensor && tensor->channels == 1);
        QCOMPARE(level(tensor->plain, 0, 0), 0);
        QCOMPARE(level(tensor->plain, 1, 1), 255);
        QVERIFY(!read(nodes::Value::of<nodes::Tensor>(gpu::tensor(std::vector<float>{1, 2, 3}, {3}))));
    }

    void facts_about_tensors() {
        const auto facts = tensor_facts(image({1, 2, 3, NAN, INFINITY, -INFINITY}, 1, 2, 3));
        QCOMPARE(facts.size(), std::size_t(1));
        QCOMPARE(facts[0].shape, std::string("1 x 1 x 2 x 3"));
        QCOMPARE(facts[0].nans, std::uint64_t(1));
        QCOMPARE(facts[0].infinities, std::uint64_t(2));
        QCOMPARE(facts[0].min, 1.0);
        QCOMPARE(facts[0].max, 3.0);
        QCOMPARE(facts[0].mean, 2.0);
        QVERIFY(std::abs(facts[0].deviation - std::sqrt(2.0 / 3)) < 1e-9);
    }

    void a_and_b_beside_a_line() {
        tests::Editor e;
        const NodeId first = e.model.add_node("stub.ramp", {}), second = e.model.add_node("stub.ramp", {300, 0}), blue = e.model.add_node("stub.constant", {-200, 0});
        QVERIFY(e.model.connect_sockets({blue, "out", true}, {second, "blue", false}).isEmpty());
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        ViewerPanel& viewer = e.window.viewer();
        e.scene.select({first});
        QVERIFY(settled(viewer));
        QTest::mouseClick(viewer.findChild<QToolButton*>("keep"), Qt::LeftButton);
        e.scene.select({second});
        QVERIFY(settled(viewer));
        QTest::mouseClick(viewer.findChild<QToolButton*>("wipe"), Qt::LeftButton);
        QVERIFY(settled(viewer));
        PictureView& view = *viewer.picture();
        const auto drag = [&](double from, double to) {
            const auto send = [&](QEvent::Type type, double x, Qt::MouseButton button, Qt::MouseButtons held) {
                const QPointF point = view.to_widget({x * 40, 20});
                QMouseEvent event(type, point, view.mapToGlobal(point), button, held, {});
                QApplication::sendEvent(&view, &event);
            };
            send(QEvent::MouseButtonPress, from, Qt::LeftButton, Qt::LeftButton);
            send(QEvent::MouseMove, to, Qt::NoButton, Qt::LeftButton);
            send(QEvent::MouseButtonRelease, to, Qt::LeftButton, Qt::NoButton);
        };
        drag(0.5, 0.25);
        QVERIFY(std::abs(view.wipe() - 0.25) < 0.02);
        const QImage seen = view.grab().toImage();
        const auto blue_at = [&](double x) { return seen.pixelColor(view.to_widget({x, 10}).toPoint() * seen.devicePixelRatio()).blue(); };
        QVERIFY(blue_at(4.5) == 7);  // A
        QVERIFY(blue_at(30.5) != 7);  // B
        QTest::mouseClick(viewer.findChild<QToolButton*>("difference"), Qt::LeftButton);
        QVERIFY(settled(viewer));
        QCOMPARE(level(view.picture(), 20, 20), 0);
        QVERIFY(view.picture().pixelColor(20, 20).blue() > 0);
        QTest::mouseClick(viewer.findChild<QToolButton*>("difference"), Qt::LeftButton);
        QVERIFY(settled(viewer));
        QVERIFY(viewer.compare() == ViewerPanel::Compare::Off);
    }

    void zoom_keeps_what_is_under_the_cursor() {
        PictureView view;
        view.resize(300, 200);
        view.set_picture(tests::picture_of({40, 7}));
        const QPointF at(100, 60), before = view.to_picture(at);
        QWheelEvent wheel(at, at, {}, {0, 120}, Qt::NoButton, {}, Qt::NoScrollPhase, false);
        QApplication::sendEvent(&view, &wheel);
        QVERIFY((view.to_picture(at) - before).manhattanLength() < 1e-6);
        view.actual_size();
        QCOMPARE(view.zoom() * view.devicePixelRatioF(), 1.0);
        view.fit();
        QVERIFY(view.rect().contains(view.area().toRect()));
    }

    void adjustments_are_widgets() {
        tests::Editor e;
        const NodeId ramp = e.model.add_node("stub.ramp", {});
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        ViewerPanel& viewer = e.window.viewer();
        e.scene.select({ramp});
        QVERIFY(settled(viewer));
        QVERIFY(!viewer.histogram()->isVisible());
        QTest::mouseClick(viewer.findChild<QToolButton*>("adjust"), Qt::LeftButton);
        QVERIFY(viewer.histogram()->isVisible());
        auto* channel = viewer.findChild<QComboBox*>("channel");
        channel->setFocus();    // else the arrow goes to the canvas
        QTest::keyClick(channel, Qt::Key_Down);
        QVERIFY(settled(viewer));
        QCOMPARE(viewer.picture()->picture().pixelColor(20, 5), QColor(20, 20, 20));  // red is x
        QVERIFY(viewer.histogram()->histogram().gray);
        QTest::mouseClick(viewer.findChild<QToolButton*>("reset_view"), Qt::LeftButton);
        QVERIFY(settled(viewer));
        QCOMPARE(viewer.picture()->picture(), tests::picture_of({40, 7}));
    }

    void times_values_and_history() {
        tests::Editor e;
        const NodeId ramp = e.model.add_node("image.gradient", {});
        e.scene.select({ramp});
        auto* times = e.window.findChild<TimesPanel*>("times");
        auto* values = e.window.findChild<ValuesPanel*>("values");
        auto* history = e.window.findChild<HistoryPanel*>("history");
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        e.window.findChild<QDockWidget*>("dock_times")->raise();
        QVERIFY(QTest::qWaitFor([&] { return times->topLevelItemCount() == 1; }, 10000));
        QCOMPARE(times->topLevelItem(0)->text(0), qt(ramp));
        QVERIFY(times->topLevelItem(0)->text(3).contains("ms") || times->topLevelItem(0)->text(3).contains("s"));
        QVERIFY(!times->topLevelItem(0)->text(5).isEmpty());
        e.window.findChild<QDockWidget*>("dock_values")->raise();
        QVERIFY(QTest::qWaitFor([&] { return values->topLevelItemCount() == 1; }, 10000));
        QVERIFY(values->topLevelItem(0)->text(2).startsWith("1 x "));
        QCOMPARE(values->topLevelItem(0)->text(8), QStringLiteral("0"));
        // Another run, then back to the graph of the first.
        QCOMPARE(history->count(), 1);
        e.model.set_param(ramp, "width", 24);
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QCOMPARE(history->count(), 2);
        QVERIFY(QTest::qWaitFor([&] { return !history->item(0)->icon().isNull(); }, 10000));
        history->open_graph(1);
        QVERIFY(!e.model.param_is_set(ramp, "width"));
        e.trigger("undo");
        QCOMPARE(e.model.param(ramp, "width"), QJsonValue(24));
    }
};

HEDDLE_TEST(viewer, ViewerTest)
#include "viewer.moc"
