// Picture nodes against what their definitions say, computed here in double precision on single pixels.
#include <QFile>
#include <QTemporaryDir>
#include <cmath>

#include "gpu/io/checkpoint.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/codec/image_file.h"
#include "nodes/types/image.h"
#include "nodes/types/latent.h"
#include "nodes/types/mask.h"
#include "nodes/types/number.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;
using tests::run_node;

namespace {

// One row of pixels, RGB or RGBA or gray by `channels`.
Value row(std::vector<float> pixels, int channels, ColorSpace space = ColorSpace::Srgb) {
    const auto width = static_cast<std::int64_t>(pixels.size()) / channels;
    return Value::of(make_image(from_interleaved(std::move(pixels), 1, 1, width, channels), space));
}

Value picture(int width, int height, int seed = 1) {
    return run_node("image.noise", {{"width", width}, {"height", height}, {"seed", seed}}).outputs.at("image");
}

std::vector<float> pixels_of(const tests::NodeRun& run, const char* output = "image") {
    return to_interleaved(run.get<Image>(output).tensor);
}

bool near(const std::vector<float>& got, const std::vector<double>& wanted, double tolerance = 1e-5) {
    if (got.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < got.size(); ++i)
        if (!(std::abs(got[i] - wanted[i]) <= tolerance)) {
            qWarning("element %zu: %g, not %g", i, got[i], wanted[i]);
            return false;
        }
    return true;
}

}  // namespace

