#include "tests/support/op_cases.h"

#include <map>
#include <random>

namespace tests {
namespace {

std::map<std::string, FillCases>& registry() {
    static std::map<std::string, FillCases> instance;
    return instance;
}

}  // namespace

OpCases& OpCases::add(OpCase one, std::function<gpu::Tensor(const gpu::Tensors&)> make) {
    one.make = std::move(make);
    for (const gpu::Shape& shape : one.in) one.name += (one.name.empty() ? "" : " ") + gpu::to_string(shape);
    one.name += " #" + std::to_string(cases_.size());
    cases_.push_back(std::move(one));
    return *this;
}

bool add_op_cases(const std::string& op, FillCases fill) { return registry().emplace(op, fill).second; }

std::vector<std::pair<std::string, OpCases>> all_op_cases() {
    std::vector<std::pair<std::string, OpCases>> result;
    for (const auto& [op, fill] : registry()) {
        result.emplace_back(op, OpCases());
        fill(result.back().second);
    }
    return result;
}

std::vector<float> random_floats(std::size_t count, std::uint64_t seed, double low, double high) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<double> uniform(low, high);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(uniform(generator));
    return values;
}

gpu::Tensor random_tensor(const gpu::Shape& shape, std::uint64_t seed, double low, double high) {
    return gpu::tensor(random_floats(static_cast<std::size_t>(gpu::element_count(shape)), seed, low, high), shape);
}

}  // namespace tests
