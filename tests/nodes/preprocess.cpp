// Control pictures, poses and masks: Canny and thinning against OpenCV 4.6 (make_preprocess.py wrote the expectations), the rest against
// their formulas on small pictures.
#include <QFile>
#include <QTemporaryDir>
#include <cmath>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/codec/image_file.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"
#include "nodes/types/pose.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;
using tests::run_node;
using gpu::ErrorCode;
using Floats = std::vector<float>;

namespace {

const char* const canny_gray =      // canny, 1 channels, 100 200
    "...............#..#...#...#.#"
    ".............#...##..#..##..#"
    "............#...##..#..##..##"
    "...........#..##...#..##..#.."
    "..........#..##..##..##..#..#"
    "........#...##..#...##....#.."
    ".......#...##..#..##.....#..#"
    "......#..##...#..##..#....#.."
    "....#...##..##..##..#..#.#..#"
    "...#...##..#...##....##...#.."
    "..#..##...#..##.....#...##..#"
    "....##..##..##..#....#.#....#"
    "#..##..#...##..#..#.#....#..#"
    ".##...#..##.....##...##.#..##"
    "##..##..##..#..#...##.......#"
    "...#...##..#..#.#.#..#......."
    "..#..##.....##...#..#..##..##"
    ".#..##..#..#...##..#..##....#"
    "#..##..#..#.#.#.......#.....#"
    "###.....#.........#.........."
    ".#..##.#..#.##.#.#.#.#.###.##";
const char* const canny_gray_euclidean =      // canny, 1 channels, 60 150, euclidean
    "...............#..#...#...#.#"
    ".............#...##..#..##..."
    "............#...##..#..##..##"
    "...........#..##...#..##..#.."
    "..........#..##...#..##.....#"
    "........#...##..#...##....#.."
    ".......#...##..#..##.....#..#"
    "......#..##...#..##..#....#.."
    "....#...##...#..##.....#.#..#"
    "...#...##..#...##....##...#.."
    "..#..##...#..##.....#...##..#"
    "....##...#..##..#....#.#....#"
    "#..##..#...##..#..#.#....#..#"
    ".##...#..##.....##...##.#..##"
    "##...#..##..#..#...##...#...#"
    "...#...##..#..#.#.#.........."
    "..#..##.....##...#..#..##..##"
    ".#..##..#..#...##..#..##....#"
    "#..##..#..#.#.#.............#"
    "###.....#.........#...#......"
    ".#..##.#..#.##.#.#.#.#.###.##";
const char* const canny_rgb =      // canny, 3 channels, 100 200
    ".....#....#...##..#..#.#..#.#"
    ".....#....#..###.##....#.##.#"
    ".....#...#..##..##.#.##.....#"
    ".....#.....##..#.....#......."
    ".....#.....#.....##.##......#"
    ".....#.....#....##..#.....#.."
    ".....#..........#........##.#"
    "....#...###.............#.#.."
    "......###....#..#......#..#.#"
    "......#.....##.##.....#..#..."
    "..#..#.....##..#....##..#...#"
    "....##.....#......#..#......#"
    "#..##.....#......#..##.###..#"
    ".##.....#.......##..#......##"
    "##..#..#..#.#..##...#.......#"
    "...#..#..##.........#...#...."
    "..#..#.......#...#.#...##..##"
    ".#..##..#......#...#..##..#.#"
    "#..#...#..###..#..........#.#"
    "###.......#........#...#....."
    ".#..###..#######.###..##..#.#";
const char* const canny_rgb_euclidean =      // canny, 3 channels, 60 150, euclidean
    ".....#....#....#..#.##.#..#.#"
    ".....#....#..###.##....#.#..."
    ".....#...#...#..##.#.##.....#"
    ".....#......##.#.....#....#.."
    ".....#.....##....##.#.......#"
    ".....#.....#.....#..#.#...#.."
    ".....#.....#....##.#.#.#.##.#"
    "....#...###.....#.......#.#.."
    ".......#.....#..#......#..#.#"
    "......#.....#..#..#...#..##.."
    "..#..##....##.##.#..#..#.#..#"
    "....##.....#.........##...#.#"
    "#..##.....##.....#..##.###..#"
    ".##.....#.#.....##...#.....##"
    "##..#..##.#.##.##...#.......#"
    "...#..##..#.........#...#...."
    "..#..#.....###...#.#...##..##"
    ".#..##..#.#....#..#...##....."
    "#..#...#..####.#.#.......##.#"
    "###.....#.#........#...#....."
    ".#..####.###.####.##..##..#.#";
const char* const zhang_suen =      // zhang-suen
    "..........................."
    "..........................."
    "..#........................"
    "...#.....#######..........."
    "....##..#.......#.........."
    "......##.........#........."
    "......#..........#........."
    "......#...........#........"
    "......#...........#........"
    "......#...........#........"
    "......#...........#........"
    "......#...........#........"
    "......#..........#........."
    ".......#.........#........."
    "........##.......#........."
    "..........########........."
    "..................#........"
    "...................####...."
    "..........................."
    "..........................."
    "...........................";
const char* const guo_hall =      // guo-hall
    "..........................."
    "..#........................"
    "..#........................"
    "...#......######..........."
    "....#...##......#.........."
    ".....###.........#........."
    ".......#..........#........"
    ".......#..........#........"
    ".......#..........#........"
    ".......##.........#........"
    "......#..#........#........"
    "......#...........#........"
    ".......#..........#........"
    "........#........#........."
    ".........#......##........."
    "..........######..#........"
    "...................#......."
    "....................####..."
    "..........................."
    "..........................."
    "...........................";

Value picture(Floats pixels, int height, int channels = 1, ColorSpace space = ColorSpace::Srgb) {
    const auto width = static_cast<std::int64_t>(pixels.size()) / channels / height;
    return Value::of(make_image(from_interleaved(std::move(pixels), 1, height, width, channels), space));
}

// waves() of make_preprocess.py
Value waves(int width, int height, int channels) {
    Floats pixels;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c) pixels.push_back(float((x * x * 3 + y * y * 5 + x * y * 7 + c * 90 * (x / 5)) / 4 % 256) / 255);
    return picture(std::move(pixels), height, channels);
}

