#include "gpu/run/tune.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <sstream>
#include <utility>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/run/plan_runner.h"
#include "gpu/run/traits.h"
#include "gpu/run/tune_effort.h"
#include "gpu/vulkan/cache_file.h"
#include "gpu/vulkan/quirks.h"
#include "gpu/vulkan/shader_text.h"

namespace gpu {
namespace {

constexpr double clear_win = 0.97;      // another variant than the default must beat it by this much

Hash file_key(const Caps& caps) {
    Hasher hasher;
    hasher.add("tuning 1").add(caps.identity());
    for (const ShaderText& shader : embedded_shaders()) hasher.add(shader.path).add(shader.text);
    return hasher.finish();
}

std::int64_t rounded(std::int64_t size) {
    if (size <= 2) return size;
    const auto power = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(size - 1)));
    return size <= power + power / 2 ? power + power / 2 : 2 * power;
}

// The first of `variants` that starts with one of the comma-separated words.
std::string forced(const std::string& words, const std::vector<std::string>& variants) {
    std::istringstream list(words);
    for (std::string word; std::getline(list, word, ',');)
        for (const std::string& variant : variants)
            if (!word.empty() && variant.starts_with(word)) return variant;
    return {};
}

Tensor noise(const Spec& spec) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(element_count(spec.shape)) * size_of(spec.dtype));
    // Small numbers of any floating type: the top byte of each element stays at a modest exponent. The same ones again and again.
    const std::size_t drawn = std::min<std::size_t>(bytes.size(), 1 << 16);
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < drawn; ++i) {
        state = state * 1664525u + 1013904223u;
        const bool top = i % size_of(spec.dtype) + 1 == size_of(spec.dtype);
        bytes[i] = static_cast<std::byte>(top ? 0x30 | (state >> 31) << 7 : state >> 24);
    }
    for (std::size_t at = drawn; at < bytes.size(); at += drawn)
        std::copy_n(bytes.begin(), std::min(drawn, bytes.size() - at), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    const auto owner = std::make_shared<std::vector<std::byte>>(std::move(bytes));
    return leaf(spec, *owner, owner);
}

}  // namespace

