// The built-in model through the graphs that come along: pictures that show their prompts.
#include <QDir>
#include <QFile>
#include <QImage>
#include <QProcess>
#include <QTemporaryDir>
#include <cmath>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/image.h"
#include "nodes/types/number.h"
#include "nodes/types/tensor.h"
#include "nodes/types/vision.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

namespace {

struct Mean {
    double red = 0, green = 0, blue = 0;
};

Mean mean_of(const QImage& image, const QRect& part) {
    Mean mean;
    for (int y = part.top(); y <= part.bottom(); ++y)
        for (int x = part.left(); x <= part.right(); ++x) {
            const QColor c = image.pixelColor(x, y);
            mean.red += c.redF(), mean.green += c.greenF(), mean.blue += c.blueF();
        }
    const double n = part.width() * part.height();
    return {mean.red / n, mean.green / n, mean.blue / n};
}

// Runs a graph of resources/graphs; the picture that it writes.
QImage drawn(const QString& graph, const QStringList& options = {}) {
    const QTemporaryDir folder;
    const QString file = folder.filePath("out.png");
    QProcess process;
    process.setWorkingDirectory(folder.path());
    process.start(HEDDLE_BINARY, QStringList{"run", QString(HEDDLE_SOURCE_DIR) + "/resources/graphs/" + graph, "--no-cache", "-o", file} + options);
    process.waitForFinished(300000);
    const QImage image(file);
    if (process.exitCode() != 0 || image.isNull()) qWarning("%s", process.readAllStandardError().constData());
    return image.convertToFormat(QImage::Format_RGB888);
}

}  // namespace

class PicoTest : public QObject {
    Q_OBJECT
private slots:
    void a_red_heart_is_red_on_white() {
        const QImage image = drawn("text-to-image.heddle", {"--set", "prompt.text=red heart"});
        QCOMPARE(image.size(), QSize(64, 64));
        const Mean middle = mean_of(image, {20, 22, 24, 16});
        QVERIFY2(middle.red > 0.6 && middle.green < 0.45 && middle.blue < 0.45, qPrintable(QString("%1 %2 %3").arg(middle.red).arg(middle.green).arg(middle.blue)));
        for (const QRect& corner : {QRect(0, 56, 8, 8), QRect(56, 56, 8, 8)}) {
            const Mean white = mean_of(image, corner);
            QVERIFY2(std::min({white.red, white.green, white.blue}) > 0.85, qPrintable(QString("%1 %2 %3").arg(white.red).arg(white.green).arg(white.blue)));
        }
        // The same numbers make the same picture.
        QVERIFY(drawn("text-to-image.heddle", {"--set", "prompt.text=red heart"}) == image);
    }

    void what_was_painted_is_made_anew() {
        const QImage image = drawn("inpaint-painted.heddle");
        const Mean kept = mean_of(image, {10, 12, 16, 16}), painted = mean_of(image, {44, 18, 8, 16});
        QVERIFY2(kept.red > 0.6 && kept.blue < 0.4, qPrintable(QString("%1 %2").arg(kept.red).arg(kept.blue)));
        QVERIFY2(painted.blue > 0.4 && painted.red < 0.4, qPrintable(QString("%1 %2").arg(painted.red).arg(painted.blue)));
    }

    void the_prompt_decides_the_colour() {
        const Mean blue = mean_of(drawn("text-to-image.heddle", {"--set", "prompt.text=blue heart"}), {20, 22, 24, 16});
        QVERIFY2(blue.blue > blue.red + 0.15, qPrintable(QString("%1 %2 %3").arg(blue.red).arg(blue.green).arg(blue.blue)));
    }

    // The mask's black half keeps every pixel to a step of 8 bits.
    void inpainting_keeps_what_is_not_masked() {
        const QImage first = drawn("text-to-image.heddle", {"--set", "prompt.text=red apple"}), painted = drawn("pico/inpaint.heddle");
        QCOMPARE(painted.size(), first.size());
        int most = 0, changed = 0;
        for (int y = 0; y < 64; ++y)
            for (int x = 0; x < 64; ++x) {
                const QColor a = first.pixelColor(x, y), b = painted.pixelColor(x, y);
                const int off = std::max({std::abs(a.red() - b.red()), std::abs(a.green() - b.green()), std::abs(a.blue() - b.blue())});
                if (x < 31) most = std::max(most, off);
                if (x > 32) changed += off > 8;
            }
        QVERIFY2(most <= 1, qPrintable(QString::number(most)));
        QVERIFY2(changed > 100, qPrintable(QString::number(changed)));
    }

    // The mean cosine of all pairs, as embeddings one by one have it; a picture is like nothing as it is like itself.
    void pictures_are_alike_as_their_embeddings() {
        using nodes::Value;
        const Value vision = tests::run_node("vision.load", {{"file", QString(HEDDLE_SOURCE_DIR) + "/resources/models/pico/image_encoder/model.safetensors"}}, {}).outputs.at("vision");
        std::vector<float> numbers(3 * 3 * 64 * 64);
        for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i / (64 * 64) % 4 == 0 ? 0.9f : 0.5f + 0.4f * std::sin(0.001f * static_cast<float>(i));
        const gpu::Tensor pictures = gpu::tensor(numbers, {3, 3, 64, 64});
        const auto image = [&](int from, int to) { return Value::of<nodes::Image>(nodes::make_image(gpu::slice(pictures, 0, from, to))); };
        const auto similarity = [&](const Value& a, const Value& b) { return tests::run_node("vision.similarity", {}, {{"image", a}, {"reference", b}, {"vision", vision}}).get<double>("similarity"); };
        QVERIFY(std::abs(similarity(image(0, 1), image(0, 1)) - 1) < 1e-4);
        QVERIFY(similarity(image(0, 1), image(1, 2)) < 0.999);

        double sum = 0;
        for (int other : {1, 2}) {
            const auto embedding = [&](int i) {
                return gpu::to_floats(tests::run_node("vision.encode", {{"fit", "stretch"}}, {{"image", image(i, i + 1)}, {"vision", vision}}).get<nodes::Tensor>("embedding"));
            };
            const std::vector<float> a = embedding(0), b = embedding(other);
            double ab = 0, aa = 0, bb = 0;
            for (std::size_t i = 0; i < a.size(); ++i) ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
            sum += ab / std::sqrt(aa * bb);
        }
        const double both = similarity(image(0, 1), image(1, 3));
        QVERIFY2(std::abs(both - sum / 2) < 1e-4, qPrintable(QString("%1 %2").arg(both).arg(sum / 2)));
    }
};

HEDDLE_TEST(pico, PicoTest)
#include "pico.moc"
