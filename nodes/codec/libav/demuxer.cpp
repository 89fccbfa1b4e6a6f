#include "nodes/codec/libav/demuxer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nodes::libav {
namespace {

// Containers that hold all they show. Playlists and scripts, which name other files, are not among them.
constexpr const char* containers =
    "mov,mp4,matroska,webm,gif,apng,avi,flv,ogg,asf,nut,ivf,mpegts,mpeg,mpegvideo,h264,hevc,mjpeg,m4v,webp_pipe,image2";

constexpr int buffer_size = 1 << 16;

int open_nothing(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EACCES); }

// A whole number, first byte highest.
std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
}

[[noreturn]] void ends_early(std::uint64_t wanted, std::int64_t size) {
    refuse(Status::BadFile, format("a file of at least {} bytes", wanted), format("{}: its end is missing", size));
}

struct Options {
    AVDictionary* entries = nullptr;
    ~Options() { av_dict_free(&entries); }
};

}  // namespace

struct Demuxer::File {
    int fd = -1;
    std::int64_t size = 0, at = 0;

    explicit File(const std::string& path) {
        // Without O_NONBLOCK the opening of a pipe would wait for its writer.
        fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat status {};
        if (fd < 0 || ::fstat(fd, &status) != 0) throw Refused{Status::Io, std::strerror(errno)};
        if (!S_ISREG(status.st_mode)) refuse(Status::BadFile, "a regular file", "something else");
        size = status.st_size;
    }
    ~File() {
        if (fd >= 0) ::close(fd);
    }

    // What lies at a place, shorter at the end.
    std::string piece(std::int64_t offset, std::size_t length) const {
        std::string bytes(length, '\0');
        const ssize_t got = offset < 0 ? 0 : ::pread(fd, bytes.data(), length, offset);
        bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return bytes;
    }

    // MP4 (ISO 14496-12): boxes of 32-bit or 64-bit sizes, one after another.
    void expect_boxes() const {
        for (std::int64_t offset = 0; offset < size;) {
            const std::string head = piece(offset, 16);
            if (head.size() < 8) return;
            std::uint64_t length = big_endian(head.substr(0, 4));
            if (length == 1 && head.size() == 16) length = big_endian(head.substr(8, 8));
            if (length < 8) return;  // the last one goes to the end, or what follows are no boxes
            if (length > static_cast<std::uint64_t>(size - offset))
                ends_early(static_cast<std::uint64_t>(offset) + length, size);
            offset += static_cast<std::int64_t>(length);
        }
    }

    // Matroska (RFC 9559): a header, then one segment that tells its length unless it was written in one go.
    void expect_segment() const {
        std::int64_t offset = 0;
        for (int element = 0; element < 2; ++element) {
            const std::string head = piece(offset, 12);  // an id of 4 bytes and a size of up to 8
            if (head.size() < 12) return;
            int bytes = 1;
            while (bytes < 8 && !(static_cast<std::uint8_t>(head[4]) & 0x80 >> (bytes - 1))) ++bytes;
            const std::uint64_t all = (std::uint64_t{1} << (7 * bytes)) - 1;
            const std::uint64_t length = big_endian(head.substr(4, static_cast<std::size_t>(bytes))) & all;
            if (length == all) return;
            if (length > static_cast<std::uint64_t>(size - offset - 4 - bytes))
                ends_early(static_cast<std::uint64_t>(offset) + length, size);
            offset += 4 + bytes + static_cast<std::int64_t>(length);
        }
    }

    // A mark among the last bytes.
    void expect_ending(std::string_view mark, std::size_t among) const {
        const std::string last = piece(std::max<std::int64_t>(0, size - 64), 64);
        if (last.find(mark, last.size() - std::min<std::size_t>(last.size(), among)) == last.npos)
            refuse(Status::BadFile, "a whole file", format("one of {} bytes without its end", size));
    }

    static int read(void* opaque, std::uint8_t* into, int length) {
        auto& file = *static_cast<File*>(opaque);
        ssize_t got;
        do {
            got = ::pread(file.fd, into, static_cast<std::size_t>(length), file.at);
        } while (got < 0 && errno == EINTR);
        if (got < 0) return AVERROR(errno);
        file.at += got;
        return got == 0 ? AVERROR_EOF : static_cast<int>(got);
    }
    static std::int64_t seek(void* opaque, std::int64_t offset, int whence) {
        auto& file = *static_cast<File*>(opaque);
        if (whence & AVSEEK_SIZE) return file.size;
        whence &= ~AVSEEK_FORCE;
        const std::int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at : file.size;
        if (offset < -base || offset > INT64_MAX - base) return AVERROR(EINVAL);
        return file.at = base + offset;
    }
};

Demuxer::Demuxer(const std::string& path) : file_(std::make_unique<File>(path)) {
    clear_complaint();
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(buffer_size));
    if (!buffer) throw std::bad_alloc();
    stream_.reset(avio_alloc_context(buffer, buffer_size, 0, file_.get(), File::read, nullptr, File::seek));
    if (!stream_) {
        av_free(buffer);
        throw std::bad_alloc();
    }
    context_ = avformat_alloc_context();
    if (!context_) throw std::bad_alloc();
    context_->pb = stream_.get();
    context_->flags |= AVFMT_FLAG_CUSTOM_IO;
    context_->io_open = open_nothing;
    Options options;
    av_dict_set(&options.entries, "format_whitelist", containers, 0);
    av_dict_set(&options.entries, "protocol_whitelist", "none", 0);
    // A failure frees the context and leaves null.
    expect(avformat_open_input(&context_, "", nullptr, &options.entries), Status::BadFile, "a video");
    const int found = avformat_find_stream_info(context_, nullptr);
    if (found < 0) {
        avformat_close_input(&context_);
        expect(found, Status::BadFile, "a video");
    }
}

Demuxer::~Demuxer() { avformat_close_input(&context_); }

void Demuxer::expect_whole() const {
    const std::string_view name = container()->name;
    if (name.find("mp4") != name.npos) file_->expect_boxes();
    if (name.find("matroska") != name.npos) file_->expect_segment();
    if (name == "gif") file_->expect_ending(";", 1);
    if (name == "apng") file_->expect_ending("IEND", 12);
}

AVStream* Demuxer::best(AVMediaType type) const {
    const int index = av_find_best_stream(context_, type, -1, -1, nullptr, 0);
    return index < 0 ? nullptr : context_->streams[index];
}

void Demuxer::choose(const AVStream* stream) {
    for (unsigned i = 0; i < context_->nb_streams; ++i)
        context_->streams[i]->discard = context_->streams[i] == stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
}

bool Demuxer::read(AVPacket* packet) {
    av_packet_unref(packet);
    clear_complaint();
    const int code = av_read_frame(context_, packet);
    if (code == AVERROR_EOF && complaint().find("prematurely") == std::string::npos) return false;
    expect(code, Status::BadFile, "a whole file");
    return true;
}

}  // namespace nodes::libav