// blobs() of make_preprocess.py
Value blobs(int width, int height) {
    Floats pixels;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const int ring = (x - 12) * (x - 12) + (y - 9) * (y - 9);
            const bool inside = x > 0 && y > 0 && x < width - 1 && y < height - 1;
            pixels.push_back(inside && ((ring > 20 && ring < 62) || (y > 14 && x > 16) || (std::abs(x - y) < 2 && x < 10)));
        }
    return picture(std::move(pixels), height);
}

Floats pixels_of(const tests::NodeRun& run, const char* output = "image") { return to_interleaved(run.get<Image>(output).tensor); }

QString drawn(const tests::NodeRun& run) {
    QString text;
    for (const float v : pixels_of(run)) text += v == 0 ? '.' : v == 1 ? '#' : '?';
    return text;
}

bool near(const Floats& got, const std::vector<double>& wanted, double tolerance = 1e-5) {
    if (got.size() != wanted.size()) {
        qWarning("%zu elements, not %zu", got.size(), wanted.size());
        return false;
    }
    for (std::size_t i = 0; i < got.size(); ++i)
        if (!(std::abs(got[i] - wanted[i]) <= tolerance)) {
            qWarning("element %zu: %g, not %g", i, got[i], wanted[i]);
            return false;
        }
    return true;
}

Value mask_of(Floats values, std::int64_t h) {
    const auto w = static_cast<std::int64_t>(values.size()) / h;
    return Value::of(make_mask(gpu::tensor(values, {1, 1, h, w})));
}

Floats mask_values(const char* type, const QJsonObject& params, const std::map<std::string, Value>& inputs) {
    return gpu::to_floats(run_node(type, params, inputs).get<Mask>("mask").tensor);
}

// A person with its neck and right shoulder alone.
QString two_points(const char* extra = "") {
    QString numbers = "0,0,0, 20,30,1, 60,30,0.5";
    for (int i = 3; i < 18; ++i) numbers += ",0,0,0";
    return QString("{\"people\":[{\"pose_keypoints_2d\":[%1]}]%2}").arg(numbers, extra);
}

Value pose_of(const QString& json) { return run_node("pose.load", {{"text", json}}).outputs.at("pose"); }

std::vector<int> pixel(const Image& image, int x, int y) {
    const Floats all = to_interleaved(image.tensor);
    std::vector<int> values;
    for (int c = 0; c < image.channels(); ++c)
        values.push_back(static_cast<int>(std::lround(all[static_cast<std::size_t>((y * image.width() + x) * image.channels() + c)] * 255)));
    return values;
}

using Bytes = std::vector<int>;

}  // namespace

