#include "gpu/graph/autocast.h"

#include <utility>

#include "gpu/ops.h"

namespace gpu {
namespace {

thread_local Dtype current = Dtype::F32;

}  // namespace

Autocast::Autocast(Dtype dtype) : before_(std::exchange(current, dtype)) {}
Autocast::~Autocast() { current = before_; }

Tensor product_input(const Tensor& x) { return current != Dtype::F32 && x.dtype() == Dtype::F32 ? cast(x, current) : x; }
Tensor sum_input(const Tensor& x) { return current != Dtype::F32 && x.dtype() == current ? cast(x, Dtype::F32) : x; }

}  // namespace gpu
