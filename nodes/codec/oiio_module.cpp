#include "nodes/codec/oiio_module.h"

#include <OpenImageIO/imageio.h>
#include <half.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>
#include <span>

#include "gpu/base/format.h"

namespace nodes::oiio {
namespace {

using gpu::format;

// 16384 x 16384: more would be 4 GB as floats.
constexpr std::int64_t most_pixels = std::int64_t{1} << 28;

struct Refused {
    Status status;
    std::string message;
};

[[noreturn]] void refuse(std::string_view expected, std::string_view got) {
    throw Refused{Status::BadFile, format("expected {}, got {}", expected, got)};
}

struct Pixels {
    std::int64_t width = 0, height = 0, channels = 0;
    std::vector<float> values;      // interleaved

    std::size_t at(std::int64_t y, std::int64_t x) const { return static_cast<std::size_t>((y * width + x) * channels); }
    auto begin(std::int64_t y, std::int64_t x) { return values.begin() + static_cast<std::ptrdiff_t>(at(y, x)); }
};

std::unique_ptr<OIIO::ImageInput> open(const std::string& path) {
    OIIO::ImageSpec wish;
    wish.attribute("oiio:UnassociatedAlpha", 1);      // straight alpha as stored, else OpenImageIO multiplies it in
    auto input = OIIO::ImageInput::open(path, &wish);
    if (!input) refuse("a picture", OIIO::geterror());
    return input;
}

void check_size(const std::string& path, const OIIO::ImageSpec& spec) {
    const std::int64_t w = spec.width, h = spec.height;
    if (w <= 0 || h <= 0 || spec.nchannels <= 0) refuse("pixels", format("{} x {}", w, h));
    if (spec.depth > 1) refuse("a flat picture", format("a volume of depth {}", spec.depth));
    if (spec.deep) refuse("a flat picture", "deep samples");
    const std::int64_t fw = std::max(spec.full_width, 1), fh = std::max(spec.full_height, 1);
    if (w > most_pixels / h || fw > most_pixels / fh)
        refuse(format("at most {} pixels", most_pixels), format("{} x {}", std::max(w, fw), std::max(h, fh)));
    // A header that promises vastly more than the file can hold lies, and must not make us reserve the memory.
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path));
    if (w * h * spec.nchannels > 30000 * size + 65536)
        refuse(format("{} x {} pixels", w, h), format("a file of {} bytes", size));
}

Pixels read_pixels(OIIO::ImageInput& input) {
    const OIIO::ImageSpec spec = input.spec();
    Pixels pixels{spec.width, spec.height, spec.nchannels, {}};
    pixels.values.resize(pixels.at(pixels.height, 0));
    if (!input.read_image(0, 0, 0, spec.nchannels, OIIO::TypeFloat, pixels.values.data()))
        refuse("whole pixels", input.geterror());
    return pixels;
}

// OpenEXR stores a data window that need not be the picture: what lies outside it is black and transparent.
Pixels in_display_window(Pixels pixels, const OIIO::ImageSpec& spec) {
    if (spec.full_width <= 0 || spec.full_height <= 0 ||
        (spec.x == spec.full_x && spec.y == spec.full_y && spec.width == spec.full_width && spec.height == spec.full_height))
        return pixels;
    Pixels full{spec.full_width, spec.full_height, pixels.channels, {}};
    full.values.resize(full.at(full.height, 0));
    const std::int64_t dx = std::int64_t{spec.x} - spec.full_x, dy = std::int64_t{spec.y} - spec.full_y;
    const std::int64_t left = std::max<std::int64_t>(0, -dx), right = std::min(pixels.width, full.width - dx);
    for (std::int64_t y = std::max<std::int64_t>(0, -dy); y < std::min(pixels.height, full.height - dy) && left < right; ++y)
        std::copy_n(pixels.begin(y, left), (right - left) * pixels.channels, full.begin(y + dy, left + dx));
    return full;
}

// EXIF orientation 1 to 8: finds the pixel of the file that stands at (x, y) of the upright picture.
Pixels upright(Pixels pixels, int orientation) {
    if (orientation <= 1 || orientation > 8) return pixels;
    const bool turned = orientation >= 5;
    const std::int64_t w = pixels.width, h = pixels.height;
    Pixels out{turned ? h : w, turned ? w : h, pixels.channels, std::vector<float>(pixels.values.size())};
    for (std::int64_t y = 0; y < out.height; ++y)
        for (std::int64_t x = 0; x < out.width; ++x) {
            std::int64_t sx = turned ? y : x, sy = turned ? x : y;
            if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) sx = w - 1 - sx;
            if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) sy = h - 1 - sy;
            std::copy_n(pixels.begin(sy, sx), pixels.channels, out.begin(y, x));
        }
    return out;
}

