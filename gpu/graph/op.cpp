#include "gpu/graph/op.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/graph/autodiff.h"
#include "gpu/graph/kernel.h"

namespace gpu {

Tensor Op::composite(const Tensors&) const { throw Error(ErrorCode::Failure, "{}: has no composite", name()); }
std::optional<std::vector<double>> Op::reference(const std::vector<std::span<const double>>&, const Specs&) const { return {}; }
void Op::lower(KernelBuilder&) const { throw Error(ErrorCode::Failure, "{}: has no kernel", name()); }
std::vector<std::string> Op::variants(const Specs&, const DeviceTraits&) const { return {}; }
Tensor Op::variant_graph(const Tensors&, const std::string&) const { return {}; }

Tensors Op::vjp(const Tensors& in, const Tensor&, const Tensor& dy) const { return input_cotangents(composite(in), dy, in); }

std::string Op::text() const {
    const Attrs list = attrs();
    return list.empty() ? std::string(name()) : std::string(name()) + "{" + gpu::to_string(list) + "}";
}

namespace {

// Whether there were any.
bool add_attrs(FieldBuffer& fields, const Attrs& attrs, bool structural) {
    bool any = false;
    for (const Attr& attr : attrs) {
        if (attr.structural != structural) continue;
        fields.add(attr.name);
        add_to(fields, attr.value);
        any = true;
    }
    return any;
}

}  // namespace

OpKeys make_keys(const Op& op) {
    const Attrs attrs = op.attrs();
    FieldBuffer fields;
    fields.add(op.name());
    add_attrs(fields, attrs, true);
    const Hash structure = fields.hash();
    return {structure, add_attrs(fields, attrs, false) ? fields.hash() : structure};
}

bool View::is_dense(const Order& order) const {
    std::int64_t step = 1;
    for (std::size_t i = order.size(); i-- > 0;) {
        const int axis = order[i];
        if (shape[axis] != 1 && strides[axis] != step) return false;
        step *= shape[axis];
    }
    return true;
}

namespace {

std::vector<std::string>& op_name_list() {
    static std::vector<std::string> names;
    return names;
}

}  // namespace

void add_op_name(std::string name) { op_name_list().push_back(std::move(name)); }

const std::vector<std::string>& op_names() {
    static const bool registered = (register_all(), true);
    (void)registered;
    return op_name_list();
}

}  // namespace gpu
