// Every public tensor function. Shapes in brackets; axes may be negative; elementwise functions broadcast as numpy does.
// Errors are thrown while the expression is built: Error{InvalidGraph} with the op and the shapes.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpu/graph/blocks.h"
#include "gpu/graph/tensor.h"

namespace gpu {

// Types: sums and products are formed in F32 whatever the tensors are stored as (I32 in integers), and rounded when they
// are stored. Where types meet, the result has the type that PyTorch gives it: promote() of dtype.h (F16 x F32 -> F32,
// F16 x BF16 -> F32, I32 x F16 -> F16), in which a tensor without axes counts only when it is of a higher kind than the
// others (float over integer over Bool). matmul and convolutions promote too, and convert as they load: F16 weights under
// F32 activations cost no copy. A number takes the tensor's type. Weights and biases of norms do not widen what they
// scale. Use cast() for anything else.

// --- sources ---
Tensor full(const Shape& shape, double value, Dtype dtype = Dtype::F32);
Tensor zeros(const Shape& shape, Dtype dtype = Dtype::F32);
Tensor ones(const Shape& shape, Dtype dtype = Dtype::F32);
Tensor full_like(const Tensor& x, double value);
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
Tensor arange(std::int64_t count, Dtype dtype = Dtype::F32);   // [count]: 0, 1, 2, ...

// --- elementwise arithmetic ---
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
// A number joins as a constant that may change from call to call without a new plan.
Tensor operator+(const Tensor& a, double b);
Tensor operator-(const Tensor& a, double b);
Tensor operator*(const Tensor& a, double b);
Tensor operator/(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(double a, const Tensor& b);
Tensor operator-(const Tensor& x);
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, double b);
Tensor minimum(const Tensor& a, double b);
Tensor pow(const Tensor& a, const Tensor& b);   // a >= 0
Tensor pow(const Tensor& a, double b);
Tensor abs(const Tensor& x);
Tensor sign(const Tensor& x);
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);                  // halves to even
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor square(const Tensor& x);
Tensor clamp(const Tensor& x, double low, double high);
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& t);   // a + (b - a) t
Tensor lerp(const Tensor& a, const Tensor& b, double t);

// --- activations ---
Tensor relu(const Tensor& x);
Tensor silu(const Tensor& x);
Tensor gelu(const Tensor& x);         // exact, by erf
Tensor gelu_tanh(const Tensor& x);
Tensor quick_gelu(const Tensor& x);   // x sigmoid(1.702 x), as in CLIP

// --- comparison and choice (Bool results hold 0 or 1) ---
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor equal(const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor cast(const Tensor& x, Dtype dtype);
// The type in which these tensors meet.
Dtype result_type(const Tensors& in);
// The tensor of `shape` (row-major) that the U8 bytes of `blocks` hold. Matrix products, convolutions and elementwise
// kernels read the blocks where they lie; nothing is unpacked in memory for them. `dtype` is what the result counts as.
// Has no gradient.
Tensor dequantize(const Tensor& blocks, BlockFormat format, const Shape& shape, Dtype dtype = Dtype::F32);

// --- reductions; the reduced axes stay with length 1 unless `keep` is false; no axes: all ---
Tensor sum(const Tensor& x, std::vector<int> axes = {}, bool keep = true);
Tensor mean(const Tensor& x, std::vector<int> axes = {}, bool keep = true);
Tensor max(const Tensor& x, std::vector<int> axes = {}, bool keep = true);
Tensor min(const Tensor& x, std::vector<int> axes = {}, bool keep = true);
Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);
// Sums a broadcast away: the adjoint of broadcast_to.
Tensor sum_to(const Tensor& x, const Shape& shape);

// --- movement ---
Tensor reshape(const Tensor& x, Shape shape);   // one length may be -1
Tensor permute(const Tensor& x, const std::vector<int>& order);
Tensor transpose(const Tensor& x, int a, int b);
Tensor broadcast_to(const Tensor& x, const Shape& shape);
Tensor unsqueeze(const Tensor& x, const std::vector<int>& axes);   // axes of the result
Tensor squeeze(const Tensor& x, const std::vector<int>& axes);
// Elements start, start + step, ... below stop along one axis; negative start and stop count from the end.
Tensor slice(const Tensor& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step = 1);
// Zeros before, after and (interior) between the elements of every axis. Lists have the rank of x.
Tensor pad(const Tensor& x, const Shape& before, const Shape& after, const Shape& interior = {});
enum class PadMode { Zero, Replicate, Reflect };
// Reflection repeats no border: it needs less than an axis' length before and after.
Tensor pad(const Tensor& x, const Shape& before, const Shape& after, PadMode mode);
Tensor pad2d(const Tensor& x, int left, int right, int top, int bottom, PadMode mode);   // last two axes
Tensor flip(const Tensor& x, int axis);
Tensor concat(const Tensors& parts, int axis);

