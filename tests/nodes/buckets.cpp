// Aspect buckets: which pictures a step visits, frames of several sizes, and what is trained on them.
#include <QTemporaryDir>
#include <cmath>
#include <map>
#include <set>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/training/autoencoder.h"
#include "nodes/training/diffusion.h"
#include "nodes/training/loop.h"
#include "nodes/training/spread.h"
#include "nodes/training/walk.h"
#include "nodes/types/text.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;
using tests::run_node;

namespace {

// Pictures of a few proportions, each of one grey with a darker left half.
Dataset pictures(const std::vector<std::pair<int, int>>& sizes) {
    std::vector<std::string> captions;
    std::vector<std::shared_ptr<const Pixels>> all;
    std::vector<std::shared_ptr<const Pixels>> masks;
    Dataset made;
    for (std::size_t n = 0; n < sizes.size(); ++n) {
        const auto [w, h] = sizes[n];
        auto picture = std::make_shared<Pixels>(Pixels{w, h, std::vector<std::uint8_t>(static_cast<std::size_t>(4 * w * h), 255)});
        for (int i = 0; i < w * h; ++i)
            for (int c = 0; c < 3; ++c) picture->rgba[static_cast<std::size_t>(4 * i + c)] = static_cast<std::uint8_t>((i % w < w / 2 ? 20 : 60) + 10 * n);
        all.push_back(picture);
        masks.push_back(n % 2 ? picture : nullptr);
        captions.push_back(gpu::format("picture {}", n));
        made.items.push_back(static_cast<std::int64_t>(n));
    }
    made.source = memory_source(captions, all, masks);
    return made;
}

Dataset bucketed(const std::vector<std::pair<int, int>>& sizes) {
    return run_node("dataset.buckets", {{"side", 16}, {"least", 8}, {"most", 32}, {"multiple", 4}}, {{"dataset", Value::of<Dataset>(pictures(sizes))}}).get<Dataset>("dataset");
}

const std::vector<std::pair<int, int>> mixed{{20, 20}, {40, 20}, {20, 40}, {21, 20}, {42, 20}, {20, 20}, {30, 60}, {80, 40}, {10, 10}, {9, 9}, {100, 50}};

std::vector<float> decoder_weights(const Trained& trained) {
    const auto kl = std::dynamic_pointer_cast<const KlAutoencoder>(trained.part<Vae>().model);
    std::vector<float> all;
    for (const auto& [name, weight] : kl->weights()) {
        const std::vector<float> values = gpu::to_floats(gpu::to_leaf(weight));
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

}  // namespace

class BucketsTest : public QObject {
    Q_OBJECT

private slots:
    void a_pass_visits_each_item_once_and_each_step_one_group() {
        std::vector<int> groups;
        for (int i = 0; i < 17; ++i) groups.push_back(i % 7 < 3 ? 0 : i % 7 < 4 ? 1 : 2);
        const Walk walk(5, 17, groups, 2, 2);
        std::map<int, int> sizes;
        for (const int group : groups) ++sizes[group];
        std::int64_t steps = 0;
        for (const auto& [group, count] : sizes) steps += (count + 3) / 4;
        std::vector<std::vector<std::int64_t>> passes;
        std::uint64_t number = 0;
        for (std::int64_t step = 0; step < 3 * steps; ++step) {
            if (step % steps == 0) passes.emplace_back();
            std::set<int> seen;
            const auto parts = walk.step(step);
            QVERIFY(parts.size() <= 2);
            for (const auto& part : parts) {
                QVERIFY(!part.empty() && part.size() <= 2);
                for (const Visit& visit : part) {
                    seen.insert(groups[static_cast<std::size_t>(visit.item)]);
                    passes.back().push_back(visit.item);
                    QCOMPARE(visit.number, number++);
                }
            }
            QCOMPARE(seen.size(), std::size_t(1));
            // The step alone decides.
            const auto again = Walk(5, 17, groups, 2, 2).step(step);
            QCOMPARE(again.size(), parts.size());
            for (std::size_t p = 0; p < parts.size(); ++p)
                for (std::size_t i = 0; i < parts[p].size(); ++i) QVERIFY(again[p][i].item == parts[p][i].item && again[p][i].number == parts[p][i].number);
        }
        for (const auto& pass : passes) QCOMPARE(std::set(pass.begin(), pass.end()).size(), std::size_t(17));
        QVERIFY(passes[0] != passes[1] && passes[1] != passes[2]);
        // Without groups: the walk that was there before.
        for (std::int64_t step = 0; step < 9; ++step) {
            const auto parts = Walk(5, 7, {}, 3, 2).step(step);
            for (std::size_t p = 0; p < 2; ++p)
                for (std::size_t i = 0; i < 3; ++i) QCOMPARE(parts[p][i].item, visit_at(5, static_cast<std::uint64_t>(step * 6) + 3 * p + i, 7).item);
        }
    }

    void pictures_get_the_nearest_size() {
        const Dataset made = bucketed(mixed);
        const auto run = run_node("dataset.buckets", {{"side", 16}, {"least", 8}, {"most", 32}, {"multiple", 4}}, {{"dataset", Value::of<Dataset>(pictures(mixed))}});
        QCOMPARE(run.get<std::string>("sizes"), std::string("16 x 16: 5\n20 x 12: 4\n12 x 20: 2"));
        QVERIFY((made.groups() == std::vector<int>{0, 1, 2, 0, 1, 0, 2, 1, 0, 0, 1}));
        for (const FrameSize& size : made.buckets->sizes) QVERIFY(size.width % 4 == 0 && size.height % 4 == 0 && size.width * size.height <= 256);
        const std::int64_t wide[] = {1, 4}, both[] = {0, 1};
        QVERIFY((made.pictures(wide).shape() == gpu::Shape{2, 3, 12, 20}));
        QVERIFY((made.masks(wide).shape() == gpu::Shape{2, 1, 12, 20}));
        QVERIFY_EXCEPTION_THROWN(made.pictures(both), gpu::Error);
        // Nothing of the frame is left empty: the picture's two greys fill it.
        for (const float value : gpu::to_floats(made.pictures(wide))) QVERIFY2(value < 0.5f, qPrintable(QString::number(value)));
        // Chosen, split and shown as others are.
        const Value all = Value::of<Dataset>(made);
        const Dataset some = run_node("dataset.select", {{"names", "picture 1*"}, {"caption", "new [caption]"}}, {{"dataset", all}}).get<Dataset>("dataset");
        QVERIFY((some.groups() == std::vector<int>{1, 1}));
        QVERIFY((run_node("dataset.pictures", {}, {{"dataset", all}}).get<Image>("images").tensor.shape() == gpu::Shape{11, 3, 20, 20}));
        QCOMPARE(run_node("dataset.frame", {}, {{"dataset", all}}).get<Dataset>("dataset").groups().size(), std::size_t(0));
        QVERIFY(!(made.hash() == pictures(mixed).hash()));
        QVERIFY((spread_items(3, made) == std::vector<std::int64_t>{0, 3, 8}));
        QVERIFY(failure_of("dataset.buckets", {{"side", 16}, {"multiple", 64}}, {{"dataset", all}}) == gpu::ErrorCode::InvalidGraph);
    }

    // Batches of one size, and a run that is stopped in the middle of a pass ends with the same bytes.
    void a_run_over_sizes_ends_the_same() {
        const QTemporaryDir folder;
        const auto objective = [] {
            VaeConfig config = vae_config({8, 16}, 4, 1);
            config.quant_conv = config.post_quant_conv = true;
            return autoencoder_objective({.dataset = bucketed(mixed), .validation = {}, .config = config, .start = {}, .judge = {}});
        };
        TrainPlan plan;
        plan.options.schedule.rate = 2e-3, plan.options.ema.decay = 0.9;
        plan.steps = 9, plan.batch = 2, plan.seed = 6;      // six steps a pass
        const std::vector<float> whole = decoder_weights(train(*objective(), plan, {}).trained);
        plan.checkpoint = folder.filePath("state.safetensors").toStdString();
        for (const std::int64_t stop : {2, 7}) {
            const gpu::CancelToken token;
            TrainEvents events;
            events.progress = [&](const TrainProgress& at) {
                if (at.step == stop) token.cancel();
            };
            QVERIFY_EXCEPTION_THROWN(train(*objective(), plan, token, events), gpu::Cancelled);
        }
        QVERIFY(decoder_weights(train(*objective(), plan, {}).trained) == whole);
    }

    // Latents, masks and noise of each size, as the network of one size has them.
    void latents_of_several_sizes_train() {
        Examples e{.format = {.family = "pico", .channels = 4}, .tokens = 1, .context_width = 8, .variants = 2};
        e.sizes = {{2, 4}, {4, 2}, {4, 4}};
        e.groups = {0, 2, 1, 0, 2};
        e.height = 2, e.width = 4;
        for (int i = 0; i < 5; ++i) e.captions.push_back(gpu::format("{}", i));
        e.lay_out();
        std::vector<float> latents(static_cast<std::size_t>(e.all_cells() * 4)), masks(static_cast<std::size_t>(e.all_cells()));
        QCOMPARE(e.all_cells(), 2 * (8 + 16 + 8 + 8 + 16));
        for (std::size_t i = 0; i < latents.size(); ++i) latents[i] = static_cast<float>(i);
        for (std::size_t i = 0; i < masks.size(); ++i) masks[i] = static_cast<float>(i % 3) / 2;
        e.latents = std::make_shared<const std::vector<float>>(latents), e.masks = std::make_shared<const std::vector<float>>(masks);
        e.contexts = std::make_shared<const std::vector<float>>(6 * 8);
        const Examples kept = *socket_type<Examples>().restore(*Value::of<Examples>(e).stored()).get<Examples>();
        QVERIFY(*kept.latents == latents && *kept.masks == masks && kept.sizes == e.sizes && kept.groups == e.groups && kept.starts == e.starts);
        QCOMPARE(e.latent(2, 1)[0], static_cast<float>(4 * 2 * (8 + 16) + 4 * 8));      // behind two pictures of two latents and one of its own
        QCOMPARE(e.mask(4, 0)[0], masks[2 * (8 + 16 + 8 + 8)]);

        const UnetConfig config = small_unet_config({32}, {true}, 1, 4, 8);
        const MovementRef network = whole_network(config, training_info(config, e, PredictionType::Sample, {}), {}, 0);
        const ObjectiveRef objective = diffusion_objective({.examples = e, .moves = network, .loss = {}, .prior = kept});
        QVERIFY(objective->groups() == e.groups);
        const std::vector<Visit> tall{{2, 0}}, squares{{1, 1}, {4, 2}}, two{{0, 0}, {1, 1}};
        const gpu::Tensors batch = objective->batch(tall, 1), others = objective->batch(squares, 1);
        QVERIFY((batch[0].shape() == gpu::Shape{2, 4, 4, 2} && batch[5].shape() == gpu::Shape{2, 1, 4, 2} && others[0].shape() == gpu::Shape{4, 4, 4, 4}));
        const float first = gpu::to_floats(batch[0])[0];
        QVERIFY(first == e.latent(2, 0)[0] || first == e.latent(2, 1)[0]);
        QVERIFY_EXCEPTION_THROWN(objective->batch(two, 1), gpu::Error);
        Examples other = e;
        other.sizes[1] = {2, 2};
        other.lay_out();
        QVERIFY_EXCEPTION_THROWN(diffusion_objective({.examples = e, .moves = network, .loss = {}, .prior = other}), gpu::Error);

        std::set<std::int64_t> seen;
        TrainPlan plan;
        plan.steps = 6, plan.batch = 1;
        QVERIFY(std::isfinite(train(*objective, plan, {}).last.loss));
    }
};

HEDDLE_TEST(buckets, BucketsTest)
#include "buckets.moc"
