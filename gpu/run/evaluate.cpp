#include "gpu/run/evaluate.h"

#include <cstring>
#include <memory>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/engine.h"
#include "gpu/run/leaf.h"
#include "gpu/run/oracle.h"
#include "gpu/vulkan/device_scope.h"

namespace gpu {
namespace {

// The engine of the thread's device. A lost device is opened anew, with an engine of its own.
std::shared_ptr<Engine> engine() {
    return std::static_pointer_cast<Engine>(device_companion([](std::shared_ptr<Device> device) { return std::make_shared<Engine>(std::move(device)); }));
}

}  // namespace

void evaluate(const Tensors& tensors, const Tensors& donated) { engine()->evaluate(tensors, donated); }

MemoryForecast forecast(const Tensors& tensors, const Tensors& donated) { return engine()->forecast(tensors, donated); }

PlanCost plan_cost(const Tensors& tensors) { return engine()->plan_cost(tensors); }

EvaluationCounters evaluation_counters() { return engine()->counters(); }

void read(const Tensor& x, std::span<std::byte> into) {
    evaluate({x});
    const StorageRef value = x.value();
    check(into.size() == value->bytes(), ErrorCode::InvalidGraph, "read {}: expected {} bytes, got {}", to_string(x.spec()),
          value->bytes(), into.size());
    reorder(host_bytes(value), into, value->spec, value->order, row_major(x.shape().size()));
}

std::vector<float> to_floats(const Tensor& x) {
    const Tensor wide = x.dtype() == Dtype::F32 ? x : x.value() && x.dtype() != Dtype::I32 && x.dtype() != Dtype::U8 ? x : cast(x, Dtype::F32);
    if (wide.dtype() != Dtype::F32) {
        const std::vector<double> values = read_doubles(wide.value());
        return {values.begin(), values.end()};
    }
    std::vector<float> values(static_cast<std::size_t>(wide.element_count()));
    read(wide, std::as_writable_bytes(std::span(values)));
    return values;
}

std::vector<std::int32_t> to_ints(const Tensor& x) {
    evaluate({x});
    const std::vector<double> values = read_doubles(x.value());
    return {values.begin(), values.end()};
}

double to_number(const Tensor& x) {
    check(x.element_count() == 1, ErrorCode::InvalidGraph, "to_number: expected one element, got {}", to_string(x.spec()));
    evaluate({x});
    return read_doubles(x.value())[0];
}

}  // namespace gpu
