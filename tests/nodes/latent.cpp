// Latent nodes and the nodes that prepare inpainting, against closed forms on small latents.
#include <cmath>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/taesd/taesd.h"
#include "nodes/types/image.h"
#include "nodes/types/latent.h"
#include "nodes/types/mask.h"
#include "nodes/types/vae.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;
using tests::run_node;
using Floats = std::vector<float>;

namespace {

// [n, 4, h, w]: element i is i / 100.
Latent counted(std::int64_t n, std::int64_t h, std::int64_t w) {
    Floats values(static_cast<std::size_t>(n * 4 * h * w));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(i) / 100;
    return make_latent(gpu::tensor(values, {n, 4, h, w}), latent_format("sd1", 4));
}

Latent filled(double value, std::int64_t h, std::int64_t w, std::int64_t n = 1) {
    return make_latent(gpu::full({n, 4, h, w}, value), latent_format("sd1", 4));
}

Mask drawn_mask(Floats values, std::int64_t h, std::int64_t w) { return make_mask(gpu::tensor(values, {1, 1, h, w})); }

Floats numbers(const Latent& latent) { return gpu::to_floats(latent.tensor); }

// Of one latent: rows of channel 0.
Floats first_channel(const Latent& latent) {
    Floats all = numbers(latent);
    all.resize(static_cast<std::size_t>(latent.height() * latent.width()));
    return all;
}

bool near(const Floats& got, const Floats& wanted, double tolerance = 1e-5) {
    if (got.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < got.size(); ++i)
        if (!(std::abs(double(got[i]) - wanted[i]) <= tolerance)) {
            qWarning("element %zu: %g, not %g", i, got[i], wanted[i]);
            return false;
        }
    return true;
}

Latent run_latent(const char* type, const QJsonObject& params, const std::map<std::string, Value>& inputs) {
    return run_node(type, params, inputs).get<Latent>("latent");
}

}  // namespace

class LatentTest : public QObject {
    Q_OBJECT
private slots:
    void empty() {
        const Latent made = run_latent("latent.empty", {{"width", 76}, {"height", 64}, {"batch", 3}}, {});
        QCOMPARE(made.tensor.shape(), (gpu::Shape{3, 4, 8, 10}));      // 9.5 cells
        QCOMPARE(made.format.scale, 0.18215);
        QCOMPARE(numbers(made), Floats(3 * 4 * 80, 0.0F));
        const Latent wide = run_latent("latent.empty", {{"family", "flux"}, {"width", 64}, {"height", 64}}, {});
        QCOMPARE(wide.tensor.shape(), (gpu::Shape{1, 16, 8, 8}));
    }

    void resize_data() {
        QTest::addColumn<QString>("filter");
        for (const char* filter : {"nearest", "bilinear", "bicubic", "area", "lanczos", "bislerp"}) QTest::newRow(filter) << filter;
    }
    // Constants stay, sizes are as asked, the mask follows.
    void resize() {
        QFETCH(QString, filter);
        const Latent source = filled(0.7, 6, 4).with_mask(gpu::full({1, 1, 6, 4}, 0.25));
        const Latent made = run_latent("latent.resize", {{"by", "size"}, {"width", 80}, {"height", 0}, {"filter", filter}}, {{"latent", Value::of(source)}});
        QCOMPARE(made.tensor.shape(), (gpu::Shape{1, 4, 15, 10}));
        QVERIFY(near(numbers(made), Floats(600, 0.7F)));
        QVERIFY(near(gpu::to_floats(made.mask), Floats(150, 0.25F)));
        const Latent half = run_latent("latent.resize", {{"scale", 0.5}, {"filter", filter}}, {{"latent", Value::of(source)}});
        QCOMPARE(half.tensor.shape(), (gpu::Shape{1, 4, 3, 2}));
    }
    // Between vectors of length 1 and 2 at a right angle: length 1.25 at a quarter of the way, turned by 22.5 degrees.
    void bislerp_turns() {
        const Latent source = make_latent(gpu::tensor(Floats{1, 0, 0, 2, 0, 0, 0, 0}, {1, 4, 1, 2}), latent_format("sd1", 4));
        const Latent made = run_latent("latent.resize", {{"by", "size"}, {"width", 32}, {"height", 8}, {"filter", "bislerp"}}, {{"latent", Value::of(source)}});
        const double turn = M_PI / 8;
        const auto x = [&](int k) { return float((1 + 0.25 * (2 * k - 1)) * std::cos((2 * k - 1) * turn)); };
        const auto y = [&](int k) { return float((1 + 0.25 * (2 * k - 1)) * std::sin((2 * k - 1) * turn)); };
        QVERIFY(near(numbers(made), {1, x(1), x(2), 0, 0, y(1), y(2), 2, 0, 0, 0, 0, 0, 0, 0, 0}));
    }

