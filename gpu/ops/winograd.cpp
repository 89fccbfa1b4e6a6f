#include "gpu/ops/winograd.h"

#include <algorithm>

#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

const std::string plain_name = "winograd", half_name = "winograd_half";
constexpr std::int64_t matrices = 16;   // elements of a transformed tile
// Below, the transforms cost more than the products save: each moves about 5 elements a pixel and channel.
constexpr std::int64_t fewest_channels = 32, fewest_tiles = 64;
constexpr std::int64_t most_bytes = 256 << 20;   // of transformed values, which the other kernels have no need of

// Of 2 x 2 pixels of the result, the last ones of a row or column cut off where the size is odd.
struct Tiles {
    std::int64_t rows = 0, columns = 0, all = 0;
    explicit Tiles(const Shape& out) : rows((out[2] + 1) / 2), columns((out[3] + 1) / 2), all(out[0] * rows * columns) {}
};

// The transforms as matrices, by the paper's names: what the shaders write out.
struct Matrix {
    std::int64_t rows = 0, columns = 0;
    std::vector<float> values;
};
const Matrix& input_matrix() {    // B^T
    static const Matrix m{4, 4, {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1}};
    return m;
}
const Matrix& weight_matrix() {   // G
    static const Matrix m{4, 3, {1, 0, 0, 0.5f, 0.5f, 0.5f, 0.5f, -0.5f, 0.5f, 0, 0, 1}};
    return m;
}
const Matrix& output_matrix() {   // A^T
    static const Matrix m{2, 4, {1, 1, 1, 0, 0, 1, -1, -1}};
    return m;
}

// scale * m x m^T for square matrices x [columns^2, any], which gives [rows^2, any].
Tensor both_sides(const Matrix& m, float scale, const Tensor& x) {
    std::vector<float> product;
    for (std::int64_t i = 0; i < m.rows * m.rows; ++i)
        for (std::int64_t k = 0; k < m.columns * m.columns; ++k)
            product.push_back(scale * m.values[i / m.rows * m.columns + k / m.columns] * m.values[i % m.rows * m.columns + k % m.columns]);
    return matmul(tensor(product, {m.rows * m.rows, m.columns * m.columns}), x);
}

Dtype transformed_type(const std::string& variant) { return variant == half_name ? Dtype::F16 : Dtype::F32; }

// w [O, C, 3, 3] -> [16, O, C]: G g G^T of each kernel g, for the adjoint of the kernel turned by half a turn.
struct WinogradWeight final : Op {
    WinogradWeight(bool turned, std::string variant) : turned(turned), variant(std::move(variant)) {}
    const bool turned;
    const std::string variant;

    std::string_view name() const override { return "winograd_weight"; }
    Attrs attrs() const override { return {{"turned", std::int64_t{turned}}, {"variant", variant}}; }
    Spec infer(const Specs& in) const override { return {{matrices, in[0].shape[0], in[0].shape[1]}, transformed_type(variant)}; }
    void lower(KernelBuilder& k) const override {
        const Shape& w = k.in_spec(0).shape;
        k.kernel().variant = variant;
        k.shader("winograd_weight").in(0, row_major(4)).in_blocks().out(row_major(3));
        if (turned) k.define("TURNED");
        k.elements(w[0] * w[1]).flop(28.0 * static_cast<double>(w[0] * w[1]));
    }
    Tensor composite(const Tensors& in) const override {
        const std::int64_t o = in[0].size(0), c = in[0].size(1);
        const Tensor taps = reshape(cast(in[0], Dtype::F32), {o * c, 9});
        return cast(reshape(both_sides(weight_matrix(), 1, transpose(turned ? flip(taps, 1) : taps, 0, 1)), {matrices, o, c}), transformed_type(variant));
    }
};

// x [N, C, H, W] -> [16, tiles, C]: a quarter of B^T d B of each window d of 4 x 4 pixels, one every 2 pixels. Sums of four
// halves could be too large for one; their quarter never is.
struct WinogradInput final : Op {
    WinogradInput(Shape before, const Shape& out, std::string variant) : before(std::move(before)), out(out), tiles(out), variant(std::move(variant)) {}
    const Shape before;   // zeros above and left of the map
    const Shape out;      // of the convolution
    const Tiles tiles;
    const std::string variant;