// --- arrangement: composed of movements ---
Tensor stack(const Tensors& parts, int axis);                        // along a new axis of the result
Tensors split(const Tensor& x, const Shape& lengths, int axis);      // lengths that sum to the axis's
Tensors chunk(const Tensor& x, std::int64_t count, int axis);        // `count` parts of equal length, the last may be shorter
Tensor repeat(const Tensor& x, const Shape& times);                  // the whole of x times[i] times along axis i
Tensor repeat_each(const Tensor& x, std::int64_t times, int axis);   // every element, one copy beside the other
Tensor roll(const Tensor& x, std::int64_t shift, int axis);          // what leaves at one end enters at the other
// x [N, C, s1, ..., sd] (d = 1 to 3) -> [N, C / (f1 ... fd), s1 f1, ..., sd fd], and back. In the long channel axis the factors lie
// behind the channels (ChannelsFirst: pixel shuffle, PyTorch) or before them (FactorsFirst: depth to space, TensorFlow and ONNX's DCR).
enum class DepthOrder { ChannelsFirst, FactorsFirst };
Tensor depth_to_space(const Tensor& x, const Shape& factors, DepthOrder order = DepthOrder::FactorsFirst);
Tensor space_to_depth(const Tensor& x, const Shape& factors, DepthOrder order = DepthOrder::FactorsFirst);
Tensor pixel_shuffle(const Tensor& x, std::int64_t factor);     // [N, C r r, H, W] -> [N, C, H r, W r]
Tensor pixel_unshuffle(const Tensor& x, std::int64_t factor);
// x [N, C, s1, ..., sd] -> [N, windows, positions, C]: attention over `positions` is Swin's and MAXIM's block form, attention over
// `windows` MAXIM's grid form. Sizes must be multiples of the window's; pad before.
Tensor window_partition(const Tensor& x, const Shape& window);
Tensor window_merge(const Tensor& x, const Shape& window, const Shape& sizes);   // sizes: s1, ..., sd
struct UnfoldOptions {
    std::int64_t kernel_height = 3, kernel_width = 3;
    std::int64_t stride = 1, pad = 0, dilation = 1;
};
// im2col: x [N, C, H, W] -> [N, C KH KW, H' W'].
Tensor unfold(const Tensor& x, const UnfoldOptions& options = {});
// Bool [rows, columns]: 1 where column <= row + diagonal.
Tensor lower_mask(std::int64_t rows, std::int64_t columns, std::int64_t diagonal = 0);
Tensor lower_triangle(const Tensor& x, std::int64_t diagonal = 0);   // [..., M, N], zeros above the diagonal
Tensor upper_triangle(const Tensor& x, std::int64_t diagonal = 0);   // zeros below it
Tensor diagonal(const Tensor& x, int a = -2, int b = -1);            // two axes of one length become the last of the result

// --- indexing and order ---
// Ids are I32. Ids outside the axis: an error where they are there already (leaves with host bytes), else clamped to its ends.
// Gradients reach what is indexed, never the ids.
// y[.., n, ..] = x[.., ids[.., n, ..], ..]; ids have x's rank, their other axes x's length or 1.
Tensor gather(const Tensor& x, const Tensor& ids, int axis);
Tensor take(const Tensor& x, const Tensor& ids, int axis);                // ids [N]: whole slices of the axis
Tensor embedding(const Tensor& table, const Tensor& ids);                 // table [V, D], ids [...] -> [..., D]
// y[.., l, ..]: the sum of x's elements along the axis whose id is l; `length` rows. ids broadcast to x but for the axis.
// Sums run in the order of the elements: the same bits on every run.
Tensor scatter_add(const Tensor& x, const Tensor& ids, int axis, std::int64_t length);
Tensor one_hot(const Tensor& ids, std::int64_t depth, Dtype dtype = Dtype::F32);   // [..., depth]
// Positions along an axis, I32. Of equal elements the first; a NaN counts as greater than every number.
Tensor argmax(const Tensor& x, int axis, bool keep = true);
Tensor argmin(const Tensor& x, int axis, bool keep = true);
// Stable: equal elements keep their order, also when descending. NaNs lie at the great end.
Tensor argsort(const Tensor& x, int axis = -1, bool descending = false);   // I32
Tensor sort(const Tensor& x, int axis = -1, bool descending = false);
struct TopK {
    Tensor values, ids;   // the axis has length k; the best first
};
TopK topk(const Tensor& x, std::int64_t k, int axis = -1, bool largest = true);
struct CumsumOptions {
    bool exclusive = false;   // without the element itself
    bool reverse = false;     // from the end
};
Tensor cumsum(const Tensor& x, int axis, const CumsumOptions& options = {});

