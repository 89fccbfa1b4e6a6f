#include "app/cli/slurm_engine.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QLockFile>
#include <QProcessEnvironment>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "app/cli/cache_option.h"
#include "app/cli/slurm_commands.h"
#include "app/cli/slurm_events.h"
#include "app/cli/slurm_work.h"
#include "app/cli/sweep_ledger.h"
#include "gpu/base/error.h"
#include "gpu/base/hash.h"
#include "gpu/base/switches.h"
#include "gpu/io/atomic_file.h"
#include "nodes/core/validate.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using gpu::Error;
using gpu::ErrorCode;
using gpu::format;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A wait that grows while nothing happens, so that a long sweep asks Slurm and the file system seldom.
class Pace {
public:
    Pace(int first_ms, int last_ms) : first_(first_ms), last_(last_ms) { hurry(); }
    void hurry() { wait_ = first_, next_ = Clock::now(); }
    void hurry_within(milliseconds wait) { next_ = std::min(next_, Clock::now() + wait); }
    bool due() {
        if (Clock::now() < next_) return false;
        next_ = Clock::now() + milliseconds(wait_);
        wait_ = std::min(last_, wait_ + wait_ / 4);
        return true;
    }

private:
    int first_, last_, wait_ = 0;
    Clock::time_point next_;
};

// A result that Slurm's files may hold back for a moment after the task is over.
constexpr auto grace = std::chrono::seconds(4);

std::uint64_t count_of(const Arguments& arguments, const char* option, std::uint64_t otherwise, std::uint64_t least) {
    const auto text = arguments.value(option);
    if (!text) return otherwise;
    bool ok = false;
    const qulonglong value = QString::fromStdString(*text).toULongLong(&ok);
    gpu::check(ok && value >= least && value <= 1000000, ErrorCode::Usage, "{}: expected a number from {} to 1000000, got '{}'", option, least, *text);
    return value;
}

// Options that this engine sets itself, or that make sbatch answer otherwise.
std::vector<std::string> words_for_sbatch(const Arguments& arguments) {
    std::vector<std::string> words;
    for (const std::string& text : arguments.values("--slurm"))
        for (std::string& word : split_words(text)) {
            const std::string name = word.substr(0, word.find('='));
            for (const char* own : {"--array", "-a", "--wrap", "--wait", "-W", "--test-only", "--comment", "--parsable", "--quiet", "-Q"})
                gpu::check(name != own && !(own[1] == 'a' && name.starts_with("-a")), ErrorCode::Usage, "--slurm: expected no {}, which this engine sets itself", name);
            words.push_back(std::move(word));
        }
    return words;
}

std::string stem_of(const nodes::Document& document) {
    const std::string stem = fs::path(document.path()).stem().string();
    return stem.empty() ? "graph" : stem;
}

SlurmPlan make_plan(const Arguments& arguments, const RunSetup& setup, const std::vector<Cell>& cells) {
    SlurmPlan plan{.document = setup.document, .cells = {}, .targets = setup.options.targets, .output_folder = setup.options.output_folder,
                   .allowed = setup.options.allowed, .current_folder = fs::current_path().string(), .cache_folder = {}, .device = gpu::switches().device,
                   .budget = arguments.value("--budget").value_or(""), .per_job = count_of(arguments, "--cells-per-job", 1, 1)};
    if (const auto place = arguments.has("--no-cache") ? std::nullopt : cache_place(arguments)) plan.cache_folder = fs::absolute(place->folder).string();
    plan.add_cells(cells);
    return plan;
}

// The same command on the same graph has the same folder.
std::string usual_folder(const SlurmPlan& plan) {
    gpu::Hasher hasher;
    hasher.add(plan.document.path()).add(plan.document.to_json().toStdString()).add(plan.output_folder);
    for (const std::string& target : plan.targets) hasher.add(target);
    for (const PlannedCell& cell : plan.cells) hasher.add(QJsonDocument(cell.changes).toJson(QJsonDocument::Compact).toStdString());
    return stem_of(plan.document) + ".slurm-" + hasher.finish().hex().substr(0, 8);
}

