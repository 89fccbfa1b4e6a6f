// heddle slurm-task: what a task of a job array runs. Not for people, but readable as any other command.
#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QSysInfo>
#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "app/cli/cache_option.h"
#include "app/cli/command.h"
#include "app/cli/event_json.h"
#include "app/cli/event_printer.h"
#include "app/cli/interrupt.h"
#include "app/cli/slurm_device.h"
#include "app/cli/slurm_work.h"
#include "app/cli/sweep_ledger.h"
#include "gpu/base/error.h"
#include "gpu/base/switches.h"

namespace app {
namespace {

using gpu::ErrorCode;

// Events as JSON lines that others read while they grow. A full disk does not stop the task: its results say so.
class EventFile {
public:
    explicit EventFile(const std::string& path) : file_(QString::fromStdString(path)) {
        (void)file_.open(QIODevice::Append | QIODevice::Unbuffered);
        clock_.start();
    }

    void write(const char* name, QJsonObject fields) {
        fields["event"] = name;
        append(std::move(fields));
    }

    void write(std::size_t cell, const nodes::Event& event) {
        if (std::holds_alternative<nodes::event::Progress>(event)) {  // a shared file system is no place for every step
            if (clock_.elapsed() < next_progress_) return;
            next_progress_ = clock_.elapsed() + 1000;
        }
        auto fields = event_json(event);
        if (!fields) return;
        (*fields)["cell"] = static_cast<qint64>(cell + 1);
        append(std::move(*fields));
    }

private:
    void append(QJsonObject fields) {
        fields["v"] = 1;
        fields["t"] = static_cast<double>(clock_.elapsed()) / 1000;
        file_.write(QJsonDocument(fields).toJson(QJsonDocument::Compact) + "\n");
    }

    QFile file_;
    QElapsedTimer clock_;
    qint64 next_progress_ = 0;
};

std::uint64_t number(const std::string& text, const char* what) {
    bool ok = false;
    const qulonglong value = QString::fromStdString(text).toULongLong(&ok);
    gpu::check(ok, ErrorCode::Usage, "{}: expected a number, got '{}'", what, text);
    return value;
}

void use_folder(const std::string& folder) {
    std::error_code error;
    std::filesystem::current_path(folder, error);
    gpu::check(!error, ErrorCode::MissingFile, "expected the folder that the sweep was started in on this node too, got {} for {}", error.message(), folder);
}

// The options of the sweep as 'heddle sweep' itself would make them here, on the device that Slurm granted.
nodes::RunOptions run_options_of(const SlurmPlan& plan, nodes::ResultCache& cache) {
    gpu::switches().device = plan.device;
    if (!plan.budget.empty()) gpu::switches().budget = gpu::parse_bytes(plan.budget, "--budget");
    // The cache's stamp names the device that was asked for: before the grant, so that tasks on cards 0 and 1 share results.
    if (!plan.cache_folder.empty())
        if (auto place = cache_place(Arguments({}, {}))) {
            place->folder = plan.cache_folder;
            cache.set_disk(std::make_shared<nodes::DiskCache>(*place));
        }
    if (const auto granted = plan.device.empty() ? granted_device() : std::nullopt) {
        gpu::switches().device = granted->selector;
        std::fprintf(stderr, "device %s: %s\n", granted->selector.c_str(), granted->reason.c_str());
    }
    nodes::RunOptions options;
    options.targets = plan.targets;
    options.output_folder = plan.output_folder;
    options.allowed = plan.allowed;
    options.cache = &cache;
    return options;
}

int run_task(const Arguments& arguments) {
    arguments.expect_count(3, 3, "WORK, SUBMISSION and OFFSET");
    const SignalThread signal_thread;
    const SlurmWork work(arguments.positionals()[0]);
    const std::uint64_t submission = number(arguments.positionals()[1], "SUBMISSION");
    const std::uint64_t task = number(qEnvironmentVariable("SLURM_ARRAY_TASK_ID").toStdString(), "SLURM_ARRAY_TASK_ID");
    const std::uint64_t chunk_number = number(arguments.positionals()[2], "OFFSET") + task;
    auto plan = work.load_plan();
    gpu::check(plan.has_value(), ErrorCode::MissingFile, "expected a sweep in {}, there is none", work.folder());
    const SweepLedger ledger(plan->cells.size(), plan->per_job, 0);
    gpu::check(chunk_number >= 1 && chunk_number <= ledger.chunks(), ErrorCode::BadFile,
               "expected share {} of {} cells in {}, there is no such share", chunk_number, plan->cells.size(), work.folder());
    use_folder(plan->current_folder);

    nodes::ResultCache cache(std::size_t{1} << 30);
    nodes::RunOptions options = run_options_of(*plan, cache);
    const InterruptScope interrupt(options.cancel);
    EventFile events(work.events_path(chunk_number - 1, submission));
    events.write("task", {{"host", QSysInfo::machineHostName()},
                          {"job", qEnvironmentVariable("SLURM_ARRAY_JOB_ID") + "_" + QString::number(task)},
                          {"pid", static_cast<qint64>(QCoreApplication::applicationPid())},
                          {"restarts", qEnvironmentVariable("SLURM_RESTART_COUNT").toInt()}});
    // A task that Slurm started again, or an earlier one that came through after all, may have left some.
    std::set<std::size_t> answered;
    for (const auto& [cell, by] : work.results()) {
        if (ledger.chunk_of(cell) != chunk_number - 1) continue;
        const auto found = work.load(cell, by);
        const bool good = found && found->key == plan->cells[cell].key && found->result.exit_code() == 0 && files_are_there(found->result);
        if (good || (found && by == submission)) answered.insert(cell);
    }

    int status = 0;
    const auto [first, end] = ledger.cells_of(chunk_number - 1);
    for (std::size_t cell = first; cell < end; ++cell) {
        if (answered.contains(cell)) continue;
        events.write("cell_start", {{"cell", static_cast<qint64>(cell + 1)}});
        nodes::RunOptions own = options;
        EventPrinter printer(ProgressStyle::None, false);  // for the log
        own.on_event = [&](const nodes::Event& event) {
            events.write(cell, event);
            printer.print(event);
        };
        Cell ready = plan->cell(cell);
        run_cell(ready, own);
        const nodes::RunResult& result = ready.result;
        if (result.status == nodes::RunStatus::Cancelled) {  // a time limit, scancel: no answer, what is finished is in the cache
            events.write("cancelled", {{"cell", static_cast<qint64>(cell + 1)}});
            return stopped_exit_code(result, std::max(2, interrupt.signal()));
        }
        work.save({cell, submission, plan->cells[cell].key, result});
        events.write("cell_end", {{"cell", static_cast<qint64>(cell + 1)}, {"exit_code", result.exit_code()}});
        if (status == 0) status = result.exit_code();
    }
    return status;
}

}  // namespace

REGISTER_COMMAND(slurm_task, {.name = "slurm-task",
                              .arguments = "WORK SUBMISSION OFFSET",
                              .summary = "Computes a share of a sweep inside of a Slurm job",
                              .help = "What the jobs of --engine slurm run; WORK is their folder. Not meant to be called by hand.",
                              .options = {},
                              .run = run_task})

}  // namespace app
