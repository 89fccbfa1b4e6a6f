#include "gpu/run/plan_runner.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/run/profile.h"
#include "gpu/run/recorder.h"

namespace gpu {
namespace {

constexpr std::size_t kept_recordings = 4;
// Submissions in flight, so that the device never waits for the host, and the estimate of what they take together: a stop
// waits for them. Long ones go alone, where a gap between two is nothing beside them.
constexpr std::size_t most_in_flight = 2;
constexpr double most_seconds_in_flight = 0.08;

double slice_seconds() { return std::max(switches().slice, 1) * 1e-3; }

// True where a host kernel can read the bytes in place: mapped files place tensors at odd addresses.
bool is_aligned(const std::byte* data, Dtype dtype) { return std::bit_cast<std::uintptr_t>(data) % size_of(dtype) == 0; }

}  // namespace

PipelineKey pipeline_key(const Step& step) {
    return {step.label.substr(0, step.label.find(' ')), complete_source(step.source), step.defines, step.constants,
            static_cast<std::uint32_t>(PushBlock(step).size()), step.subgroup_size};
}

// What was submitted and not waited for yet.
class PlanRunner::Queue {
public:
    Queue(Device& device, DeviceRate& rate, EvaluationCounters& counters) : device_(device), rate_(rate), counters_(counters) {}

    void submit(std::span<const CommandsRef> lists, double seconds) {
        check_cancelled();
        while (!flight_.empty() && (flight_.size() >= most_in_flight || seconds_ + seconds > most_seconds_in_flight)) wait_oldest();
        check_cancelled();
        const std::int64_t now = trace_clock_ns();
        flight_.push_back({device_.submit(lists), seconds, now});
        seconds_ += seconds;
        ++counters_.submissions;
        log("run", LogLevel::Debug, "submission of some {} ms, {} in flight", seconds * 1e3, flight_.size());
    }
    void drain() {
        while (!flight_.empty()) wait_oldest();
    }

private:
    struct Submission {
        std::uint64_t value;
        double seconds;
        std::int64_t start;
    };
    void wait_oldest() {
        const Submission oldest = flight_.front();
        flight_.pop_front();
        seconds_ = flight_.empty() ? 0 : seconds_ - oldest.seconds;
        const std::int64_t start = trace_clock_ns();
        device_.wait(oldest.value);
        const std::int64_t now = trace_clock_ns();
        counters_.wait_ns += now - start;
        rate_.observe(oldest.seconds, static_cast<double>(now - std::max(oldest.start, last_end_)) * 1e-9, slice_seconds());
        last_end_ = now;
    }

