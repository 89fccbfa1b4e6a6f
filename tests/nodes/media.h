// Files with sound, made and taken apart by FFmpeg's libraries directly: what the tests of videos compare with.
#pragma once

#include <QByteArray>
#include <cstdint>
#include <string>
#include <vector>

namespace tests {

// A sine of `seconds` in the first of these encoders that is there, with `frames` gray frames of 32 x 32 at 25 a
// second; none: sound alone. Returns whether an encoder was there.
bool make_sounding(const std::string& path, const char* muxer, const std::vector<const char*>& encoders, double seconds,
                   int frames);

struct SoundPacket {
    QByteArray bytes;
    double time = 0;  // seconds
};

// The sound of a file, as it lies in it.
std::vector<SoundPacket> sound_of(const std::string& path);

}  // namespace tests
