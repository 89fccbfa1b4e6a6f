// Strokes as masks: coverage against its definition (nodes/types/strokes.h), text there and back, bad text, the node.
#include <cmath>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"
#include "nodes/types/strokes.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::run_node;

namespace {

MaskPixels one(const Stroke& stroke, int w = 32, int h = 24) { return draw_strokes({stroke}, w, h); }

double sum(const MaskPixels& mask) {
    double all = 0;
    for (const float v : mask.values) all += v;
    return all;
}

bool near(double a, double b, double tolerance = 1e-5) { return std::abs(a - b) <= tolerance; }

QString why(const QByteArray& json) {
    try {
        parse_strokes(json);
    } catch (const gpu::Error& error) {
        return QString::fromUtf8(error.what());
    }
    return {};
}

}  // namespace

class MaskPaintTest : public QObject {
    Q_OBJECT
private slots:
    void a_brush_follows_its_formula() {
        for (const double hardness : {1.0, 0.5, 0.0}) {
            const Stroke stroke{.points = {{8, 9}, {20, 12}, {23, 4}}, .radius = 5.5, .hardness = hardness, .strength = 0.75};
            const MaskPixels mask = one(stroke);
            for (int y = 0; y < mask.height; ++y)
                for (int x = 0; x < mask.width; ++x) {
                    double d = 1e9;  // from the nearest of many points on the line
                    for (std::size_t i = 0; i + 1 < stroke.points.size(); ++i)
                        for (int k = 0; k <= 4000; ++k) {
                            const double t = k / 4000.0;
                            d = std::min(d, std::hypot(stroke.points[i].x + t * (stroke.points[i + 1].x - stroke.points[i].x) - x - 0.5,
                                                       stroke.points[i].y + t * (stroke.points[i + 1].y - stroke.points[i].y) - y - 0.5));
                        }
                    const double w = std::max(1.0, 5.5 * (1 - hardness)), t = std::clamp((6.0 - d) / w, 0.0, 1.0);
                    QVERIFY2(near(mask.at(x, y), 0.75 * t * t * (3 - 2 * t), 1e-3), qPrintable(QString("%1, %2 hardness %3").arg(x).arg(y).arg(hardness)));
                }
        }
    }

    void a_stroke_that_crosses_itself_counts_once() {
        const MaskPixels mask = one({.points = {{4, 12}, {28, 12}, {4, 12}, {28, 12}}, .radius = 4, .strength = 0.5});
        QVERIFY(near(mask.at(16, 12), 0.5));
        QCOMPARE(mask.values, one({.points = {{4, 12}, {28, 12}}, .radius = 4, .strength = 0.5}).values);
    }

    void strokes_lie_over_one_another() {
        const Stroke dot{.points = {{16, 12}}, .radius = 6, .strength = 0.5};
        Stroke eraser = dot;
        eraser.tool = StrokeTool::Eraser;
        QVERIFY(near(draw_strokes({dot, dot}, 32, 24).at(16, 12), 0.75));
        QVERIFY(near(draw_strokes({dot, dot, eraser}, 32, 24).at(16, 12), 0.375));
    }

    void areas_have_their_exact_size() {
        QVERIFY(near(sum(one({.tool = StrokeTool::Rectangle, .points = {{20.25, 3.5}, {4.5, 11.75}}})), 15.75 * 8.25));
        QVERIFY(near(one({.tool = StrokeTool::Rectangle, .points = {{4.5, 3.5}, {20.25, 11.75}}}).at(20, 11), 0.25 * 0.75));
        QVERIFY(near(sum(one({.tool = StrokeTool::Ellipse, .points = {{4, 3}, {28, 21}}})), 3.14159265 * 12 * 9, 1.0));
        const MaskPixels triangle = one({.tool = StrokeTool::Lasso, .points = {{2, 2}, {26, 2}, {2, 22}}});
        QVERIFY(near(sum(triangle), 240, 0.01));
        QVERIFY(triangle.at(3, 3) == 1 && triangle.at(25, 21) == 0);
        // Even-odd: what is enclosed twice is a hole.
        const MaskPixels ring = one({.tool = StrokeTool::Lasso, .points = {{2, 2}, {22, 2}, {22, 22}, {2, 22}, {2, 2}, {8, 8}, {16, 8}, {16, 16}, {8, 16}, {8, 8}}});
        QVERIFY(ring.at(12, 12) == 0 && ring.at(4, 4) == 1);
    }

    void gradients_are_linear_along_their_line() {
        const MaskPixels mask = one({.tool = StrokeTool::Gradient, .points = {{4, 0}, {20, 0}}});
        QCOMPARE(mask.at(0, 5), 0.0f);
        QVERIFY(near(mask.at(12, 20), 8.5 / 16));
        QCOMPARE(mask.at(30, 5), 1.0f);
    }

    void fills_stop_at_what_is_painted() {
        const Stroke outline{.points = {{6, 6}, {24, 6}, {24, 18}, {6, 18}, {6, 6}}, .radius = 1.5};
        const MaskPixels inside = draw_strokes({outline, {.tool = StrokeTool::Fill, .points = {{12, 12}}}}, 32, 24);
        QCOMPARE(inside.at(15, 12), 1.0f);
        QVERIFY(inside.at(8, 8) > 0.89f && inside.at(7, 12) > 0.89f);  // no seam
        QCOMPARE(inside.at(1, 1), 0.0f);
        const MaskPixels emptied = draw_strokes({outline, {.tool = StrokeTool::Fill, .points = {{12, 12}}}, {.tool = StrokeTool::Fill, .points = {{12, 12}}, .erase = true}}, 32, 24);
        QCOMPARE(emptied.at(15, 12), 0.0f);
        const MaskPixels all = one({.tool = StrokeTool::Fill, .strength = 0.25});
        QVERIFY(near(sum(all), 0.25 * 32 * 24));
    }

