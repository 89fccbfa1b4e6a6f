// The tuner: measures once for a class of shapes, remembers in a file, and mistrusts files.
#include "gpu/run/tune.h"

#include <QTemporaryDir>
#include <filesystem>
#include <fstream>

#include "gpu/base/switches.h"
#include "gpu/graph/op.h"
#include "gpu/run/traits.h"
#include "tests/support/op_cases.h"
#include "tests/support/test.h"
#include "tests/support/variants.h"

using namespace gpu;

class TuneTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;
    std::string old_;
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
        for (const Tensor& node : collect({y_}).nodes)
            if (node.op() && node.op()->name() == "matmul") {
                op_ = node.node()->op;
                in_ = tests::input_specs(node);
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

    void processors_and_validation_do_not_measure() {
        QVERIFY(Device::current().caps().type != DeviceType::Cpu || !Tuner::may_measure(Device::current()));
    }
};

HEDDLE_TEST(tune, TuneTest)
#include "tune.moc"
