#include "nodes/sampling/noise.h"

#include <cmath>

#include "gpu/base/philox.h"
#include "tests/support/test.h"

namespace tests {

using namespace nodes;

class NoiseTest : public QObject {
    Q_OBJECT

    static void compare(const std::vector<float>& got, const std::vector<double>& wanted) {
        for (std::size_t i = 0; i < wanted.size(); ++i)
            QVERIFY2(std::abs(got[i] - wanted[i]) <= 5.1e-5, qPrintable(QString("%1: %2, not %3").arg(i).arg(got[i]).arg(wanted[i])));
    }
    static std::vector<float> torch(std::uint64_t seed, std::size_t count) {
        std::vector<float> out(count);
        TorchCpuGenerator(seed).randn(out);
        return out;
    }

private slots:
    // From the Random123 distribution's known answers.
    void philox_known_answers() {
        const gpu::PhiloxCounter zeros = gpu::philox({0, 0, 0, 0}, 0);
        QVERIFY((zeros == gpu::PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
        const gpu::PhiloxCounter ones = gpu::philox({~0u, ~0u, ~0u, ~0u}, ~std::uint64_t{0});
        QVERIFY((ones == gpu::PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    }

    void torch_draws() {
        TorchCpuGenerator generator(0);
        QCOMPARE(generator.draw(), 2357136044u);
        QCOMPARE(generator.draw(), 2546248239u);
        QCOMPARE(generator.draw(), 3071714933u);
    }
    void torch_few() {
        compare(torch(0, 3), {1.5410, -0.2934, -2.1788});
        compare(torch(42, 3), {0.3367, 0.1288, 0.2345});
    }
    void torch_spare_survives_calls() {
        std::vector<float> one(1), two(2);
        TorchCpuGenerator generator(0);
        generator.randn(one);
        generator.randn(two);
        compare({one[0], two[0], two[1]}, {1.5410, -0.2934, -2.1788});
    }
    void torch_blocks() {
        compare(torch(0, 16), {-1.1258, -1.1524, -0.2506, -0.4339, 0.8487, 0.6920, -0.3160, -2.1152, 0.3223, -1.2633, 0.3500,
                               0.3081, 0.1198, 1.2377, 1.1168, -0.2473});
        compare(torch(42, 16), {1.9269, 1.4873, 0.9007, -2.1055, 0.6784, -1.2345, -0.0431, -1.6047, -0.7521, 1.6487, -0.3925,
                                -1.4036, -0.7279, -0.5594, -0.7688, 0.7624});
    }
    void torch_tail() {
        compare(torch(0, 20), {-1.1258, -1.1524, -0.2506, -0.4339, 0.5988, -1.5551, -0.3414, 1.8530, 0.4681, -0.1577, 1.4437,
                               0.2660, 1.3894, 1.5863, 0.9463, -0.8437, 0.9318, 1.2590, 2.0050, 0.0537});
    }
    void torch_latent() {
        const std::vector<float> out = torch(0, 4 * 64 * 64);
        compare(out, {-1.1258, -1.1524, -0.2506, -0.4339});
        compare({out[out.size() - 2], out.back()}, {-1.3665, -1.0782});
    }
    void torch_sees_low_bits_only() { QCOMPARE(torch(5, 20), torch((std::uint64_t{1} << 32) + 5, 20)); }

    void cuda_calls() {
        CudaGenerator generator(0);
        std::vector<float> first(6), second(2);
        generator.randn(first);
        generator.randn(second);
        compare(first, {-0.9247, -0.4253, -2.6438, 0.1452, -0.1209, -0.5797});
        compare(second, {0.1808, -0.5523});
    }
    // With 256 threads, element 256 is thread 0's second normal, element 1024 the first of its second block.
    void cuda_layout_follows_threads() {
        std::vector<float> small(2048), large(2048);
        CudaGenerator(3, 256).randn(small);
        CudaGenerator generator(3);
        generator.randn(large);
        for (std::size_t i = 0; i < 256; ++i) QCOMPARE(small[i], large[i]);
        QVERIFY(small[256] != large[256]);
        std::vector<float> next(256);
        generator.randn(next);
        for (std::size_t i = 0; i < 256; ++i) QCOMPARE(small[1024 + i], next[i]);
    }

    // The promise of our own noise: a number depends on its address alone.
    void own_noise_is_addressed() {
        std::vector<float> whole(1000), part(101);
        philox_normal({.seed = 9, .stream = 2, .image = 5, .step = 7}, whole);
        philox_normal({.seed = 9, .stream = 2, .image = 5, .step = 7}, part, 333);
        for (std::size_t i = 0; i < part.size(); ++i) QCOMPARE(part[i], whole[333 + i]);
        for (const NoiseAddress& other : {NoiseAddress{8, 2, 5, 7}, {9, 3, 5, 7}, {9, 2, 4, 7}, {9, 2, 5, 6}}) {
            philox_normal(other, part, 333);
            QVERIFY(part[0] != whole[333]);
        }
    }
    void own_noise_is_normal() {
        std::vector<float> values(200000);
        philox_normal({.seed = 1}, values);
        double sum = 0, squares = 0, fourths = 0;
        for (const double v : values) {
            sum += v;
            squares += v * v;
            fourths += v * v * v * v;
        }
        const double n = static_cast<double>(values.size());
        QVERIFY(std::abs(sum / n) < 0.01);
        QVERIFY(std::abs(squares / n - 1) < 0.02);
        QVERIFY(std::abs(fourths / n - 3) < 0.1);
    }
    void own_uniform_covers_its_range() {
        std::vector<float> values(100000);
        philox_uniform({.seed = 1}, values);
        double sum = 0;
        for (const float v : values) {
            QVERIFY(v >= 0 && v < 1);
            sum += v;
        }
        QVERIFY(std::abs(sum / static_cast<double>(values.size()) - 0.5) < 0.005);
    }
    void pictures_of_a_batch_stand_alone() {
        const auto values = [](const gpu::Tensor& tensor) {
            const auto bytes = tensor.value()->host;
            std::vector<float> out(bytes.size() / sizeof(float));
            std::memcpy(out.data(), bytes.data(), bytes.size());
            return out;
        };
        const std::vector<float> one = values(noise(NoiseSource::Heddle, {1, 4, 8, 8}, 3));
        const std::vector<float> three = values(noise(NoiseSource::Heddle, {3, 4, 8, 8}, 3));
        QCOMPARE(std::vector<float>(three.begin(), three.begin() + 256), one);
        QVERIFY(three[256] != one[0]);
    }
};

}  // namespace tests

using tests::NoiseTest;
HEDDLE_TEST(noise, NoiseTest)
#include "noise.moc"
