#include "gpu/run/host/region.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>

#include "gpu/base/divide.h"
#include "gpu/run/host/ahead.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host/stream.h"

namespace gpu {
namespace {

constexpr std::int64_t task_elements = 16384;     // work worth a turn of a thread
constexpr std::int64_t most_task_elements = 262144;   // of it, where there is so much that every thread has several turns
constexpr std::int64_t long_reduction = 65536;    // beyond this one reduction is spread over threads
constexpr std::int64_t most_chunks = 64;          // of it: their sums are added by one thread
constexpr std::size_t deepest = 8;

// Vectors that straddle two lines of the cache take twice as long.
constexpr std::int64_t line = Ahead::line;
constexpr std::int64_t blocks_ahead = 2;          // of what is called for: less comes too late, more is gone again
struct alignas(line * sizeof(float)) Line {
    float numbers[line];
};


std::int64_t offset_at(const Shape& sizes, const Shape& strides, std::int64_t index) {
    if (sizes.size() == 1) return index * strides[0];
    std::int64_t offset = 0;
    for (std::size_t d = sizes.size(); d-- > 0;) {
        offset += index % sizes[d] * strides[d];
        index /= sizes[d];
    }
    return offset;
}

// Calls visit(offset, done, run) for the pieces of [first, first + count) that lie along the innermost axis.
template <typename Visit>
void for_each_run(const Shape& sizes, const Shape& strides, std::int64_t first, std::int64_t count, Visit visit) {
    const std::size_t rank = sizes.size();
    std::array<std::int64_t, deepest> at{};
    std::int64_t offset = 0, rest = first;
    for (std::size_t d = rank; d-- > 0;) {
        at[d] = rest % sizes[d];
        rest /= sizes[d];
        offset += at[d] * strides[d];
    }
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t run = std::min(count - done, sizes[rank - 1] - at[rank - 1]);
        visit(offset, done, run);
        done += run;
        at[rank - 1] += run;
        offset += run * strides[rank - 1];
        for (std::size_t d = rank - 1; d > 0 && at[d] == sizes[d]; --d) {
            offset += strides[d - 1] - at[d] * strides[d];
            at[d] = 0;
            ++at[d - 1];
        }
    }
}

void read_run(const float* from, std::int64_t stride, std::int64_t count, float* to) {
    if (stride == 1) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
    } else if (stride == 0) {
        std::fill_n(to, count, *from);
    } else {
        for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
    }
}

}  // namespace

// The state of one thread: a block for every slot, and where each slot's values are now.
class RegionRun {
public:
    RegionRun(const HostRegion& region, const std::vector<HostOperand>& reads, const HostOperand& write,
              const std::vector<double>& scalars, const HostRegion::Traffic& traffic)
        : r_(region), reads_(reads), write_(reinterpret_cast<float*>(write.data)), calls_ahead_(traffic.calls_ahead), streams_(traffic.streams),
          values_(static_cast<std::size_t>(region.slots)), base_(values_.size()), fetched_(values_.size()) {
        static thread_local std::vector<Line> memory;
        memory.resize(std::max(memory.size(), static_cast<std::size_t>(region.slots * pitch_ / line)));
        memory_ = memory.data()->numbers;
        const std::int64_t used = r_.across ? r_.block : std::min(r_.block, std::max(r_.vector_count, std::int64_t{1}));
        for (const HostRegion::Constant& constant : r_.constants) {
            std::fill_n(buffer(constant.slot), constant.spread ? used : 1, static_cast<float>(scalars[constant.scalar]));
            values_[constant.slot] = buffer(constant.slot);
        }
    }

    ~RegionRun() {
        if (streams_) finish_streams();
    }
    RegionRun(const RegionRun&) = delete;
    RegionRun& operator=(const RegionRun&) = delete;

