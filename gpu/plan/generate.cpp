// Writes GLSL for fused steps and the push block of every step. The text depends on structure only: sizes, strides and
// numbers are pushed, so that a model with many shapes needs few pipelines.
#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "gpu/base/error.h"
#include "gpu/base/span.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

std::string reference_type(Dtype dtype) { return std::string(name_of(dtype)); }

const char* compute_type(Dtype dtype) {
    switch (dtype) {
        case Dtype::I32: return "int";
        case Dtype::U8: case Dtype::Bool: return "uint";
        default: return "float";
    }
}

// Several views walked together over one index space, with neighbouring axes merged wherever every view allows it.
struct Walk {
    Shape sizes;                  // outermost first
    std::vector<Shape> strides;   // per view
    bool linear(std::size_t view) const {   // the view's index is the linear index itself
        std::int64_t step = 1;
        for (std::size_t d = sizes.size(); d-- > 0;) {
            if (strides[view][d] != step) return false;
            step *= sizes[d];
        }
        return true;
    }
};

Walk merge(const Shape& shape, const std::vector<const View*>& views, const std::vector<int>& axes) {
    Walk walk;
    walk.strides.resize(views.size());
    for (const int axis : axes) {
        if (shape[axis] == 1) continue;
        bool mergeable = !walk.sizes.empty();
        for (std::size_t v = 0; mergeable && v < views.size(); ++v)
            mergeable = walk.strides[v].back() == views[v]->strides[axis] * shape[axis];
        if (mergeable) {
            walk.sizes.back() *= shape[axis];
            for (std::size_t v = 0; v < views.size(); ++v) walk.strides[v].back() = views[v]->strides[axis];
        } else {
            walk.sizes.push_back(shape[axis]);
            for (std::size_t v = 0; v < views.size(); ++v) walk.strides[v].push_back(views[v]->strides[axis]);
        }
    }
    return walk;
}

// Writes one step.
class StepWriter {
public:
    StepWriter(Program& program, Step& step) : program_(program), nodes_(program.nodes), step_(step) {}

    void run() {
        label();
        count_work();
        if (step_.kind == Step::Host) return;
        if (step_.core >= 0 && step_.kind == Step::Generated) return write_part();
        if (step_.core >= 0) return write_kernel();
        const OpKind kind = nodes_[step_.result].op->kind();
        if (step_.reduce >= 0) return write_reduce();
        if (kind == OpKind::Movement) return write_padding();
        write_elementwise();
    }

private:
    // --- the push block: fields are declared and pushed together ---

    std::string push_word(const std::string& type, PushItem item, const std::string& name) {
        fields_.push_back({type, name});
        step_.push.push_back(item);
        return "p." + name;
    }
    std::string push_size(std::int64_t value, const std::string& name) {
        return push_word("uint", {PushItem::Word, static_cast<std::uint32_t>(value)}, name);
    }
    // `at_view`: the address of the view's first element instead of the buffer's.
    std::string push_read(std::size_t read, bool at_view = false) {
        uses(step_.reads[read].dtype);
        return push_word(reference_type(step_.reads[read].dtype),
                         {at_view ? PushItem::ReadView : PushItem::ReadAddress, static_cast<std::uint32_t>(read)},
                         "in" + std::to_string(read));
    }
    std::string push_write() {
        uses(step_.write.dtype);
        return push_word(reference_type(step_.write.dtype), {PushItem::WriteAddress}, "result");
    }
    std::string scalar(int index, Dtype dtype) {
        const auto key = std::pair(index, dtype);
        if (const auto known = scalars_.find(key); known != scalars_.end()) return known->second;
        return scalars_[key] = push_word(compute_type(dtype), {PushItem::Scalar, static_cast<std::uint32_t>(index), dtype},
                                         "c" + std::to_string(scalars_.size()));
    }
    static std::string load(Dtype dtype) { return "load_" + reference_type(dtype); }
    std::string store() const { return "store_" + reference_type(step_.write.dtype); }
    void uses(Dtype dtype) {
        if (dtype == Dtype::F16 || dtype == Dtype::BF16) define("USES_16");
        if (dtype == Dtype::U8 || dtype == Dtype::Bool) define("USES_8");
    }
    void define(const std::string& text) {
        if (std::find(step_.defines.begin(), step_.defines.end(), text) == step_.defines.end()) step_.defines.push_back(text);
    }

    // --- index arithmetic ---

