#include "nodes/codec/libav/audio_copy.h"

namespace nodes::libav {

AudioCopy::AudioCopy(const Audio& audio, AVFormatContext* muxer, std::vector<std::string>& warnings)
    : audio_(audio), muxer_(muxer), demuxer_(audio.path) {
    const AVStream* sound = demuxer_.best(AVMEDIA_TYPE_AUDIO);
    const AVStream* video = demuxer_.best(AVMEDIA_TYPE_VIDEO);
    if (!sound || !video) return;
    if (avformat_query_codec(muxer->oformat, sound->codecpar->codec_id, FF_COMPLIANCE_NORMAL) != 1) {
        warnings.push_back(format("{} holds no sound of the kind {}: it was left out", muxer->oformat->name,
                                  avcodec_get_name(sound->codecpar->codec_id)));
        return;
    }
    in_ = sound;
    tick_ = video->time_base;
    demuxer_.choose(in_);
    out_ = avformat_new_stream(muxer, nullptr);
    if (!out_) throw std::bad_alloc();
    expect(avcodec_parameters_copy(out_->codecpar, in_->codecpar), Status::Io, "a stream of sound");
    out_->codecpar->codec_tag = 0;
    out_->time_base = in_->time_base;
    zero_ = av_rescale_q(audio_.zero, tick_, in_->time_base);
    if (audio_.has_from) {
        // A key frame before the first packet that is wanted; where the container can not seek, all are read.
        const std::int64_t from = av_rescale_q(audio_.from, tick_, in_->time_base);
        av_seek_frame(demuxer_.context(), in_->index, from, AVSEEK_FLAG_BACKWARD);
    }
}

void AudioCopy::pump(std::int64_t time, AVRational clock) {
    while (in_ && fetch()) {
        if (av_compare_ts(held_->dts - zero_, in_->time_base, time, clock) > 0) return;
        write();
    }
}

void AudioCopy::pump_all() {
    while (in_ && fetch()) write();
}

bool AudioCopy::end() {
    in_ = nullptr;
    return false;
}

// Holds the next packet that is wanted, if there is one.
bool AudioCopy::fetch() {
    while (!holding_) {
        if (!demuxer_.read(held_.get())) return end();
        if (held_->stream_index != in_->index) continue;
        if (held_->dts == AV_NOPTS_VALUE) held_->dts = held_->pts;
        if (held_->pts == AV_NOPTS_VALUE) held_->pts = held_->dts;
        if (held_->pts == AV_NOPTS_VALUE) refuse(Status::BadFile, "sound with times", "a packet without");
        if (audio_.has_from && av_compare_ts(held_->pts, in_->time_base, audio_.from, tick_) < 0) continue;
        if (audio_.has_to && av_compare_ts(held_->pts, in_->time_base, audio_.to, tick_) >= 0) return end();
        holding_ = true;
    }
    return true;
}

void AudioCopy::write() {
    held_->pts -= zero_;
    held_->dts -= zero_;
    held_->stream_index = out_->index;
    held_->pos = -1;
    av_packet_rescale_ts(held_.get(), in_->time_base, out_->time_base);
    holding_ = false;
    clear_complaint();
    expect(av_interleaved_write_frame(muxer_, held_.get()), Status::Io, "sound that can be written");
}

}  // namespace nodes::libav
