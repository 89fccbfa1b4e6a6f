#include "gpu/run/host/parallel.h"

#include "gpu/base/cancel_scope_token.h"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace gpu {
namespace {

constexpr std::int64_t alone_elements = 32768;

}  // namespace

int parallel_threads() {
#if defined(_OPENMP)
    return omp_get_max_threads();
#else
    return 1;
#endif
}

void parallel_for(std::int64_t count, const std::function<void(std::int64_t, int)>& body) {
    const std::optional<CancelToken> cancel = cancel_scope_token();      // of the calling thread, for all
    const auto run = [&](std::int64_t item, int thread) {
        if (!cancel || !cancel->cancelled()) body(item, thread);
    };
#if defined(_OPENMP)
#pragma omp parallel for schedule(dynamic, 1) if (count > 1)
    for (std::int64_t item = 0; item < count; ++item) run(item, omp_get_thread_num());
#else
    for (std::int64_t item = 0; item < count; ++item) run(item, 0);
#endif
    if (cancel) cancel->check();
}

void parallel_walk(std::int64_t count, std::int64_t elements, const std::function<void(std::int64_t)>& body) {
    if (elements > alone_elements) return parallel_for(count, [&](std::int64_t item, int) { body(item); });
    for (std::int64_t item = 0; item < count; ++item) body(item);
}

}  // namespace gpu
