// What drivers get wrong or do differently, in one place: no vendor test stands anywhere else.
#pragma once

#include "gpu/vulkan/caps.h"

namespace gpu {

struct Quirks {
    // Software drivers report a fixed heap (2 GiB in Mesa 22.3) whatever the machine has, and let allocations exceed it
    // until the kernel kills the process: the machine's own memory is the limit then.
    bool heap_is_host_memory = false;
    // Mesa 25 cuts device memory from one file in memory and keeps the pages of what is freed until the process ends:
    // they must be given back to the kernel by hand.
    bool keeps_freed_pages = false;
    // RADV's null device compiles kernels to real machine code and runs none: its clock says nothing.
    bool executes_nothing = false;
};

inline Quirks quirks_of(const Caps& caps) {
    return {.heap_is_host_memory = caps.software, .keeps_freed_pages = caps.software,
            .executes_nothing = caps.name.find("Null hardware") != std::string::npos};
}

}  // namespace gpu