    // Declares x0, x1, ... (outermost first) as the coordinates of `index` in the walk.
    std::string coordinates(const Walk& walk, const std::string& index, const std::string& prefix) {
        std::string text = "    uint " + prefix + "r = " + index + ";\n";
        for (std::size_t d = walk.sizes.size(); d-- > 0;) {
            const std::string name = prefix + std::to_string(d);
            if (d == 0) {
                text += "    const uint " + name + " = " + prefix + "r;\n";
            } else {
                const std::string size = push_size(walk.sizes[d], prefix + "size" + std::to_string(d));
                text += "    const uint " + name + " = " + prefix + "r % " + size + "; " + prefix + "r /= " + size + ";\n";
            }
        }
        return text;
    }
    // The element index of a view at those coordinates.
    std::string address(const Walk& walk, std::size_t view, const std::string& prefix, const std::string& name) {
        std::string text;
        for (std::size_t d = 0; d < walk.sizes.size(); ++d) {
            if (walk.strides[view][d] == 0) continue;
            std::string term = prefix + std::to_string(d);
            if (walk.strides[view][d] != 1) term += " * " + push_size(walk.strides[view][d], name + "s" + prefix + std::to_string(d));
            text += (text.empty() ? "" : " + ") + term;
        }
        return text.empty() ? "0u" : text;
    }
    std::string with_offset(const std::string& index, std::int64_t offset, const std::string& name) {
        return offset == 0 ? index : index + " + " + push_size(offset, name + "o");
    }

    std::vector<int> all_axes() const { return nodes_[step_.result].order; }

    // --- expressions ---

    std::string operand(int node, const std::map<int, std::string>& loaded) {
        if (nodes_[node].scalar >= 0) return scalar(nodes_[node].scalar, nodes_[node].spec.dtype);
        if (const auto found = loaded.find(node); found != loaded.end()) return found->second;
        return "v" + std::to_string(local(node));
    }
    // Members are numbered within the step, so that equal structure gives equal text.
    int local(int node) const {
        return static_cast<int>(std::find(step_.members.begin(), step_.members.end(), node) - step_.members.begin());
    }
    std::string statement(int member, const std::map<int, std::string>& loaded) {
        const PlanNode& node = nodes_[member];
        std::string value;
        if (node.scalar >= 0) {
            value = scalar(node.scalar, node.spec.dtype);
        } else if (node.op->kind() == OpKind::Source) {
            value = static_cast<const SourceOp&>(*node.op).glsl();
        } else {
            std::vector<std::string> operands;
            Specs specs;
            for (const int input : node.inputs) {
                operands.push_back(operand(input, loaded));
                specs.push_back(nodes_[input].spec);
            }
            value = static_cast<const ElementwiseOp&>(*node.op).glsl(operands, specs, node.spec.dtype);
        }
        return std::string("    const ") + compute_type(node.spec.dtype) + " v" + std::to_string(local(member)) + " = " +
               compute_type(node.spec.dtype) + "(" + value + ");\n";
    }
    // The node that a read operand was made for: the operand's view decides, since several views may share a root.
    std::vector<std::pair<int, std::size_t>> reads_by_node(const std::vector<int>& members, std::size_t first_read) const {
        std::vector<std::pair<int, std::size_t>> result;
        for (const int member : members)
            for (const int input : nodes_[member].inputs) {
                const PlanNode& node = nodes_[input];
                if (node.scalar >= 0 || std::find(step_.members.begin(), step_.members.end(), input) != step_.members.end()) continue;
                const auto same = [&](const Operand& read) {
                    return read.root == node.root && read.view.offset == node.view.offset &&
                           read.view.strides == node.view.strides && read.view.shape == node.view.shape;
                };
                const auto found = std::find_if(step_.reads.begin() + static_cast<std::ptrdiff_t>(first_read), step_.reads.end(), same);
                check(found != step_.reads.end(), ErrorCode::Failure, "generate: node {} is not among the reads", input);
                const auto pair = std::pair(input, static_cast<std::size_t>(found - step_.reads.begin()));
                if (std::find(result.begin(), result.end(), pair) == result.end()) result.push_back(pair);
            }
        return result;
    }

    // --- whole shaders ---

