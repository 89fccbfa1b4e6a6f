// How oneDNN's threads wait.
#pragma once

namespace gpu {

// Makes OpenMP's threads sleep soon after their work. Called before oneDNN's first; does nothing where OpenMP is not GNU's.
void stop_spinning();

}  // namespace gpu