    void crop() {
        const Latent source = counted(2, 4, 5).with_mask(gpu::reshape(gpu::arange(20), {1, 1, 4, 5}));
        const Latent made = run_latent("latent.crop", {{"x", 16}, {"y", 8}, {"width", 16}, {"height", 24}}, {{"latent", Value::of(source)}});
        QCOMPARE(made.tensor.shape(), (gpu::Shape{2, 4, 3, 2}));
        QVERIFY(near(first_channel(made), {.07F, .08F, .12F, .13F, .17F, .18F}));
        QVERIFY(near(gpu::to_floats(made.mask), {7, 8, 12, 13, 17, 18}));
        QVERIFY(failure_of("latent.crop", {{"x", 32}, {"width", 16}, {"height", 8}}, {{"latent", Value::of(source)}}) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(failure_of("latent.crop", {{"y", 32}, {"width", 8}, {"height", 8}}, {{"latent", Value::of(source)}}) == gpu::ErrorCode::InvalidGraph);
    }

    void flip_and_rotate() {
        const Latent source = counted(1, 2, 3).with_mask(gpu::reshape(gpu::arange(6), {1, 1, 2, 3}));
        const auto made = [&](const char* type, const QJsonObject& params) { return run_latent(type, params, {{"latent", Value::of(source)}}); };
        QVERIFY(near(first_channel(made("latent.flip", {})), {.02F, .01F, .00F, .05F, .04F, .03F}));
        QVERIFY(near(first_channel(made("latent.flip", {{"axis", "vertical"}})), {.03F, .04F, .05F, .00F, .01F, .02F}));
        QVERIFY(near(first_channel(made("latent.rotate", {{"angle", "90"}})), {.03F, .00F, .04F, .01F, .05F, .02F}));
        QVERIFY(near(first_channel(made("latent.rotate", {{"angle", "180"}})), {.05F, .04F, .03F, .02F, .01F, .00F}));
        QVERIFY(near(first_channel(made("latent.rotate", {{"angle", "270"}})), {.02F, .05F, .01F, .04F, .00F, .03F}));
        QVERIFY(near(gpu::to_floats(made("latent.rotate", {{"angle", "90"}}).mask), {3, 0, 4, 1, 5, 2}));
        QCOMPARE(made("latent.rotate", {{"angle", "270"}}).tensor.shape(), (gpu::Shape{1, 4, 3, 2}));
    }

    void composite() {
        const std::map<std::string, Value> inputs{{"under", Value::of(filled(1, 4, 6, 2))}, {"over", Value::of(filled(3, 3, 4))}};
        const auto rows = [&](const QJsonObject& params, const std::map<std::string, Value>& in) { return first_channel(run_latent("latent.composite", params, in)); };
        QVERIFY(near(rows({{"x", 8}, {"y", 16}}, inputs), {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 1, 1, 3, 3, 3, 3, 1}));
        QVERIFY(near(rows({{"x", -16}, {"y", -8}}, inputs), {3, 3, 1, 1, 1, 1, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
        // It fades by halves on the left and on the right; above and below lie edges of the lower one.
        const std::map<std::string, Value> high{{"under", inputs.at("under")}, {"over", Value::of(filled(3, 4, 4))}};
        QVERIFY(near(rows({{"x", 8}, {"feather", 16}}, high), {1, 2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1}));
        std::map<std::string, Value> masked = inputs;
        masked["mask"] = Value::of(drawn_mask({1, .5, 0, 0, 1, 1, 1, 1, 0, 0, 0, .25}, 3, 4));
        QVERIFY(near(rows({}, masked), {3, 2, 1, 1, 1, 1, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1.5F, 1, 1, 1, 1, 1, 1, 1, 1}));
        const auto outside = run_node("latent.composite", {{"x", 48}}, inputs);
        QCOMPARE(outside.warnings.size(), std::size_t(1));
        QVERIFY(near(numbers(outside.get<Latent>("latent")), Floats(192, 1.0F)));
    }

    void blend() {
        // Vectors of length 1 and 3 at a right angle.
        const Latent a = make_latent(gpu::tensor(Floats{1, 0, 0, 0}, {1, 4, 1, 1}), latent_format("sd1", 4));
        const Latent b = make_latent(gpu::tensor(Floats{0, 3, 0, 0}, {1, 4, 1, 1}), latent_format("sd1", 4));
        const auto made = [&](const char* mode, double factor) {
            return numbers(run_latent("latent.blend", {{"mode", mode}, {"factor", factor}}, {{"a", Value::of(a)}, {"b", Value::of(b)}}));
        };
        QVERIFY(near(made("linear", 0.25), {.75F, .75F, 0, 0}));
        const float half = 2 * std::sqrt(0.5F), third = float(M_PI) / 6;
        QVERIFY(near(made("direction", 0.5), {half, half, 0, 0}));
        QVERIFY(near(made("slerp", 0.5), {half, half, 0, 0}));
        QVERIFY(near(made("slerp", 1.0 / 3), {5.0F / 3 * std::cos(third), 5.0F / 3 * std::sin(third), 0, 0}));
        for (const char* mode : {"linear", "direction", "slerp"}) {
            QVERIFY(near(made(mode, 0), {1, 0, 0, 0}));
            QVERIFY(near(made(mode, 1), {0, 3, 0, 0}));
        }
        QVERIFY(failure_of("latent.blend", {}, {{"a", Value::of(a)}, {"b", Value::of(filled(1, 2, 2))}}) == gpu::ErrorCode::InvalidGraph);
    }

    void math() {
        const std::map<std::string, Value> both{{"a", Value::of(filled(3, 2, 2, 2))}, {"b", Value::of(filled(0.5, 2, 2))}};
        const auto value = [&](const char* operation, double amount, const std::map<std::string, Value>& in) {
            const Floats all = numbers(run_latent("latent.math", {{"operation", operation}, {"amount", amount}}, in));
            return near(all, Floats(32, all[0])) ? double(all[0]) : NAN;
        };
        QCOMPARE(value("add", 2, both), 4.0);
        QCOMPARE(value("subtract", 4, both), 1.0);
        QCOMPARE(value("multiply", 1, both), 1.5);
        const std::map<std::string, Value> alone{{"a", both.at("a")}};
        QCOMPARE(value("multiply", -2, alone), -6.0);
        QVERIFY(failure_of("latent.math", {}, alone) == gpu::ErrorCode::InvalidGraph);
    }

    void batches() {
        const Latent a = filled(1, 2, 3, 2), b = filled(2, 2, 3).with_mask(gpu::zeros({1, 1, 2, 3}));
        const Latent both = run_latent("latent.batch", {}, {{"a", Value::of(a)}, {"b", Value::of(b)}});
        QCOMPARE(both.tensor.shape(), (gpu::Shape{3, 4, 2, 3}));
        Floats mask(18, 1.0F);
        std::fill(mask.begin() + 12, mask.end(), 0.0F);
        QCOMPARE(gpu::to_floats(both.mask), mask);      // without a mask all is repainted
        const auto pick = [&](int index, int count) { return run_latent("latent.pick", {{"index", index}, {"count", count}}, {{"latent", Value::of(both)}}); };
        QCOMPARE(numbers(pick(-1, 1)), Floats(24, 2.0F));
        QCOMPARE(gpu::to_floats(pick(-1, 1).mask), Floats(6, 0.0F));
        QCOMPARE(pick(0, 2).batch(), 2);
        QVERIFY(failure_of("latent.pick", {{"index", 3}}, {{"latent", Value::of(both)}}) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(failure_of("latent.pick", {{"index", 1}, {"count", 3}}, {{"latent", Value::of(both)}}) == gpu::ErrorCode::InvalidGraph);
        const Latent often = run_latent("latent.repeat", {{"times", 2}}, {{"latent", Value::of(both)}});
        QCOMPARE(often.batch(), 6);
        QCOMPARE(often.mask.size(0), 6);
        QCOMPARE(numbers(run_latent("latent.pick", {{"index", 5}}, {{"latent", Value::of(often)}})), Floats(24, 2.0F));
        // What a loop collects keeps masks too.
        const Value collected = socket_type<Latent>().collect({Value::of(a), Value::of(b)});
        QCOMPARE(gpu::to_floats(collected.get<Latent>()->mask), mask);
    }

    void masks() {
        const Latent source = filled(1, 2, 2, 2);
        const Mask mask = drawn_mask({1, 1, 0, 0, 1, 1, 0, 0, .75, .75, 0, 0, .75, .75, 0, 0}, 4, 4);
        const auto made = [&](const QJsonObject& params, const Latent& latent) {
            return run_latent("latent.set_mask", params, {{"latent", Value::of(latent)}, {"mask", Value::of(mask)}});
        };
        QCOMPARE(made({}, source).mask.shape(), (gpu::Shape{1, 1, 2, 2}));
        const Floats soft = gpu::to_floats(made({}, source).mask);
        QVERIFY(soft[0] > soft[2] && soft[2] > soft[1] && soft[3] < 0.5F);
        QCOMPARE(gpu::to_floats(made({{"hard", true}}, source).mask), (Floats{1, 0, 1, 0}));
        QVERIFY(!run_latent("latent.set_mask", {}, {{"latent", Value::of(made({}, source))}}).mask);
        // It stays with other numbers of the same size, and goes with another size.
        const Latent masked = made({}, source);
        QVERIFY(masked.with(gpu::zeros({2, 4, 2, 2})).mask);
        QVERIFY(!masked.with(gpu::zeros({2, 4, 3, 2})).mask);
        QVERIFY_EXCEPTION_THROWN(source.with_mask(gpu::zeros({1, 1, 3, 2})), gpu::Error);
        // The cache on disk keeps it.
        const Value stored = Value::of(masked);
        const Value restored = socket_type<Latent>().restore(*stored.stored());
        QCOMPARE(gpu::to_floats(restored.get<Latent>()->mask), soft);
        QVERIFY(stored.hash() != Value::of(source).hash());
    }

    // A pixel a cell; colours by the published map.
    void preview() {
        const QImage gray = latent_preview(filled(0, 4, 6), 64);
        QCOMPARE(gray.size(), QSize(6, 4));
        QCOMPARE(gray.pixelColor(2, 1), QColor(128, 128, 128));
        Floats values{1, -0.5, 0.25, 1};
        const QImage colour = latent_preview(make_latent(gpu::tensor(values, {1, 4, 1, 1}), latent_format("sd1", 4)), 64);
        const double red = 0.298 - 0.187 / 2 - 0.158 / 4 - 0.184, green = 0.207 - 0.286 / 2 + 0.189 / 4 - 0.271, blue = 0.208 - 0.173 / 2 + 0.264 / 4 - 0.473;
        const auto byte = [](double v) { return static_cast<int>((v / 2 + 0.5) * 255 + 0.5); };
        QCOMPARE(colour.pixelColor(0, 0), QColor(byte(red), byte(green), byte(blue)));
        QCOMPARE(latent_preview(filled(1, 64, 128), 32).size(), QSize(32, 16));
        QVERIFY(latent_preview(filled(1, 1, 1), 8).pixelColor(0, 0) != latent_preview({gpu::full({1, 4, 1, 1}, 1), latent_format("sdxl", 4), {}}, 8).pixelColor(0, 0));
        QVERIFY(!latent_preview({gpu::zeros({1, 16, 2, 2}), latent_format("flux", 16), {}}, 8).isNull());
    }

    void encode_inpaint() {
        const Vae vae = load_taesd(HEDDLE_SOURCE_DIR "/tests/golden/taesd/plain.safetensors", "");
        const Value image = Value::of(make_image(gpu::full({1, 3, 35, 32}, 0.9)));      // cut to 32 rows, one above and two below
        Floats hole(35 * 32);
        hole[static_cast<std::size_t>(1 + 8) * 32 + 15] = 1;                              // row 8 of what is left, column 15
        const std::map<std::string, Value> inputs{{"image", image}, {"mask", Value::of(drawn_mask(hole, 35, 32))}, {"vae", Value::of(vae)}};
        const auto made = run_node("vae.encode_inpaint", {{"grow", 0}}, inputs);
        const Floats pixels = gpu::to_floats(made.get<Image>("masked").tensor);
        QCOMPARE(pixels.size(), std::size_t(3 * 32 * 32));
        for (std::size_t i = 0; i < 32 * 32; ++i) QVERIFY(std::abs(pixels[i] - (i == 8 * 32 + 15 ? 0.5F : 0.9F)) < 1e-6F);
        const Latent latent = made.get<Latent>("latent");
        QCOMPARE(latent.tensor.shape(), (gpu::Shape{1, 4, 4, 4}));
        QVERIFY(near(numbers(latent), gpu::to_floats(vae->encode(made.get<Image>("masked").tensor))));
        const auto cells = [](const Latent& from) { return gpu::to_floats(from.mask); };
        QCOMPARE(cells(latent), (Floats{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
        // A pixel further it reaches the cell on the right and the one above.
        QCOMPARE(cells(run_latent("vae.encode_inpaint", {{"grow", 1}}, inputs)), (Floats{0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    }

    void outpaint() {
        const Value image = Value::of(make_image(gpu::full({1, 3, 4, 6}, 0.9)));
        const auto made = run_node("image.outpaint", {{"left", 2}, {"bottom", 1}, {"feather", 2}}, {{"image", image}});
        const Image padded = made.get<Image>("image");
        QCOMPARE(padded.tensor.shape(), (gpu::Shape{1, 3, 5, 8}));
        const Floats pixels = gpu::to_floats(padded.tensor), mask = gpu::to_floats(made.get<Mask>("mask").tensor);
        for (int y = 0; y < 5; ++y)
            for (int x = 0; x < 8; ++x) {
                const bool inside = x >= 2 && y < 4;
                const int d = std::min(x - 2, 3 - y);
                const float wanted = !inside ? 1.0F : d == 0 ? 1.0F : d == 1 ? 0.25F : 0.0F;
                QVERIFY2(std::abs(mask[static_cast<std::size_t>(y * 8 + x)] - wanted) < 1e-6F, qPrintable(QString("mask at %1 %2").arg(x).arg(y)));
                QVERIFY(std::abs(pixels[static_cast<std::size_t>(y * 8 + x)] - (inside ? 0.9F : 0.5F)) < 1e-6F);
            }
        const auto nothing = run_node("image.outpaint", {}, {{"image", image}});
        QCOMPARE(gpu::to_floats(nothing.get<Mask>("mask").tensor), Floats(24, 0.0F));
    }
};

HEDDLE_TEST(latent, LatentTest)
#include "latent.moc"
