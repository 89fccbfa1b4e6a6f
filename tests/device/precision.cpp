// The cases of every op with their inputs stored as F16 and BF16: host kernels, shaders, and shaders without 16-bit storage,
// against the oracle in double precision on the same rounded inputs. The tolerance is that of the format: a few roundings
// of 2^-11 (F16) or 2^-8 (BF16) each.
#include <map>

#include "gpu/base/switches.h"
#include "gpu/graph/autocast.h"
#include "gpu/graph/autodiff.h"
#include "gpu/graph/op.h"
#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;
using tests::OpCase;

namespace {

double unit(Dtype dtype) { return dtype == Dtype::F16 ? 0x1p-11 : 0x1p-8; }

// `values` as stored in `dtype`, and what that holds as F32.
std::pair<Tensor, Tensor> stored(const std::vector<float>& values, const Shape& shape, Dtype dtype) {
    const auto bits = std::make_shared<std::vector<std::uint16_t>>(values.size());
    std::vector<float> held(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        (*bits)[i] = dtype == Dtype::F16 ? float_to_f16(values[i]) : float_to_bf16(values[i]);
        held[i] = dtype == Dtype::F16 ? f16_to_float((*bits)[i]) : bf16_to_float((*bits)[i]);
    }
    return {leaf({shape, dtype}, std::as_bytes(std::span(*bits)), bits), tensor(held, shape)};
}

struct Prepared {
    Tensors small, wide;
    std::vector<double> expected;
};

std::vector<double> widened(const Tensor& x) {
    const std::vector<float> values = to_floats(x);
    return {values.begin(), values.end()};
}

}  // namespace

class PrecisionTest : public QObject {
    Q_OBJECT
    std::vector<std::pair<std::string, tests::OpCases>> all_ = tests::all_op_cases();
    std::map<std::tuple<int, int, Dtype>, Prepared> prepared_;   // the oracle is slow: once for each case and type

    const Prepared& prepare(int op, int index, Dtype dtype) {
        Prepared& p = prepared_[{op, index, dtype}];
        if (!p.expected.empty()) return p;
        const OpCase& one = all_[op].second.all()[index];
        p = {};
        for (std::size_t i = 0; i < one.in.size(); ++i) {
            const auto values = tests::random_floats(static_cast<std::size_t>(element_count(one.in[i])), 100 + i, one.low, one.high);
            const auto [small, wide] = stored(values, one.in[i], dtype);
            p.small.push_back(small);
            p.wide.push_back(wide);
        }
        p.expected = oracle(one.make(p.wide));
        return p;
    }

    // Every `step`th case of the ops that `wanted` takes.
    void add_rows(const std::vector<Dtype>& dtypes, std::size_t step = 1, bool (*wanted)(const std::string& op) = nullptr) {
        QTest::addColumn<int>("op");
        QTest::addColumn<int>("index");
        QTest::addColumn<int>("dtype");
        for (std::size_t o = 0; o < all_.size(); ++o)
            for (std::size_t i = 0; i < all_[o].second.all().size() && (!wanted || wanted(all_[o].first)); i += step)
                for (const Dtype dtype : dtypes)
                    QTest::newRow((std::string(name_of(dtype)) + " " + all_[o].first + " " + all_[o].second.all()[i].name).c_str())
                        << static_cast<int>(o) << static_cast<int>(i) << static_cast<int>(dtype);
    }
    void compare() {
        QFETCH(int, op);
        QFETCH(int, index);
        QFETCH(int, dtype);
        const OpCase& one = all_[op].second.all()[index];
        const Dtype type = static_cast<Dtype>(dtype);
        double error = 0;
        try {
            const Prepared& p = prepare(op, index, type);
            error = relative_error(widened(one.make(p.small)), p.expected);
        } catch (const Error& failure) {
            QFAIL(failure.what());
        }
        const double allowed = one.tolerance + 4 * unit(type);
        QVERIFY2(error < allowed, qPrintable(QString("relative L2 %1, allowed %2").arg(error).arg(allowed)));
    }

private slots:
    // Ops without host kernels run the same shaders here as below.
    void forward_data() {
        add_rows({Dtype::F16, Dtype::BF16}, 1, [](const std::string& op) {
            return op.starts_with("conv") || op.starts_with("matmul") || op.starts_with("attention") || op == "dequantize";
        });
    }
    void forward() { compare(); }

    // The types differ in their loads and stores alone: a part of the cases tells for one of them.
    void f16_in_shaders_data() { add_rows({Dtype::F16}); }
    void f16_in_shaders() {
        const ScopedSwitch no_host(&Switches::host, false);
        compare();
    }

    void bf16_in_shaders_data() { add_rows({Dtype::BF16}, 4); }
    void bf16_in_shaders() {
        const ScopedSwitch no_host(&Switches::host, false);
        compare();
    }

    void forward_in_words_data() { add_rows({Dtype::F16}, 4); }
    void forward_in_words() {
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch words(&Switches::small_storage, false);
        compare();
    }

