// Which Vulkan device a task may use: the one that Slurm granted to its job.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gpu/vulkan/caps.h"

namespace app {

// One of NVIDIA's cards as its driver lists them in /proc/driver/nvidia/gpus/PCI/information.
struct NvidiaCard {
    int minor = -1;    // N of /dev/nvidiaN
    std::string pci;   // "0000:65:00.0"
    std::string uuid;  // "GPU-8a5b...", empty where the driver hides it
};
std::vector<NvidiaCard> nvidia_cards(const std::string& folder = "/proc/driver/nvidia/gpus");

// Where a grant leads, and by what it was found, for the log.
struct GrantedDevice {
    std::string selector;  // as --device takes it: an index or "cpu"
    std::string reason;    // "GPU 2 of SLURM_JOB_GPUS by its PCI address 0000:65:00.0"
};

// Reads SLURM_STEP_GPUS, SLURM_JOB_GPUS (numbers of the node's cards), CUDA_VISIBLE_DEVICES and ROCR_VISIBLE_DEVICES (UUIDs or
// numbers among those that the job sees). In this order:
//   1. a UUID is that of the Vulkan device;
//   2. where a job sees one GPU only (control groups hide the others), it is that one;
//   3. a number is NVIDIA's /dev/nvidiaN, whose PCI address is that of the Vulkan device (VK_EXT_pci_bus_info);
//   4. else it counts the GPUs that Vulkan shows, by PCI address.
// Nothing where no variable grants a GPU, or Vulkan shows none: the usual choice. The first of several granted GPUs is taken.
// "NoDevFiles", which Slurm writes where a job got no GPU, means the processor.
std::optional<GrantedDevice> granted_device(const std::map<std::string, std::string>& environment, const std::vector<gpu::Caps>& devices,
                                            const std::vector<NvidiaCard>& cards);

// The same for this process.
std::optional<GrantedDevice> granted_device();

}  // namespace app
