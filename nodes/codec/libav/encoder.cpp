#include <climits>
#include <cstring>
#include <map>

#include "nodes/codec/libav/appendix.h"
#include "nodes/codec/libav/audio_copy.h"
#include "nodes/codec/libav/output.h"
#include "nodes/codec/libav/palette.h"
#include "nodes/codec/libav/support.h"

namespace nodes::libav {
namespace {

struct ContainerRow {
    const char* muxer;
    AVRational clock;                   // that frames' times are rounded to; 0: the video's own
    std::vector<const char*> encoders;  // by preference, where no codec is asked for
};

const ContainerRow& row_of(Container container) {
    static const ContainerRow rows[] = {
        {"mp4", {0, 1}, {"libx264", "libopenh264", "mpeg4"}},
        {"mov", {0, 1}, {"libx264", "libopenh264", "mpeg4"}},
        {"webm", {1, 1000}, {"libvpx-vp9"}},
        {"matroska", {1, 1000}, {"libx264", "libopenh264", "mpeg4"}},
        {"gif", {1, 100}, {"gif"}},
        {"apng", {0, 1}, {"apng"}},
        {"webp", {1, 1000}, {"libwebp_anim"}},
    };
    return rows[static_cast<int>(container)];
}

const AVCodec* encoder_for(const EncodeJob& job) {
    std::vector<const char*> names = row_of(job.container).encoders;
    switch (job.codec) {
        case Codec::H264: names = {"libx264", "libopenh264"}; break;
        case Codec::Mpeg4: names = {"mpeg4"}; break;
        case Codec::Vp9: names = {"libvpx-vp9"}; break;
        case Codec::Auto: break;
    }
    for (const char* name : names)
        if (const AVCodec* codec = avcodec_find_encoder_by_name(name)) return codec;
    refuse(Status::Unsupported, format("the encoder {} in this FFmpeg", names.front()), "none");
}

struct FreeMuxer {
    void operator()(AVFormatContext* muxer) const { avformat_free_context(muxer); }
};

class FileEncoder final : public Encoder {
public:
    explicit FileEncoder(const EncodeJob& job) : job_(job), output_(*job.sink) {
        const AVCodec* codec = encoder_for(job_);
        codec_name_ = codec->name;
        AVFormatContext* made = nullptr;
        expect(avformat_alloc_output_context2(&made, nullptr, row_of(job_.container).muxer, nullptr),
               Status::Unsupported, format("the container {} in this FFmpeg", row_of(job_.container).muxer));
        muxer_.reset(made);
        muxer_->pb = output_.stream();
        // The same frames give the same bytes: no random numbers, dates or versions.
        muxer_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
        open_codec(codec);
        add_stream();
        if (!job_.audio.path.empty()) add_audio();
        write_header();
    }

    const std::vector<std::string>& warnings() const override { return warnings_; }
    const std::string& codec() const override { return codec_name_; }

    Answer add(const std::uint8_t* pixels, std::int64_t time, std::int64_t duration) override {
        return guarded([&]() -> Answer {
            const AVRational tick = rational(job_.tick);
            std::int64_t at = av_rescale_q(time, tick, clock_);
            if (count_ > 0 && at <= last_) {
                if (!crowded_)
                    warnings_.push_back(format("{} counts time in {}/{} s: frames that are closer were moved apart",
                                               row_of(job_.container).muxer, clock_.num, clock_.den));
                crowded_ = true;
                at = last_ + 1;
            }
            last_ = at;
            last_duration_ = std::max<std::int64_t>(1, av_rescale_q(time + duration, tick, clock_) - at);
            times_[own_count_ ? count_ : at] = {at, last_duration_};
            fill(pixels);
            frame_->pts = own_count_ ? count_ : at;
            ++count_;
            send(frame_.get());
            if (audio_) audio_->pump(at, clock_);
            return {};
        });
    }

    Answer finish() override {
        return guarded([&]() -> Answer {
            send(nullptr);
            write_last();
            if (audio_) audio_->pump_all();
            // Only now is it known how long the last picture stays; others take it from packets.
            if (job_.container == Container::Gif || job_.container == Container::Apng)
                av_opt_set(muxer_->priv_data, "final_delay", final_delay().c_str(), 0);
            checked(av_write_trailer(muxer_.get()), "a file that can be closed");
            avio_flush(output_.stream());
            if (output_.failed()) refuse(Status::Io, "a file that can be written", "a failure");
            if (!job_.document.empty() && job_.container == Container::Gif) append(gif_comment(job_.document));
            if (!job_.document.empty() && job_.container == Container::Apng) append(png_text(job_.document));
            return {};
        });
    }

private:
    struct Time {
        std::int64_t at = 0, duration = 1;  // by clock_
    };

