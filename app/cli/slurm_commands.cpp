#include "app/cli/slurm_commands.h"

#include <unistd.h>

#include <QProcess>
#include <QStandardPaths>

#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::ErrorCode;

constexpr int patience_ms = 120000;  // a busy controller takes its time

struct Answer {
    int status = -1;
    std::string out, errors;
};

// Variables of a job that we may run in ourselves would count as those of the new one: SLURM_CPUS_PER_TASK and others are only set
// where they are asked for. What names the cluster stays.
QProcessEnvironment environment() {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const QString& name : environment.keys())
        if (name.startsWith("SLURM_") && name != "SLURM_CONF" && name != "SLURM_CONF_SERVER" && name != "SLURM_CLUSTERS" && name != "SLURM_JWT")
            environment.remove(name);
    for (const char* name : {"SBATCH_ARRAY_INX", "SBATCH_WAIT", "SBATCH_TEST_ONLY", "SQUEUE_FORMAT", "SQUEUE_FORMAT2", "SQUEUE_STATES", "SQUEUE_PARTITION",
                             "SQUEUE_USERS", "SQUEUE_NAMES", "SQUEUE_ACCOUNT", "SQUEUE_QOS", "SQUEUE_LICENSES", "SQUEUE_SORT",
                             "SCANCEL_INTERACTIVE", "SCANCEL_STATE", "SCANCEL_NAME", "SCANCEL_PARTITION", "SCANCEL_QOS", "SCANCEL_USER"})
        environment.remove(name);
    return environment;
}

Answer call(const char* program, const std::vector<std::string>& arguments) {
    QProcess process;
    QStringList words;
    for (const std::string& argument : arguments) words << QString::fromStdString(argument);
    process.setProcessEnvironment(environment());
    process.setStandardInputFile(QProcess::nullDevice());
    process.setChildProcessModifier([] { setsid(); });  // Ctrl-C is for us: half a submission helps nobody
    process.start(program, words);
    if (!process.waitForStarted(patience_ms)) return {-1, {}, gpu::format("{} does not start", program)};
    if (!process.waitForFinished(patience_ms)) {
        process.kill();
        process.waitForFinished(1000);
        return {-1, {}, gpu::format("{} gave no answer in {} s", program, patience_ms / 1000)};
    }
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAllStandardOutput().toStdString(),
            process.readAllStandardError().trimmed().toStdString()};
}

std::string joined(const std::vector<std::string>& items) {
    std::string text;
    for (const std::string& item : items) text += (text.empty() ? "" : ",") + item;
    return text;
}

void add_cluster(std::vector<std::string>& arguments, const std::string& cluster) {
    if (!cluster.empty()) arguments.push_back("--clusters=" + cluster);
}

}  // namespace

SlurmCommands::SlurmCommands() {
    for (const char* name : {"sbatch", "squeue", "scancel"})
        gpu::check(!QStandardPaths::findExecutable(name).isEmpty(), ErrorCode::MissingFile,
                   "--engine slurm: expected Slurm's command {} on the PATH, there is none; run this where jobs are submitted", name);
}

SubmittedJob SlurmCommands::submit(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words{"--parsable"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Answer answer = call("sbatch", words);
    const auto job = answer.status == 0 ? parse_sbatch(answer.out) : std::nullopt;
    gpu::check(job.has_value(), ErrorCode::Failure, "sbatch: expected a job to be taken, got: {}", answer.errors.empty() ? answer.out : answer.errors);
    return *job;
}

std::vector<TaskReport> SlurmCommands::tasks(const std::vector<std::string>& jobs, const std::string& cluster) const {
    std::vector<std::string> words{"--noheader", "--array", "--states=all", std::string("--format=") + squeue_format, "--jobs=" + joined(jobs)};
    add_cluster(words, cluster);
    const Answer answer = call("squeue", words);
    // squeue calls a job that is long over invalid.
    const bool forgotten = answer.errors.find("Invalid job id") != std::string::npos;
    gpu::check(answer.status == 0 || forgotten, ErrorCode::Failure, "squeue: expected the states of jobs {}, got: {}", joined(jobs), answer.errors);
    return parse_squeue(answer.out);
}

std::vector<TaskReport> SlurmCommands::ended(const std::string& job, const std::string& cluster) const {
    if (QStandardPaths::findExecutable("sacct").isEmpty()) return {};
    std::vector<std::string> words{"--noheader", "--parsable2", "--allocations", std::string("--format=") + sacct_fields, "--jobs=" + job};
    add_cluster(words, cluster);
    return parse_sacct(call("sacct", words).out);
}

std::string SlurmCommands::cancel(const std::vector<std::string>& jobs, const std::string& cluster) const {
    std::vector<std::string> words{"--quiet"};
    add_cluster(words, cluster);
    words.insert(words.end(), jobs.begin(), jobs.end());
    return call("scancel", words).errors;
}

std::uint64_t SlurmCommands::max_array_size() const {
    if (QStandardPaths::findExecutable("scontrol").isEmpty()) return parse_max_array_size("");
    return parse_max_array_size(call("scontrol", {"show", "config"}).out);
}

}  // namespace app
