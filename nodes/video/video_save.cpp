#include <algorithm>
#include <chrono>

#include "nodes/codec/image_file.h"
#include "nodes/codec/video_file.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

// Does a part of a node's work and names the socket or parameter that its failure belongs to.
template <typename Work>
auto blaming(const Eval& ev, const Handle& at, Work work) {
    try {
        return work();
    } catch (const gpu::Cancelled&) {
        throw;
    } catch (const gpu::Error& error) {
        ev.fail(at, error.code(), "{}", error.what());
    }
}

struct VideoSave final : Node {
    VideoSave()
        : Node({.id = "video.save",
                .version = 1,
                .title = "Save Video",
                .category = "Video",
                .help =
                    "Writes a video frame by frame; the suffix says the format: MP4, QuickTime, WebM, Matroska, GIF, "
                    "animated PNG or WebP, or a picture's suffix with ### in the name for one file a frame. It appears "
                    "whole or not at all.",
                .side_effect = true}) {}

    In<Video> video{this, "video", "The video to write"};
    Param<OutputPath> file{
        this,
        "file",
        "Where to; ### becomes the number of a frame in a sequence of pictures",
        {.filter =
             "MP4 (*.mp4);;WebM (*.webm);;Matroska (*.mkv);;QuickTime (*.mov);;GIF (*.gif);;Animated PNG (*.apng);;"
             "WebP (*.webp);;Sequence of PNG (*###.png)"}};
    Param<VideoCodec> codec{
        this,
        "codec",
        "Of MP4, QuickTime and Matroska; auto: H.264 where its encoder is there, else MPEG-4. WebM holds VP9",
        {.initial = VideoCodec::Auto, .names = {"auto", "h264", "mpeg4", "vp9"}}};
    Param<int> quality{this,
                       "quality",
                       "Of codecs that lose something. 65 looks like the source (CRF 18 of H.264, 22 of VP9); at 100 "
                       "H.264 and VP9 lose only what conversion to their colours does, and WebP nothing",
                       {.initial = 65, .min = 1, .max = 100}};
    Param<bool> audio{
        this, "audio", "Takes the video's sound along, unchanged, where the format can hold it", {.initial = true}};
    Param<int> loops{this,
                     "loops",
                     "Of GIF, animated PNG and WebP: how often it is shown; 0: without end",
                     {.initial = 0, .min = 0, .max = 65535, .advanced = true}};
    Param<Color> background{this,
                            "background",
                            "What transparent frames stand on in a format without alpha (MP4, QuickTime)",
                            {.initial = "#ffffff", .advanced = true}};
    Param<bool> embed{this,
                      "embed",
                      "Stores this graph in the file, so that it can be opened from the video (not WebP)",
                      {.initial = true, .advanced = true}};

    void compute(Eval& ev) const override {
        const Video& from = ev[video];
        const SaveVideoOptions options{.codec = ev[codec],
                                       .quality = ev[quality],
                                       .loops = ev[loops],
                                       .background = ev[background],
                                       .audio = ev[audio],
                                       .document = ev[embed] ? ascii_json(ev.document_json()) : std::string()};
        using Clock = std::chrono::steady_clock;
        const Clock::time_point begin = Clock::now();
        Clock::time_point shown = begin;
        const auto reader = blaming(ev, video, [&] { return from.source->open(); });
        const auto writer = blaming(ev, file, [&] { return write_video(ev[file].path, from, options); });
        const std::int64_t expected = from.format().frames;
        std::int64_t done = 0;
        ev.progress(0, expected);
        while (const auto frame = blaming(ev, video, [&] { return reader->next(); })) {
            blaming(ev, file, [&] { writer->add(*frame); });
            ++done;
            ev.progress(done, expected > 0 ? std::max(expected, done) : 0);
            if (Clock::now() - shown > std::chrono::seconds(2)) {
                ev.preview(to_qimage(frame->image, 512));
                shown = Clock::now();
            }
        }
        if (done == 0) ev.fail(video, "expected at least one frame, got none");
        for (const std::string& path : blaming(ev, file, [&] { return writer->finish(); })) ev.wrote(path);
        for (const std::string& warning : writer->warnings()) ev.warn("{}: {}", ev[file].path, warning);
        const std::chrono::duration<double> took = Clock::now() - begin;
        ev.report("frames", static_cast<double>(done));
        ev.report("speed", static_cast<double>(done) / took.count(), "frames/s");
    }
};

}  // namespace

REGISTER_NODE(video_save, VideoSave)

}  // namespace nodes