class PreprocessTest : public QObject {
    Q_OBJECT
private slots:
    void canny_is_opencvs() {
        QCOMPARE(drawn(run_node("preprocess.canny", {}, {{"image", waves(29, 21, 1)}})), QString(canny_gray));
        QCOMPARE(drawn(run_node("preprocess.canny", {}, {{"image", waves(29, 21, 3)}})), QString(canny_rgb));
        const QJsonObject other = {{"low", 60}, {"high", 150}, {"norm", "euclidean"}};
        QCOMPARE(drawn(run_node("preprocess.canny", other, {{"image", waves(29, 21, 1)}})), QString(canny_gray_euclidean));
        QCOMPARE(drawn(run_node("preprocess.canny", other, {{"image", waves(29, 21, 3)}})), QString(canny_rgb_euclidean));
        // Thresholds in the other order are the same two, and gray as RGB is the same picture.
        QCOMPARE(drawn(run_node("preprocess.canny", {{"low", 200}, {"high", 100}}, {{"image", waves(29, 21, 1)}})), QString(canny_gray));
    }
    void canny_of_batches_alpha_and_blur() {
        const Image one = *waves(29, 21, 3).get<Image>();
        const Value two = Value::of(make_image(gpu::concat({one.tensor, gpu::zeros({1, 3, 21, 29})}, 0)));
        QCOMPARE(drawn(run_node("preprocess.canny", {}, {{"image", two}})), QString(canny_rgb) + QString(29 * 21, '.'));
        const Value opaque = Value::of(widened(one, 4));
        QCOMPARE(drawn(run_node("preprocess.canny", {}, {{"image", opaque}})), QString(canny_rgb));
        // What can not be seen is white paper, whatever its colour: no edges.
        const Value hidden = Value::of(make_image(gpu::concat({one.tensor, gpu::zeros({1, 1, 21, 29})}, 1)));
        QCOMPARE(drawn(run_node("preprocess.canny", {}, {{"image", hidden}})), QString(29 * 21, '.'));
        // A step of 0.5 has Sobel slopes of 508 on both sides: an edge one pixel wide, less steep after a blur.
        Floats step(9 * 8, 0);
        for (std::size_t i = 0; i < step.size(); ++i) step[i] = i % 9 >= 4 ? 0.5f : 0;
        const auto edge = [&](double high, double sigma) {
            return drawn(run_node("preprocess.canny", {{"low", high}, {"high", high}, {"sigma", sigma}}, {{"image", picture(step, 8)}})).count('#');
        };
        QCOMPARE(edge(511, 0), 8);      // 4 x 128 = 512
        QCOMPARE(edge(512, 0), 0);
        QCOMPARE(edge(300, 2), 0);
        QCOMPARE(edge(100, 2), 8);
        QCOMPARE(drawn(run_node("preprocess.canny", {}, {{"image", picture({0.7f}, 1)}})), QString("."));
    }
    void thinning_is_opencvs() {
        QCOMPARE(drawn(run_node("preprocess.thin", {}, {{"image", blobs(27, 21)}})), QString(zhang_suen));
        QCOMPARE(drawn(run_node("preprocess.thin", {{"method", "guo-hall"}}, {{"image", blobs(27, 21)}})), QString(guo_hall));
        const Value inverse = Value::of(make_image(1.0 - blobs(27, 21).get<Image>()->tensor));
        QCOMPARE(drawn(run_node("preprocess.thin", {{"dark", true}}, {{"image", inverse}})), QString(zhang_suen));
        QCOMPARE(drawn(run_node("preprocess.thin", {}, {{"image", picture(Floats(5 * 7, 0), 7)}})), QString(35, '.'));
    }
    // A line stays connected and is one pixel wide.
    void thinning_of_a_bar() {
        Floats bar(15 * 9, 0);
        for (int y = 2; y < 7; ++y)
            for (int x = 0; x < 15; ++x) bar[static_cast<std::size_t>(y * 15 + x)] = 1;
        const QString got = drawn(run_node("preprocess.thin", {}, {{"image", picture(bar, 9)}}));
        for (int x = 3; x < 12; ++x) {
            int on = 0;
            for (int y = 0; y < 9; ++y) on += got[y * 15 + x] == '#';
            QCOMPARE(on, 1);
        }
    }

