// Picture files: what is written comes back, bit for bit where the format can; what is no picture is refused.
#include "nodes/codec/image_file.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "tests/support/test.h"

using namespace nodes;

namespace {

constexpr int width = 37, height = 23;

// Values that are whole steps of `levels`, alpha from clear to opaque.
std::vector<float> ramp(int channels, int levels) {
    std::vector<float> out;
    for (int i = 0; i < width * height; ++i)
        for (int c = 0; c < channels; ++c) {
            const int step = static_cast<int>((std::int64_t{i} * (7919 + 1013 * c) + 31 * c) % (levels + 1));
            out.push_back(static_cast<float>(step) / static_cast<float>(levels));
        }
    return out;
}

Image picture(int channels, int levels, ColorSpace space = ColorSpace::Srgb) {
    return make_image(from_interleaved(ramp(channels, levels), 1, height, width, channels), space);
}

gpu::ErrorCode code_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const gpu::Error& error) {
        return error.code();
    }
    return gpu::ErrorCode::Cancelled;      // stands for "none" here
}

}  // namespace

class ImageFileTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    std::string at(const char* name) const { return folder_.filePath(name).toStdString(); }

    static double worst(const std::vector<float>& a, const std::vector<float>& b) {
        if (a.size() != b.size()) return INFINITY;
        double most = 0;
        for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(double(a[i]) - b[i]));
        return most;
    }

