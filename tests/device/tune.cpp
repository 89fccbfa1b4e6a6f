// The tuner: measures once for a class of shapes, remembers in a file, and mistrusts files.
#include "gpu/run/tune.h"

#include <QTemporaryDir>
#include <filesystem>
#include <fstream>

#include "gpu/base/cancel.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/graph/op.h"
#include "gpu/run/traits.h"
#include "gpu/run/tune_effort.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"
#include "tests/support/variants.h"

using namespace gpu;

class TuneTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    std::string old_;
    const ScopedSwitch<bool> on_{&Switches::tune, true};   // whatever HEDDLE_TUNE says
    const Tensor y_ = matmul(tests::random_tensor({40, 24}, 1), tests::random_tensor({24, 48}, 2));
    std::shared_ptr<const Op> op_;
    Specs in_;
    std::vector<std::string> names_;

    std::string choose(Tuner& tuner) const { return tuner.choose(op_, in_, names_); }
    std::string file() const {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path().toStdString() + "/tuning"))
            return entry.path();
        return {};
    }

private slots:
    void initTestCase() {
        old_ = switches().cache_dir;
        switches().cache_dir = folder_.path().toStdString();
        // The product itself, below the reshapes around it.
        for (const Tensor* const node : collect({y_}).nodes)
            if (node->op() && node->op()->name() == "matmul") {
                op_ = node->node()->op;
                in_ = tests::input_specs(*node);
            }
        QVERIFY(op_);
        names_ = op_->variants(in_, traits_of(Device::current().caps()));
        QVERIFY(names_.size() > 2);
    }
    void cleanupTestCase() { switches().cache_dir = old_; }
    void init() { std::filesystem::remove_all(folder_.path().toStdString() + "/tuning"); }

    void takes_the_default_where_it_may_not_measure() {
        Tuner tuner(Device::current_ref(), false);
        QCOMPARE(choose(tuner), names_[0]);
        QCOMPARE(tuner.measurements(), 0);
        QVERIFY(!std::filesystem::exists(folder_.path().toStdString() + "/tuning"));
    }

    void measures_once_and_remembers() {
        std::string chosen;
        {
            Tuner tuner(Device::current_ref(), true);
            chosen = choose(tuner);
            QCOMPARE(choose(tuner), chosen);
            QCOMPARE(tuner.measurements(), 1);
        }
        QVERIFY(std::find(names_.begin(), names_.end(), chosen) != names_.end());
        Tuner later(Device::current_ref(), true);
        QCOMPARE(choose(later), chosen);
        QCOMPARE(later.measurements(), 0);
        Tuner reader(Device::current_ref(), false);   // what was measured serves where nothing may be measured
        QCOMPARE(choose(reader), chosen);
    }

    void a_damaged_file_is_a_miss() {
        {
            Tuner tuner(Device::current_ref(), true);
            choose(tuner);
        }
        const std::string path = file();
        QVERIFY(!path.empty());
        for (const auto& damage : {std::string("no cache file at all"), std::string()}) {
            std::ofstream(path, std::ios::binary) << damage;
            Tuner tuner(Device::current_ref(), false);
            QCOMPARE(choose(tuner), names_[0]);
        }
    }

    void a_flipped_bit_is_a_miss() {
        {
            Tuner tuner(Device::current_ref(), true);
            choose(tuner);
        }
        const std::string path = file();
        std::fstream bytes(path, std::ios::binary | std::ios::in | std::ios::out);
        bytes.seekg(-2, std::ios::end);
        const char last = static_cast<char>(bytes.get());
        bytes.seekp(-2, std::ios::end);
        bytes.put(static_cast<char>(last ^ 1));
        bytes.close();
        Tuner tuner(Device::current_ref(), false);
        QCOMPARE(choose(tuner), names_[0]);
    }

    void a_switch_forces_and_forbids() {
        Tuner tuner(Device::current_ref(), true);
        {
            const ScopedSwitch force(&Switches::variant, std::string("nothing,subgroup"));
            QCOMPARE(choose(tuner), std::string("subgroup"));
        }
        const ScopedSwitch off(&Switches::tune, false);
        QCOMPARE(choose(tuner), names_[0]);
        QCOMPARE(tuner.measurements(), 0);
    }

    void what_is_allowed_makes_a_class() {
        if (!Device::current().caps().float16) QSKIP("half products: the device has no arithmetic of F16");
        const Specs halves{{{1, 40, 24}, Dtype::F16}, {{1, 24, 48}, Dtype::F16}};
        Tuner tuner(Device::current_ref(), true);
        const std::vector<std::string> usual{"simple", "tile_32x32"};
        const std::string chosen = tuner.choose(op_, halves, usual);
        {
            const ScopedSwitch fast(&Switches::fast, std::string("half"));
            QVERIFY(tuner.choose(op_, halves, {"half_32x32", "half_64x64"}).starts_with("half_"));
            QCOMPARE(tuner.measurements(), 2);
        }
        QCOMPARE(tuner.choose(op_, halves, usual), chosen);
        QCOMPARE(tuner.measurements(), 2);
    }

    void near_sizes_share_a_class() {
        const auto with = [&](std::int64_t rows) { return Tuner::class_of(*op_, {{{1, rows, 24}, Dtype::F32}, {{1, 24, 48}, Dtype::F32}}); };
        QCOMPARE(with(41), with(48));
        QVERIFY(with(48) != with(49));
        QVERIFY(with(1) != with(2));
        QVERIFY(with(48).find("F32") != std::string::npos);
        QVERIFY(Tuner::class_of(*op_, {{{1, 48, 24}, Dtype::F16}, {{1, 24, 48}, Dtype::F32}}) != with(48));
    }

    // A stop in the middle says nothing of which variant is fastest.
    void a_cancel_leaves_no_choice() {
        Tuner tuner(Device::current_ref(), true);
        const CancelToken token;
        {
            const CancelScope scope(token);
            token.cancel();
            QVERIFY_EXCEPTION_THROWN(choose(tuner), Cancelled);
        }
        QCOMPARE(tuner.measurements(), 0);
        choose(tuner);
        QCOMPARE(tuner.measurements(), 1);
    }

    void a_slow_variant_is_given_up() {
        std::vector<double> times;   // of the runs to come, the last one first
        int runs = 0;
        const auto run = [&] {
            ++runs;
            const double time = times.back();
            times.pop_back();
            return time;
        };
        const auto least = [&](std::vector<double> coming, double best) {
            times = {coming.rbegin(), coming.rend()};
            runs = 0;
            return least_seconds(run, best);
        };
        QCOMPARE(least({9e-3, 2e-3, 1e-3, 3e-3}, 0), 1e-3);      // the first run counts nothing
        QCOMPARE(runs, 4);
        QCOMPARE(least({9e-3, 1.4e-3, 0.5e-3, 2e-3}, 1e-3), 0.5e-3);
        QCOMPARE(runs, 4);
        QCOMPARE(least({1e-3, 1.6e-3}, 1e-3), 1.6e-3);           // and it saves nobody
        QCOMPARE(runs, 2);
        QCOMPARE(least({1.0, 0.1}, 0), 0.1);                     // long enough
        QCOMPARE(runs, 2);
    }

    void what_cannot_win_is_not_measured() {
        using Names = std::vector<std::string>;
        const Names floats{"tile_128x64", "tile_128x128", "tile_64x64", "tile_32x32", "subgroup", "simple", "split_4_tile_128x128", "winograd"};
        QCOMPARE(worth_measuring(floats, true), floats);   // a processor
        QCOMPARE(worth_measuring(floats, false), (Names{"tile_128x64", "tile_128x128", "tile_64x64", "split_4_tile_128x128", "winograd"}));
        const Names halves{"split_4_coop_64x64", "coop_128x128", "coop_128x64", "coop_64x64", "tile_128x128", "tile_32x32", "half_64x64",
                           "subgroup", "simple", "split_16_coop_128x128", "split_8_coop_128x64"};
        QCOMPARE(worth_measuring(halves, false), (Names{"split_4_coop_64x64", "coop_64x64", "split_8_coop_128x64", "tile_32x32", "split_16_coop_128x128"}));
        QCOMPARE(worth_measuring({"simple", "tile_64x64", "tile_32x32"}, false), (Names{"simple", "tile_32x32", "tile_64x64"}));   // one row
        QCOMPARE(worth_measuring({"simple"}, false), (Names{"simple"}));
        QCOMPARE(worth_measuring({"coop_64x32", "simple", "coop_32x32"}, false), (Names{"coop_64x32", "coop_32x32"}));   // attention
    }

    void a_line_tells_what_it_took() {
        const ScopedSwitch told(&Switches::log, std::string("tune:info"));
        std::vector<std::string> lines;
        const LogSink old = set_log_sink([&](std::string_view area, LogLevel, const std::string& text) {
            if (area == "tune") lines.push_back(text);
        });
        Tuner tuner(Device::current_ref(), true);
        tuner.report();
        choose(tuner);
        for (int i = 0; i < 2; ++i) tuner.report();
        set_log_sink(old);
        QCOMPARE(lines.size(), std::size_t{1});
        QVERIFY2(lines[0].starts_with("measured the kernels of 1 classes of shapes in "), lines[0].c_str());
    }

    void processors_and_validation_do_not_measure() {
        QVERIFY(Device::current().caps().type != DeviceType::Cpu || !Tuner::may_measure(Device::current()));
    }
};

HEDDLE_TEST(tune, TuneTest)
#include "tune.moc"