// Which channels of the file become gray, RGB or RGBA; repeats of one are gray widened.
std::vector<int> chosen_channels(const OIIO::ImageSpec& spec, std::vector<std::string>& notes) {
    const auto named = [&](const char* name) {
        const auto at = std::find(spec.channelnames.begin(), spec.channelnames.end(), name);
        return at == spec.channelnames.end() ? -1 : static_cast<int>(at - spec.channelnames.begin());
    };
    std::vector<int> color = {named("R"), named("G"), named("B")};
    if (std::ranges::find(color, -1) != color.end()) {
        const int gray = named("Y");
        if (gray >= 0 || spec.nchannels - (spec.alpha_channel >= 0) < 3)
            color = {gray >= 0 ? gray : spec.alpha_channel == 0 && spec.nchannels > 1 ? 1 : 0};
        else
            color = {0, 1, 2};
    }
    const bool only_alpha = color.size() == 1 && color[0] == spec.alpha_channel;
    if (spec.alpha_channel >= 0 && !only_alpha) {
        if (color.size() == 1) color.resize(3, color[0]);
        color.push_back(spec.alpha_channel);
    }
    std::string left_out;
    for (int c = 0; c < spec.nchannels; ++c)
        if (std::ranges::find(color, c) == color.end()) left_out += (left_out.empty() ? "" : ", ") + std::string(spec.channel_name(c));
    if (!left_out.empty()) notes.push_back("channels left out: " + left_out);
    return color;
}

bool is_linear(const OIIO::ImageSpec& spec, std::vector<std::string>& notes) {
    std::string name = spec.get_string_attribute("oiio:ColorSpace");
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (const std::string profile = spec.get_string_attribute("ICCProfile:profile_description");
        spec.find_attribute("ICCProfile") && profile.find("sRGB") == std::string::npos)
        notes.push_back(format("the colour profile \"{}\" was not applied", profile.empty() ? "(unnamed)" : profile));
    if (name == "srgb") return false;
    if (name == "linear" || name == "lin_srgb" || name == "scene_linear" || name == "lin_rec709") return true;
    if (name.starts_with("gamma")) {
        const float gamma = spec.get_float_attribute("oiio:Gamma", 2.2f);
        if (std::abs(gamma - 1) < 0.01f) return true;
        if (std::abs(gamma - 2.2f) > 0.05f) notes.push_back(format("gamma {} was read as the sRGB curve", gamma));
        return false;
    }
    const bool usual = spec.format.is_floating_point();
    if (!name.empty()) notes.push_back(format("colour space \"{}\" was read as {}", name, usual ? "linear" : "srgb"));
    return usual;
}

Pixels with_channels(Pixels pixels, const std::vector<int>& chosen) {
    if (static_cast<std::int64_t>(chosen.size()) == pixels.channels && std::ranges::is_sorted(chosen)) return pixels;
    Pixels out{pixels.width, pixels.height, static_cast<std::int64_t>(chosen.size()), {}};
    const auto count = static_cast<std::size_t>(pixels.width * pixels.height);
    out.values.resize(count * chosen.size());
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t c = 0; c < chosen.size(); ++c)
            out.values[i * chosen.size() + c] = pixels.values[i * static_cast<std::size_t>(pixels.channels) + chosen[c]];
    return out;
}

void unassociate(Pixels& pixels) {
    for (std::size_t i = 0; i < pixels.values.size(); i += 4)
        if (const float alpha = pixels.values[i + 3]; alpha > 0)
            for (std::size_t c = 0; c < 3; ++c) pixels.values[i + c] /= alpha;
}

std::string document_of(const OIIO::ImageSpec& spec) {
    for (const char* key : {"heddle", "ImageDescription"}) {
        const std::string text = spec.get_string_attribute(key);
        if (text.starts_with('{') && text.find("\"heddle\"") != std::string::npos) return text;
    }
    return {};
}

