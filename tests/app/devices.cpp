// The devices that runs compute on: chosen in the menu, kept in the settings, used by the next run. The machine's best one is opened twice.
#include <QMenu>
#include <QSettings>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "app/panels/device_menu.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/device.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

std::mutex mutex;
std::condition_variable changed;
int inside = 0, most_inside = 0, expected = 1;
std::set<std::uint64_t> used;  // devices

// Ends when as many of its kind are inside at once as are expected.
struct Meet final : nodes::Node {
    Meet() : Node({.id = "test.meet_on_devices", .title = "Meet", .category = "Test", .help = "Waits for others."}) {}
    nodes::Out<double> out{this, "out", "One"};
    nodes::Param<int> number{this, "number", "Tells one from the other", {.initial = 0, .min = 0, .max = 9}};
    void compute(nodes::Eval& ev) const override {
        const std::uint64_t device = gpu::Device::current().id();
        std::unique_lock lock(mutex);
        used.insert(device);
        most_inside = std::max(most_inside, ++inside);
        changed.notify_all();
        const bool met = changed.wait_for(lock, std::chrono::seconds(60), [] { return most_inside >= expected; });
        --inside;
        if (!met) throw std::runtime_error("expected another one at the same time, none came");
        ev.set(out, 1.0);
    }
};

// The machine's best device, in two entries that only their names tell apart.
std::vector<gpu::Caps> twice() {
    gpu::Caps one = gpu::Device::current().caps();
    one.uuid = "first";
    gpu::Caps other = one;
    other.uuid = "second";
    gpu::Caps lame = one;
    lame.uuid = "third", lame.timeline_semaphore = false;
    return {one, other, lame};
}

QAction* entry(DeviceMenu& menu, const char* name) { return menu.findChild<QAction*>(QString::fromLatin1(name)); }

}  // namespace

class DevicesTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        nodes::add_node_type(std::make_unique<Meet>());
        QSettings().remove("devices");
    }
    void cleanup() {
        QSettings().remove("devices");
        gpu::switches().device.clear();
    }

    void what_is_checked_is_kept_and_used() {
        tests::Editor e;
        QVERIFY(e.window.findChild<QMenu*>("devices"));
        const QString index = QString::number(gpu::Device::current().caps().index);
        DeviceMenu menu(e.window.runs(), nullptr, twice);
        QCOMPARE(menu.actions().size(), 1);      // that it looks for them
        menu.look();
        QTRY_VERIFY(entry(menu, "device_second"));
        QVERIFY(entry(menu, "device_automatic")->isChecked() && !entry(menu, "device_first")->isChecked());
        QVERIFY(!entry(menu, "device_third")->isEnabled());      // it lacks something, and says what
        QVERIFY(entry(menu, "device_third")->toolTip().contains("timeline"));
        entry(menu, "device_first")->trigger();
        QCOMPARE(e.window.runs().devices(), QStringList{index});
        QTRY_VERIFY(entry(menu, "device_first")->isChecked() && !entry(menu, "device_automatic")->isChecked());
        entry(menu, "device_second")->trigger();
        QCOMPARE(e.window.runs().devices(), (QStringList{index, index}));
        QCOMPARE(QSettings().value("devices").toStringList(), (QStringList{"first", "second"}));

        for (const int number : {1, 2}) e.model.set_param(e.model.add_node("test.meet_on_devices", {200.0 * number, 0}), "number", number);
        most_inside = 0, expected = 2, used.clear();
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        for (const NodeId& id : e.model.node_ids()) QCOMPARE(e.window.runs().status(id).state, nodes::NodeState::Done);
        QCOMPARE(used.size(), std::size_t(2));      // one on each, at once

        // The next start has them again, the first as the program's own.
        RunController later(e.model);
        use_stored_devices(later, twice);
        QCOMPARE(later.devices(), (QStringList{index, index}));
        QCOMPARE(gpu::switches().device, index.toStdString());
        QTRY_VERIFY(entry(menu, "device_second")->isChecked());
        entry(menu, "device_automatic")->trigger();
        QVERIFY(e.window.runs().devices().isEmpty() && QSettings().value("devices").toStringList().isEmpty());
        QTRY_VERIFY(entry(menu, "device_automatic")->isChecked() && !entry(menu, "device_second")->isChecked());
    }

    void one_that_is_gone_is_passed_over_and_kept() {
        tests::Editor e;
        QSettings().setValue("devices", QStringList{"gone", "second"});
        use_stored_devices(e.window.runs(), twice);
        QCOMPARE(e.window.runs().devices().size(), 1);
        DeviceMenu menu(e.window.runs(), nullptr, twice);
        menu.look();
        QTRY_VERIFY(entry(menu, "device_second"));
        entry(menu, "device_second")->trigger();
        QCOMPARE(QSettings().value("devices").toStringList(), QStringList{"gone"});
        QVERIFY(e.window.runs().devices().isEmpty());
        use_stored_devices(e.window.runs(), [] { return std::vector<gpu::Caps>(); });
        QVERIFY(e.window.runs().devices().isEmpty());
    }

    void the_environment_may_name_several() {
        tests::Editor e;
        gpu::switches().device = "0,0";
        use_stored_devices(e.window.runs(), twice);
        QCOMPARE(e.window.runs().devices(), (QStringList{"0", "0"}));
        QCOMPARE(gpu::switches().device, std::string("0"));
        most_inside = 0, expected = 2, used.clear();
        for (const int number : {3, 4}) e.model.set_param(e.model.add_node("test.meet_on_devices", {200.0 * number, 0}), "number", number);
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QCOMPARE(used.size(), std::size_t(2));
    }
};

HEDDLE_TEST(devices, DevicesTest)
#include "devices.moc"
