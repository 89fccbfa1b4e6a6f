#include "gpu/run/host/parallel.h"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace gpu {

int parallel_threads() {
#if defined(_OPENMP)
    return omp_get_max_threads();
#else
    return 1;
#endif
}

void parallel_for(std::int64_t count, const std::function<void(std::int64_t, int)>& body) {
#if defined(_OPENMP)
#pragma omp parallel for schedule(dynamic, 1) if (count > 1)
    for (std::int64_t item = 0; item < count; ++item) body(item, omp_get_thread_num());
#else
    for (std::int64_t item = 0; item < count; ++item) body(item, 0);
#endif
}

}  // namespace gpu
