// The host's interpreter of generated steps: chains of primitives and reductions over rows, block by block in the first
// level of cache, each op a vector loop over the block. On a processor this beats shaders, which the software driver
// compiles into gathers and scatters, and it spares a submission between two host kernels.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "gpu/graph/vector_math.h"
#include "gpu/plan/program.h"
#include "gpu/run/host_kernel.h"

namespace gpu {

class HostRegion {
public:
    HostRegion(const Program& program, const Step& step);

    // Operands as the step's reads; `scalars` as the program's. Sums are formed in an order that depends on shapes only.
    void run(const std::vector<HostOperand>& reads, const HostOperand& write, const std::vector<double>& scalars) const;

private:
    void run_in_chunks(const std::vector<HostOperand>& reads, const HostOperand& write, const std::vector<double>& scalars) const;
    // How a run meets the caches.
    struct Traffic {
        bool calls_ahead = false;   // for what comes next
        bool streams = false;       // its result past them
    };
    Traffic traffic(const std::vector<HostOperand>& reads, const HostOperand& write) const;
    std::int64_t elements() const { return loop_count * vector_count; }

    friend class RegionCompiler;
    friend class RegionRun;

    // Whether all of a row stays in its slots between passes.
    bool holds_rows() const { return !across && !elementwise && vector_count <= 2048; }

    // Indices of values: blocks of floats, one for each constant, read and member.
    struct Load {
        int slot = 0;
        std::size_t read = 0;
        Shape loop_strides, vector_strides;
        bool linear = false;   // any part of the vector's walk lies side by side
        bool single = false;   // one number for a whole block, and only that is asked for
        bool repeats = false;  // the same rows of the innermost axis again and again, whole ones to a block: the first holds for all
    };
    struct Instruction {
        VectorFunction function = nullptr;
        std::vector<int> in;
        int out = 0;
        bool spread = false;   // a row's number that something needs once an element: repeated over a block
    };
    struct Fold {
        VectorFold fold = nullptr;
        VectorFunction combine = nullptr;
        float identity = 0;
        int in = 0, out = 0;
        bool spread = false;
        std::string_view name;
        FoldRows rows = nullptr;             // several rows at once
        VectorSum sum = nullptr;             // computes `in` of `made_of`, too
        std::vector<int> made_of;
    };
    struct Pass {
        std::vector<Load> loads;
        std::vector<Instruction> work;
        std::vector<Fold> folds;
        std::vector<Instruction> after;
        bool stores = false;
        // Narrow blocks across rows: several elements of the loop are computed together, one behind the other in a block. What
        // `work` reads of the rows is repeated then, in slots of its own: pairs of slot and copy.
        bool batched = false;
        bool strided = false;   // it folds one read as it lies
        bool plain = false;     // the same along rows, all of a row at once
        std::vector<std::pair<int, int>> repeated;
    };
    struct Constant {
        int slot = 0, scalar = 0;
        bool spread = false;
    };

    // Blocks run along `vector_sizes`, one for each index of `loop_sizes` (both outermost first). Either is the row's elements
    // and the other the rows: `across` says that blocks hold neighbouring rows.
    bool across = false, elementwise = false;
    Shape loop_sizes, vector_sizes;
    std::int64_t loop_count = 1, vector_count = 1;
    std::int64_t block = 512;   // floats of a slot; short rows are held whole, so that later passes find what earlier ones made
    int slots = 0;
    std::vector<Constant> constants;
    std::vector<Load> row_loads;
    std::vector<Instruction> before;
    std::vector<Pass> passes;
    int result = 0;
    Shape write_loop_strides, write_vector_strides;
    bool write_linear = false;
};

}  // namespace gpu
