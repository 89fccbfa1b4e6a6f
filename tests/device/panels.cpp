// Products with kept weights in panels: every shape of rows and columns, every stored type and post-operation against the
// oracle; what the copies take; budgets.
#include <algorithm>
#include <array>
#include <cmath>

#include "gpu/base/switches.h"
#include "gpu/graph/conv_geometry.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/run/engine.h"
#include "gpu/run/host/winograd.h"
#include "gpu/run/leaf.h"
#include "gpu/run/oracle.h"
#include "gpu/vulkan/device.h"
#include "tests/support/evaluated.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

enum Stored { F32, F16, BF16, Q8_0 };
const char* const names[] = {"F32", "F16", "BF16", "Q8_0"};

// A weight as files hold it, and the same numbers as F32.
struct Weight {
    Tensor leaf, expression, plain;

    Weight(const Shape& shape, Stored stored, std::uint64_t seed, double size = 0.1) {
        const std::int64_t count = element_count(shape);
        const std::vector<float> drawn = tests::random_floats(static_cast<std::size_t>(count), seed, -size, size);
        const auto bytes = std::make_shared<std::vector<std::byte>>();
        std::vector<float> held;      // not by evaluating `expression`: it would have a value then, and be an F32 leaf
        for (const float value : drawn) {
            if (stored == F32) {
                const auto raw = std::as_bytes(std::span(&value, 1));
                bytes->insert(bytes->end(), raw.begin(), raw.end());
                held.push_back(value);
            } else if (stored != Q8_0) {
                const std::uint16_t half = stored == F16 ? float_to_f16(value) : float_to_bf16(value);
                bytes->insert(bytes->end(), {static_cast<std::byte>(half & 255), static_cast<std::byte>(half >> 8)});
                held.push_back(stored == F16 ? f16_to_float(half) : bf16_to_float(half));
            }
        }
        if (stored == Q8_0) {
            *bytes = pack(BlockFormat::Q8_0, drawn);
            held.resize(drawn.size());
            unpack(BlockFormat::Q8_0, bytes->data(), 0, held);
        }
        leaf = stored == Q8_0 ? gpu::leaf({{static_cast<std::int64_t>(bytes->size())}, Dtype::U8}, *bytes, bytes)
                              : gpu::leaf({shape, stored == F32 ? Dtype::F32 : stored == F16 ? Dtype::F16 : Dtype::BF16}, *bytes, bytes);
        expression = stored == Q8_0 ? dequantize(leaf, BlockFormat::Q8_0, shape) : cast(leaf, Dtype::F32);
        plain = tensor(held, shape);
    }
    // Bytes of its panels, 0 where there are none.
    std::uint64_t panel_bytes() const {
        const StorageRef storage = leaf.value();
        const std::lock_guard lock(storage->mutex);
        for (const auto& [key, made] : storage->derived)
            if (key.starts_with("panels:")) return std::static_pointer_cast<HostMade>(made)->bytes;
        return 0;
    }
};

}  // namespace

class PanelsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        if (!tests::host_kernels()) QSKIP("no host kernels on this device");
    }

    void products_data() {
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("terms");
        QTest::addColumn<int>("columns");
        QTest::addColumn<int>("stored");
        for (const int stored : {F32, F16, BF16, Q8_0})
            for (const auto& [rows, terms, columns] : std::vector<std::array<int, 3>>{
                     {1, 32, 16}, {7, 64, 48}, {8, 256, 64}, {13, 288, 80}, {77, 768, 320}, {259, 544, 112}, {1, 1280, 640}})
                QTest::newRow(qPrintable(QString("%1 x %2 x %3 %4").arg(rows).arg(terms).arg(columns).arg(names[stored])))
                    << rows << terms << columns << stored;
    }
    void products() {
        QFETCH(int, rows);
        QFETCH(int, terms);
        QFETCH(int, columns);
        QFETCH(int, stored);
        const Weight weight({columns, terms}, static_cast<Stored>(stored), 1);
        const Tensor x = tests::random_tensor({rows, terms}, 2), bias = tests::random_tensor({columns}, 3), rest = tests::random_tensor({rows, columns}, 4);
        const auto use = [&](const Tensor& w) { return silu(matmul(x, transpose(w, 0, 1)) + bias) + rest; };
        QVERIFY(tests::oracle_error(use(weight.expression), use(weight.plain)) < 2e-6);
        const std::uint64_t elements = static_cast<std::uint64_t>(columns) * static_cast<std::uint64_t>(terms);
        // Many rows of F32 are left to oneDNN.
        QCOMPARE(weight.panel_bytes(), elements * (stored == F16 || stored == BF16 ? 2 : rows <= 256 ? 4 : 0));
    }

    // Rows that lie apart, in a batch, read through a view.
    void rows_may_lie_anywhere() {
        const Weight weight({48, 64}, F16, 5);
        const Tensor x = tests::random_tensor({3, 9, 128}, 6);
        for (const Tensor& view : {slice(x, 2, 32, 96), slice(slice(x, 1, 2, 9), 2, 64, 128), permute(slice(x, 2, 0, 64), {1, 0, 2})}) {
            const auto use = [&](const Tensor& w) { return matmul(view, transpose(w, 0, 1)) * 2.0; };
            QVERIFY(tests::oracle_error(use(weight.expression), use(weight.plain)) < 2e-6);
        }
        QVERIFY(weight.panel_bytes() > 0);
    }

    void convolutions_data() {
        QTest::addColumn<int>("which");
        QTest::addColumn<int>("stored");
        for (const int stored : {F32, F16, BF16, Q8_0})
            for (int which = 0; which < 7; ++which) QTest::newRow(qPrintable(QString("case %1 %2").arg(which).arg(names[stored]))) << which << stored;
    }
    void convolutions() {
        QFETCH(int, which);
        QFETCH(int, stored);
        struct Case {
            Shape x, w;
            ConvGeometry geometry;
        };
        const Case cases[] = {
            {{1, 64, 4, 4}, {48, 64, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}},
            {{2, 32, 5, 7}, {64, 32, 3, 3}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}},
            {{2, 32, 9, 8}, {16, 32, 3, 3}, {{2, 2}, {1, 0}, {1, 2}, {1, 1}, 1}},
            {{1, 40, 11, 10}, {80, 40, 3, 2}, {{1, 2}, {0, 1}, {2, 1}, {3, 2}, 1}},
            {{1, 64, 24, 24}, {96, 64, 1, 1}, {{1, 1}, {0, 0}, {0, 0}, {1, 1}, 1}},
            {{3, 32, 50}, {32, 32, 5}, {{1}, {2}, {2}, {1}, 1}},
            {{1, 32, 3, 4, 5}, {48, 32, 3, 3, 3}, {{1, 1, 1}, {2, 1, 1}, {0, 1, 1}, {1, 1, 1}, 1}},
        };
        const Case& one = cases[which];
        const Weight weight(one.w, static_cast<Stored>(stored), 7);
        Shape along(one.x.size(), 1);
        along[1] = one.w[0];
        const Tensor x = tests::random_tensor(one.x, 8), bias = tests::random_tensor(along, 9);
        const Shape size = convolution(x, weight.plain, one.geometry).shape();
        const Tensor rest = tests::random_tensor(size, 10);
        const auto use = [&](const Tensor& w) { return relu(convolution(x, w, one.geometry) + bias + rest); };
        QVERIFY(tests::oracle_error(use(weight.expression), use(weight.plain)) < 2e-6);
        const bool transformed = stored == F32 && winograd_side({one.geometry, one.x, one.w, size}, ConvPass::Forward, true) > 0;
        QCOMPARE(weight.panel_bytes() > 0, stored == F16 || stored == BF16 || (element_count(size) / size[1] <= 128 && !transformed));
    }

    // Weights of 16 bits stay so: a budget that has no room for F32 copies holds them all, and the forecast says so.
    void copies_are_counted_and_kept_within_the_budget() {
        const std::int64_t width = 512;
        const std::uint64_t each = static_cast<std::uint64_t>(width * width) * 2;
        const auto device = Device::open(switches().device);
        Engine engine(device);
        std::vector<Weight> weights;
        for (int i = 0; i < 8; ++i) weights.emplace_back(Shape{width, width}, F16, 20 + i, 0.05);
        const Tensor x = tests::random_tensor({16, width}, 19);
        const auto use = [&](double gain, std::size_t first, std::size_t last, bool plain) {
            Tensor h = x * gain;
            for (std::size_t i = first; i < last; ++i) h = tanh(matmul(h, transpose(plain ? weights[i].plain : weights[i].expression, 0, 1)));
            return h;
        };
        const auto differs = [&](double gain, std::size_t first, std::size_t last) {
            const std::vector<double> expected = oracle(use(gain, first, last, true));
            const Tensor y = use(gain, first, last, false);
            engine.evaluate({y});
            const std::vector<double> values = read_doubles(y.value());
            double most = 0;
            for (std::size_t i = 0; i < values.size(); ++i) most = std::max(most, std::abs(values[i] - expected[i]));
            return most;
        };
        const auto kept = [&] { return std::count_if(weights.begin(), weights.end(), [](const Weight& w) { return w.panel_bytes() > 0; }); };

        const MemoryForecast need = engine.forecast({use(1, 0, 4, false)});
        device->reset_peak();
        QVERIFY(differs(1, 0, 4) < 1e-5);
        QCOMPARE(kept(), 4);
        QCOMPARE(device->memory_use().adopted, 4 * each);
        const std::uint64_t measured = device->memory_use().peak;
        QVERIFY2(std::abs(static_cast<double>(need.peak) - static_cast<double>(measured)) <= 0.05 * static_cast<double>(measured),
                 qPrintable(QString("predicted %1, measured %2").arg(need.peak).arg(measured)));

        // No room for two more: all is right, and nothing beyond the budget is kept.
        device->set_budget(device->memory_use().used + device->memory_use().adopted + each);
        device->reset_peak();
        QVERIFY(differs(2, 4, 8) < 1e-5);
        QVERIFY(device->memory_use().used + device->memory_use().adopted <= device->budget());
        QVERIFY(kept() >= 4);
        QVERIFY(device->memory_use().peak <= device->budget());
        // And again with what is there.
        QVERIFY(differs(3, 0, 8) < 1e-5);
        QVERIFY(device->memory_use().used + device->memory_use().adopted <= device->budget());
    }

    // oneDNN keeps them transformed where maps are large enough, four times the size.
    void weights_of_fast_convolutions_are_forecast_data() {
        QTest::addColumn<int>("stored");
        for (const int stored : {F32, F16, Q8_0}) QTest::newRow(names[stored]) << stored;
    }
    void weights_of_fast_convolutions_are_forecast() {
        QFETCH(int, stored);
        const Weight weight({128, 128, 3, 3}, static_cast<Stored>(stored), 40);
        const Tensor x = tests::random_tensor({1, 128, 32, 32}, 41);
        const auto device = Device::open(switches().device);
        Engine engine(device);
        const Tensor y = conv2d(x * 2.0, weight.expression, {.pad = 1});
        const std::uint64_t predicted = engine.forecast({y}).peak;
        device->reset_peak();
        engine.evaluate({y});
        const std::uint64_t measured = device->memory_use().peak;
        QVERIFY2(std::abs(static_cast<double>(predicted) - static_cast<double>(measured)) <= 0.05 * static_cast<double>(measured),
                 qPrintable(QString("predicted %1, measured %2").arg(predicted).arg(measured)));
    }
};

HEDDLE_TEST(panels, PanelsTest)
#include "panels.moc"
