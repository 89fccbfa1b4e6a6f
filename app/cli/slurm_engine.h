// --engine slurm: the cells of a sweep, or the runs of heddle run, as tasks of job arrays.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/cli/cells.h"
#include "app/cli/run_setup.h"

namespace app {

// --engine, --slurm, --work, --retries, --max-parallel and --cells-per-job.
std::vector<Option> engine_options();

// Whether --engine is slurm. Throws gpu::Error{Usage} for options of Slurm with another engine.
bool wants_slurm(const Arguments& arguments);

// Computes all cells and puts their results in, those that failed too; `finished` is called with each as it comes, in any
// order. Cells whose results are in the folder of an earlier call are not computed again, and jobs of it that still go on are waited
// for. Returns false where setup.options.cancel stopped it: its jobs are cancelled then, and the cells have no results.
// Throws gpu::Error: MissingFile without Slurm, Usage, Io, Failure where Slurm refuses or does not answer.
bool compute_on_slurm(const Arguments& arguments, const RunSetup& setup, std::vector<Cell>& cells, const std::function<void(std::size_t)>& finished);

}  // namespace app