    // Rows [first, last), each walked in blocks.
    void rows(std::int64_t first, std::int64_t last) {
        for (std::int64_t row = first; row < last; ++row) {
            start_row(row);
            if (r_.holds_rows()) call_for_row(row + 1);
            for (const HostRegion::Pass& pass : r_.passes) {
                fold_identities(pass, 1);
                along(pass, row, 0, r_.vector_count);
                finish_pass(pass, 1);
            }
            store_row(row);
        }
    }
    void start_row(std::int64_t row) {
        for (const HostRegion::Load& load : r_.row_loads)
            values_[load.slot] = data(load) + offset_at(r_.loop_sizes, load.loop_strides, row);
        for (const HostRegion::Instruction& one : r_.before) execute(one, 1, true);
    }
    void store_row(std::int64_t row) {
        if (!r_.passes.back().stores) write_[offset_at(r_.loop_sizes, r_.write_loop_strides, row)] = *values_[r_.result];
    }
    // Elements [first, last) of a row.
    void along(const HostRegion::Pass& pass, std::int64_t row, std::int64_t first, std::int64_t last) {
        if (pass.plain) {
            const HostRegion::Load& load = pass.loads[0];
            const float* const from = data(load) + offset_at(r_.loop_sizes, load.loop_strides, row) + first;
            float& sum = *total(pass.folds[0]);
            ahead_.call();
            sum = pass.folds[0].fold(sum, from, static_cast<std::size_t>(last - first));
            values_[load.slot] = from;      // for passes that follow
            return;
        }
        for (const HostRegion::Load& load : pass.loads) base_[load.slot] = data(load) + offset_at(r_.loop_sizes, load.loop_strides, row);
        float* const target = write_ + offset_at(r_.loop_sizes, r_.write_loop_strides, row);
        for (std::int64_t at = first; at < last; at += r_.block) {
            if (!r_.holds_rows()) call_for_block(pass, target, at + blocks_ahead * r_.block, last);
            run_block(pass, row, target, at, std::min(r_.block, last - at));
        }
    }

    // The rows [first, first + count) side by side, element after element.
    void columns(std::int64_t first, std::int64_t count) {
        start_columns(first, count);
        for (const HostRegion::Pass& pass : r_.passes) {
            fold_identities(pass, count);
            down(pass, first, count, 0, r_.loop_count);
            finish_pass(pass, count);
        }
        store_columns(first, count);
    }
    void start_columns(std::int64_t first, std::int64_t count) {
        for (const HostRegion::Load& load : r_.row_loads) fetch(load, data(load), first, count);
        for (const HostRegion::Instruction& one : r_.before) execute(one, count, false);
    }
    void store_columns(std::int64_t first, std::int64_t count) {
        if (!r_.passes.back().stores) put(values_[r_.result], write_, first, count);
    }
    void down(const HostRegion::Pass& pass, std::int64_t first, std::int64_t count, std::int64_t from, std::int64_t to) {
        if (pass.batched && (pass.strided || 2 * count <= r_.block) && to - from > 1) return down_together(pass, first, count, from, to);
        for (std::int64_t element = from; element < to; ++element)
            run_block(pass, element, write_ + offset_at(r_.loop_sizes, r_.write_loop_strides, element), first, count);
    }

    void fold_identities(const HostRegion::Pass& pass, std::int64_t count) {
        for (const HostRegion::Fold& fold : pass.folds) {
            std::fill_n(buffer(fold.out), count, fold.identity);
            values_[fold.out] = buffer(fold.out);
        }
    }
    float* total(const HostRegion::Fold& fold) { return buffer(fold.out); }
    void finish_pass(const HostRegion::Pass& pass, std::int64_t count) {
        const bool spread = !r_.across;
        for (const HostRegion::Fold& fold : pass.folds)
            if (spread && fold.spread) repeat(fold.out);
        for (const HostRegion::Instruction& one : pass.after) execute(one, count, spread);
    }

private:
    // The same for several elements at a time: a block holds theirs one behind the other.
    void down_together(const HostRegion::Pass& pass, std::int64_t first, std::int64_t count, std::int64_t from, std::int64_t to) {
        const std::int64_t most = pass.strided ? to - from : r_.block / count;
        for (const auto& [slot, copy] : pass.repeated) {
            for (std::int64_t k = 0; k < most; ++k) std::copy_n(values_[slot], count, buffer(copy) + k * count);
            std::swap(values_[slot], base_[copy]);
            values_[slot] = buffer(copy);
        }
        for (std::int64_t element = from; element < to; element += most) {
            const std::int64_t rows = std::min(most, to - element);
            std::int64_t stride = count;
            for (const HostRegion::Load& load : pass.loads) {
                const float* const base = data(load) + element * load.loop_strides[0];
                if (load.linear && (pass.strided || load.loop_strides[0] == count)) {   // where it lies
                    values_[load.slot] = base + first;
                    if (pass.strided) stride = load.loop_strides[0];
                    continue;
                }
                float* const to_block = buffer(load.slot);
                for (std::int64_t k = 0; k < rows; ++k) {
                    const float* const row = base + k * load.loop_strides[0];
                    if (load.linear)
                        std::copy_n(row + first, count, to_block + k * count);
                    else
                        gather(load, row, first, count, to_block + k * count);
                }
                values_[load.slot] = to_block;
            }
            for (const HostRegion::Instruction& one : pass.work) execute(one, rows * count, false);
            for (const HostRegion::Fold& fold : pass.folds)
                fold.rows(buffer(fold.out), values_[fold.in], static_cast<std::size_t>(stride), static_cast<std::size_t>(rows), static_cast<std::size_t>(count));
        }
        for (const auto& [slot, copy] : pass.repeated) std::swap(values_[slot], base_[copy]);
    }

