#include "gpu/run/evaluate.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/ops.h"
#include "gpu/run/leaf.h"
#include "gpu/run/oracle.h"
#include "gpu/run/plan_runner.h"

namespace gpu {
namespace {

constexpr std::size_t kept_plans = 256;

DeviceTraits traits_of(const Caps& caps) {
    DeviceTraits traits;
    traits.host_kernels = caps.unified_memory && caps.type == DeviceType::Cpu && switches().host;
    if (caps.type == DeviceType::Cpu) {
        traits.lanes = std::max(1u, caps.subgroup_size);
        traits.elements_per_lane = 256;
    }
    traits.storage16 = caps.storage16 && switches().small_storage;
    traits.storage8 = caps.storage8 && switches().small_storage;
    traits.max_push_bytes = caps.max_push_bytes;
    traits.max_groups = caps.max_groups_x;
    traits.max_shared_bytes = caps.max_shared_bytes;
    return traits;
}

// The plans of one device, least recently used first to go, and the arena that they share: evaluations on one device
// follow one another, so one arena serves all of them.
class Engine {
public:
    void evaluate(const Tensors& tensors, const Tensors& donated) {
        const std::lock_guard lock(mutex_);
        Tensors missing;
        for (const Tensor& tensor : tensors) {
            check(static_cast<bool>(tensor), ErrorCode::InvalidGraph, "evaluate: a tensor is empty");
            const auto same = [&](const Tensor& other) { return other.same_as(tensor); };
            if (!tensor.value() && std::none_of(missing.begin(), missing.end(), same)) missing.push_back(tensor);
        }
        if (missing.empty()) return;
        check_cancelled();
        if (switches().checks("oracle")) {
            check_each(missing);
        } else {
            run(missing, donated);
        }
        for (const Tensor& tensor : donated) drop_value(tensor);
    }

    EvaluationCounters counters() {
        const std::lock_guard lock(mutex_);
        return counters_;
    }

private:
    void run(const Tensors& outputs, const Tensors& donated = {}) {
        const Span span("run", "evaluate");
        Device& device = Device::current();
        if (&device != device_) {
            plans_.clear();
            recent_.clear();
            arena_ = nullptr;
            device_ = &device;
        }
        ++counters_.evaluations;
        const TensorGraph graph = collect(outputs, donated);
        PlanRunner& runner = plan_for(graph, device);
        counters_.arena_bytes = runner.program().arena_bytes;
        if (runner.program().arena_bytes > (arena_ ? arena_->size() : 0)) {
            arena_ = nullptr;   // give the old one back first
            arena_ = device.allocate(runner.program().arena_bytes);
        }
        std::optional<CancelScope> whole;
        if (!donated.empty()) whole.emplace(CancelToken());   // no cancel half way
        std::vector<StorageRef> values;
        try {
            values = runner.run(graph.leaves, graph.scalars, arena_, counters_);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::OutOfMemory)   // which comes before anything is written
                for (const Tensor& tensor : donated) drop_value(tensor);
            throw;
        }
        for (std::size_t i = 0; i < outputs.size(); ++i) set_value(outputs[i], values[i]);
    }

    PlanRunner& plan_for(const TensorGraph& graph, Device& device) {
        const DeviceTraits traits = traits_of(device.caps());
        const Hash key = Hasher().add(graph.structure).add(traits.host_kernels).add(traits.storage16).add(switches().fuse).add(switches().shader_dir).finish();
        if (const auto found = plans_.find(key); found != plans_.end() && switches().plan_cache) {
            ++counters_.plan_hits;
            recent_.splice(recent_.end(), recent_, found->second.place);
            return *found->second.runner;
        }
        ++counters_.plans_made;
        auto runner = std::make_unique<PlanRunner>(device, make_plan(graph, traits, switches().fuse));
        if (switches().debug >= 1)
            log_message("plan", LogLevel::Info, format("{} on {}: {} steps, arena {} bytes", key.hex().substr(0, 12), device.caps().name,
                                                       runner->program().steps.size(), runner->program().arena_bytes));
        if (const auto old = plans_.find(key); old != plans_.end()) forget(old);
        if (plans_.size() >= kept_plans) forget(plans_.find(recent_.front()));
        const auto place = recent_.insert(recent_.end(), key);
        return *(plans_[key] = {std::move(runner), place}).runner;
    }

    // HEDDLE_CHECK=oracle: every kernel op alone against its composite in double precision.
    void check_each(const Tensors& outputs) {
        const TensorGraph graph = collect(outputs);
        for (const Tensor& node : graph.nodes) {
            if (node.value() || !node.op()) continue;
            const Tensors inputs = node.inputs();
            const std::string place = node.op()->text() + " " + to_string(node.spec());
            if (node.op()->kind() != OpKind::Kernel || node.element_count() > (1 << 20)) {
                run({node});
                continue;
            }
            const std::vector<double> expected = oracle_of(*node.op(), inputs);
            run({node});
            const double error = relative_error(read_doubles(node.value()), expected);
            check(error < 1e-3, ErrorCode::Numeric, "{}: differs from its composite by {} (relative L2)", place, error);
        }
    }

    struct Entry {
        std::unique_ptr<PlanRunner> runner;
        std::list<Hash>::iterator place;
    };
    void forget(std::unordered_map<Hash, Entry>::iterator entry) {
        recent_.erase(entry->second.place);
        plans_.erase(entry);
    }

    std::mutex mutex_;
    Device* device_ = nullptr;
    std::unordered_map<Hash, Entry> plans_;
    std::list<Hash> recent_;
    BufferRef arena_;
    EvaluationCounters counters_;
};

Engine& engine() {
    static Device& device_outlives_plans = Device::current();
    (void)device_outlives_plans;
    static Engine instance;
    return instance;
}

}  // namespace

void evaluate(const Tensors& tensors, const Tensors& donated) { engine().evaluate(tensors, donated); }

EvaluationCounters evaluation_counters() { return engine().counters(); }

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