    AVPixelFormat layout() {
        switch (job_.container) {
            case Container::Gif: return AV_PIX_FMT_PAL8;
            case Container::Apng: return job_.alpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24;
            case Container::WebP: return AV_PIX_FMT_RGB32;
            default: break;
        }
        const bool odd = job_.width % 2 || job_.height % 2;
        if (odd && codec_name_ == "libx264") {
            warnings_.push_back(
                format("{} x {}: H.264 of an odd size needs colours at every pixel (4:4:4), which some players do "
                       "not show; an even size avoids it",
                       job_.width, job_.height));
            return AV_PIX_FMT_YUV444P;
        }
        return job_.alpha && holds_alpha(job_.container, job_.codec) ? AV_PIX_FMT_YUVA420P : AV_PIX_FMT_YUV420P;
    }

    // Frames' times in the container's clock, or in the video's own where that is a legal one.
    AVRational chosen_clock() const {
        const AVRational own = row_of(job_.container).clock;
        if (own.num > 0) return own;
        const Fraction tick = job_.tick;
        // Animated PNG could say any time, but libav reads it in steps of 1/100000 s each, and their errors would add
        // up.
        if (job_.container == Container::Apng && tick.num * 100000 % tick.den != 0) return {1, 1000};
        if (tick.num > 0 && tick.num <= INT_MAX && tick.den > 0 && tick.den <= INT_MAX) return rational(tick);
        return {1, 90000};
    }

    void open_codec(const AVCodec* codec) {
        clock_ = chosen_clock();
        codec_ = owned<CodecPtr>(avcodec_alloc_context3(codec));
        codec_->width = job_.width, codec_->height = job_.height;
        codec_->pix_fmt = layout();
        codec_->time_base = clock_;
        if (job_.rate.num > 0) codec_->framerate = rational(job_.rate);
        // MPEG-4 counts in at most 65535 parts of a second: it is told the numbers of frames, and the container their
        // times.
        own_count_ = codec_name_ == "mpeg4";
        if (own_count_) {
            codec_->time_base = {1, 25};
            if (job_.rate.num > 0)
                av_reduce(&codec_->time_base.num, &codec_->time_base.den, job_.rate.den, job_.rate.num, 65535);
            codec_->framerate = av_inv_q(codec_->time_base);
        }
        const AVPixFmtDescriptor* planes = av_pix_fmt_desc_get(codec_->pix_fmt);
        yuv_ = !(planes->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) && planes->nb_components >= 3;
        if (yuv_) {
            codec_->colorspace = AVCOL_SPC_BT709;
            codec_->color_primaries = AVCOL_PRI_BT709;
            codec_->color_trc = AVCOL_TRC_BT709;
            codec_->color_range = AVCOL_RANGE_MPEG;
        }
        codec_->thread_count = codec_threads();
        if (muxer_->oformat->flags & AVFMT_GLOBALHEADER) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
        set_quality();
        clear_complaint();
        expect(avcodec_open2(codec_.get(), codec, nullptr), Status::Unsupported,
               format("{} to take frames of {} x {}", codec_name_, job_.width, job_.height));
    }

    void option(const char* name, const std::string& value) { av_opt_set(codec_->priv_data, name, value.c_str(), 0); }

    void set_quality() {
        const double coarse = (100 - job_.quality) / 100.0;  // 0 the best
        if (codec_name_ == "libx264") {
            option("crf", std::to_string(51 * coarse));
            option("preset", "medium");
        } else if (codec_name_ == "libvpx-vp9") {
            option("crf", std::to_string(static_cast<int>(63 * coarse + 0.5)));
            codec_->bit_rate = 0;  // constant quality
            option("deadline", "good");
            option("cpu-used", "4");
            option("row-mt", "1");
            if (job_.quality == 100) option("lossless", "1");
            // libvpx can not do both.
            if (codec_->pix_fmt == AV_PIX_FMT_YUVA420P) option("auto-alt-ref", "0");
        } else if (codec_name_ == "mpeg4") {
            codec_->flags |= AV_CODEC_FLAG_QSCALE;
            codec_->global_quality = static_cast<int>(FF_QP2LAMBDA * (1 + 30 * coarse * coarse) + 0.5);
        } else if (codec_name_ == "libwebp_anim") {
            option("lossless", job_.quality == 100 ? "1" : "0");
            option("quality", std::to_string(job_.quality == 100 ? 75 : job_.quality));
        }
    }