    static std::size_t steps(const HostRegion::Pass& pass) { return pass.work.size() + pass.folds.size(); }
    // What a pass reads and writes from element `from` of a row on, while blocks before are computed.
    void call_for_block(const HostRegion::Pass& pass, const float* target, std::int64_t from, std::int64_t last) {
        const std::int64_t count = std::min(last - from, r_.block);
        ahead_.clear();
        if (count <= 0 || !calls_ahead_) return;
        const auto add = [&](const float* base, const Shape& strides, bool linear, bool write) {
            if (const float* const at = linear ? base + from : straight(base, strides, false, from, count)) ahead_.add(at, count, write);
        };
        for (const HostRegion::Load& load : pass.loads)
            if (!load.single && !load.repeats) add(base_[load.slot], load.vector_strides, load.linear, false);
        if (pass.stores && !streams_) add(target, r_.write_vector_strides, r_.write_linear, true);
        spread(steps(pass));
    }
    // All that is read and written of a row that is held, while the row before is computed: rows are too short for the processor to see by itself
    // where the next one begins.
    void call_for_row(std::int64_t row) {
        ahead_.clear();
        if (row == r_.loop_count || !calls_ahead_ || (r_.passes.size() == 1 && r_.passes[0].plain)) return;
        std::size_t all = 0;
        for (const HostRegion::Pass& pass : r_.passes) {
            for (const HostRegion::Load& load : pass.loads) {
                const std::int64_t offset = offset_at(r_.loop_sizes, load.loop_strides, row);
                if (load.linear && !load.single && offset != 0) ahead_.add(data(load) + offset, r_.vector_count, false);
            }
            if (pass.stores && r_.write_linear && !streams_) ahead_.add(write_ + offset_at(r_.loop_sizes, r_.write_loop_strides, row), r_.vector_count, true);
            all += steps(pass);
        }
        spread(all);
    }
    // One stream that is only read is what processors foresee.
    void spread(std::size_t steps) {
        if (r_.passes.back().stores || ahead_.ranges() > 1) ahead_.spread(steps);
    }
    float* buffer(int slot) { return memory_ + slot * pitch_; }
    const float* data(const HostRegion::Load& load) const { return reinterpret_cast<const float*>(reads_[load.read].data); }

    // One block of one pass at loop index `loop`.
    void run_block(const HostRegion::Pass& pass, std::int64_t loop, float* target, std::int64_t first, std::int64_t count) {
        for (const HostRegion::Load& load : pass.loads)
            fetch(load, r_.across ? data(load) + offset_at(r_.loop_sizes, load.loop_strides, loop) : base_[load.slot], first, count);
        float* const direct = pass.stores ? straight(target, r_.write_vector_strides, r_.write_linear, first, count) : nullptr;
        for (const HostRegion::Instruction& one : pass.work) execute(one, count, false, direct && !streams_ && one.out == r_.result ? direct : nullptr);
        if (pass.stores && !direct) put(values_[r_.result], target, first, count);
        if (direct && streams_) stream(values_[r_.result], count, direct);
        for (const HostRegion::Fold& fold : pass.folds) {
            ahead_.call();
            if (r_.across) {
                const float* in[2]{buffer(fold.out), values_[fold.in]};
                fold.combine(in, buffer(fold.out), static_cast<std::size_t>(count));
            } else {
                float& total = *buffer(fold.out);
                if (fold.sum) {
                    const auto in = inputs(fold.made_of);
                    values_[fold.in] = buffer(fold.in);
                    total = fold.sum(total, in.data(), buffer(fold.in), static_cast<std::size_t>(count));
                } else {
                    total = fold.fold(total, values_[fold.in], static_cast<std::size_t>(count));
                }
            }
        }
    }

