// Fourier transforms around the kernel: which way is taken, replay, pieces of a batch, filters against their definitions.
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/graph/autodiff.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

std::vector<double> widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }

double difference(const Tensor& a, const Tensor& b) { return relative_error(widened(to_floats(a)), widened(to_floats(b))); }

}  // namespace

class FftTest : public QObject {
    Q_OBJECT
private slots:
    // Without the library transforms are products: short ones in one, long ones in several.
    void products_are_transforms() {
        for (const std::int64_t n : {1, 30, 256, 514, 600, 1021, 4096}) {
            const Tensor y = fft(tests::random_tensor({2, n, 2}, 5), 1);
            const Tensor products = y.op()->composite(y.inputs());
            const std::vector<double> expected = n > 1100 ? widened(to_floats(y)) : oracle(y);
            QVERIFY2(relative_error(widened(to_floats(products)), expected) < 1e-5, std::to_string(n).c_str());
        }
        const Tensor prime = fft(tests::random_tensor({1, 5003, 2}, 5), 1);
        try {
            prime.op()->composite(prime.inputs());
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::NoDevice);
            QVERIFY(std::string(error.what()).find("prime factors above 4096") != std::string::npos);
        }
    }

    void the_library_is_replayed() {
        if (!fft_available()) QSKIP("VkFFT is not there");
        const auto run = [](int seed) { return to_floats(ifft(fft(tests::random_tensor({3, 6, 40, 2}, seed) * 2.0, 2) * 0.5, 2)); };
        const ScopedSwitch no_host(&Switches::host, false);
        run(1);
        run(2);
        const EvaluationCounters before = evaluation_counters();
        for (int seed = 3; seed < 7; ++seed) {
            const std::vector<float> expected = tests::random_floats(3 * 6 * 40 * 2, seed), got = run(seed);
            QVERIFY(relative_error(widened(got), widened(expected)) < 1e-5);
        }
        QCOMPARE(evaluation_counters().plans_made, before.plans_made);
    }

    // 40 MiB of one transform's size: more than a plan's buffer takes at once.
    void long_batches_go_in_pieces() {
        if (!fft_available()) QSKIP("VkFFT is not there");
        const std::int64_t batch = 10000, n = 512;
        std::vector<float> x(static_cast<std::size_t>(batch * n * 2), 0);
        for (std::int64_t b = 0; b < batch; ++b) x[(b * n + 3) * 2] = static_cast<float>(b);   // an impulse at 3
        const std::vector<float> y = to_floats(fft(tensor(x, {batch, n, 2}), 1));
        for (const std::int64_t b : {0, 1, 8191, 8192, 9999})
            for (const std::int64_t k : {0, 5, 511}) {
                const double angle = -2 * M_PI * 3 * static_cast<double>(k) / static_cast<double>(n);
                QVERIFY(std::abs(y[(b * n + k) * 2] - static_cast<double>(b) * std::cos(angle)) < 1e-2);
                QVERIFY(std::abs(y[(b * n + k) * 2 + 1] - static_cast<double>(b) * std::sin(angle)) < 1e-2);
            }
    }

    void a_convolution_is_the_sum_it_says() {
        const std::int64_t n = 200, taps = 91;
        const std::vector<float> x = tests::random_floats(4 * n, 1), kernel = tests::random_floats(taps, 2);
        std::vector<double> causal(4 * n, 0), same(4 * n, 0);
        for (std::int64_t c = 0; c < 4; ++c)
            for (std::int64_t i = 0; i < n; ++i)
                for (std::int64_t m = 0; m < taps; ++m) {
                    if (i - m >= 0) causal[c * n + i] += static_cast<double>(kernel[m]) * x[c * n + i - m];
                    const std::int64_t j = i + (taps - 1) / 2 - m;
                    if (j >= 0 && j < n) same[c * n + i] += static_cast<double>(kernel[m]) * x[c * n + j];
                }
        const Tensor signal = tensor(x, {4, n}), filter = tensor(kernel, {taps});
        QVERIFY(relative_error(widened(to_floats(fft_convolve(signal, filter, 1))), causal) < 1e-5);
        QVERIFY(relative_error(widened(to_floats(fft_convolve(signal, filter, 1, ConvolutionMode::Same))), same) < 1e-5);
    }

    void both_blurs_agree() {
        const Tensor x = tests::random_tensor({1, 3, 30, 44}, 1);
        for (const double sigma : {0.8, 4.0}) QVERIFY(difference(fft_gaussian_blur(x, sigma), gaussian_blur(x, sigma)) < 1e-5);
    }

    // As FreeInit writes it, with a complex mask of any symmetry: Re(IFFT(FFT(x) mask)).
    void filters_match_their_definition() {
        for (const Shape& sizes : {Shape{4, 6, 8}, Shape{5, 7, 3}, Shape{6, 6}, Shape{9}}) {
            Shape shape = sizes;
            shape.insert(shape.begin(), 3);
            const int dims = static_cast<int>(sizes.size());
            const Tensor x = tests::random_tensor(shape, 8), mask = tests::random_tensor(sizes, 9, 0, 1);
            const Tensor plain = real_part(ifft(fft(complex(x, zeros_like(x)), dims) * unsqueeze(mask, {-1}), dims));
            QVERIFY(difference(filter_frequencies(x, mask), plain) < 1e-5);
        }
    }

    void masks_have_the_published_values() {
        const auto at = [](const Tensor& mask, std::size_t i) { return to_floats(mask)[i]; };
        const LowPass gaussian{.band = PassBand::Gaussian, .spatial = 0.5}, ideal{.band = PassBand::Ideal, .spatial = 0.25},
            strict{.band = PassBand::Ideal, .spatial = 0.25, .published_ideal = false}, box{.band = PassBand::Box, .spatial = 0.5};
        QCOMPARE(at(low_pass_mask({8}, gaussian), 0), 1.0f);                                          // zero frequency
        QVERIFY(std::abs(at(low_pass_mask({8}, gaussian), 2) - std::exp(-0.25 / 0.5)) < 1e-6);        // d = 2 * 2 / 8
        QVERIFY(std::abs(at(low_pass_mask({8}), 2) - 1 / (1 + std::pow(4.0, 4))) < 1e-6);             // d / cut-off = 2
        QCOMPARE(to_floats(low_pass_mask({8}, ideal)), (std::vector<float>{1, 1, 1, 0, 0, 0, 1, 1}));   // d^2 <= 0.5
        QCOMPARE(to_floats(low_pass_mask({8}, strict)), (std::vector<float>{1, 1, 0, 0, 0, 0, 0, 1}));
        QCOMPARE(to_floats(low_pass_mask({8}, box)), (std::vector<float>{1, 1, 0, 0, 0, 0, 1, 1}));     // [centre - 2, centre + 2)
        QCOMPARE(to_floats(sum(low_pass_mask({4, 4}, {.spatial = 0})))[0], 0.0f);
        // Time has its own cut-off: frequency 1 of 8 counts twice as far where it is half as wide.
        QVERIFY(std::abs(at(low_pass_mask({8, 8, 8}, {.band = PassBand::Gaussian, .spatial = 0.5, .temporal = 0.25}), 64) - std::exp(-0.25 / 0.5)) < 1e-6);
    }

    void gradients_of_quantisation_pass_straight_through() {
        const Tensor x = tests::random_tensor({6, 3}, 1), codebook = tests::random_tensor({5, 3}, 2), w = tests::random_tensor({6, 3}, 3);
        const Quantised q = vector_quantise(x, codebook);
        const Tensors grads = gradients(sum(q.values * w), {x, codebook});
        QCOMPARE(to_floats(grads[0]), to_floats(w));
        QCOMPARE(to_floats(grads[1]), std::vector<float>(15, 0.0f));
        QCOMPARE(to_floats(q.values), to_floats(embedding(codebook, q.ids)));
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(fft, FftTest)
#include "fft.moc"