// The outermost measurement's time is that of those inside of it, too.
class Tuner::Stopwatch {
public:
    explicit Stopwatch(Tuner& tuner) : tuner_(tuner) { ++tuner_.depth_; }
    ~Stopwatch() {
        if (--tuner_.depth_ == 0) tuner_.seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

private:
    Tuner& tuner_;
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Tuner::Tuner(std::shared_ptr<Device> device, bool measure)
    : device_(std::move(device)), measure_(measure), key_(file_key(device_->caps())),
      path_(format("tuning/{}.txt", hash_text(device_->caps().identity()).hex())) {
    load();
}

bool Tuner::may_measure(const Device& device) {
    return switches().tune && !switches().validation && !switches().sync_validation &&
           !device.caps().software && !quirks_of(device.caps()).executes_nothing;
}

VariantChooser Tuner::chooser() {
    return [this](const std::shared_ptr<const Op>& op, const Specs& in, const std::vector<std::string>& variants) {
        return choose(op, in, variants);
    };
}

std::string Tuner::class_of(const Op& op, const Specs& in) {
    std::string text = op.text();
    for (const Spec& spec : in) {
        Shape shape = spec.shape;
        for (std::int64_t& size : shape) size = rounded(size);
        text += format(" {} {}", name_of(spec.dtype), to_string(shape));
    }
    return text;
}

std::string Tuner::choose(const std::shared_ptr<const Op>& op, const Specs& in, const std::vector<std::string>& variants) {
    if (const std::string name = forced(switches().variant, variants); !name.empty()) return name;
    if (!switches().tune) return variants[0];
    // What was fastest among fewer variants says nothing about all of them.
    const std::string shapes = class_of(*op, in) + (switches().fast.empty() ? "" : " fast " + switches().fast);
    if (const auto known = choices_.find(shapes);
        known != choices_.end() && std::find(variants.begin(), variants.end(), known->second) != variants.end())
        return known->second;
    if (!measure_) return variants[0];
    const std::string best = measured(op, in, variants);
    choices_[shapes] = best;
    save();
    return best;
}

std::string Tuner::measured(const std::shared_ptr<const Op>& op, const Specs& in, const std::vector<std::string>& variants) {
    const Span span("run", "tune", std::string(op->name()));
    const std::vector<std::string> names = worth_measuring(variants, device_->caps().software);
    if (names.size() == 1) return names[0];
    const Stopwatch watch(*this);
    Tensors leaves;
    for (const Spec& spec : in) leaves.push_back(noise(spec));
    const TensorGraph graph = collect({apply_op(op, leaves)});
    // A driver that cannot build or run one variant still has the others.
    const auto tried = [&](const std::string& name, auto what) {
        try {
            what();
        } catch (const Error& error) {
            if (error.code() == ErrorCode::Cancelled || error.code() == ErrorCode::DeviceLost) throw;
            log("tune", LogLevel::Warning, "{} by {}: {}", class_of(*op, in), name, error.what());
        }
    };
    std::vector<std::pair<std::string, Program>> plans;
    for (const std::string& name : names) tried(name, [&] { plans.emplace_back(name, plan_of(op, graph, name)); });
    compile(plans);

    std::string best = names[0];
    double least = 0;
    Residency residency(device_);   // one copy of the numbers for all
    for (auto& [name, program] : plans)
        tried(name, [&, &name = name, &program = program] {
            const double time = seconds(graph, std::move(program), residency, least);
            log("tune", LogLevel::Debug, "{} by {}: {} us", class_of(*op, in), name, time * 1e6);
            if (least != 0 && time >= least * clear_win) return;
            least = time;
            best = name;
        });
    ++measurements_;
    return best;
}

Program Tuner::plan_of(const std::shared_ptr<const Op>& op, const TensorGraph& graph, const std::string& variant) {
    // A variant of several ops has products of its own, which are chosen in their turn.
    const VariantChooser chooser = [&](const std::shared_ptr<const Op>& one, const Specs& specs, const std::vector<std::string>& names) {
        return one == op ? variant : choose(one, specs, names);
    };
    return make_plan(graph, traits_of(device_->caps()), false, chooser);
}

// All at once, by as many threads as there are. What fails is tried again alone, and complained of then.
void Tuner::compile(const std::vector<std::pair<std::string, Program>>& plans) {
    std::vector<PipelineKey> keys;
    for (const auto& plan : plans)
        for (const Step& step : plan.second.steps)
            if (step.kind != Step::Host && step.kind != Step::Recorded) keys.push_back(pipeline_key(step));
    try {
        device_->pipelines(keys);
    } catch (const Cancelled&) {
        throw;
    } catch (const Error&) {
    }
}

double Tuner::seconds(const TensorGraph& graph, Program program, Residency& residency, double best) {
    DeviceRate rate(device_->caps());
    PlanRunner runner(device_, std::move(program), rate);
    const std::size_t arena_bytes = runner.program().arena_bytes;
    const PlanRunner::Memory memory{residency, arena_bytes ? device_->allocate(arena_bytes) : nullptr, {{0, runner.program().steps.size()}}};
    EvaluationCounters counters;
    runner.time_on_device();
    return least_seconds(
        [&] {
            const auto start = std::chrono::steady_clock::now();
            runner.run(graph.leaves, graph.scalars, memory, counters);
            const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            return runner.device_seconds() > 0 ? runner.device_seconds() : wall;
        },
        best);
}

void Tuner::report() {
    if (measurements_ == reported_) return;
    log("tune", LogLevel::Info, "measured the kernels of {} classes of shapes in {} s", measurements_ - reported_, seconds_);
    reported_ = measurements_;
    seconds_ = 0;
}

// Lines of class, tab, variant.
void Tuner::load() {
    const auto payload = read_cache_file(path_, key_);
    if (!payload) return;
    std::istringstream lines(std::string(reinterpret_cast<const char*>(payload->data()), payload->size()));
    for (std::string line; std::getline(lines, line);)
        if (const auto tab = line.find('\t'); tab != std::string::npos) choices_[line.substr(0, tab)] = line.substr(tab + 1);
}

void Tuner::save() const {
    std::string text;
    for (const auto& [shapes, variant] : choices_) text += shapes + "\t" + variant + "\n";
    write_cache_file(path_, key_, std::as_bytes(std::span(text)));
}

}  // namespace gpu