// --- vector quantisation ---
struct Quantised {
    Tensor values;   // [..., D] the nearest rows, gradient straight through to x (arXiv:1711.00937, section 3.2)
    Tensor rows;     // the same rows, gradient to the codebook: what the codebook and commitment losses compare with
    Tensor ids;      // I32 [...]
};
// x [..., D], codebook [K, D]; nearest by squared distance, of equal ones the first.
Quantised vector_quantise(const Tensor& x, const Tensor& codebook);

// --- matrix products and convolution ---
// a [..., M, K] b [..., K, N] -> [..., M, N], leading axes broadcast.
Tensor matmul(const Tensor& a, const Tensor& b);
// "bhqd,bhkd->bhqk": one letter an axis, sums over letters that the result lacks; without "->" the letters that occur once, in
// alphabetical order. "..." stands for leading axes that broadcast. A letter twice in one operand takes its diagonal.
Tensor einsum(const std::string& subscripts, const Tensors& operands);
// A number for every spatial axis, or one for each, outermost first (depth, height, width).
struct PerAxis {
    PerAxis() = default;
    PerAxis(int all) : numbers{all}, count(1) {}
    PerAxis(std::initializer_list<int> each) : PerAxis(std::span(each.begin(), each.size())) {}
    PerAxis(const std::vector<int>& each) : PerAxis(std::span(each)) {}
    std::span<const int> values() const { return std::span(numbers).first(std::min(count, numbers.size())); }

    std::array<int, 3> numbers{};
    std::size_t count = 0;    // as given: more than there are axes are refused by who reads them

private:
    explicit PerAxis(std::span<const int> each) : count(each.size()) { std::copy_n(each.begin(), values().size(), numbers.begin()); }
};
struct ConvOptions {
    PerAxis stride = 1;
    PerAxis pad = 0;          // elements before each axis, and after it unless pad_end says otherwise
    PerAxis pad_end = {};     // causal in time: .pad = {2, 1, 1}, .pad_end = {0, 1, 1}
    PerAxis dilation = 1;
    int groups = 1;
    PadMode mode = PadMode::Zero;
};
// x [N, C, size...] weight [O, C / groups, kernel...] -> [N, O, output...], of 1, 2 and 3 spatial axes.
Tensor conv1d(const Tensor& x, const Tensor& weight, const ConvOptions& options = {});
Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvOptions& options = {});
Tensor conv3d(const Tensor& x, const Tensor& weight, const ConvOptions& options = {});
struct ConvTransposeOptions {
    PerAxis stride = 1;
    PerAxis pad = 0;          // cut off before each axis, and after it unless pad_end says otherwise
    PerAxis pad_end = {};
    PerAxis output_pad = 0;   // elements more at the end, below the stride or the dilation
    PerAxis dilation = 1;
    int groups = 1;
};
// The adjoint of the convolution: x [N, C, size...] weight [C, O / groups, kernel...] -> [N, O, output...] with
// (size - 1) stride - pad - pad_end + dilation (kernel - 1) + output_pad + 1 elements an axis.
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const ConvTransposeOptions& options = {});
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const ConvTransposeOptions& options = {});
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const ConvTransposeOptions& options = {});

// --- attention ---
struct AttentionOptions {
    double scale = 0;            // of the products of queries and keys; 0: 1 / sqrt(D)
    bool causal = false;         // query i sees keys 0 ... i
    std::int64_t window = -1;    // at least 0: query i sees keys i - window ... i + window (with `causal`: ... i)
};
// softmax(scale q k^T + bias) v: q [B, H, Q, D], k [B, Hk, K, D], v [B, Hk, K, Dv] -> [B, H, Q, Dv]. Any strides are read
// in place, so that permute(reshape(x, {B, T, H, D}), {0, 2, 1, 3}) splits heads without a copy; the result lies as
// [B, Q, H, Dv], so that the inverse joins them without one. Scores exist a tile at a time, in the backward pass too.
// Hk divides H: neighbouring heads share keys and values (Hk = 1: all do). A batch of 1 in k and v serves all of B.
// `bias` broadcasts to [B, H, Q, K]: numbers are added (-1e30 and less hides the key), Bool says which keys are seen. A
// query that sees no key gives zeros. Its gradient, where it is wanted, takes memory for all scores.
// Attention in windows of a feature map: cut it into windows, windows into the batch, and attend there (swin, SD-like
// tiling): x [N, C, H, W] -> reshape {N, C, H/w, w, W/w, w} -> permute {0, 2, 4, 3, 5, 1} -> reshape {N HW/w^2, w^2, C}.
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options = {}, const Tensor& bias = {});