    // Sizes and strides that do not fit the device's push block become literals: another text, but one that runs.
    std::string head(std::string body) {
        if (push_size_of(step_.push) > program_.traits.max_push_bytes) {
            std::vector<Field> fields;
            std::vector<PushItem> items;
            for (std::size_t i = 0; i < fields_.size(); ++i) {
                if (step_.push[i].kind == PushItem::Word) {
                    const std::regex use("p\\." + fields_[i].name + "\\b");
                    body = std::regex_replace(body, use, std::to_string(step_.push[i].value) + "u");
                } else {
                    fields.push_back(fields_[i]);
                    items.push_back(step_.push[i]);
                }
            }
            fields_ = std::move(fields);
            step_.push = std::move(items);
        }
        return "#version 460\n#include \"common/types.glsl\"\n#include \"common/math.glsl\"\nlayout(local_size_x = " +
               std::to_string(program_.traits.lanes) + ") in;\nlayout(push_constant, scalar) uniform Push {\n" + field_text("\n") +
               "} p;\n\nvoid main() {\n" + body + "}\n";
    }
    std::string field_text(const char* end) const {
        std::string text;
        for (const Field& field : fields_) text += "    " + field.type + " " + field.name + ";" + end;
        return text;
    }
    // Lays workgroups out in rows of what the device allows.
    void spread(std::int64_t groups) {
        const std::int64_t columns = std::min<std::int64_t>(groups, program_.traits.max_groups);
        const std::int64_t rows = (groups + columns - 1) / std::max<std::int64_t>(columns, 1);
        step_.groups = {static_cast<std::uint32_t>(columns), static_cast<std::uint32_t>(rows), 1};
    }
    // Each workgroup walks over a block of elements, its lanes side by side; `element` is the body for element i.
    std::string element_loop(std::int64_t count, const std::string& element) {
        const std::int64_t block = std::int64_t{program_.traits.lanes} * program_.traits.elements_per_lane;
        spread((count + block - 1) / block);
        const std::string n = push_size(count, "n"), size = std::to_string(block) + "u";
        return "    const uint first = (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * " + size +
               ";\n    const uint last = min(first + " + size + ", " + n +
               ");\n    for (uint i = first + gl_LocalInvocationID.x; i < last; i += " + lanes() + ") {\n" + element + "    }\n";
    }
    // A loop over all elements of a walk, with coordinates x0, x1, ... where a view needs them. Divisions are slow in vectors:
    // where the innermost axis fills the lanes, coordinates are found once a row.
    std::string walk_loop(const Walk& walk, std::int64_t count, const std::string& element) {
        bool linear = true;
        for (std::size_t view = 0; view < walk.strides.size(); ++view) linear = linear && walk.linear(view);
        if (linear) return element_loop(count, element);
        if (walk.sizes.size() < 2 || walk.sizes.back() < program_.traits.lanes || count == 0)
            return element_loop(count, coordinates(walk, "i", "x") + element);
        Walk outer = walk;
        outer.sizes.pop_back();
        const std::int64_t length = walk.sizes.back(), rows = count / length;
        const std::int64_t block = std::max<std::int64_t>(1, program_.traits.lanes * program_.traits.elements_per_lane / length);
        spread((rows + block - 1) / block);
        const std::string x = "x" + std::to_string(walk.sizes.size() - 1), size = push_size(length, "row_size"),
                          all = push_size(rows, "rows"), some = push_size(block, "rows_per_group");
        return "    const uint first = (gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x) * " + some +
               ";\n    const uint last = min(first + " + some + ", " + all + ");\n    for (uint row = first; row < last; ++row) {\n" +
               coordinates(outer, "row", "x") + "    for (uint " + x + " = gl_LocalInvocationID.x; " + x + " < " + size + "; " + x +
               " += " + lanes() + ") {\n    const uint i = row * " + size + " + " + x + ";\n" + element + "    }\n    }\n";
    }
    std::string lanes() const { return std::to_string(program_.traits.lanes) + "u"; }

    // Loads of `members`' buffers at the walk's coordinates; views of the walk follow `reads`.
    std::string loads(const Walk& walk, const std::vector<std::pair<int, std::size_t>>& reads, std::size_t first_view,
                      const std::string& linear_index, std::map<int, std::string>& loaded) {
        std::string text;
        for (std::size_t k = 0; k < reads.size(); ++k) {
            const auto& [node, read] = reads[k];
            const std::string name = "in" + std::to_string(read);
            const std::string base = walk.linear(first_view + k) ? linear_index : address(walk, first_view + k, "x", name);
            text += std::string("    const ") + compute_type(step_.reads[read].dtype) + " l" + std::to_string(k) + " = " + load(step_.reads[read].dtype) + "(p." + name + ", " + with_offset(base, step_.reads[read].view.offset, name) + ");\n";
            loaded[node] = "l" + std::to_string(k);
        }
        return text;
    }