    void soft_edges() {
        // Away from its edge a step has none; at it, the difference of the two error functions.
        Floats step(41 * 3);
        for (std::size_t i = 0; i < step.size(); ++i) step[i] = i % 41 >= 20 ? 1 : 0;
        const auto run = run_node("preprocess.soft_edge", {{"sigma", 2}, {"ratio", 2}, {"gain", 1}}, {{"image", picture(step, 3)}});
        const Floats got = pixels_of(run);
        const auto blurred = [](double x, double s) { return 0.5 * (1 + std::erf(x / (s * std::sqrt(2)))); };
        QVERIFY(near({got[41]}, {0}, 1e-3));
        for (int x = 15; x < 26; ++x)
            QVERIFY(near({got[static_cast<std::size_t>(41 + x)]}, {std::abs(blurred(x - 19.5, 2) - blurred(x - 19.5, 4))}, 4e-3));
        // Flat pictures: no edges; lines have ink where the picture is darker than epsilon.
        QVERIFY(near(pixels_of(run_node("preprocess.soft_edge", {}, {{"image", picture(Floats(35, .3f), 5)}})), std::vector<double>(35, 0), 1e-4));
        const QJsonObject lines = {{"style", "lines"}, {"epsilon", 0.5}, {"phi", 2}};
        QVERIFY(near(pixels_of(run_node("preprocess.soft_edge", lines, {{"image", picture(Floats(35, .3f), 5)}})), std::vector<double>(35, std::tanh(.4)), 1e-4));
        QVERIFY(near(pixels_of(run_node("preprocess.soft_edge", lines, {{"image", picture(Floats(35, .7f), 5)}})), std::vector<double>(35, 0), 1e-4));
        QJsonObject inverse = lines;
        inverse["invert"] = true;
        QVERIFY(near(pixels_of(run_node("preprocess.soft_edge", inverse, {{"image", picture(Floats(35, .7f), 5)}})), std::vector<double>(35, 1), 1e-4));
    }
    void scribbles() {
        const Value drawing = picture({1, 1, 1, .4f, 1, 1, .6f, .6f, .6f, 0, 0, 0}, 1, 3);
        QCOMPARE(drawn(run_node("preprocess.scribble", {}, {{"image", drawing}})), QString(".#.#"));
        QCOMPARE(drawn(run_node("preprocess.scribble", {{"threshold", 200}}, {{"image", drawing}})), QString(".###"));
        Floats line(31 * 9, 1);
        for (std::size_t y = 0; y < 9; ++y) line[y * 31 + 15] = 0;
        const QString got = drawn(run_node("preprocess.scribble", {{"method", "xdog"}, {"threshold", 32}}, {{"image", picture(line, 9)}}));
        QVERIFY(got.mid(4 * 31, 13) == QString(13, '.') && got[4 * 31 + 15] == '#');
        QVERIFY(failure_of("preprocess.scribble", {{"method", "xdog"}, {"wide", 0.4}}, {{"image", drawing}}) == ErrorCode::InvalidGraph);
    }
    void luminance() {
        const Value image = picture({1, 0, 0, .2f, .6f, .4f, 0.01f, 0.01f, 0.01f}, 1, 3);
        const auto run = [&](QJsonObject params) { return pixels_of(run_node("preprocess.luminance", params, {{"image", image}})); };
        const double y = .212671 * linear_from_srgb(.2) + .71516 * linear_from_srgb(.6) + .072169 * linear_from_srgb(.4);
        QVERIFY(near(run({}), {1.16 * std::cbrt(.212671) - .16, 1.16 * std::cbrt(y) - .16, 9.032963 * linear_from_srgb(.01)}, 2e-5));
        QVERIFY(near(run({{"measure", "value"}}), {1, .6, .01}));
        QVERIFY(near(run({{"measure", "luma"}}), {.299, .299 * .2 + .587 * .6 + .114 * .4, .01}));
        QVERIFY(near(run({{"measure", "value"}, {"gamma", 2}}), {1, .36, .0001}));
        // Half of nothing on white.
        QVERIFY(near(pixels_of(run_node("preprocess.luminance", {{"measure", "luma"}}, {{"image", picture({0, 0, 0, .5f}, 1, 4)}})), {.5}));
    }
    void recoloring() {
        const Value gray = picture({.5f, .5f}, 1), paint = picture({.4f, .4f, .4f, .5f, .3f, .2f}, 1, 3);
        const double luma = .299 * .5 + .587 * .3 + .114 * .2;
        QVERIFY(near(pixels_of(run_node("preprocess.recolor", {}, {{"brightness", gray}, {"color", paint}})),
                     {.5, .5, .5, 1 - luma, .8 - luma, .7 - luma}));
        // Its own colours on its own brightness: nothing changes.
        QVERIFY(near(pixels_of(run_node("preprocess.recolor", {}, {{"brightness", paint}, {"color", paint}})), {.4, .4, .4, .5, .3, .2}));
        QCOMPARE(run_node("preprocess.recolor", {}, {{"brightness", waves(7, 5, 3)}, {"color", paint}}).get<Image>("image").width(), 7);
    }
    void color_grids() {
        Floats pixels(6 * 4, 0);
        for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = float(i % 6) / 10;
        const auto got = pixels_of(run_node("preprocess.color_grid", {{"cell", 3}, {"filter", "area"}}, {{"image", picture(pixels, 4)}}));
        for (std::size_t i = 0; i < got.size(); ++i) QVERIFY(near({got[i]}, {i % 6 < 3 ? .1 : .4}));
        // Smaller than a cell, and of odd size.
        const auto odd = run_node("preprocess.color_grid", {{"cell", 64}}, {{"image", waves(29, 21, 3)}}).get<Image>("image");
        QVERIFY(odd.width() == 29 && odd.height() == 21);
        QCOMPARE(pixel(odd, 0, 0), pixel(odd, 28, 20));
    }
    void tiles() {
        const auto run = [](QJsonObject params) { return run_node("preprocess.tile", params, {{"image", picture({0, 1, 0, 1, .2f, .4f, .2f, .4f}, 2)}}); };
        QVERIFY(near(pixels_of(run({{"factor", 1}})), {0, 1, 0, 1, .2, .4, .2, .4}));
        QVERIFY(near(pixels_of(run({{"factor", 2}, {"enlarge", false}})), {.4, .4}));
        QVERIFY(near(pixels_of(run({{"factor", 32}})), std::vector<double>(8, .4)));
        QCOMPARE(run_node("preprocess.tile", {}, {{"image", waves(29, 21, 3)}}).get<Image>("image").width(), 29);
    }
    void inpaint_hints() {
        const auto run = run_node("preprocess.inpaint_hint", {}, {{"image", picture({.1f, .2f, .3f, .4f, .5f, .6f}, 1, 3)}, {"mask", mask_of({1, .5f}, 1)}});
        QVERIFY(near(pixels_of(run), {-1, -1, -1, .4, .5, .6}));
        QVERIFY(run.get<Image>("image").space == ColorSpace::Raw);      // a control network gets it as it is
        QVERIFY(near(pixels_of(run_node("preprocess.inpaint_hint", {}, {{"image", picture({.1f, .2f}, 1)}, {"mask", mask_of({0, 1}, 1)}})),
                     {.1, .1, .1, -1, -1, -1}));
        QVERIFY(failure_of("preprocess.inpaint_hint", {}, {{"image", picture({.1f, .2f}, 1)}, {"mask", mask_of({0, 1, 1}, 1)}}) == ErrorCode::InvalidGraph);
    }
    void depths() {
        const Value image = picture({2, 4, 10, 0, INFINITY, NAN}, 1, 1, ColorSpace::Linear);
        const auto run = [&](QJsonObject params) { return pixels_of(run_node("preprocess.depth", params, {{"image", image}})); };
        QVERIFY(near(run({}), {.2, .4, 1, 0, 0, 0}));
        QVERIFY(near(run({{"holes", true}}), {0, .25, 1, 0, 0, 0}));
        QVERIFY(near(run({{"meaning", "distance"}, {"holes", true}}), {1, .75, 0, 0, 0, 0}));
        QVERIFY(near(run({{"meaning", "metric"}}), {1, (.25 - .1) / .4, 0, 0, 0, 0}));
        QVERIFY(near(run({{"gamma", 2}}), {.04, .16, 1, 0, 0, 0}));
        // A hundred and one steps: ten per cent at each end saturate.
        Floats ramp(101);
        for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = float(i);
        const auto cut = pixels_of(run_node("preprocess.depth", {{"far", 10}, {"near", 10}}, {{"image", picture(ramp, 1)}}));
        QVERIFY(near({cut[5], cut[10], cut[50], cut[90], cut[95]}, {0, 0, .5, 1, 1}));
        const auto flat = run_node("preprocess.depth", {}, {{"image", picture(Floats(9, 3), 3)}});
        QVERIFY(near(pixels_of(flat), std::vector<double>(9, 0)));
        QCOMPARE(flat.warnings.size(), 1u);
        QVERIFY(failure_of("preprocess.depth", {{"holes", true}}, {{"image", picture(Floats(9, 0), 3)}}) == ErrorCode::InvalidGraph);
        QVERIFY(near(pixels_of(run_node("preprocess.depth", {{"first", true}}, {{"image", picture({0, 5, 5, 1, 0, 0}, 1, 3)}})), {0, 1}));
    }
    // Sixteen bits of a PNG and floats of OpenEXR come through whole.
    void depth_from_files() {
        QTemporaryDir folder;
        Floats values(300);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(i) / 65535;
        for (const auto& [file, depth] : {std::pair{"d.png", PixelDepth::U16}, std::pair{"d.exr", PixelDepth::Float}}) {
            const std::string path = folder.filePath(file).toStdString();
            write_image(path, *picture(values, 10, 1, ColorSpace::Raw).get<Image>(), 0, {.depth = depth});
            const Value loaded = run_node("image.load", {{"file", QString::fromStdString(path)}, {"space", "raw"}}).outputs.at("image");
            const auto got = pixels_of(run_node("preprocess.depth", {}, {{"image", loaded}}));
            for (std::size_t i = 0; i < got.size(); ++i) QVERIFY(near({got[i]}, {double(i) / 299}, 1e-4));
        }
    }

