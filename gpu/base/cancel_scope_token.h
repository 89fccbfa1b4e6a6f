// The token of the calling thread's CancelScope, to hand on to threads that work for it.
#pragma once

#include <optional>

#include "gpu/base/cancel.h"

namespace gpu {

// Nothing where there is no scope.
std::optional<CancelToken> cancel_scope_token();

}  // namespace gpu
