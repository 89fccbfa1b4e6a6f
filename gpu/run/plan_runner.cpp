#include "gpu/run/plan_runner.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/run/leaf.h"

namespace gpu {
namespace {

constexpr std::size_t kept_recordings = 4;
// A segment ends after about this much traffic, so that a cancel is seen in time and no desktop's GPU is held for long.
constexpr double segment_bytes = 256 << 20;

// "@conv2d\n<defines>\n@\n<functions>" names shaders/conv2d.comp with an epilogue: the macros go before the includes, the
// function before main.
std::string complete_source(const std::string& source) {
    if (source.empty() || source[0] != '@') return source;
    const std::size_t line = source.find('\n');
    std::string text = shader_source(source.substr(1, line - 1) + ".comp");
    if (line == std::string::npos) return text;
    const std::size_t mark = source.find("\n@\n", line);
    const std::string macros = source.substr(line + 1, mark - line), function = source.substr(mark + 3);
    text.insert(text.find("void main"), function + "\n");
    return text.insert(text.find('\n', text.find("#version")) + 1, macros);
}

std::uint32_t scalar_word(double value, Dtype dtype) {
    switch (dtype) {
        case Dtype::I32: return static_cast<std::uint32_t>(static_cast<std::int32_t>(value));
        case Dtype::U8: case Dtype::Bool: return static_cast<std::uint32_t>(value);
        default: return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    }
}

}  // namespace

PlanRunner::PlanRunner(Device& device, Program program)
    : device_(device), program_(std::move(program)), pipelines_(program_.steps.size()), host_state_(program_.steps.size()) {
    const Span span("pass", "pipelines");
    std::vector<PipelineKey> keys;
    std::vector<std::size_t> steps;
    for (std::size_t s = 0; s < program_.steps.size(); ++s) {
        const Step& step = program_.steps[s];
        if (step.kind == Step::Host) continue;
        const std::string name = step.label.substr(0, step.label.find(' '));
        keys.push_back({name, complete_source(step.source), step.defines, step.constants,
                        static_cast<std::uint32_t>((push_size_of(step.push) + 3) / 4 * 4)});
        steps.push_back(s);
    }
    const std::vector<PipelineRef> made = device_.pipelines(keys);
    for (std::size_t i = 0; i < made.size(); ++i) pipelines_[steps[i]] = made[i];
}

std::vector<std::uint64_t> PlanRunner::Bindings::signature() const {
    std::vector<std::uint64_t> words = address;
    for (const double scalar : scalars) words.push_back(std::bit_cast<std::uint64_t>(scalar));
    for (const auto& step : reordered)
        for (const BufferRef& buffer : step) words.push_back(buffer ? buffer->address() : 0);
    return words;
}

PlanRunner::Bindings PlanRunner::bind(const std::vector<StorageRef>& leaves, const std::vector<double>& scalars,
                                      const BufferRef& arena) {
    Bindings b;
    const std::size_t count = program_.nodes.size();
    b.root.resize(count);
    b.address.resize(count, 0);
    b.host.resize(count, nullptr);
    b.reordered.resize(program_.steps.size());
    b.output.resize(program_.outputs.size());
    for (const PlanLeaf& leaf : program_.leaves) b.leaf.push_back(leaf.external >= 0 ? leaves[leaf.external] : leaf.owned);
    for (const PlanScalar& scalar : program_.scalars) b.scalars.push_back(scalar.external >= 0 ? scalars[scalar.external] : scalar.owned);

    const auto set = [&](std::size_t node, const BufferRef& buffer, std::size_t offset) {
        b.root[node] = buffer;
        b.address[node] = buffer->address() + offset;
        b.host[node] = buffer->mapped() ? buffer->mapped() + offset : nullptr;
    };
    for (std::size_t s = 0; s < program_.steps.size(); ++s) {
        const Step& step = program_.steps[s];
        b.reordered[s].resize(step.reads.size());
        for (std::size_t r = 0; r < step.reads.size(); ++r) {
            const Operand& read = step.reads[r];
            const PlanNode& root = program_.nodes[read.root];
            if (root.leaf < 0) continue;
            if (!read.leaf_order.empty() && read.leaf_order != root.order) {
                b.reordered[s][r] = device_copy(device_, b.leaf[root.leaf], read.leaf_order);
            } else if (!b.root[read.root]) {
                set(read.root, device_copy(device_, b.leaf[root.leaf], {}), 0);
            }
        }
    }
    for (std::size_t n = 0; n < count; ++n) {
        const Placement& place = program_.placements[n];
        if (place.kind == Placement::Arena && place.size > 0) set(n, arena, place.offset);
        if (place.kind == Placement::Output) {
            b.output[place.output] = place.donor >= 0 ? device_copy(device_, b.leaf[program_.nodes[place.donor].leaf], {})
                                                      : device_.allocate(std::max<std::size_t>(place.size, 4));
            set(n, b.output[place.output], 0);
        }
    }
    return b;
}

std::vector<std::byte> PlanRunner::push_block(const Step& step, std::size_t index, const Bindings& b) const {
    std::vector<std::byte> block;
    const auto append = [&](const auto& value) {
        const std::size_t at = (block.size() + sizeof value - 1) / sizeof value * sizeof value;
        block.resize(at + sizeof value);
        std::memcpy(block.data() + at, &value, sizeof value);
    };
    for (const PushItem& item : step.push) {
        switch (item.kind) {
            case PushItem::ReadAddress:
            case PushItem::ReadView: {
                const Operand& read = step.reads[item.value];
                const BufferRef& copy = b.reordered[index][item.value];
                const std::uint64_t offset = item.kind == PushItem::ReadView ? read.byte_offset() : 0;
                append((copy ? copy->address() : b.address[read.root]) + offset);
                break;
            }
            case PushItem::WriteAddress: append(b.address[step.result]); break;
            case PushItem::Word: append(item.value); break;
            case PushItem::Scalar: append(scalar_word(b.scalars[item.value], item.dtype)); break;
        }
    }
    block.resize((block.size() + 3) / 4 * 4);
    return block;
}

PlanRunner::Recording PlanRunner::record(const Bindings& bindings, bool timed) {
    const Span span("pass", "record");
    const bool alone = switches().serial || switches().checks("nan");
    Recording recording;
    CommandsRef open;
    std::size_t first = 0;
    double bytes = 0;   // in the open segment
    const auto close = [&](std::size_t last) {
        if (!open) return;
        open->end();
        recording.segments.push_back({open, first, last, std::exchange(bytes, 0)});
        open = nullptr;
    };
    for (std::size_t s = 0; s < program_.steps.size(); ++s) {
        const Step& step = program_.steps[s];
        if (step.kind == Step::Host) {
            close(s);
            recording.segments.push_back({nullptr, s, s + 1});
            continue;
        }
        if (std::find(step.groups.begin(), step.groups.end(), 0u) != step.groups.end()) continue;   // an empty tensor
        if (!open) {
            open = device_.record(timed);
            first = s;
            // What earlier submissions and the host wrote is visible by the submission itself and its semaphore.
        } else if (step.barrier) {
            open->barrier();
        }
        open->dispatch(pipelines_[s], push_block(step, s, bindings), step.groups, step.label);
        bytes += step.bytes;
        if (alone || bytes > segment_bytes) close(s + 1);
    }
    close(program_.steps.size());
    return recording;
}

HostOperand PlanRunner::host_operand(const Operand& operand, std::size_t step, std::size_t read, const Bindings& b) const {
    HostOperand result;
    const bool is_read = read != SIZE_MAX;
    const BufferRef copy = is_read ? b.reordered[step][read] : nullptr;
    std::byte* base = copy ? copy->mapped() : b.host[operand.root];
    check(base != nullptr, ErrorCode::Failure, "host kernel {}: an operand is not visible to the host", program_.steps[step].label);
    result.data = base + operand.byte_offset();
    result.shape = operand.view.shape;
    result.strides = operand.view.strides;
    result.dtype = operand.dtype;
    result.blocks = operand.blocks;
    const PlanNode& root = program_.nodes[operand.root];
    if (is_read && root.leaf >= 0 && operand.view.offset == 0 && operand.view.shape == root.spec.shape && root.view.strides == operand.view.strides)
        result.leaf = b.leaf[root.leaf];
    return result;
}

void PlanRunner::run_host(std::size_t index, const Bindings& b) {
    const Step& step = program_.steps[index];
    const Kernel& kernel = *program_.nodes[step.core].kernel;
    const Span span("kernel", step.label);
    HostCall call{kernel, {}, host_operand(step.write, index, SIZE_MAX, b), step.post_ops, {}, host_state_[index]};
    for (std::size_t r = 0; r < step.reads.size(); ++r)
        (r < kernel.host_inputs.size() ? call.in : call.post_operands).push_back(host_operand(step.reads[r], index, r, b));
    for (PostOp& post : call.post_ops)
        if (post.operand >= 0) post.operand -= static_cast<int>(kernel.host_inputs.size());
    host_kernel(kernel.host)(call);
}

void PlanRunner::check_finite(std::size_t index, const Bindings& b) const {
    const Step& step = program_.steps[index];
    const PlanNode& result = program_.nodes[step.result];
    if (result.spec.dtype != Dtype::F32 || !b.host[step.result]) return;
    const auto* values = reinterpret_cast<const float*>(b.host[step.result]);
    for (std::int64_t i = 0; i < element_count(result.spec.shape); ++i)
        check(std::isfinite(values[i]), ErrorCode::Numeric, "{}: expected finite numbers, got {} at element {}", step.label, values[i], i);
}

void PlanRunner::report(const Step& step, std::int64_t nanoseconds) const {
    const double us = static_cast<double>(nanoseconds) * 1e-3;
    if (switches().debug < 2) return;
    log_message("kernel", LogLevel::Info, format("{} us  {} GB/s  {} GFLOP/s  {}", us, step.bytes / us * 1e-3, step.flop / us * 1e-3, step.label));
}

std::vector<StorageRef> PlanRunner::run(const std::vector<StorageRef>& leaves, const std::vector<double>& scalars,
                                        const BufferRef& arena, EvaluationCounters& counters) {
    const Bindings bindings = bind(leaves, scalars, arena);
    const bool timed = switches().debug >= 2 || tracing();
    const std::vector<std::uint64_t> signature = bindings.signature();
    auto recording = std::find_if(recordings_.begin(), recordings_.end(),
                                  [&](const Recording& known) { return known.signature == signature; });
    if (recording == recordings_.end() || timed) {
        if (recording != recordings_.end()) recordings_.erase(recording);
        if (recordings_.size() >= kept_recordings)
            recordings_.erase(std::min_element(recordings_.begin(), recordings_.end(),
                                               [](const auto& a, const auto& b) { return a.last_used < b.last_used; }));
        recordings_.push_back(record(bindings, timed));
        recording = recordings_.end() - 1;
        recording->signature = signature;
        ++counters.recordings;
    } else {
        ++counters.replays;
    }
    recording->last_used = ++clock_;

    const bool check_nan = switches().checks("nan");
    std::uint64_t pending = 0;
    for (std::size_t i = 0; i < recording->segments.size(); ++i) {
        const Segment& segment = recording->segments[i];
        const std::int64_t start = timed ? trace_clock_ns() : 0;
        if (segment.commands) {
            pending = device_.submit(segment.commands);
            ++counters.submissions;
            counters.dispatches += segment.last - segment.first;
            const bool host_next = i + 1 < recording->segments.size() && !recording->segments[i + 1].commands;
            if (host_next || segment.bytes > segment_bytes || timed || check_nan || switches().serial || i + 1 == recording->segments.size()) device_.wait(pending);
        } else {
            run_host(segment.first, bindings);
            ++counters.host_kernels;
        }
        if (timed && segment.commands) {
            std::int64_t at = start;
            std::size_t s = segment.first;
            for (const Commands::Timing& timing : segment.commands->timings()) {
                if (tracing()) add_span({"kernel", timing.label, at, timing.nanoseconds, 1000, ""});
                at += timing.nanoseconds;
                while (s < segment.last && program_.steps[s].label != timing.label) ++s;
                if (s < segment.last) report(program_.steps[s++], timing.nanoseconds);
            }
        } else if (timed) {
            report(program_.steps[segment.first], trace_clock_ns() - start);
        }
        if (check_nan)
            for (std::size_t s = segment.first; s < segment.last; ++s) check_finite(s, bindings);
        check_cancelled();
    }
    return results(bindings);
}

std::vector<StorageRef> PlanRunner::results(const Bindings& b) const {
    std::vector<StorageRef> storages;
    for (const int output : program_.outputs) {
        const PlanNode &node = program_.nodes[output], &root = program_.nodes[node.root];
        if (root.leaf >= 0) {   // another view of the same bytes
            auto alias = std::make_shared<Storage>();
            alias->spec = node.spec;
            alias->order = node.order;
            alias->host = host_bytes(b.leaf[root.leaf]);
            alias->owner = b.leaf[root.leaf];
            storages.push_back(std::move(alias));
        } else {
            storages.push_back(device_storage(device_, b.root[node.root], node.spec, node.order));
        }
    }
    return storages;
}

}  // namespace gpu
