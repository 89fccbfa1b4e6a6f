// oneDNN's threads are GNU OpenMP's, which by default spin for milliseconds after each parallel region. The software
// driver's threads, which come next, then find the processors taken, and the other way round: an OpenMP thread that is not
// scheduled holds up all that spin. Measured on two cores beside other work, a product of 384 x 384 followed by an
// elementwise pass of 4M over two plain threads, milliseconds of wall clock and processor time each:
//   as it comes 64-74 and 11; GOMP_SPINCOUNT=1000 8-36 and 3.4; OMP_WAIT_POLICY=passive 8-16 and 3.4; this 4-32 and 3.0.
// Both variables are read before main(), so a program cannot set them for itself. But the library stops spinning after
// 1000 rounds as soon as it manages more threads than there are processors, and that a second team, asleep for good, does.
#include "gpu/run/host/threads.h"

#include <chrono>
#include <thread>

namespace gpu {

void stop_spinning() {
#ifdef _OPENMP
    static const bool done = [] {
        std::thread([] {
            int members = 0;
#pragma omp parallel num_threads(2)
            {
#pragma omp atomic
                ++members;
            }
            for (;;) std::this_thread::sleep_for(std::chrono::hours(24));   // its team lives as long as it does
        }).detach();
        return true;
    }();
    (void)done;
#endif
}

}  // namespace gpu