    Device& device_;
    DeviceRate& rate_;
    EvaluationCounters& counters_;
    std::deque<Submission> flight_;
    double seconds_ = 0;   // of all in flight
    std::int64_t last_end_ = 0;
};

PlanRunner::PlanRunner(std::shared_ptr<Device> device, Program program, DeviceRate& rate)
    : device_(std::move(device)), program_(std::move(program)), rate_(rate), uses_(find_leaf_uses(program_)),
      pipelines_(program_.steps.size()),
      places_{std::vector<Place>(uses_.all.size()), std::vector<Place>(program_.nodes.size())},
      host_steps_(*device_, program_, uses_, places_), use_buffers_(uses_.all.size()), value_buffers_(program_.nodes.size()),
      outputs_(program_.outputs.size()) {
    const Span span("pass", "pipelines");
    for (std::size_t n = 0; n < program_.nodes.size(); ++n)
        if (program_.placements[n].kind == Placement::Output) output_nodes_.push_back(static_cast<int>(n));
    for (const LeafUse& use : uses_.all) keys_.push_back(device_key(*device_, use.order));
    std::vector<PipelineKey> keys;
    std::vector<std::size_t> steps;
    for (std::size_t s = 0; s < program_.steps.size(); ++s) {
        const Step& step = program_.steps[s];
        pushes_.emplace_back(step);
        if (step.kind == Step::Host || step.kind == Step::Recorded) continue;
        keys.push_back(pipeline_key(step));
        steps.push_back(s);
    }
    const std::vector<PipelineRef> made = device_->pipelines(keys);
    for (std::size_t i = 0; i < made.size(); ++i) pipelines_[steps[i]] = made[i];
}

PlanRunner::~PlanRunner() = default;

void PlanRunner::begin(const std::vector<StorageRef>& leaves, const std::vector<double>& scalars, const Memory& memory) {
    leaves_.clear();
    scalars_.clear();
    for (const PlanLeaf& leaf : program_.leaves) leaves_.push_back(leaf.external >= 0 ? &leaves[leaf.external] : &leaf.owned);
    for (const PlanScalar& scalar : program_.scalars)
        scalars_.push_back(scalar.external >= 0 ? scalars[scalar.external] : scalar.owned);
    arena_ = memory.arena;
    const std::uint64_t address = arena_ ? arena_->address() : 0;
    const bool new_arena = address != std::exchange(arena_address_, address);
    for (std::size_t n = 0; arena_ && new_arena && n < program_.nodes.size(); ++n)
        if (const Placement& place = program_.placements[n]; place.kind == Placement::Arena && place.size > 0)
            places_.nodes[n] = {arena_->address() + place.offset, arena_->mapped() ? arena_->mapped() + place.offset : nullptr};
    for (const int n : output_nodes_) {
        const Placement& place = program_.placements[n];
        const bool takes_leaf = place.donor >= 0 && memory.in_place;
        const BufferRef buffer = takes_leaf ? donated_buffer(place.donor, memory.residency)
                                            : memory.residency.allocate(std::max<std::size_t>(place.size, 4));
        if (takes_leaf) first_taking_ = std::min(first_taking_, static_cast<std::size_t>(place.first));
        outputs_[place.output] = buffer;
        places_.nodes[n] = {buffer->address(), buffer->mapped()};
    }
}

BufferRef PlanRunner::donated_buffer(int node, Residency& residency) const {
    const StorageRef& leaf = *leaves_[program_.nodes[node].leaf];
    return residency.copy_of(leaf, device_key(*device_, leaf->order), leaf->order);
}

// Leaves are on the device, and without an arena values have buffers, before the range's steps are recorded.
void PlanRunner::bind(std::size_t range, const Memory& memory) {
    for (const int u : range_uses_[range]) {
        const LeafUse& use = uses_.all[u];
        const StorageRef& leaf = *leaves_[use.leaf];
        if (use.host_only) {
            const std::span<const std::byte> bytes = host_bytes(leaf);
            if (is_aligned(bytes.data(), leaf->spec.dtype)) {
                places_.uses[u] = {0, const_cast<std::byte*>(bytes.data())};   // read only
                continue;
            }
        }
        use_buffers_[u] = memory.residency.copy_of(leaf, keys_[u], use.order);
        places_.uses[u] = {use_buffers_[u]->address(), use_buffers_[u]->mapped()};
    }
    if (memory.arena) return;
    for (std::size_t s = memory.ranges[range].first; s < memory.ranges[range].last; ++s) {
        const int result = program_.steps[s].result;
        const Placement& place = program_.placements[result];
        if (place.kind != Placement::Arena || value_buffers_[result]) continue;
        value_buffers_[result] = memory.residency.allocate(std::max<std::size_t>(place.size, 4));
        places_.nodes[result] = {value_buffers_[result]->address(), value_buffers_[result]->mapped()};
    }
}

// Drops older copies now, while nothing is in flight: what is dropped later is free only when the device has gone on.
void PlanRunner::make_room(std::size_t range, const Memory& memory) {
    std::uint64_t need = 0;
    for (const int u : range_uses_[range]) {
        const LeafUse& use = uses_.all[u];
        if (!use.host_only && !use_buffers_[u] && !memory.residency.holds(*leaves_[use.leaf], keys_[u])) need += use.bytes;
    }
    const Device::MemoryUse use = device_->memory_use();
    const std::uint64_t then = use.used + use.adopted + need, budget = device_->budget();
    if (then <= budget) return;
    memory.residency.evict(then - budget);
    device_->trim();
}

// Lets go of what the next range does not need. A leaf of this range and a far later one is fetched again then.
void PlanRunner::release(std::size_t range, const Memory& memory) {
    const auto end = static_cast<int>(memory.ranges[range].last);
    for (const int u : range_uses_[range])
        if (range + 1 == memory.ranges.size() || !std::ranges::binary_search(range_uses_[range + 1], u)) use_buffers_[u] = nullptr;
    for (std::size_t n = 0; n < value_buffers_.size(); ++n)
        if (value_buffers_[n] && program_.placements[n].last < end) value_buffers_[n] = nullptr;
}

void PlanRunner::make_schedule_for(const std::vector<StepRange>& ranges) {
    const bool alone = switches().serial || check_nan_;
    std::vector<std::size_t> key{alone, static_cast<std::size_t>(rate_.version()), static_cast<std::size_t>(switches().slice)};
    for (const StepRange& range : ranges) key.push_back(range.last);
    if (key == schedule_key_) return;
    schedule_key_ = std::move(key);
    range_uses_.clear();
    for (const StepRange& range : ranges) range_uses_.push_back(uses_.of(range));
    segments_.clear();
    for (const Segment& segment : make_schedule(program_, rate_, ranges, slice_seconds(), alone)) segments_.push_back({segment, {segment.first, segment.last}, {}, {}});
}

std::vector<StorageRef> PlanRunner::run(const std::vector<StorageRef>& leaves, const std::vector<double>& scalars,
                                        const Memory& memory, EvaluationCounters& counters) {
    struct Scope {
        PlanRunner& runner;
        ~Scope() { runner.forget_run(); }
    } const scope{*this};
    wrote_over_leaves_ = false;
    device_ns_ = 0;
    first_taking_ = SIZE_MAX;
    check_nan_ = switches().checks("nan");
    make_schedule_for(memory.ranges);
    const std::uint64_t recordings = counters.recordings;
    memory.residency.keep_from_now();
    begin(leaves, scalars, memory);
    bind(0, memory);
    Queue queue(*device_, rate_, counters);
    std::size_t next_segment = 0;
    for (std::size_t r = 0; r < memory.ranges.size(); ++r) {
        const bool more = r + 1 < memory.ranges.size();
        const bool ahead = more && memory.arena;   // value by value, memory is what counts
        if (ahead) make_room(r + 1, memory);
        while (next_segment < segments_.size() && segments_[next_segment].segment.first < memory.ranges[r].last) {
            SegmentState& state = segments_[next_segment++];
            if (state.segment.host) {
                run_host(state.segment, queue, memory.residency, counters);
            } else {
                run_device(state, queue, counters);
            }
        }
        if (!more) break;
        // The next range's weights travel while the device works on this one's.
        const std::uint64_t set = memory.residency.next_set();
        if (ahead) bind(r + 1, memory);
        queue.drain();
        device_->wait_idle();
        memory.residency.keep_from(set);
        release(r, memory);
        if (!ahead) bind(r + 1, memory);
    }
    queue.drain();
    if (std::any_of(segments_.begin(), segments_.end(), [](const SegmentState& state) { return state.segment.host; })) device_ns_ = 0;
    counters.replays += counters.recordings == recordings;
    counters.streamed += memory.ranges.size() > 1;
    return results(memory.residency);
}

void PlanRunner::forget_run() {
    std::fill(use_buffers_.begin(), use_buffers_.end(), nullptr);
    if (!arena_) std::fill(value_buffers_.begin(), value_buffers_.end(), nullptr);
    std::fill(outputs_.begin(), outputs_.end(), nullptr);
    arena_ = nullptr;
    leaves_.clear();
    to_the_end_.reset();
}

// From the first step on that writes over a leaf, a run goes on to its end.
void PlanRunner::enter(std::size_t last) {
    if (to_the_end_ || last <= first_taking_) return;
    check_cancelled();
    to_the_end_.emplace(CancelToken());
    wrote_over_leaves_ = true;
}

void PlanRunner::run_host(const Segment& segment, Queue& queue, Residency& residency, EvaluationCounters& counters) {
    const bool told = switches().debug >= 2 || tracing();
    queue.drain();
    std::int64_t begin = trace_clock_ns();   // after the wait
    for (std::size_t s = segment.first; s < segment.last; ++s) {
        enter(s + 1);
        check_cancelled();
        host_steps_.run(s, leaves_, scalars_, residency);
        const std::int64_t end = trace_clock_ns(), taken = end - begin;
        ++counters.host_kernels;
        counters.host_kernel_ns += taken;
        begin = end;
        if (told) report_kernel(program_.steps[s], end - taken, taken, KernelPlace::Host);
        if (check_nan_) check_finite(s);
        if (told || check_nan_) begin = trace_clock_ns();   // that was no part of the next
    }
}

void PlanRunner::run_device(SegmentState& state, Queue& queue, EvaluationCounters& counters) {
    const Segment& segment = state.segment;
    const bool told = switches().debug >= 2 || tracing(), timed = told || times_device_;
    const std::int64_t start = told ? trace_clock_ns() : 0;
    enter(segment.last);
    const std::vector<CommandsRef> lists = lists_for(state, timed, counters);
    if (segment.pieces > 1) {
        for (const CommandsRef& list : lists) queue.submit(std::span(&list, 1), segment.seconds / static_cast<double>(lists.size()));
    } else {
        queue.submit(lists, segment.seconds);
    }
    for (std::size_t s = segment.first; s < segment.last; ++s) counters.dispatches += dispatches(s);
    if (timed || check_nan_ || switches().serial) queue.drain();
    if (times_device_)
        for (const CommandsRef& list : lists) device_ns_ += list->elapsed_ns();
    if (told) profile(segment, lists, start);
    if (check_nan_)
        for (std::size_t s = segment.first; s < segment.last; ++s) check_finite(s);
}

bool PlanRunner::dispatches(std::size_t step) const {
    const auto& groups = program_.steps[step].groups;
    return std::find(groups.begin(), groups.end(), 0u) == groups.end();
}

void PlanRunner::fill_words(std::size_t step, std::span<std::byte> into) const {
    pushes_[step].fill(into, [&](std::size_t read) { return places_.of(program_, uses_, step, read).address; },
                       places_.nodes[program_.steps[step].result].address, scalars_);
}

std::vector<CommandsRef> PlanRunner::lists_for(SegmentState& state, bool timed, EvaluationCounters& counters) {
    const Segment& segment = state.segment;
    std::size_t size = 0, at = 0;
    for (std::size_t s = segment.first; s < segment.last; ++s) size += words_of(s);
    words_.resize(size);
    for (std::size_t s = segment.first; s < segment.last; at += words_of(s++))
        if (words_of(s) > 0) fill_words(s, std::span(words_).subspan(at, words_of(s)));
    if (state.parts.empty() || state.words != words_) learn_changes(state);

    std::vector<CommandsRef> lists;
    at = 0;
    for (Part& part : state.parts) {
        size = 0;
        for (std::size_t s = part.steps.first; s < part.steps.last; ++s) size += words_of(s);
        const Recording& recording = recording_for(part, segment.pieces, std::span(words_).subspan(at, size), timed, counters);
        lists.insert(lists.end(), recording.lists.begin(), recording.lists.end());
        at += size;
    }
    return lists;
}

// The parts, as far as it is known what changes.
void PlanRunner::learn_changes(SegmentState& state) {
    std::vector<std::size_t> differ;
    std::size_t at = 0;
    for (std::size_t s = state.segment.first; s < state.segment.last && !state.words.empty(); at += words_of(s++)) {
        const std::span<const std::byte> now = std::span(words_).subspan(at, words_of(s)), before = std::span(state.words).subspan(at, words_of(s));
        if (!std::equal(now.begin(), now.end(), before.begin())) differ.push_back(s);
    }
    state.words = words_;
    if (!state.changing.note(differ) && !state.parts.empty()) return;
    state.parts.clear();
    for (const StepPart& steps : state.changing.parts()) state.parts.push_back({steps, {}});
}

PlanRunner::Recording& PlanRunner::recording_for(Part& part, std::uint32_t pieces, std::span<const std::byte> words, bool timed, EvaluationCounters& counters) {
    auto& known = part.recordings;
    auto found = std::find_if(known.begin(), known.end(), [&](const Recording& one) {
        return one.timed == timed && std::equal(one.words.begin(), one.words.end(), words.begin(), words.end());
    });
    if (found == known.end()) {
        if (known.size() >= kept_recordings)
            known.erase(std::min_element(known.begin(), known.end(),
                                         [](const auto& a, const auto& b) { return a.last_used < b.last_used; }));
        known.push_back(record(part.steps, pieces, words, timed));
        found = known.end() - 1;
        counters.recordings += found->lists.size();
        for (std::size_t s = part.steps.first; s < part.steps.last; ++s) counters.recorded += dispatches(s);
    }
    found->last_used = ++clock_;
    return *found;
}

PlanRunner::Recording PlanRunner::record(const StepPart& steps, std::uint32_t pieces, std::span<const std::byte> words, bool timed) {
    const Span span("pass", "record");
    Recording recording{{words.begin(), words.end()}, {}, timed};
    if (pieces > 1) {
        const Step& step = program_.steps[steps.first];
        for (const GroupPiece& piece : cut_groups(step, complete_source(step.source), pieces)) {
            recording.lists.push_back(device_->record(timed));
            recording.lists.back()->dispatch(pipelines_[steps.first], words, piece.groups, step.label, piece.base);
            recording.lists.back()->end();
        }
        return recording;
    }
    // What earlier lists and the host wrote is visible: every list begins with a barrier.
    const CommandsRef list = device_->record(timed);
    std::size_t at = 0;
    for (std::size_t s = steps.first; s < steps.last; ++s) {
        if (!dispatches(s)) continue;
        const Step& step = program_.steps[s];
        if (step.barrier && at > 0) list->barrier();
        if (step.kind == Step::Recorded) {
            record_step(s, *list);
        } else {
            list->dispatch(pipelines_[s], words.subspan(at, pushes_[s].size()), step.groups, step.label);
        }
        at += pushes_[s].size();
    }
    list->end();
    recording.lists.push_back(list);
    return recording;
}

void PlanRunner::record_step(std::size_t index, Commands& commands) const {
    const Step& step = program_.steps[index];
    const Kernel& kernel = *program_.nodes[step.core].kernel;
    const auto operand = [](const Buffer& buffer, const Place& place, const Operand& from) {
        return RecordOperand{&buffer, place.address - buffer.address() + from.byte_offset(), from.view.shape};
    };
    std::vector<RecordOperand> in;
    for (std::size_t r = 0; r < step.reads.size(); ++r) {
        const int use = uses_.of_step[index][r];
        in.push_back(operand(use >= 0 ? *use_buffers_[use] : *buffer_of(step.reads[r].root), places_.of(program_, uses_, index, r), step.reads[r]));
    }
    recorder(kernel.recorder)({*device_, commands, kernel, in, operand(*buffer_of(step.result), places_.nodes[step.result], step.write), step.label});
}

const Buffer* PlanRunner::buffer_of(int node) const {
    const Placement& place = program_.placements[node];
    if (place.kind == Placement::Output) return outputs_[place.output].get();
    return arena_ ? arena_.get() : value_buffers_[node].get();
}

void PlanRunner::check_finite(std::size_t index) {
    const Step& step = program_.steps[index];
    const PlanNode& result = program_.nodes[step.result];
    if (result.spec.dtype != Dtype::F32 || !dispatches(index)) return;
    const Placement& place = program_.placements[step.result];
    const std::size_t offset = place.kind == Placement::Arena && arena_ ? place.offset : 0;
    const auto count = static_cast<std::size_t>(element_count(result.spec.shape));
    std::vector<std::byte> fetched;
    const std::byte* bytes = places_.nodes[step.result].host;
    if (!bytes) {
        fetched = download(*device_, *buffer_of(step.result), offset, count * sizeof(float));
        bytes = fetched.data();
    }
    for (std::size_t i = 0; i < count; ++i) {
        float value = 0;
        std::memcpy(&value, bytes + i * sizeof value, sizeof value);
        check(std::isfinite(value), ErrorCode::Numeric, "{}: expected finite numbers, got {} at element {}", step.label, value, i);
    }
}

void PlanRunner::profile(const Segment& segment, const std::vector<CommandsRef>& lists, std::int64_t start) const {
    std::vector<std::int64_t> times;   // per dispatch of the segment; the pieces of a cut one are added up
    for (const CommandsRef& list : lists)
        for (const Commands::Timing& timing : list->timings()) {
            if (segment.pieces > 1 && !times.empty()) {
                times[0] += timing.nanoseconds;
            } else {
                times.push_back(timing.nanoseconds);
            }
        }
    std::size_t i = 0;
    for (std::size_t s = segment.first; s < segment.last && i < times.size(); ++s) {
        if (!dispatches(s)) continue;
        report_kernel(program_.steps[s], start, times[i], KernelPlace::Device);
        start += times[i++];
    }
}

std::vector<StorageRef> PlanRunner::results(Residency& residency) const {
    std::vector<StorageRef> storages;
    for (const int output : program_.outputs) {
        const PlanNode &node = program_.nodes[output], &root = program_.nodes[node.root];
        if (root.leaf >= 0) {   // another view of the same bytes
            auto alias = std::make_shared<Storage>();
            alias->spec = node.spec;
            alias->order = node.order;
            alias->host = host_bytes(*leaves_[root.leaf]);
            alias->owner = *leaves_[root.leaf];
            storages.push_back(std::move(alias));
        } else {
            const BufferRef& buffer = outputs_[program_.placements[node.root].output];
            storages.push_back(device_storage(device_, buffer, node.spec, node.order));
            residency.add_value(storages.back());
        }
    }
    return storages;
}

}  // namespace gpu
