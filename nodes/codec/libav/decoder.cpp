#include <cmath>
#include <cstring>
#include <limits>

#include "nodes/codec/libav/demuxer.h"

namespace nodes::libav {
namespace {

constexpr std::int64_t most_pixels = std::int64_t{1} << 26;  // of a frame: 8192 x 8192
constexpr std::int64_t latest = std::int64_t{1} << 52;       // ticks; sums of such times can not overflow

std::int64_t duration_of(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 2, 100)
    return frame.duration;
#else
    return frame.pkt_duration;
#endif
}

// Quarter turns clockwise that make the picture upright.
int turns_of(const AVStream& stream) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
    const AVPacketSideData* data = av_packet_side_data_get(
        stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    const std::uint8_t* bytes = data && data->size >= 9 * sizeof(std::int32_t) ? data->data : nullptr;
#else
    std::size_t size = 0;
    const std::uint8_t* bytes = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    if (size < 9 * sizeof(std::int32_t)) bytes = nullptr;
#endif
    if (!bytes) return 0;
    std::int32_t matrix[9];
    std::memcpy(matrix, bytes, sizeof matrix);
    const double angle = av_display_rotation_get(matrix);  // counterclockwise
    return std::isfinite(angle) ? ((static_cast<int>(std::lround(-angle / 90)) % 4) + 4) % 4 : 0;
}

// Interleaved pixels of `bytes` each, turned clockwise.
std::vector<std::uint8_t> turned(const std::vector<std::uint8_t>& from, int width, int height, int bytes, int turns) {
    std::vector<std::uint8_t> out(from.size());
    const int out_width = turns % 2 ? height : width;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const int to_x = turns == 1 ? height - 1 - y : turns == 2 ? width - 1 - x : y;
            const int to_y = turns == 1 ? x : turns == 2 ? height - 1 - y : width - 1 - x;
            std::memcpy(&out[(static_cast<std::size_t>(to_y) * out_width + to_x) * bytes],
                        &from[(static_cast<std::size_t>(y) * width + x) * bytes], static_cast<std::size_t>(bytes));
        }
    return out;
}

