#include <QString>
#include <QStringList>
#include <algorithm>
#include <numeric>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/dataset.h"
#include "nodes/types/image.h"
#include "nodes/types/number.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

struct DatasetNearest final : Node {
    DatasetNearest() : Node({.id = "dataset.nearest", .version = 1, .title = "Nearest Pictures", .category = "Dataset",
                             .help = "The pictures of a dataset that are nearest to given ones, by the squared difference of raw pixels: whether a model draws what its prompts say, and "
                                     "whether it repeats what it was shown.",
                             .side_effect = true}) {}

    In<Image>          image   {this, "image", "Pictures of the dataset's size"};
    In<Dataset>        dataset {this, "dataset", "To look in"};
    In<std::string>    captions{this, "captions", "What the pictures show, one line each", {.optional = true}};
    Out<Image>         nearest {this, "nearest", "The nearest picture of each"};
    Out<std::string>   found   {this, "found", "A line for each: its caption, the nearest one's, and the root of the mean squared difference"};
    Out<double>        top1    {this, "top1", "Share whose nearest picture has the same caption, in percent"};
    Out<double>        top5    {this, "top5", "Share that have one of the same caption among the five nearest, in percent"};

    void compute(Eval& ev) const override {
        const Dataset& from = ev[dataset];
        const Image rgb = widened(flattened(in_space(ev[image], ColorSpace::Srgb), Color{1, 1, 1, 1}), 3);
        if (rgb.width() != from.framing.width || rgb.height() != from.framing.height)
            ev.fail(image, "expected pictures of {} x {} pixels as the dataset's, got {} x {}", from.framing.width, from.framing.height, rgb.width(), rgb.height());
        QStringList told;
        if (ev.has(captions)) {
            told = QString::fromStdString(ev[captions]).split('\n', Qt::SkipEmptyParts);
            if (told.size() != rgb.batch()) ev.fail(captions, "expected a line for each of {} pictures, got {}", rgb.batch(), told.size());
        }
        const auto n = static_cast<std::size_t>(rgb.batch()), m = static_cast<std::size_t>(from.size());
        const std::int64_t size = rgb.tensor.element_count() / rgb.batch();
        const Tensor given = gpu::reshape(rgb.tensor, {rgb.batch(), size});
        const Tensor own = gpu::sum(gpu::square(given), {1});                                                                   // [N, 1]
        std::vector<float> distances(n * m);
        constexpr std::int64_t at_once = 256;
        for (std::int64_t first = 0; first < from.size(); first += at_once) {
            ev.progress(first, from.size());
            std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(at_once, from.size() - first)));
            std::iota(indices.begin(), indices.end(), first);
            const Tensor part = gpu::reshape(from.pictures(indices), {static_cast<std::int64_t>(indices.size()), size});
            const Tensor squares = gpu::reshape(gpu::sum(gpu::square(part), {1}), {1, part.size(0)});
            const std::vector<float> some = gpu::to_floats(own + squares - 2.0 * gpu::matmul(given, gpu::transpose(part, 0, 1)));      // |a - b|^2, [N, part]
            for (std::size_t i = 0; i < n; ++i)
                std::copy_n(some.begin() + static_cast<std::ptrdiff_t>(i * indices.size()), indices.size(), distances.begin() + static_cast<std::ptrdiff_t>(i * m + static_cast<std::size_t>(first)));
        }
        std::vector<std::int64_t> best;
        std::string lines;
        std::size_t same = 0, near = 0;
        for (std::size_t i = 0; i < n; ++i) {
            std::vector<std::size_t> order(m);
            std::iota(order.begin(), order.end(), std::size_t{0});
            const std::size_t shown = std::min<std::size_t>(5, m);
            std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(), [&](std::size_t a, std::size_t b) { return distances[i * m + a] < distances[i * m + b]; });
            best.push_back(static_cast<std::int64_t>(order[0]));
            const std::string wanted = told.isEmpty() ? std::string() : told[static_cast<qsizetype>(i)].trimmed().toStdString();
            same += from.caption(best.back()) == wanted;
            near += std::any_of(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), [&](std::size_t at) { return from.caption(static_cast<std::int64_t>(at)) == wanted; });
            lines += gpu::format("{}{}{}{}, {}", lines.empty() ? "" : "\n", wanted, wanted.empty() ? "" : ": ", from.caption(best.back()),
                                 std::sqrt(std::max(0.0f, distances[i * m + order[0]]) / static_cast<float>(size)));
        }
        const double one = 100.0 * static_cast<double>(same) / static_cast<double>(n), five = 100.0 * static_cast<double>(near) / static_cast<double>(n);
        if (!told.isEmpty()) {
            ev.report("nearest_top1", one, "%");
            ev.report("nearest_top5", five, "%");
        }
        ev.set(nearest, evaluated(make_image(from.pictures(best)))), ev.set(found, lines), ev.set(top1, one), ev.set(top5, five);
    }
};

}  // namespace

REGISTER_NODE(dataset_nearest, DatasetNearest)

}  // namespace nodes
