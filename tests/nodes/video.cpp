// Videos: what is written comes back with its pictures, times, alpha and sound; damaged files are refused; nothing half
// written stays, and memory does not grow with length.
#include <signal.h>
#include <sys/resource.h>

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/video_file.h"
#include "nodes/core/executor.h"
#include "tests/nodes/media.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// A video whose frames are computed: colours that move, at any times.
class Drawn final : public VideoSource {
public:
    using Pixel = std::function<float(int x, int y, int channel, std::int64_t frame)>;

    Drawn(int width, int height, bool alpha, const Rational& tick, std::vector<std::int64_t> times, Pixel pixel)
        : times_(std::move(times)), pixel_(std::move(pixel)) {
        format_ = {.width = width, .height = height, .alpha = alpha, .tick = tick};
        format_.frames = std::ssize(times_) - 1;
        format_.rate =
            frame_rate(static_cast<double>(format_.frames) / (static_cast<double>(times_.back()) * tick.value()));
    }
    const VideoFormat& format() const override { return format_; }
    std::vector<std::int64_t> times() const override { return times_; }
    gpu::Hash hash() const override { return {}; }
    std::unique_ptr<FrameReader> open(std::int64_t) const override { return std::make_unique<Reader>(*this); }

    std::vector<float> pixels(std::int64_t frame) const {
        std::vector<float> out;
        for (int y = 0; y < format_.height; ++y)
            for (int x = 0; x < format_.width; ++x)
                for (int c = 0; c < (format_.alpha ? 4 : 3); ++c)
                    out.push_back(std::round(pixel_(x, y, c, frame) * 255) / 255);
        return out;
    }

private:
    struct Reader final : FrameReader {
        explicit Reader(const Drawn& of) : drawn(of) {}
        std::optional<VideoFrame> next() override {
            if (at + 1 >= drawn.times_.size()) return std::nullopt;
            const VideoFormat& f = drawn.format_;
            VideoFrame frame{make_image(from_interleaved(drawn.pixels(static_cast<std::int64_t>(at)), 1, f.height,
                                                         f.width, f.alpha ? 4 : 3)),
                             drawn.times_[at], drawn.times_[at + 1] - drawn.times_[at]};
            ++at;
            return frame;
        }
        const Drawn& drawn;
        std::size_t at = 0;
    };

    std::vector<std::int64_t> times_;
    Pixel pixel_;
    VideoFormat format_;
};

// Smooth colours that drift, alpha (where there is any) growing to the right.
float drifting(int x, int y, int channel, std::int64_t frame) {
    const double t = static_cast<double>(frame);
    switch (channel) {
        case 0: return static_cast<float>(0.5 + 0.4 * std::sin(0.11 * x + 0.2 * t));
        case 1: return static_cast<float>(0.5 + 0.4 * std::sin(0.09 * y - 0.15 * t));
        case 2: return static_cast<float>(0.5 + 0.4 * std::sin(0.05 * (x + y) + 0.1 * t));
        default: return std::min(1.0f, static_cast<float>(x) / 24);
    }
}

// Few colours, clear or opaque: what GIF keeps exactly.
float blocks(int x, int y, int channel, std::int64_t frame) {
    if (channel == 3) return (x / 5 + y / 5) % 3 == 0 ? 0.0f : 1.0f;
    return static_cast<float>((x / 7 + 2 * (y / 7) + channel + static_cast<int>(frame)) % 5) / 5;
}

std::vector<std::int64_t> even_times(std::int64_t frames, std::int64_t step = 1) {
    std::vector<std::int64_t> times;
    for (std::int64_t i = 0; i <= frames; ++i) times.push_back(i * step);
    return times;
}

std::shared_ptr<const Drawn> drawn(int width, int height, std::int64_t frames, bool alpha = false,
                                   Drawn::Pixel pixel = drifting) {
    return std::make_shared<const Drawn>(width, height, alpha, Rational{1, 25}, even_times(frames), std::move(pixel));
}

std::vector<std::string> save(const std::string& path, const Video& video, const SaveVideoOptions& options = {}) {
    const auto reader = video.source->open();
    const auto writer = write_video(path, video, options);
    while (const auto frame = reader->next()) writer->add(*frame);
    writer->finish();
    return writer->warnings();
}

struct Walk {
    std::vector<std::vector<float>> pixels;
    std::vector<std::int64_t> times, durations;
};

