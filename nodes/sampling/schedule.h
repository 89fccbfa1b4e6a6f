// Schedules: at which noise levels a sampler calls the network. One file per schedule in nodes/sampling/schedules; its
// REGISTER_SCHEDULE line makes it a choice of every node that samples.
#pragma once

#include <string>
#include <vector>

#include "nodes/sampling/noise_table.h"

namespace nodes {

enum class EndLevel {
    Clean,      // no noise is left
    Lowest,     // the noise of the table's first entry is left, as the first DDIM and UniPC leave it
};

struct ScheduleOptions {
    int steps = 20;
    EndLevel end = EndLevel::Clean;
    int offset = 1;                 // added to the timesteps of `leading`
    bool drop_last = false;         // makes one level more and drops the smallest: what multistep solvers prefer
    bool whole_timesteps = false;   // rounds timesteps
    double rho = 7;                 // exponent of `karras`
    // Levels as k-diffusion places them and ComfyUI tells them: between timesteps log sigma is interpolated, and the network is
    // told the nearest whole timestep.
    bool k_diffusion = false;
    double highest_sigma = 0, lowest_sigma = 0;      // ends of schedules over sigmas; 0: the table's

    double high(const NoiseTable& table) const { return highest_sigma > 0 ? highest_sigma : table.highest_sigma(); }
    double low(const NoiseTable& table) const { return lowest_sigma > 0 ? lowest_sigma : table.lowest_sigma(); }
};

// Descending, `steps` levels and the end level after them. Its timestep is -1.
using NoiseLevels = std::vector<NoiseLevel>;
using ScheduleRule = NoiseLevels (*)(const NoiseTable&, const ScheduleOptions&);

// Sorted names. make_levels throws Error{InvalidGraph} for a name that is not among them, and for steps outside
// 1 .. table.count().
std::vector<std::string> schedule_names();
NoiseLevels make_levels(const std::string& schedule, const NoiseTable& table, const ScheduleOptions& options);
void add_schedule(const std::string& name, ScheduleRule rule);

// For schedules: levels of the table at these descending timesteps, honouring drop_last, whole_timesteps and end.
NoiseLevels levels_at(const NoiseTable& table, std::vector<double> timesteps, const ScheduleOptions& options);
// Levels of these descending sigmas, timesteps from the table.
NoiseLevels levels_of(const NoiseTable& table, const std::vector<double>& sigmas, const ScheduleOptions& options);
NoiseLevel end_level(const NoiseTable& table, EndLevel end);

}  // namespace nodes

// The build collects these lines (packaging/cmake/generate.cmake).
#define REGISTER_SCHEDULE(stem, function) \
    namespace schedule {                  \
    void register_##stem() { nodes::add_schedule(#stem, function); } \
    }