    void add_stream() {
        stream_ = avformat_new_stream(muxer_.get(), nullptr);
        if (!stream_) throw std::bad_alloc();
        stream_->time_base = clock_;
        // MP4's clock counts in 1/den: a tick of num/den is num of them.
        if (job_.container == Container::Mp4 || job_.container == Container::Mov) stream_->time_base.num = 1;
        if (job_.rate.num > 0) stream_->avg_frame_rate = rational(job_.rate);
        expect(avcodec_parameters_from_context(stream_->codecpar, codec_.get()), Status::Io, "a stream");
        if (codec_->pix_fmt == AV_PIX_FMT_YUVA420P) av_dict_set(&stream_->metadata, "alpha_mode", "1", 0);
    }

    void add_audio() {
        if (muxer_->oformat->audio_codec == AV_CODEC_ID_NONE) {
            warnings_.push_back(format("{} holds no sound: it was left out", row_of(job_.container).muxer));
            return;
        }
        audio_ = std::make_unique<AudioCopy>(job_.audio, muxer_.get(), warnings_);
    }

    void write_header() {
        if (!job_.document.empty()) av_dict_set(&muxer_->metadata, "heddle", job_.document.c_str(), 0);
        AVDictionary* options = nullptr;
        av_dict_set(&options, "movflags", "use_metadata_tags", 0);
        // GIF counts repetitions, -1 for none; the others count how often it is shown.
        const int loop =
            job_.container == Container::Gif && job_.loops > 0 ? (job_.loops == 1 ? -1 : job_.loops - 1) : job_.loops;
        av_dict_set_int(&options, job_.container == Container::Apng ? "plays" : "loop", loop, 0);
        clear_complaint();
        const int code = avformat_write_header(muxer_.get(), &options);
        av_dict_free(&options);
        checked(code, format("{} to take {}", row_of(job_.container).muxer, codec_name_));
    }

    // Tells a full disk from a muxer that refuses.
    void checked(int code, std::string_view expected) const {
        if (output_.failed()) refuse(Status::Io, "a file that can be written", "a failure");
        expect(code, Status::Unsupported, expected);
    }

    void fill(const std::uint8_t* pixels) {
        if (!frame_) {
            frame_ = new_frame();
            frame_->format = codec_->pix_fmt, frame_->width = job_.width, frame_->height = job_.height;
            frame_->colorspace = codec_->colorspace, frame_->color_range = codec_->color_range;
            frame_->color_primaries = codec_->color_primaries, frame_->color_trc = codec_->color_trc;
            expect(av_frame_get_buffer(frame_.get(), 64), Status::OutOfMemory, "memory for a frame");
        }
        // The encoder may still hold the last one's bytes: then these get their own.
        expect(av_frame_make_writable(frame_.get()), Status::OutOfMemory, "memory for a frame");
        if (codec_->pix_fmt == AV_PIX_FMT_PAL8)
            fill_paletted(pixels);
        else
            fill_scaled(pixels);
    }

    void fill_paletted(const std::uint8_t* pixels) {
        const std::size_t size =
            static_cast<std::size_t>(job_.width) * static_cast<std::size_t>(job_.height) * (job_.alpha ? 4 : 3);
        Paletted made = paletted({pixels, size}, job_.width, job_.height, job_.alpha);
        // libav writes only what differs from the frame before where a palette is the file's first one, and compares
        // entries, not colours: after a frame of another palette that one must not come back.
        if (count_ == 0) first_colors_ = made.colors;
        if (made.colors == first_colors_ && count_ > 0 && last_colors_ != first_colors_)
            made.colors[std::min<std::size_t>(made.used, 254)] ^= 1;
        last_colors_ = made.colors;
        std::memcpy(frame_->data[1], made.colors.data(), sizeof made.colors);
        for (int y = 0; y < job_.height; ++y)
            std::memcpy(frame_->data[0] + std::ptrdiff_t{y} * frame_->linesize[0],
                        made.indices.data() + static_cast<std::ptrdiff_t>(y) * job_.width,
                        static_cast<std::size_t>(job_.width));
    }