Walk walk(const Video& video, std::int64_t from = 0) {
    Walk all;
    const auto reader = video.source->open(from);
    while (const auto frame = reader->next()) {
        all.pixels.push_back(to_interleaved(frame->image.tensor));
        all.times.push_back(frame->time);
        all.durations.push_back(frame->duration);
    }
    return all;
}

double worst(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size()) return INFINITY;
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(static_cast<double>(a[i]) - b[i]));
    return most;
}

double psnr(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size()) return -INFINITY;
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (static_cast<double>(a[i]) - b[i]) * (a[i] - b[i]);
    return -10 * std::log10(sum / static_cast<double>(a.size()) + 1e-12);
}

std::optional<gpu::ErrorCode> code_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const gpu::Error& error) {
        return error.code();
    }
    return std::nullopt;
}

std::int64_t peak_kilobytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
    return 0;
}

void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace

class VideoTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    std::string at(const QString& name) const { return folder_.filePath(name).toStdString(); }
    QStringList names() const {
        return QDir(folder_.path()).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot);
    }

    static bool missing(const gpu::Error& error) {
        return std::string(error.what()).find("in this FFmpeg") != std::string::npos;
    }

private slots:
    void rates_are_fractions() {
        QCOMPARE(frame_rate(30), (Rational{30, 1}));
        QCOMPARE(frame_rate(29.97), (Rational{30000, 1001}));
        QCOMPARE(frame_rate(23.976), (Rational{24000, 1001}));
        QCOMPARE(frame_rate(59.94), (Rational{60000, 1001}));
        QCOMPARE(frame_rate(12.5), (Rational{25, 2}));
        QVERIFY(code_of([] { frame_rate(0); }) == gpu::ErrorCode::InvalidGraph);
    }

    void lossless_comes_back_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("alpha");
        for (const bool alpha : {false, true}) {
            const char* tag = alpha ? "alpha" : "opaque";
            QTest::addRow("pictures,%s", tag) << (alpha ? "a/f_##.png" : "o/f_##.png") << alpha;
            QTest::addRow("apng,%s", tag) << QString("a.apng") << alpha;
            QTest::addRow("gif,%s", tag) << QString("a.gif") << alpha;
        }
    }
    void lossless_comes_back() {
        QFETCH(QString, name);
        QFETCH(bool, alpha);
        const auto source =
            drawn(37, 23, 12, alpha, name.endsWith("gif") ? Drawn::Pixel(blocks) : Drawn::Pixel(drifting));
        QDir(folder_.path()).mkpath(QFileInfo(name).path());
        const auto warnings = save(at(name), {source});
        QVERIFY2(warnings.empty(), warnings.empty() ? "" : warnings[0].c_str());
        const bool folder = name.contains('/');
        const Video back = open_video(folder ? at(QFileInfo(name).path()) : at(name), {25, 1}).video;
        QCOMPARE(back.format().width, 37);
        QCOMPARE(back.format().height, 23);
        const Walk got = walk(back);
        QCOMPARE(got.pixels.size(), std::size_t{12});
        for (std::size_t i = 0; i < got.pixels.size(); ++i) {
            std::vector<float> wanted = source->pixels(static_cast<std::int64_t>(i)), have = got.pixels[i];
            if (back.format().alpha && !alpha) {  // GIF always comes with alpha
                std::vector<float> wide;
                for (std::size_t p = 0; p < wanted.size(); ++p) {
                    wide.push_back(wanted[p]);
                    if (p % 3 == 2) wide.push_back(1);
                }
                wanted = wide;
            }
            for (std::size_t p = 3; back.format().alpha && p < have.size();
                 p += 4)  // nobody sees the colour of what is clear
                if (wanted[p] == 0)
                    std::copy_n(have.begin() + static_cast<std::ptrdiff_t>(p) - 3, 3,
                                wanted.begin() + static_cast<std::ptrdiff_t>(p) - 3);
            QVERIFY2(worst(have, wanted) < 1e-4, qPrintable(QString("frame %1: %2").arg(i).arg(worst(have, wanted))));
            QCOMPARE(static_cast<double>(got.times[i]) * back.format().tick.value(), static_cast<double>(i) / 25);
            QCOMPARE(static_cast<double>(got.durations[i]) * back.format().tick.value(), 1 / 25.0);
        }
    }

    void lossy_is_near_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("codec");
        QTest::addColumn<int>("width");
        QTest::addColumn<int>("height");
        QTest::addColumn<double>("decibels");
        for (const auto& [w, h] : {std::pair(96, 64), std::pair(97, 63)}) {
            const auto row = [&, w = w, h = h](const char* name, VideoCodec codec, double decibels) {
                QTest::addRow("%s,%d,%dx%d", name, static_cast<int>(codec), w, h)
                    << QString(name) << static_cast<int>(codec) << w << h << decibels;
            };
            row("a.mp4", VideoCodec::Auto, 38);
            row("b.mp4", VideoCodec::Mpeg4, 33);
            row("a.mov", VideoCodec::H264, 38);
            row("a.webm", VideoCodec::Auto, 36);
            row("a.mkv", VideoCodec::Vp9, 36);
            row("c.gif", VideoCodec::Auto, 27);
        }
    }
    void lossy_is_near() {
        QFETCH(QString, name);
        QFETCH(int, codec);
        QFETCH(int, width);
        QFETCH(int, height);
        QFETCH(double, decibels);
        const auto source = drawn(width, height, 30);
        try {
            save(at(name), {source}, {.codec = static_cast<VideoCodec>(codec), .quality = 75});
        } catch (const gpu::Error& error) {
            if (missing(error)) QSKIP(error.what());
            throw;
        }
        const Video back = open_video(at(name)).video;
        QCOMPARE(back.format().width, width);
        QCOMPARE(back.format().height, height);
        const Walk got = walk(back);
        QCOMPARE(got.pixels.size(), std::size_t{30});
        double least = INFINITY;
        for (std::size_t i = 0; i < got.pixels.size(); ++i) {
            std::vector<float> have = got.pixels[i];
            if (back.format().alpha) {
                std::size_t to = 0;
                for (std::size_t p = 0; p < have.size(); ++p)
                    if (p % 4 != 3) have[to++] = have[p];
                have.resize(to);
            }
            least = std::min(least, psnr(have, source->pixels(static_cast<std::int64_t>(i))));
        }
        QVERIFY2(least > decibels, qPrintable(QString::number(least)));
    }

    void webm_keeps_alpha() {
        const auto source = drawn(64, 48, 10, true);
        try {
            save(at("alpha.webm"), {source}, {.quality = 85});
        } catch (const gpu::Error& error) {
            if (missing(error)) QSKIP(error.what());
            throw;
        }
        const Video back = open_video(at("alpha.webm")).video;
        QVERIFY(back.format().alpha);
        const Walk got = walk(back);
        QCOMPARE(got.pixels.size(), std::size_t{10});
        for (std::size_t i = 0; i < got.pixels.size(); ++i) {
            std::vector<float> have, wanted, all = source->pixels(static_cast<std::int64_t>(i));
            for (std::size_t p = 3; p < all.size(); p += 4) have.push_back(got.pixels[i][p]), wanted.push_back(all[p]);
            QVERIFY2(psnr(have, wanted) > 36, qPrintable(QString::number(psnr(have, wanted))));
        }
    }
    void alpha_is_laid_on_the_background_elsewhere() {
        const auto clear = [](int, int, int c, std::int64_t) { return c == 3 ? 0.0f : 1.0f; };
        const auto warnings = save(at("flat.mp4"), {drawn(32, 32, 3, true, clear)}, {.background = {0, 0, 0, 1}});
        QCOMPARE(warnings.size(), std::size_t{1});
        QVERIFY(walk(open_video(at("flat.mp4")).video).pixels[0][0] < 0.05f);
    }

    // Times of a variable rate, exact where the format's clock is, else the nearest of its ticks.
    void times_are_kept_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<double>("step");
        QTest::newRow("mp4") << "t.mp4" << 0.0;
        QTest::newRow("mpeg4") << "u.mp4" << 0.0;
        QTest::newRow("mov") << "t.mov" << 0.0;
        QTest::newRow("apng") << "t.apng" << 1e-3;
        QTest::newRow("webm") << "t.webm" << 1e-3;
        QTest::newRow("gif") << "t.gif" << 1e-2;
    }
    void times_are_kept() {
        QFETCH(QString, name);
        QFETCH(double, step);
        // In ticks of 1001/30000: thirty times less one thousandth a second, with pauses.
        const std::vector<std::int64_t> times{0, 1, 2, 4, 7, 8, 20, 21, 22, 40, 41, 45, 50};
        const Video source{std::make_shared<const Drawn>(32, 32, false, Rational{1001, 30000}, times, drifting)};
        try {
            save(at(name), source, {.codec = name == "u.mp4" ? VideoCodec::Mpeg4 : VideoCodec::Auto});
        } catch (const gpu::Error& error) {
            if (missing(error)) QSKIP(error.what());
            throw;
        }
        const Video back = open_video(at(name)).video;
        const Walk got = walk(back);
        QCOMPARE(got.times.size(), times.size() - 1);
        std::vector<std::int64_t> listed = back.source->times();
        QCOMPARE(listed.size(), times.size());
        const double tick = back.format().tick.value();
        for (std::size_t i = 0; i < times.size(); ++i) {
            const double wanted = static_cast<double>(times[i]) * 1001 / 30000;
            const double have =
                static_cast<double>(i < got.times.size() ? got.times[i] : got.times.back() + got.durations.back()) *
                tick;
            QVERIFY2(std::abs(have - wanted) <= step / 2 + 1e-9,
                     qPrintable(QString("%1: %2 s, wanted %3").arg(i).arg(have).arg(wanted)));
            if (i < got.times.size()) QCOMPARE(listed[i], got.times[i]);
        }
    }
    void frames_closer_than_the_clock_move_apart() {
        const Video source{std::make_shared<const Drawn>(16, 16, false, Rational{1, 240}, even_times(24), blocks)};
        const auto warnings = save(at("fast.gif"), source);
        QCOMPARE(warnings.size(), std::size_t{1});
        QCOMPARE(walk(open_video(at("fast.gif")).video).times.size(), std::size_t{24});
    }

    void a_walk_may_begin_anywhere_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"s.mp4", "s.webm", "s.gif", "s.apng", "s.mkv"}) QTest::newRow(name) << QString(name);
    }
    void a_walk_may_begin_anywhere() {
        QFETCH(QString, name);
        try {
            save(at(name), {drawn(48, 32, 60)});
        } catch (const gpu::Error& error) {
            if (missing(error)) QSKIP(error.what());
            throw;
        }
        const Video video = open_video(at(name)).video;
        const Walk all = walk(video);
        QCOMPARE(all.times.size(), std::size_t{60});
        for (const std::size_t from : {std::size_t{1}, std::size_t{17}, std::size_t{59}}) {
            const Walk part = walk(video, all.times[from]);
            QCOMPARE(part.times,
                     std::vector<std::int64_t>(all.times.begin() + static_cast<std::ptrdiff_t>(from), all.times.end()));
            QVERIFY(part.pixels[0] == all.pixels[from]);
        }
        QCOMPARE(walk(video, all.times.back() + 1).times.size(), std::size_t{0});

        const NodeRun trim =
            run_node("video.trim", {{"by", "frames"}, {"first", 20}, {"count", 5}}, {{"video", Value::of(video)}});
        const Walk part = walk(trim.get<Video>("video"));
        QCOMPARE(part.times.size(), std::size_t{5});
        QCOMPARE(part.times[0], std::int64_t{0});
        QVERIFY(part.pixels[4] == all.pixels[24]);
        const NodeRun seconds =
            run_node("video.trim", {{"start", 0.8}, {"length", 0.2}}, {{"video", Value::of(video)}});
        QVERIFY(walk(seconds.get<Video>("video")).pixels == part.pixels);
        const NodeRun again =
            run_node("video.trim", {{"by", "frames"}, {"first", 2}}, {{"video", trim.outputs.at("video")}});
        QVERIFY(walk(again.get<Video>("video")).pixels[0] == all.pixels[22]);
        QVERIFY(failure_of("video.trim", {{"by", "frames"}, {"first", 60}}, {{"video", Value::of(video)}}) ==
                gpu::ErrorCode::InvalidGraph);

        const NodeRun frames =
            run_node("video.frames", {{"first", 10}, {"count", 3}, {"every", 20}}, {{"video", Value::of(video)}});
        const Image& batch = frames.get<Image>("images");
        QCOMPARE(batch.batch(), std::int64_t{3});
        std::vector<float> wanted;
        for (const int i : {10, 30, 50}) wanted.insert(wanted.end(), all.pixels[i].begin(), all.pixels[i].end());
        QVERIFY(to_interleaved(batch.tensor) == wanted);
    }

    void sound_passes_unchanged_data() {
        QTest::addColumn<QString>("from");
        QTest::addColumn<QString>("to");
        QTest::newRow("aac in mp4") << "mp4"
                                    << "mp4";
        QTest::newRow("aac to mkv") << "mp4"
                                    << "mkv";
        QTest::newRow("webm") << "webm"
                              << "webm";
    }
    void sound_passes_unchanged() {
        QFETCH(QString, from);
        QFETCH(QString, to);
        const std::string source = at("sound." + from), result = at("passed." + to);
        const std::vector<const char*> encoders =
            from == "webm" ? std::vector<const char*>{"libopus", "libvorbis"} : std::vector<const char*>{"aac"};
        if (!make_sounding(source, qPrintable(from), encoders, 2, 50)) QSKIP("no encoder for sound");
        const Video video = open_video(source).video;
        QVERIFY(!video.format().audio.empty());
        QCOMPARE(walk(video).times.size(), std::size_t{50});
        const NodeRun blur = run_node("video.blur", {{"sigma", 1}}, {{"video", Value::of(video)}});
        const auto warnings = save(result, blur.get<Video>("video"));
        QVERIFY2(warnings.empty(), warnings.empty() ? "" : warnings[0].c_str());
        const auto before = sound_of(source), after = sound_of(result);
        QVERIFY(before.size() > 50);
        QCOMPARE(after.size(), before.size());
        for (std::size_t i = 0; i < before.size(); ++i) {
            QVERIFY(after[i].bytes == before[i].bytes);
            QVERIFY2(std::abs((after[i].time - after[0].time) - (before[i].time - before[0].time)) < 2e-3,
                     qPrintable(QString("%1 %2").arg(after[i].time).arg(before[i].time)));
        }
        QCOMPARE(walk(open_video(result).video).times.size(), std::size_t{50});

        // A part takes its own part of the sound.
        const NodeRun trim = run_node("video.trim", {{"start", 0.8}, {"length", 0.4}}, {{"video", Value::of(video)}});
        save(result, trim.get<Video>("video"));
        const auto part = sound_of(result);
        QVERIFY(part.size() >= 18 && part.size() <= 21);
        QVERIFY(part[0].time >= -0.01 && part[0].time < 0.05);
        QVERIFY(std::any_of(before.begin(), before.end(), [&](const SoundPacket& one) {
            return one.bytes == part[0].bytes && std::abs(one.time - 0.8) < 0.05;
        }));
    }
    void sound_that_does_not_fit_is_left_out_with_a_word() {
        const std::string source = at("aac.mp4");
        if (!make_sounding(source, "mp4", {"aac"}, 1, 25)) QSKIP("no encoder for sound");
        const Video video = open_video(source).video;
        for (const char* name : {"x.webm", "x.gif"}) {
            try {
                QCOMPARE(save(at(name), video).size(), std::size_t{1});
            } catch (const gpu::Error& error) {
                if (!missing(error)) throw;
            }
        }
    }

    void frames_are_changed_when_read() {
        const Video video{drawn(40, 30, 4)};
        const NodeRun blur = run_node("video.blur", {{"sigma", 2}}, {{"video", Value::of(video)}});
        const NodeRun half =
            run_node("video.resize", {{"by", "scale"}, {"scale", 0.5}}, {{"video", blur.outputs.at("video")}});
        const Video& small = half.get<Video>("video");
        QCOMPARE(small.format().width, 20);
        QCOMPARE(small.format().height, 15);
        const Walk got = walk(small);
        const auto reader = video.source->open();
        for (const std::vector<float>& pixels : got.pixels) {
            const Value frame = Value::of(reader->next()->image);
            const NodeRun one = run_node("image.blur", {{"sigma", 2}}, {{"image", frame}});
            const NodeRun two =
                run_node("image.resize", {{"by", "scale"}, {"scale", 0.5}}, {{"image", one.outputs.at("image")}});
            QVERIFY(to_interleaved(two.get<Image>("image").tensor) == pixels);
        }
        // What can not be is said by the node itself, at its own parameter.
        try {
            run_node("video.crop", {{"width", 41}, {"height", 30}}, {{"video", Value::of(video)}});
            QFAIL("expected a failure");
        } catch (const SocketError& error) {
            QCOMPARE(error.socket(), std::string("width"));
        }
        QVERIFY(blur.outputs.at("video").hash() != Value::of(video).hash());
    }
    void a_batch_becomes_a_video_and_back() {
        const NodeRun video = run_node(
            "video.from_frames", {{"rate", 29.97}},
            {{"images",
              run_node("video.frames", {}, {{"video", Value::of(Video{drawn(8, 6, 5)})}}).outputs.at("images")}});
        const NodeRun info = run_node("video.info", {}, {{"video", video.outputs.at("video")}});
        QCOMPARE(info.metrics.at("frames"), 5.0);
        QVERIFY(std::abs(info.metrics.at("rate") - 30000.0 / 1001) < 1e-9);
        QVERIFY(std::abs(info.metrics.at("duration") - 5 * 1001.0 / 30000) < 1e-9);
        QVERIFY(walk(video.get<Video>("video")).pixels == walk({drawn(8, 6, 5)}).pixels);
    }

    void damaged_files_are_refused_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"d.mp4", "d.webm", "d.gif", "d.apng", "d.mkv"}) QTest::newRow(name) << QString(name);
    }
    void damaged_files_are_refused() {
        QFETCH(QString, name);
        try {
            save(at(name), {drawn(33, 21, 20)});
        } catch (const gpu::Error& error) {
            if (missing(error)) QSKIP(error.what());
            throw;
        }
        QFile file(QString::fromStdString(at(name)));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray whole = file.readAll();
        const std::string broken = at("broken." + QFileInfo(name).suffix());
        const auto try_it = [&](const QByteArray& bytes) {
            QFile out(QString::fromStdString(broken));
            if (!out.open(QIODevice::WriteOnly)) throw std::runtime_error("no file");
            out.write(bytes);
            out.close();
            return code_of([&] {
                const Video video = open_video(broken).video;
                walk(video);
                video.source->times();
                embedded_video_document(broken);
            });
        };
        QVERIFY(!try_it(whole));
        int silent = 0;
        for (int part = 0; part < 16; ++part) {
            const auto code = try_it(whole.left(whole.size() * part / 16));
            if (!code) ++silent;
            QVERIFY(!code || *code == gpu::ErrorCode::BadFile);
        }
        QVERIFY2(silent == 0, qPrintable(QString("%1 truncated files passed").arg(silent)));
        std::uint32_t state = 12345;
        for (int round = 0; round < 60; ++round) {
            QByteArray changed = whole;
            for (int i = 0; i < 4; ++i) {
                state = state * 1664525 + 1013904223;
                changed[static_cast<qsizetype>(state >> 8) % changed.size()] = static_cast<char>(state >> 3);
            }
            const auto code = try_it(changed);  // may be read, with other pixels; must not crash
            QVERIFY(!code || *code == gpu::ErrorCode::BadFile || *code == gpu::ErrorCode::InvalidGraph ||
                    *code == gpu::ErrorCode::OutOfMemory);
        }
    }
    void files_without_frames_are_refused() {
        const auto code = [&](const char* name, const QByteArray& bytes) {
            QFile out(folder_.filePath(name));
            if (!out.open(QIODevice::WriteOnly)) throw std::runtime_error("no file");
            out.write(bytes);
            out.close();
            return code_of([&] { open_video(at(name)); });
        };
        QVERIFY(code("empty.mp4", {}) == gpu::ErrorCode::BadFile);
        QVERIFY(code("text.mp4", "not a video at all, whatever the name says") == gpu::ErrorCode::BadFile);
        QVERIFY(code("none.gif", QByteArray("GIF89a\x10\0\x10\0\0\0\0;", 14)) == gpu::ErrorCode::BadFile);
        QVERIFY(code_of([&] { open_video(at("nowhere.mp4")); }) == gpu::ErrorCode::MissingFile);
        QDir(folder_.path()).mkpath("void");
        QVERIFY(code_of([&] { open_video(at("void")); }) == gpu::ErrorCode::BadFile);
        if (make_sounding(at("sound_alone.mp4"), "mp4", {"aac"}, 0.5, 0))
            QVERIFY(code_of([&] { open_video(at("sound_alone.mp4")); }) == gpu::ErrorCode::BadFile);
    }
    // Scripts and playlists would make libav open other files.
    void files_that_name_others_are_refused() {
        save(at("real.mp4"), {drawn(16, 16, 2)});
        for (const QByteArray& text :
             {QByteArray("ffconcat version 1.0\nfile real.mp4\n"),
              QByteArray("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nreal.mp4\n#EXT-X-ENDLIST\n")}) {
            QFile out(folder_.filePath("script.mp4"));
            QVERIFY(out.open(QIODevice::WriteOnly));
            out.write(text);
            out.close();
            QVERIFY(code_of([&] { open_video(at("script.mp4")); }) == gpu::ErrorCode::BadFile);
        }
    }
    void failures_name_their_side() {
        const auto socket_of = [](const std::string& file, const Video& video) {
            try {
                run_node("video.save", {{"file", QString::fromStdString(file)}}, {{"video", Value::of(video)}});
            } catch (const SocketError& error) {
                return error.socket();
            }
            return std::string();
        };
        save(at("gone.gif"), {drawn(16, 16, 2, false, blocks)});
        const Video video = open_video(at("gone.gif")).video;
        QCOMPARE(socket_of(at("no/such/folder.gif"), video), std::string("file"));
        QFile::remove(folder_.filePath("gone.gif"));
        QCOMPARE(socket_of(at("fine.gif"), video), std::string("video"));
        QVERIFY(!QFile::exists(folder_.filePath("fine.gif")));
    }
    void a_file_that_changed_is_not_mixed_up() {
        save(at("changes.gif"), {drawn(16, 16, 2, false, blocks)});
        const Video video = open_video(at("changes.gif")).video;
        save(at("changes.gif"), {drawn(16, 16, 5, false, blocks)});
        QVERIFY(code_of([&] { video.source->open(); }) == gpu::ErrorCode::BadFile);
    }
    void a_video_may_be_saved_over_itself() {
        save(at("self.gif"), {drawn(16, 16, 6, false, blocks)});
        const Walk before = walk(open_video(at("self.gif")).video);
        save(at("self.gif"), open_video(at("self.gif")).video);
        QVERIFY(walk(open_video(at("self.gif")).video).pixels == before.pixels);
    }
    void what_can_not_be_written_is_refused() {
        const Video video{drawn(16, 16, 2)};
        QVERIFY(code_of([&] { save(at("a.xyz"), video); }) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(code_of([&] { save(at("a.png"), video); }) == gpu::ErrorCode::InvalidGraph);
        QVERIFY(code_of([&] { save(at("no/such/folder.gif"), video); }) == gpu::ErrorCode::Io);
        QVERIFY(code_of([&] { save(at("no/such/folder_##.png"), video); }) == gpu::ErrorCode::Io);
    }

    void graphs_travel_inside_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"g.mp4", "g.mov", "g.webm", "g.mkv", "g.gif", "g.apng"})
            QTest::newRow(name) << QString(name);
    }
    void graphs_travel_inside() {
        QFETCH(QString, name);
        const std::string document = "{\"heddle\": 1, \"text\": \"" + std::string(3000, 'x') + "\"}\n";
        try {
            save(at(name), {drawn(16, 16, 3, false, blocks)}, {.document = document});
        } catch (const gpu::Error& error) {
            if (missing(error)) QSKIP(error.what());
            throw;
        }
        const std::string got = name.endsWith("apng") ? embedded_document(at(name)) : embedded_video_document(at(name));
        QCOMPARE(QString::fromStdString(got).trimmed(), QString::fromStdString(document).trimmed());
        QCOMPARE(walk(open_video(at(name)).video).times.size(), std::size_t{3});
    }
    void a_video_runs_as_its_graph() {
        Document()
            .add_node("image.checker", "board")
            .set_param("board", "width", 48)
            .set_param("board", "height", 32)
            .add_node("video.scroll", "scroll")
            .set_param("scroll", "frames", 6)
            .add_node("video.save", "save")
            .set_param("save", "file", "out.mp4")
            .connect({"board", "image"}, {"scroll", "image"})
            .connect({"scroll", "video"}, {"save", "video"})
            .save(at("scroll.heddle"));
        const auto heddle = [&](const QStringList& arguments) {
            QProcess process;
            process.setWorkingDirectory(folder_.path());
            process.start(HEDDLE_BINARY, arguments);
            process.waitForFinished(120000);
            return process.exitCode();
        };
        QCOMPARE(heddle({"run", "scroll.heddle", "-o", "first.mp4"}), 0);
        QFile::remove(folder_.filePath("scroll.heddle"));
        QCOMPARE(heddle({"run", "first.mp4", "-o", "second.gif"}), 0);
        QCOMPARE(walk(open_video(at("second.gif")).video).times.size(), std::size_t{6});
    }

    // Frames are large: a cancel does not wait for the rest of one.
    void a_cancel_is_seen_inside_of_a_frame() {
        const Video video{drawn(64, 48, 4)};
        save(at("whole.mp4"), video);
        const Video file = open_video(at("whole.mp4")).video;
        const auto reader = file.source->open();
        const std::optional<VideoFrame> frame = reader->next();
        QVERIFY(frame);
        const auto writer = write_video(at("stopped.mp4"), video, {});
        const NodeRun blur = run_node("video.blur", {{"sigma", 2}}, {{"video", Value::of(file)}});
        const auto blurred = blur.get<Video>("video").source->open();
        const gpu::EvaluationCounters before = gpu::evaluation_counters();
        {
            const gpu::CancelToken cancel;
            const gpu::CancelScope scope(cancel);
            cancel.cancel();
            QVERIFY_EXCEPTION_THROWN(writer->add(*frame), gpu::Cancelled);      // encodes nothing
            QVERIFY_EXCEPTION_THROWN(blurred->next(), gpu::Cancelled);          // decodes and blurs nothing
        }
        const gpu::EvaluationCounters after = gpu::evaluation_counters();
        QCOMPARE(after.evaluations, before.evaluations);
        // The frame that was not decoded is still to come.
        const auto pixels = walk(blur.get<Video>("video")).pixels;
        QVERIFY(to_interleaved(blurred->next()->image.tensor) == pixels[0]);
    }

    void a_cancelled_run_leaves_nothing_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"c.mp4", "c.gif", "c_###.png"}) QTest::newRow(name) << QString(name);
    }
    void a_cancelled_run_leaves_nothing() {
        QFETCH(QString, name);
        const Document document = Document()
                                      .add_node("image.checker", "board")
                                      .set_param("board", "width", 64)
                                      .set_param("board", "height", 64)
                                      .add_node("video.scroll", "scroll")
                                      .set_param("scroll", "frames", 1000000)
                                      .add_node("video.save", "save")
                                      .set_param("save", "file", name)
                                      .connect({"board", "image"}, {"scroll", "image"})
                                      .connect({"scroll", "video"}, {"save", "video"});
        const QStringList before = names();
        const gpu::CancelToken cancel;
        std::int64_t seen = 0;
        const RunResult result =
            run(document, {.cancel = cancel,
                           .on_event =
                               [&](const Event& event) {
                                   if (const auto* at = std::get_if<event::Progress>(&event); at && at->done >= 5) {
                                       seen = at->done;
                                       cancel.cancel();
                                   }
                               },
                           .output_folder = folder_.path().toStdString()});
        QCOMPARE(result.status, RunStatus::Cancelled);
        QVERIFY(seen >= 5 && seen < 1000);
        QCOMPARE(names(), before);
    }
    void a_full_disk_leaves_nothing() {
        const QStringList before = names();
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit old{};
        getrlimit(RLIMIT_FSIZE, &old);
        const rlimit small{700, old.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        std::optional<gpu::ErrorCode> codes[3];
        const Video video{drawn(64, 48, 40)};
        codes[0] = code_of([&] { save(at("full.mp4"), video); });
        codes[1] = code_of([&] { save(at("full.apng"), video); });
        codes[2] = code_of([&] { save(at("full_##.png"), video); });
        setrlimit(RLIMIT_FSIZE, &old);
        for (const auto& code : codes) QVERIFY2(code == gpu::ErrorCode::Io, code ? gpu::to_string(*code) : "written");
        QCOMPARE(names(), before);
    }

    // A walk holds a frame at a time: ten times the length takes the same memory.
    void memory_does_not_grow_with_length() {
        const auto run_through = [&](int frames) {
            const NodeRun board = run_node("image.gradient", {{"width", 320}, {"height", 180}});
            const NodeRun scroll =
                run_node("video.scroll", {{"frames", frames}}, {{"image", board.outputs.at("image")}});
            reset_peak();
            save(at("long.mp4"), scroll.get<Video>("video"));
            const NodeRun blur =
                run_node("video.blur", {{"sigma", 2}}, {{"video", Value::of(open_video(at("long.mp4")).video)}});
            save(at("longer.mp4"), blur.get<Video>("video"));
            return peak_kilobytes();
        };
        run_through(60);
        const std::int64_t some = run_through(120), many = run_through(1200);
        if (some == 0) QSKIP("no /proc/self/status");
        // One frame is 0.7 MB as floats: 1080 more of them would be 750 MB.
        QVERIFY2(many - some < 24 * 1024, qPrintable(QString("%1 kB, then %2 kB").arg(some).arg(many)));
    }
};

}  // namespace tests

using tests::VideoTest;
HEDDLE_TEST(video, VideoTest)
#include "video.moc"