    void write_elementwise() {
        const auto reads = reads_by_node(step_.members, 0);
        for (std::size_t r = 0; r < step_.reads.size(); ++r) push_read(r);
        push_write();
        const PlanNode& result = nodes_[step_.result];
        std::vector<const View*> views{&step_.write.view};
        for (const auto& [node, read] : reads) views.push_back(&step_.reads[read].view);
        const Walk walk = merge(result.spec.shape, views, all_axes());
        std::map<int, std::string> loaded;
        std::string body = loads(walk, reads, 1, "i", loaded);
        for (const int member : step_.members) body += statement(member, loaded);
        body += "    " + store() + "(p.result, i, v" + std::to_string(local(step_.result)) + ");\n";
        step_.source = head(walk_loop(walk, element_count(result.spec.shape), body));
    }

    // One part of a concatenation: a copy into a view of the result.
    void write_part() {
        push_read(0);
        push_write();
        const View &from = step_.reads[0].view, &to = step_.write.view;
        const Walk walk = merge(to.shape, {&to, &from}, all_axes());
        const std::string target = walk.linear(0) ? "i" : address(walk, 0, "x", "out");
        const std::string source = walk.linear(1) ? "i" : address(walk, 1, "x", "in0");
        const std::string body = "    " + store() + "(p.result, " + with_offset(target, to.offset, "out") + ", " + load(step_.reads[0].dtype) + "(p.in0, " +
                with_offset(source, from.offset, "in0") + "));\n";
        step_.source = head(walk_loop(walk, element_count(to.shape), body));
    }

    std::string walk_coordinates(const Walk& walk, const std::string& index) {
        for (std::size_t view = 0; view < walk.strides.size(); ++view)
            if (!walk.linear(view)) return coordinates(walk, index, "x");
        return "";
    }

