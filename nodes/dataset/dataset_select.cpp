#include <QRegularExpression>
#include <QString>

#include "nodes/core/node.h"
#include "nodes/types/dataset.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

// The same pictures under other captions.
class Recaptioned final : public DatasetSource {
public:
    Recaptioned(std::shared_ptr<const DatasetSource> base, std::string pattern) : base_(std::move(base)), pattern_(std::move(pattern)) {}
    std::int64_t size() const override { return base_->size(); }
    std::string caption(std::int64_t item) const override {
        std::string text = pattern_;
        if (const std::size_t own = text.find("[caption]"); own != text.npos) text.replace(own, 9, base_->caption(item));
        return text;
    }
    std::shared_ptr<const Pixels> picture(std::int64_t item) const override { return base_->picture(item); }
    std::shared_ptr<const Pixels> mask(std::int64_t item) const override { return base_->mask(item); }
    bool has_masks() const override { return base_->has_masks(); }
    gpu::Hash hash() const override { return gpu::Hasher().add(base_->hash()).add(pattern_).finish(); }
    std::size_t bytes() const override { return base_->bytes(); }

private:
    std::shared_ptr<const DatasetSource> base_;
    std::string pattern_;
};

struct DatasetSelect final : Node {
    DatasetSelect() : Node({.id = "dataset.select", .version = 1, .title = "Select Pictures", .category = "Dataset",
                            .help = "The pictures of a dataset whose captions fit, and other captions for them."}) {}

    In<Dataset>        dataset{this, "dataset", "Pictures with captions"};
    Param<std::string> names  {this, "names", "Captions to take, one a line; * stands for anything; empty: all", {.multiline = true}};
    Param<std::string> caption{this, "caption", "The caption that they get, [caption] being their own; empty: their own", {}};
    Param<int>         most   {this, "most", "The first so many of them; 0: all", {.initial = 0, .min = 0, .max = 1000000000}};
    Out<Dataset>       selected{this, "dataset", "Those that fit"};

    void compute(Eval& ev) const override {
        std::vector<QRegularExpression> wanted;
        for (const std::string& line : text_lines(ev[names]))
            wanted.emplace_back("\\A" + QRegularExpression::escape(QString::fromStdString(line)).replace("\\*", ".*") + "\\z", QRegularExpression::CaseInsensitiveOption);
        Dataset made = ev[dataset];
        std::erase_if(made.items, [&](std::int64_t item) {
            const QString text = QString::fromStdString(ev[dataset].source->caption(item));
            return !wanted.empty() && std::none_of(wanted.begin(), wanted.end(), [&](const QRegularExpression& one) { return one.match(text).hasMatch(); });
        });
        if (ev[most] > 0 && made.size() > ev[most]) made.items.resize(static_cast<std::size_t>(ev[most]));
        if (made.items.empty()) ev.fail(names, "expected captions of the dataset, got \"{}\", which fits none", ev[names]);
        if (!ev[caption].empty()) made.source = std::make_shared<const Recaptioned>(made.source, ev[caption]);
        ev.set(selected, made);
    }
};

}  // namespace

REGISTER_NODE(dataset_select, DatasetSelect)

}  // namespace nodes