std::map<std::string, std::string> switches_of_environment() {
    std::map<std::string, std::string> found;
    const QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const QString& name : environment.keys())
        if (name.startsWith("HEDDLE_")) found[name.toStdString()] = environment.value(name).toStdString();
    return found;
}

// Whether another try would end the same way: wrong usage, an invalid graph, a missing or damaged file, numbers gone wrong.
bool is_final(const nodes::RunResult& result) {
    if (result.status == nodes::RunStatus::Invalid) return true;
    const ErrorCode code = result.failures.empty() ? ErrorCode::Failure : result.failures.front().code;
    return code == ErrorCode::Usage || code == ErrorCode::InvalidGraph || code == ErrorCode::MissingFile || code == ErrorCode::BadFile || code == ErrorCode::Numeric;
}

std::string text_of(const nodes::RunResult& result) {
    return result.failures.empty() ? std::string(nodes::to_string(result.status)) : result.failures.front().text();
}

class SlurmSweep {
public:
    SlurmSweep(const Arguments& arguments, const RunSetup& setup, std::vector<Cell>& cells, const std::function<void(std::size_t)>& finished)
        : setup_(setup), cells_(cells), finished_(finished), words_(words_for_sbatch(arguments)),
          max_parallel_(count_of(arguments, "--max-parallel", 0, 1)), plan_(make_plan(arguments, setup, cells)),
          work_(arguments.value("--work").value_or(usual_folder(plan_))), tag_("heddle:" + plan_.identity()),
          ledger_(cells.size(), plan_.per_job, static_cast<int>(count_of(arguments, "--retries", 2, 0))), lock_(QString::fromStdString(work_.path("lock"))),
          printer_(progress_style(arguments), arguments.has("--json")), events_(work_) {}

    bool run() {
        open_folder();
        take_invalid_cells();
        take_earlier_results();
        while (!ledger_.over()) {
            if (setup_.options.cancel.cancelled()) return cancel();
            submit();
            bool news = results_.due() && take_results();
            if (queue_.due()) news |= take_tasks();
            if (news) results_.hurry();
            tell();
            std::this_thread::sleep_for(milliseconds(50));
        }
        printer_.clear();
        return true;
    }

private:
    // --- the folder and what an earlier call left there ---

    void open_folder() {
        work_.create();
        lock_.setStaleLockTime(0);
        gpu::check(lock_.tryLock(0), ErrorCode::Failure, "--work: another heddle is at work in {}; where there is none any more, remove {}", work_.folder(),
                   work_.path("lock"));
        const auto stored = work_.load_plan();
        const std::string stored_tag = stored ? "heddle:" + stored->identity() : "";
        for (const Submission& s : work_.submissions()) {
            next_submission_ = std::max(next_submission_, s.number + 1);
            known_[s.number] = s;
        }
        const auto live = stored ? live_tasks(stored_tag) : std::map<std::uint64_t, std::vector<std::uint64_t>>();
        if (stored_tag != tag_) {
            std::string jobs;
            for (const auto& [number, indices] : live) jobs += " " + known_[number].job;
            gpu::check(live.empty(), ErrorCode::Usage, "--work: jobs of another sweep still use {}; end them (scancel{}) or choose another folder", work_.folder(), jobs);
            work_.save_plan(plan_);
        }
        for (const auto& [number, indices] : live)
            for (const std::uint64_t index : indices) ledger_.submitted(known_[number].offset + index - 1, number);
        gpu::write_file(work_.path("job.sh"), job_script(QCoreApplication::applicationFilePath().toStdString(), work_.folder(), switches_of_environment()));
    }

