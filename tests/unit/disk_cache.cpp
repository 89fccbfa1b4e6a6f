// Results that outlive the process: what comes back, what does not, and how the folder stays small.
#include "nodes/core/disk_cache.h"

#include <QDateTime>
#include <QDir>
#include <QTemporaryDir>

#include "gpu/base/switches.h"
#include "nodes/core/executor.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

constexpr double slow = 1e6;      // milliseconds of computing that make every result worth keeping

gpu::Hash key_of(int number) { return gpu::Hasher().add(number).finish(); }

NodeResult result_of(double number) { return {.outputs = {Value::of<double>(number)}, .metrics = {}, .warnings = {}}; }

DiskCache::Place place_in(const QTemporaryDir& folder, const std::string& stamp = "a") {
    return {.folder = folder.filePath("results").toStdString(), .budget = 1 << 20, .stamp = stamp};
}

}  // namespace

class DiskCacheTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void results_come_back_whole() {
        const QTemporaryDir folder;
        for (const double number : {0.1, -0.0, 1e300, std::numeric_limits<double>::infinity()}) {
            DiskCache(place_in(folder)).store(key_of(1), {.outputs = {Value::of<double>(number), Value(), Value::of<std::string>("häddle")},
                                                          .metrics = {{"psnr", 31.07, "dB"}}, .warnings = {"careful"}}, slow);
            const auto found = DiskCache(place_in(folder)).find(key_of(1));
            QVERIFY(found.has_value());
            QCOMPARE(*found->outputs.at(0).get<double>(), number);
            QVERIFY(found->outputs.at(1).empty());
            QCOMPARE(*found->outputs.at(2).get<std::string>(), std::string("häddle"));
            QCOMPARE(found->metrics.at(0).value, 31.07);
            QCOMPARE(found->metrics.at(0).unit, std::string("dB"));
            QCOMPARE(found->warnings, std::vector<std::string>{"careful"});
        }
    }

    void others_do_not_meet_them() {
        const QTemporaryDir folder;
        DiskCache(place_in(folder, "a")).store(key_of(1), result_of(1), slow);
        QVERIFY(DiskCache(place_in(folder, "a")).find(key_of(1)));
        QVERIFY(!DiskCache(place_in(folder, "a")).find(key_of(2)));
        QVERIFY(!DiskCache(place_in(folder, "another build")).find(key_of(1)));
    }

    void what_is_quick_or_can_not_be_stored_is_not_kept() {
        const QTemporaryDir folder;
        DiskCache cache(place_in(folder));
        cache.store(key_of(1), result_of(1), 0.01);
        cache.store(key_of(2), {.outputs = {Value::of<Length>({3})}, .metrics = {}, .warnings = {}}, slow);
        QVERIFY(!cache.find(key_of(1)) && !cache.find(key_of(2)));
        QCOMPARE(cache.stats().files, std::uint64_t{0});
    }

    void damaged_files_count_as_absent() {
        const QTemporaryDir folder;
        DiskCache cache(place_in(folder));
        cache.store(key_of(1), result_of(1), slow);
        QDir files(QString::fromStdString(cache.place().folder));
        const QString path = files.filePath(files.entryList(QDir::Files).at(0));
        for (const QByteArray& content : {QByteArray(), QByteArray("no tensors"), QByteArray(200, '\xff')}) {
            QFile file(path);
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(content);
            file.close();
            QVERIFY(!cache.find(key_of(1)));
            QVERIFY(!QFile::exists(path));
        }
        cache.store(key_of(1), result_of(2), slow);
        QCOMPARE(*cache.find(key_of(1))->outputs.at(0).get<double>(), 2.0);
    }

    void the_folder_keeps_to_its_budget() {
        const QTemporaryDir folder;
        DiskCache::Place place = place_in(folder);
        place.budget = 4000;
        DiskCache cache(place);
        for (int i = 0; i < 40; ++i) {
            cache.store(key_of(i), result_of(i), slow);
            QVERIFY(cache.find(key_of(0)) || i > 0);      // used all the time
        }
        QVERIFY(cache.stats().bytes <= place.budget);
        QVERIFY(cache.stats().files > 2);
        QVERIFY(cache.find(key_of(39)));
        QVERIFY(!cache.find(key_of(1)));
        const std::uint64_t before = cache.stats().files;
        QCOMPARE(cache.trim(0).files, before);
        QCOMPARE(cache.stats().bytes, std::uint64_t{0});
    }

    void it_can_be_listed() {
        const QTemporaryDir folder;
        DiskCache cache(place_in(folder));
        cache.store(key_of(1), result_of(1), slow);
        QFile damaged(QString::fromStdString(cache.place().folder) + "/zero.safetensors");
        QVERIFY(damaged.open(QIODevice::WriteOnly) && damaged.setFileTime(QDateTime::currentDateTime().addDays(-3), QFileDevice::FileModificationTime));
        const auto entries = cache.list();
        QCOMPARE(entries.size(), 2u);
        QCOMPARE(entries[0].holds, std::string("number"));
        QCOMPARE(entries[0].bytes, cache.stats().bytes);
        QCOMPARE(entries[1].file, std::string("zero.safetensors"));
        QVERIFY(entries[1].holds.empty() && entries[1].used_ago >= 3 * 86400);
        QVERIFY(DiskCache({.folder = "/proc/none", .stamp = "a"}).list().empty());
    }

    void a_folder_that_can_not_be_written_fails_nothing() {
        DiskCache cache({.folder = "/proc/none", .stamp = "a"});
        cache.store(key_of(1), result_of(1), slow);
        QVERIFY(!cache.find(key_of(1)));
        QCOMPARE(cache.trim(0).files, std::uint64_t{0});
    }

    void another_process_finds_what_this_one_computed() {
        const QTemporaryDir folder;
        const Document document = Document().add_node("stub.counter", "slow").set_param("slow", "steps", 30).add_node("stub.add", "sum").connect({"slow", "out"}, {"sum", "a"});
        for (int process = 0; process < 2; ++process) {
            ResultCache cache(0);
            cache.set_disk(std::make_shared<DiskCache>(place_in(folder)));
            Recorder seen;
            const RunResult result = run(document, {.cache = &cache, .on_event = seen.sink()});
            QCOMPARE(result.status, RunStatus::Done);
            QCOMPARE(seen.number("sum", "sum"), 40.0);
            QCOMPARE(result.computed, process == 0 ? 2 : 1);      // the sum itself is quicker than a file
        }
    }

    void switches_that_watch_computing_turn_it_off() {
        const gpu::ScopedSwitch budget(&gpu::Switches::cache_budget, std::uint64_t{1} << 30);
        QVERIFY(DiskCache::usual("build"));
        const gpu::ScopedSwitch check(&gpu::Switches::check, std::string("nan"));
        QVERIFY(!DiskCache::usual("build"));
    }
};

}  // namespace tests

using tests::DiskCacheTest;
HEDDLE_TEST(disk_cache, DiskCacheTest)
#include "disk_cache.moc"