    void pose_draws_a_limb_and_joints() {
        const auto run = run_node("pose.draw", {{"width", 80}, {"height", 60}}, {{"pose", pose_of(two_points())}});
        const Image image = run.get<Image>("image");
        QVERIFY(image.width() == 80 && image.height() == 60 && image.channels() == 3);
        QCOMPARE(pixel(image, 40, 30), (Bytes{153, 0, 0}));        // the first limb, at 0.6
        QCOMPARE(pixel(image, 40, 34), (Bytes{153, 0, 0}));        // 4 to either side in its middle
        QCOMPARE(pixel(image, 40, 35), (Bytes{0, 0, 0}));
        QCOMPARE(pixel(image, 20, 30), (Bytes{255, 85, 0}));       // neck
        QCOMPARE(pixel(image, 60, 26), (Bytes{255, 170, 0}));      // right shoulder
        QCOMPARE(pixel(image, 64, 30), (Bytes{255, 170, 0}));
        QCOMPARE(pixel(image, 65, 30), (Bytes{0, 0, 0}));
        QCOMPARE(pixel(image, 0, 0), (Bytes{0, 0, 0}));            // points without confidence
        // The shoulder is not sure enough: no limb.
        const Image fewer = run_node("pose.draw", {{"width", 80}, {"height", 60}, {"threshold", 0.6}}, {{"pose", pose_of(two_points())}}).get<Image>("image");
        QCOMPARE(pixel(fewer, 40, 30), (Bytes{0, 0, 0}));
        QCOMPARE(pixel(fewer, 60, 30), (Bytes{0, 0, 0}));
        QCOMPARE(pixel(fewer, 20, 30), (Bytes{255, 85, 0}));
    }
    void pose_scales_to_the_picture() {
        const Value known = pose_of(two_points(",\"canvas_width\":80,\"canvas_height\":60"));
        const Image own = run_node("pose.draw", {}, {{"pose", known}}).get<Image>("image");
        QVERIFY(own.width() == 80 && own.height() == 60);
        const Image twice = run_node("pose.draw", {{"width", 160}}, {{"pose", known}}).get<Image>("image");
        QVERIFY(twice.width() == 160 && twice.height() == 120);
        QCOMPARE(pixel(twice, 40, 60), (Bytes{255, 85, 0}));
        QVERIFY(failure_of("pose.draw", {}, {{"pose", pose_of(two_points())}}) == ErrorCode::InvalidGraph);
        QVERIFY(failure_of("pose.draw", {{"width", 80}}, {{"pose", pose_of(two_points())}}) == ErrorCode::InvalidGraph);
        // Fractions of the picture.
        QString fractions = two_points();
        fractions.replace("20,30,1", "0.25,0.5,1").replace("60,30,0.5", "0.75,0.5,0.5");
        const Image part = run_node("pose.draw", {{"width", 80}, {"height", 60}}, {{"pose", pose_of(fractions)}}).get<Image>("image");
        QCOMPARE(pixel(part, 20, 30), (Bytes{255, 85, 0}));
        QCOMPARE(pixel(part, 60, 30), (Bytes{255, 170, 0}));
    }
    void pose_skeletons() {
        // Points i at (i, 100 i) in each skeleton: where they are found in the others.
        const auto person = [](int count) {
            QStringList numbers;
            for (int i = 0; i < count; ++i) numbers << QString("%1,%2,1").arg(i + 3).arg(100 * i);
            return (*parse_pose(("[{\"people\":[{\"pose_keypoints_2d\":[" + numbers.join(',') + "]}]}]").toUtf8()).frames)[0].people[0];
        };
        const auto from25 = person(25).coco18();
        for (const auto& [at, source] : {std::pair{0, 0}, {1, 1}, {7, 7}, {8, 9}, {10, 11}, {11, 12}, {13, 14}, {14, 15}, {17, 18}})
            QCOMPARE(from25[static_cast<std::size_t>(at)].x, double(source + 3));
        const auto from17 = person(17).coco18();
        // OpenPose: right shoulder 2, left wrist 7, right hip 8, left ankle 13, right eye 14, left ear 17.
        for (const auto& [at, source] : {std::pair{0, 0}, {2, 6}, {7, 9}, {8, 12}, {13, 15}, {14, 2}, {17, 3}})
            QCOMPARE(from17[static_cast<std::size_t>(at)].x, double(source + 3));
        QCOMPARE(from17[1].x, (5 + 6) / 2.0 + 3);
        const auto back = person(18).coco17();
        for (const auto& [at, source] : {std::pair{0, 0}, {1, 15}, {2, 14}, {3, 17}, {4, 16}, {5, 5}, {6, 2}, {9, 7}, {11, 11}, {16, 10}})
            QCOMPARE(back[static_cast<std::size_t>(at)].x, double(source + 3));
    }
    void pose_hands_and_faces() {
        QStringList hand;
        for (int i = 0; i < 21; ++i) hand << QString("%1,%2,1").arg(10 + 8 * (i % 5)).arg(10 + 12 * (i / 5));
        const QString json = QString("{\"people\":[{\"pose_keypoints_2d\":[],\"hand_left_keypoints_2d\":[%1],\"hand_right_keypoints_2d\":null,"
                                     "\"face_keypoints_2d\":[70,70,1]}],\"canvas_width\":90,\"canvas_height\":80}").arg(hand.join(','));
        const Image image = run_node("pose.draw", {}, {{"pose", pose_of(json)}}).get<Image>("image");
        QCOMPARE(pixel(image, 10, 10), (Bytes{0, 0, 255}));
        QCOMPARE(pixel(image, 70, 70), (Bytes{255, 255, 255}));
        QCOMPARE(pixel(image, 73, 70), (Bytes{255, 255, 255}));
        QCOMPARE(pixel(image, 74, 70), (Bytes{0, 0, 0}));
        QCOMPARE(pixel(image, 14, 10).back(), 255);                // disc of the wrist, radius 4
        const Image none = run_node("pose.draw", {{"hands", false}, {"face", false}}, {{"pose", pose_of(json)}}).get<Image>("image");
        for (const float v : to_interleaved(none.tensor)) QCOMPARE(v, 0.0f);
    }
    void pose_of_humansd() {
        // Left eye to nose: the first line, hue 0.01 of seaborn's palette (0.86, 0.3716, 0.34) x 255.
        QString numbers = "20,30,1, 60,30,1";
        for (int i = 2; i < 17; ++i) numbers += ",0,0,0";
        const Value pose = pose_of("{\"annotations\":[{\"image_id\":4,\"keypoints\":[" + numbers + "]}],\"images\":[{\"id\":4,\"width\":80,\"height\":60}]}");
        const Image image = run_node("pose.draw", {{"style", "humansd"}}, {{"pose", pose}}).get<Image>("image");
        QVERIFY(image.width() == 80 && image.height() == 60);
        const Bytes wanted = {219, 94, 86};      // int(255 x ...)
        for (const auto& [x, y] : {std::pair{40, 30}, {40, 26}, {40, 34}, {20, 25}, {65, 30}}) {
            const Bytes got = pixel(image, x, y);
            for (std::size_t c = 0; c < 3; ++c) QVERIFY2(std::abs(got[c] - wanted[c]) <= 1, qPrintable(QString("%1 %2: %3").arg(x).arg(y).arg(got[c])));
        }
        QCOMPARE(pixel(image, 40, 36), (Bytes{0, 0, 0}));
    }
    void pose_frames_and_people() {
        const QString frame = two_points(",\"canvas_width\":80,\"canvas_height\":60");
        const Value two = pose_of("[" + frame + ",{\"people\":[]}]");
        const Image batch = run_node("pose.draw", {}, {{"pose", two}}).get<Image>("image");
        QCOMPARE(batch.batch(), 2);
        const Floats all = to_interleaved(batch.tensor);
        QVERIFY(std::all_of(all.begin() + 80 * 60 * 3, all.end(), [](float v) { return v == 0; }));
        // What it is kept as on disk reads back the same.
        const auto stored = two.stored();
        QVERIFY(stored.has_value());
        QVERIFY(two.type()->restore(*stored).hash() == two.hash());
        QCOMPARE(two.summary(), std::string("2 frames, up to 1 person"));
    }
    void pose_names_what_is_wrong_data() {
        QTest::addColumn<QString>("json");
        QTest::addColumn<QString>("part");
        QTest::newRow("no json") << "{\"people\":[" << "JSON";
        QTest::newRow("no people") << "{\"persons\":[]}" << "people";
        QTest::newRow("people of text") << "{\"people\":\"all\"}" << "text";
        QTest::newRow("a person of numbers") << "{\"people\":[3]}" << "people[0]";
        QTest::newRow("pairs") << "{\"people\":[{\"pose_keypoints_2d\":[1,2,3,4]}]}" << "4 numbers";
        QTest::newRow("nineteen points") << "{\"people\":[{\"pose_keypoints_2d\":[" + QString("1,2,1,").repeated(18) + "1,2,1]}]}" << "got 19";
        QTest::newRow("a null among them") << "{\"people\":[{\"face_keypoints_2d\":[1,null,1]}]}" << "face_keypoints_2d[1]";
        QTest::newRow("a hand of four") << "{\"people\":[{\"hand_left_keypoints_2d\":[" + QString("1,2,1,").repeated(3) + "1,2,1]}]}" << "21 points";
        QTest::newRow("far away") << "{\"people\":[{\"face_keypoints_2d\":[1e300,1,1]}]}" << "1000000";
        QTest::newRow("canvas") << "{\"people\":[],\"canvas_width\":-4}" << "canvas_width";
        QTest::newRow("nothing") << "[]" << "empty list";
        QTest::newRow("a number") << "[7]" << "frame 0";
    }
    void pose_names_what_is_wrong() {
        QFETCH(QString, json);
        QFETCH(QString, part);
        try {
            run_node("pose.load", {{"text", json}});
            QFAIL("was accepted");
        } catch (const gpu::Error& error) {
            QVERIFY(error.code() == ErrorCode::InvalidGraph);
            QVERIFY2(QString(error.what()).contains(part), error.what());
        }
    }
    void pose_files() {
        QTemporaryDir folder;
        QFile file(folder.filePath("p.json"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(two_points().toUtf8());
        file.close();
        QCOMPARE(run_node("pose.load", {{"file", file.fileName()}}).get<Pose>("pose").frames->at(0).people.size(), 1u);
        QVERIFY(failure_of("pose.load", {}) == ErrorCode::InvalidGraph);
        QCOMPARE(run_node("pose.load", {{"file", file.fileName()}, {"text", "{\"people\":[]}"}}).get<Pose>("pose").frames->at(0).people.size(), 1u);
        QVERIFY(failure_of("pose.load", {{"file", folder.filePath("none.json")}}) == ErrorCode::MissingFile);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("\x89PNG");
        file.close();
        QVERIFY(failure_of("pose.load", {{"file", file.fileName()}}) == ErrorCode::BadFile);
    }

    void masks_grow_and_shrink() {
        Floats point(11 * 9, 0);
        point[4 * 11 + 5] = 1;
        for (const char* shape : {"round", "square", "diamond"})
            for (const int by : {1, 3}) {
                const Floats got = mask_values("mask.grow", {{"by", by}, {"shape", shape}}, {{"mask", mask_of(point, 9)}});
                for (int y = 0; y < 9; ++y)
                    for (int x = 0; x < 11; ++x) {
                        const int dx = std::abs(x - 5), dy = std::abs(y - 4);
                        const bool in = *shape == 'r' ? dx * dx + dy * dy <= by * by : *shape == 's' ? std::max(dx, dy) <= by : dx + dy <= by;
                        QCOMPARE(got[static_cast<std::size_t>(y * 11 + x)], in ? 1.0f : 0.0f);
                    }
                // Shrinking the inverse is the inverse of growing.
                Floats inverse = point;
                for (float& v : inverse) v = 1 - v;
                const Floats less = mask_values("mask.grow", {{"by", -by}, {"shape", shape}}, {{"mask", mask_of(inverse, 9)}});
                for (std::size_t i = 0; i < less.size(); ++i) QCOMPARE(less[i], 1 - got[i]);
            }
        // Soft values move; the picture's border takes nothing away.
        QVERIFY(near(mask_values("mask.grow", {{"by", 1}}, {{"mask", mask_of({0, .3f, 0, 0, .8f}, 1)}}), {.3, .3, .3, .8, .8}));
        QVERIFY(near(mask_values("mask.grow", {{"by", -2}}, {{"mask", mask_of({1, 1, 1, 1, .5f}, 1)}}), {1, 1, .5, .5, .5}));
        QVERIFY(near(mask_values("mask.grow", {{"by", 40}}, {{"mask", mask_of({0, 0, .7f}, 3)}}), {.7, .7, .7}));
        // Pictures of a batch stay apart.
        const Value two = Value::of(make_mask(gpu::tensor(Floats{1, 1, 0, 0}, {2, 1, 2, 1})));
        QVERIFY(near(mask_values("mask.grow", {{"by", 3}}, {{"mask", two}}), {1, 1, 0, 0}));
    }
    void masks_feather() {
        Floats step(41);
        for (std::size_t i = 0; i < step.size(); ++i) step[i] = i >= 20;
        const auto soft = [&](const char* side) { return mask_values("mask.feather", {{"sigma", 3}, {"side", side}}, {{"mask", mask_of(step, 1)}}); };
        const Floats both = soft("both"), outside = soft("outside"), inside = soft("inside");
        for (std::size_t i = 0; i < step.size(); ++i) {
            QVERIFY(std::abs(both[i] + both[step.size() - 2 - std::min(i, step.size() - 2)] - 1) < 1e-5 || i > 39);
            QVERIFY(outside[i] >= step[i] && inside[i] <= step[i]);
        }
        QVERIFY(outside[18] > .5 && outside[18] < 1 && inside[21] > 0 && inside[21] < .5);
        QVERIFY(near(mask_values("mask.feather", {{"sigma", 0}}, {{"mask", mask_of(step, 1)}}), std::vector<double>(step.begin(), step.end()), 0));
    }
    void masks_combine_and_invert() {
        const std::map<std::string, Value> inputs = {{"a", mask_of({0, 1, .25f, .75f}, 1)}, {"b", mask_of({1, 1, .5f, .5f}, 1)}};
        const auto run = [&](const char* mode) { return mask_values("mask.combine", {{"mode", mode}}, inputs); };
        QVERIFY(near(run("union"), {1, 1, .5, .75}));
        QVERIFY(near(run("intersection"), {0, 1, .25, .5}));
        QVERIFY(near(run("subtract"), {0, 0, .25, .5}));
        QVERIFY(near(run("exclusive"), {1, 0, .25, .25}));
        QVERIFY(near(run("multiply"), {0, 1, .125, .375}));
        QVERIFY(near(run("add"), {1, 1, .75, 1}));
        QVERIFY(failure_of("mask.combine", {}, {{"a", mask_of({0, 1}, 1)}, {"b", mask_of({0, 1}, 2)}}) == ErrorCode::InvalidGraph);
        QVERIFY(near(mask_values("mask.invert", {}, {{"mask", mask_of({0, .25f}, 1)}}), {1, .75}));
    }
    void masks_of_a_color() {
        const Value image = picture({1, 0, 0, 247 / 255.0f, 8 / 255.0f, 0, 246 / 255.0f, 0, 0, 0, 0, 0}, 1, 3);
        QVERIFY(near(mask_values("mask.from_color", {{"color", "#ff0000"}}, {{"image", image}}), {1, 1, 0, 0}));
        QVERIFY(near(mask_values("mask.from_color", {{"color", "#ff0000"}, {"tolerance", 5}, {"softness", 8}}, {{"image", image}}), {1, .625, .5, 0}, 1e-3));
        QVERIFY(near(mask_values("mask.from_color", {{"color", "#808080"}, {"tolerance", 0}}, {{"image", picture({128 / 255.0f, .2f}, 1)}}), {1, 0}));
    }
};

HEDDLE_TEST(preprocess, PreprocessTest)
#include "preprocess.moc"
