#include "gpu/plan/walk.h"

namespace gpu {

bool Walk::linear(std::size_t view) const {
    std::int64_t step = 1;
    for (std::size_t d = sizes.size(); d-- > 0;) {
        if (strides[view][d] != step) return false;
        step *= sizes[d];
    }
    return true;
}

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

}  // namespace gpu
