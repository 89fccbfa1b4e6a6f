// The folder through which 'sweep --engine slurm' and its jobs speak; all of them must see it under the same name.
//
//     sweep.json                    what is to be computed, written once before the first job
//     job.sh                        what every task runs
//     submissions.jsonl             a line for every job that went out
//     cells/CELL.SUBMISSION.json    the result of a cell, written whole or not at all
//     events/CHUNK.SUBMISSION.jsonl what a task tells while it works, a JSON object a line
//     log/JOB_TASK.txt              what a task printed
#pragma once

#include <QJsonObject>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/cells.h"

namespace app {

// A cell as it goes out.
struct PlannedCell {
    QJsonObject changes;               // nodes and subgraphs of its document that differ from the plan's, as a file has them
    std::vector<std::string> files;    // that it may read and write, beside those of all
    std::vector<std::string> folders;  // to be made before it runs
    std::string key;                   // its document, its input files and this build: what a result belongs to
};

// What is to be computed: all that a task needs to know, and nothing of how it is handed out but the size of the shares.
struct SlurmPlan {
    nodes::Document document;  // with the values of --set
    std::vector<PlannedCell> cells;
    std::vector<std::string> targets;
    std::string output_folder;
    std::vector<std::string> allowed;
    std::string current_folder;  // relative files to write start there
    std::string cache_folder;    // empty: nothing is kept
    std::string device;          // as --device says; empty: what Slurm grants
    std::string budget;          // as --budget says
    std::uint64_t per_job = 1;   // cells

    // 32 hex digits that tell one sweep from another. Jobs carry it as their comment.
    std::string identity() const;
    // Puts cells in, after everything else is set. Documents of cells have the nodes of the plan's.
    void add_cells(const std::vector<Cell>& made);
    // A cell ready to run.
    Cell cell(std::size_t index) const;
};

// A cell's result as it lies in the folder.
struct CellResult {
    std::size_t cell = 0;
    std::uint64_t submission = 0;
    std::string key;
    nodes::RunResult result;
};

struct Submission {
    std::uint64_t number = 0;     // from 1
    std::string job;              // of the array
    std::string cluster;          // empty: the usual one
    std::uint64_t offset = 0;     // task index + offset = chunk + 1
    std::vector<std::uint64_t> indices;
    bool cancelled = false;       // by us: its tasks end without blame
};

class SlurmWork {
public:
    explicit SlurmWork(std::string folder);  // made absolute
    const std::string& folder() const { return folder_; }
    std::string path(const std::string& name) const;
    std::string events_path(std::size_t chunk, std::uint64_t submission) const;

    // Makes the folder. Throws gpu::Error{Io}.
    void create() const;
    void save_plan(const SlurmPlan& plan) const;
    // Nothing where there is none. Throws gpu::Error{BadFile} for a file that is no plan.
    std::optional<SlurmPlan> load_plan() const;

    void add(const Submission& submission) const;
    void mark_cancelled(const std::vector<Submission>& submissions) const;
    std::vector<Submission> submissions() const;  // damaged lines are left out

    void save(const CellResult& result) const;
    std::optional<CellResult> load(std::size_t cell, std::uint64_t submission) const;  // nothing where it is absent or damaged
    // The results that are there by name, (cell, submission).
    std::vector<std::pair<std::size_t, std::uint64_t>> results() const;

private:
    void append_line(const QJsonObject& line) const;  // to submissions.jsonl

    std::string folder_;
};

// Whether the files that a run wrote are still there in the size that it wrote.
bool files_are_there(const nodes::RunResult& result);

}  // namespace app
