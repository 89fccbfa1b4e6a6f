#include "gpu/plan/rows.h"

#include <algorithm>
#include <map>
#include <set>

namespace gpu {
namespace {

class Passes {
public:
    Passes(const Program& program, const Step& step) : program_(program), step_(step) {}

    RowPasses run() {
        RowPasses result;
        std::map<int, std::size_t> depth;   // passes that must be over before the member can be computed
        for (const int member : step_.members) {
            std::size_t& own = depth[member];
            for (const int input : inputs_inside(member)) own = std::max(own, depth[input] + (is_reduction(input) ? 1 : 0));
            if (!is_reduction(member) && is_full(member)) continue;
            if (!is_reduction(member) && own == 0) {
                result.before.push_back(member);
                continue;
            }
            const std::size_t pass = is_reduction(member) ? own : own - 1;
            result.passes.resize(std::max(result.passes.size(), pass + 1));
            (is_reduction(member) ? result.passes[pass].reductions : result.passes[pass].after).push_back(member);
        }
        if (is_full(step_.result)) result.passes.push_back({{step_.result}, {}, {}, true});
        for (RowPass& pass : result.passes) pass.members = needed(pass);
        return result;
    }

private:
    bool is_reduction(int node) const { return program_.nodes[node].op->kind() == OpKind::Reduce; }
    bool is_full(int node) const { return program_.nodes[node].spec.shape == step_.space; }

    std::vector<int> inputs_inside(int member) const {
        std::vector<int> result;
        for (const int input : program_.nodes[member].inputs)
            if (const int inside = member_of(program_, step_, input); inside >= 0) result.push_back(inside);
        return result;
    }

    // The members along the row that the pass's reductions, or the result, are computed from.
    std::vector<int> needed(const RowPass& pass) const {
        std::set<int> wanted(pass.members.begin(), pass.members.end());
        for (const int reduction : pass.reductions)
            for (const int input : inputs_inside(reduction)) wanted.insert(input);
        for (std::size_t i = step_.members.size(); i-- > 0;)
            if (wanted.contains(step_.members[i]) && !is_reduction(step_.members[i]))
                for (const int input : inputs_inside(step_.members[i])) wanted.insert(input);
        std::vector<int> result;
        for (const int member : step_.members)
            if (wanted.contains(member) && is_full(member) && !is_reduction(member)) result.push_back(member);
        return result;
    }

    const Program& program_;
    const Step& step_;
};

}  // namespace

RowPasses row_passes(const Program& program, const Step& step) { return Passes(program, step).run(); }

}  // namespace gpu
