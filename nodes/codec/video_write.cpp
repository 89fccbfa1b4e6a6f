#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/io/atomic_file.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/libav_module.h"
#include "nodes/codec/video_file.h"
#include "nodes/types/pixels.h"

namespace nodes {
namespace {

namespace fs = std::filesystem;
using gpu::ErrorCode;

struct Suffix {
    const char* suffix;
    libav::Container container;
};
constexpr Suffix suffixes[] = {
    {".mp4", libav::Container::Mp4},   {".m4v", libav::Container::Mp4},   {".mov", libav::Container::Mov},
    {".webm", libav::Container::WebM}, {".gif", libav::Container::Gif},   {".mkv", libav::Container::Matroska},
    {".apng", libav::Container::Apng}, {".webp", libav::Container::WebP},
};

std::string suffix_of(const std::string& path) {
    std::string suffix = fs::path(path).extension().string();
    std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return suffix;
}

libav::Container container_of(const std::string& path) {
    const std::string suffix = suffix_of(path);
    for (const Suffix& row : suffixes)
        if (suffix == row.suffix) return row.container;
    throw gpu::Error(
        ErrorCode::InvalidGraph,
        "save video {}: expected one of the suffixes .mp4, .m4v, .mov, .webm, .mkv, .gif, .apng, .webp, or a picture's "
        "with ### in the name, got {}",
        path, suffix.empty() ? "none" : suffix);
}

libav::Codec codec_of(VideoCodec codec) { return static_cast<libav::Codec>(static_cast<int>(codec)); }

// Hands what libav writes to a file that appears with commit(), and keeps what goes wrong.
class FileSink final : public libav::Sink {
public:
    explicit FileSink(const std::string& path) : file_(path) {}
    bool write(std::int64_t offset, const std::uint8_t* bytes, std::size_t size) noexcept override {
        try {
            file_.write_at(static_cast<std::uint64_t>(offset), std::as_bytes(std::span(bytes, size)));
            return true;
        } catch (...) {
            if (!failure_) failure_ = std::current_exception();
            return false;
        }
    }
    void rethrow() const {
        if (failure_) std::rethrow_exception(failure_);
    }
    void commit() { file_.commit(); }

private:
    gpu::AtomicFile file_;
    std::exception_ptr failure_;
};

class EncodedWriter final : public VideoWriter {
public:
    EncodedWriter(const std::string& path, const Video& like, const SaveVideoOptions& options)
        : path_(path), format_(like.format()), options_(options), sink_(path) {
        libav::EncodeJob job{.container = container_of(path), .codec = codec_of(options.codec)};
        alpha_ = format_.alpha && libav::holds_alpha(job.container, job.codec);
        job.width = format_.width, job.height = format_.height;
        job.alpha = alpha_;
        job.tick = {format_.tick.num, format_.tick.den};
        job.rate = {format_.rate.num, format_.rate.den};
        job.quality = options.quality, job.loops = options.loops;
        job.document = options.document;
        job.sink = &sink_;
        if (const std::optional<AudioTrack> track = options.audio ? like.source->audio() : std::nullopt)
            job.audio = {track->path,
                         track->zero,
                         track->from.has_value(),
                         track->to.has_value(),
                         track->from.value_or(0),
                         track->to.value_or(0)};
        libav::Answer answer;
        encoder_.reset(libav::functions().encode(&job, &answer));
        expect_done(answer);
    }

    void add(const VideoFrame& frame) override {
        Image image = as_frame(frame.image, format_);
        if (format_.alpha && !alpha_) image = flat(image);
        gpu::check_cancelled();
        const std::vector<std::uint8_t> pixels = quantised(to_interleaved(image.tensor));
        gpu::check_cancelled();
        expect_done(encoder_->add(pixels.data(), frame.time, frame.duration));
    }

    std::vector<std::string> finish() override {
        expect_done(encoder_->finish());
        sink_.commit();
        for (const std::string& warning : encoder_->warnings()) warnings_.push_back(warning);
        return {path_};
    }

private:
    Image flat(const Image& image) {
        const std::vector<float> alpha = to_interleaved(image.alpha());
        if (!flattened_ && std::ranges::any_of(alpha, [](float value) { return value < 1; })) {
            warnings_.push_back(
                gpu::format("{} holds no alpha: frames were put on the background colour", suffix_of(path_)));
            flattened_ = true;
        }
        return flattened(image, options_.background);
    }

    void expect_done(const libav::Answer& answer) const {
        sink_.rethrow();  // the first reason, where it is the file's
        gpu::check(answer.status == libav::Status::Done, libav::code_of(answer.status, ErrorCode::InvalidGraph),
                   "save video {}: {}", path_, answer.error);
    }

    const std::string path_;
    const VideoFormat format_;
    const SaveVideoOptions options_;
    FileSink sink_;
    std::unique_ptr<libav::Encoder> encoder_;
    bool alpha_ = false, flattened_ = false;
};

// Files that come to their places together at the end.
class PictureWriter final : public VideoWriter {
public:
    PictureWriter(const std::string& path, const Video& like, const SaveVideoOptions& options) : path_(path) {
        if (options.audio && like.source->audio()) warnings_.emplace_back("pictures hold no sound: it was left out");
        picture_options_ = {.quality = options.quality, .background = options.background, .document = options.document};
        const fs::path whole = fs::absolute(path);
        std::string folder = (whole.parent_path() / gpu::format(".{}.XXXXXX", whole.stem().string())).string();
        gpu::check(mkdtemp(folder.data()) != nullptr, ErrorCode::Io,
                   "save video {}: expected a folder that can be written, {} is none", path,
                   whole.parent_path().string());
        folder_ = folder;
    }
    ~PictureWriter() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    void add(const VideoFrame& frame) override {
        const std::string target = numbered_path(path_, std::ssize(targets_));
        for (const std::string& warning : write_image(waiting(target), frame.image, 0, picture_options_))
            if (std::ranges::find(warnings_, warning) == warnings_.end()) warnings_.push_back(warning);
        targets_.push_back(target);
    }

    std::vector<std::string> finish() override {
        for (const std::string& target : targets_) {
            std::error_code error;
            fs::rename(waiting(target), target, error);
            gpu::check(!error, ErrorCode::Io, "save video {}: expected {} to be replaced, got: {}", path_, target,
                       error.message());
        }
        if (const std::string next = numbered_path(path_, std::ssize(targets_)); fs::exists(next))
            warnings_.push_back(gpu::format("{} and what follows it are of an earlier run and were left alone", next));
        return targets_;
    }

private:
    std::string waiting(const std::string& target) const { return (folder_ / fs::path(target).filename()).string(); }

    const std::string path_;
    SaveImageOptions picture_options_;
    fs::path folder_;
    std::vector<std::string> targets_;
};

bool is_picture_sequence(const std::string& path) {
    const std::string suffix = suffix_of(path);
    return fs::path(path).stem().string().find('#') != std::string::npos &&
           std::ranges::any_of(image_suffixes(), [&](const std::string& one) { return suffix == "." + one; });
}

}  // namespace

std::unique_ptr<VideoWriter> write_video(const std::string& path, const Video& like, const SaveVideoOptions& options) {
    if (is_picture_sequence(path)) return std::make_unique<PictureWriter>(path, like, options);
    return std::make_unique<EncodedWriter>(path, like, options);
}

}  // namespace nodes