void read(const std::string& path, bool header_only, Picture& out) {
    const auto input = open(path);
    const OIIO::ImageSpec spec = input->spec();
    out.document = document_of(spec);
    if (header_only) return;
    check_size(path, spec);
    const std::vector<int> chosen = chosen_channels(spec, out.notes);
    out.linear = is_linear(spec, out.notes);
    Pixels pixels = in_display_window(with_channels(read_pixels(*input), chosen), spec);
    if (chosen.size() == 4 && !spec.get_int_attribute("oiio:UnassociatedAlpha", 0)) unassociate(pixels);
    pixels = upright(std::move(pixels), spec.get_int_attribute("Orientation", 1));
    if (input->seek_subimage(1, 0)) out.notes.push_back("the file holds several pictures; the first was read");
    out.width = pixels.width;
    out.height = pixels.height;
    out.channels = pixels.channels;
    out.pixels = std::move(pixels.values);
}

struct MemoryFile {
    const int fd = memfd_create("picture", MFD_CLOEXEC);

    MemoryFile() = default;
    MemoryFile(const MemoryFile&) = delete;
    ~MemoryFile() {
        if (fd >= 0) ::close(fd);
    }
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd); }
    bool read(std::vector<std::byte>& out) const {
        struct stat status {};
        if (fstat(fd, &status) != 0) return false;
        out.resize(static_cast<std::size_t>(status.st_size));
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t got = pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(done));
            if (got <= 0) return false;
            done += static_cast<std::size_t>(got);
        }
        return !out.empty();
    }
};

// Rounds to nearest; NaN becomes 0.
template <typename T>
std::vector<T> quantised(std::span<const float> values) {
    constexpr float most = std::numeric_limits<T>::max();
    std::vector<T> out(values.size());
    std::ranges::transform(values, out.begin(), [](float v) { return static_cast<T>(v > 0 ? std::min(v, 1.0f) * most + 0.5f : 0); });
    return out;
}

template <typename T>
void encode_pixels(Encode& job, OIIO::TypeDesc type, const std::vector<T>& pixels) {
    OIIO::ImageSpec spec(static_cast<int>(job.width), static_cast<int>(job.height), static_cast<int>(job.channels), type);
    if (job.channels == 1) spec.channelnames = {"Y"};
    if (*job.space) spec.attribute("oiio:ColorSpace", job.space);
    if (std::string_view(job.writer) != "openexr") spec.attribute("oiio:UnassociatedAlpha", 1);
    for (const auto& [key, value] : job.attributes) spec.attribute(key, value);

    const auto output = OIIO::ImageOutput::create(job.writer);
    const auto expect = [&](bool done, const std::string& error) {
        if (!done) throw Refused{Status::Io, format("expected the {} writer to take {} x {} pixels, got {}", job.writer, job.width,
                                                    job.height, error)};
    };
    expect(output != nullptr, OIIO::geterror());
    // A file without a name: the TIFF writer of 2.4 loses its directory when it writes to a proxy.
    const MemoryFile memory;
    expect(memory.fd >= 0, "no memory file");
    expect(output->open(memory.path(), spec), output->geterror());
    expect(output->write_image(type, pixels.data()), output->geterror());
    expect(output->close(), output->geterror());
    expect(memory.read(job.bytes), "a short read");
}

void encode(Encode& job) {
    const std::span values(job.pixels, static_cast<std::size_t>(job.width * job.height * job.channels));
    switch (job.depth) {
        case Depth::U8: return encode_pixels(job, OIIO::TypeUInt8, quantised<std::uint8_t>(values));
        case Depth::U16: return encode_pixels(job, OIIO::TypeUInt16, quantised<std::uint16_t>(values));
        case Depth::Half: return encode_pixels(job, OIIO::TypeHalf, std::vector<half>(values.begin(), values.end()));
        case Depth::Float: return encode_pixels(job, OIIO::TypeFloat, std::vector<float>(values.begin(), values.end()));
    }
}

template <typename Out, typename Work>
void guarded(Out& out, Work work) {
    try {
        work();
    } catch (const Refused& refused) {
        out.status = refused.status;
        out.error = refused.message;
    } catch (const std::bad_alloc&) {
        out.status = Status::OutOfMemory;
        out.error = "expected memory for the pixels, got none";
    } catch (const std::exception& error) {
        out.status = Status::BadFile;
        out.error = error.what();
    }
}

}  // namespace
}  // namespace nodes::oiio

extern "C" __attribute__((visibility("default"))) void heddle_oiio_read(const char* path, bool header_only,
                                                                        nodes::oiio::Picture* out) {
    nodes::oiio::guarded(*out, [&] { nodes::oiio::read(path, header_only, *out); });
}

extern "C" __attribute__((visibility("default"))) void heddle_oiio_encode(nodes::oiio::Encode* job) {
    nodes::oiio::guarded(*job, [&] { nodes::oiio::encode(*job); });
}
