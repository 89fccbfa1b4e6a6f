#include "app/model/tensor_facts.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/base/format.h"
#include "gpu/base/log.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"

namespace app {
namespace {

constexpr std::int64_t most_elements = 256LL << 20;

void measure(TensorFacts& facts, const std::vector<float>& values) {
    facts.count = values.size();
    facts.min = HUGE_VAL, facts.max = -HUGE_VAL;
    double sum = 0;
    std::uint64_t finite = 0;
    for (const float v : values) {
        if (std::isnan(v)) {
            ++facts.nans;
        } else if (std::isinf(v)) {
            ++facts.infinities;
        } else {
            facts.min = std::min<double>(facts.min, v), facts.max = std::max<double>(facts.max, v);
            sum += v;
            ++finite;
        }
    }
    if (!finite) {
        facts.min = facts.max = 0;
        return;
    }
    facts.mean = sum / static_cast<double>(finite);
    double squares = 0;
    for (const float v : values)
        if (std::isfinite(v)) squares += (v - facts.mean) * (v - facts.mean);
    facts.deviation = std::sqrt(squares / static_cast<double>(finite));
}

}  // namespace

std::vector<TensorFacts> tensor_facts(const nodes::Value& value) {
    std::vector<TensorFacts> all;
    try {
        const auto stored = value.stored();
        if (!stored) return {};
        for (const auto& [name, tensor] : stored->tensors) {
            TensorFacts facts{.name = name, .dtype = std::string(gpu::name_of(tensor.dtype()))};
            for (const std::int64_t side : tensor.shape()) facts.shape += (facts.shape.empty() ? "" : " x ") + gpu::format("{}", side);
            if (facts.shape.empty()) facts.shape = "scalar";
            if (tensor.element_count() <= most_elements) try {
                    measure(facts, gpu::to_floats(gpu::is_float(tensor.dtype()) ? tensor : gpu::cast(tensor, gpu::Dtype::F32)));
                    facts.read = true;
                } catch (const gpu::Error&) {  // quantised: what it is made of has no plain numbers
                }
            all.push_back(std::move(facts));
        }
    } catch (const std::exception& error) {
        gpu::log("editor", gpu::LogLevel::Warning, "look into a {}: {}", value.type()->name, error.what());
    }
    return all;
}

}  // namespace app
