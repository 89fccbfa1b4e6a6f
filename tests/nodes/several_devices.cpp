// A graph of picture nodes on two devices (the machine's best one opened twice): both compute, and the bytes are those of one.
#include <QDir>
#include <QMap>
#include <QProcess>
#include <QTemporaryDir>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device_scope.h"
#include "nodes/core/executor.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "tests/support/test.h"

using namespace nodes;

namespace {

std::mutex mutex;
std::condition_variable changed;
int expected = 1, inside = 0;

// Goes on when as many of its kind are inside as are expected: with two, a device each is at work on both sides of it.
struct MeetWithPictures final : Node {
    MeetWithPictures() : Node({.id = "test.meet", .title = "Meet", .category = "Test", .help = "Waits for others."}) {}
    In<Image> in{this, "in", "A picture"};
    Out<Image> out{this, "out", "The same, brighter"};
    void compute(Eval& ev) const override {
        std::unique_lock lock(mutex);
        ++inside;
        changed.notify_all();
        if (!changed.wait_for(lock, std::chrono::seconds(60), [] { return inside >= expected; })) ev.fail(in, "expected another one at the same time, none came");
        lock.unlock();
        ev.set(out, ev[in].with(ev[in].tensor * 1.25));      // not computed before somebody reads it
    }
};

// Two blurred pictures of noise, laid over each other; and one of the two, gray, on its own.
Document two_branches() {
    Document document;
    for (const std::string side : {"l", "r"})
        document = document.add_node("image.noise", side + "noise")
                       .set_param(side + "noise", "width", 48)
                       .set_param(side + "noise", "height", 32)
                       .set_param(side + "noise", "seed", side == "l" ? 1 : 2)
                       .add_node("test.meet", side + "meet")
                       .connect({side + "noise", "image"}, {side + "meet", "in"})
                       .add_node("image.blur", side + "blur")
                       .set_param(side + "blur", "sigma", 2)
                       .connect({side + "meet", "out"}, {side + "blur", "image"});
    return document.add_node("image.blend", "over")
        .connect({"lblur", "image"}, {"over", "base"})
        .connect({"rblur", "image"}, {"over", "layer"})
        .add_node("image.blur", "again")
        .connect({"lmeet", "out"}, {"again", "image"});
}

std::map<std::string, std::vector<float>> pictures_of(const Document& document, const RunOptions& options, RunResult& result, int meet) {
    {
        const std::lock_guard lock(mutex);
        expected = meet, inside = 0;
    }
    std::map<std::string, Value> made;
    RunOptions listening = options;
    listening.on_event = [&](const Event& event) {
        if (const auto* produced = std::get_if<event::Produced>(&event)) made[produced->node] = produced->value;
    };
    result = run(document, listening);
    std::map<std::string, std::vector<float>> pixels;
    for (const auto& [node, value] : made)
        if (const Image* image = value.get<Image>()) pixels[node] = to_interleaved(image->tensor);
    return pixels;
}

}  // namespace

class SeveralDevicesTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { add_node_type(std::make_unique<MeetWithPictures>()); }

    void two_devices_give_the_bytes_of_one() {
        const Document document = two_branches();
        RunResult result;
        const auto alone = pictures_of(document, {}, result, 1);
        QVERIFY2(result.status == RunStatus::Done, result.failures.empty() ? "" : result.failures[0].text().c_str());
        QCOMPARE(alone.size(), std::size_t(8));

        const auto second = std::make_shared<gpu::DeviceSlot>(std::to_string(gpu::Device::current().caps().index));
        const std::uint64_t before = gpu::evaluation_counters().evaluations;
        ResultCache cache;
        const auto both = pictures_of(document, {.cache = &cache, .devices = {nullptr, second}}, result, 2);
        QVERIFY2(result.status == RunStatus::Done, result.failures.empty() ? "" : result.failures[0].text().c_str());
        QVERIFY(both == alone);
        QVERIFY(gpu::evaluation_counters().evaluations > before);
        {
            const gpu::DeviceScope scope(second);
            QVERIFY(gpu::evaluation_counters().evaluations > 0);
            QVERIFY(gpu::Device::current().id() == second->device->id());
        }
        // Keys do not know of devices: one device finds what two have made.
        pictures_of(document, {.cache = &cache}, result, 1);
        QCOMPARE(result.computed, 0);
    }

    // The software driver opened twice: lines, table, pictures and their sheet are those of one device.
    void a_sweep_over_two_devices_is_that_of_one() {
        const QTemporaryDir folder;
        Document()
            .add_node("image.noise", "noise")
            .set_param("noise", "width", 40)
            .set_param("noise", "height", 24)
            .add_node("image.blur", "blur")
            .connect({"noise", "image"}, {"blur", "image"})
            .add_node("image.save", "save")
            .set_param("save", "file", "out.png")
            .connect({"blur", "image"}, {"save", "image"})
            .save(folder.filePath("g.heddle").toStdString());
        const auto made_by = [&](const QString& name, const QStringList& more) {
            QProcess process;
            QDir(folder.path()).mkdir(name);
            process.setWorkingDirectory(folder.filePath(name));
            process.start(HEDDLE_BINARY, QStringList{"sweep", "../g.heddle", "--vary", "noise.seed=1,2", "--vary", "blur.sigma=1,2,3", "--no-cache", "--table", "t.csv", "--sheet", "sheet.png"} + more);
            process.waitForFinished(60000);
            QMap<QString, QByteArray> all{{"status", QByteArray::number(process.exitCode()) + process.readAllStandardError()}, {"lines", process.readAllStandardOutput()}};
            for (const QString& file : QDir(folder.filePath(name)).entryList(QDir::Files)) {
                QFile one(folder.filePath(name + "/" + file));
                if (one.open(QIODevice::ReadOnly)) all[file] = one.readAll();
            }
            for (QByteArray& bytes : all) bytes.replace("/" + name.toUtf8() + "/", "/");
            return all;
        };
        const auto alone = made_by("one", {"--device", "0"}), both = made_by("two", {"--device", "0,0"});
        QCOMPARE(alone["status"], QByteArray("0"));
        QCOMPARE(alone.size(), 10);      // two of these, a table, a sheet, six pictures
        QCOMPARE(both.keys(), alone.keys());
        for (const QString& file : alone.keys()) QVERIFY2(both[file] == alone[file], qPrintable(file));
    }
};

HEDDLE_TEST(several_devices, SeveralDevicesTest)
#include "several_devices.moc"
