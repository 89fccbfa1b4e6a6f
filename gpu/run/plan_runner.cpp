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
#include "gpu/run/host/region.h"
#include "gpu/run/host/widen.h"
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

HostOperand host_operand(const Operand& operand) {
    HostOperand result;
    result.shape = operand.view.shape;
    result.strides = operand.view.strides;
    result.dtype = operand.dtype;
    result.blocks = operand.blocks;
    return result;
}

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
      pipelines_(program_.steps.size()), host_steps_(program_.steps.size()), uses_at_(uses_.all.size()),
      nodes_at_(program_.nodes.size()), use_buffers_(uses_.all.size()), value_buffers_(program_.nodes.size()),
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
    for (const PlanLeaf& leaf : program_.leaves) leaves_.push_back(leaf.external >= 0 ? leaves[leaf.external] : leaf.owned);
    for (const PlanScalar& scalar : program_.scalars)
        scalars_.push_back(scalar.external >= 0 ? scalars[scalar.external] : scalar.owned);
    arena_ = memory.arena;
    const std::uint64_t address = arena_ ? arena_->address() : 0;
    const bool new_arena = address != std::exchange(arena_address_, address);
    for (std::size_t n = 0; arena_ && new_arena && n < program_.nodes.size(); ++n)
        if (const Placement& place = program_.placements[n]; place.kind == Placement::Arena && place.size > 0)
            nodes_at_[n] = {arena_->address() + place.offset, arena_->mapped() ? arena_->mapped() + place.offset : nullptr};
    for (const int n : output_nodes_) {
        const Placement& place = program_.placements[n];
        const bool takes_leaf = place.donor >= 0 && memory.in_place;
        const BufferRef buffer = takes_leaf ? donated_buffer(place.donor, memory.residency)
                                            : memory.residency.allocate(std::max<std::size_t>(place.size, 4));
        if (takes_leaf) first_taking_ = std::min(first_taking_, static_cast<std::size_t>(place.first));
        outputs_[place.output] = buffer;
        nodes_at_[n] = {buffer->address(), buffer->mapped()};
    }
}

BufferRef PlanRunner::donated_buffer(int node, Residency& residency) const {
    const StorageRef& leaf = leaves_[program_.nodes[node].leaf];
    return residency.copy_of(leaf, device_key(*device_, leaf->order), leaf->order);
}

// Leaves are on the device, and without an arena values have buffers, before the range's steps are recorded.
void PlanRunner::bind(const StepRange& range, const Memory& memory) {
    for (std::size_t s = range.first; s < range.last; ++s) {
        for (const int u : uses_.of_step[s]) {
            if (u < 0 || (use_buffers_[u] && memory.ranges.size() == 1)) continue;   // streaming: used again, kept longer
            const LeafUse& use = uses_.all[u];
            const StorageRef& leaf = leaves_[use.leaf];
            if (use.host_only) {
                const std::span<const std::byte> bytes = host_bytes(leaf);
                if (is_aligned(bytes.data(), leaf->spec.dtype)) {
                    uses_at_[u] = {0, const_cast<std::byte*>(bytes.data())};   // read only
                    continue;
                }
            }
            use_buffers_[u] = memory.residency.copy_of(leaf, keys_[u], use.order);
            uses_at_[u] = {use_buffers_[u]->address(), use_buffers_[u]->mapped()};
        }
        if (memory.arena) continue;
        const int result = program_.steps[s].result;
        const Placement& place = program_.placements[result];
        if (place.kind != Placement::Arena || value_buffers_[result]) continue;
        value_buffers_[result] = memory.residency.allocate(std::max<std::size_t>(place.size, 4));
        nodes_at_[result] = {value_buffers_[result]->address(), value_buffers_[result]->mapped()};
    }
}

// Drops older copies now, while nothing is in flight: what is dropped later is free only when the device has gone on.
void PlanRunner::make_room(const StepRange& range, const Memory& memory) {
    std::uint64_t need = 0;
    std::vector<bool> counted(uses_.all.size());
    for (std::size_t s = range.first; s < range.last; ++s)
        for (const int u : uses_.of_step[s]) {
            if (u < 0 || counted[u] || uses_.all[u].host_only || use_buffers_[u]) continue;
            counted[u] = true;
            if (!memory.residency.holds(leaves_[uses_.all[u].leaf], keys_[u])) need += uses_.all[u].bytes;
        }
    const Device::MemoryUse use = device_->memory_use();
    const std::uint64_t then = use.used + use.adopted + need, budget = device_->budget();
    if (then <= budget) return;
    memory.residency.evict(then - budget);
    device_->trim();
}

