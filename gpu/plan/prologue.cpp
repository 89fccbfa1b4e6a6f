#include "gpu/plan/prologue.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "gpu/plan/step_inputs.h"

namespace gpu {
namespace {

constexpr std::size_t longest_chain = 12;

// What a GPU does in the time that it takes to move one byte, in multiply-adds of floats: 8 on an H200 (4.3 TB/s, 67 TFLOP/s), 32 on a
// Radeon 7900 XTX (0.96 TB/s, 61 TFLOP/s).
constexpr double work_per_byte = 8;
constexpr double slow_function = 8;     // exp, a division and the like, in multiply-adds
constexpr double axis_work = 8;         // a division with remainder, which finds an index along one more axis
constexpr double operand_work = 8;      // another load of an element from a cache

bool is_slow(std::string_view name) {
    static constexpr std::string_view slow[] = {"exp", "log", "sin", "cos", "tanh", "erf", "sigmoid", "sqrt", "rsqrt", "pow", "div", "reciprocal", "floor_mod"};
    return std::find(std::begin(slow), std::end(slow), name) != std::end(slow);
}

bool is_chain_link(const PlanNode& node) {
    return is_elementwise(node) && node.step < 0 && !node.output && is_float(node.spec.dtype);
}

struct Reader {
    int core = -1;            // a kernel op
    std::size_t input = 0;    // of the op
};

// The one kernel input that reads `node`, directly or through free views; none where there are others.
std::optional<Reader> only_reader(const Program& program, const std::vector<std::vector<int>>& users, int node) {
    std::optional<Reader> result;
    for (const int user : users[node]) {
        const PlanNode& reader = program.nodes[user];
        std::optional<Reader> one;
        if (reader.root != user) {
            if (reader.output || reader.root != program.nodes[node].root) return std::nullopt;
            one = only_reader(program, users, user);
        } else if (reader.kernel && std::count(reader.inputs.begin(), reader.inputs.end(), node) == 1) {
            one = Reader{user, static_cast<std::size_t>(std::find(reader.inputs.begin(), reader.inputs.end(), node) - reader.inputs.begin())};
        }
        if (!one || result) return std::nullopt;
        result = one;
    }
    return result;
}

// Coordinates can be told from the index: every stride steps over all that lies inside.
bool is_nested(const Walk& walk, std::size_t view) {
    std::int64_t inside = 1;
    for (std::size_t d = walk.sizes.size(); d-- > 0;) {
        if (walk.strides[view][d] < inside) return false;
        inside = walk.strides[view][d] * walk.sizes[d];
    }
    return true;
}

// `wanted`, a view of a buffer that lies as `result` says, as a view of what lies as `carrier` says.
std::optional<View> carried(const View& wanted, const View& result, const View& carrier, const Order& order) {
    if (wanted.offset != 0) return std::nullopt;
    const Walk walk = merge(result.shape, {&result, &carrier}, order);
    std::vector<std::int64_t> reach(walk.sizes.size(), 0);
    View view = wanted;
    view.offset = carrier.offset;
    for (std::size_t axis = 0; axis < wanted.shape.size(); ++axis) {
        const std::int64_t step = wanted.strides[axis];
        if (wanted.shape[axis] <= 1 || step == 0) continue;
        std::size_t d = 0;
        while (d < walk.sizes.size() && walk.strides[0][d] > step) ++d;
        if (d == walk.sizes.size() || step % walk.strides[0][d] != 0) return std::nullopt;
        reach[d] += step / walk.strides[0][d] * (wanted.shape[axis] - 1);
        if (reach[d] >= walk.sizes[d]) return std::nullopt;
        view.strides[axis] = step / walk.strides[0][d] * walk.strides[1][d];
    }
    return view;
}

class Finder {
public:
    Finder(const Program& program, const std::vector<std::vector<int>>& users, int node) : program_(program), users_(users), node_(node) {}