    // What the painter relies on: a stroke drawn part by part is the stroke.
    void parts_make_the_whole() {
        const Stroke stroke{.points = {{3, 3}, {20, 5}, {9, 20}, {30, 22}}, .radius = 4, .hardness = 0.3, .strength = 0.8};
        MaskPixels parts = one({.tool = StrokeTool::Gradient, .points = {{0, 0}, {32, 24}}});
        MaskPixels whole = parts;
        draw_stroke(whole, stroke);
        for (const QRect& part : {QRect(0, 0, 13, 24), QRect(13, 0, 19, 9), QRect(13, 9, 19, 15)}) draw_stroke(parts, stroke, part);
        QCOMPARE(parts.values, whole.values);
    }

    void text_comes_back_the_same() {
        const std::vector<Stroke> strokes{{.points = {{1.25, 2}, {3, 4.5}}, .radius = 7.5, .hardness = 0.25, .strength = 0.5},
                                          {.tool = StrokeTool::Eraser, .points = {{1, 2}}},
                                          {.tool = StrokeTool::Lasso, .points = {{1, 2}, {3, 4}, {5, 6}}, .erase = true},
                                          {.tool = StrokeTool::Rectangle, .points = {{1, 2}, {3, 4}}},
                                          {.tool = StrokeTool::Ellipse, .points = {{1, 2}, {3, 4}}},
                                          {.tool = StrokeTool::Gradient, .points = {{1, 2}, {3, 4}}},
                                          {.tool = StrokeTool::Fill}};
        QVERIFY(parse_strokes(strokes_json(strokes)) == strokes);
        QVERIFY(parse_strokes("").empty() && parse_strokes("[]").empty() && strokes_json({}).isEmpty());
    }

    void bad_text_is_refused_data() {
        QTest::addColumn<QByteArray>("json");
        QTest::addColumn<QString>("says");
        QTest::newRow("no json") << QByteArray("[{") << "expected JSON";
        QTest::newRow("object") << QByteArray("{}") << "expected a list of strokes";
        QTest::newRow("number") << QByteArray("[1]") << "stroke 0: expected an object";
        QTest::newRow("tool") << QByteArray(R"([{"tool": "brusk", "points": [1, 2]}])") << "did you mean 'brush'?";
        QTest::newRow("odd") << QByteArray(R"([{"tool": "brush", "points": [1, 2, 3]}])") << "x, y, x, y";
        QTest::newRow("text") << QByteArray(R"([{"tool": "brush", "points": [1, "2"]}])") << "coordinates";
        QTest::newRow("far") << QByteArray(R"([{"tool": "brush", "points": [1, 1e9]}])") << "coordinates";
        QTest::newRow("none") << QByteArray(R"([{"tool": "brush"}])") << "points of a brush, got 0";
        QTest::newRow("few") << QByteArray(R"([{"tool": "lasso", "points": [1, 2, 3, 4]}])") << "points of a lasso, got 2";
        QTest::newRow("radius") << QByteArray(R"([{"tool": "brush", "points": [1, 2], "radius": 1e9}])") << "radius of 0.5 to 4096";
        QTest::newRow("hardness") << QByteArray(R"([{"tool": "brush", "points": [1, 2], "hardness": "x"}])") << "no number";
        QTest::newRow("erase") << QByteArray(R"([{"tool": "fill", "erase": 1}])") << "true or false";
    }
    void bad_text_is_refused() {
        QFETCH(QByteArray, json);
        QFETCH(QString, says);
        QVERIFY2(why(json).contains(says), qPrintable(why(json)));
        QVERIFY(tests::failure_of("mask.paint", {{"strokes", QString::fromUtf8(json)}}) == gpu::ErrorCode::InvalidGraph);
    }

    void the_node_takes_the_size_of_its_picture() {
        const QString dot = R"([{"tool": "brush", "points": [4, 4], "radius": 2}])";
        const tests::NodeRun without = run_node("mask.paint", {{"strokes", dot}, {"width", 20}, {"height", 10}});
        QVERIFY(without.get<Mask>("mask").width() == 20 && without.get<Mask>("mask").height() == 10);
        const Value picture = Value::of<Image>(make_image(gpu::zeros({2, 3, 12, 16})));
        const tests::NodeRun with = run_node("mask.paint", {{"strokes", dot}}, {{"image", picture}});
        QVERIFY(with.get<Mask>("mask").width() == 16 && with.get<Mask>("mask").height() == 12);
        const auto values = gpu::to_floats(with.get<Mask>("mask").tensor);
        QCOMPARE(values[4 * 16 + 4], 1.0f);
        QCOMPARE(values[9 * 16 + 9], 0.0f);
        const auto inverted = gpu::to_floats(run_node("mask.paint", {{"strokes", dot}, {"invert", true}}, {{"image", picture}}).get<Mask>("mask").tensor);
        QCOMPARE(inverted[4 * 16 + 4], 0.0f);
        QCOMPARE(inverted[9 * 16 + 9], 1.0f);
    }
};

HEDDLE_TEST(mask_paint, MaskPaintTest)
#include "mask_paint.moc"