    // The array indices by submission that Slurm still has to compute.
    std::map<std::uint64_t, std::vector<std::uint64_t>> live_tasks(const std::string& tag) const {
        std::map<std::uint64_t, std::vector<std::uint64_t>> live;
        std::map<std::string, std::vector<std::string>> jobs;  // by cluster
        for (const auto& [number, s] : known_) jobs[s.cluster].push_back(s.job);
        for (const auto& [cluster, names] : jobs)
            for (const TaskReport& report : commands_.tasks(names, cluster)) {
                if (is_over(task_state(report.state)) || report.tag != tag) continue;  // numbers of jobs begin anew some day
                for (const auto& [number, s] : known_)
                    if (s.job == report.job && s.cluster == cluster) live[number].push_back(report.index);
            }
        return live;
    }

    // A document that can not run needs no job to say so.
    void take_invalid_cells() {
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            if (!nodes::has_errors(nodes::validate(cells_[i].document, setup_.options.targets))) continue;
            cells_[i].result = nodes::run(cells_[i].document, setup_.options);
            if (ledger_.answered(i, 0, false, true)) finished_(i);
        }
    }

    void take_earlier_results() {
        std::vector<std::pair<std::size_t, std::uint64_t>> names = work_.results();
        std::ranges::sort(names);
        for (const auto& [cell, submission] : names) {
            const bool out = cell < cells_.size() && ledger_.submission_of(ledger_.chunk_of(cell)) == submission;
            if (out) continue;  // take_results() is about to see it
            seen_.emplace(cell, submission);
            if (cell >= cells_.size() || ledger_.is_done(cell)) continue;
            auto found = work_.load(cell, submission);
            if (found && found->key == plan_.cells[cell].key && found->result.exit_code() == 0 && files_are_there(found->result)) accept(*found);
        }
    }

    // --- out ---

    void submit() {
        const std::vector<std::size_t> due = ledger_.due();
        if (due.empty() || Clock::now() < next_try_) return;
        // A retry while others run would go beyond what --max-parallel allows: each array counts for itself.
        if (max_parallel_ > 0 && !ledger_.active().empty()) return;
        if (largest_index_ == 0) largest_index_ = commands_.max_array_size() - 1;
        for (std::size_t i = 0; i < due.size();) {
            Submission s{.number = next_submission_, .job = {}, .cluster = {}, .offset = due[i] / largest_index_ * largest_index_, .indices = {}, .cancelled = false};
            for (; i < due.size() && due[i] < s.offset + largest_index_; ++i) s.indices.push_back(due[i] - s.offset + 1);
            if (!submit(s) || max_parallel_ > 0) return;
        }
    }

    bool submit(Submission& s) {
        const auto log = escaped_pattern(work_.path("log"));
        std::vector<std::string> arguments{"--job-name=heddle-" + stem_of(plan_.document), "--output=" + (log ? *log + "/%A_%a.txt" : "/dev/null"), "--open-mode=append"};
        arguments.insert(arguments.end(), words_.begin(), words_.end());
        for (const std::string& word : {"--array=" + array_spec(s.indices, max_parallel_), "--comment=" + tag_, work_.path("job.sh"), std::to_string(s.number),
                                        std::to_string(s.offset)})
            arguments.push_back(word);
        try {
            const SubmittedJob job = commands_.submit(arguments);
            s.job = job.job;
            s.cluster = job.cluster;
        } catch (const Error& error) {
            // A limit on jobs, a controller that restarts: what is out goes on meanwhile.
            if (ledger_.active().empty()) throw;
            printer_.warn(format("{}; trying again", error.message()));
            next_try_ = Clock::now() + std::chrono::seconds(30);
            return false;
        }
        work_.add(s);
        ++next_submission_;
        known_[s.number] = s;
        for (const std::uint64_t index : s.indices) ledger_.submitted(s.offset + index - 1, s.number);
        printer_.submitted(s.job, array_spec(s.indices, max_parallel_));
        results_.hurry();
        queue_.hurry();
        return true;
    }

    // --- in ---

    bool take_results() {
        bool news = false;
        for (const auto& name : work_.results()) {
            if (name.first >= cells_.size() || seen_.contains(name)) continue;
            const auto found = work_.load(name.first, name.second);
            if (!found) continue;  // not whole yet for this machine
            seen_.insert(name);
            if (found->key != plan_.cells[name.first].key) continue;
            accept(*found);
            news = true;
        }
        return news;
    }

    void accept(const CellResult& found) {
        const bool ok = found.result.exit_code() == 0;
        if (ok && ledger_.is_failed(found.cell)) return;  // too late: it was told already
        if (ledger_.answered(found.cell, found.submission, ok, is_final(found.result))) {
            cells_[found.cell].result = found.result;
            printer_.clear();
            finished_(found.cell);
        } else if (!ok) {
            printer_.retry(found.cell, ledger_.tries(found.cell), text_of(found.result));
        }
    }

    bool take_tasks() {
        std::map<std::string, std::set<std::string>> jobs;  // by cluster
        for (const std::size_t chunk : ledger_.active()) {
            const Submission& s = known_[ledger_.submission_of(chunk)];
            jobs[s.cluster].insert(s.job);
        }
        std::map<std::pair<std::string, std::uint64_t>, TaskReport> reports;
        try {
            for (const auto& [cluster, names] : jobs)
                for (TaskReport& report : commands_.tasks({names.begin(), names.end()}, cluster)) reports[{report.job, report.index}] = std::move(report);
            unanswered_ = 0;
        } catch (const Error& error) {  // a controller that restarts
            if (++unanswered_ > 20) throw;
            printer_.warn(format("{}; trying again", error.message()));
            return false;
        }
        bool news = false;
        running_ = waiting_ = 0;
        reason_.clear();
        for (const std::size_t chunk : ledger_.active()) {
            const Submission& s = known_[ledger_.submission_of(chunk)];
            const auto at = reports.find({s.job, chunk + 1 - s.offset});
            const TaskState state = at == reports.end() ? TaskState::Completed : task_state(at->second.state);
            if (!is_over(state)) {
                gone_.erase(chunk);
                ++(state == TaskState::Running ? running_ : waiting_);
                if (state == TaskState::Waiting && reason_.empty()) reason_ = at->second.reason;
                continue;
            }
            const auto since = gone_.try_emplace(chunk, Clock::now()).first->second;
            queue_.hurry_within(milliseconds(500));
            if (Clock::now() - since < grace) continue;
            gone_.erase(chunk);
            news |= take_results();
            if (ledger_.submission_of(chunk) == s.number) lose(chunk, s, at == reports.end() ? "" : at->second.state), news = true;
        }
        return news;
    }

    void lose(std::size_t chunk, const Submission& s, std::string state) {
        if (s.cancelled) return ledger_.released(chunk);
        const std::uint64_t index = chunk + 1 - s.offset;
        if (state.empty())
            for (const TaskReport& report : commands_.ended(s.job, s.cluster))
                if (report.index == index) state = report.state;
        const TaskState how = state.empty() ? TaskState::Failed : task_state(state);
        const std::string log = last_line(work_.path(format("log/{}_{}.txt", s.job, index)));
        nodes::RunResult result;
        result.status = nodes::RunStatus::Failed;
        result.failures.push_back({"", "", format("job {}_{} ended without a result ({}){}", s.job, index, state.empty() ? "Slurm knows no reason" : state, log.empty() ? "" : ": " + log),
                                   how == TaskState::OutOfMemory ? ErrorCode::OutOfMemory : ErrorCode::Failure});
        const std::vector<std::size_t> open = ledger_.open_cells(chunk), failed = ledger_.lost(chunk, how == TaskState::Cancelled);
        printer_.clear();
        for (const std::size_t cell : failed) {
            cells_[cell].result = result;
            finished_(cell);
        }
        if (failed.empty() && !open.empty()) printer_.retry(open.front(), ledger_.tries(open.front()), text_of(result));
    }

    void tell() {
        if (!printer_.wants_progress()) return;
        std::vector<std::pair<std::size_t, std::uint64_t>> active;
        for (const std::size_t chunk : ledger_.active()) active.emplace_back(chunk, ledger_.submission_of(chunk));
        const SweepProgress now{cells_.size(), ledger_.done(), ledger_.failed(), ledger_.retried(), running_, waiting_, reason_};
        printer_.progress(now, events_.read(active));
    }

    bool cancel() {
        printer_.clear();
        std::map<std::string, std::set<std::string>> jobs;  // by cluster
        std::set<std::uint64_t> numbers;
        for (const std::size_t chunk : ledger_.active()) numbers.insert(ledger_.submission_of(chunk));
        std::vector<Submission> out;
        for (const std::uint64_t number : numbers) out.push_back(known_[number]), jobs[known_[number].cluster].insert(known_[number].job);
        work_.mark_cancelled(out);
        for (const auto& [cluster, names] : jobs)
            if (const std::string complaint = commands_.cancel({names.begin(), names.end()}, cluster); !complaint.empty()) printer_.warn(complaint);
        std::fprintf(stderr, "heddle: cancelled; %zu of %zu cells are done, the same command goes on from here\n", ledger_.done(), cells_.size());
        return false;
    }

    const SlurmCommands commands_;
    const RunSetup& setup_;
    std::vector<Cell>& cells_;
    const std::function<void(std::size_t)>& finished_;
    const std::vector<std::string> words_;
    const std::uint64_t max_parallel_;  // 0: as many as Slurm likes
    const SlurmPlan plan_;
    const SlurmWork work_;
    const std::string tag_;  // comment of our jobs
    SweepLedger ledger_;
    QLockFile lock_;
    SweepPrinter printer_;
    SlurmEvents events_;

    std::map<std::uint64_t, Submission> known_;
    std::uint64_t next_submission_ = 1, largest_index_ = 0;
    Clock::time_point next_try_{};
    std::set<std::pair<std::size_t, std::uint64_t>> seen_;  // results that were read
    std::map<std::size_t, Clock::time_point> gone_;         // chunks whose task is over without all results
    Pace results_{200, 3000}, queue_{1000, 15000};
    std::size_t running_ = 0, waiting_ = 0;
    std::string reason_;
    int unanswered_ = 0;
};

}  // namespace