    std::optional<PrologueInStep> run() {
        const PlanNode& node = program_.nodes[node_];
        if (!program_.fuse || !is_chain_link(node) || node.root != node_) return std::nullopt;
        const auto reader = only_reader(program_, users_, node_);
        if (!reader) return std::nullopt;
        const PlanNode& core = program_.nodes[reader->core];
        step_ = core.step;
        if (step_ < 0 || program_.steps[step_].core != reader->core || program_.steps[step_].kind != Step::Shader) return std::nullopt;
        const auto& inputs = core.kernel->inputs;
        const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const Kernel::Input& one) { return one.index == static_cast<int>(reader->input); });
        if (input == inputs.end() || input->loads <= 0) return std::nullopt;
        wanted_ = &*input;
        found_.input = static_cast<std::size_t>(input - inputs.begin());
        found_.node = core.inputs[reader->input];
        grow();
        if (best_.members.empty()) return std::nullopt;
        return PrologueInStep{step_, best_};
    }

private:
    // Takes in what only the chain reads, the nearest first, and keeps the longest chain that will do.
    void grow() {
        std::set<int> inside{node_};
        while (true) {
            found_.members.assign(inside.begin(), inside.end());
            if (saves_a_step() && choose_carrier() && pays()) best_ = found_;
            if (inside.size() == longest_chain) return;
            int next = -1;
            for (const int member : inside)
                for (const int input : program_.nodes[member].inputs) {
                    const PlanNode& node = program_.nodes[input];
                    const bool fresh = input > next && !inside.contains(input) && is_chain_link(node) && node.root == input;
                    if (fresh && node.spec.shape == program_.nodes[node_].spec.shape && node.order == program_.nodes[node_].order &&
                        std::all_of(users_[input].begin(), users_[input].end(), [&](int user) { return inside.contains(user); }))
                        next = input;
                }
            if (next < 0) return;
            inside.insert(next);
        }
    }

    // All that the chain reads is in memory anyway. What a generated kernel computes, that kernel finishes with the chain.
    bool saves_a_step() const {
        for (const int member : found_.members)
            for (const int input : program_.nodes[member].inputs) {
                if (program_.nodes[input].root < 0 || std::find(found_.members.begin(), found_.members.end(), input) != found_.members.end()) continue;
                const PlanNode& from = program_.nodes[program_.nodes[input].root];
                if (from.leaf < 0 && from.step < 0) return false;
            }
        return true;
    }

    bool choose_carrier() {
        found_.carrier = -1;
        for (const int input : prologue_inputs(program_, found_)) {
            const PlanNode& node = program_.nodes[input];
            if (node.blocks || !is_float(node.stored())) continue;
            const auto view = carried(program_.nodes[found_.node].view, program_.nodes[node_].view, node.view, program_.nodes[node_].order);
            if (!view || (!wanted_->order.empty() && !view->is_dense(wanted_->order))) continue;
            found_.carrier = input;
            found_.read = {node.root, *view, node.stored(), {}, {}};
            if (is_nested(prologue_walk(program_, found_, prologue_inputs(program_, found_)), 0)) return true;
        }
        return false;
    }

    // Writing and reading the chain's result once, against computing it at every load but the first.
    bool pays() const {
        double work = 0;
        for (const int member : found_.members) work += is_slow(program_.nodes[member].op->name()) ? slow_function : 1;
        const std::vector<int> inputs = prologue_inputs(program_, found_);
        const Walk walk = prologue_walk(program_, found_, inputs);
        bool alike = true;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const View& view = program_.nodes[inputs[i]].view;
            if (element_count(view.shape) > 1 && std::count(view.strides.begin(), view.strides.end(), 0) == 0) work += operand_work;
            alike = alike && walk.strides[i + 1] == walk.strides[0];
        }
        if (!alike) work += axis_work * static_cast<double>(walk.sizes.size() - 1) / 4;   // mostly four neighbours at a time
        return work * (wanted_->loads - 1) <= 2 * work_per_byte * static_cast<double>(size_of(program_.nodes[node_].spec.dtype));
    }

    const Program& program_;
    const std::vector<std::vector<int>>& users_;
    const int node_;
    int step_ = -1;
    const Kernel::Input* wanted_ = nullptr;
    Prologue found_, best_;
};

}  // namespace

std::optional<PrologueInStep> find_prologue(const Program& program, const std::vector<std::vector<int>>& users, int node) {
    return Finder(program, users, node).run();
}

std::vector<int> prologue_inputs(const Program& program, const Prologue& prologue) {
    Step chain;
    chain.members = prologue.members;
    std::vector<int> inputs = external_inputs(program, chain);
    std::erase(inputs, prologue.carrier);
    return inputs;
}

Walk prologue_walk(const Program& program, const Prologue& prologue, const std::vector<int>& inputs) {
    std::vector<const View*> views{&program.nodes[prologue.carrier].view};
    for (const int input : inputs) views.push_back(&program.nodes[input].view);
    const PlanNode& result = program.nodes[prologue.members.back()];
    return merge(result.spec.shape, views, result.order);
}

std::size_t prologue_push_bytes(const Program& program, const Prologue& prologue) {
    return 4 + 8 * prologue_inputs(program, prologue).size() + 4 * scalars_of(program, prologue.members).size();   // 4 to align the addresses
}

}  // namespace gpu
