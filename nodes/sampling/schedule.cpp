#include "nodes/sampling/schedule.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "gpu/base/error.h"

namespace schedule {
void register_all();
}

namespace nodes {
namespace {

std::map<std::string, ScheduleRule>& rules() {
    static std::map<std::string, ScheduleRule> rows;
    return rows;
}

const std::map<std::string, ScheduleRule>& all_rules() {
    static const bool done = (schedule::register_all(), true);
    (void)done;
    return rules();
}

}  // namespace

void add_schedule(const std::string& name, ScheduleRule rule) { rules()[name] = rule; }

std::vector<std::string> schedule_names() {
    std::vector<std::string> names;
    for (const auto& [name, rule] : all_rules()) names.push_back(name);
    return names;
}

NoiseLevels make_levels(const std::string& schedule, const NoiseTable& table, const ScheduleOptions& options) {
    const auto found = all_rules().find(schedule);
    if (found == all_rules().end()) {
        std::string known;
        for (const std::string& name : schedule_names()) known += (known.empty() ? "" : ", ") + name;
        throw gpu::Error(gpu::ErrorCode::InvalidGraph, "schedule: expected one of {}, got '{}'", known, schedule);
    }
    gpu::check(options.steps >= 1 && options.steps <= table.count() - (options.drop_last ? 1 : 0), gpu::ErrorCode::InvalidGraph,
               "schedule: expected 1 to {} steps, got {}", table.count() - (options.drop_last ? 1 : 0), options.steps);
    return found->second(table, options);
}

NoiseLevel end_level(const NoiseTable& table, EndLevel end) {
    return end == EndLevel::Clean ? NoiseLevel{-1, 1, 0} : level_of_alpha_bar(-1, table.alpha_bar(0));
}

NoiseLevels levels_at(const NoiseTable& table, std::vector<double> timesteps, const ScheduleOptions& options) {
    if (options.drop_last) timesteps.pop_back();
    NoiseLevels levels;
    for (const double timestep : timesteps) {
        if (options.k_diffusion) {
            const auto low = static_cast<int>(std::floor(timestep)), high = std::min(low + 1, table.count() - 1);
            const double part = timestep - low, sigma = std::pow(table.level(low).sigma(), 1 - part) * std::pow(table.level(high).sigma(), part);
            levels.push_back(part == 0 ? table.level(low) : level_of_sigma(std::nearbyint(timestep), sigma));
            continue;
        }
        const double whole = std::nearbyint(timestep);      // halves to even, as numpy rounds
        // At whole timesteps the table itself: it knows levels without any signal.
        if (options.whole_timesteps || timestep == whole) {
            levels.push_back(table.level(static_cast<int>(whole)));
        } else {
            levels.push_back(table.level(timestep));
        }
    }
    levels.push_back(end_level(table, options.end));
    return levels;
}

NoiseLevels levels_of(const NoiseTable& table, const std::vector<double>& sigmas, const ScheduleOptions& options) {
    NoiseLevels levels;
    for (const double sigma : sigmas) {
        const double timestep = table.timestep_of(sigma);
        levels.push_back(level_of_sigma(options.whole_timesteps || options.k_diffusion ? std::nearbyint(timestep) : timestep, sigma));
    }
    // The end of a schedule of sigmas that keeps noise is the smallest of them (UniPC with Karras' sigmas).
    levels.push_back(options.end == EndLevel::Clean ? end_level(table, options.end) : NoiseLevel{-1, levels.back().signal, levels.back().noise});
    return levels;
}

}  // namespace nodes
