// Winograd's convolution of the host and both its gradients, against their definition in double precision: odd sizes and borders, several
// pictures, frames, one block of tiles and several, weights of 16 bits; and when it keeps out of the way.
#include "gpu/run/host/winograd.h"

#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "tests/support/conv_tensors.h"
#include "tests/support/evaluated.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

struct Case {
    const char* name;
    std::int64_t batch, in, out;
    Shape size, before, after;
    std::int64_t depth = 3;      // taps along frames, where there are some
    int side = 4;                // of the tiles, but for the weight's gradient
};

const std::vector<Case>& cases() {
    static const std::vector<Case> list = {
        {"whole tiles", 1, 32, 32, {16, 16}, {1, 1}, {1, 1}},
        {"odd sizes, two pictures", 2, 48, 80, {17, 15}, {1, 1}, {1, 1}},
        {"one pixel more than tiles", 1, 32, 64, {17, 21}, {1, 1}, {1, 1}},
        {"one pixel less", 1, 64, 32, {19, 15}, {1, 1}, {1, 1}},
        {"no zeros around", 1, 32, 48, {18, 22}, {0, 0}, {0, 0}},
        {"zeros on one side", 2, 32, 32, {16, 13}, {0, 1}, {1, 0}},
        {"more zeros than the kernel meets", 1, 32, 32, {13, 14}, {3, 4}, {4, 3}},
        {"few channels", 2, 16, 16, {17, 22}, {1, 1}, {1, 1}},
        {"many small maps", 17, 32, 32, {3, 2}, {1, 1}, {1, 1}},
        {"one row", 3, 32, 32, {1, 40}, {1, 1}, {1, 1}},
        {"frames", 1, 32, 48, {4, 9, 14}, {1, 1, 1}, {1, 1, 1}},
        {"frames, causal, two films", 2, 48, 32, {3, 6, 7}, {2, 1, 1}, {0, 1, 1}},
        {"frames, no zeros between", 1, 32, 32, {5, 8, 16}, {0, 1, 1}, {0, 1, 1}},
        {"frames, one by one", 2, 32, 32, {3, 7, 9}, {0, 1, 1}, {0, 1, 1}, 1},
        {"few tiles", 1, 32, 48, {8, 8}, {1, 1}, {1, 1}, 3, 2},
        {"few tiles, odd sizes, two pictures", 2, 48, 32, {5, 7}, {1, 1}, {1, 1}, 3, 2},
        {"few tiles, no zeros around", 1, 32, 32, {11, 9}, {0, 0}, {0, 0}, 3, 2},
        {"few tiles, zeros on one side", 1, 64, 32, {9, 10}, {2, 0}, {0, 1}, 3, 2},
        {"few tiles, frames", 1, 32, 32, {3, 5, 6}, {1, 1, 1}, {1, 1, 1}, 3, 2},
        {"frames, two taps", 1, 32, 32, {4, 9, 9}, {1, 1, 1}, {0, 1, 1}, 2},
    };
    return list;
}

using Drawn = tests::ConvTensors;

Drawn drawn(const Case& one) {
    const std::size_t rank = one.size.size();
    const ConvGeometry geometry{Shape(rank, 1), one.before, one.after, Shape(rank, 1), 1};
    const Shape window = rank == 3 ? Shape{one.depth, 3, 3} : Shape{3, 3};
    return tests::conv_tensors(geometry, one.batch, one.in, one.out, one.size, window);
}

ConvProblem problem_of(const Drawn& one) { return {one.geometry, one.x.shape(), one.weight.shape(), one.dy.shape()}; }

}  // namespace

class HostWinogradTest : public QObject {
    Q_OBJECT

    void add_rows() { tests::add_case_rows(cases()); }
    static Drawn row() { return drawn(tests::case_of_row(cases())); }
    static int side() { return tests::case_of_row(cases()).side; }
    void check_error(const Drawn& one, const Tensor& result, int side, ConvPass pass = ConvPass::Forward) {
        QCOMPARE(winograd_side(problem_of(one), pass, true), side);
        const double error = tests::oracle_error(result);
        QVERIFY2(error < 1e-5, qPrintable(QString("relative L2 %1").arg(error)));
    }

private slots:
    void initTestCase() {
        if (!tests::host_kernels()) QSKIP("no host kernels on this device");
    }

    void forward_data() { add_rows(); }
    void forward() {
        const Drawn one = row();
        check_error(one, convolution(one.x, one.weight, one.geometry), side());
    }

    void input_gradient_data() { add_rows(); }
    void input_gradient() {
        const Drawn one = row();
        check_error(one, conv_input_grad(one.dy, one.weight, one.geometry, spatial(one.x.shape())), side());
    }

