#include "gpu/run/host/widen.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/leaf.h"

namespace gpu {
namespace {

// Of one converted operand. Large enough that a piece keeps the processor's matrix kernels busy, small enough to stay
// near its cache.
constexpr std::int64_t scratch_elements = 2 << 20;
constexpr std::int64_t piece_step = 64;   // pieces are multiples of this where they can be

std::int64_t stored_elements(const HostOperand& operand) {
    std::int64_t count = 1;
    for (std::size_t i = 0; i < operand.shape.size(); ++i)
        if (operand.strides[i] != 0) count *= operand.shape[i];
    return count;
}

// Elements [first, first + count) of an axis.
HostOperand part(HostOperand operand, int axis, std::int64_t first, std::int64_t count) {
    if (axis < 0 || operand.shape[axis] == count) return operand;
    const std::int64_t offset = first * operand.strides[axis];
    operand.start += offset;
    if (!operand.blocks) operand.data += offset * static_cast<std::int64_t>(size_of(operand.dtype));
    operand.shape[axis] = count;
    operand.leaf = nullptr;
    return operand;
}

// The axes as they lie, longest stride first; those that repeat elements left out. Axes of length 1 come after others of
// the same stride, so that a dense layout stays the same layout.
std::vector<int> memory_order(const HostOperand& operand) {
    std::vector<int> axes;
    for (std::size_t i = 0; i < operand.shape.size(); ++i)
        if (operand.strides[i] != 0) axes.push_back(static_cast<int>(i));
    std::stable_sort(axes.begin(), axes.end(), [&](int a, int b) {
        return operand.strides[a] != operand.strides[b] ? operand.strides[a] > operand.strides[b] : operand.shape[a] > operand.shape[b];
    });
    return axes;
}

// The operand's place in a dense F32 buffer, its axes in the same order.
HostOperand dense_twin(const HostOperand& operand, float* memory) {
    HostOperand twin{.data = reinterpret_cast<std::byte*>(memory), .shape = operand.shape, .strides = Shape(operand.shape.size(), 0)};
    const std::vector<int> axes = memory_order(operand);
    std::int64_t stride = 1;
    for (std::size_t i = axes.size(); i-- > 0;) {
        twin.strides[axes[i]] = stride;
        stride *= operand.shape[axes[i]];
    }
    return twin;
}

// Calls visit(first element of the operand, first element of its dense twin, elements, stride) for each innermost run.
template <typename Visit>
void for_each_run(const HostOperand& operand, Visit visit) {
    Shape sizes, strides;
    for (const int axis : memory_order(operand)) {
        if (operand.shape[axis] == 1) continue;
        if (!sizes.empty() && strides.back() == operand.strides[axis] * operand.shape[axis]) {
            sizes.back() *= operand.shape[axis];
            strides.back() = operand.strides[axis];
        } else {
            sizes.push_back(operand.shape[axis]);
            strides.push_back(operand.strides[axis]);
        }
    }
    const std::int64_t length = sizes.empty() ? 1 : sizes.back(), step = sizes.empty() ? 1 : strides.back();
    const std::int64_t rows = std::accumulate(sizes.begin(), sizes.empty() ? sizes.end() : sizes.end() - 1, std::int64_t{1}, std::multiplies<>());
    std::vector<std::int64_t> index(sizes.size(), 0);
    std::int64_t at = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
        visit(at, row * length, length, step);
        for (std::size_t d = sizes.empty() ? 0 : sizes.size() - 1; d-- > 0;) {
            at += strides[d];
            if (++index[d] < sizes[d]) break;
            at -= strides[d] * sizes[d];
            index[d] = 0;
        }
    }
}

void fill_run(const HostOperand& from, float* to, std::int64_t at, std::int64_t count, std::int64_t step) {
    const bool together = step == 1;
    const auto size = static_cast<std::int64_t>(size_of(from.dtype));
    for (std::int64_t i = 0; i < (together ? 1 : count); ++i) {
        const auto elements = static_cast<std::size_t>(together ? count : 1);
        if (from.blocks)
            unpack(*from.blocks, from.data, static_cast<std::size_t>(from.start + at + i * step), {to + i, elements});
        else
            widen(from.dtype, from.data + (at + i * step) * size, to + i, elements);
    }
}

// Threads share the runs, long ones cut into pieces.
void fill_twin(const HostOperand& from, float* to) {
    constexpr std::int64_t piece = 1 << 16;      // whole blocks of every format
    struct Run {
        std::int64_t at, target, count, step;
    };
    std::vector<Run> runs;
    std::int64_t elements = 0;
    for_each_run(from, [&](std::int64_t at, std::int64_t target, std::int64_t count, std::int64_t step) {
        for (std::int64_t first = 0; first < count; first += piece)
            runs.push_back({at + first * step, target + first, std::min(piece, count - first), step});
        elements += count;
    });
    const auto fill = [&](const Run& run) { fill_run(from, to + run.target, run.at, run.count, run.step); };
    if (elements < piece) {
        for (const Run& run : runs) fill(run);
        return;
    }
    const auto count = static_cast<std::int64_t>(runs.size()), groups = std::min<std::int64_t>(count, 64);
    parallel_for(groups, [&](std::int64_t group, int) {
        for (std::int64_t i = count * group / groups; i < count * (group + 1) / groups; ++i) fill(runs[static_cast<std::size_t>(i)]);
    });
}

void store_twin(const float* from, const HostOperand& to) {
    for_each_run(to, [&](std::int64_t at, std::int64_t source, std::int64_t count, std::int64_t step) {
        const auto size = static_cast<std::int64_t>(size_of(to.dtype));
        for (std::int64_t i = 0; i < (step == 1 ? 1 : count); ++i)
            narrow(to.dtype, from + source + i, to.data + (at + i * step) * size, static_cast<std::size_t>(step == 1 ? count : 1));
    });
}

// One buffer for each operand of a call. Those of ordinary size stay with the thread, since a page fault costs more than a
// conversion.
std::map<std::size_t, std::vector<float>>& scratch_buffers() {
    thread_local std::map<std::size_t, std::vector<float>> buffers;
    return buffers;
}

float* scratch(std::size_t slot, std::int64_t elements) {
    std::vector<float>& buffer = scratch_buffers()[slot];
    if (static_cast<std::int64_t>(buffer.size()) < elements) {
        buffer = {};
        buffer.resize(static_cast<std::size_t>(std::max(elements, std::min(scratch_elements, 2 * elements))));
    }
    return buffer.data();
}

// A map that could not be cut small enough (one picture of a convolution) leaves nothing behind.
struct ScratchGuard {
    ~ScratchGuard() {
        std::erase_if(scratch_buffers(), [](const auto& entry) { return entry.second.size() > static_cast<std::size_t>(scratch_elements); });
    }
};

HostOperand widened(const HostOperand& operand, std::size_t slot, bool always = false) {
    if (is_plain(operand) && !always) return operand;
    float* memory = scratch(slot, stored_elements(operand));
    fill_twin(operand, memory);
    return dense_twin(operand, memory);
}

// What the F32 kernel keeps: for the call with its weight kept, and for each shape of piece.
struct States {
    std::shared_ptr<void> whole;
    std::map<Shape, std::shared_ptr<void>> pieces;
};

std::shared_ptr<States> states_of(const HostCall& call) {
    if (!call.state) call.state = std::make_shared<States>();
    return std::static_pointer_cast<States>(call.state);
}

class Pieces {
public:
    Pieces(const HostCall& call, HostKernel kernel, const std::vector<HostSplit>& splits)
        : call_(call), kernel_(kernel), splits_(splits), states_(states_of(call)) {}

