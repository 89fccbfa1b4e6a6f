#include "gpu/vulkan/fft.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/vulkan/command_state.h"
#include "gpu/vulkan/core.h"

#ifdef HEDDLE_VKFFT
#include <clocale>
#include <cstring>
#include <mutex>

#define VKFFT_BACKEND 0
#include <vkFFT.h>

#include "gpu/base/span.h"
#include "gpu/vulkan/cache_file.h"
#endif

namespace gpu {

std::uint64_t FftShape::bytes() const {
    std::uint64_t count = static_cast<std::uint64_t>(batch) * 2 * sizeof(float);
    for (const std::int64_t size : sizes) count *= static_cast<std::uint64_t>(size);
    return count;
}

#ifdef HEDDLE_VKFFT

namespace {

constexpr std::size_t kept_plans = 32;

void expect_fft(VkFFTResult result, const char* operation) {
    check(result == VKFFT_SUCCESS, ErrorCode::Failure, "{}: expected success, VkFFT says {}", operation, getVkFFTErrorString(result));
}

// VkFFT prints numbers into its shaders: the decimal point must be one, whatever the user's language. For this thread alone.
class PlainNumbers {
public:
    PlainNumbers() : plain_(newlocale(LC_ALL_MASK, "C", nullptr)), old_(uselocale(plain_)) {}
    ~PlainNumbers() {
        uselocale(old_);
        freelocale(plain_);
    }
    PlainNumbers(const PlainNumbers&) = delete;
    PlainNumbers& operator=(const PlainNumbers&) = delete;

private:
    locale_t plain_, old_;
};

}  // namespace

// VkFFT keeps pointers to all of these.
struct FftPlan::State {
    FftShape shape;
    DeviceCore* core = nullptr;
    BufferRef memory;
    VkBuffer buffer = VK_NULL_HANDLE;   // over the same bytes as `memory`
    std::uint64_t bytes = 0;
    VkCommandPool pool = VK_NULL_HANDLE;
    VkFence fence = VK_NULL_HANDLE;
    VkFFTApplication app = VKFFT_ZERO_INIT;
    bool ready = false;
    std::mutex mutex;                   // appending changes the application

