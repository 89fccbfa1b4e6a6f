// The cases of every op with their inputs stored as F16 and BF16: host kernels, shaders, and shaders without 16-bit storage,
// against the oracle in double precision on the same rounded inputs. The tolerance is that of the format: a few roundings
// of 2^-11 (F16) or 2^-8 (BF16) each.
#include <map>

#include "gpu/base/switches.h"
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

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(precision, PrecisionTest)
#include "precision.moc"