    // Weights larger than the scratch memory of host kernels, with everything that a piece has to take along.
    void large_weights_go_in_pieces_data() {
        QTest::addColumn<bool>("quantised");
        QTest::newRow("F16") << false;
        QTest::newRow("Q8_0") << true;
    }
    void large_weights_go_in_pieces() {
        QFETCH(bool, quantised);
        const std::int64_t count = 640 * 640 * 9;
        const std::vector<float> values = tests::random_floats(count, 1, -0.02, 0.02);
        std::vector<std::byte> blocks = pack(BlockFormat::Q8_0, values);
        const auto bytes = std::make_shared<std::vector<std::byte>>(std::move(blocks));
        const Tensor half = stored(values, {count}, Dtype::F16).first;
        const Tensor weight = quantised ? dequantize(leaf({{static_cast<std::int64_t>(bytes->size())}, Dtype::U8}, *bytes, bytes),
                                                     BlockFormat::Q8_0, {count})
                                        : cast(half, Dtype::F32);
        const Tensor plain = tensor(to_floats(weight), {count});
        const Tensor map = tests::random_tensor({2, 640, 5, 4}, 2), bias = tests::random_tensor({640}, 3), rest = tests::random_tensor({2, 640, 5, 4}, 4);
        const Tensor rows = tests::random_tensor({9, 640}, 5), added = tests::random_tensor({9, 5760}, 6);
        const auto compute = [&](const Tensor& w) {
            const Tensor y = conv2d(map, reshape(w, {640, 640, 3, 3}), {.pad = 1}) + reshape(bias, {1, 640, 1, 1});
            const Tensor z = matmul(rows, transpose(reshape(w, {5760, 640}), 0, 1)) + added;
            return std::pair(widened(relu(y + rest)), widened(z));
        };
        const auto [y, z] = compute(weight);
        const auto [plain_y, plain_z] = compute(plain);
        QVERIFY2(relative_error(y, plain_y) < 1e-5, qPrintable(QString("conv %1").arg(relative_error(y, plain_y))));
        QVERIFY2(relative_error(z, plain_z) < 1e-5, qPrintable(QString("matmul %1").arg(relative_error(z, plain_z))));
        // and with activations of 16 bits too
        const auto small = [&](const Tensor& w) { return widened(conv2d(cast(map, Dtype::BF16), cast(reshape(w, {640, 640, 3, 3}), Dtype::F32), {.pad = 1})); };
        QVERIFY(relative_error(small(weight), small(plain)) < 1e-5);
        if (quantised) return;
        // and its gradients, whose pieces are cut along other axes
        const auto grads = [&](Dtype dtype) {
            const Tensor w = reshape(dtype == Dtype::F32 ? plain : half, {640, 640, 3, 3});
            const Tensors all = gradients(sum(conv2d(map, w, {.pad = 1}) * rest), {map, w});
            return std::pair(widened(all[0]), widened(all[1]));
        };
        const auto [dx, dw] = grads(Dtype::F16);
        const auto [plain_dx, plain_dw] = grads(Dtype::F32);
        QVERIFY2(relative_error(dx, plain_dx) < 1e-5, qPrintable(QString("input %1").arg(relative_error(dx, plain_dx))));
        QVERIFY2(relative_error(dw, plain_dw) < 2e-3, qPrintable(QString("weight %1").arg(relative_error(dw, plain_dw))));
    }

    // Weights of F16 under a cast to F32, rounded to F16 again by an Autocast, are read where they lie: no step copies them.
    void narrowed_weights_are_not_copied() {
        const Tensor rows = tests::random_tensor({9, 96}, 1), map = tests::random_tensor({1, 8, 6, 5}, 2);
        const Tensor half = stored(tests::random_floats(96 * 48, 3, -1, 1), {96 * 48}, Dtype::F16).first;
        const auto compute = [&](const Tensor& w) -> Tensors {
            return {matmul(rows, transpose(reshape(w, {48, 96}), 0, 1)), conv2d(map, reshape(slice(w, 0, 8, 8 + 4 * 8 * 9), {4, 8, 3, 3}), {.pad = 1})};
        };
        for (const Dtype type : {Dtype::F16, Dtype::BF16}) {
            const Autocast autocast(type);
            const Tensors narrowed = compute(cast(half, Dtype::F32)), plain = compute(cast(half, type));
            const std::size_t steps = plan_cost(narrowed).steps, least = plan_cost(compute(half)).steps;
            QVERIFY(type == Dtype::F16 ? steps == least : steps > least);      // as BF16 they are other numbers
            for (std::size_t i = 0; i < narrowed.size(); ++i) {
                QCOMPARE(narrowed[i].dtype(), type);
                QCOMPARE(to_floats(narrowed[i]), to_floats(plain[i]));
            }
        }
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(precision, PrecisionTest)
#include "precision.moc"
