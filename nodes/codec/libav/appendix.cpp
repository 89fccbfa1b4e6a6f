#include "nodes/codec/libav/appendix.h"

extern "C" {
#include <libavutil/crc.h>
}

#include <algorithm>

namespace nodes::libav {
namespace {

void put_big_endian(std::vector<std::uint8_t>& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

Appendix gif_comment(const std::string& text) {
    Appendix made{{0x21, 0xfe}, {0x3b}};
    for (std::size_t at = 0; at < text.size(); at += 255) {
        const std::size_t length = std::min<std::size_t>(255, text.size() - at);
        made.bytes.push_back(static_cast<std::uint8_t>(length));
        made.bytes.insert(made.bytes.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                          text.begin() + static_cast<std::ptrdiff_t>(at + length));
    }
    made.bytes.push_back(0);
    return made;
}

Appendix png_text(const std::string& text) {
    Appendix made{{}, {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82}};
    const std::string content = "tEXtheddle" + std::string(1, '\0') + text;
    put_big_endian(made.bytes, static_cast<std::uint32_t>(content.size() - 4));
    made.bytes.insert(made.bytes.end(), content.begin(), content.end());
    const std::uint32_t sum = av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), 0xffffffff,
                                     reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
    put_big_endian(made.bytes, sum ^ 0xffffffff);
    return made;
}

}  // namespace nodes::libav