class ImageNodesTest : public QObject {
    Q_OBJECT
private slots:
    void checker() {
        const auto run = run_node("image.checker", {{"width", 5}, {"height", 4}, {"cell", 2}, {"first", "#ff0000"}, {"second", "#0000ff"}});
        const std::vector<float> got = pixels_of(run);
        for (int y = 0; y < 4; ++y)
            for (int x = 0; x < 5; ++x) QCOMPARE(got[(y * 5 + x) * 3], (x / 2 + y / 2) % 2 ? 0.0f : 1.0f);
    }
    // Mirrors, quarter turns and whole pixels only change places.
    void transform_moves_pixels() {
        const Value source = picture(5, 3);
        const std::vector<float> from = to_interleaved(source.get<Image>()->tensor);
        const auto at = [&](int x, int y, int c) { return x < 0 || y < 0 || x >= 5 || y >= 3 ? 0.0f : from[static_cast<std::size_t>((y * 5 + x) * 3 + c)]; };
        const auto same = [&](const QJsonObject& params, int width, int height, auto place) {
            const auto run = run_node("image.transform", params, {{"image", source}});
            const Image& made = run.get<Image>("image");
            if (made.width() != width || made.height() != height || made.channels() != 4) return false;
            const std::vector<float> got = to_interleaved(made.tensor);
            for (int y = 0; y < height; ++y)
                for (int x = 0; x < width; ++x) {
                    const auto [sx, sy] = place(x, y);
                    const bool inside = sx >= 0 && sy >= 0 && sx < 5 && sy < 3;
                    const float* pixel = &got[static_cast<std::size_t>((y * width + x) * 4)];
                    if (pixel[3] != (inside ? 1.0f : 0.0f)) return false;
                    for (int c = 0; c < 3; ++c)
                        if (pixel[c] != at(sx, sy, c)) return false;
                }
            return true;
        };
        using P = std::pair<int, int>;
        QVERIFY(same({}, 5, 3, [](int x, int y) { return P{x, y}; }));
        QVERIFY(same({{"mirror", "horizontal"}}, 5, 3, [](int x, int y) { return P{4 - x, y}; }));
        QVERIFY(same({{"mirror", "vertical"}}, 5, 3, [](int x, int y) { return P{x, 2 - y}; }));
        QVERIFY(same({{"x", 2}, {"y", -1}}, 5, 3, [](int x, int y) { return P{x - 2, y + 1}; }));
        QVERIFY(same({{"angle", 90}, {"canvas", "grow"}}, 3, 5, [](int x, int y) { return P{y, 2 - x}; }));
        QVERIFY(same({{"angle", -90}, {"canvas", "grow"}}, 3, 5, [](int x, int y) { return P{4 - y, x}; }));
        QVERIFY(same({{"angle", 180}}, 5, 3, [](int x, int y) { return P{4 - x, 2 - y}; }));
        // What is mirrored is turned afterwards.
        QVERIFY(same({{"mirror", "horizontal"}, {"angle", 90}, {"canvas", "grow"}}, 3, 5, [](int x, int y) { return P{4 - y, 2 - x}; }));
        // About the centre, which keeps its place.
        QVERIFY(same({{"angle", 90}}, 5, 3, [](int x, int y) { return P{y + 1, 3 - x}; }));
    }
    // Between pixels, and what is see-through.
    void transform_mixes() {
        const Value two = row({1, 0, 0, 1, 0, 0, 1, 0}, 4);      // red, and a blue that can not be seen
        QVERIFY(near(pixels_of(run_node("image.transform", {{"x", 0.5}}, {{"image", two}})), {1, 0, 0, .5, 1, 0, 0, .5}));
        QVERIFY(near(pixels_of(run_node("image.transform", {{"x", 1}, {"background", "#00ff00"}}, {{"image", two}})), {0, 1, 0, 1, 0, 0}));
        QVERIFY(near(pixels_of(run_node("image.transform", {{"x", 0.25}}, {{"image", row({0, 1}, 1)}})), {0, 0, 0, .75, .75, .75, .75, 1}));
        const auto twice = run_node("image.transform", {{"scale", 2}, {"canvas", "grow"}}, {{"image", picture(4, 6)}});
        QCOMPARE(twice.get<Image>("image").width(), 8);
        QCOMPARE(twice.get<Image>("image").height(), 12);
        const Value resized = run_node("image.resize", {{"by", "scale"}, {"scale", 2}}, {{"image", picture(4, 6)}}).outputs.at("image");
        const std::vector<float> got = to_interleaved(twice.get<Image>("image").color()), wanted = to_interleaved(resized.get<Image>()->tensor);
        QVERIFY(near(got, {wanted.begin(), wanted.end()}));
        // Of a square turned by 45 degrees the diagonal gives the size.
        QCOMPARE(run_node("image.transform", {{"angle", 45}, {"canvas", "grow"}}, {{"image", picture(10, 10)}}).get<Image>("image").width(), 15);
        QVERIFY(failure_of("image.transform", {{"scale", 100}}, {{"image", picture(200, 4)}}) == gpu::ErrorCode::InvalidGraph);
    }
    void gradient() {
        QVERIFY(near(pixels_of(run_node("image.gradient", {{"width", 4}, {"height", 1}})),
                     {.125, .125, .125, .375, .375, .375, .625, .625, .625, .875, .875, .875}));
        const auto down = pixels_of(run_node("image.gradient", {{"width", 1}, {"height", 4}, {"angle", 90}}));
        QVERIFY(near({down[0], down[3], down[6], down[9]}, {.125, .375, .625, .875}));
        const auto radial = run_node("image.gradient", {{"width", 3}, {"height", 3}, {"form", "radial"}, {"second", "#ffffff00"}});
        QCOMPARE(radial.get<Image>("image").channels(), 4);
        QVERIFY(near({pixels_of(radial)[3], pixels_of(radial)[4 * 4 + 3]}, {1 - std::sqrt(2.0) / std::sqrt(4.5), 1}));
    }
    void noise_is_the_same_everywhere() {
        const auto one = pixels_of(run_node("image.noise", {{"width", 9}, {"height", 7}, {"seed", 4}}));
        const auto batch = pixels_of(run_node("image.noise", {{"width", 9}, {"height", 7}, {"seed", 4}, {"batch", 3}}));
        QVERIFY(std::equal(one.begin(), one.end(), batch.begin()));
        QVERIFY(!std::equal(one.begin(), one.end(), batch.begin() + static_cast<std::ptrdiff_t>(one.size())));
        for (const float v : one) QVERIFY(v >= 0 && v < 1);
    }

