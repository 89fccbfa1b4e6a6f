// Sound that goes from one file into another as it is.
#pragma once

#include <string>
#include <vector>

#include "nodes/codec/libav/demuxer.h"

namespace nodes::libav {

// Packets of a file's sound, with times counted from the video's 0. A part of the sound is whole packets: those that
// begin within it.
class AudioCopy {
public:
    // Adds a stream to `muxer`, whose header is not written yet; or a warning where it can not hold that kind of sound.
    AudioCopy(const Audio& audio, AVFormatContext* muxer, std::vector<std::string>& warnings);

    // Writes what sounds before a time of the video that is made, so that both travel side by side.
    void pump(std::int64_t time, AVRational clock);
    void pump_all();

private:
    bool fetch();
    bool end();
    void write();

    const Audio audio_;
    AVFormatContext* const muxer_;
    Demuxer demuxer_;
    const AVStream* in_ = nullptr;  // null: nothing is left to write
    AVStream* out_ = nullptr;
    AVRational tick_{1, 1};  // of the file's video, which the times of audio_ count in
    std::int64_t zero_ = 0;  // by the clock of in_
    const PacketPtr held_ = new_packet();
    bool holding_ = false;
};

}  // namespace nodes::libav