    // Members before the reduction are computed per reduced element, those after it once per result.
    void write_reduce() {
        const PlanNode &reduce = nodes_[step_.reduce], &input = nodes_[reduce.inputs[0]], &result = nodes_[step_.result];
        const auto& op = static_cast<const ReduceOp&>(*reduce.op);
        const auto at = std::find(step_.members.begin(), step_.members.end(), step_.reduce);
        std::vector<int> before, after;
        for (const int member : step_.members)
            if (member != step_.reduce) (in_zone_before(member, input) ? before : after).push_back(member);
        std::vector<int> before_and_reduce = before;
        before_and_reduce.push_back(*at);
        const auto reads_before = reads_by_node(before_and_reduce, 0), reads_after = reads_by_node(after, 0);

        for (std::size_t r = 0; r < step_.reads.size(); ++r) push_read(r);
        push_write();
        // Result coordinates walk the kept axes; reduced axes have length 1 in the result and stride 0 in no view.
        std::vector<int> kept, reduced;
        for (const int axis : result.order)
            (std::find(op.axes().begin(), op.axes().end(), axis) != op.axes().end() ? reduced : kept).push_back(axis);
        std::vector<const View*> views{&step_.write.view};
        for (const auto& [node, read] : reads_before) views.push_back(&step_.reads[read].view);
        for (const auto& [node, read] : reads_after) views.push_back(&step_.reads[read].view);
        const Walk outer = merge(input.spec.shape, views, kept);
        const std::vector<const View*> inner_views(views.begin() + 1, views.begin() + 1 + static_cast<std::ptrdiff_t>(reads_before.size()));
        const Walk inner = merge(input.spec.shape, inner_views, reduced);

        const std::int64_t outputs = element_count(result.spec.shape), terms = element_count(input.spec.shape) / std::max<std::int64_t>(outputs, 1);
        // A workgroup for each result where its terms lie side by side, or where results are too few to fill the device.
        const bool contiguous = !inner.sizes.empty() && !reads_before.empty() && inner.strides[0].back() == 1;
        const bool cooperative = outputs <= program_.traits.max_groups && terms >= 16 && (contiguous || outputs <= 64);
        std::string body;
        body += coordinates(outer, "i", "x");
        std::map<int, std::string> loaded;
        std::string loop, bases;
        for (std::size_t k = 0; k < reads_before.size(); ++k) {
            const auto& [node, read] = reads_before[k];
            const std::string name = "in" + std::to_string(read), base = "b" + std::to_string(k);
            bases += "    const uint " + base + " = " + with_offset(address(outer, 1 + k, "x", name), step_.reads[read].view.offset, name) + ";\n";
            const std::string inside = inner.linear(k) ? "r" : address(inner, k, "y", name);
            loop += std::string("    const ") + compute_type(step_.reads[read].dtype) + " m" + std::to_string(k) + " = " + load(step_.reads[read].dtype) + "(p." + name +
                    ", " + base + " + " + inside + ");\n";
            loaded[node] = "m" + std::to_string(k);
        }
        bool needs_coordinates = false;
        for (std::size_t k = 0; k < reads_before.size(); ++k) needs_coordinates |= !inner.linear(k);
        const std::string inner_coordinates = needs_coordinates ? coordinates(inner, "r", "y") : "";
        for (const int member : before) loop += statement(member, loaded);
        const std::string type = compute_type(reduce.spec.dtype), term = operand(reduce.inputs[0], loaded);
        const std::string count = push_size(terms, "terms");
        const std::string value = "v" + std::to_string(local(step_.reduce));
        body += bases + "    " + type + " total = " + type + "(" + op.glsl_identity() + ");\n";
        const std::string start = cooperative ? "lane" : "0u", stride = cooperative ? lanes() : "1u";
        body += "    for (uint r = " + start + "; r < " + count + "; r += " + stride + ") {\n" + inner_coordinates + loop +
                "    total = " + op.glsl_combine("total", term) + ";\n    }\n";
        if (cooperative) body += combine_lanes(op);
        body += "    const " + type + " " + value + " = total;\n";
        std::map<int, std::string> loaded_after;
        body += loads(outer, reads_after, 1 + reads_before.size(), "i", loaded_after);
        for (const int member : after) body += statement(member, loaded_after);
        body += "    " + store() + "(p.result, i, v" + std::to_string(local(step_.result)) + ");\n";
        if (cooperative) {
            step_.groups = {static_cast<std::uint32_t>(outputs), 1, 1};
            step_.source = head("    const uint i = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;\n" + body);
            step_.source.insert(step_.source.find("void main"), "shared " + type + " scratch[" + lanes() + "];\n");
        } else {
            step_.source = head(element_loop(outputs, body));
        }
    }

    bool in_zone_before(int member, const PlanNode& input) const {
        return nodes_[member].spec.shape == input.spec.shape;   // a reduction always makes something shorter
    }

    // Halves the lanes until one holds the total; their number need not be a power of two.
    std::string combine_lanes(const ReduceOp& op) const {
        return "    scratch[lane] = total;\n    barrier();\n    for (uint count = " + lanes() +
               "; count > 1u;) {\n        const uint half_ = (count + 1u) / 2u;\n        if (lane + half_ < count) scratch[lane] = " +
               op.glsl_combine("scratch[lane]", "scratch[lane + half_]") +
               ";\n        barrier();\n        count = half_;\n    }\n    if (lane != 0u) return;\n    total = scratch[0];\n";
    }

    // Padding: each output element asks where it comes from.
    void write_padding() {
        const PlanNode &node = nodes_[step_.result], &input = nodes_[node.inputs[0]];
        const auto [before, interior] = static_cast<const MovementOp&>(*node.op).padding();
        push_read(0);
        push_write();
        std::string body = "    uint r = i;\n    bool inside = true;\n    uint from = " + with_offset("0u", input.view.offset, "in0") + ";\n";
        for (std::size_t d = node.order.size(); d-- > 0;) {
            const int axis = node.order[d];
            if (node.spec.shape[axis] == 1 && before[axis] == 0) continue;
            const std::string name = std::to_string(axis), size = push_size(node.spec.shape[axis], "size" + name);
            body += "    int a" + name + " = int(r % " + size + "); r /= " + size + ";\n";
            if (before[axis] != 0) body += "    a" + name + " -= int(" + push_size(before[axis], "before" + name) + ");\n";
            std::string limit = "a" + name;
            if (interior[axis] != 0) {
                const std::string step = push_size(interior[axis] + 1, "step" + name);
                body += "    inside = inside && a" + name + " >= 0 && a" + name + " % int(" + step + ") == 0;\n    a" + name +
                        " /= int(" + step + ");\n";
            }
            body += "    inside = inside && a" + name + " >= 0 && a" + name + " < int(" + push_size(input.spec.shape[axis], "length" + name) + ");\n";
            body += "    from += uint(a" + name + ") * " + push_size(input.view.strides[axis], "stride" + name) + ";\n";
        }
        const std::string type = compute_type(node.spec.dtype);
        body += "    " + type + " value = " + type + "(0);\n    if (inside) value = " + load(input.spec.dtype) + "(p.in0, from);\n    " +
                store() + "(p.result, i, value);\n";
        step_.source = head(element_loop(element_count(node.spec.shape), body));
    }

