// Every kernel, in every variant, as machine code of Radeons that are not there. Hard rules: nothing spills, no scratch,
// shared memory within the limit, matrix instructions where cooperative matrices are meant, packed ones for half products. The table of
// what came out is compared with the one of the same driver in tests/isa/<chip>_<driver>.txt; HEDDLE_WRITE_ISA=1 writes it anew.
// HEDDLE_ISA_ONLY=attention compiles what has that word in its name, and compares nothing.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "gpu/base/error.h"
#include "tests/isa/chip_model.h"
#include "tests/isa/subjects.h"
#include "tests/support/test.h"

using namespace gpu;
using tests::Subject;

namespace {

constexpr double tolerance = 1.05;   // of instructions and cycles, against the stored table
constexpr std::uint64_t shared_limit = 65536;

struct Row {
    std::string name;
    std::uint64_t vgprs = 0, waves = 0, shared = 0, instructions = 0, throughput = 0;
    double cycles_per_kflop = 0;   // issue cycles of a SIMD in the main loop; 0: no multiplications there
};

std::string text_of(const Row& row) {
    char text[200];
    std::snprintf(text, sizeof text, "%-58s %5llu %5llu %6llu %6llu %8llu %8.2f", row.name.c_str(),
                  static_cast<unsigned long long>(row.vgprs), static_cast<unsigned long long>(row.waves),
                  static_cast<unsigned long long>(row.shared), static_cast<unsigned long long>(row.instructions),
                  static_cast<unsigned long long>(row.throughput), row.cycles_per_kflop);
    return text;
}

std::string header() {
    char text[200];
    std::snprintf(text, sizeof text, "%-58s %5s %5s %6s %6s %8s %8s", "kernel", "VGPRs", "waves", "LDS", "instr", "inv.thr.", "cyc/KFLOP");
    return text;
}

std::map<std::string, Row> stored(const std::string& path) {
    std::map<std::string, Row> rows;
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        // The name may have blanks; six numbers end the line.
        std::istringstream words(line);
        std::vector<std::string> all;
        for (std::string word; words >> word;) all.push_back(word);
        if (all.size() < 7) continue;
        Row row;
        const std::size_t n = all.size() - 6;
        for (std::size_t i = 0; i < n; ++i) row.name += (i ? " " : "") + all[i];
        row.vgprs = std::stoull(all[n]);
        row.waves = std::stoull(all[n + 1]);
        row.shared = std::stoull(all[n + 2]);
        row.instructions = std::stoull(all[n + 3]);
        row.throughput = std::stoull(all[n + 4]);
        row.cycles_per_kflop = std::stod(all[n + 5]);
        rows[row.name] = row;
    }
    return rows;
}

}  // namespace

class KernelsTest : public QObject {
    Q_OBJECT
private slots:
    void kernel_data() {
        QTest::addColumn<QString>("family");
        for (const char* family : {"navi21", "navi31"}) QTest::newRow(family) << family;
    }
    void kernel() {
        QFETCH(QString, family);
        std::string why;
        const auto device = tests::NullDevice::open(family.toStdString(), why);
        if (!device) QSKIP(qPrintable(QString::fromStdString(why)));
        const tests::Chip& chip = tests::chip(family.toStdString());
        std::vector<Row> rows;
        std::set<std::string> seen;
        QStringList broken;
        for (const tests::CompiledStep& step : tests::compile_all(*device, family.toStdString())) {
            const tests::Compiled& code = step.code;
            QVERIFY2(step.failure.empty(), (step.name + ": " + step.failure).c_str());
            const auto rule = [&](bool kept, const char* text) {
                if (!kept) broken.append(QString::fromStdString(step.name + ": " + text));
            };
            rule(code.statistic("Spilled VGPRs") == 0, "spills vector registers");
            rule(code.statistic("Spilled SGPRs") == 0, "spills scalar registers");
            rule(code.statistic("Scratch size") == 0, "needs scratch memory");
            rule(code.statistic("LDS size") <= shared_limit, "takes too much shared memory");
            rule(!step.wants_matrix || code.assembly.find("v_wmma") != std::string::npos, "has no matrix instructions");
            rule(!step.wants_packed || code.assembly.find("v_pk_fma") != std::string::npos, "has no packed multiply-adds");
            const tests::LoopStatistics loop = tests::loop_statistics(code, step.wave, chip);
            if (seen.insert(step.name).second)
                rows.push_back({step.name, code.statistic("VGPRs"), code.statistic("Subgroups per SIMD"), code.statistic("LDS size"),
                                code.statistic("Instructions"), code.statistic("Inverse Throughput"),
                                loop.found ? loop.issue / loop.flop * 1000 : 0});
        }
        if (qEnvironmentVariableIsSet("HEDDLE_ISA_ONLY")) {
            for (const Row& row : rows) std::printf("%s\n", text_of(row).c_str());
            std::fflush(stdout);
        }
        QVERIFY2(broken.isEmpty(), qPrintable(broken.join("\n")));
        if (qEnvironmentVariableIsSet("HEDDLE_ISA_ONLY")) return;
        QVERIFY(rows.size() > 20);
        compare(family.toStdString(), device->driver(), rows);
    }

private:
    void compare(const std::string& family, std::string driver, const std::vector<Row>& rows) {
        std::replace(driver.begin(), driver.end(), ' ', '_');
        const std::string path = std::string(HEDDLE_SOURCE_DIR) + "/tests/isa/" + family + "_" + driver + ".txt";
        std::printf("%s, %s\n%s\n", family.c_str(), driver.c_str(), header().c_str());
        for (const Row& row : rows) std::printf("%s\n", text_of(row).c_str());
        std::fflush(stdout);
        if (qEnvironmentVariableIsSet("HEDDLE_WRITE_ISA")) {
            std::ofstream file(path);
            file << header() << "\n";
            for (const Row& row : rows) file << text_of(row) << "\n";
        }
        const std::map<std::string, Row> known = stored(path);
        if (known.empty()) {
            std::printf("no table of %s for %s: only the rules were checked (HEDDLE_WRITE_ISA=1 writes one)\n", driver.c_str(), family.c_str());
            return;
        }
        QStringList worse;
        for (const Row& row : rows) {
            const auto old = known.find(row.name);
            if (old == known.end()) {
                std::printf("new, HEDDLE_WRITE_ISA=1 adds it to the table: %s\n", row.name.c_str());
                continue;
            }
            const Row& was = old->second;
            if (text_of(was) != text_of(row)) std::printf("was %s\nis  %s\n", text_of(was).c_str(), text_of(row).c_str());
            const bool slower = static_cast<double>(row.instructions) > tolerance * static_cast<double>(was.instructions) ||
                                row.cycles_per_kflop > tolerance * was.cycles_per_kflop + 0.01 || row.waves < was.waves;
            if (slower) worse.append(QString::fromStdString(text_of(was) + "\n    now\n" + text_of(row)));
        }
        QVERIFY2(worse.isEmpty(), qPrintable("worse than the table (HEDDLE_WRITE_ISA=1 takes it as it is):\n" + worse.join("\n")));
    }
};

HEDDLE_TEST(kernels, KernelsTest)
#include "kernels.moc"
