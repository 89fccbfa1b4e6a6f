#include "tests/nodes/media.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <cmath>
#include <cstring>
#include <memory>
#include <numbers>
#include <stdexcept>

namespace tests {
namespace {

void expect(int code, const char* what) {
    if (code < 0) throw std::runtime_error(what);
}

struct Stream {
    AVCodecContext* codec = nullptr;
    AVStream* stream = nullptr;
    AVFrame* frame = av_frame_alloc();

    ~Stream() {
        avcodec_free_context(&codec);
        av_frame_free(&frame);
    }
    void open(AVFormatContext* muxer, const AVCodec* encoder) {
        if (muxer->oformat->flags & AVFMT_GLOBALHEADER) codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
        codec->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
        expect(avcodec_open2(codec, encoder, nullptr), "open an encoder");
        stream = avformat_new_stream(muxer, nullptr);
        stream->time_base = codec->time_base;
        expect(avcodec_parameters_from_context(stream->codecpar, codec), "describe a stream");
    }
    void send(AVFormatContext* muxer, AVFrame* what) {
        expect(avcodec_send_frame(codec, what), "encode");
        AVPacket* packet = av_packet_alloc();
        while (avcodec_receive_packet(codec, packet) >= 0) {
            if (packet->duration == 0)
                packet->duration = 1;  // video encoders leave it open, and the last frame's tells the end
            av_packet_rescale_ts(packet, codec->time_base, stream->time_base);
            packet->stream_index = stream->index;
            expect(av_interleaved_write_frame(muxer, packet), "write a packet");
        }
        av_packet_free(&packet);
    }
};

void open_video(Stream& video, AVFormatContext* muxer) {
    const AVCodec* encoder =
        avcodec_find_encoder_by_name(std::strcmp(muxer->oformat->name, "webm") == 0 ? "libvpx-vp9" : "mpeg4");
    video.codec = avcodec_alloc_context3(encoder);
    video.codec->width = video.codec->height = 32;
    video.codec->pix_fmt = AV_PIX_FMT_YUV420P;
    video.codec->time_base = {1, 25};
    video.open(muxer, encoder);
    video.frame->width = video.frame->height = 32;
    video.frame->format = AV_PIX_FMT_YUV420P;
    expect(av_frame_get_buffer(video.frame, 0), "memory");
    std::memset(video.frame->data[0], 120, static_cast<std::size_t>(video.frame->linesize[0]) * 32);
    for (int plane : {1, 2})
        std::memset(video.frame->data[plane], 128, static_cast<std::size_t>(video.frame->linesize[plane]) * 16);
}

void open_audio(Stream& audio, AVFormatContext* muxer, const AVCodec* encoder) {
    audio.codec = avcodec_alloc_context3(encoder);
    audio.codec->sample_rate = 48000;
    audio.codec->sample_fmt = encoder->sample_fmts[0];
    av_channel_layout_default(&audio.codec->ch_layout, 2);
    audio.codec->bit_rate = 64000;
    audio.codec->time_base = {1, 48000};
    audio.open(muxer, encoder);
    audio.frame->format = audio.codec->sample_fmt;
    audio.frame->sample_rate = 48000;
    audio.frame->nb_samples = audio.codec->frame_size > 0 ? audio.codec->frame_size : 960;
    av_channel_layout_copy(&audio.frame->ch_layout, &audio.codec->ch_layout);
    expect(av_frame_get_buffer(audio.frame, 0), "memory");
}

void sound(Stream& audio, AVFormatContext* muxer, double seconds) {
    const AVSampleFormat format = audio.codec->sample_fmt;
    const bool planar = av_sample_fmt_is_planar(format), floats = av_get_packed_sample_fmt(format) == AV_SAMPLE_FMT_FLT;
    std::int64_t at = 0;
    for (; static_cast<double>(at) < seconds * 48000; at += audio.frame->nb_samples) {
        expect(av_frame_make_writable(audio.frame), "memory");
        for (int i = 0; i < audio.frame->nb_samples; ++i)
            for (int c = 0; c < 2; ++c) {
                const double value =
                    0.4 * std::sin(2 * std::numbers::pi * (440 + 220 * c) * static_cast<double>(at + i) / 48000);
                std::uint8_t* plane = audio.frame->data[planar ? c : 0];
                const std::size_t place = static_cast<std::size_t>(planar ? i : 2 * i + c);
                if (floats)
                    reinterpret_cast<float*>(plane)[place] = static_cast<float>(value);
                else
                    reinterpret_cast<std::int16_t*>(plane)[place] = static_cast<std::int16_t>(value * 32767);
            }
        audio.frame->pts = at;
        audio.send(muxer, audio.frame);
    }
    audio.send(muxer, nullptr);
}

}  // namespace

bool make_sounding(const std::string& path, const char* muxer_name, const std::vector<const char*>& encoders,
                   double seconds, int frames) {
    const AVCodec* encoder = nullptr;
    for (const char* name : encoders)
        if (!encoder) encoder = avcodec_find_encoder_by_name(name);
    if (!encoder) return false;
    AVFormatContext* muxer = nullptr;
    expect(avformat_alloc_output_context2(&muxer, nullptr, muxer_name, path.c_str()), "make a muxer");
    expect(avio_open(&muxer->pb, path.c_str(), AVIO_FLAG_WRITE), "open a file");
    {
        Stream video, audio;
        if (frames > 0) open_video(video, muxer);
        open_audio(audio, muxer, encoder);
        expect(avformat_write_header(muxer, nullptr), "write a header");
        for (int i = 0; i < frames; ++i) {
            expect(av_frame_make_writable(video.frame), "memory");
            video.frame->pts = i;
            video.frame->data[0][i] = 255;
            video.send(muxer, video.frame);
        }
        if (frames > 0) video.send(muxer, nullptr);
        sound(audio, muxer, seconds);
        expect(av_write_trailer(muxer), "end a file");
    }
    avio_closep(&muxer->pb);
    avformat_free_context(muxer);
    return true;
}

std::vector<SoundPacket> sound_of(const std::string& path) {
    AVFormatContext* demuxer = nullptr;
    expect(avformat_open_input(&demuxer, path.c_str(), nullptr, nullptr), "open a file");
    expect(avformat_find_stream_info(demuxer, nullptr), "look into a file");
    const int index = av_find_best_stream(demuxer, AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
    std::vector<SoundPacket> all;
    AVPacket* packet = av_packet_alloc();
    while (av_read_frame(demuxer, packet) >= 0) {
        if (packet->stream_index == index)
            all.push_back({QByteArray(reinterpret_cast<const char*>(packet->data), packet->size),
                           static_cast<double>(packet->pts) * av_q2d(demuxer->streams[index]->time_base)});
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avformat_close_input(&demuxer);
    return all;
}

}  // namespace tests
