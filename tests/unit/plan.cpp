// The planner without a device: what is fused, where things lie, that nothing overlaps.
#include <algorithm>
#include <random>

#include "gpu/base/error.h"
#include "gpu/graph/autodiff.h"
#include "gpu/ops.h"
#include "gpu/plan/program.h"
#include "tests/support/op_cases.h"
#include "tests/support/sample_graphs.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

DeviceTraits software() {
    DeviceTraits traits;
    traits.host_kernels = true;
    traits.lanes = 8;
    traits.elements_per_lane = 256;
    traits.max_push_bytes = 256;
    return traits;
}

Program plan_of(const Tensors& outputs, const DeviceTraits& traits = software(), bool fused = true) {
    return make_plan(collect(outputs), traits, fused);
}

Tensor map(std::int64_t channels, std::int64_t side, std::uint64_t seed) {
    return permute(tests::random_tensor({1, side, side, channels}, seed), {0, 3, 1, 2});
}

// A random expression over a few leaves: elementwise, reductions with broadcasts, movement, products, concatenation.
Tensor random_graph(std::mt19937& generator, int length) {
    Tensors pool;
    for (int i = 0; i < 3; ++i) pool.push_back(tests::random_tensor({4, 6}, static_cast<std::uint64_t>(i)));
    const auto pick = [&] { return pool[generator() % pool.size()]; };
    for (int i = 0; i < length; ++i) {
        const Tensor a = pick(), b = pick();
        switch (generator() % 9) {
            case 0: pool.push_back(a + b); break;
            case 1: pool.push_back(silu(a)); break;
            case 2: pool.push_back(a - sum(b, {1})); break;
            case 3: pool.push_back(transpose(reshape(a, {6, 4}), 0, 1)); break;
            case 4: pool.push_back(matmul(a, reshape(slice(concat({b, b}, 0), 0, 0, 6), {6, 6}))); break;
            case 5: pool.push_back(slice(concat({a, b}, 1), 1, 3, 9)); break;
            case 6: pool.push_back(relu(a) * b); break;
            case 7: pool.push_back(flip(a, 1) + b * 0.5); break;
            default: pool.push_back(a * max(b)); break;
        }
    }
    Tensor total = pool.back();
    for (const Tensor& one : pool) total = total + one;
    return total;
}

}  // namespace

class PlanTest : public QObject {
    Q_OBJECT
private slots:
    // A result that is moved over what is read later, whatever it is; and an arena that ends too soon.
    void overlaps_are_found() {
        std::mt19937 generator(11);
        const Program program = plan_of({random_graph(generator, 40)});
        verify(program, "memory");
        const auto inside = [](const Placement& later, const Placement& place) { return place.first < later.first && later.first < place.last; };
        int moved = 0;
        for (std::size_t n = 0; n < program.nodes.size(); ++n)
            for (std::size_t m = 0; m < program.nodes.size(); ++m) {
                const Placement &place = program.placements[n], &later = program.placements[m];
                if (place.kind != Placement::Arena || later.kind != Placement::Arena || !inside(later, place)) continue;
                Program broken = program;
                broken.placements[m].offset = place.offset;
                QVERIFY_THROWS_EXCEPTION(Error, verify(broken, "memory"));
                ++moved;
            }
        QVERIFY2(moved > 50, qPrintable(QString::number(moved)));
        Program small = program;
        for (const Step& step : program.steps)
            if (const Placement& place = program.placements[step.result]; place.kind == Placement::Arena) small.arena_bytes = place.offset + place.size - 1;
        QVERIFY_THROWS_EXCEPTION(Error, verify(small, "memory"));
    }

    void an_elementwise_chain_is_one_kernel() {
        const Tensor x = tests::random_tensor({1000}, 1), y = tests::random_tensor({1000}, 2);
        QCOMPARE(plan_of({silu(x * 2.0 + 1.0) + y}).steps.size(), 1u);
        QVERIFY(plan_of({silu(x * 2.0 + 1.0) + y}, software(), false).steps.size() > 4);
    }

    void a_reduction_takes_what_precedes_and_follows() {
        const Tensor x = tests::random_tensor({8, 1000}, 1);
        const Program program = plan_of({sqrt(sum(square(x - 0.5), {1}) + 1e-6)});
        QCOMPARE(program.steps.size(), 1u);
        QCOMPARE(program.arena_bytes, 0u);
    }