    void weight_gradient_data() { add_rows(); }
    void weight_gradient() {
        const Drawn one = row();
        check_error(one, conv_weight_grad(one.x, one.dy, one.geometry, one.window), 4, ConvPass::WeightGrad);
    }

    // Tiles that are transformed block after block. A gradient of few pixels, whose sum is soon written down.
    void weight_gradient_in_blocks() {
        const std::int64_t in = 32, out = 48, height = 150, width = 131;
        std::vector<float> gradient(static_cast<std::size_t>(out * height * width), 0);
        const std::vector<float> map = tests::random_floats(static_cast<std::size_t>(in * height * width), 1), drawn = tests::random_floats(static_cast<std::size_t>(out), 2);
        const std::vector<std::pair<std::int64_t, std::int64_t>> pixels{{0, 0}, {3, 130}, {4, 64}, {77, 31}, {78, 32}, {110, 8}, {148, 129}, {149, 130}};
        for (const auto& [y, x] : pixels)
            for (std::int64_t o = 0; o < out; ++o) gradient[static_cast<std::size_t>((o * height + y) * width + x)] = drawn[static_cast<std::size_t>((o + y) % out)];
        const ConvGeometry geometry{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};
        const Tensor x = tensor(map, {1, in, height, width}), dy = tensor(gradient, {1, out, height, width});
        const std::vector<float> got = to_floats(conv_weight_grad(x, dy, geometry, {3, 3}));
        double wrong = 0, size = 0;
        for (std::int64_t o = 0; o < out; ++o)
            for (std::int64_t i = 0; i < in; ++i)
                for (std::int64_t tap = 0; tap < 9; ++tap) {
                    double wanted = 0;
                    for (const auto& [at_y, at_x] : pixels) {
                        const std::int64_t from_y = at_y + tap / 3 - 1, from_x = at_x + tap % 3 - 1;
                        if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) continue;
                        wanted += static_cast<double>(gradient[static_cast<std::size_t>((o * height + at_y) * width + at_x)]) *
                                  map[static_cast<std::size_t>((i * height + from_y) * width + from_x)];
                    }
                    const double value = got[static_cast<std::size_t>((o * in + i) * 9 + tap)];
                    wrong += (value - wanted) * (value - wanted), size += wanted * wanted;
                }
        const double error = std::sqrt(wrong / size);
        QVERIFY2(error < 1e-5, qPrintable(QString("relative L2 %1").arg(error)));
    }

    // All frames of a tile are transformed together: of a long film parts of a row at a time. Without taps along them frames are pictures.
    void long_films_are_cut() {
        const std::int64_t channels = 32, frames = 80, height = 5, width = 201;
        const Tensor film = tests::random_tensor({1, channels, frames, height, width}, 1), weight = tests::random_tensor({channels, channels, 1, 3, 3}, 2);
        const Tensor pictures = permute(reshape(film, {channels, frames, height, width}), {1, 0, 2, 3});
        const ConvGeometry deep{{1, 1, 1}, {0, 1, 1}, {0, 1, 1}, {1, 1, 1}, 1}, flat{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};
        const Tensor y = convolution(film, weight, deep), one_by_one = convolution(pictures, reshape(weight, {channels, channels, 3, 3}), flat);
        const Tensor difference = permute(reshape(y, {channels, frames, height, width}), {1, 0, 2, 3}) - one_by_one;
        QVERIFY(to_floats(max(abs(difference), {0, 1, 2, 3}))[0] < 1e-4F);
        const Tensor dw = reshape(conv_weight_grad(film, y, deep, {1, 3, 3}), {channels, channels, 3, 3}), wanted = conv_weight_grad(pictures, one_by_one, flat, {3, 3});
        QVERIFY(tests::values_of(max(abs(dw - wanted), {0, 1, 2, 3}))[0] < 2e-6 * tests::values_of(max(abs(wanted), {0, 1, 2, 3}))[0]);
    }

    // A bias, what follows it, and a weight that is computed, not kept.
    void what_follows_data() { add_rows(); }
    void what_follows() {
        const Drawn one = row();
        Shape channels(one.dy.rank(), 1);
        channels[1] = one.dy.shape()[1];
        const Tensor y = convolution(one.x, one.weight * 2, one.geometry) + tests::random_tensor(channels, 4);
        check_error(one, relu(y + one.dy), side());
    }

    void weights_of_16_bits_data() {
        QTest::addColumn<int>("type");
        QTest::newRow("f16") << static_cast<int>(Dtype::F16);
        QTest::newRow("bf16") << static_cast<int>(Dtype::BF16);
    }
    void weights_of_16_bits() {
        QFETCH(int, type);
        const Drawn one = drawn(cases().front());
        const Tensor weight = cast(one.weight, static_cast<Dtype>(type));
        evaluate({weight});
        check_error(one, convolution(one.x, cast(weight, Dtype::F32), one.geometry), 4);
    }

    void not_offered_data() {
        QTest::addColumn<QList<int>>("numbers");      // batch, in, out, height, window, stride, whether the weight's gradient is
        QTest::newRow("few tiles of 2 x 2") << QList<int>{1, 64, 64, 6, 3, 1, 1};
        QTest::newRow("two tiles") << QList<int>{2, 64, 64, 4, 3, 1, 0};
        QTest::newRow("few channels") << QList<int>{1, 8, 64, 64, 3, 1, 0};
        QTest::newRow("channels that fill no vectors") << QList<int>{1, 33, 64, 64, 3, 1, 0};
        QTest::newRow("strides") << QList<int>{1, 64, 64, 64, 3, 2, 0};
        QTest::newRow("5 x 5") << QList<int>{1, 64, 64, 64, 5, 1, 0};
    }
    void not_offered() {
        QFETCH(QList<int>, numbers);
        const ConvGeometry geometry{{numbers[5], numbers[5]}, {1, 1}, {1, 1}, {1, 1}, 1};
        const std::int64_t size = geometry.output(0, numbers[3], numbers[4]);
        const ConvProblem problem{geometry, {numbers[0], numbers[1], numbers[3], numbers[3]}, {numbers[2], numbers[1], numbers[4], numbers[4]},
                                  {numbers[0], numbers[2], size, size}};
        QCOMPARE(winograd_side(problem, ConvPass::Forward, true), 0);
        QCOMPARE(winograd_side(problem, ConvPass::WeightGrad, true), numbers[6] != 0 ? 4 : 0);
    }

    // Smaller tiles where a weight for the larger ones is too much for what they spare, unless it has 16 bits: then any copy is.
    void sides_by_pixels() {
        const auto side = [](std::int64_t channels, std::int64_t size, bool wide, ConvPass pass = ConvPass::Forward) {
            const ConvProblem problem{{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}, {1, channels, size, size}, {channels, channels, 3, 3}, {1, channels, size, size}};
            return winograd_side(problem, pass, wide);
        };
        QCOMPARE(side(1280, 32, true), 4);
        QCOMPARE(side(1280, 32, false), 4);
        QCOMPARE(side(1280, 16, true), 2);
        QCOMPARE(side(1280, 16, false), 0);
        QCOMPARE(side(640, 16, false), 4);
        QCOMPARE(side(1280, 8, true), 2);
        QCOMPARE(side(1280, 6, true), 0);
        QCOMPARE(side(64, 12, true), 2);
        QCOMPARE(side(64, 12, false), 0);
        for (const auto& [channels, size] : {std::pair(1280, 16), std::pair(64, 12)}) QCOMPARE(side(channels, size, true, ConvPass::WeightGrad), 4);
    }

    // The copy is four times the weight: where it finds no room, the convolution runs without.
    void needs_room() {
        const Drawn one = drawn(cases().front());
        Tensor weight = one.weight;
        evaluate({weight});
        const auto operand = [](std::vector<float>& values, const Shape& shape, const Order& order) {
            return HostOperand{.data = reinterpret_cast<std::byte*>(values.data()), .shape = shape, .strides = dense_strides(shape, order)};
        };
        std::vector<float> x(static_cast<std::size_t>(one.x.element_count())), w(static_cast<std::size_t>(weight.element_count())), y(static_cast<std::size_t>(one.dy.element_count()));
        Kernel kernel;
        kernel.host = "convolution";
        kernel.params = one.geometry.params();
        std::shared_ptr<void> state;
        HostCall call{.kernel = kernel, .in = {operand(x, one.x.shape(), channels_last(4)), operand(w, weight.shape(), row_major(4))},
                      .out = operand(y, one.dy.shape(), channels_last(4)), .post_ops = {}, .post_operands = {}, .state = state};
        call.in[1].leaf = weight.value();
        const std::uint64_t bytes = kept_weight_bytes(kernel, call.in[1], one.x.shape(), one.dy.shape());
        QCOMPARE(bytes, winograd_weight_bytes(problem_of(one), 4));
        call.room = bytes - 1;
        QVERIFY(!run_winograd(call, ConvPass::Forward));
        call.room = bytes;
        QVERIFY(run_winograd(call, ConvPass::Forward));
        call.room = 0;      // it is there now
        QVERIFY(run_winograd(call, ConvPass::Forward));
    }
};

HEDDLE_TEST(host_winograd, HostWinogradTest)
#include "host_winograd.moc"