    std::array<const float*, 3> inputs(const std::vector<int>& slots) const {
        std::array<const float*, 3> in{};
        for (std::size_t k = 0; k < slots.size(); ++k) in[k] = values_[slots[k]];
        return in;
    }
    void execute(const HostRegion::Instruction& one, std::int64_t count, bool spread, float* to = nullptr) {
        ahead_.call();
        const auto in = inputs(one.in);
        float* const out = to ? to : buffer(one.out);
        one.function(in.data(), out, static_cast<std::size_t>(count));
        values_[one.out] = out;
        if (spread && one.spread) repeat(one.out);
    }
    void repeat(int slot) { std::fill_n(buffer(slot), std::min(r_.block, r_.vector_count), *buffer(slot)); }

    // The address of elements [first, first + count) where they lie side by side, else null.
    template <typename T>
    T* straight(T* base, const Shape& strides, bool linear, std::int64_t first, std::int64_t count) const {
        if (r_.vector_sizes.empty()) return base;
        if (linear) return base + first;
        const std::int64_t row = r_.vector_sizes.back();
        if ((strides.back() != 1 && count > 1) || first % row + count > row) return nullptr;
        return base + offset_at(r_.vector_sizes, strides, first);
    }
    void fetch(const HostRegion::Load& load, const float* base, std::int64_t first, std::int64_t count) {
        const float*& value = values_[load.slot];
        if (load.single) {
            value = base;
            return;
        }
        const bool whole_rows = load.repeats && first % r_.vector_sizes.back() == 0;
        if (whole_rows && fetched_[load.slot] >= count) {
            value = buffer(load.slot);
            return;
        }
        value = straight(base, load.vector_strides, load.linear, first, count);
        if (value) return;
        gather(load, base, first, count, buffer(load.slot));
        value = buffer(load.slot);
        fetched_[load.slot] = whole_rows ? count : 0;
    }
    void gather(const HostRegion::Load& load, const float* base, std::int64_t first, std::int64_t count, float* to) const {
        for_each_run(r_.vector_sizes, load.vector_strides, first, count, [&](std::int64_t offset, std::int64_t done, std::int64_t run) {
            read_run(base + offset, load.vector_strides.back(), run, to + done);
        });
    }
    void put(const float* from, float* base, std::int64_t first, std::int64_t count) {
        if (r_.vector_sizes.empty()) {
            *base = *from;
            return;
        }
        const std::int64_t stride = r_.write_vector_strides.back();
        for_each_run(r_.vector_sizes, r_.write_vector_strides, first, count, [&](std::int64_t offset, std::int64_t done, std::int64_t run) {
            for (std::int64_t i = 0; i < run; ++i) base[offset + i * stride] = from[done + i];
        });
    }

    const HostRegion& r_;
    const std::vector<HostOperand>& reads_;
    float* const write_;
    const bool calls_ahead_, streams_;
    // Of slots: each begins with a line of the cache, in another set of it than the slot before.
    const std::int64_t pitch_ = (ceil_divide(r_.block, line) | 1) * line;
    float* memory_ = nullptr;
    std::vector<const float*> values_;
    std::vector<const float*> base_;   // of the row that is walked along
    Ahead ahead_;
    std::vector<std::int64_t> fetched_;   // how much of what repeats lies in its slot
};

// What the last cache holds from the step before comes fast enough by itself: there a call for it costs more than it spares. A result is stored past
// caches that can not hold it beside what it is made of, unless it takes the place of an operand, which is in a cache by then.
HostRegion::Traffic HostRegion::traffic(const std::vector<HostOperand>& reads, const HostOperand& write) const {
    const auto bytes_of = [](const HostOperand& operand) {
        std::uint64_t bytes = sizeof(float);
        for (std::size_t d = 0; d < operand.shape.size(); ++d)
            if (operand.strides[d] != 0) bytes *= static_cast<std::uint64_t>(operand.shape[d]);
        return bytes;
    };
    std::uint64_t bytes = bytes_of(write);
    bool in_place = false;
    for (const HostOperand& read : reads) {
        bytes += bytes_of(read);
        in_place = in_place || read.data == write.data;
    }
    return {exceeds_caches(2 * bytes), has_streams && passes.back().stores && !in_place && exceeds_caches(bytes)};
}

