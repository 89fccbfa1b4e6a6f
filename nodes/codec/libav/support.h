// Owners of libav's objects, and how its errors leave: shared by the files of the module.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "gpu/base/format.h"
#include "nodes/codec/libav/module.h"

namespace nodes::libav {

using gpu::format;

// Thrown inside the module; guarded() turns it into an answer.
struct Refused {
    Status status;
    std::string message;
};

[[noreturn]] inline void refuse(Status status, std::string_view expected, std::string_view got) {
    throw Refused{status, format("expected {}, got {}", expected, got)};
}

template <auto Free>
struct FreePointer {
    template <typename T>
    void operator()(T* object) const {
        Free(&object);
    }
};
using PacketPtr = std::unique_ptr<AVPacket, FreePointer<av_packet_free>>;
using FramePtr = std::unique_ptr<AVFrame, FreePointer<av_frame_free>>;
using CodecPtr = std::unique_ptr<AVCodecContext, FreePointer<avcodec_free_context>>;

struct FreeScaler {
    void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
using ScalerPtr = std::unique_ptr<SwsContext, FreeScaler>;

struct FreeStream {
    void operator()(AVIOContext* stream) const {
        av_freep(&stream->buffer);
        avio_context_free(&stream);
    }
};
using StreamPtr = std::unique_ptr<AVIOContext, FreeStream>;

// An object of libav's, or std::bad_alloc.
template <typename Owner, typename T>
Owner owned(T* made) {
    if (!made) throw std::bad_alloc();
    return Owner(made);
}
inline PacketPtr new_packet() { return owned<PacketPtr>(av_packet_alloc()); }
inline FramePtr new_frame() { return owned<FramePtr>(av_frame_alloc()); }

// What libav last complained of on this thread; empty after clear_complaint().
const std::string& complaint();
void clear_complaint();
// Sends libav's messages there instead of to stderr. Once is enough.
void listen_to_complaints();

// The complaint where there is one, else libav's words for the code.
std::string reason(int code);

// Returns `code` unless it is an error, which becomes a refusal; lack of memory is told apart.
inline int expect(int code, Status status, std::string_view expected) {
    if (code >= 0) return code;
    if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
    refuse(status, expected, reason(code));
}

inline AVRational rational(const Fraction& value) { return {static_cast<int>(value.num), static_cast<int>(value.den)}; }
inline Fraction fraction(const AVRational& value) { return {value.num, value.den}; }

// Each thread of a codec holds frames of its own: their number is bounded so that memory is.
inline int codec_threads() { return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 8); }

// How Y, Cb and Cr make colours. A file that does not say so follows what players do: BT.709 for high definition, else
// BT.601.
void set_colors(SwsContext* scaler, const int* source_matrix, bool source_full, const int* target_matrix,
                bool target_full);

// Chroma is interpolated at every pixel, and values are rounded, not cut.
constexpr int scaler_flags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;

template <typename Work>
Answer guarded(Work work) {
    try {
        return work();
    } catch (const Refused& refused) {
        return {refused.status, refused.message};
    } catch (const std::bad_alloc&) {
        return {Status::OutOfMemory, "expected memory for a frame, got none"};
    } catch (const std::exception& error) {
        return {Status::BadFile, error.what()};
    }
}

}  // namespace nodes::libav
