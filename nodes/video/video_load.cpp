#include "nodes/codec/video_file.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

struct VideoLoad final : Node {
    VideoLoad()
        : Node({.id = "video.load",
                .version = 1,
                .title = "Load Video",
                .category = "Video",
                .help = "A video file (MP4, WebM, Matroska, GIF, animated PNG and what else FFmpeg takes apart), or a "
                        "folder "
                        "of pictures of one size. Frames are read when somebody asks for them, one at a time."}) {}

    Param<FilePath> file{this,
                         "file",
                         "The video, or a folder of pictures in the order of their numbered names",
                         {.filter = "Videos (*.mp4 *.m4v *.mov *.webm *.mkv *.avi *.gif *.apng *.png);;All files (*)"}};
    Param<double> rate{this,
                       "rate",
                       "Of a folder: pictures shown in a second. 29.97 and its like mean thirty times 1000/1001",
                       {.initial = 24, .min = 0.001, .max = 100000, .step = 1, .unit = "1/s"}};
    Out<Video> video{this, "video", "Its frames and its sound"};

    void compute(Eval& ev) const override {
        LoadedVideo loaded;
        try {
            loaded = open_video(ev[file].path, frame_rate(ev[rate]));
        } catch (const gpu::Error& error) {
            ev.fail(file, error.code(), "{}", error.what());
        }
        for (const std::string& note : loaded.notes) ev.warn("{}: {}", ev[file].path, note);
        ev.set(video, loaded.video);
    }
};

}  // namespace

REGISTER_NODE(video_load, VideoLoad)

}  // namespace nodes
