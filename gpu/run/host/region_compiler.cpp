// Turns a step into the interpreter's program: slots for values, walks for views, instructions in order.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "gpu/base/error.h"
#include "gpu/graph/vector_math.h"
#include "gpu/plan/rows.h"
#include "gpu/plan/walk.h"
#include "gpu/run/host/region.h"

namespace gpu {

class RegionCompiler {
public:
    RegionCompiler(const Program& program, const Step& step, HostRegion& region)
        : program_(program), nodes_(program.nodes), step_(step), region_(region) {}

    void run() {
        const bool part = step_.core >= 0;
        const PlanNode& result = nodes_[step_.result];
        const Shape& space = part ? step_.write.view.shape : step_.space;
        RowPasses plan;
        if (part) {
            plan.passes.push_back({{}, {}, {}, true});
        } else {
            plan = row_passes(program_, step_);
        }
        const bool along = part || result.spec.shape == space;
        region_.elementwise = step_.axes.empty();

        // Which reads are rows' and which are elements'.
        std::vector<int> row_members = plan.before;
        for (const RowPass& pass : plan.passes) row_members.insert(row_members.end(), pass.after.begin(), pass.after.end());
        std::vector<std::size_t> row_reads, full_reads;
        for (const int member : row_members) add_reads(member, row_reads);
        for (const RowPass& pass : plan.passes) {
            for (const int member : pass.members) add_reads(member, full_reads);
            for (const int member : pass.reductions) add_reads(member, full_reads);
        }
        if (part) full_reads.push_back(0);
        make_walks(space, result.order, row_reads, full_reads, along);

        for (const std::size_t read : row_reads) region_.row_loads.push_back(load_of(read));
        for (const int member : plan.before) region_.before.push_back(row_instruction(member));
        std::set<int> kept;   // made by an earlier pass
        for (RowPass& pass : plan.passes) {
            HostRegion::Pass made;
            made.stores = pass.stores;
            std::erase_if(pass.members, [&](int member) { return kept.contains(member); });
            if (region_.holds_rows()) kept.insert(pass.members.begin(), pass.members.end());
            std::vector<std::size_t> reads;
            for (const int member : pass.members) add_reads(member, reads);
            for (const int member : pass.reductions) add_reads(member, reads);
            if (part) reads.push_back(0);
            for (const std::size_t read : reads)
                if (!region_.holds_rows() || held_.insert(read).second) made.loads.push_back(load_of(read));
            for (const int member : pass.members) made.work.push_back(instruction(member));
            for (const int member : pass.reductions) {
                const auto& op = static_cast<const ReduceOp&>(*nodes_[member].op);
                made.folds.push_back({op.fold(), op.vector(), static_cast<float>(op.identity()), slot_of(nodes_[member].inputs[0]),
                                      slot_of(member), false, op.name(), fold_rows(op.name())});
                full_.insert(made.folds.back().in);
                if (!region_.across) single_.insert(made.folds.back().out);
            }
            for (const int member : pass.after) made.after.push_back(row_instruction(member));
            region_.passes.push_back(std::move(made));
        }
        if (part) {
            region_.result = region_.slots++;
            region_.passes[0].work.push_back({copy_function(), {read_slot(0)}, region_.result, false});
            full_.insert(read_slot(0));
        } else {
            region_.result = slot_of(step_.result);
        }
        mark_spread();
        for (HostRegion::Pass& pass : region_.passes) {
            join_pairs(pass);
            join_folds(pass);
            batch(pass);
        }
        // Rows that are only folded take no slots: the wider the blocks, the longer the runs of memory that are read.
        if (region_.passes.size() == 1 && region_.passes[0].strided)
            region_.block = std::clamp((region_.vector_count + 15) / 16 * 16, region_.block, std::int64_t{2048});
    }

private:
    // Two instructions become one where there is a function for both and nothing else asks for what lies between: again and again, since what was
    // joined may be half of another pair.
    void join_pairs(HostRegion::Pass& pass) {
        for (std::size_t i = 0; i + 1 < pass.work.size();) {
            const auto joined = uses(pass.work[i].out) == 1 ? pair_of(pass.work[i], pass.work[i + 1]) : std::nullopt;
            if (!joined) {
                ++i;
                continue;
            }
            pass.work[i] = *joined;
            pass.work.erase(pass.work.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            i = i > 0 ? i - 1 : 0;
        }
    }
    // A sum of squares takes what is squared; what is computed last may be added at once.
    void join_folds(HostRegion::Pass& pass) {
        if (region_.across) return;
        for (HostRegion::Fold& fold : pass.folds) {
            const auto made = std::find_if(pass.work.begin(), pass.work.end(), [&](const HostRegion::Instruction& one) { return one.out == fold.in; });
            if (made == pass.work.end()) continue;
            const VectorFold squares = fold_squares(fold.name);
            const VectorSum sum = vector_sum(made->function, fold.name);
            if (squares && made->function == vector_function("mul") && made->in[0] == made->in[1] && uses(fold.in) == 1) {
                fold.fold = squares;
                fold.in = made->in[0];
                pass.work.erase(made);
            } else if (sum && made + 1 == pass.work.end() && pass.folds.size() == 1 && fold.in != region_.result) {
                fold.sum = sum;
                fold.made_of = made->in;
                pass.work.erase(made);
            }
        }
    }
    std::optional<HostRegion::Instruction> pair_of(const HostRegion::Instruction& first, const HostRegion::Instruction& second) const {
        if (std::find(second.in.begin(), second.in.end(), first.out) == second.in.end()) return {};
        const bool follows = std::all_of(second.in.begin(), second.in.end(), [&](int slot) { return slot == first.out || slot == first.in[0]; });
        if (const VectorFunction both = follows ? vector_pair(first.function, second.function) : nullptr)
            return HostRegion::Instruction{both, first.in, second.out, second.spread};
        if (second.in.size() != 2) return {};
        const std::size_t at = second.in[0] == first.out ? 0 : 1;
        const VectorChain chain = vector_chain(first.function, second.function, at);
        if (!chain.function) return {};
        std::vector<int> in = first.in;
        if (chain.swapped) std::swap(in[0], in[1]);
        in.push_back(second.in[1 - at]);
        return HostRegion::Instruction{chain.function, in, second.out, second.spread};
    }
    std::ptrdiff_t uses(int slot) const {
        std::ptrdiff_t count = slot == region_.result ? 1 : 0;
        const auto count_in = [&](const std::vector<HostRegion::Instruction>& list) {
            for (const HostRegion::Instruction& one : list) count += std::count(one.in.begin(), one.in.end(), slot);
        };
        count_in(region_.before);
        for (const HostRegion::Pass& pass : region_.passes) {
            count_in(pass.work);
            count_in(pass.after);
            for (const HostRegion::Fold& fold : pass.folds) count += (fold.in == slot ? 1 : 0) + std::count(fold.made_of.begin(), fold.made_of.end(), slot);
        }
        return count;
    }

    // Blocks are computed together where the loop has one axis and nothing in them is one number per element of the loop.
    void batch(HostRegion::Pass& pass) {
        const auto is_single = [](const HostRegion::Load& load) {
            return std::all_of(load.vector_strides.begin(), load.vector_strides.end(), [](std::int64_t stride) { return stride == 0; });
        };
        const auto has_rows = [](const HostRegion::Fold& fold) { return fold.rows != nullptr; };
        const bool as_it_lies = pass.work.empty() && pass.loads.size() == 1 && pass.loads[0].linear &&
                                std::all_of(pass.folds.begin(), pass.folds.end(), [&](const HostRegion::Fold& fold) { return fold.in == pass.loads[0].slot; });
        pass.plain = as_it_lies && !region_.across && pass.folds.size() == 1 && !pass.folds[0].sum && !pass.stores;
        pass.batched = region_.across && region_.loop_sizes.size() == 1 && !pass.stores && !pass.folds.empty() &&
                       std::none_of(pass.loads.begin(), pass.loads.end(), is_single) &&
                       std::all_of(pass.folds.begin(), pass.folds.end(), has_rows);
        if (!pass.batched) return;
        std::set<int> inside, outside;
        for (const HostRegion::Load& load : pass.loads) inside.insert(load.slot);
        for (const HostRegion::Instruction& one : pass.work) inside.insert(one.out);
        for (const HostRegion::Instruction& one : pass.work) outside.insert(one.in.begin(), one.in.end());
        for (const HostRegion::Fold& fold : pass.folds) outside.insert(fold.in);
        for (const int slot : outside)
            if (!inside.contains(slot) && (full_.contains(slot) || !single_.contains(slot))) pass.repeated.emplace_back(slot, region_.slots++);
        pass.strided = as_it_lies;
    }

    bool is_linear(const Shape& strides) const {
        return strides == dense_strides(region_.vector_sizes, row_major(region_.vector_sizes.size()));
    }
    static VectorFunction copy_function() { return static_cast<const ElementwiseOp&>(*copy_op()).vector(); }

    void make_walks(const Shape& space, const Order& order, const std::vector<std::size_t>& row_reads,
                    const std::vector<std::size_t>& full_reads, bool along) {
        std::vector<int> kept, reduced;
        for (const int axis : order) {
            const bool is_reduced = step_.axes.empty() || std::find(step_.axes.begin(), step_.axes.end(), axis) != step_.axes.end();
            (is_reduced ? reduced : kept).push_back(axis);
        }
        std::vector<const View*> views{&step_.write.view};
        for (const std::size_t read : row_reads) views.push_back(&step_.reads[read].view);
        for (const std::size_t read : full_reads) views.push_back(&step_.reads[read].view);
        const Walk rows = merge(space, views, kept);
        std::vector<const View*> full(views.begin() + 1 + static_cast<std::ptrdiff_t>(row_reads.size()), views.end());
        if (along) full.push_back(&step_.write.view);
        const Walk elements = merge(space, full, reduced);

        const std::int64_t row_count = element_count(rows.sizes), length = element_count(elements.sizes);
        bool contiguous = false;   // elements of a row lie side by side, of something that differs from row to row
        for (std::size_t k = 0; k < full_reads.size(); ++k)
            contiguous |= !elements.sizes.empty() && elements.strides[k].back() == 1 &&
                          (rows.sizes.empty() || rows.strides[1 + row_reads.size() + k].back() != 0);
        region_.across = !step_.axes.empty() && ((!contiguous && row_count >= 4) || (length < 16 && row_count >= 64));
        const Walk &loop = region_.across ? elements : rows, &vector = region_.across ? rows : elements;
        region_.loop_sizes = loop.sizes;
        region_.vector_sizes = vector.sizes;
        region_.loop_count = region_.across ? length : row_count;
        region_.vector_count = region_.across ? row_count : length;

        // Whole rows of the innermost axis to a block, for values that are the same for all of them.
        const std::int64_t inner = region_.vector_sizes.size() > 1 ? region_.vector_sizes.back() : 0;
        if (const std::int64_t most = region_.block * 5 / 4; region_.elementwise && inner > 0 && inner <= most) region_.block = most / inner * inner;
        if (region_.holds_rows()) region_.block = std::max<std::int64_t>(16, (region_.vector_count + 15) / 16 * 16);

        const auto set = [&](const Shape& row_strides, const Shape& element_strides, Shape& to_loop, Shape& to_vector) {
            to_loop = region_.across ? element_strides : row_strides;
            to_vector = region_.across ? row_strides : element_strides;
        };
        const Shape none(elements.sizes.size(), 0);
        set(rows.strides[0], along ? elements.strides.back() : none, region_.write_loop_strides, region_.write_vector_strides);
        region_.write_linear = is_linear(region_.write_vector_strides);
        for (std::size_t k = 0; k < row_reads.size(); ++k)
            set(rows.strides[1 + k], none, strides_[row_reads[k]].first, strides_[row_reads[k]].second);
        for (std::size_t k = 0; k < full_reads.size(); ++k)
            set(rows.strides[1 + row_reads.size() + k], elements.strides[k], strides_[full_reads[k]].first, strides_[full_reads[k]].second);
    }

    void add_reads(int member, std::vector<std::size_t>& reads) const {
        for (const int input : nodes_[member].inputs) {
            if (nodes_[input].scalar >= 0 || member_of(program_, step_, input) >= 0) continue;
            const std::size_t read = read_of(input);
            if (std::find(reads.begin(), reads.end(), read) == reads.end()) reads.push_back(read);
        }
    }
    std::size_t read_of(int node) const {
        const PlanNode& wanted = nodes_[node];
        const auto found = std::find_if(step_.reads.begin(), step_.reads.end(), [&](const Operand& read) {
            return read.root == wanted.root && read.view.offset == wanted.view.offset && read.view.strides == wanted.view.strides &&
                   read.view.shape == wanted.view.shape && read.blocks == wanted.blocks;
        });
        check(found != step_.reads.end(), ErrorCode::Failure, "host region: node {} is not among the reads", node);
        return static_cast<std::size_t>(found - step_.reads.begin());
    }

    HostRegion::Load load_of(std::size_t read) {
        const auto& [loop, vector] = strides_.at(read);
        const bool single = std::all_of(vector.begin(), vector.end(), [](std::int64_t stride) { return stride == 0; });
        if (single) single_.insert(read_slot(read));
        const bool repeats = region_.elementwise && vector.size() > 1 && region_.block % region_.vector_sizes.back() == 0 &&
                             std::all_of(vector.begin(), vector.end() - 1, [](std::int64_t stride) { return stride == 0; });
        return {read_slot(read), read, loop, vector, is_linear(vector), single, repeats};
    }

    // Of elements: inputs that are one number are read as such where the primitive has that form.
    HostRegion::Instruction instruction(int member) {
        const PlanNode& node = nodes_[member];
        HostRegion::Instruction made = plain_instruction(member);
        unsigned singles = 0;
        for (std::size_t k = 0; k < made.in.size(); ++k) singles |= single_.contains(made.in[k]) ? 1u << k : 0u;
        const VectorFunction form = node.scalar >= 0 ? nullptr : vector_function(node.op->name(), singles);
        if (form)
            made.function = form;
        else
            full_.insert(made.in.begin(), made.in.end());
        return made;
    }
    // Of rows: one number when blocks run along the row, else as many as any other value.
    HostRegion::Instruction row_instruction(int member) {
        if (region_.across) return instruction(member);
        const HostRegion::Instruction made = plain_instruction(member);
        single_.insert(made.out);
        return made;
    }
    // All inputs as arrays.
    HostRegion::Instruction plain_instruction(int member) {
        const PlanNode& node = nodes_[member];
        if (node.scalar >= 0) return {copy_function(), {constant_slot(node.scalar)}, slot_of(member, true), false};
        HostRegion::Instruction made{static_cast<const ElementwiseOp&>(*node.op).vector(), {}, 0, false};
        for (const int input : node.inputs) made.in.push_back(slot_of(input));
        made.out = slot_of(member);
        return made;
    }

    int slot_of(int node, bool as_member = false) {
        if (nodes_[node].scalar >= 0 && !as_member && member_of(program_, step_, node) < 0) return constant_slot(nodes_[node].scalar);
        if (const int member = member_of(program_, step_, node); member >= 0) {
            const auto [at, fresh] = members_.try_emplace(member, region_.slots);
            if (fresh) ++region_.slots;
            return at->second;
        }
        return read_slot(read_of(node));
    }
    int read_slot(std::size_t read) {
        const auto [at, fresh] = reads_.try_emplace(read, region_.slots);
        if (fresh) ++region_.slots;
        return at->second;
    }
    int constant_slot(int scalar) {
        const auto [at, fresh] = constants_.try_emplace(scalar, region_.slots);
        if (fresh) region_.constants.push_back({region_.slots++, scalar});
        single_.insert(at->second);
        return at->second;
    }

    // Single numbers are repeated over a block only where something needs them once an element.
    void mark_spread() {
        if (std::any_of(region_.passes.begin(), region_.passes.end(), [](const HostRegion::Pass& pass) { return pass.stores; }))
            full_.insert(region_.result);
        for (HostRegion::Constant& one : region_.constants) one.spread = full_.contains(one.slot);
        for (HostRegion::Load& load : region_.row_loads) load.single &= !full_.contains(load.slot);
        for (HostRegion::Instruction& one : region_.before) one.spread = full_.contains(one.out);
        for (HostRegion::Pass& pass : region_.passes) {
            for (HostRegion::Load& load : pass.loads) load.single &= !full_.contains(load.slot);
            for (HostRegion::Instruction& one : pass.after) one.spread = full_.contains(one.out);
            for (HostRegion::Fold& fold : pass.folds) fold.spread = full_.contains(fold.out);
        }
    }

    const Program& program_;
    const std::vector<PlanNode>& nodes_;
    const Step& step_;
    HostRegion& region_;
    std::map<std::size_t, std::pair<Shape, Shape>> strides_;   // read -> along the loop, along the vector
    std::map<int, int> members_, constants_;
    std::map<std::size_t, int> reads_;
    std::set<std::size_t> held_;   // reads that an earlier pass loaded
    std::set<int> single_;         // slots whose value is one number for all elements of a block
    std::set<int> full_;           // slots that something reads element by element all the same
};

HostRegion::HostRegion(const Program& program, const Step& step) { RegionCompiler(program, step, *this).run(); }

}  // namespace gpu
