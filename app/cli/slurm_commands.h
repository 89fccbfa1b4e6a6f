// Slurm's commands as functions. No shell is involved: every argument arrives as it is.
#pragma once

#include <string>
#include <vector>

#include "app/cli/slurm_text.h"

namespace app {

class SlurmCommands {
public:
    // Throws gpu::Error{MissingFile} where sbatch, squeue or scancel are not on the PATH.
    SlurmCommands();

    // Throws gpu::Error{Failure} with what sbatch said.
    SubmittedJob submit(const std::vector<std::string>& arguments) const;

    // Where all tasks of these jobs are that Slurm still knows; those it has forgotten are left out (minutes after their end).
    // Throws gpu::Error{Failure} where Slurm does not answer.
    std::vector<TaskReport> tasks(const std::vector<std::string>& jobs, const std::string& cluster) const;
    // How tasks of a job ended, where the site keeps accounts, else nothing.
    std::vector<TaskReport> ended(const std::string& job, const std::string& cluster) const;
    // Ends all tasks of the jobs. Returns what scancel complained of, empty for nothing.
    std::string cancel(const std::vector<std::string>& jobs, const std::string& cluster) const;

    std::uint64_t max_array_size() const;
};

}  // namespace app
