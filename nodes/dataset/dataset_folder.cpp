#include <QFile>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <list>
#include <mutex>

#include "gpu/base/error.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/picture_folder.h"
#include "nodes/core/node.h"
#include "nodes/types/dataset.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

enum class Policy { Stop, Skip, Keep };
enum class Masks { Files, Alpha, None };

std::shared_ptr<const Pixels> read_pixels(const std::string& path) {
    const Image read = widened(in_space(read_image(path).image, ColorSpace::Srgb), 4);
    const std::vector<float> values = to_interleaved(read.tensor);
    auto pixels = std::make_shared<Pixels>(Pixels{static_cast<int>(read.width()), static_cast<int>(read.height()), {}});
    pixels->rgba.reserve(values.size());
    for (const float value : values) pixels->rgba.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0f, 1.0f) * 255)));
    return pixels;
}

gpu::Hash content_hash(const std::string& path) {
    QFile file(QString::fromStdString(path));
    gpu::check(file.open(QIODevice::ReadOnly), gpu::ErrorCode::MissingFile, "{}: can not be read", path);
    const QByteArray all = file.readAll();
    return gpu::hash_bytes(std::as_bytes(std::span(all.constData(), static_cast<std::size_t>(all.size()))));
}

// Files are read when a picture is asked for; the last ones stay in memory. Equal pictures, captions and masks are an equal dataset,
// wherever the folder lies: what is computed of it is found again.
class FolderSource final : public DatasetSource {
public:
    FolderSource(std::vector<FolderPicture> items, Masks masks) : items_(std::move(items)), masks_(masks) {
        gpu::Hasher hasher;
        hasher.add(masks);
        for (const FolderPicture& item : items_) {
            hasher.add(item.caption).add(content_hash(item.path));
            if (masks == Masks::Files && !item.mask.empty()) hasher.add("mask").add(content_hash(item.mask)), found_ = true;
        }
        hash_ = hasher.finish();
    }
    std::int64_t size() const override { return static_cast<std::int64_t>(items_.size()); }
    std::string caption(std::int64_t item) const override { return items_[static_cast<std::size_t>(item)].caption; }
    std::shared_ptr<const Pixels> picture(std::int64_t item) const override {
        const auto read = kept(item, items_[static_cast<std::size_t>(item)].path);
        return masks_ == Masks::Alpha ? split(*read, false) : read;
    }
    std::shared_ptr<const Pixels> mask(std::int64_t item) const override {
        const FolderPicture& one = items_[static_cast<std::size_t>(item)];
        if (masks_ == Masks::Alpha) return split(*kept(item, one.path), true);
        return masks_ == Masks::Files && !one.mask.empty() ? kept(item + size(), one.mask) : nullptr;
    }
    bool has_masks() const override { return masks_ == Masks::Alpha || found_; }
    gpu::Hash hash() const override { return hash_; }

private:
    // The colours without their alpha, or the alpha as a picture.
    static std::shared_ptr<const Pixels> split(const Pixels& picture, bool alpha) {
        auto made = std::make_shared<Pixels>(picture);
        for (std::size_t i = 0; i < made->rgba.size(); i += 4) {
            if (alpha) std::fill_n(made->rgba.begin() + static_cast<std::ptrdiff_t>(i), 3, picture.rgba[i + 3]);
            made->rgba[i + 3] = 255;
        }
        return made;
    }
    std::shared_ptr<const Pixels> kept(std::int64_t number, const std::string& path) const {
        {
            const std::lock_guard lock(mutex_);
            for (auto at = kept_.begin(); at != kept_.end(); ++at)
                if (at->first == number) {
                    kept_.splice(kept_.begin(), kept_, at);
                    return at->second;
                }
        }
        std::shared_ptr<const Pixels> read = read_pixels(path);
        const std::lock_guard lock(mutex_);
        kept_.emplace_front(number, read);
        bytes_ += read->rgba.size();
        while (bytes_ > most_bytes && kept_.size() > 1) bytes_ -= kept_.back().second->rgba.size(), kept_.pop_back();
        return read;
    }

