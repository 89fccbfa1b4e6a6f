// heddle devices: what this machine can run on.
#include <QJsonArray>
#include <QJsonObject>

#include "app/cli/command.h"
#include "gpu/base/error.h"
#include "gpu/vulkan/caps.h"

namespace app {
namespace {

QJsonObject device_json(const gpu::Caps& caps) {
    return {{"index", caps.index},
            {"name", QString::fromStdString(caps.name)},
            {"type", gpu::to_string(caps.type)},
            {"driver", QString::fromStdString(caps.driver)},
            {"api_version", QString::fromStdString(caps.api_version)},
            {"uuid", QString::fromStdString(caps.uuid)},
            {"pci", QString::fromStdString(caps.pci)},
            {"memory_bytes", static_cast<qint64>(caps.memory_bytes)},
            {"unified_memory", caps.unified_memory},
            {"float16", caps.float16},
            {"subgroup_size", static_cast<qint64>(caps.subgroup_size)},
            {"usable", caps.missing().empty()},
            {"missing", QString::fromStdString(caps.missing())}};
}

int print_devices(const Arguments& arguments) {
    arguments.expect_count(0, 0, "no argument");
    const std::vector<gpu::Caps> devices = gpu::list_devices();
    bool usable = false;
    QJsonArray list;
    std::vector<std::vector<std::string>> rows{{"INDEX", "TYPE", "MEMORY", "NAME", "DRIVER", "VULKAN", ""}};
    for (const gpu::Caps& caps : devices) {
        usable |= caps.missing().empty();
        list.append(device_json(caps));
        rows.push_back({std::to_string(caps.index), gpu::to_string(caps.type), bytes_text(caps.memory_bytes), caps.name,
                        caps.driver, caps.api_version, caps.missing().empty() ? "" : "lacks " + caps.missing()});
    }
    if (arguments.has("--json"))
        print_json(list);
    else if (!devices.empty())
        print_line(table_text(rows).substr(0, table_text(rows).size() - 1));
    gpu::check(usable, gpu::ErrorCode::NoDevice, "devices: expected a Vulkan device that Heddle can use, got {}",
               devices.empty() ? "none (is a driver installed?)" : "only those that lack something");
    return 0;
}

}  // namespace

REGISTER_COMMAND(devices, {.name = "devices",
                           .summary = "Lists the Vulkan devices",
                           .help = "INDEX, or a part of NAME, is what --device and HEDDLE_DEVICE take.",
                           .options = {json_option},
                           .run = print_devices})

}  // namespace app