    void fill_scaled(const std::uint8_t* pixels) {
        const AVPixelFormat source = job_.alpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24;
        if (!rgb_) {
            rgb_ = new_frame();  // rows with the margin that vector code reads
            rgb_->format = source, rgb_->width = job_.width, rgb_->height = job_.height;
            expect(av_frame_get_buffer(rgb_.get(), 64), Status::OutOfMemory, "memory for a frame");
            scaler_.reset(sws_getContext(job_.width, job_.height, source, job_.width, job_.height, codec_->pix_fmt,
                                         scaler_flags, nullptr, nullptr, nullptr));
            if (!scaler_)
                refuse(Status::Unsupported, "pixels that can be converted", av_get_pix_fmt_name(codec_->pix_fmt));
            const int* matrix = sws_getCoefficients(SWS_CS_ITU709);
            set_colors(scaler_.get(), matrix, true, matrix, !yuv_);
        }
        const std::size_t row = static_cast<std::size_t>(job_.width) * (job_.alpha ? 4 : 3);
        for (int y = 0; y < job_.height; ++y)
            std::memcpy(rgb_->data[0] + std::ptrdiff_t{y} * rgb_->linesize[0],
                        pixels + static_cast<std::size_t>(y) * row, row);
        expect(sws_scale(scaler_.get(), rgb_->data, rgb_->linesize, 0, job_.height, frame_->data, frame_->linesize),
               Status::Io, "pixels that can be converted");
    }

    // Encodes a frame, or what is left for null, and writes what comes out: all but the last packet, whose duration is
    // what containers know the end by.
    void send(const AVFrame* frame) {
        clear_complaint();
        expect(avcodec_send_frame(codec_.get(), frame), Status::Unsupported, "a frame that can be encoded");
        for (;;) {
            const int code = avcodec_receive_packet(codec_.get(), packet_.get());
            if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
            expect(code, Status::Unsupported, "a frame that can be encoded");
            if (holding_) write_held();
            std::swap(packet_, held_);
            holding_ = true;
            stamp(*held_);
        }
    }

    void stamp(AVPacket& packet) {
        packet.stream_index = stream_->index;
        const auto known = times_.find(packet.pts);
        if (known == times_.end()) return;
        packet.duration = known->second.duration;
        if (own_count_) packet.pts = packet.dts = known->second.at;
        times_.erase(known);
    }

    void write_held() {
        holding_ = false;
        av_packet_rescale_ts(held_.get(), clock_, stream_->time_base);
        clear_complaint();
        checked(av_interleaved_write_frame(muxer_.get(), held_.get()), "a frame that can be written");
    }

    void write_last() {
        if (!holding_) return;
        // With frames that are coded out of order the last packet need not be the last frame, but must last until the
        // end.
        if (held_->pts != AV_NOPTS_VALUE)
            held_->duration = std::max<std::int64_t>(1, last_ + last_duration_ - held_->pts);
        write_held();
    }

    // How long the last picture stays: hundredths of a second, or seconds as a fraction.
    std::string final_delay() const {
        if (job_.container == Container::Gif) return std::to_string(std::min<std::int64_t>(last_duration_, 65535));
        AVRational seconds{};
        av_reduce(&seconds.num, &seconds.den, last_duration_ * clock_.num, clock_.den, 65535);
        return format("{}/{}", seconds.num, seconds.den);
    }

    void append(const Appendix& made) {
        const std::int64_t at = output_.size() - static_cast<std::int64_t>(made.tail.size());
        if (!output_.put(at, made.bytes.data(), made.bytes.size()) ||
            !output_.put(at + static_cast<std::int64_t>(made.bytes.size()), made.tail.data(), made.tail.size()))
            refuse(Status::Io, "a file that can be written", "a failure");
    }

    const EncodeJob job_;
    Output output_;
    std::unique_ptr<AVFormatContext, FreeMuxer> muxer_;
    std::string codec_name_;
    std::vector<std::string> warnings_;
    CodecPtr codec_;
    AVStream* stream_ = nullptr;
    std::unique_ptr<AudioCopy> audio_;
    AVRational clock_{1, 1000};
    bool own_count_ = false, yuv_ = false, crowded_ = false;
    std::int64_t count_ = 0, last_ = 0, last_duration_ = 1;
    std::map<std::int64_t, Time> times_;  // of frames inside the encoder, by what it knows as their time
    ScalerPtr scaler_;
    FramePtr rgb_, frame_;
    decltype(Paletted::colors) first_colors_{}, last_colors_{};
    PacketPtr packet_ = new_packet(), held_ = new_packet();
    bool holding_ = false;
};

}  // namespace
}  // namespace nodes::libav

extern "C" __attribute__((visibility("default"))) nodes::libav::Encoder* heddle_libav_encode(
    const nodes::libav::EncodeJob* job, nodes::libav::Answer* answer) {
    using namespace nodes::libav;
    static const bool listening = (listen_to_complaints(), true);
    (void)listening;
    Encoder* made = nullptr;
    *answer = guarded([&]() -> Answer {
        made = new FileEncoder(*job);
        return {};
    });
    return made;
}
