#include "gpu/io/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "gpu/base/error.h"

namespace gpu {

std::string gunzip(std::span<const std::byte> packed, std::size_t most) {
    check(packed.size() <= std::numeric_limits<uInt>::max(), ErrorCode::BadFile, "gunzip: expected less than 4 GiB, got {} bytes", packed.size());
    z_stream stream{};
    check(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, ErrorCode::Failure, "gunzip: zlib did not start");
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));     // zlib does not write to it
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string content;
    int status = Z_OK;
    while (status == Z_OK && content.size() <= most) {
        const std::size_t done = content.size();
        content.resize(std::min(std::max<std::size_t>(2 * done, 1u << 16), most + 1));
        stream.next_out = reinterpret_cast<Bytef*>(content.data() + done);
        stream.avail_out = static_cast<uInt>(content.size() - done);
        status = inflate(&stream, Z_NO_FLUSH);
        content.resize(content.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    check(content.size() <= most, ErrorCode::BadFile, "gunzip: expected at most {} bytes, got more", most);
    check(status == Z_STREAM_END, ErrorCode::BadFile, "gunzip: expected a whole gzip file, got {}",
          status == Z_BUF_ERROR ? "one that ends early" : "damaged data");
    return content;
}

}  // namespace gpu
