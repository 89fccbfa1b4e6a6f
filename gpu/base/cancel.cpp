#include "gpu/base/cancel.h"

#include <utility>

#include "gpu/base/cancel_scope_token.h"

namespace gpu {
namespace {

thread_local const CancelToken* current = nullptr;

}  // namespace

CancelScope::CancelScope(CancelToken token) : token_(std::move(token)), outer_(current) { current = &token_; }
CancelScope::~CancelScope() { current = outer_; }

void check_cancelled() {
    if (current) current->check();
}

std::optional<CancelToken> cancel_scope_token() { return current ? std::optional(*current) : std::nullopt; }

}  // namespace gpu