    void reductions_over_one_row_are_one_kernel() {
        const Tensor x = tests::random_tensor({64, 128}, 1), w = tests::random_tensor({128}, 2), b = tests::random_tensor({128}, 3);
        for (const bool host : {true, false}) {
            DeviceTraits traits = software();
            traits.host_kernels = host;
            QCOMPARE(plan_of({softmax(x * 0.5)}, traits).steps.size(), 1u);
            QCOMPARE(plan_of({silu(layer_norm(x, w, b)) + x}, traits).steps.size(), 1u);
            QCOMPARE(plan_of({rms_norm(x + 1.0, w)}, traits).steps.size(), 1u);
            QCOMPARE(plan_of({sum(log_softmax(x), {1})}, traits).steps.size(), 1u);
            // Over different axes: two.
            QCOMPARE(plan_of({sum(x, {0}) + sum(x)}, traits).steps.size(), 2u);
        }
        // One row that no cache holds is better read by many workgroups, in two steps.
        const Tensor line = tests::random_tensor({1, 100000}, 4);
        QCOMPARE(plan_of({line / sum(line)}).steps.size(), 2u);
    }

    void a_statistic_that_others_read_keeps_its_own_step() {
        const Tensor x = tests::random_tensor({64, 128}, 1), top = max(x, {1});
        const Program program = plan_of({exp(x - top), top});
        QCOMPARE(program.steps.size(), 2u);
    }

    // Skip connections keep blocks alive across many others; the arena must still be nearly as small as can be.
    void the_arena_of_a_unet_is_tight() {
        double worst = 1;
        for (const bool attend : {false, true})
            for (const std::vector<std::int64_t>& widths : {std::vector<std::int64_t>{8, 16}, {8, 12, 20}, {16, 8, 24, 8}, {4, 8, 16, 32}})
                for (const int blocks : {1, 2, 3})
                    for (const bool train : {false, true}) {
                        if (train && (attend || blocks > 2)) continue;
                        tests::Parameters parameters;
                        const Tensor y = tests::unet(parameters, tests::feature_map(2, 4, 16, 1), widths, blocks, attend);
                        Tensors outputs{y};
                        if (train) outputs = gradients(mean(square(y)), parameters.all());
                        for (const bool host : {true, false}) {
                            DeviceTraits traits = software();
                            traits.host_kernels = host;
                            const Program program = plan_of(outputs, traits);
                            const double ratio = static_cast<double>(program.arena_bytes) / static_cast<double>(program.arena_lower_bound);
                            worst = std::max(worst, ratio);
                        }
                    }
        qInfo("arena at most %.3f times the live bytes", worst);
        QVERIFY2(worst < 1.1, qPrintable(QString("arena %1 times the live bytes").arg(worst)));
    }

    void a_residual_block_is_its_convolutions() {
        const Tensor x = map(8, 16, 1), w = tests::random_tensor({8, 8, 3, 3}, 2), b = tests::random_tensor({8}, 3);
        const Tensor bias = reshape(b, {1, 8, 1, 1});
        const Tensor h = relu(conv2d(x, w, {.pad = 1}) + bias);
        const Tensor y = relu(conv2d(h, w, {.pad = 1}) + bias + x);
        for (const bool host : {true, false}) {
            DeviceTraits traits = software();
            traits.host_kernels = host;
            const Program program = plan_of({y}, traits);
            QCOMPARE(program.steps.size(), 2u);
            QCOMPARE(program.steps[0].kind, host ? Step::Host : Step::Shader);
        }
    }

    void a_kernel_that_is_read_twice_keeps_its_result() {
        const Tensor x = map(8, 16, 1), w = tests::random_tensor({8, 8, 3, 3}, 2);
        const Tensor h = conv2d(x, w, {.pad = 1});
        const Program program = plan_of({relu(h), h});
        QCOMPARE(program.steps.size(), 2u);
    }

    void movement_is_free() {
        const Tensor x = tests::random_tensor({2, 3, 4, 5}, 1);
        QCOMPARE(plan_of({permute(x, {0, 2, 3, 1}) * 2.0}).steps.size(), 1u);
        QCOMPARE(plan_of({reshape(x, {6, 20})}).steps.size(), 0u);          // another view of the leaf
        QCOMPARE(plan_of({permute(x, {3, 2, 1, 0})}).steps.size(), 0u);
    }