// Lets go of what no later range needs.
void PlanRunner::release(std::size_t range, const Memory& memory) {
    const auto end = static_cast<int>(memory.ranges[range].last);
    const bool more = range + 1 < memory.ranges.size();
    for (std::size_t u = 0; u < uses_.all.size(); ++u) {
        // A leaf of this range and a far later one is fetched again then; the next range's is bound already.
        const bool next = more && std::any_of(uses_.of_step.begin() + end, uses_.of_step.begin() + static_cast<long>(memory.ranges[range + 1].last),
                                              [&](const std::vector<int>& of) { return std::find(of.begin(), of.end(), static_cast<int>(u)) != of.end(); });
        if (!next) use_buffers_[u] = nullptr;
    }
    for (std::size_t n = 0; n < value_buffers_.size(); ++n)
        if (value_buffers_[n] && program_.placements[n].last < end) value_buffers_[n] = nullptr;
}

void PlanRunner::make_schedule_for(const std::vector<StepRange>& ranges) {
    const bool alone = switches().serial || check_nan_;
    std::vector<std::size_t> key{alone, static_cast<std::size_t>(rate_.version()), static_cast<std::size_t>(switches().slice)};
    for (const StepRange& range : ranges) key.push_back(range.last);
    if (key == schedule_key_) return;
    schedule_key_ = std::move(key);
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
    std::optional<CancelScope> to_the_end;
    check_nan_ = switches().checks("nan");
    make_schedule_for(memory.ranges);
    const std::uint64_t recordings = counters.recordings;
    memory.residency.keep_from_now();
    begin(leaves, scalars, memory);
    bind(memory.ranges[0], memory);
    Queue queue(*device_, rate_, counters);
    std::size_t next_segment = 0;
    for (std::size_t r = 0; r < memory.ranges.size(); ++r) {
        const bool more = r + 1 < memory.ranges.size();
        host_end_ = 0;
        const bool ahead = more && memory.arena;   // value by value, memory is what counts
        if (ahead) make_room(memory.ranges[r + 1], memory);
        while (next_segment < segments_.size() && segments_[next_segment].segment.first < memory.ranges[r].last) {
            SegmentState& state = segments_[next_segment++];
            if (!to_the_end && state.segment.last > first_taking_) {
                check_cancelled();
                to_the_end.emplace(CancelToken());
                wrote_over_leaves_ = true;
            }
            run_segment(state, queue, memory, counters);
        }
        if (!more) break;
        // The next range's weights travel while the device works on this one's.
        const std::uint64_t set = memory.residency.next_set();
        if (ahead) bind(memory.ranges[r + 1], memory);
        queue.drain();
        device_->wait_idle();
        memory.residency.keep_from(set);
        release(r, memory);
        if (!ahead) bind(memory.ranges[r + 1], memory);
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
    for (HostOperand* const operand : leaf_operands_) operand->leaf = nullptr;
}

void PlanRunner::run_segment(SegmentState& state, Queue& queue, const Memory& memory, EvaluationCounters& counters) {
    const Segment& segment = state.segment;
    const bool told = switches().debug >= 2 || tracing(), timed = told || times_device_, check_nan = check_nan_;
    const std::int64_t start = told ? trace_clock_ns() : 0;
    if (segment.host) {
        queue.drain();
        check_cancelled();
        const std::int64_t begin = host_end_ ? host_end_ : trace_clock_ns();   // after the wait
        run_host(segment.first, memory.residency);
        host_end_ = trace_clock_ns();
        const std::int64_t taken = host_end_ - begin;
        ++counters.host_kernels;
        counters.host_kernel_ns += taken;
        if (told) report_kernel(program_.steps[segment.first], begin, taken, KernelPlace::Host);
        if (told || check_nan) host_end_ = 0;   // what follows takes its time
    } else {
        host_end_ = 0;
        const std::vector<CommandsRef> lists = lists_for(state, timed, counters);
        if (segment.pieces > 1) {
            for (const CommandsRef& list : lists) queue.submit(std::span(&list, 1), segment.seconds / static_cast<double>(lists.size()));
        } else {
            queue.submit(lists, segment.seconds);
        }
        for (std::size_t s = segment.first; s < segment.last; ++s) counters.dispatches += dispatches(s);
        if (timed || check_nan || switches().serial) queue.drain();
        if (times_device_)
            for (const CommandsRef& list : lists) device_ns_ += list->elapsed_ns();
        if (told) profile(segment, lists, start);
    }
    if (check_nan)
        for (std::size_t s = segment.first; s < segment.last; ++s) check_finite(s);
}

bool PlanRunner::dispatches(std::size_t step) const {
    const auto& groups = program_.steps[step].groups;
    return std::find(groups.begin(), groups.end(), 0u) == groups.end();
}

PlanRunner::Place PlanRunner::place_of(std::size_t step, std::size_t read) const {
    const int use = uses_.of_step[step][read];
    return use >= 0 ? uses_at_[use] : nodes_at_[program_.steps[step].reads[read].root];
}

void PlanRunner::fill_words(std::size_t step, std::span<std::byte> into) const {
    pushes_[step].fill(into, [&](std::size_t read) { return place_of(step, read).address; },
                       nodes_at_[program_.steps[step].result].address, scalars_);
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
        in.push_back(operand(use >= 0 ? *use_buffers_[use] : *buffer_of(step.reads[r].root), place_of(index, r), step.reads[r]));
    }
    recorder(kernel.recorder)({*device_, commands, kernel, in, operand(*buffer_of(step.result), nodes_at_[step.result], step.write), step.label});
}