    std::string_view name() const override { return "winograd_input"; }
    Attrs attrs() const override { return {{"before", before}, {"out", out}, {"variant", variant}}; }
    Spec infer(const Specs& in) const override { return {{matrices, tiles.all, in[0].shape[1]}, transformed_type(variant)}; }
    void lower(KernelBuilder& k) const override {
        const Shape& x = k.in_spec(0).shape;
        const std::int64_t count = tiles.all * x[1];
        k.kernel().variant = variant;
        k.shader("winograd_input").in(0, channels_last(4)).out(row_major(3)).elements(count);
        k.push(x[1]).push(x[2]).push(x[3]).push(tiles.rows).push(tiles.columns).push(before[0]).push(before[1]);
        k.flop(32.0 * static_cast<double>(count));
    }
    Tensor composite(const Tensors& in) const override {
        Tensor x = cast(in[0], Dtype::F32);
        const std::int64_t n = x.size(0), c = x.size(1), most[] = {2 * tiles.rows + 2, 2 * tiles.columns + 2};
        for (int axis = 2; axis < 4; ++axis) {   // brought to the pixels that windows meet
            const std::int64_t above = before[axis - 2], below = most[axis - 2] - above - x.size(axis);
            Shape first(4, 0), last(4, 0);
            first[axis] = std::max<std::int64_t>(above, 0);
            last[axis] = std::max<std::int64_t>(below, 0);
            x = pad(x, first, last);
            const std::int64_t start = std::max<std::int64_t>(-above, 0);
            x = slice(x, axis, start, start + most[axis - 2]);
        }
        Tensors windows;
        for (std::int64_t i = 0; i < matrices; ++i) {
            const Tensor rows = slice(x, 2, i / 4, i / 4 + 2 * tiles.rows - 1, 2);
            windows.push_back(reshape(slice(rows, 3, i % 4, i % 4 + 2 * tiles.columns - 1, 2), {1, n * c * tiles.rows * tiles.columns}));
        }
        const Tensor v = reshape(both_sides(input_matrix(), 0.25f, concat(windows, 0)), {matrices, n, c, tiles.rows * tiles.columns});
        return cast(reshape(transpose(v, 2, 3), {matrices, tiles.all, c}), transformed_type(variant));
    }
};

// m [16, tiles, O] -> [N, O, H, W]: four times A^T m A of each tile.
struct WinogradOutput final : Op {
    WinogradOutput(Spec out, std::string variant) : out(std::move(out)), tiles(this->out.shape), variant(std::move(variant)) {}
    const Spec out;
    const Tiles tiles;
    const std::string variant;

    std::string_view name() const override { return "winograd_output"; }
    Attrs attrs() const override {
        return {{"out", out.shape}, {"dtype", std::string(name_of(out.dtype))}, {"variant", variant}};
    }
    Spec infer(const Specs&) const override { return out; }
    void lower(KernelBuilder& k) const override {
        const std::int64_t count = tiles.all * out.shape[1];
        k.kernel().variant = variant;
        k.shader("winograd_output").in(0, row_major(3)).out(channels_last(4)).with_epilogue().elements(count);
        k.push(out.shape[1]).push(out.shape[2]).push(out.shape[3]).push(tiles.rows).push(tiles.columns);
        k.flop(24.0 * static_cast<double>(count));
    }
    Tensor composite(const Tensors& in) const override {
        const std::int64_t n = out.shape[0], o = out.shape[1];
        const Tensor pixels = both_sides(output_matrix(), 4, reshape(cast(in[0], Dtype::F32), {matrices, tiles.all * o}));
        const Tensor y = reshape(permute(reshape(pixels, {2, 2, n, tiles.rows, tiles.columns, o}), {2, 5, 3, 0, 4, 1}), {n, o, 2 * tiles.rows, 2 * tiles.columns});
        return cast(slice(slice(y, 2, 0, out.shape[2]), 3, 0, out.shape[3]), out.dtype);
    }
};

}  // namespace

std::vector<std::string> winograd_variants(const ConvGeometry& g, const Specs& in, const Spec& out) {
    const Shape &x = in[0].shape, &w = in[1].shape, &y = out.shape;
    const auto ones = [](const Shape& list) { return std::all_of(list.begin(), list.end(), [](auto i) { return i == 1; }); };
    if (g.rank() != 2 || g.groups != 1 || !ones(g.stride) || !ones(g.dilation) || spatial(w) != Shape{3, 3}) return {};
    const std::int64_t tiles = Tiles(y).all;
    if (std::min(x[1], y[1]) < fewest_channels || tiles < fewest_tiles) return {};
    const auto fits = [&](const std::string& name) {
        return matrices * (tiles * (x[1] + y[1]) + x[1] * y[1]) * static_cast<std::int64_t>(size_of(transformed_type(name))) <= most_bytes;
    };
    std::vector<std::string> names;
    if (fits(plain_name)) names.push_back(plain_name);
    if (in[0].dtype == Dtype::F16 && in[1].dtype == Dtype::F16 && fits(half_name)) names.push_back(half_name);
    return names;
}

bool is_winograd(const std::string& variant) { return variant == plain_name || variant == half_name; }

Tensor winograd_graph(bool adjoint, const ConvGeometry& g, const Tensors& in, const Spec& out, const std::string& variant) {
    Shape before = g.before;
    if (adjoint)
        for (std::int64_t& zeros : before) zeros = 2 - zeros;   // below 0: the first window begins inside
    const Tensor weight = apply_op<WinogradWeight>({in[1]}, adjoint, variant);               // [16, O, C]
    const Tensor map = apply_op<WinogradInput>({in[0]}, before, out.shape, variant);         // [16, tiles, C or O]
    const Tensor products = matmul(map, adjoint ? weight : transpose(weight, 1, 2));         // [16, tiles, O or C]
    return apply_op<WinogradOutput>({products}, out, variant);
}

}  // namespace gpu