void HostRegion::run(const std::vector<HostOperand>& reads, const HostOperand& write, const std::vector<double>& scalars) const {
    const Traffic met = traffic(reads, write);
    const auto state = [&] { return RegionRun(*this, reads, write, scalars, met); };
    const std::int64_t width = across ? std::min(block, vector_count) : 1;   // of a row of folds
    const std::int64_t blocks = across ? ceil_divide(vector_count, block) : loop_count, length = across ? loop_count : vector_count;
    // A thread's part in a piece or few: every piece begins with lines that nobody called for.
    const std::int64_t part = std::clamp(elements() / (8 * parallel_threads()), task_elements, most_task_elements);
    const bool one_sweep = passes.size() == 1 && !passes[0].stores && !passes[0].folds.empty();
    if (elementwise) {
        const std::int64_t step = std::max(block, part / block * block);
        parallel_walk(ceil_divide(vector_count, step), elements(), [&](std::int64_t task) {
            state().along(passes[0], 0, task * step, std::min(vector_count, (task + 1) * step));
        });
    } else if (one_sweep && blocks < 8 && length * width > long_reduction) {
        run_in_chunks(reads, write, scalars);
    } else if (across) {
        // Narrow enough blocks that every thread has some, wide enough for whole cache lines.
        std::int64_t wide = block;
        while (wide > 64 && ceil_divide(vector_count, wide) < 8) wide /= 2;
        parallel_walk(ceil_divide(vector_count, wide), elements(), [&](std::int64_t task) {
            state().columns(task * wide, std::min(wide, vector_count - task * wide));
        });
    } else {
        const std::int64_t rows = std::max<std::int64_t>(1, part / std::max<std::int64_t>(vector_count, 1));
        parallel_walk(ceil_divide(loop_count, rows), elements(), [&](std::int64_t task) {
            state().rows(task * rows, std::min(loop_count, (task + 1) * rows));
        });
    }
}

// Few rows, long ones: chunks of a length that depends on shapes only, combined in their order.
void HostRegion::run_in_chunks(const std::vector<HostOperand>& reads, const HostOperand& write, const std::vector<double>& scalars) const {
    const HostRegion::Pass& pass = passes[0];
    const std::int64_t width = across ? std::min(block, vector_count) : 1, length = across ? loop_count : vector_count;
    const std::int64_t blocks = across ? ceil_divide(vector_count, block) : loop_count;
    const std::int64_t chunk = std::max({task_elements / width, ceil_divide(length, most_chunks), std::int64_t{1}}), chunks = ceil_divide(length, chunk);
    const auto count_of = [&](std::int64_t b) { return across ? std::min(block, vector_count - b * block) : 1; };
    std::vector<float> partial(static_cast<std::size_t>(blocks * chunks * width) * pass.folds.size());
    const auto part = [&](std::int64_t b, std::int64_t c, std::size_t f) {
        return partial.data() + (static_cast<std::size_t>(b * chunks + c) * pass.folds.size() + f) * static_cast<std::size_t>(width);
    };
    const auto start = [&](RegionRun& state, std::int64_t b) {
        across ? state.start_columns(b * block, count_of(b)) : state.start_row(b);
        state.fold_identities(pass, count_of(b));
    };
    parallel_walk(blocks * chunks, elements(), [&](std::int64_t task) {
        const std::int64_t b = task / chunks, c = task % chunks, from = c * chunk, to = std::min(length, from + chunk);
        RegionRun state(*this, reads, write, scalars, {});
        start(state, b);
        across ? state.down(pass, b * block, count_of(b), from, to) : state.along(pass, b, from, to);
        for (std::size_t f = 0; f < pass.folds.size(); ++f) std::copy_n(state.total(pass.folds[f]), count_of(b), part(b, c, f));
    });
    RegionRun state(*this, reads, write, scalars, {});
    for (std::int64_t b = 0; b < blocks; ++b) {
        start(state, b);
        for (std::int64_t c = 0; c < chunks; ++c)
            for (std::size_t f = 0; f < pass.folds.size(); ++f) {
                float* const total = state.total(pass.folds[f]);
                const float* in[2]{total, part(b, c, f)};
                pass.folds[f].combine(in, total, static_cast<std::size_t>(count_of(b)));
            }
        state.finish_pass(pass, count_of(b));
        across ? state.store_columns(b * block, count_of(b)) : state.store_row(b);
    }
}

}  // namespace gpu