// All of a leaf, in whatever order: the weight of a linear layer is read transposed. Blocks are a leaf of bytes.
bool PlanRunner::is_whole_leaf(const Operand& operand) const {
    const PlanNode& root = program_.nodes[operand.root];
    if (root.leaf < 0 || operand.view.offset != 0) return false;
    const std::int64_t elements = element_count(operand.view.shape);
    const std::int64_t stored = operand.blocks ? static_cast<std::int64_t>(bytes_of(*operand.blocks, static_cast<std::size_t>(elements))) : elements;
    if (stored != element_count(root.spec.shape)) return false;
    for (std::size_t i = 0; i < operand.view.shape.size(); ++i)
        if (operand.view.strides[i] <= 0 && operand.view.shape[i] != 1) return false;
    return true;
}

void PlanRunner::point(HostOperand& operand, std::size_t step, const Operand& from, const Place& place) const {
    check(place.host != nullptr, ErrorCode::Failure, "host kernel {}: an operand is not visible to the host", program_.steps[step].label);
    operand.data = place.host + from.byte_offset();
}

std::unique_ptr<PlanRunner::HostStep> PlanRunner::make_host_step(std::size_t index) const {
    const Step& step = program_.steps[index];
    auto host = std::make_unique<HostStep>();
    std::vector<HostOperand> reads;
    for (const Operand& read : step.reads) {
        reads.push_back(host_operand(read));
        host->whole_leaf.push_back(is_whole_leaf(read));
    }
    if (step.core < 0 || !program_.nodes[step.core].kernel->parts.empty()) {   // a generated step
        host->region = std::make_unique<HostRegion>(program_, step);
        host->region_reads = std::move(reads);
        host->region_write = host_operand(step.write);
        for (HostOperand& read : host->region_reads) host->reads.push_back(&read);
        host->write = &host->region_write;
        return host;
    }
    const Kernel& kernel = *program_.nodes[step.core].kernel;
    const auto inputs = static_cast<std::ptrdiff_t>(kernel.host_inputs.size());
    host->kernel = host_kernel(kernel.host);
    host->call.reset(new HostCall{kernel, {reads.begin(), reads.begin() + inputs}, host_operand(step.write), step.post_ops,
                                  {reads.begin() + inputs, reads.end()}, host->state});
    for (PostOp& post : host->call->post_ops)
        if (post.operand >= 0) post.operand -= static_cast<int>(inputs);
    for (auto* list : {&host->call->in, &host->call->post_operands})
        for (HostOperand& read : *list) host->reads.push_back(&read);
    host->write = &host->call->out;
    return host;
}

void PlanRunner::run_host(std::size_t index, Residency& residency) {
    const Step& step = program_.steps[index];
    if (!host_steps_[index]) {
        host_steps_[index] = make_host_step(index);
        for (std::size_t r = 0; r < step.reads.size(); ++r)
            if (host_steps_[index]->whole_leaf[r]) leaf_operands_.push_back(host_steps_[index]->reads[r]);
    }
    HostStep& host = *host_steps_[index];
    for (std::size_t r = 0; r < step.reads.size(); ++r) {
        point(*host.reads[r], index, step.reads[r], place_of(index, r));
        if (host.whole_leaf[r]) host.reads[r]->leaf = leaves_[program_.nodes[step.reads[r].root].leaf];
    }
    point(*host.write, index, step.write, nodes_at_[step.write.root]);
    if (host.region) return host.region->run(host.region_reads, host.region_write, scalars_);

    HostCall& call = *host.call;
    const auto room = [&] {
        const Device::MemoryUse use = device_->memory_use();
        const std::uint64_t budget = device_->budget(), counted = use.used + use.adopted;
        return budget > counted ? budget - counted : 0;
    };
    call.room = room();
    // A copy of this weight is worth more than those that this run has not used.
    if (call.in.size() > 1 && call.in[1].leaf && !is_plain(call.in[1]) && !residency.has_packed(call.in[1].leaf)) {
        const std::uint64_t bytes = kept_weight_bytes(call.kernel, call.in[1], call.in[0].shape, call.out.shape);
        if (bytes > call.room && residency.evict(bytes - call.room) > 0) call.room = room();
    }
    host.kernel(call);
    for (const HostOperand& operand : call.in)
        if (operand.leaf) residency.note_packed(operand.leaf);
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
    const std::byte* bytes = nodes_at_[step.result].host;
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
            alias->host = host_bytes(leaves_[root.leaf]);
            alias->owner = leaves_[root.leaf];
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
