// Slurm without Slurm: texts that go to its commands and come from them, who goes out again, which device a grant means.
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <cmath>

#include "app/cli/run_result_json.h"
#include "app/cli/slurm_device.h"
#include "app/cli/slurm_text.h"
#include "app/cli/slurm_work.h"
#include "app/cli/sweep_ledger.h"
#include "gpu/base/error.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace app;
using Words = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;
using Places = std::vector<std::size_t>;

QByteArray shell(const QString& script, const QProcessEnvironment& environment = {}) {
    QProcess process;
    process.setProcessEnvironment(environment);
    process.start("/bin/sh", {"-c", script});
    return process.waitForFinished() ? process.readAllStandardOutput() : QByteArray("no answer");
}

gpu::Caps card(int index, const char* pci, const char* uuid, gpu::DeviceType type = gpu::DeviceType::Discrete) {
    gpu::Caps caps;
    caps.index = index;
    caps.pci = pci;
    caps.uuid = uuid;
    caps.type = type;
    caps.software = type == gpu::DeviceType::Cpu;
    return caps;
}

}  // namespace

class SlurmTest : public QObject {
    Q_OBJECT
private slots:
    void words_of_options() {
        QCOMPARE(split_words(" --partition=gpu  -t 1:00:00\n"), (Words{"--partition=gpu", "-t", "1:00:00"}));
        QCOMPARE(split_words("--comment='a \"b\" $HOME' \"c \\\" d\" e\\ f '' g\"h i\"j"), (Words{"--comment=a \"b\" $HOME", "c \" d", "e f", "", "gh ij"}));
        QCOMPARE(split_words(""), Words{});
        QVERIFY_THROWS_EXCEPTION(gpu::Error, split_words("--comment='a"));
    }

    void quoting_survives_the_shell() {
        for (const char* text : {"", "plain", "it's", "a b\tc", "$HOME `id` $(id)", "\"\\\n;&|<>*?[~#!", "'''", "-n", "\xc3\xa4\xe4\xb8\xad"})
            QCOMPARE(shell("printf %s " + QString::fromStdString(shell_quoted(text))), QByteArray(text));
    }

    void job_script_passes_everything_on() {
        QTemporaryDir folder;
        // A program with a terrible name that prints what it was called with.
        const QString program = folder.filePath("he'd $(dle) \"x\"");
        QFile file(program);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("#!/bin/sh\nprintf '[%s]' \"$@\" \"$HEDDLE_X\" \"$OMP_NUM_THREADS\" \"$LP_NUM_THREADS\"\n");
        file.close();
        file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        const std::string script = job_script(program.toStdString(), "/w 'o' $r/k", {{"HEDDLE_X", "a'b\nc"}});
        QFile job(folder.filePath("job.sh"));
        QVERIFY(job.open(QIODevice::WriteOnly));
        job.write(QByteArray::fromStdString(script));
        job.close();
        const QString call = "exec /bin/sh " + QString::fromStdString(shell_quoted(job.fileName().toStdString())) + " 3 1000";
        QProcessEnvironment environment;
        QCOMPARE(shell(call, environment), QByteArray("[slurm-task][/w 'o' $r/k][3][1000][a'b\nc][][]"));
        environment.insert("SLURM_CPUS_ON_NODE", "6");
        QVERIFY(shell(call, environment).endsWith("[6][6]"));
        environment.insert("SLURM_CPUS_PER_TASK", "2");
        QVERIFY(shell(call, environment).endsWith("[2][2]"));
    }

