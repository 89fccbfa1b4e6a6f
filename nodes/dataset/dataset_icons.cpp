#include <algorithm>
#include <mutex>

#include "gpu/base/error.h"
#include "nodes/codec/icon_set.h"
#include "nodes/core/node.h"
#include "nodes/types/dataset.h"

namespace nodes {
namespace {

// Icons are drawn when they are asked for, and kept.
class IconSource final : public DatasetSource {
public:
    IconSource(const std::string& path, std::string style, int side)
        : set_(path), style_(std::move(style)), side_(side), drawn_(set_.size()) {
        gpu::Hasher hasher;
        hasher.add(set_.prefix()).add(style_).add(static_cast<std::uint64_t>(side));
        for (std::size_t i = 0; i < set_.size(); ++i) hasher.add(set_.name(i));
        hash_ = hasher.finish();
    }
    std::int64_t size() const override { return static_cast<std::int64_t>(set_.size()); }
    // "red-heart" -> "red heart", "red heart, flat"
    std::string caption(std::int64_t item) const override {
        std::string text = set_.name(static_cast<std::size_t>(item));
        std::replace(text.begin(), text.end(), '-', ' ');
        return style_.empty() ? text : text + ", " + style_;
    }
    std::shared_ptr<const Pixels> picture(std::int64_t item) const override {
        const auto at = static_cast<std::size_t>(item);
        {
            const std::lock_guard lock(mutex_);
            if (drawn_[at]) return drawn_[at];
        }
        auto made = std::make_shared<const Pixels>(set_.draw(at, side_));
        const std::lock_guard lock(mutex_);
        return drawn_[at] = std::move(made);
    }
    gpu::Hash hash() const override { return hash_; }

private:
    IconSet set_;
    std::string style_;
    int side_;
    gpu::Hash hash_{};
    mutable std::mutex mutex_;
    mutable std::vector<std::shared_ptr<const Pixels>> drawn_;
};

struct DatasetIcons final : Node {
    DatasetIcons() : Node({.id = "dataset.icons", .version = 1, .title = "Icon Set", .category = "Dataset",
                           .help = "Pictures of an icon set in Iconify's JSON, as the npm packages @iconify-json/* have it (noto, fluent-emoji-flat, fxemoji, ...), with their names as "
                                   "captions. Mind the set's licence."}) {}

    Param<FilePath>    file {this, "file", "icons.json of the set", {.filter = "Icon sets (*.json)"}};
    Param<std::string> style{this, "style", "A word for the set's style, which goes behind every caption; empty: none", {}};
    Param<int>         side {this, "side", "Longer side that icons are drawn at", {.initial = 128, .min = 8, .max = 2048, .unit = "px"}};
    Out<Dataset>       dataset{this, "dataset", "Pictures with names"};

    void compute(Eval& ev) const override {
        Dataset made{.source = std::make_shared<const IconSource>(ev[file].path, ev[style], ev[side]), .items = {}};
        std::int64_t broken = 0;
        for (std::int64_t i = 0; i < made.source->size(); ++i) {
            if (i % 64 == 0) ev.progress(i, made.source->size());
            try {
                made.source->picture(i);
                made.items.push_back(i);
            } catch (const gpu::Error&) {
                ++broken;
            }
        }
        if (broken > 0) ev.warn("{} icons can not be drawn and are left out", broken);
        if (made.items.empty()) ev.fail(file, "expected icons that can be drawn, got none");
        ev.set(dataset, made);
    }
};

}  // namespace

REGISTER_NODE(dataset_icons, DatasetIcons)

}  // namespace nodes
