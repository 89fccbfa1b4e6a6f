// VK_KHR_cooperative_matrix for Vulkan headers from before it (1.3.255), and for SPIR-V made by a glslang from before
// SPV_KHR_cooperative_matrix. Private to gpu/vulkan.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdint>
#include <vector>

#ifndef VK_KHR_cooperative_matrix
#define VK_KHR_cooperative_matrix 1
#define VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME "VK_KHR_cooperative_matrix"
inline constexpr auto VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR = static_cast<VkStructureType>(1000506000);
inline constexpr auto VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR = static_cast<VkStructureType>(1000506001);
enum VkComponentTypeKHR {
    VK_COMPONENT_TYPE_FLOAT16_KHR = 0,
    VK_COMPONENT_TYPE_FLOAT32_KHR = 1,
    VK_COMPONENT_TYPE_MAX_ENUM_KHR = 0x7FFFFFFF
};
enum VkScopeKHR { VK_SCOPE_SUBGROUP_KHR = 3, VK_SCOPE_MAX_ENUM_KHR = 0x7FFFFFFF };
struct VkCooperativeMatrixPropertiesKHR {
    VkStructureType sType;
    void* pNext;
    std::uint32_t MSize, NSize, KSize;
    VkComponentTypeKHR AType, BType, CType, ResultType;
    VkBool32 saturatingAccumulation;
    VkScopeKHR scope;
};
struct VkPhysicalDeviceCooperativeMatrixFeaturesKHR {
    VkStructureType sType;
    void* pNext;
    VkBool32 cooperativeMatrix;
    VkBool32 cooperativeMatrixRobustBufferAccess;
};
using PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR = VkResult(VKAPI_PTR*)(VkPhysicalDevice, std::uint32_t*,
                                                                                  VkCooperativeMatrixPropertiesKHR*);
#endif

namespace gpu {

// Of the specification that the extension came with.
inline constexpr std::uint32_t cooperative_matrix_version = VK_MAKE_API_VERSION(0, 1, 3, 255);

// A module that uses SPV_NV_cooperative_matrix, said in SPV_KHR_cooperative_matrix; any other module as it is. The KHR form
// has the use of a matrix (A, B or accumulator) in its type: it is read off the products that the type's values go into.
// Throws Error{Failure} where one type serves two uses: shaders keep them apart by other specialisation constants for
// other sizes, or other component types.
std::vector<std::uint32_t> to_khr_cooperative_matrix(std::vector<std::uint32_t> words);

}  // namespace gpu