    // A kernel op's own shader, with what was fused behind it as a macro and a function.
    void write_kernel() {
        const PlanNode& core = nodes_[step_.core];
        const Kernel& kernel = *core.kernel;
        step_.defines.insert(step_.defines.end(), kernel.defines.begin(), kernel.defines.end());
        step_.constants = kernel.constants;
        step_.groups = kernel.groups;
        for (std::size_t i = 0; i < kernel.inputs.size(); ++i) {
            define("IN" + std::to_string(i) + "=" + reference_type(step_.reads[i].dtype));
            define("LOAD" + std::to_string(i) + "=" + load(step_.reads[i].dtype));
            push_read(i, true);
        }
        define("OUT=" + reference_type(step_.write.dtype));
        define("STORE=" + store());
        push_write();
        for (const std::uint32_t word : kernel.push) push_size(word, "unused");
        for (std::size_t i = 0; i < kernel.inputs.size(); ++i) {
            if (!kernel.inputs[i].order.empty()) continue;
            for (const std::int64_t stride : step_.reads[i].view.strides) push_size(stride, "unused");
        }
        step_.source = "@" + kernel.shader;   // read from shaders/ by the runtime
        fields_.clear();
        if (step_.members.size() == 1) return;

        const std::vector<int> after(step_.members.begin() + 1, step_.members.end());
        const auto reads = reads_by_node(after, kernel.inputs.size());
        for (const auto& [node, read] : reads) push_read(read);
        std::vector<const View*> views{&step_.write.view};
        for (const auto& [node, read] : reads) views.push_back(&step_.reads[read].view);
        const Walk walk = merge(core.spec.shape, views, core.order);
        std::string body = walk_coordinates(walk, "i");
        std::map<int, std::string> loaded;
        body += loads(walk, reads, 1, "i", loaded);
        body = "    const float v0 = value;\n" + body;
        for (const int member : after) body += statement(member, loaded);
        body += "    return v" + std::to_string(local(step_.result)) + ";\n";
        step_.source += "\n#define EPILOGUE_PUSH " + field_text(" ") + "\n#define EPILOGUE(value, index) epilogue_(value, index)\n@\n" +
                        "float epilogue_(float value, uint i) {\n" + body + "}\n";
    }

    // --- descriptions ---

    void label() {
        const int first = step_.core >= 0 ? step_.core : step_.reduce >= 0 ? step_.reduce : step_.result;
        step_.label = std::string(nodes_[first].scalar >= 0 ? "full" : nodes_[first].op->name()) + " " + to_string(nodes_[first].spec.shape);
        for (const int member : step_.members)
            if (member != first) step_.label += " " + std::string(nodes_[member].op->name());
    }

    void count_work() {
        const auto bytes = [](const View& view, Dtype dtype) {
            double count = static_cast<double>(size_of(dtype));
            for (std::size_t i = 0; i < view.shape.size(); ++i)
                if (view.strides[i] != 0 || view.shape[i] == 1) count *= static_cast<double>(view.shape[i]);
            return count;
        };
        for (const Operand& read : step_.reads) step_.bytes += bytes(read.view, read.dtype);
        step_.bytes += bytes(step_.write.view, step_.write.dtype);
        if (step_.core >= 0) step_.flop = nodes_[step_.core].kernel->flop;
    }

    Program& program_;
    std::vector<PlanNode>& nodes_;
    Step& step_;
    struct Field {
        std::string type, name;
    };
    std::vector<Field> fields_;   // of the push block, one for each item of step_.push
    std::map<std::pair<int, Dtype>, std::string> scalars_;
};

}  // namespace

void generate(Program& program) {
    const Span span("pass", "generate");
    for (Step& step : program.steps) StepWriter(program, step).run();
}

}  // namespace gpu