// --- normalisation ---
// x [N, C, ...]; mean and variance over C / groups and all trailing axes; weight and bias [C] may be empty.
Tensor group_norm(const Tensor& x, int groups, const Tensor& weight, const Tensor& bias, double eps = 1e-5);
// x [..., C] over its last axis; weight and bias [C] may be empty.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps = 1e-5);
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps = 1e-6);

// --- pictures: x [N, C, H, W] ---
enum class Filter { Nearest, Bilinear, Bicubic, Lanczos, Area };
// Pixel centres at half integers. `antialias` widens the filter when shrinking; Nearest takes floor((i + 0.5) scale).
Tensor resize(const Tensor& x, std::int64_t height, std::int64_t width, Filter filter, bool antialias = true);
Tensor upsample_nearest(const Tensor& x, int factor);
// Gaussian blur with a standard deviation in pixels, borders replicated.
Tensor gaussian_blur(const Tensor& x, double sigma);

// --- frequencies ---
// Complex tensors are F32 with a last axis of 2: real, imaginary. `dims` (1 to 3) counts the transformed axes, the last ones
// before that. Forward transforms have exp(-2 pi i ...) and no factor, inverse ones the factor 1 / (n1 ... nd).
Tensor complex(const Tensor& real, const Tensor& imaginary);
Tensor real_part(const Tensor& z);
Tensor imaginary_part(const Tensor& z);
Tensor conjugate(const Tensor& z);
Tensor complex_multiply(const Tensor& a, const Tensor& b);   // broadcasts
Tensor fft(const Tensor& z, int dims);        // [..., n1, ..., nd, 2] -> the same shape
Tensor ifft(const Tensor& z, int dims);
Tensor rfft(const Tensor& x, int dims);       // real [..., n1, ..., nd] -> [..., n1, ..., nd / 2 + 1, 2]
// Back to real numbers. `length` is nd: the half spectrum alone does not tell nd from nd + 1.
Tensor irfft(const Tensor& z, int dims, std::int64_t length);

// Low-pass masks over the frequencies of [n1, ..., nd], values 0 to 1, in the order of fft's output (zero frequency first).
// A frequency of axis i counts as 2 k / n_i, k from -n_i / 2; with three axes the first is time (arXiv:2312.07537, section 4).
enum class PassBand { Gaussian, Butterworth, Ideal, Box };
struct LowPass {
    PassBand band = PassBand::Butterworth;
    double spatial = 0.25, temporal = 0.25;   // cut-off, 1 is the highest frequency; 0: nothing passes
    int order = 4;                            // Butterworth
    bool published_ideal = true;              // Ideal: d^2 <= 2 spatial, as FreeInit's code has it, instead of d^2 <= spatial^2
};
Tensor low_pass_mask(const Shape& sizes, const LowPass& options = {});
// Re(IFFT(FFT(x) mask)) over the mask's axes, which are x's last.
Tensor filter_frequencies(const Tensor& x, const Tensor& mask);
struct FrequencyParts {
    Tensor low, high;   // they sum to x
};
FrequencyParts split_frequencies(const Tensor& x, const Tensor& mask);
// Linear convolution over the last `dims` axes, x [..., n1, ..., nd] and kernel [..., k1, ..., kd], other axes broadcast; the result
// has x's sizes. Causal: y[n] = sum of kernel[m] x[n - m]; Same: centred on kernel[(k - 1) / 2]; zeros outside.
enum class ConvolutionMode { Causal, Same };
Tensor fft_convolve(const Tensor& x, const Tensor& kernel, int dims, ConvolutionMode mode = ConvolutionMode::Causal);
// gaussian_blur by one 2-D transform: for wide sigmas on large pictures.
Tensor fft_gaussian_blur(const Tensor& x, double sigma);

}  // namespace gpu
