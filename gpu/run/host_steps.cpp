#include "gpu/run/host_steps.h"

#include <optional>

#include "gpu/base/error.h"
#include "gpu/run/host/region.h"
#include "gpu/run/host/widen.h"
#include "gpu/run/host_kernel.h"

namespace gpu {
namespace {

HostOperand host_operand(const Operand& operand) {
    HostOperand result;
    result.shape = operand.view.shape;
    result.strides = operand.view.strides;
    result.dtype = operand.dtype;
    result.blocks = operand.blocks;
    return result;
}

// An operand, and what a run sets in it.
struct Pointed {
    HostOperand* operand = nullptr;
    const Place* place = nullptr;
    std::size_t offset = 0;      // bytes
    int leaf = -1;               // the operand is all of this one
};

}  // namespace

struct HostSteps::HostStep {
    std::vector<Pointed> operands;      // reads in their order, then the write
    std::optional<HostRegion> region;   // a generated step
    HostKernel kernel = nullptr;        // else
    std::optional<HostCall> call;
    bool widens = false;                // it may keep a copy of a weight that it could do without
    std::vector<HostOperand> region_reads;
    HostOperand region_write;
    std::shared_ptr<void> state;        // the kernel's
};

HostSteps::HostSteps(const Device& device, const Program& program, const LeafUses& uses, const Places& places)
    : device_(device), program_(program), uses_(uses), places_(places), steps_(program.steps.size()) {}

HostSteps::~HostSteps() = default;

// All of a leaf, in whatever order: the weight of a linear layer is read transposed. Blocks are a leaf of bytes.
bool HostSteps::is_whole_leaf(const Operand& operand) const {
    const PlanNode& root = program_.nodes[operand.root];
    if (root.leaf < 0 || operand.view.offset != 0) return false;
    const std::int64_t elements = element_count(operand.view.shape);
    const std::int64_t stored = operand.blocks ? static_cast<std::int64_t>(bytes_of(*operand.blocks, static_cast<std::size_t>(elements))) : elements;
    if (stored != element_count(root.spec.shape)) return false;
    for (std::size_t i = 0; i < operand.view.shape.size(); ++i)
        if (operand.view.strides[i] <= 0 && operand.view.shape[i] != 1) return false;
    return true;
}

std::unique_ptr<HostSteps::HostStep> HostSteps::make(std::size_t index) const {
    const Step& step = program_.steps[index];
    auto host = std::make_unique<HostStep>();
    std::vector<HostOperand> reads;
    for (const Operand& read : step.reads) reads.push_back(host_operand(read));
    std::vector<HostOperand*> operands;
    if (step.core < 0 || !program_.nodes[step.core].kernel->parts.empty()) {   // a generated step
        host->region.emplace(program_, step);
        host->region_reads = std::move(reads);
        host->region_write = host_operand(step.write);
        for (HostOperand& read : host->region_reads) operands.push_back(&read);
        operands.push_back(&host->region_write);
    } else {
        const Kernel& kernel = *program_.nodes[step.core].kernel;
        const auto inputs = static_cast<std::ptrdiff_t>(kernel.host_inputs.size());
        host->kernel = host_kernel(kernel.host);
        host->call.emplace(HostCall{kernel, {reads.begin(), reads.begin() + inputs}, host_operand(step.write), step.post_ops,
                                    {reads.begin() + inputs, reads.end()}, host->state});
        for (PostOp& post : host->call->post_ops)
            if (post.operand >= 0) post.operand -= static_cast<int>(inputs);
        for (auto* list : {&host->call->in, &host->call->post_operands})
            for (HostOperand& read : *list) operands.push_back(&read);
        operands.push_back(&host->call->out);
        host->widens = inputs > 1 && is_whole_leaf(step.reads[1]) && !is_plain(host->call->in[1]);
    }
    for (std::size_t r = 0; r < step.reads.size(); ++r) {
        const Operand& read = step.reads[r];
        host->operands.push_back({operands[r], &places_.of(program_, uses_, index, r), read.byte_offset(),
                                  is_whole_leaf(read) ? program_.nodes[read.root].leaf : -1});
    }
    host->operands.push_back({operands.back(), &places_.nodes[step.write.root], step.write.byte_offset(), -1});
    return host;
}

void HostSteps::run(std::size_t step, const std::vector<const StorageRef*>& leaves, const std::vector<double>& scalars, Residency& residency) {
    if (!steps_[step]) steps_[step] = make(step);
    HostStep& host = *steps_[step];
    struct Scope {   // a weight that nobody else holds any more goes with the run
        HostStep& host;
        ~Scope() {
            for (const Pointed& one : host.operands)
                if (one.leaf >= 0) one.operand->leaf = nullptr;
        }
    } const scope{host};
    for (const Pointed& one : host.operands) {
        check(one.place->host != nullptr, ErrorCode::Failure, "host kernel {}: an operand is not visible to the host", program_.steps[step].label);
        one.operand->data = one.place->host + one.offset;
        if (one.leaf >= 0) one.operand->leaf = *leaves[one.leaf];
    }
    if (host.region) {
        host.region->run(host.region_reads, host.region_write, scalars);
    } else {
        run_kernel(host, residency);
    }
}

std::uint64_t HostSteps::room() const {
    const Device::MemoryUse use = device_.memory_use();
    const std::uint64_t budget = device_.budget(), counted = use.used + use.adopted;
    return budget > counted ? budget - counted : 0;
}

void HostSteps::run_kernel(HostStep& step, Residency& residency) const {
    HostCall& call = *step.call;
    call.room = room();
    // A copy of this weight is worth more than those that this run has not used.
    if (step.widens && !residency.has_packed(call.in[1].leaf)) {
        const std::uint64_t bytes = kept_weight_bytes(call.kernel, call.in[1], call.in[0].shape, call.out.shape);
        if (bytes > call.room && residency.evict(bytes - call.room) > 0) call.room = room();
    }
    step.kernel(call);
    for (const HostOperand& operand : call.in)
        if (operand.leaf) residency.note_packed(operand.leaf);
}

}  // namespace gpu