    // `cut`: the operands are parts of larger ones, which the kernel would take for dense tensors.
    void run(std::vector<HostOperand> in, const HostOperand& out, std::vector<HostOperand> posts, std::size_t level, bool cut) {
        for (std::size_t i = 0; i < in.size(); ++i)
            if (last_split(i) == level) in[i] = widened(in[i], i, cut && level > 0);
        if (level == splits_.size()) return run_piece(in, out, posts, cut);
        const HostSplit& split = splits_[level];
        const std::int64_t length = out.shape[split.out], step = step_of(in, out, level);
        for (std::int64_t first = 0; first < length; first += step) {
            check_cancelled();
            const std::int64_t count = std::min(step, length - first);
            std::vector<HostOperand> piece = in, piece_posts = posts;
            for (std::size_t i = 0; i < in.size(); ++i) piece[i] = part(in[i], split.in[i], first, count);
            for (HostOperand& post : piece_posts) post = part(post, post.shape[split.out] == 1 ? -1 : split.out, first, count);
            run(piece, part(out, split.out, first, count), piece_posts, level + 1, cut || (split.dense && step < length));
        }
    }

private:
    // The level at which an input is cut no further.
    std::size_t last_split(std::size_t input) const {
        for (std::size_t level = splits_.size(); level > 0; --level)
            if (splits_[level - 1].in[input] >= 0) return level;
        return 0;
    }

