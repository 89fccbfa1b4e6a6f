#include "gpu/run/traits.h"

#include <algorithm>

#include "gpu/base/switches.h"
#include "gpu/vulkan/fft.h"

namespace gpu {

DeviceTraits traits_of(const Caps& caps) {
    DeviceTraits traits;
    traits.software = caps.software;
    traits.host_kernels = caps.unified_memory && caps.type == DeviceType::Cpu && switches().host;
    if (caps.type == DeviceType::Cpu) {
        traits.lanes = std::max(1u, caps.subgroup_size);
        traits.elements_per_lane = 256;
    }
    traits.fft = fft_available();
    traits.storage16 = caps.storage16 && switches().small_storage;
    traits.storage8 = caps.storage8 && switches().small_storage;
    traits.max_push_bytes = caps.max_push_bytes;
    traits.max_groups = caps.max_groups_x;
    traits.max_shared_bytes = caps.max_shared_bytes;
    traits.max_lanes = caps.max_workgroup_invocations;
    traits.float16 = caps.float16 && traits.storage16;
    traits.half_products = traits.float16 && switches().allows("half");
    traits.subgroup_shuffle = caps.subgroup_shuffle;
    traits.subgroup_size = caps.subgroup_size;
    // Wave32 where there is a choice: the matrix units of AMD's chips work on 32 lanes, and NVIDIA's subgroups have 32.
    traits.coop_subgroup = caps.has_subgroup_size(32) ? 32 : caps.subgroup_size;
    traits.subgroup_shuffle = traits.subgroup_shuffle && caps.has_subgroup_size(traits.coop_subgroup);
    traits.cooperative_matrix = caps.cooperative_matrix && traits.float16 && caps.has_subgroup_size(traits.coop_subgroup);
    return traits;
}

}  // namespace gpu
