#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/io/mapped_file.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/libav_module.h"
#include "nodes/codec/video_file.h"
#include "nodes/core/key.h"

namespace nodes {
namespace {

namespace fs = std::filesystem;
using gpu::ErrorCode;

void expect_done(const libav::Answer& answer, const std::string& path) {
    gpu::check(answer.status == libav::Status::Done || answer.status == libav::Status::End,
               libav::code_of(answer.status, ErrorCode::BadFile), "read video {}: {}", path, answer.error);
}

std::unique_ptr<libav::Decoder> open_decoder(const std::string& path) {
    gpu::check(fs::exists(path), ErrorCode::MissingFile, "read video {}: expected a file, there is none", path);
    libav::Answer answer;
    std::unique_ptr<libav::Decoder> decoder(libav::functions().open(path.c_str(), &answer));
    expect_done(answer, path);
    return decoder;
}

template <typename T>
std::vector<float> widened_numbers(const std::vector<std::uint8_t>& bytes) {
    constexpr float most = std::numeric_limits<T>::max();
    std::vector<float> out(bytes.size() / sizeof(T));
    for (std::size_t i = 0; i < out.size(); ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        out[i] = static_cast<float>(value) / most;
    }
    return out;
}

class DecodingReader final : public FrameReader {
public:
    DecodingReader(std::string path, std::unique_ptr<libav::Decoder> decoder)
        : path_(std::move(path)), decoder_(std::move(decoder)) {}
    std::optional<VideoFrame> next() override {
        gpu::check_cancelled();
        const libav::Answer answer = decoder_->next(frame_);
        expect_done(answer, path_);
        if (answer.status == libav::Status::End) return std::nullopt;
        gpu::check_cancelled();
        const libav::Facts& facts = decoder_->facts();
        std::vector<float> numbers =
            facts.deep ? widened_numbers<std::uint16_t>(frame_.pixels) : widened_numbers<std::uint8_t>(frame_.pixels);
        return VideoFrame{
            make_image(from_interleaved(std::move(numbers), 1, facts.height, facts.width, facts.alpha ? 4 : 3)),
            frame_.time, frame_.duration};
    }

private:
    const std::string path_;
    const std::unique_ptr<libav::Decoder> decoder_;
    libav::Frame frame_;
};

class FileSource final : public VideoSource {
public:
    FileSource(std::string path, const libav::Facts& facts)
        : path_(std::move(path)), key_(file_key(path_)), origin_(facts.origin) {
        format_ = {.width = facts.width,
                   .height = facts.height,
                   .alpha = facts.alpha,
                   .tick = {facts.tick.num, facts.tick.den},
                   .rate = {facts.rate.num, facts.rate.den},
                   .frames = facts.frames,
                   .codec = facts.codec,
                   .audio = facts.audio};
    }
    const VideoFormat& format() const override { return format_; }
    std::unique_ptr<FrameReader> open(std::int64_t from) const override {
        expect_same_file();
        std::unique_ptr<libav::Decoder> decoder = open_decoder(path_);
        if (from > 0) expect_done(decoder->seek(from), path_);
        return std::make_unique<DecodingReader>(path_, std::move(decoder));
    }
    std::vector<std::int64_t> times() const override {
        const std::lock_guard lock(mutex_);
        if (times_.empty()) {
            expect_same_file();
            expect_done(open_decoder(path_)->times(times_), path_);
        }
        return times_;
    }
    std::optional<AudioTrack> audio() const override {
        if (format_.audio.empty()) return std::nullopt;
        return AudioTrack{.path = path_, .zero = origin_, .from = {}, .to = {}};
    }
    gpu::Hash hash() const override { return key_; }

private:
    // What was read before would not fit to what is read now.
    void expect_same_file() const {
        gpu::check(file_key(path_) == key_, ErrorCode::BadFile,
                   "read video {}: expected the file as it was when the video was loaded, it has changed since", path_);
    }

    const std::string path_;
    const gpu::Hash key_;
    const std::int64_t origin_;
    VideoFormat format_;
    mutable std::mutex mutex_;
    mutable std::vector<std::int64_t> times_;  // empty until somebody asks
};

bool is_picture(const fs::path& path) {
    std::string suffix = path.extension().string();
    std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::ranges::any_of(image_suffixes(), [&](const std::string& one) { return suffix == "." + one; });
}

// Names in order, digits within them as numbers: frame_2 before frame_10.
bool before(const std::string& a, const std::string& b) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        if (!digit(a[i]) || !digit(b[j])) {
            if (a[i] != b[j]) return a[i] < b[j];
            ++i, ++j;
            continue;
        }
        while (i < a.size() && a[i] == '0') ++i;
        while (j < b.size() && b[j] == '0') ++j;
        const std::size_t first = i, second = j;
        while (i < a.size() && digit(a[i])) ++i;
        while (j < b.size() && digit(b[j])) ++j;
        if (i - first != j - second) return i - first < j - second;
        if (const int order = a.compare(first, i - first, b, second, j - second); order != 0) return order < 0;
    }
    return a.size() - i != b.size() - j ? a.size() - i < b.size() - j : a < b;
}

