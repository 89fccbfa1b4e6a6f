// Blocks of quantised weights as a tensor. No kernel of its own: to the planner it is another view of the leaf's bytes.
#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

struct Dequantize final : Op {
    Dequantize(BlockFormat format, Shape shape, Dtype dtype) : format(format), shape(std::move(shape)), dtype(dtype) {}
    const BlockFormat format;
    const Shape shape;
    const Dtype dtype;

    std::string_view name() const override { return "dequantize"; }
    Attrs attrs() const override {
        return {{"format", std::string(name_of(format))}, {"shape", shape}, {"dtype", std::string(name_of(dtype))}};
    }

    Spec infer(const Specs& in) const override {
        const std::int64_t count = element_count(shape);
        expect(*this, is_float(dtype), "expected a floating type, got {}", name_of(dtype));
        expect(*this, count % static_cast<std::int64_t>(elements_of(format)) == 0, "expected a multiple of {} elements, got {}",
               elements_of(format), shown(shape));
        const auto bytes = static_cast<std::int64_t>(bytes_of(format, static_cast<std::size_t>(count)));
        expect(*this, in[0].dtype == Dtype::U8 && in[0].shape == Shape{bytes}, "expected U8 [{}] for {} {}, got {}", bytes,
               name_of(format), shown(shape), shown(in[0]));
        return {shape, dtype};
    }

    void lower(KernelBuilder& k) const override { k.kernel().blocks = format; }

    // The elements themselves, for the oracle: unpacked by the host. Blocks are weights, so they have a value.
    Tensor composite(const Tensors& in) const override {
        const StorageRef blocks = in[0].value();
        expect(*this, blocks && (!blocks->host.empty() || blocks->bytes() == 0), "expected blocks that the host holds, got {}",
               shown(in[0].spec()));
        std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
        unpack(format, blocks->host.data(), 0, values);
        return cast(tensor(values, shape), dtype);
    }

    Tensors vjp(const Tensors&, const Tensor&, const Tensor&) const override { return {{}}; }
};

}  // namespace

REGISTER_OP(dequantize, Dequantize)

Tensor dequantize(const Tensor& blocks, BlockFormat format, const Shape& shape, Dtype dtype) {
    return apply_op<Dequantize>({blocks}, format, shape, dtype);
}

}  // namespace gpu
