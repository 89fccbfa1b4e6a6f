// Texts that libav's muxers know no place for, put before the last bytes of a finished file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nodes::libav {

struct Appendix {
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint8_t> tail;  // what the file ends with, and ends with again after `bytes`
};

// A comment extension (GIF89a, section 24) before the trailer.
Appendix gif_comment(const std::string& text);

// A text chunk "heddle" before IEND.
Appendix png_text(const std::string& text);

}  // namespace nodes::libav
