// image.curves against the same computed here, pixel by pixel, in double precision; and on the frames of a video.
#include <cmath>

#include "nodes/core/curve.h"
#include "nodes/types/image.h"
#include "nodes/types/video.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;
using tests::run_node;

namespace {

Image noise(int width, int height) { return run_node("image.noise", {{"width", width}, {"height", height}, {"seed", 3}}).get<Image>("image"); }

std::vector<float> pixels(const Image& image) { return to_interleaved(image.tensor); }

std::vector<float> curved(const Image& image, const QJsonObject& params) {
    return pixels(run_node("image.curves", params, {{"image", Value::of(image)}}).get<Image>("image"));
}

const QString s_curve = QStringLiteral("0:0 0.25:0.15 0.75:0.9 1:1"), lifted = QStringLiteral("0:0.2 0.4:0.5 1:0.95"), inverse = QStringLiteral("0:1 1:0");

double at(const QString& curve, double x) { return parse_curve(curve.toStdString())->at(x); }

}  // namespace

class CurvesTest : public QObject {
    Q_OBJECT
private slots:
    void straight_curves_change_nothing() {
        const Image image = noise(13, 7);
        QVERIFY(curved(image, {}) == pixels(image));
        QVERIFY(curved(image, {{"rgb", ""}, {"luma", "0:0 1:1"}}) == pixels(image));
        // Beside another curve the straight ones still change nothing, bit by bit.
        const auto red_only = curved(image, {{"red", inverse}}), before = pixels(image);
        for (std::size_t i = 0; i < before.size(); ++i)
            if (i % 3 != 0) QCOMPARE(red_only[i], before[i]);
    }

    void rgb_luma_and_channels() {
        const Image image = noise(17, 9);
        const auto before = pixels(image);
        const auto got = curved(image, {{"rgb", s_curve}, {"luma", lifted}, {"red", inverse}, {"blue", lifted}});
        for (std::size_t i = 0; i < before.size(); i += 3) {
            double rgb[3] = {at(inverse, before[i]), before[i + 1], at(lifted, before[i + 2])};
            for (double& v : rgb) v = at(s_curve, v);
            const double luma = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2], step = at(lifted, luma) - luma;
            for (std::size_t c = 0; c < 3; ++c)
                QVERIFY2(std::abs(got[i + c] - (rgb[c] + step)) < 2e-6, qPrintable(QString("%1: %2, not %3").arg(i + c).arg(got[i + c]).arg(rgb[c] + step)));
        }
    }

    void gray_alpha_and_spaces() {
        const Image gray = make_image(from_interleaved({0.1f, 0.5f, 0.9f, 1.5f}, 1, 1, 4, 1));
        const auto got = curved(gray, {{"rgb", s_curve}});
        const float values[] = {0.1f, 0.5f, 0.9f, 1.0f};      // beyond the last point it is level
        for (std::size_t i = 0; i < 4; ++i) QVERIFY(std::abs(got[i] - at(s_curve, values[i])) < 2e-6);
        QCOMPARE(curved(gray, {{"green", inverse}}).size(), 12u);      // three channels now

        const Image clear = make_image(from_interleaved({0.2f, 0.4f, 0.6f, 0.25f}, 1, 1, 1, 4));
        const auto with_alpha = curved(clear, {{"rgb", inverse}});
        QCOMPARE(with_alpha[3], 0.25f);
        QVERIFY(std::abs(with_alpha[0] - 0.8) < 2e-6);

        // Linear light is encoded, changed and decoded again.
        const Image linear = make_image(from_interleaved({0.3f}, 1, 1, 1, 1), ColorSpace::Linear);
        const auto run = run_node("image.curves", {{"rgb", s_curve}}, {{"image", Value::of(linear)}});
        QVERIFY(run.get<Image>("image").space == ColorSpace::Linear);
        QVERIFY(std::abs(pixels(run.get<Image>("image"))[0] - linear_from_srgb(at(s_curve, srgb_from_linear(0.3)))) < 5e-6);
    }

    void a_text_that_is_no_curve_names_its_parameter() {
        const Value image = Value::of(noise(4, 4));
        for (const char* text : {"0:0", "1:0 0:1", "red"}) QVERIFY(failure_of("image.curves", {{"luma", text}}, {{"image", image}}) == gpu::ErrorCode::InvalidGraph);
    }

    void frames_are_changed_alike() {
        const auto frames = run_node("image.noise", {{"width", 16}, {"height", 8}, {"batch", 3}});
        const Value video = run_node("video.from_frames", {}, {{"images", frames.outputs.at("image")}}).outputs.at("video");
        const auto changed = run_node("video.curves", {{"rgb", s_curve}}, {{"video", video}});
        const auto back = run_node("video.frames", {}, {{"video", changed.outputs.at("video")}}).outputs.at("images");
        const auto got = pixels(*back.get<Image>());
        const auto wanted = curved(frames.get<Image>("image"), {{"rgb", s_curve}});
        QCOMPARE(got.size(), wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i) QVERIFY(std::abs(got[i] - wanted[i]) < 1e-6);
    }
};

HEDDLE_TEST(curves, CurvesTest)
#include "curves.moc"