    void blend_modes_data() {
        QTest::addColumn<QString>("mode");
        QTest::addColumn<double>("low");      // base 0.2, layer 0.4
        QTest::addColumn<double>("high");     // base 0.7, layer 0.8
        const auto soft = [](double b, double s) {
            const double d = b <= 0.25 ? ((16 * b - 12) * b + 4) * b : std::sqrt(b);
            return s <= 0.5 ? b - (1 - 2 * s) * b * (1 - b) : b + (2 * s - 1) * (d - b);
        };
        QTest::newRow("normal") << "normal" << .4 << .8;
        QTest::newRow("multiply") << "multiply" << .08 << .56;
        QTest::newRow("screen") << "screen" << .52 << .94;
        QTest::newRow("overlay") << "overlay" << .16 << .88;
        QTest::newRow("darken") << "darken" << .2 << .7;
        QTest::newRow("lighten") << "lighten" << .4 << .8;
        QTest::newRow("add") << "add" << .6 << 1.5;
        QTest::newRow("subtract") << "subtract" << -.2 << -.1;
        QTest::newRow("difference") << "difference" << .2 << .1;
        QTest::newRow("hard-light") << "hard-light" << .16 << .88;
        QTest::newRow("soft-light") << "soft-light" << soft(.2, .4) << soft(.7, .8);
    }
    void blend_modes() {
        QFETCH(QString, mode);
        QFETCH(double, low);
        QFETCH(double, high);
        const std::map<std::string, Value> inputs = {{"base", row({.2f, .7f}, 1)}, {"layer", row({.4f, .8f}, 1)}};
        QVERIFY(near(pixels_of(run_node("image.blend", {{"mode", mode}}, inputs)), {low, high}));
        QVERIFY(near(pixels_of(run_node("image.blend", {{"mode", mode}, {"opacity", 0.25}}, inputs)),
                     {.2 + .25 * (low - .2), .7 + .25 * (high - .7)}));
    }
    void blend_mask_and_alpha() {
        const Value mask = Value::of(make_mask(gpu::tensor(std::vector<float>{0, .5f, 1}, {1, 1, 1, 3})));
        QVERIFY(near(pixels_of(run_node("image.blend", {}, {{"base", row({0, 0, 0}, 1)}, {"layer", row({1, 1, 1}, 1)}, {"mask", mask}})),
                     {0, .5, 1}));
        // A half transparent layer over a half transparent base: alpha .75, colour (.5 b .5 + .5 s) / .75.
        QVERIFY(near(pixels_of(run_node("image.blend", {}, {{"base", row({.9f, 0, 0, .5f}, 4)}, {"layer", row({0, .6f, 0, .5f}, 4)}})),
                     {.3, .4, 0, .75}));
        // Nothing over nothing has no colour.
        QVERIFY(near(pixels_of(run_node("image.blend", {}, {{"base", row({.9f, 0, 0, 0}, 4)}, {"layer", row({0, .6f, 0, 0}, 4)}})),
                     {0, 0, 0, 0}));
    }
    void blend_converts_colour_spaces() {
        const auto run = run_node("image.blend", {}, {{"base", row({0, 0, 0}, 3)}, {"layer", row({.5f, .002f, 1}, 3, ColorSpace::Linear)}});
        QVERIFY(run.get<Image>("image").space == ColorSpace::Srgb);
        QVERIFY(near(pixels_of(run), {srgb_from_linear(.5), srgb_from_linear(.002), 1}, 2e-5));
    }
    void blend_names_what_does_not_fit() {
        QVERIFY(failure_of("image.blend", {}, {{"base", picture(4, 4)}, {"layer", picture(4, 5)}}) == gpu::ErrorCode::InvalidGraph);
    }

    void masks() {
        const Value image = row({1, 0, 0, .25f, .2f, .4f, .6f, 1}, 4);
        const auto mask = [&](const QJsonObject& params) {
            return gpu::to_floats(run_node("mask.from_image", params, {{"image", image}}).get<Mask>("mask").tensor);
        };
        QVERIFY(near(mask({}), {.2126, .2126 * .2 + .7152 * .4 + .0722 * .6}));
        QVERIFY(near(mask({{"channel", "alpha"}}), {.25, 1}));
        QVERIFY(near(mask({{"channel", "blue"}, {"invert", true}}), {1, .4}));
        QVERIFY(near(mask({{"channel", "green"}, {"binary", true}, {"threshold", 0.4}}), {0, 1}));
        QVERIFY(near(gpu::to_floats(run_node("mask.from_image", {{"channel", "alpha"}}, {{"image", row({.3f}, 1)}}).get<Mask>("mask").tensor), {1}));
    }

