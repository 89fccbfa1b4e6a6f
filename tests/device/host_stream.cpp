// Results stored past the caches are those that are stored as usual, bit by bit: odd sizes, places that are not aligned, rows, and the gradient in a
// convolution's weight.
#include "gpu/run/host/stream.h"

#include <functional>
#include <limits>
#include <numeric>

#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "tests/support/conv_tensors.h"
#include "tests/support/evaluated.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;
using tests::random_tensor;

namespace {

// The processor's last cache, said to be of another size.
class AssumedCache {
public:
    explicit AssumedCache(std::uint64_t bytes) { last_cache_bytes() = bytes; }
    ~AssumedCache() { last_cache_bytes() = real_; }
    AssumedCache(const AssumedCache&) = delete;
    AssumedCache& operator=(const AssumedCache&) = delete;

private:
    const std::uint64_t real_ = last_cache_bytes();
};

constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

struct Case {
    const char* name;
    Tensor (*make)(std::int64_t size);
};

const std::vector<Case>& cases() {
    static const std::vector<Case> list = {
        {"elements", [](std::int64_t n) { return silu(random_tensor({n}, 1)) + random_tensor({n}, 2); }},
        {"one operation", [](std::int64_t n) { return random_tensor({n}, 1) * 2; }},
        {"a part of a tensor", [](std::int64_t n) { return relu(slice(random_tensor({n + 1}, 1), 0, 1, n + 1) * 3); }},
        {"parts of a result", [](std::int64_t n) { return concat({random_tensor({3}, 1) + 1, exp(random_tensor({n}, 2))}, 0); }},
        {"a number for each column", [](std::int64_t n) { return random_tensor({17, n}, 1) * random_tensor({n}, 2) + random_tensor({17, 1}, 3); }},
        {"columns to rows", [](std::int64_t n) { return permute(random_tensor({n, 9}, 1), {1, 0}) + random_tensor({9, n}, 2); }},
        {"softmax", [](std::int64_t n) { return softmax(random_tensor({23, n}, 1)); }},
        {"layer norm", [](std::int64_t n) { return layer_norm(random_tensor({23, n}, 1), random_tensor({n}, 2), random_tensor({n}, 3)); }},
        {"no rows left", [](std::int64_t n) { return slice(random_tensor({2, n}, 1), 0, 0, 0) + 1; }},
    };
    return list;
}

std::vector<float> computed(const std::function<Tensor()>& make, std::uint64_t cache) {
    const AssumedCache assumed(cache);
    return to_floats(make());
}

}  // namespace

class HostStreamTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        if (!tests::host_kernels()) QSKIP("no host kernels on this device");
    }

    void cache_is_known() {
        QVERIFY(last_cache_bytes() >= 1 << 20);
        QVERIFY(!exceeds_caches(last_cache_bytes()));
    }

    void copies() {
        std::vector<float> from(70), to(80);
        std::iota(from.begin(), from.end(), 1.0f);
        for (std::size_t start = 0; start < 5; ++start)
            for (std::size_t count = 0; count <= from.size(); ++count) {
                std::fill(to.begin(), to.end(), 0.0f);
                stream(from.data(), static_cast<std::int64_t>(count), to.data() + start);
                finish_streams();
                for (std::size_t i = 0; i < to.size(); ++i) QCOMPARE(to[i], i >= start && i < start + count ? from[i - start] : 0.0f);
            }
    }

    void regions_data() {
        QTest::addColumn<int>("index");
        QTest::addColumn<int>("size");
        for (std::size_t i = 0; i < cases().size(); ++i)
            for (const int size : {1, 16, 1023, 4099, 70001}) QTest::addRow("%s, %d", cases()[i].name, size) << static_cast<int>(i) << size;
    }
    void regions() {
        QFETCH(int, index);
        QFETCH(int, size);
        const auto make = [&] { return cases()[static_cast<std::size_t>(index)].make(size); };
        QCOMPARE(computed(make, 0), computed(make, endless));
    }

    // What takes the place of an operand.
    void in_place() {
        const auto make = [] { return exp((random_tensor({5003}, 1) + 1) * random_tensor({5003}, 2)); };
        QCOMPARE(computed(make, 0), computed(make, endless));
    }

    void weight_gradient_data() {
        QTest::addColumn<int>("batch");
        QTest::addColumn<int>("height");
        QTest::newRow("four tiles") << 1 << 8;
        QTest::newRow("odd sizes") << 3 << 11;
        QTest::newRow("in blocks, which add to what is there") << 2 << 150;
    }
    void weight_gradient() {
        QFETCH(int, batch);
        QFETCH(int, height);
        const ConvGeometry geometry{{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1};
        const tests::ConvTensors one = tests::conv_tensors(geometry, batch, 48, 32, {height, height}, {3, 3});
        const auto make = [&] { return conv_weight_grad(one.x, one.dy, geometry, one.window); };
        QCOMPARE(computed(make, 0), computed(make, endless));
        if (height < 20) QVERIFY(tests::oracle_error(make()) < 1e-5);
    }
};

HEDDLE_TEST(host_stream, HostStreamTest)
#include "host_stream.moc"