    void ranges_are_short() {
        QCOMPARE(array_spec({1, 2, 3, 7}, 4), std::string("1-3,7%4"));
        QCOMPARE(array_spec({5}), std::string("5"));
        QCOMPARE(array_spec({0, 1, 3, 4, 5, 9, 11}), std::string("0-1,3-5,9,11"));
        QCOMPARE(array_spec({}), std::string());
        QCOMPARE(parse_array_spec("1-3,7%4"), (Numbers{1, 2, 3, 7}));
        QCOMPARE(parse_array_spec("[0-8:4,10]"), (Numbers{0, 4, 8, 10}));
        QCOMPARE(parse_array_spec("18446744073709551614-18446744073709551615"), (Numbers{18446744073709551614u, 18446744073709551615u}));
        for (const char* bad : {"", "a", "3-1", "1-", "1,,2", "0-8:0", "1-3x", "-1", "99999999999999999999", "0-4000000000"})
            QCOMPARE(parse_array_spec(bad), Numbers{});
        for (int bits = 1; bits < 256; ++bits) {
            Numbers numbers;
            for (std::uint64_t i = 0; i < 8; ++i)
                if (bits >> i & 1) numbers.push_back(i);
            QCOMPARE(parse_array_spec(array_spec(numbers, 2)), numbers);
        }
    }

    void patterns_of_log_files() {
        QCOMPARE(*escaped_pattern("/a b/100%A"), std::string("/a b/100%%A"));
        QVERIFY(!escaped_pattern("/a\\b"));
    }

    void reads_squeue() {
        const auto reports = parse_squeue(
            "CLUSTER: east\n"
            "12|3|RUNNING|None|heddle:ab\n"
            "12|[5-6,9%2]|PENDING|Resources|heddle:ab\n"
            "13|N/A|PENDING|Priority|(null)\n"
            "14|1|COMPLETED|None|a|b\n"
            "slurm_load_jobs error: something\n");
        QCOMPARE(reports.size(), std::size_t{5});
        QCOMPARE(reports[0].job, std::string("12"));
        QCOMPARE(reports[0].index, std::uint64_t{3});
        QCOMPARE(reports[0].state, std::string("RUNNING"));
        QCOMPARE(reports[0].reason, std::string());
        QCOMPARE(reports[0].tag, std::string("heddle:ab"));
        QCOMPARE(reports[3].index, std::uint64_t{9});
        QCOMPARE(reports[3].reason, std::string("Resources"));
        QCOMPARE(reports[4].tag, std::string("a|b"));
    }

    void reads_sacct_and_sbatch() {
        const auto reports = parse_sacct("12_3|TIMEOUT\n12_4|CANCELLED by 1000\n12_[5-6]|PENDING\n12_3.batch|CANCELLED\n15|FAILED\n\n");
        QCOMPARE(reports.size(), std::size_t{4});
        QCOMPARE(reports[1].state, std::string("CANCELLED by 1000"));
        QCOMPARE(reports[3].index, std::uint64_t{6});
        QCOMPARE(parse_sbatch("123\n")->job, std::string("123"));
        QCOMPARE(parse_sbatch("welcome to the cluster\n123;east\n")->cluster, std::string("east"));
        QVERIFY(!parse_sbatch("Submitted batch job\n"));
        QVERIFY(!parse_sbatch(""));
        QCOMPARE(parse_max_array_size("MaxArraySize            = 50\nMaxDBDMsgs = 3"), std::uint64_t{50});
        QCOMPARE(parse_max_array_size("MaxArraySize = 0"), std::uint64_t{1001});
        QCOMPARE(parse_max_array_size(""), std::uint64_t{1001});
    }

