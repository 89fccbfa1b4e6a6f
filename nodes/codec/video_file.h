// Video files: MP4, QuickTime, WebM, Matroska, GIF, animated PNG and folders of pictures in both directions, animated
// WebP written only; through FFmpeg's libraries (nodes/codec/libav) and the codecs for pictures. Whatever else those
// libraries take apart is read too.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nodes/types/video.h"

namespace nodes {

struct LoadedVideo {
    Video video;
    std::vector<std::string> notes;  // what was left out or assumed, for people
};

// A file, or a folder whose pictures, in the order of their numbered names, are shown `rate` a second. Reads the first
// frame; the others when somebody walks through the video. Frames come upright, as RGB or RGBA with straight alpha.
//
// Throws MissingFile, BadFile (no video, no frame, truncated, a codec that this FFmpeg lacks), OutOfMemory.
LoadedVideo open_video(const std::string& path, const Rational& rate = {24, 1});

enum class VideoCodec {
    Auto,
    H264,
    Mpeg4,
    Vp9
};  // auto: by the container; H.264 where its encoder is there, else MPEG-4

struct SaveVideoOptions {
    VideoCodec codec = VideoCodec::Auto;
    int quality = 65;              // 1..100; see video.save
    int loops = 0;                 // GIF, APNG, WebP: how often it is shown; 0: without end
    Color background{1, 1, 1, 1};  // what shows through where the format has no alpha
    bool audio = true;             // the packets of the video's sound, as they are
    // JSON in ASCII that is stored with the video: metadata "heddle" of MP4, WebM and Matroska, a text chunk of PNG, a
    // comment of GIF. Animated WebP holds none. Empty: nothing.
    std::string document;
};

// A video that is being written, frame by frame. It appears complete with finish(), or not at all.
class VideoWriter {
public:
    virtual ~VideoWriter() = default;
    // Throws Io when the file can not be written.
    virtual void add(const VideoFrame& frame) = 0;
    // Returns the files, in order.
    virtual std::vector<std::string> finish() = 0;
    const std::vector<std::string>& warnings() const { return warnings_; }

protected:
    std::vector<std::string> warnings_;  // complete after finish()
};

// The suffix says the format; a picture's suffix with a run of '#' in the name means one file a frame. Times are exact
// in MP4, QuickTime and animated PNG, and rounded to the format's clock without drifting in WebM, Matroska, WebP
// (1/1000 s) and GIF (1/100 s).
//
// Throws InvalidGraph for a suffix, codec or size that can not be, Io when the file can not be written.
std::unique_ptr<VideoWriter> write_video(const std::string& path, const Video& like,
                                         const SaveVideoOptions& options = {});

// By its first bytes: MP4 and its relatives, WebM and Matroska, GIF.
bool is_video(std::span<const std::byte> start);

// The document that a video carries (see SaveVideoOptions), empty where there is none. Throws as open_video does.
std::string embedded_video_document(const std::string& path);

}  // namespace nodes
