#include "app/cli/slurm_device.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gpu/base/format.h"

namespace app {
namespace {

using gpu::Caps;
using gpu::format;

std::string first_of(const std::string& list) { return list.substr(0, list.find(',')); }

std::optional<std::size_t> number_of(const std::string& text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    // Slurm writes ranges in some versions, "0-1": the first counts.
    if (error != std::errc() || (*end != '\0' && *end != '-')) return std::nullopt;
    return number;
}

// "GPU-8a5B1c..." -> "8a5b1c...", as Caps::uuid has it; may be the beginning of one. Empty for anything else.
std::string uuid_digits(const std::string& text) {
    if (!text.starts_with("GPU-")) return {};
    std::string digits;
    for (const char c : text.substr(4))
        if (c != '-') digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return digits;
}

// The text after "NAME:" in a file of such lines.
std::string field(const std::string& text, const std::string& name) {
    const std::size_t at = text.find(name + ":");
    if (at == std::string::npos) return {};
    const std::size_t start = text.find_first_not_of(" \t", at + name.size() + 1), end = text.find('\n', at);
    return start == std::string::npos || start >= end ? std::string() : text.substr(start, end - start);
}

}  // namespace

std::vector<NvidiaCard> nvidia_cards(const std::string& folder) {
    std::vector<NvidiaCard> cards;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        std::ifstream file(at->path() / "information");
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        const auto minor = number_of(field(text, "Device Minor"));
        std::string uuid = field(text, "GPU UUID");
        if (uuid.find('?') != std::string::npos) uuid.clear();
        cards.push_back({minor ? static_cast<int>(*minor) : -1, at->path().filename().string(), uuid});
    }
    std::ranges::sort(cards, {}, &NvidiaCard::pci);
    return cards;
}

std::optional<GrantedDevice> granted_device(const std::map<std::string, std::string>& environment, const std::vector<Caps>& devices,
                                            const std::vector<NvidiaCard>& cards) {
    const auto variable = [&](const char* name) {
        const auto at = environment.find(name);
        return at == environment.end() ? std::string() : first_of(at->second);
    };
    std::vector<const Caps*> gpus;
    for (const Caps& caps : devices)
        if (!caps.software && caps.type != gpu::DeviceType::Cpu) gpus.push_back(&caps);
    std::ranges::stable_sort(gpus, {}, &Caps::pci);
    const auto chosen = [](const Caps& caps, const std::string& reason) { return GrantedDevice{std::to_string(caps.index), reason}; };

    bool granted = false;
    for (const char* name : {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"}) {
        if (variable(name) == "NoDevFiles") return GrantedDevice{"cpu", format("{} says that no GPU was granted", name)};
        granted |= !variable(name).empty();
        const std::string digits = uuid_digits(variable(name));
        if (digits.empty()) continue;
        for (const Caps* caps : gpus)
            if (caps->uuid.starts_with(digits)) return chosen(*caps, format("{} by its UUID", name));
        for (const NvidiaCard& card : cards)
            for (const Caps* caps : gpus)
                if (uuid_digits(card.uuid).starts_with(digits) && caps->pci == card.pci) return chosen(*caps, format("{} by its PCI address {}", name, card.pci));
    }
    for (const char* name : {"SLURM_STEP_GPUS", "SLURM_JOB_GPUS"}) granted |= !variable(name).empty();
    if (!granted || gpus.empty()) return std::nullopt;
    if (gpus.size() == 1) return chosen(*gpus[0], "the only GPU that this job sees");

    for (const char* name : {"SLURM_STEP_GPUS", "SLURM_JOB_GPUS"}) {
        const auto number = number_of(variable(name));
        if (!number) continue;
        for (const NvidiaCard& card : cards)
            for (const Caps* caps : gpus)
                if (card.minor == static_cast<int>(*number) && caps->pci == card.pci)
                    return chosen(*caps, format("GPU {} of {} by its PCI address {}", *number, name, card.pci));
        if (*number < gpus.size()) return chosen(*gpus[*number], format("GPU {} of {} by its place", *number, name));
    }
    for (const char* name : {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"})
        if (const auto number = number_of(variable(name)); number && *number < gpus.size())
            return chosen(*gpus[*number], format("GPU {} of {} by its place", *number, name));
    return chosen(*gpus[0], "the first GPU that this job sees");
}

std::optional<GrantedDevice> granted_device() {
    std::map<std::string, std::string> environment;
    for (const char* name : {"SLURM_STEP_GPUS", "SLURM_JOB_GPUS", "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"})
        if (const char* value = std::getenv(name)) environment[name] = value;
    if (environment.empty()) return std::nullopt;  // asking Vulkan for its devices takes time
    return granted_device(environment, gpu::list_devices(), nvidia_cards());
}

}  // namespace app