    void an_image_stays_channels_last_without_a_copy() {
        const Tensor image = map(3, 32, 1), w = tests::random_tensor({8, 3, 3, 3}, 2);
        const Program program = plan_of({permute(conv2d(image, w, {.pad = 1}), {0, 2, 3, 1})});
        QCOMPARE(program.steps.size(), 1u);
        QCOMPARE(program.nodes[program.outputs[0]].order, row_major(4));
    }

    void upsampling_is_one_copy() {
        const Tensor x = map(8, 16, 1), w = tests::random_tensor({8, 8, 3, 3}, 2);
        const Program program = plan_of({conv2d(upsample_nearest(relu(x), 2), w, {.pad = 1})});
        QCOMPARE(program.steps.size(), 3u);
        // A host kernel is told plain strides, also for axes of length 1: odd ones cost oneDNN its fast paths.
        QCOMPARE(program.steps[2].reads[0].view.strides, dense_strides({1, 8, 32, 32}, channels_last(4)));
    }

    void numbers_are_not_structure() {
        const Tensor x = tests::random_tensor({10}, 1);
        QVERIFY(collect({exp(x * 0.5)}).structure == collect({exp(x * 0.25)}).structure);
        QVERIFY(collect({exp(x * 0.5)}).structure != collect({exp(x + 0.5)}).structure);
    }

    void a_dying_input_gives_its_place() {
        const Tensor x = tests::random_tensor({64, 64}, 1);
        // Products with elementwise work that host kernels do not take: it runs in place, so two buffers are enough.
        Tensor y = x;
        for (int i = 0; i < 4; ++i) y = cos(matmul(y, x));
        const Program program = plan_of({sum(y)});
        QVERIFY2(program.arena_bytes <= 2u * 64 * 64 * 4, qPrintable(QString::number(program.arena_bytes)));
    }

    // make_plan verifies every pass: no overlap of live ranges, nothing read before it is written.
    void random_graphs_hold_together() {
        std::mt19937 generator(5);
        double worst = 1;
        for (int i = 0; i < 150; ++i) {
            for (const bool host : {true, false}) {
                DeviceTraits traits = software();
                traits.host_kernels = host;
                const Program program = plan_of({random_graph(generator, 12)}, traits, i % 3 != 0);
                if (program.arena_lower_bound > 0)
                    worst = std::max(worst, static_cast<double>(program.arena_bytes) / static_cast<double>(program.arena_lower_bound));
            }
        }
        QVERIFY2(worst < 1.35, qPrintable(QString("arena %1 times the live bytes").arg(worst)));
    }

    void push_blocks_fit_a_small_device() {
        const Tensor x = tests::random_tensor({2, 3, 4, 5, 6}, 1);
        DeviceTraits traits = software();
        traits.max_push_bytes = 128;   // verify() throws where a step pushes more
        plan_of({pad(flip(x, 2), {1, 1, 1, 1, 1}, {1, 2, 3, 4, 5}, {1, 1, 1, 1, 1})}, traits);
        Tensor sum_of_many = x;
        for (int i = 0; i < 20; ++i) sum_of_many = sum_of_many + flip(tests::random_tensor({2, 3, 4, 5, 6}, 10 + i), i % 5);
        plan_of({sum_of_many}, traits);
    }

    void misfits_are_named() {
        try {
            matmul(tests::random_tensor({2, 3}, 1), tests::random_tensor({4, 5}, 2));
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::InvalidGraph);
            QVERIFY(std::string(error.what()).find("F32 [2, 3]") != std::string::npos);
        }
        QVERIFY_THROWS_EXCEPTION(Error, tests::random_tensor({3}, 1) + tests::random_tensor({4}, 1));
        QVERIFY_THROWS_EXCEPTION(Error, reshape(tests::random_tensor({3}, 1), {2}));
        QVERIFY_THROWS_EXCEPTION(Error, conv2d(tests::random_tensor({1, 3, 4, 4}, 1), tests::random_tensor({2, 4, 3, 3}, 1)));
    }
};

HEDDLE_TEST(plan, PlanTest)
#include "plan.moc"