    static constexpr std::size_t most_bytes = std::size_t{256} << 20;
    std::vector<FolderPicture> items_;
    Masks masks_;
    bool found_ = false;
    gpu::Hash hash_{};
    mutable std::mutex mutex_;
    mutable std::list<std::pair<std::int64_t, std::shared_ptr<const Pixels>>> kept_;
    mutable std::size_t bytes_ = 0;
};

struct DatasetFolder final : Node {
    DatasetFolder() : Node({.id = "dataset.folder", .version = 1, .title = "Pictures of a Folder", .category = "Dataset",
                            .help = "Pictures below a folder with captions: NAME.txt or NAME.caption beside NAME.png; metadata.jsonl or metadata.csv (file_name, text); captions.json. "
                                    "NAME-mask.png beside NAME.png is its mask."}) {}

    Param<FilePath>    folder{this, "folder", "Of pictures", {}};
    Param<std::string> usual {this, "usual", "The caption of pictures that have none", {}};
    Param<Policy>      broken{this, "broken", "A picture that can not be read: stop, or skip it with a warning", {.initial = Policy::Skip, .names = {"stop", "skip"}}};
    Param<Policy>      empty {this, "empty", "A picture without a caption: stop, skip it, or keep it with an empty one", {.initial = Policy::Keep, .names = {"stop", "skip", "keep"}}};
    Param<Masks>       masks {this, "masks", "How much each place counts in a loss. files: NAME-mask.png beside NAME.png, white counts; alpha: the picture's own alpha, and its colours are taken without it",
                              {.initial = Masks::Files, .names = {"files", "alpha", "none"}}};
    Out<Dataset>       dataset{this, "dataset", "Pictures with captions"};

    void compute(Eval& ev) const override {
        std::vector<FolderPicture> found = list_pictures(ev[folder].path), taken;
        std::int64_t bare = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            FolderPicture& item = found[i];
            ev.progress(static_cast<std::int64_t>(i), static_cast<std::int64_t>(found.size()));
            if (item.caption.empty()) item.caption = ev[usual];
            if (item.caption.empty()) {
                if (ev[empty] == Policy::Stop) ev.fail(empty, gpu::ErrorCode::BadFile, "{}: expected a caption, got none", item.path);
                ++bare;
                if (ev[empty] == Policy::Skip) continue;
            }
            try {
                const Image picture = read_image(item.path).image;
                if (ev[masks] == Masks::Files && !item.mask.empty()) {
                    const Image mask = read_image(item.mask).image;
                    gpu::check(std::abs(picture.width() * mask.height() - picture.height() * mask.width()) <= std::max(picture.width(), picture.height()), gpu::ErrorCode::BadFile,
                               "{}: expected a mask of the picture's proportions, {} x {}, got {} x {}", item.mask, picture.width(), picture.height(), mask.width(), mask.height());
                }
            } catch (const gpu::Error& error) {
                if (ev[broken] == Policy::Stop) throw;
                ev.warn("skipped: {}", error.what());
                continue;
            }
            taken.push_back(std::move(item));
        }
        if (bare > 0) ev.warn("{} pictures have no caption: {}", bare, ev[empty] == Policy::Skip ? "skipped" : "kept with an empty one");
        if (taken.empty()) ev.fail(folder, "expected pictures in {}, got none that can be taken", ev[folder].path);
        Dataset made{.source = std::make_shared<const FolderSource>(std::move(taken), ev[masks]), .items = {}};
        for (std::int64_t i = 0; i < made.source->size(); ++i) made.items.push_back(i);
        ev.set(dataset, made);
    }
};

}  // namespace

REGISTER_NODE(dataset_folder, DatasetFolder)

}  // namespace nodes
