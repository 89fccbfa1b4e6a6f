// What a muxer writes, on its way into a sink.
#pragma once

#include "nodes/codec/libav/support.h"

namespace nodes::libav {

// Where the finished file goes: libav writes here and there, the sink keeps order.
class Output {
public:
    explicit Output(Sink& sink) : sink_(sink) {
        constexpr int buffer_size = 1 << 16;
        auto* buffer = static_cast<std::uint8_t*>(av_malloc(buffer_size));
        if (!buffer) throw std::bad_alloc();
        stream_.reset(avio_alloc_context(buffer, buffer_size, 1, this, nullptr, write, seek));
        if (stream_) return;
        av_free(buffer);
        throw std::bad_alloc();
    }
    AVIOContext* stream() const { return stream_.get(); }
    std::int64_t size() const { return size_; }
    bool failed() const { return failed_; }
    bool put(std::int64_t offset, const void* bytes, std::size_t size) {
        failed_ = failed_ || !sink_.write(offset, static_cast<const std::uint8_t*>(bytes), size);
        size_ = std::max(size_, offset + static_cast<std::int64_t>(size));
        return !failed_;
    }

private:
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    using Bytes = const std::uint8_t*;
#else
    using Bytes = std::uint8_t*;
#endif
    static int write(void* opaque, Bytes bytes, int length) {
        auto& self = *static_cast<Output*>(opaque);
        if (!self.put(self.at_, bytes, static_cast<std::size_t>(length))) return AVERROR(EIO);
        self.at_ += length;
        return length;
    }
    static std::int64_t seek(void* opaque, std::int64_t offset, int whence) {
        auto& self = *static_cast<Output*>(opaque);
        if (whence & AVSEEK_SIZE) return self.size_;
        whence &= ~AVSEEK_FORCE;
        const std::int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? self.at_ : self.size_;
        if (base + offset < 0) return AVERROR(EINVAL);
        return self.at_ = base + offset;
    }

    Sink& sink_;
    StreamPtr stream_;
    std::int64_t at_ = 0, size_ = 0;
    bool failed_ = false;
};

}  // namespace nodes::libav