const int* matrix_of(const AVFrame& frame) {
    switch (frame.colorspace) {
        case AVCOL_SPC_BT709: return sws_getCoefficients(SWS_CS_ITU709);
        case AVCOL_SPC_BT2020_NCL:
        case AVCOL_SPC_BT2020_CL: return sws_getCoefficients(SWS_CS_BT2020);
        case AVCOL_SPC_SMPTE240M: return sws_getCoefficients(SWS_CS_SMPTE240M);
        case AVCOL_SPC_FCC: return sws_getCoefficients(SWS_CS_FCC);
        case AVCOL_SPC_BT470BG:
        case AVCOL_SPC_SMPTE170M: return sws_getCoefficients(SWS_CS_ITU601);
        default: return sws_getCoefficients(frame.width >= 1280 || frame.height > 576 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    }
}

bool full_range(const AVFrame& frame) {
    switch (frame.format) {
        case AV_PIX_FMT_YUVJ420P:
        case AV_PIX_FMT_YUVJ422P:
        case AV_PIX_FMT_YUVJ440P:
        case AV_PIX_FMT_YUVJ444P: return true;
        default: return frame.color_range == AVCOL_RANGE_JPEG;
    }
}

// FFmpeg's own VP8 and VP9 decoders pass over the alpha of WebM; libvpx reads it.
const AVCodec* decoder_for(const AVStream& stream) {
    const AVDictionaryEntry* alpha = av_dict_get(stream.metadata, "alpha_mode", nullptr, 0);
    const AVCodecID id = stream.codecpar->codec_id;
    if (alpha && std::string_view(alpha->value) == "1") {
        const char* name = id == AV_CODEC_ID_VP9 ? "libvpx-vp9" : id == AV_CODEC_ID_VP8 ? "libvpx" : "";
        if (const AVCodec* codec = avcodec_find_decoder_by_name(name)) return codec;
    }
    return avcodec_find_decoder(id);
}

// Frames of one file in order, as libav has them, with times by the file's own clock.
class Frames {
public:
    explicit Frames(const std::string& path) : demuxer_(path), stream_(demuxer_.best(AVMEDIA_TYPE_VIDEO)) {
        if (!stream_) refuse(Status::BadFile, "a video", "a file without pictures");
        demuxer_.expect_whole();
        demuxer_.choose(stream_);
        const AVCodecParameters& coded = *stream_->codecpar;
        const AVCodec* codec = decoder_for(*stream_);
        if (!codec) refuse(Status::Unsupported, "a codec that this FFmpeg decodes", avcodec_get_name(coded.codec_id));
        if (stream_->time_base.num <= 0 || stream_->time_base.den <= 0)
            refuse(Status::BadFile, "a clock", format("{}/{}", stream_->time_base.num, stream_->time_base.den));
        context_ = owned<CodecPtr>(avcodec_alloc_context3(codec));
        expect(avcodec_parameters_to_context(context_.get(), &coded), Status::BadFile, "a video stream");
        context_->pkt_timebase = stream_->time_base;
        context_->thread_count = codec_threads();
        context_->max_pixels = most_pixels;
        clear_complaint();
        expect(avcodec_open2(context_.get(), codec, nullptr), Status::BadFile, "a stream that can be decoded");
    }

    Demuxer& demuxer() { return demuxer_; }
    const AVStream& stream() const { return *stream_; }
    const AVCodecContext& codec() const { return *context_; }

    // False after the last one.
    bool next(AVFrame* into) {
        for (;;) {
            const int code = avcodec_receive_frame(context_.get(), into);
            if (code >= 0) {
                stamp(*into);
                if (into->decode_error_flags)
                    refuse(Status::BadFile, format("a whole frame at {} s", seconds(into->pts)), "a damaged one");
                return true;
            }
            if (code == AVERROR_EOF) return false;
            if (code != AVERROR(EAGAIN)) broken(code);
            feed();
        }
    }

    bool seek(std::int64_t time) {
        if (av_seek_frame(demuxer_.context(), stream_->index, time, AVSEEK_FLAG_BACKWARD) < 0) return false;
        avcodec_flush_buffers(context_.get());
        drained_ = started_ = false;
        return true;
    }

private:
    // Gives every frame a time after the one before, whatever the file says.
    void stamp(AVFrame& frame) {
        std::int64_t time = frame.best_effort_timestamp;
        if (time == AV_NOPTS_VALUE) time = started_ ? last_ + step_ : 0;
        if (time < -latest || time > latest) refuse(Status::BadFile, "a time of a frame", format("{} ticks", time));
        if (started_ && time <= last_) time = last_ + 1;
        step_ = std::clamp<std::int64_t>(duration_of(frame), 1, latest);
        frame.pts = last_ = time;
        started_ = true;
    }

    void feed() {
        do {
            if (!demuxer_.read(packet_.get())) {
                if (drained_) refuse(Status::BadFile, "an end of the stream", "a decoder without one");
                drained_ = true;
                avcodec_send_packet(context_.get(), nullptr);
                return;
            }
        } while (packet_->stream_index != stream_->index);
        clear_complaint();
        const int code = avcodec_send_packet(context_.get(), packet_.get());
        if (code < 0 && code != AVERROR_EOF) broken(code);
    }

    [[noreturn]] void broken(int code) const {
        if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
        refuse(Status::BadFile,
               started_ ? format("a whole frame after {} s", seconds(last_)) : std::string("a whole frame"),
               reason(code));
    }

    double seconds(std::int64_t time) const { return static_cast<double>(time) * av_q2d(stream_->time_base); }

    Demuxer demuxer_;
    AVStream* stream_;
    CodecPtr context_;
    const PacketPtr packet_ = new_packet();
    bool drained_ = false, started_ = false;
    std::int64_t last_ = 0, step_ = 1;
};

class FileDecoder final : public Decoder {
public:
    explicit FileDecoder(const std::string& path) : path_(path) {
        restart();
        const std::string_view container = frames_->demuxer().container()->name;
        if (!ahead_ && container.starts_with("webp"))
            refuse(Status::Unsupported, "a video", "an animated WebP, which FFmpeg does not read");
        if (!ahead_) refuse(Status::BadFile, "at least one frame", "a video without any");
        describe();
    }

    const Facts& facts() const override { return facts_; }

    Answer next(Frame& out) override {
        return guarded([&]() -> Answer {
            if (!ahead_) return {Status::End, {}};
            const std::int64_t time = ahead_->pts;
            const std::int64_t last_duration = usual_duration(time, duration_of(*ahead_));
            convert(*ahead_, out);
            step();
            out.time = time - facts_.origin;
            out.duration = ahead_ ? ahead_->pts - time : last_duration;
            return {};
        });
    }

    Answer seek(std::int64_t time) override {
        return guarded([&]() -> Answer {
            const std::int64_t wanted = facts_.origin + std::min(time, latest);
            ahead_.reset();
            if (frames_->seek(wanted)) step();
            // A container without an index, or one that leads astray: from the start.
            if (!ahead_ || ahead_->pts > wanted) restart();
            while (ahead_ && ahead_->pts < wanted) step();
            return {};
        });
    }

    Answer times(std::vector<std::int64_t>& out) override {
        return guarded([&]() -> Answer {
            out.clear();
            if (!times_of_packets(out)) times_of_frames(out);
            return {};
        });
    }

private:
    void restart() {
        ahead_.reset();
        frames_ = std::make_unique<Frames>(path_);
        step();
    }

    // Decodes the frame after the one that is at hand, so that its duration is known.
    void step() {
        FramePtr frame = ahead_ ? std::move(ahead_) : new_frame();
        if (frames_->next(frame.get())) ahead_ = std::move(frame);
    }

    void describe() {
        const AVStream& stream = frames_->stream();
        const AVFrame& first = *ahead_;
        const AVPixFmtDescriptor* layout = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(first.format));
        if (!layout || first.width <= 0 || first.height <= 0)
            refuse(Status::BadFile, "pixels", format("{} x {}", first.width, first.height));
        width_ = first.width, height_ = first.height;
        turns_ = turns_of(stream);
        facts_.width = turns_ % 2 ? height_ : width_;
        facts_.height = turns_ % 2 ? width_ : height_;
        facts_.alpha = (layout->flags & AV_PIX_FMT_FLAG_ALPHA) || first.format == AV_PIX_FMT_PAL8;
        facts_.deep = layout->comp[0].depth > 8;
        facts_.tick = fraction(stream.time_base);
        facts_.origin = first.pts;
        facts_.rate = mean_rate();
        facts_.frames = frame_count();
        facts_.codec = avcodec_get_name(stream.codecpar->codec_id);
        if (const AVStream* audio = frames_->demuxer().best(AVMEDIA_TYPE_AUDIO))
            facts_.audio = avcodec_get_name(audio->codecpar->codec_id);
        for (const AVDictionary* metadata : {frames_->demuxer().context()->metadata, stream.metadata})
            if (const AVDictionaryEntry* entry = av_dict_get(metadata, "heddle", nullptr, 0))
                facts_.document = entry->value;
        note(first, stream);
    }

    void note(const AVFrame& first, const AVStream& stream) {
        if (first.color_trc == AVCOL_TRC_SMPTE2084 || first.color_trc == AVCOL_TRC_ARIB_STD_B67)
            facts_.notes.push_back(
                format("the transfer curve {} was not applied", av_color_transfer_name(first.color_trc)));
        const AVRational aspect =
            stream.sample_aspect_ratio.num ? stream.sample_aspect_ratio : first.sample_aspect_ratio;
        if (aspect.num > 0 && aspect.den > 0 && aspect.num != aspect.den)
            facts_.notes.push_back(
                format("its pixels are {}:{}, not square, and were taken as they are", aspect.num, aspect.den));
    }

    Fraction mean_rate() const {
        auto* stream = const_cast<AVStream*>(&frames_->stream());
        for (const AVRational rate :
             {stream->avg_frame_rate, av_guess_frame_rate(frames_->demuxer().context(), stream, nullptr)})
            if (rate.num > 0 && rate.den > 0) return fraction(rate);
        return {0, 1};
    }

    // As the header says, which may be off; 0 where it says nothing.
    std::int64_t frame_count() const {
        const AVStream& stream = frames_->stream();
        if (stream.nb_frames > 0) return stream.nb_frames;
        const std::int64_t total = frames_->demuxer().context()->duration;  // microseconds
        if (total <= 0 || total > latest || facts_.rate.num == 0) return 0;
        return std::llround(static_cast<double>(total) / AV_TIME_BASE * static_cast<double>(facts_.rate.num) /
                            static_cast<double>(facts_.rate.den));
    }

    // Of the last frame, whose time by the file's clock is given: as the header says where the video ends, as its
    // packet says, or as the rate has it.
    std::int64_t usual_duration(std::int64_t time, std::int64_t told) const {
        const AVStream& stream = frames_->stream();
        const AVFormatContext& file = *frames_->demuxer().context();
        std::int64_t whole = 0;
        if (file.duration_estimation_method == AVFMT_DURATION_FROM_STREAM) {
            whole = stream.duration;
            // Matroska knows the length of the file, which is the video's where there is nothing else.
            if (whole <= 0 && file.nb_streams == 1)
                whole = av_rescale_q(file.duration, AV_TIME_BASE_Q, stream.time_base);
        }
        const std::int64_t rest = whole > 0 && whole <= latest ? facts_.origin + whole - time : 0;
        if (rest > 0) return rest;
        if (told > 0) return std::min(told, latest);
        if (facts_.rate.num == 0) return 1;
        return std::max<std::int64_t>(1, av_rescale_q(1, av_inv_q(rational(facts_.rate)), rational(facts_.tick)));
    }

    void convert(const AVFrame& frame, Frame& out) {
        const AVPixelFormat wanted = facts_.deep ? (facts_.alpha ? AV_PIX_FMT_RGBA64 : AV_PIX_FMT_RGB48)
                                                 : (facts_.alpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24);
        const auto source = static_cast<AVPixelFormat>(frame.format);
        scaler_.reset(sws_getCachedContext(scaler_.release(), frame.width, frame.height, source, width_, height_,
                                           wanted, scaler_flags, nullptr, nullptr, nullptr));
        if (!scaler_) refuse(Status::Unsupported, "a pixel format that can be converted", av_get_pix_fmt_name(source));
        const int* matrix = matrix_of(frame);
        set_colors(scaler_.get(), matrix, full_range(frame), matrix, true);
        if (!rgb_) {
            rgb_ = new_frame();
            rgb_->format = wanted, rgb_->width = width_, rgb_->height = height_;
            expect(av_frame_get_buffer(rgb_.get(), 64), Status::OutOfMemory, "memory for a frame");
        }
        expect(sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, rgb_->data, rgb_->linesize),
               Status::BadFile, "pixels that can be converted");

        const int bytes = (facts_.alpha ? 4 : 3) * (facts_.deep ? 2 : 1);
        const std::size_t row = static_cast<std::size_t>(width_) * static_cast<std::size_t>(bytes);
        out.pixels.resize(row * static_cast<std::size_t>(height_));
        for (int y = 0; y < height_; ++y)
            std::memcpy(out.pixels.data() + static_cast<std::size_t>(y) * row,
                        rgb_->data[0] + std::ptrdiff_t{y} * rgb_->linesize[0], row);
        if (turns_) out.pixels = turned(out.pixels, width_, height_, bytes, turns_);
    }

    bool times_of_packets(std::vector<std::int64_t>& out) const {
        Demuxer demuxer(path_);
        const AVStream* stream = demuxer.best(AVMEDIA_TYPE_VIDEO);
        if (!stream) return false;
        demuxer.choose(stream);
        const PacketPtr packet = new_packet();
        std::int64_t duration = 0, newest = -1;
        while (demuxer.read(packet.get())) {
            if (packet->stream_index != stream->index || (packet->flags & AV_PKT_FLAG_DISCARD)) continue;
            if (packet->pts == AV_NOPTS_VALUE || packet->pts < -latest || packet->pts > latest) return false;
            const std::int64_t time = packet->pts - facts_.origin;
            if (time < 0) continue;
            if (time > newest) newest = time, duration = packet->duration;
            out.push_back(time);
        }
        std::sort(out.begin(), out.end());
        if (out.empty() || std::adjacent_find(out.begin(), out.end()) != out.end()) return false;
        out.push_back(out.back() + usual_duration(facts_.origin + out.back(), duration));
        return true;
    }

    // For streams whose packets do not tell.
    void times_of_frames(std::vector<std::int64_t>& out) const {
        out.clear();
        Frames frames(path_);
        const FramePtr frame = new_frame();
        std::int64_t duration = 0;
        while (frames.next(frame.get())) {
            out.push_back(frame->pts - facts_.origin);
            duration = duration_of(*frame);
        }
        if (out.empty()) out.push_back(0);
        out.push_back(out.back() + usual_duration(facts_.origin + out.back(), duration));
    }

    const std::string path_;
    std::unique_ptr<Frames> frames_;
    FramePtr ahead_;
    Facts facts_;
    int width_ = 0, height_ = 0, turns_ = 0;  // as decoded, before the turns
    ScalerPtr scaler_;
    FramePtr rgb_;
};

}  // namespace
}  // namespace nodes::libav

extern "C" __attribute__((visibility("default"))) nodes::libav::Decoder* heddle_libav_open(
    const char* path, nodes::libav::Answer* answer) {
    using namespace nodes::libav;
    static const bool listening = (listen_to_complaints(), true);
    (void)listening;
    Decoder* made = nullptr;
    *answer = guarded([&]() -> Answer {
        made = new FileDecoder(path);
        return {};
    });
    return made;
}
