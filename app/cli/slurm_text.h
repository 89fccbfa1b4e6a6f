// The texts that go to and come from Slurm's commands, apart from running them: lists of array indices, the job script, quoting,
// and what squeue, sacct and sbatch print.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace app {

// Words as a shell splits them (blanks, '...', "...", \), without anything that a shell would run or replace: "$HOME" stays.
// Throws gpu::Error{Usage} for a quote that does not end.
std::vector<std::string> split_words(const std::string& text);

// One word for sh, whatever it holds: it's -> 'it'\''s'.
std::string shell_quoted(const std::string& text);

// {1, 2, 3, 7} -> "1-3,7"; with `most` above 0 "1-3,7%4": at most four at a time. The indices ascend.
std::string array_spec(const std::vector<std::uint64_t>& indices, std::uint64_t most = 0);
// The reverse, also for a step ("0-8:4") and with the brackets that squeue writes; anything else gives nothing. At most `limit` indices.
std::vector<std::uint64_t> parse_array_spec(const std::string& text, std::size_t limit = 1000000);

// A file name for sbatch --output, in which % has a meaning. Nothing where it can not be written: with a backslash.
std::optional<std::string> escaped_pattern(const std::string& path);

// What every task of a job array runs: `program` slurm-task `work` SUBMISSION OFFSET, with as many threads as processors were
// granted, and these environment variables.
std::string job_script(const std::string& program, const std::string& work, const std::map<std::string, std::string>& environment);

// The states of Slurm that matter here.
enum class TaskState {
    Waiting,    // or suspended, stopped, held, requeued
    Running,
    Completed,
    Failed,     // NODE_FAIL, TIMEOUT, PREEMPTED, BOOT_FAIL and others too: another try may end well
    OutOfMemory,
    Cancelled,  // by somebody; nobody wants another try
};

// "TIMEOUT", "CANCELLED by 1000", "COMPLETING". An unknown one counts as waiting, so that newer states wait for a known one.
TaskState task_state(const std::string& name);
bool is_over(TaskState state);

struct TaskReport {
    std::string job;          // of the array
    std::uint64_t index = 0;  // in it
    std::string state;        // as Slurm names it
    std::string reason;       // why it waits, may be empty
    std::string tag;          // the comment that it was submitted with, may be empty
};

// What squeue_format makes squeue print. Lines of another form are left out.
inline constexpr const char* squeue_format = "%F|%K|%T|%r|%k";
std::vector<TaskReport> parse_squeue(const std::string& text);

// sacct --parsable2 with these fields, "12_3|TIMEOUT". Lines of another form (steps, single jobs) are left out.
inline constexpr const char* sacct_fields = "JobID,State";
std::vector<TaskReport> parse_sacct(const std::string& text);

struct SubmittedJob {
    std::string job;
    std::string cluster;  // empty: the usual one
};
// What sbatch --parsable prints: "123" or "123;cluster", after any other lines.
std::optional<SubmittedJob> parse_sbatch(const std::string& text);

// MaxArraySize in what 'scontrol show config' prints; Slurm's own default where it is not there. Indices are below it.
std::uint64_t parse_max_array_size(const std::string& text);

}  // namespace app
