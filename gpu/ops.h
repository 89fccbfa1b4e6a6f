// Every public tensor function. Shapes in brackets; axes may be negative; elementwise functions broadcast as numpy does.
// Errors are thrown while the expression is built: Error{InvalidGraph} with the op and the shapes.
#pragma once

#include <optional>

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
Tensor pad2d(const Tensor& x, int left, int right, int top, int bottom, PadMode mode);   // last two axes
Tensor flip(const Tensor& x, int axis);
Tensor concat(const Tensors& parts, int axis);

// --- matrix products and convolution ---
// a [..., M, K] b [..., K, N] -> [..., M, N], leading axes broadcast.
Tensor matmul(const Tensor& a, const Tensor& b);
struct Conv2dOptions {
    int stride = 1;
    int pad = 0;         // zeros on all four sides
    int dilation = 1;
    int groups = 1;
};
// x [N, C, H, W] weight [O, C / groups, KH, KW] -> [N, O, H', W'].
Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options = {});

// --- normalisation ---
// x [N, C, ...]; mean and variance over C / groups and all trailing axes; weight and bias [C] may be empty.
Tensor group_norm(const Tensor& x, int groups, const Tensor& weight, const Tensor& bias, double eps = 1e-5);

// --- pictures: x [N, C, H, W] ---
enum class Filter { Nearest, Bilinear, Bicubic, Lanczos, Area };
// Pixel centres at half integers. `antialias` widens the filter when shrinking; Nearest takes floor((i + 0.5) scale).
Tensor resize(const Tensor& x, std::int64_t height, std::int64_t width, Filter filter, bool antialias = true);
Tensor upsample_nearest(const Tensor& x, int factor);
// Gaussian blur with a standard deviation in pixels, borders replicated.
Tensor gaussian_blur(const Tensor& x, double sigma);

}  // namespace gpu
