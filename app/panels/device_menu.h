// Run, Devices: which devices runs compute on. Several compute branches of one graph at once (resources/docs/runner.md). What is chosen is kept
// in the settings under `devices`, by what the drivers call the devices for good.
#pragma once

#include <QMenu>
#include <functional>
#include <optional>

#include "app/model/latest_task.h"
#include "app/model/run_controller.h"
#include "gpu/vulkan/caps.h"

namespace app {

class DeviceMenu : public QMenu {
    Q_OBJECT

public:
    using List = std::function<std::vector<gpu::Caps>()>;  // asks drivers, which takes a while: called in a worker thread

    explicit DeviceMenu(RunController& runs, QWidget* parent = nullptr, List list = gpu::list_devices);

    // Lists them anew; done when the menu shows.
    void look();

private:
    void fill();
    void choose(const QString& uuid, bool on);

    RunController& runs_;
    List list_;
    std::optional<std::vector<gpu::Caps>> devices_;
    LatestTask look_;
};

// Those of the settings; without any those of HEDDLE_DEVICE, where it names several ("0,1"). Before the program's own device is opened:
// that is the first of them.
void use_stored_devices(RunController& runs, const DeviceMenu::List& list = gpu::list_devices);

}  // namespace app