    void knows_states() {
        for (const char* name : {"PENDING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD", "RESIZING", "SOMETHING_NEW", "RUNNING", "COMPLETING"})
            QVERIFY2(!is_over(task_state(name)), name);
        for (const char* name : {"TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "FAILED"}) QVERIFY2(task_state(name) == TaskState::Failed, name);
        QVERIFY(task_state("CANCELLED by 0") == TaskState::Cancelled);
        QVERIFY(task_state("CANCELLED+") == TaskState::Cancelled);
        QVERIFY(task_state("OUT_OF_MEMORY") == TaskState::OutOfMemory);
        QVERIFY(task_state("COMPLETED") == TaskState::Completed);
    }

    // --- who goes out again ---

    void cells_that_fail_go_out_again() {
        SweepLedger ledger(3, 1, 2);
        QCOMPARE(ledger.due(), (Places{0, 1, 2}));
        for (const std::size_t chunk : {0, 1, 2}) ledger.submitted(chunk, 1);
        QCOMPARE(ledger.due(), Places{});
        QVERIFY(ledger.answered(0, 1, true));
        QVERIFY(!ledger.answered(1, 1, false));
        QCOMPARE(ledger.due(), Places{1});       // while 2 is still out
        QCOMPARE(ledger.active(), Places{2});
        QVERIFY(ledger.answered(2, 1, false, true));  // no other try would help
        ledger.submitted(1, 2);
        QCOMPARE(ledger.retried(), std::size_t{1});
        QVERIFY(!ledger.answered(1, 1, false));  // the old one again: it was counted
        QVERIFY(!ledger.answered(1, 2, false));
        QVERIFY(!ledger.over());
        ledger.submitted(1, 3);
        QVERIFY(ledger.answered(1, 3, false));   // the third try of three
        QVERIFY(ledger.over());
        QCOMPARE(ledger.done(), std::size_t{1});
        QCOMPARE(ledger.failed(), std::size_t{2});
        QCOMPARE(ledger.due(), Places{});
    }

    void a_lost_job_blames_the_cell_that_it_was_at() {
        SweepLedger ledger(5, 3, 1);
        QCOMPARE(ledger.chunks(), std::size_t{2});
        QCOMPARE(ledger.cells_of(1), std::make_pair(std::size_t{3}, std::size_t{5}));
        ledger.submitted(0, 1);
        ledger.submitted(1, 1);
        ledger.answered(0, 1, true);
        QCOMPARE(ledger.lost(0, false), Places{});
        QCOMPARE(ledger.tries(1), 1);
        QCOMPARE(ledger.tries(2), 0);
        QCOMPARE(ledger.due(), Places{0});
        QCOMPARE(ledger.open_cells(0), (Places{1, 2}));
        ledger.submitted(0, 2);
        QCOMPARE(ledger.lost(0, false), Places{1});       // its second loss
        ledger.submitted(0, 3);
        QVERIFY(!ledger.answered(2, 3, false));
        QCOMPARE(ledger.submission_of(0), std::uint64_t{0});  // all that it had was answered
        ledger.submitted(0, 4);
        ledger.released(0);                               // cancelled by us: no try lost
        QCOMPARE(ledger.tries(2), 1);
        ledger.submitted(0, 5);
        QVERIFY(ledger.answered(2, 5, true));
        QCOMPARE(ledger.lost(1, true), (Places{3, 4}));   // cancelled by somebody
        QVERIFY(ledger.over());
        QCOMPARE(ledger.failed(), std::size_t{3});
    }

    void a_chunk_stays_out_until_all_is_answered() {
        SweepLedger ledger(2, 2, 3);
        ledger.submitted(0, 1);
        ledger.answered(0, 1, false);
        QCOMPARE(ledger.due(), Places{});                 // its job computes the second cell now
        ledger.answered(1, 1, true);
        QCOMPARE(ledger.due(), Places{0});
        QCOMPARE(ledger.open_cells(0), Places{0});
        QVERIFY(ledger.answered(0, 1, true));             // a result counts whoever brought it
        QVERIFY(ledger.over());
    }

    // --- what lies in the folder ---

    void results_come_back_bit_by_bit() {
        nodes::RunResult result;
        result.status = nodes::RunStatus::Partial;
        result.failures = {{"save", "file", "no room \"\n", gpu::ErrorCode::Io}};
        result.outputs = {{"s", "/a b/ü.png", (std::uint64_t{1} << 40) + 1, "ab"}};
        result.metrics = {{"m", "x", 0.1 + 0.2, "px"}, {"m", "y", std::nan(""), ""}, {"m", "z", -INFINITY, ""}};
        result.computed = 3;
        QTemporaryDir folder;
        const SlurmWork work(folder.filePath("a b/work").toStdString());
        work.create();
        work.save({4, 2, "key", result});
        QCOMPARE(work.results(), (std::vector<std::pair<std::size_t, std::uint64_t>>{{4, 2}}));
        const auto back = work.load(4, 2);
        QVERIFY(back && back->key == "key");
        QVERIFY(back->result.status == nodes::RunStatus::Partial);
        QVERIFY(back->result.failures[0].code == gpu::ErrorCode::Io);
        QCOMPARE(back->result.failures[0].text(), result.failures[0].text());
        QCOMPARE(back->result.outputs[0].bytes, result.outputs[0].bytes);
        QCOMPARE(back->result.outputs[0].path, result.outputs[0].path);
        QVERIFY(back->result.metrics[0].value == 0.1 + 0.2);
        QVERIFY(std::isnan(back->result.metrics[1].value));
        QVERIFY(back->result.metrics[2].value == -INFINITY);
        QFile damaged(QString::fromStdString(work.path("cells/5.2.json")));
        QVERIFY(damaged.open(QIODevice::WriteOnly));
        damaged.write("{\"v\": 1, \"status\"");
        damaged.close();
        QVERIFY(!work.load(4, 2));
        QVERIFY(!work.load(9, 1));
    }

    void plans_and_submissions_come_back() {
        QTemporaryDir folder;
        const SlurmWork work(folder.path().toStdString());
        QVERIFY(!work.load_plan());
        SlurmPlan plan;
        plan.document = nodes::Document().add_node("value.number", "n").with_path("/x/g.heddle");
        plan.allowed = {"/x"};
        plan.per_job = 4;
        plan.add_cells({{.document = plan.document}, {.document = plan.document.set_param("n", "value", 2.5), .files = {"/a b"}, .folders = {"/c"}}});
        work.save_plan(plan);
        const auto back = work.load_plan();
        QVERIFY(back.has_value());
        QCOMPARE(back->identity(), plan.identity());
        QCOMPARE(back->document.path(), plan.document.path());
        QVERIFY(back->cell(0).document == plan.document);
        QCOMPARE(back->cell(1).document.param("n", "value").toDouble(), 2.5);
        QCOMPARE(back->cell(1).document.path(), plan.document.path());
        QCOMPARE(back->cell(1).files, Words{"/a b"});
        QCOMPARE(back->cell(1).folders, Words{"/c"});
        QVERIFY(plan.cells[0].key != plan.cells[1].key);
        plan.cells[1].key = "d";
        QVERIFY(back->identity() != plan.identity());

        work.add({1, "12", "", 0, {1, 2, 3, 7}, false});
        work.add({2, "15", "east", 1000, {4}, false});
        work.mark_cancelled({{1, "12", "", 0, {}, false}});
        const auto submissions = work.submissions();
        QCOMPARE(submissions.size(), std::size_t{2});
        QCOMPARE(submissions[0].indices, (Numbers{1, 2, 3, 7}));
        QVERIFY(submissions[0].cancelled && !submissions[1].cancelled);
        QCOMPARE(submissions[1].cluster, std::string("east"));
        QCOMPARE(submissions[1].offset, std::uint64_t{1000});

        QFile file(QString::fromStdString(work.path("sweep.json")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("{}");
        file.close();
        QVERIFY_THROWS_EXCEPTION(gpu::Error, work.load_plan());
    }

    void keys_follow_what_a_cell_computes() {
        QTemporaryDir folder;
        const QString picture = folder.filePath("in.png");
        const auto write = [&](const char* text) {
            QFile file(picture);
            return file.open(QIODevice::WriteOnly) && file.write(text) > 0;
        };
        QVERIFY(write("one"));
        SlurmPlan plan;
        plan.document = nodes::Document().add_node("image.load", "l").set_param("l", "file", picture);
        const auto key = [&] {
            SlurmPlan filled = plan;
            filled.add_cells({{.document = plan.document}});
            return filled.cells[0].key;
        };
        const std::string first = key();
        QCOMPARE(key(), first);
        QVERIFY(write("two"));
        QVERIFY(key() != first);  // the file is another one
        QVERIFY(write("one"));
        QCOMPARE(key(), first);
        plan.output_folder = "elsewhere";
        QVERIFY(key() != first);
    }

    // --- devices ---

    void grants_lead_to_devices() {
        const std::vector<gpu::Caps> devices{card(0, "", "00", gpu::DeviceType::Cpu), card(1, "0000:81:00.0", "bbbb0000"), card(2, "0000:41:00.0", "aaaa0000")};
        // The driver's numbers run against the addresses, as they may.
        const std::vector<NvidiaCard> cards{{1, "0000:41:00.0", "GPU-aaaa-0000"}, {0, "0000:81:00.0", "GPU-bbbb-0000"}};
        const auto selected = [&](const std::map<std::string, std::string>& environment, const std::vector<NvidiaCard>& known) {
            const auto device = granted_device(environment, devices, known);
            return device ? device->selector : std::string("none");
        };
        QCOMPARE(selected({}, cards), std::string("none"));
        QCOMPARE(selected({{"SLURM_JOB_GPUS", "0"}}, cards), std::string("1"));
        QCOMPARE(selected({{"SLURM_JOB_GPUS", "1"}}, cards), std::string("2"));
        QCOMPARE(selected({{"SLURM_JOB_GPUS", "0,1"}, {"SLURM_STEP_GPUS", "1"}}, cards), std::string("2"));
        QCOMPARE(selected({{"SLURM_JOB_GPUS", "0"}}, {}), std::string("2"));   // by place: the lowest address
        QCOMPARE(selected({{"SLURM_JOB_GPUS", "1"}}, {}), std::string("1"));
        QCOMPARE(selected({{"SLURM_JOB_GPUS", "6"}, {"CUDA_VISIBLE_DEVICES", "1"}}, {}), std::string("1"));
        QCOMPARE(selected({{"SLURM_JOB_GPUS", "6"}}, {}), std::string("2"));
        QCOMPARE(selected({{"CUDA_VISIBLE_DEVICES", "GPU-BBBB"}}, cards), std::string("1"));
        QCOMPARE(selected({{"ROCR_VISIBLE_DEVICES", "GPU-aaaa0000"}}, {}), std::string("2"));
        QCOMPARE(selected({{"CUDA_VISIBLE_DEVICES", "NoDevFiles"}}, cards), std::string("cpu"));
        QCOMPARE(selected({{"CUDA_VISIBLE_DEVICES", ""}}, cards), std::string("none"));
        // Control groups hide the others: what is left is what was granted, whatever its number.
        const std::vector<gpu::Caps> one{devices[0], devices[1]};
        QCOMPARE(granted_device({{"SLURM_JOB_GPUS", "5"}}, one, {})->selector, std::string("1"));
        const std::vector<gpu::Caps> processor{devices[0]};
        QVERIFY(!granted_device({{"SLURM_JOB_GPUS", "0"}}, processor, {}));
    }

    void reads_nvidias_list() {
        QTemporaryDir folder;
        for (const auto& [pci, text] : {std::pair{"0000:81:00.0", "Model: \t\t NVIDIA A100\nGPU UUID: \t GPU-bbbb\nBus Location: \t 0000:81:00.0\nDevice Minor: \t 0\n"},
                                        std::pair{"0000:41:00.0", "GPU UUID: \t GPU-????????\nDevice Minor: \t 3\n"}, std::pair{"0000:91:00.0", ""}}) {
            QVERIFY(QDir(folder.path()).mkdir(pci));
            QFile file(folder.filePath(QString(pci) + "/information"));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(text);
        }
        const auto cards = nvidia_cards(folder.path().toStdString());
        QCOMPARE(cards.size(), std::size_t{3});
        QCOMPARE(cards[0].pci, std::string("0000:41:00.0"));
        QCOMPARE(cards[0].minor, 3);
        QCOMPARE(cards[0].uuid, std::string());
        QCOMPARE(cards[1].minor, 0);
        QCOMPARE(cards[1].uuid, std::string("GPU-bbbb"));
        QCOMPARE(cards[2].minor, -1);
        QVERIFY(nvidia_cards("/nowhere").empty());
    }
};

}  // namespace tests

using tests::SlurmTest;
HEDDLE_TEST(slurm, SlurmTest)
#include "slurm.moc"
