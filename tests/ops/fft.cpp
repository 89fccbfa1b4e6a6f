#include "tests/support/op_cases.h"

using namespace gpu;

// Lengths up to 32 are matrix products everywhere, those up to 128 where host kernels run; the others are VkFFT's, whose plans
// take a second or two to make: few of them, mostly of both directions' one shape.
OP_CASES(fft, list) {
    for (const std::int64_t n : {1, 2, 3, 4, 7, 16, 25, 32, 129, 257, 600})
        list.add({.in = {{3, n, 2}}, .gradient = n < 20}, [](const Tensors& in) { return fft(in[0], 1); });
    list.add({.in = {{2, 3, 8, 2}}}, [](const Tensors& in) { return ifft(in[0], 1) * 2.0; });
    list.add({.in = {{2, 6, 10, 2}}}, [](const Tensors& in) { return fft(in[0], 2); });
    list.add({.in = {{2, 6, 33, 2}}}, [](const Tensors& in) { return fft(in[0], 2); });
    list.add({.in = {{14, 6, 2}}}, [](const Tensors& in) { return ifft(in[0] * 3.0, 2); });
    list.add({.in = {{2, 4, 3, 5, 2}}}, [](const Tensors& in) { return fft(in[0], 3); });
    list.add({.in = {{8, 40, 130, 2}}, .gradient = false}, [](const Tensors& in) { return ifft(fft(in[0], 3), 3) * 10.0 + fft(in[0], 3); });
    list.add({.in = {{40, 8, 130, 2}}, .gradient = false}, [](const Tensors& in) { return fft(permute(in[0], {1, 0, 2, 3}), 3); });
    list.add({.in = {{0, 8, 2}}, .gradient = false}, [](const Tensors& in) { return fft(in[0], 1); });
    for (const std::int64_t n : {1, 2, 5, 8}) {
        list.add({.in = {{2, 3, n}}}, [](const Tensors& in) { return rfft(in[0], 2); });
        list.add({.in = {{2, 3, n / 2 + 1, 2}}}, [=](const Tensors& in) { return irfft(in[0], 2, n); });
    }
    list.add({.in = {{2, 9}}}, [](const Tensors& in) { return irfft(rfft(in[0], 1), 1, 9); });
    list.add({.in = {{2, 5, 2}, {5, 2}}}, [](const Tensors& in) { return complex_multiply(conjugate(in[0]), in[1]); });
    for (const PassBand band : {PassBand::Gaussian, PassBand::Butterworth, PassBand::Ideal, PassBand::Box}) {
        list.add({.in = {{2, 3, 8, 6}}}, [=](const Tensors& in) { return filter_frequencies(in[0], low_pass_mask({8, 6}, {.band = band})); });
        list.add({.in = {{3, 5, 6, 7}}}, [=](const Tensors& in) { return split_frequencies(in[0], low_pass_mask({5, 6, 7}, {.band = band, .spatial = 0.6, .temporal = 0.4})).high; });
    }
    for (const ConvolutionMode mode : {ConvolutionMode::Causal, ConvolutionMode::Same}) {
        list.add({.in = {{2, 3, 14}, {3, 14}}}, [=](const Tensors& in) { return fft_convolve(in[0], in[1], 1, mode); });
        list.add({.in = {{3, 6, 7}, {3, 5, 4}}}, [=](const Tensors& in) { return fft_convolve(in[0], in[1], 2, mode); });
    }
    list.add({.in = {{1, 2, 9, 8}}, .tolerance = 2e-5}, [](const Tensors& in) { return fft_gaussian_blur(in[0], 1.7); });
}