    void crop_and_pad_undo_each_other() {
        const Value image = picture(9, 6);
        for (const char* border : {"zero", "replicate", "reflect", "color"}) {
            const auto padded = run_node("image.pad", {{"left", 2}, {"right", 3}, {"top", 1}, {"bottom", 4}, {"border", border}}, {{"image", image}});
            QCOMPARE(padded.get<Image>("image").width(), 14);
            QCOMPARE(padded.get<Image>("image").height(), 11);
            const auto back = run_node("image.crop", {{"anchor", "top-left"}, {"x", 2}, {"y", 1}, {"width", 9}, {"height", 6}},
                                       {{"image", padded.outputs.at("image")}});
            QCOMPARE(pixels_of(back), to_interleaved(image.get<Image>()->tensor));
        }
        QVERIFY(near(pixels_of(run_node("image.pad", {{"left", 2}, {"right", 1}, {"border", "reflect"}}, {{"image", row({.1f, .2f, .3f}, 1)}})),
                     {.3, .2, .1, .2, .3, .2}));
        QVERIFY(near(pixels_of(run_node("image.pad", {{"left", 1}, {"border", "color"}, {"color", "#00ff00"}}, {{"image", row({.1f, .2f, .3f}, 3)}})),
                     {0, 1, 0, .1, .2, .3}));
        QVERIFY(failure_of("image.pad", {{"left", 9}, {"border", "reflect"}}, {{"image", image}}) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(failure_of("image.crop", {{"width", 10}, {"height", 6}}, {{"image", image}}) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(failure_of("image.crop", {{"width", 4}, {"height", 4}, {"x", 5}}, {{"image", image}}) == gpu::ErrorCode::InvalidGraph);
    }

    void resize_sizes() {
        const Value image = picture(40, 20);
        const auto size = [&](QJsonObject params) {
            const Image made = run_node("image.resize", params, {{"image", image}}).get<Image>("image");
            return std::pair(made.width(), made.height());
        };
        using Size = std::pair<std::int64_t, std::int64_t>;
        QCOMPARE(size({{"width", 16}, {"height", 24}}), Size(16, 24));
        QCOMPARE(size({{"width", 16}, {"height", 24}, {"fit", "inside"}}), Size(16, 8));
        QCOMPARE(size({{"width", 16}, {"height", 24}, {"fit", "cover"}}), Size(16, 24));
        QCOMPARE(size({{"by", "scale"}, {"scale", 0.5}}), Size(20, 10));
        QCOMPARE(size({{"by", "longest"}, {"side", 10}}), Size(10, 5));
        QCOMPARE(size({{"by", "shortest"}, {"side", 10}}), Size(20, 10));
        QCOMPARE(size({{"by", "longest"}, {"side", 27}, {"multiple", 8}}), Size(24, 16));
        QCOMPARE(size({{"by", "megapixels"}, {"megapixels", 0.5}}), Size(1024, 512));
    }
    void batches_are_joined_repeated_and_picked_from() {
        const Value a = row({.1, .2}, 1), b = row({1, 0, 0, .5, 0, 1, 0, 1}, 4);
        const tests::NodeRun joined = run_node("image.batch", {}, {{"a", a}, {"b", b}});
        QVERIFY(near(pixels_of(joined), {.1, .1, .1, 1, .2, .2, .2, 1, 1, 0, 0, .5, 0, 1, 0, 1}));      // as colourful as the other, opaque
        QVERIFY(failure_of("image.batch", {}, {{"a", a}, {"b", row({1, 1, 1}, 1)}}) == gpu::ErrorCode::InvalidGraph);
        const Value both = joined.outputs.at("image");
        QVERIFY(near(pixels_of(run_node("image.pick", {{"index", -1}}, {{"image", both}})), {1, 0, 0, .5, 0, 1, 0, 1}));
        QVERIFY(failure_of("image.pick", {{"index", 1}, {"count", 2}}, {{"image", both}}) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(failure_of("image.pick", {{"index", 2}}, {{"image", both}}) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(near(pixels_of(run_node("image.repeat", {{"times", 3}}, {{"image", a}})), {.1, .2, .1, .2, .1, .2}));
    }
    void alpha_is_set_and_survives_inversion() {
        const Value a = row({.1, .2}, 1), mask = Value::of(make_mask(gpu::reshape(gpu::tensor({1.0F, .25F}), {1, 1, 1, 2})));
        QVERIFY(near(pixels_of(run_node("image.set_alpha", {}, {{"image", a}, {"mask", mask}})), {.1, .1, .1, 1, .2, .2, .2, .25}));
        const tests::NodeRun clear = run_node("image.set_alpha", {{"invert", true}}, {{"image", a}, {"mask", mask}});
        QVERIFY(near(pixels_of(clear), {.1, .1, .1, 0, .2, .2, .2, .75}));
        QVERIFY(near(pixels_of(run_node("image.invert", {}, {{"image", clear.outputs.at("image")}})), {.9, .9, .9, 0, .8, .8, .8, .75}));
    }
    void resize_averages_what_is_seen() {
        // Red that is seen and green that is not: the mean is red, half there.
        const auto run = run_node("image.resize", {{"width", 1}, {"height", 1}, {"filter", "area"}}, {{"image", row({1, 0, 0, 1, 0, 1, 0, 0}, 4)}});
        QVERIFY(near(pixels_of(run), {1, 0, 0, .5}));
        const auto linear = run_node("image.resize", {{"width", 1}, {"height", 1}, {"filter", "area"}, {"linear", true}}, {{"image", row({1, 0}, 1)}});
        QVERIFY(near(pixels_of(linear), {srgb_from_linear(.5)}, 2e-5));
    }
    void resize_leaves_its_own_size() {
        const Value image = picture(16, 16);
        QCOMPARE(pixels_of(run_node("image.resize", {{"width", 16}, {"height", 16}, {"fit", "cover"}}, {{"image", image}})),
                 to_interleaved(image.get<Image>()->tensor));
    }
    void blur_keeps_flat_pictures_and_spreads_points() {
        const Value flat = row(std::vector<float>(30, .4f), 3);
        QVERIFY(near(pixels_of(run_node("image.blur", {{"sigma", 2}}, {{"image", flat}})), std::vector<double>(30, .4)));
        std::vector<float> point(21, 0);
        point[10] = 1;
        const auto got = pixels_of(run_node("image.blur", {{"sigma", 1}}, {{"image", row(point, 1)}}));
        const double total = 1 + 2 * (std::exp(-.5) + std::exp(-2) + std::exp(-4.5));
        QVERIFY(near({got[10], got[11], got[8]}, {1 / total, std::exp(-.5) / total, std::exp(-2) / total}));
    }

    void difference_measures() {
        const Value a = picture(32, 24, 1);
        const auto same = run_node("image.difference", {}, {{"a", a}, {"b", a}});
        QCOMPARE(same.metrics.at("psnr"), 100.0);
        QVERIFY(std::abs(same.metrics.at("ssim") - 1) < 1e-5);
        const Image shifted = a.get<Image>()->with(a.get<Image>()->tensor + 0.1);
        const auto far = run_node("image.difference", {{"gain", 2}}, {{"a", a}, {"b", Value::of(evaluated(shifted))}});
        QVERIFY(std::abs(far.metrics.at("psnr") - 20) < 1e-3);
        QVERIFY(near(pixels_of(far), std::vector<double>(32 * 24 * 3, .2)));
        QCOMPARE(far.get<double>("psnr"), far.metrics.at("psnr"));
        QVERIFY(failure_of("image.difference", {}, {{"a", a}, {"b", picture(24, 32)}}) == gpu::ErrorCode::InvalidGraph);
    }
    // The formula, in double precision, on one channel.
    void difference_ssim_is_wangs() {
        const Value a = run_node("image.noise", {{"width", 17}, {"height", 14}, {"color", false}, {"seed", 1}}).outputs.at("image");
        const Value n = run_node("image.noise", {{"width", 17}, {"height", 14}, {"color", false}, {"seed", 2}}).outputs.at("image");
        const Value b = run_node("image.blend", {{"opacity", 0.3}}, {{"base", a}, {"layer", n}}).outputs.at("image");
        const auto x = to_interleaved(a.get<Image>()->tensor), y = to_interleaved(b.get<Image>()->tensor);
        double taps[11], total = 0, sum = 0;
        for (int i = 0; i < 11; ++i) total += taps[i] = std::exp(-(i - 5) * (i - 5) / (2 * 1.5 * 1.5));
        for (int top = 0; top <= 14 - 11; ++top)
            for (int left = 0; left <= 17 - 11; ++left) {
                double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
                for (int i = 0; i < 11; ++i)
                    for (int j = 0; j < 11; ++j) {
                        const double w = taps[i] * taps[j] / (total * total);
                        const double p = x[(top + i) * 17 + left + j], q = y[(top + i) * 17 + left + j];
                        mx += w * p, my += w * q, xx += w * p * p, yy += w * q * q, xy += w * p * q;
                    }
                sum += (2 * mx * my + 1e-4) * (2 * (xy - mx * my) + 9e-4) /
                       ((mx * mx + my * my + 1e-4) * (xx - mx * mx + yy - my * my + 9e-4));
            }
        const double got = run_node("image.difference", {}, {{"a", a}, {"b", b}}).metrics.at("ssim");
        QVERIFY2(std::abs(got - sum / (4 * 7)) < 1e-5, qPrintable(QString("%1, not %2").arg(got).arg(sum / 28)));
    }

    void save_numbers_a_batch_and_embeds() {
        QTemporaryDir folder;
        const Value two = run_node("image.noise", {{"width", 4}, {"height", 4}, {"batch", 2}}).outputs.at("image");
        const auto run = run_node("image.save", {{"file", folder.filePath("a_###.png")}}, {{"image", two}});
        QCOMPARE(run.wrote.size(), 2u);
        QVERIFY(QFile::exists(folder.filePath("a_001.png")) && QFile::exists(folder.filePath("a_002.png")));
        run_node("image.save", {{"file", folder.filePath("b.png")}}, {{"image", two}});
        QVERIFY(QFile::exists(folder.filePath("b_0001.png")) && QFile::exists(folder.filePath("b_0002.png")));
        const std::string document = embedded_document(folder.filePath("b_0001.png").toStdString());
        QVERIFY2(document.find("\\u00e4") != std::string::npos, document.c_str());      // ASCII, whatever the graph says
        run_node("image.save", {{"file", folder.filePath("c.png")}, {"embed", false}}, {{"image", picture(4, 4)}});
        QCOMPARE(embedded_document(folder.filePath("c.png").toStdString()), std::string());
    }
    void save_refuses_and_leaves_nothing() {
        QTemporaryDir folder;
        QVERIFY(failure_of("image.save", {{"file", folder.filePath("a.png")}, {"depth", "float"}}, {{"image", picture(4, 4)}}) ==
                gpu::ErrorCode::InvalidGraph);
        QVERIFY(failure_of("image.save", {{"file", folder.filePath("no/folder/a.png")}}, {{"image", picture(4, 4)}}) == gpu::ErrorCode::Io);
        QVERIFY(!QFile::exists(folder.filePath("no")));
    }
    void load_names_the_parameter() {
        QVERIFY(failure_of("image.load", {{"file", "/no/such/picture.png"}}) == gpu::ErrorCode::MissingFile);
    }

    void tensors_come_back() {
        QTemporaryDir folder;
        const QString path = folder.filePath("t.safetensors");
        const Value image = picture(5, 3);
        run_node("tensor.save", {{"file", path}, {"name", "pixels"}}, {{"tensor", image}});
        const auto back = run_node("tensor.load", {{"file", path}}).get<Tensor>("tensor");
        QCOMPARE(back.shape(), (gpu::Shape{1, 3, 3, 5}));
        QCOMPARE(gpu::to_floats(back), gpu::to_floats(image.get<Image>()->tensor));
        QVERIFY(failure_of("tensor.load", {{"file", path}, {"name", "none"}}) == gpu::ErrorCode::BadFile);
    }

    void socket_types_describe_their_values() {
        const Value image = picture(64, 32);
        QCOMPARE(image.summary(), std::string("64 x 32, RGB, srgb"));
        QCOMPARE(image.bytes(), std::size_t(64 * 32 * 3 * 4));
        QCOMPARE(image.preview(16).size(), QSize(16, 8));
        QVERIFY(image.hash() == picture(64, 32).hash());
        QVERIFY(image.hash() != picture(64, 32, 2).hash());
        const Value mask = run_node("mask.from_image", {}, {{"image", image}}).outputs.at("mask");
        QVERIFY(mask.converted_to(socket_type<Image>()).get<Image>()->space == ColorSpace::Raw);
        QVERIFY(image.converted_to(socket_type<Mask>()).empty());      // would lose colours
        QCOMPARE(mask.converted_to(socket_type<Tensor>()).summary(), std::string("F32 [1, 1, 32, 64]"));
        const QImage shown = row({1, 0, 0, .2f, .4f, .6f}, 3).preview(64);
        QCOMPARE(shown.pixelColor(0, 0), QColor(255, 0, 0));
        QCOMPARE(shown.pixelColor(1, 0), QColor(51, 102, 153));
    }
};

HEDDLE_TEST(image_nodes, ImageNodesTest)
#include "image_nodes.moc"
