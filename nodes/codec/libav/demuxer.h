// A file that is taken apart into packets.
#pragma once

#include "nodes/codec/libav/support.h"

namespace nodes::libav {

class Demuxer {
public:
    // Throws Refused for what is no media file of a known container. The file is only read, and nothing else is opened.
    explicit Demuxer(const std::string& path);
    ~Demuxer();
    Demuxer(const Demuxer&) = delete;
    Demuxer& operator=(const Demuxer&) = delete;

    AVFormatContext* context() const { return context_; }
    const AVInputFormat* container() const { return context_->iformat; }
    // Throws Refused where the file's own structure says that it goes on after its end.
    void expect_whole() const;
    // The stream that players would take, or null.
    AVStream* best(AVMediaType type) const;
    // Only this stream's packets are read from now on.
    void choose(const AVStream* stream);
    // False at the end. Throws Refused where the file is damaged or ends too early.
    bool read(AVPacket* packet);

private:
    struct File;
    const std::unique_ptr<File> file_;
    StreamPtr stream_;
    AVFormatContext* context_ = nullptr;
};

}  // namespace nodes::libav