    ~State() { close(); }
    void close() {
        if (!core) return;
        if (ready) deleteVkFFT(&app);
        vkDestroyFence(core->device, fence, nullptr);
        vkDestroyCommandPool(core->device, pool, nullptr);
        vkDestroyBuffer(core->device, buffer, nullptr);
        memory = nullptr;
        core = nullptr;
    }
};

bool fft_available() { return true; }

FftPlan::FftPlan() : state_(std::make_unique<State>()) {}

// Lists in flight hold their plans: nothing uses this one any more.
FftPlan::~FftPlan() = default;

const FftShape& FftPlan::shape() const { return state_->shape; }
const BufferRef& FftPlan::buffer() const { return state_->memory; }

FftPlanRef DeviceCore::fft_plan(const FftShape& shape) {
    check(!shape.sizes.empty() && shape.sizes.size() <= 3 && shape.bytes() > 0, ErrorCode::Failure,
          "fft: expected 1 to 3 sizes above 0, got {}", shape.sizes.size());
    const std::lock_guard lock(fft_mutex_);
    const auto same = [&](const FftPlanRef& plan) { return plan->shape() == shape; };
    if (const auto found = std::find_if(fft_plans_.begin(), fft_plans_.end(), same); found != fft_plans_.end()) {
        std::rotate(found, found + 1, fft_plans_.end());   // the one used last comes last
        return fft_plans_.back();
    }
    std::string size;
    for (const std::int64_t one : shape.sizes) size += std::to_string(one) + " ";
    const Span span("vulkan", "fft plan", size);
    FftPlanRef plan(new FftPlan);
    make_fft_plan(*plan->state_, shape);
    if (fft_plans_.size() >= kept_plans) fft_plans_.erase(fft_plans_.begin());
    fft_plans_.push_back(plan);
    fft_alive_.push_back(plan);
    std::erase_if(fft_alive_, [](const std::weak_ptr<FftPlan>& one) { return one.expired(); });
    return plan;
}

void DeviceCore::make_fft_plan(FftPlan::State& plan, const FftShape& shape) {
    plan.shape = shape;
    plan.memory = allocate(shape.bytes(), Domain::Device);
    plan.core = this;
    plan.bytes = shape.bytes();
    // A buffer of VkFFT's own over these bytes: descriptors then start at them.
    const MemoryBlock& block = *plan.memory->block_;
    const VkExternalMemoryBufferCreateInfo lent{.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
                                                .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
    const VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .pNext = block.pages.empty() ? nullptr : &lent, .size = plan.bytes,
                                  .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
    expect_success(vkCreateBuffer(device, &info, nullptr, &plan.buffer), "fft: create buffer");
    expect_success(vkBindBufferMemory(device, plan.buffer, block.memory, block.base + plan.memory->offset_), "fft: bind buffer");
    const VkCommandPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, .queueFamilyIndex = queue_family};
    expect_success(vkCreateCommandPool(device, &pool, nullptr, &plan.pool), "fft: create command pool");
    const VkFenceCreateInfo fence{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    expect_success(vkCreateFence(device, &fence, nullptr, &plan.fence), "fft: create fence");

    VkFFTConfiguration configuration = VKFFT_ZERO_INIT;
    configuration.FFTdim = shape.sizes.size();
    for (std::size_t i = 0; i < shape.sizes.size(); ++i)
        configuration.size[i] = static_cast<pfUINT>(shape.sizes[shape.sizes.size() - 1 - i]);
    configuration.numberBatches = static_cast<pfUINT>(shape.batch);
    (shape.inverse ? configuration.makeInversePlanOnly : configuration.makeForwardPlanOnly) = 1;
    configuration.physicalDevice = &physical;
    configuration.device = &device;
    configuration.queue = &queue;
    configuration.commandPool = &plan.pool;
    configuration.fence = &plan.fence;
    configuration.buffer = &plan.buffer;
    configuration.bufferSize = &plan.bytes;
    configuration.pipelineCache = &pipeline_cache_;
    configuration.isCompilerInitialized = 1;   // by us, and only where it is needed
    configuration.disableSetLocale = 1;

    // The compiled shaders are kept: compiling them takes about a second.
    Hasher hasher;
    hasher.add("fft").add(VkFFTGetVersion()).add(caps.identity()).add(shape.batch).add(shape.inverse);
    for (const std::int64_t size : shape.sizes) hasher.add(size);
    const Hash key = hasher.finish();
    const std::string path = "fft/" + key.hex();
    const PlainNumbers plain;
    const std::lock_guard queue_lock(queue_mutex_);   // tables are uploaded through the queue
    if (auto known = read_cache_file(path, key); known && !known->empty()) {
        configuration.loadApplicationFromString = 1;
        configuration.loadApplicationString = known->data();
        plan.ready = initializeVkFFT(&plan.app, configuration) == VKFFT_SUCCESS;
        if (plan.ready) return;
        plan.app = VKFFT_ZERO_INIT;   // a failed start has cleaned up after itself
        configuration.loadApplicationFromString = 0;
        configuration.loadApplicationString = nullptr;
    }
    start_glslang();
    configuration.saveApplicationToString = 1;
    expect_fft(initializeVkFFT(&plan.app, configuration), "fft: make plan");
    plan.ready = true;
    if (plan.app.saveApplicationString)
        write_cache_file(path, key, {static_cast<const std::byte*>(plan.app.saveApplicationString), static_cast<std::size_t>(plan.app.applicationStringSize)});
}

void DeviceCore::close_fft_plans() {
    const std::lock_guard lock(fft_mutex_);
    for (const std::weak_ptr<FftPlan>& one : fft_alive_)
        if (const FftPlanRef plan = one.lock()) plan->state_->close();
    fft_plans_.clear();
}

void Commands::fft(const FftPlanRef& plan, const std::string& label) {
    State& state = *state_;
    state.check_recording("fft");
    FftPlan::State& transform = *plan->state_;
    const std::lock_guard lock(transform.mutex);
    const bool timed = state.timed && !label.empty();
    if (!label.empty()) state.labels.push_back(label);
    if (timed) state.timestamp(VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT);
    VkFFTLaunchParams launch = VKFFT_ZERO_INIT;
    launch.commandBuffer = &state.slot->buffer;
    launch.buffer = &transform.buffer;
    expect_fft(VkFFTAppend(&transform.app, transform.shape.inverse ? 1 : -1, &launch), "fft");
    if (timed) state.timestamp(VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT);
    state.bound = nullptr;   // VkFFT bound pipelines of its own
    state.kept.push_back(plan);
    ++commands_;
}

#else

struct FftPlan::State {
    FftShape shape;
    BufferRef memory;
};

namespace {

[[noreturn]] void refuse() { throw Error(ErrorCode::NoDevice, "fft: expected VkFFT 1.3 or newer, Heddle was built without it"); }

}  // namespace

bool fft_available() { return false; }
FftPlan::FftPlan() = default;
FftPlan::~FftPlan() = default;
const FftShape& FftPlan::shape() const { return state_->shape; }
const BufferRef& FftPlan::buffer() const { return state_->memory; }
FftPlanRef DeviceCore::fft_plan(const FftShape&) { refuse(); }
void DeviceCore::close_fft_plans() {}
void Commands::fft(const FftPlanRef&, const std::string&) { refuse(); }

#endif

}  // namespace gpu