    // How much of the axis fits the scratch buffers.
    std::int64_t step_of(const std::vector<HostOperand>& in, const HostOperand& out, std::size_t level) const {
        const HostSplit& split = splits_[level];
        const std::int64_t length = out.shape[split.out];
        std::int64_t step = length;
        const auto limit = [&](const HostOperand& operand) {
            const std::int64_t each = std::max<std::int64_t>(1, stored_elements(operand) / length);
            step = std::min(step, std::max<std::int64_t>(1, scratch_elements / each));
        };
        for (std::size_t i = 0; i < in.size(); ++i)
            if (split.in[i] >= 0 && !is_plain(in[i])) limit(in[i]);
        if (!is_plain(out)) limit(out);
        return step < length && step > piece_step ? step / piece_step * piece_step : step;
    }

    void run_piece(const std::vector<HostOperand>& in, const HostOperand& out, std::vector<HostOperand> posts, bool cut) {
        for (std::size_t i = 0; i < posts.size(); ++i) posts[i] = widened(posts[i], in.size() + 1 + i, cut);
        const bool twin = cut || !is_plain(out);
        const HostOperand target = twin ? dense_twin(out, scratch(in.size(), stored_elements(out))) : out;
        kernel_({call_.kernel, in, target, call_.post_ops, posts, states_->pieces[out.shape]});
        if (twin) store_twin(reinterpret_cast<const float*>(target.data), out);
    }

    const HostCall& call_;
    const HostKernel kernel_;
    const std::vector<HostSplit>& splits_;
    std::shared_ptr<States> states_;
};

}  // namespace

bool is_plain(const HostOperand& operand) { return operand.dtype == Dtype::F32 && !operand.blocks; }

void widen_all(const HostOperand& operand, float* to) { fill_twin(operand, to); }

bool run_with_kept_weight(const HostCall& call, HostKernel kernel) {
    const HostOperand& weight = call.in[1];
    if (is_plain(weight) || !weight.leaf || !is_plain(call.in[0]) || !is_plain(call.out)) return false;
    {
        const std::lock_guard lock(weight.leaf->mutex);
        const bool kept = std::any_of(weight.leaf->derived.begin(), weight.leaf->derived.end(),
                                      [](const auto& made) { return !made.first.starts_with(device_key_prefix); });
        if (!kept && kept_weight_bytes(call.kernel, weight, call.in[0].shape, call.out.shape) > call.room) return false;
    }
    std::vector<HostOperand> posts = call.post_operands;
    for (std::size_t i = 0; i < posts.size(); ++i) posts[i] = widened(posts[i], call.in.size() + 1 + i);
    kernel({call.kernel, call.in, call.out, call.post_ops, posts, states_of(call)->whole, call.room});
    return true;
}

bool is_f32(const HostCall& call) {
    return std::all_of(call.in.begin(), call.in.end(), is_plain) && is_plain(call.out) &&
           std::all_of(call.post_operands.begin(), call.post_operands.end(), is_plain);
}

void run_widened(const HostCall& call, HostKernel kernel, const std::vector<HostSplit>& splits) {
    const ScratchGuard guard;
    Pieces(call, kernel, splits).run(call.in, call.out, call.post_operands, 0, false);
}

}  // namespace gpu