private slots:
    void comes_back_data() {
        QTest::addColumn<QString>("suffix");
        QTest::addColumn<int>("depth");
        QTest::addColumn<int>("channels");
        QTest::addColumn<int>("levels");
        for (const int channels : {1, 3, 4}) {
            const auto row = [&](const char* suffix, PixelDepth depth, int levels) {
                QTest::newRow(qPrintable(QString("%1,%2,%3 channels").arg(suffix).arg(levels).arg(channels)))
                    << suffix << static_cast<int>(depth) << channels << levels;
            };
            row("png", PixelDepth::Auto, 255);
            row("png", PixelDepth::U16, 65535);
            row("tif", PixelDepth::U8, 255);
            row("tif", PixelDepth::U16, 65535);
            if (channels > 1) row("webp", PixelDepth::Auto, 255);
        }
    }
    void comes_back() {
        QFETCH(QString, suffix);
        QFETCH(int, depth);
        QFETCH(int, channels);
        QFETCH(int, levels);
        const std::string path = at(qPrintable("a." + suffix));
        const auto warnings = write_image(path, picture(channels, levels), 0, {.depth = PixelDepth(depth), .quality = 100});
        QVERIFY(warnings.empty());
        const LoadedImage loaded = read_image(path);
        QVERIFY2(loaded.notes.empty(), loaded.notes.empty() ? "" : loaded.notes[0].c_str());
        QCOMPARE(loaded.image.space, ColorSpace::Srgb);
        QCOMPARE(loaded.image.channels(), channels);
        std::vector<float> wanted = ramp(channels, levels), got = to_interleaved(loaded.image.tensor);
        if (suffix == "webp" && channels == 4)      // nobody promises the colour of what can not be seen
            for (std::size_t i = 0; i < wanted.size(); i += 4)
                if (wanted[i + 3] == 0) std::copy_n(got.begin() + i, 3, wanted.begin() + i);
        QVERIFY2(worst(got, wanted) < 0.01 / levels, qPrintable(QString::number(worst(got, wanted))));
    }

    // Floats are stored linear and come back tagged so; converting them back gives what was saved.
    void floats_are_linear_data() {
        QTest::addColumn<QString>("suffix");
        QTest::addColumn<int>("depth");
        QTest::addColumn<double>("tolerance");
        QTest::newRow("exr half") << "exr" << static_cast<int>(PixelDepth::Auto) << 1e-3;
        QTest::newRow("exr float") << "exr" << static_cast<int>(PixelDepth::Float) << 1e-6;
        QTest::newRow("tiff float") << "tiff" << static_cast<int>(PixelDepth::Float) << 1e-6;
    }
    void floats_are_linear() {
        QFETCH(QString, suffix);
        QFETCH(int, depth);
        QFETCH(double, tolerance);
        const std::string path = at(qPrintable("f." + suffix));
        write_image(path, picture(3, 255), 0, {.depth = PixelDepth(depth)});
        const LoadedImage loaded = read_image(path);
        QCOMPARE(loaded.image.space, ColorSpace::Linear);
        std::vector<float> got = to_interleaved(loaded.image.tensor);
        const std::vector<float> wanted = ramp(3, 255);
        for (std::size_t i = 0; i < got.size(); ++i) got[i] = static_cast<float>(srgb_from_linear(got[i]));
        QVERIFY2(worst(got, wanted) < tolerance, qPrintable(QString::number(worst(got, wanted))));
        // And on the device.
        const std::vector<float> there = to_interleaved(in_space(loaded.image, ColorSpace::Srgb).tensor);
        QVERIFY2(worst(there, wanted) < tolerance + 2e-5, qPrintable(QString::number(worst(there, wanted))));
    }
    void high_dynamic_range_survives() {
        const std::vector<float> values = {0, 0.5f, 1, 2, 100, 1e4f, 1e-4f, 3.5f, 60000};
        write_image(at("hdr.exr"), make_image(from_interleaved(values, 1, 1, 3, 3), ColorSpace::Linear), 0, {.depth = PixelDepth::Float});
        QCOMPARE(to_interleaved(read_image(at("hdr.exr")).image.tensor), values);
        // To display values and back: the curve goes on beyond 1.
        const Image display = in_space(make_image(from_interleaved(values, 1, 1, 3, 3), ColorSpace::Linear), ColorSpace::Srgb);
        const std::vector<float> back = to_interleaved(in_space(display, ColorSpace::Linear).tensor);
        for (std::size_t i = 0; i < values.size(); ++i) QVERIFY(std::abs(back[i] - values[i]) <= 2e-4f * values[i] + 1e-6f);
    }
    void associated_alpha_of_exr_is_undone() {
        const std::vector<float> values = {0.8f, 0.4f, 0.2f, 0.5f, 0.1f, 0.9f, 0.3f, 1};
        write_image(at("alpha.exr"), make_image(from_interleaved(values, 1, 1, 2, 4), ColorSpace::Linear), 0, {.depth = PixelDepth::Float});
        QVERIFY(worst(to_interleaved(read_image(at("alpha.exr")).image.tensor), values) < 1e-6);
    }

    void jpeg_is_near_and_opaque() {
        std::vector<float> values;      // smooth, as photographs are
        for (int y = 0; y < 64; ++y)
            for (int x = 0; x < 64; ++x) values.insert(values.end(), {x / 63.0f, y / 63.0f, 0.5f, x < 32 ? 0.0f : 1.0f});
        const Image image = make_image(from_interleaved(values, 1, 64, 64, 4));
        const auto warnings = write_image(at("a.jpg"), image, 0, {.background = {1, 0, 0, 1}});
        QCOMPARE(warnings.size(), 1u);
        const std::vector<float> got = to_interleaved(read_image(at("a.jpg")).image.tensor);
        QCOMPARE(got.size(), std::size_t(64 * 64 * 3));
        const auto pixel = [&](int x, int y, int c) { return got[(y * 64 + x) * 3 + c]; };
        QVERIFY(std::abs(pixel(10, 30, 0) - 1) < 0.03 && std::abs(pixel(10, 30, 1)) < 0.03);      // the background
        QVERIFY(std::abs(pixel(50, 30, 0) - 50 / 63.0) < 0.03 && std::abs(pixel(50, 30, 1) - 30 / 63.0) < 0.03);
    }

    // Smooth colour and alpha, and the quality that is asked for. Where libheif has no AV1 encoder the message says so.
    void avif_is_near() {
        std::vector<float> values;
        for (int y = 0; y < 64; ++y)
            for (int x = 0; x < 64; ++x) values.insert(values.end(), {x / 63.0f, y / 63.0f, 0.5f, 0.25f + x / 126.0f});
        const Image image = make_image(from_interleaved(values, 1, 64, 64, 4));
        try {
            write_image(at("a.avif"), image, 0, {.quality = 100});
        } catch (const gpu::Error& error) {
            QVERIFY2(error.message().find("libheif-plugin-aomenc") != std::string::npos, error.what());
            QSKIP(error.what());
        }
        const LoadedImage whole = read_image(at("a.avif"));
        QVERIFY(whole.notes.empty() && whole.image.space == ColorSpace::Srgb && whole.image.channels() == 4);
        QVERIFY2(worst(to_interleaved(whole.image.tensor), values) < 0.02, qPrintable(QString::number(worst(to_interleaved(whole.image.tensor), values))));
        write_image(at("low.avif"), image, 0, {.quality = 10});
        QVERIFY(QFile(folder_.filePath("low.avif")).size() < QFile(folder_.filePath("a.avif")).size() / 2);
        // Gray is widened, the graph is inside, and half a file is none.
        const std::string document = "{\n    \"heddle\": 1,\n    \"long\": \"" + std::string(100000, 'x') + "\"\n}\n";
        QVERIFY(write_image(at("gray.avif"), picture(1, 255), 0, {.document = document}).empty());
        QCOMPARE(read_image(at("gray.avif")).image.channels(), 3);
        QCOMPARE(QString::fromStdString(embedded_document(at("gray.avif"))).trimmed(), QString::fromStdString(document).trimmed());
        QCOMPARE(embedded_document(at("a.avif")), std::string());
        const QString cut = folder_.filePath("a.avif");
        QVERIFY(QFile::resize(cut, QFile(cut).size() * 6 / 10));
        QVERIFY(code_of([&] { read_image(at("a.avif")); }) == gpu::ErrorCode::BadFile);
        QVERIFY(code_of([&] { write_image(at("b.avif"), image, 0, {.depth = PixelDepth::U16}); }) == gpu::ErrorCode::InvalidGraph);
    }

    void orientation_is_applied() {
        // 2 x 3 pixels of gray, stored as orientation 6: the first row of the file is the right column of the picture.
        const std::vector<float> stored = {0, 0.2f, 0.4f, 0.6f, 0.8f, 1};      // rows {0, .2} {.4, .6} {.8, 1}
        write_image(at("turn.tif"), make_image(from_interleaved(stored, 1, 3, 2, 1)), 0, {.depth = PixelDepth::U8});
        QFile file(folder_.filePath("turn.tif"));
        QVERIFY(file.open(QFile::ReadWrite));
        QByteArray bytes = file.readAll();
        const QByteArray tag = QByteArray::fromHex("120103000100000001000000");      // Orientation, SHORT, 1 value: 1
        const auto place = bytes.lastIndexOf(tag);      // the writer leaves an older directory in front
        QVERIFY(place > 0);
        bytes[place + 8] = 6;
        file.seek(0);
        file.write(bytes);
        file.close();
        const Image upright = read_image(at("turn.tif")).image;
        QCOMPARE(upright.width(), 3);
        QCOMPARE(upright.height(), 2);
        QVERIFY(worst(to_interleaved(upright.tensor), {0.8f, 0.4f, 0, 1, 0.6f, 0.2f}) < 1e-3);
    }

    void document_is_embedded_data() {
        QTest::addColumn<QString>("suffix");
        for (const char* suffix : {"png", "exr", "tif", "jpg"}) QTest::newRow(suffix) << suffix;
    }
    void document_is_embedded() {
        QFETCH(QString, suffix);
        const std::string document = "{\n    \"heddle\": 1,\n    \"name\": \"\\u00e4\",\n    \"long\": \"" + std::string(5000, 'x') + "\"\n}\n";
        const std::string path = at(qPrintable("d." + suffix));
        write_image(path, picture(3, 255), 0, {.document = document});
        QCOMPARE(QString::fromStdString(embedded_document(path)).trimmed(), QString::fromStdString(document).trimmed());
        write_image(path, picture(3, 255), 0);
        QCOMPARE(embedded_document(path), std::string());
    }

    void refuses_what_is_no_picture() {
        using gpu::ErrorCode;
        QVERIFY(code_of([&] { read_image(at("none.png")); }) == ErrorCode::MissingFile);
        QVERIFY(code_of([&] { read_image(folder_.path().toStdString()); }) == ErrorCode::BadFile);
        for (const char* name : {"text.png", "text.jpg", "text.exr", "text.webp", "empty.png"}) {
            QFile file(folder_.filePath(name));
            QVERIFY(file.open(QFile::WriteOnly));
            if (QString(name) != "empty.png") file.write("this is no picture at all");
            file.close();
            QVERIFY2(code_of([&] { read_image(at(name)); }) == ErrorCode::BadFile, name);
        }
    }
    void refuses_truncated_files_data() {
        QTest::addColumn<QString>("suffix");
        for (const char* suffix : {"png", "exr", "tif", "webp"}) QTest::newRow(suffix) << suffix;
    }
    void refuses_truncated_files() {
        QFETCH(QString, suffix);
        const QString path = folder_.filePath("cut." + suffix);
        write_image(path.toStdString(), picture(3, 255), 0);
        const qint64 size = QFile(path).size();
        QVERIFY(QFile::resize(path, size * 6 / 10));
        QVERIFY(code_of([&] { read_image(path.toStdString()); }) == gpu::ErrorCode::BadFile);
    }
    void refuses_a_header_that_lies() {
        write_image(at("lie.png"), picture(3, 255), 0);
        QFile file(folder_.filePath("lie.png"));
        QVERIFY(file.open(QFile::ReadWrite));
        QByteArray bytes = file.readAll();
        bytes.replace(16, 8, QByteArray::fromHex("0000ffff0000ffff"));      // 65535 x 65535; the checksum is wrong as well
        file.seek(0);
        file.write(bytes);
        file.close();
        QVERIFY(code_of([&] { read_image(at("lie.png")); }) == gpu::ErrorCode::BadFile);
    }
    void refuses_bad_names_and_depths() {
        using gpu::ErrorCode;
        for (const char* name : {"a.gif", "a", "a.png.txt"})
            QVERIFY2(code_of([&] { write_image(at(name), picture(3, 255), 0); }) == ErrorCode::InvalidGraph, name);
        QVERIFY(code_of([&] { write_image(at("a.jpg"), picture(3, 255), 0, {.depth = PixelDepth::U16}); }) == ErrorCode::InvalidGraph);
        QVERIFY(code_of([&] { write_image(at("a.exr"), picture(3, 255), 0, {.depth = PixelDepth::U8}); }) == ErrorCode::InvalidGraph);
        QVERIFY(code_of([&] { write_image("/proc/none/a.png", picture(3, 255), 0); }) == ErrorCode::Io);
        QVERIFY(!QFile::exists(folder_.filePath("a.gif")));
    }
};

HEDDLE_TEST(image_file, ImageFileTest)
#include "image_file.moc"