std::vector<Option> engine_options() {
    return {{"--engine", "NAME", "local, or slurm: runs as tasks of a job array"},
            {"--slurm", "OPTIONS", "Options for sbatch: \"--partition=gpu --gres=gpu:1 --time=1:00:00\"", "", true},
            {"--work", "DIR", "Folder that heddle and its jobs share; by default in the current one, by graph and values"},
            {"--retries", "N", "Further tries after a failure, a time limit or a lost node (2)"},
            {"--max-parallel", "N", "Tasks at a time (as many as Slurm likes)"},
            {"--cells-per-job", "K", "Runs that one task computes in turn, with models kept in memory (1)"}};
}

bool wants_slurm(const Arguments& arguments) {
    if (arguments.choice("--engine", {"local", "slurm"}) == "slurm") return true;
    for (const char* option : {"--slurm", "--work", "--retries", "--max-parallel", "--cells-per-job"})
        gpu::check(!arguments.has(option), ErrorCode::Usage, "{}: expected --engine slurm with it", option);
    return false;
}

bool compute_on_slurm(const Arguments& arguments, const RunSetup& setup, std::vector<Cell>& cells, const std::function<void(std::size_t)>& finished) {
    return SlurmSweep(arguments, setup, cells, finished).run();
}

}  // namespace app