std::vector<std::string> pictures_in(const std::string& folder) {
    std::vector<std::string> all;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        if (at->is_regular_file(error) && is_picture(at->path())) all.push_back(at->path().string());
    gpu::check(!error, ErrorCode::Io, "read video {}: can not be listed: {}", folder, error.message());
    gpu::check(!all.empty(), ErrorCode::BadFile, "read video {}: expected pictures in the folder, got none", folder);
    std::ranges::sort(all, before);
    return all;
}

// Pictures of one size, one file each.
class PictureSource final : public VideoSource {
public:
    PictureSource(std::string folder, std::vector<std::string> files, const Rational& rate)
        : folder_(std::move(folder)), files_(std::move(files)), key_(file_key(folder_)) {
        const Image first = read_image(files_.front()).image;
        format_ = {.width = static_cast<int>(first.width()),
                   .height = static_cast<int>(first.height()),
                   .alpha = first.has_alpha(),
                   .tick = {rate.den, rate.num},
                   .rate = rate,
                   .frames = static_cast<std::int64_t>(files_.size())};
    }
    const VideoFormat& format() const override { return format_; }
    std::unique_ptr<FrameReader> open(std::int64_t from) const override {
        return std::make_unique<Reader>(files_, format_, from);
    }
    std::vector<std::int64_t> times() const override {
        std::vector<std::int64_t> all;
        for (std::int64_t i = 0; i <= format_.frames; ++i) all.push_back(i);
        return all;
    }
    gpu::Hash hash() const override {
        return gpu::Hasher().add(key_).add(folder_).add(format_.rate.num).add(format_.rate.den).finish();
    }

private:
    class Reader final : public FrameReader {
    public:
        Reader(std::vector<std::string> files, VideoFormat format, std::int64_t from)
            : files_(std::move(files)), format_(std::move(format)), at_(std::max<std::int64_t>(from, 0)) {}
        std::optional<VideoFrame> next() override {
            if (at_ >= std::ssize(files_)) return std::nullopt;
            const std::string& file = files_[static_cast<std::size_t>(at_)];
            const Image image = read_image(file).image;
            gpu::check(image.width() == format_.width && image.height() == format_.height, ErrorCode::BadFile,
                       "read video: expected pictures of {} x {} pixels as the first one has, got {} x {} in {}",
                       format_.width, format_.height, image.width(), image.height(), file);
            return VideoFrame{as_frame(image, format_), at_++, 1};
        }

    private:
        const std::vector<std::string> files_;
        const VideoFormat format_;
        std::int64_t at_;
    };

    const std::string folder_;
    const std::vector<std::string> files_;
    const gpu::Hash key_;
    VideoFormat format_;
};

// The first comment of a GIF that looks like a document. Blocks are walked over by their lengths, which the file's end
// bounds.
std::string gif_document(std::span<const std::byte> bytes) {
    std::size_t at = 13;  // after header and screen descriptor
    const auto byte = [&](std::size_t i) { return i < bytes.size() ? std::to_integer<std::size_t>(bytes[i]) : 0; };
    const auto table = [&](std::size_t flags) { return flags & 0x80 ? std::size_t{3} << ((flags & 7) + 1) : 0; };
    at += table(byte(10));
    while (at < bytes.size() && byte(at) != 0x3b) {
        const bool comment = byte(at) == 0x21 && byte(at + 1) == 0xfe;
        if (byte(at) == 0x21)
            at += 2;
        else if (byte(at) == 0x2c)
            at += 11 + table(byte(at + 9));  // descriptor, colours, size of codes
        else
            break;
        std::string text;
        for (std::size_t length = byte(at++); length > 0 && at < bytes.size(); length = byte(at++)) {
            if (comment) text.append(gpu::as_text(bytes.subspan(at, std::min(length, bytes.size() - at))));
            at += length;
        }
        if (text.starts_with('{') && text.find("\"heddle\"") != std::string::npos) return text;
    }
    return {};
}

bool is_gif(std::span<const std::byte> start) { return gpu::as_text(start).starts_with("GIF8"); }

}  // namespace

LoadedVideo open_video(const std::string& path, const Rational& rate) {
    if (fs::is_directory(path)) return {{std::make_shared<const PictureSource>(path, pictures_in(path), rate)}, {}};
    const std::unique_ptr<libav::Decoder> decoder = open_decoder(path);
    return {{std::make_shared<const FileSource>(path, decoder->facts())}, decoder->facts().notes};
}

bool is_video(std::span<const std::byte> start) {
    const std::string_view text = gpu::as_text(start);
    return is_gif(start) || text.starts_with("\x1a\x45\xdf\xa3") || (text.size() >= 8 && text.substr(4, 4) == "ftyp");
}

std::string embedded_video_document(const std::string& path) {
    const gpu::MappedFile file(path);
    return is_gif(file.bytes()) ? gif_document(file.bytes()) : open_decoder(path)->facts().document;
}

}  // namespace nodes
