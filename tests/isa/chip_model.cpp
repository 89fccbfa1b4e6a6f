#include "tests/isa/chip_model.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <map>
#include <sstream>
#include <vector>

#include "gpu/base/error.h"

namespace tests {
namespace {

// Cycles until a load is back, as the RDNA guides and public micro-benchmarks give them; cache hits.
constexpr double shared_latency = 64, memory_latency = 350, scalar_latency = 100;

struct Instruction {
    std::string name, operands;
};
struct Code {
    std::vector<Instruction> list;
    std::map<std::string, std::size_t> labels;   // -> index of the instruction that follows
};

Code read(const std::string& assembly) {
    Code code;
    std::istringstream lines(assembly);
    for (std::string line; std::getline(lines, line);) {
        if (const auto comment = line.find(';'); comment != std::string::npos) line.resize(comment);
        std::istringstream words(line);
        Instruction instruction;
        if (!(words >> instruction.name)) continue;
        if (instruction.name.back() == ':') {
            code.labels[instruction.name.substr(0, instruction.name.size() - 1)] = code.list.size();
            continue;
        }
        std::getline(words, instruction.operands);
        code.list.push_back(instruction);
    }
    return code;
}

bool starts(const Instruction& i, const char* prefix) { return i.name.rfind(prefix, 0) == 0; }
bool is_matrix(const Instruction& i) { return starts(i, "v_wmma"); }

bool has(const std::string& text, std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(), [&](const char* word) { return text.find(word) != std::string::npos; });
}

// Multiply-adds of floats a lane does: two for a dual instruction of two, or for packed halves.
int multiplications(const Instruction& i) {
    if (!starts(i, "v_")) return 0;
    const auto is_fma = [](const std::string& text) { return has(text, {"_fma", "_mac"}); };
    int count = 0;
    if (starts(i, "v_pk_mul_f16")) return 2;   // the first of a short sum in halves
    if (starts(i, "v_fma_mix_f32") && has(i.operands, {" 1.0,", ", 1.0"})) return 0;   // widens or adds a half
    if (is_fma(i.name)) count += i.name.find("pk_") != std::string::npos ? 2 : 1;
    if (starts(i, "v_dual") && is_fma(i.operands)) ++count;
    return count;
}

// Bytes that a lane moves.
double width(const Instruction& i) {
    const double pairs = has(i.name, {"2addr", "read2", "write2"}) ? 2 : 1;
    if (has(i.name, {"b128", "x4"})) return 16 * pairs;
    if (has(i.name, {"b96", "x3"})) return 12 * pairs;
    if (has(i.name, {"b64", "x2"})) return 8 * pairs;
    if (has(i.name, {"b16", "i16", "u16", "short"})) return 2;
    if (has(i.name, {"b8", "i8", "u8", "byte"})) return 1;
    return 4 * pairs;
}

bool is_slow(const Instruction& i) { return has(i.name, {"v_exp_", "v_log_", "v_rcp_", "v_rsq_", "v_sqrt_", "v_sin_", "v_cos_"}); }

double issue_cycles(const Instruction& i, int wave, const Chip& chip) {
    const double passes = wave / 32.0;
    // A matrix of 16 x 16 x 16 is shared by the lanes of a wave, whatever their number.
    if (is_matrix(i)) return 2.0 * 16 * 16 * 16 / (chip.matrix_flop / 2);
    if (starts(i, "v_")) return passes * (is_slow(i) ? 4 : 1);
    if (starts(i, "s_waitcnt") || starts(i, "s_delay_alu") || starts(i, "s_clause")) return 0;   // seen by the front end
    if (starts(i, "s_")) return 0;   // another unit, beside the vectors of other waves
    return 1;
}

struct Loop {
    std::size_t first = 1, last = 0;   // instructions
    bool found() const { return first <= last; }
    bool holds(std::size_t at) const { return at >= first && at <= last; }
};

std::vector<Loop> loops(const Code& code) {
    std::vector<Loop> list;
    for (std::size_t at = 0; at < code.list.size(); ++at) {
        const Instruction& i = code.list[at];
        if (!starts(i, "s_branch") && !starts(i, "s_cbranch")) continue;
        std::istringstream words(i.operands);
        std::string label;
        words >> label;
        const auto target = code.labels.find(label);
        if (target != code.labels.end() && target->second <= at) list.push_back({target->second, at});
    }
    return list;
}

// The shortest loop with the most multiplications.
Loop inner_loop(const Code& code) {
    Loop best;
    int most = 0;
    for (const Loop& loop : loops(code)) {
        int count = 0;
        for (std::size_t at = loop.first; at <= loop.last; ++at) count += is_matrix(code.list[at]) ? 64 : multiplications(code.list[at]);
        const bool shorter = count == most && count > 0 && loop.last - loop.first < best.last - best.first;
        if (count > most || shorter) best = loop;
        most = std::max(most, count);
    }
    return best;
}

// The shortest loop around `inner`; itself where there is none.
Loop loop_around(const Code& code, const Loop& inner) {
    Loop best = inner;
    for (const Loop& loop : loops(code)) {
        const bool around = loop.first <= inner.first && loop.last >= inner.last && loop.last - loop.first > inner.last - inner.first;
        if (around && (best.last - best.first == inner.last - inner.first || loop.last - loop.first < best.last - best.first)) best = loop;
    }
    return best;
}

// The count of s_waitcnt's "vmcnt(2)"; -1 where it does not wait for that.
int wait_count(const Instruction& i, const std::string& name) {
    const auto at = i.operands.find(name + "(");
    return at == std::string::npos ? -1 : std::atoi(i.operands.c_str() + at + name.size() + 1);
}

// The order of instructions in one step: the outer loop with the inner one `repeats` times.
std::vector<std::size_t> order_of(const Loop& outer, const Loop& inner, int repeats) {
    std::vector<std::size_t> order;
    for (std::size_t at = outer.first; at <= outer.last; ++at) {
        if (at != inner.first) {
            order.push_back(at);
            continue;
        }
        for (int i = 0; i < repeats; ++i)
            for (std::size_t j = inner.first; j <= inner.last; ++j) order.push_back(j);
        at = inner.last;
    }
    return order;
}

// Two steps of a wave alone; the second's length.
double latency(const Code& code, const std::vector<std::size_t>& order, int wave, const Chip& chip) {
    double now = 0, start = 0;
    std::deque<double> memory, shared;   // when each load in flight is back, in order
    const auto drain = [&](std::deque<double>& loads, int left) {
        while (left >= 0 && static_cast<int>(loads.size()) > left) {
            now = std::max(now, loads.front());
            loads.pop_front();
        }
    };
    for (int step = 0; step < 2; ++step) {
        start = now;
        for (const std::size_t at : order) {
            const Instruction& i = code.list[at];
            now += std::max(issue_cycles(i, wave, chip), starts(i, "s_") ? 1.0 : 0.0);
            if (starts(i, "global_load") || starts(i, "buffer_load")) memory.push_back(now + memory_latency);
            if (starts(i, "ds_")) shared.push_back(now + shared_latency);
            if (starts(i, "s_load") || starts(i, "s_buffer_load")) shared.push_back(now + scalar_latency);
            if (starts(i, "s_waitcnt")) {
                drain(memory, wait_count(i, "vmcnt"));
                drain(shared, wait_count(i, "lgkmcnt"));
            }
        }
    }
    return now - start;
}

}  // namespace

const Chip& chip(const std::string& family) {
    // AMD's data sheets: RX 7900 XTX (122.8 TFLOP/s of f16 matrices), RX 6900 XT (23 TFLOP/s of f32). L2: 2 KiB a cycle.
    static const std::vector<Chip> chips = {
        {"navi31", 2.5e9, 96, 960e9, 2048 * 2.5e9, 512, 128},
        {"navi21", 2.25e9, 80, 512e9, 2048 * 2.25e9, 0, 128},
    };
    for (const Chip& one : chips)
        if (one.family == family) return one;
    throw gpu::Error(gpu::ErrorCode::Failure, "chip model: expected a known chip, got {}", family);
}

LoopStatistics loop_statistics(const Compiled& compiled, int wave, const Chip& chip, double step_flop) {
    LoopStatistics result;
    const Code code = read(compiled.assembly);
    const Loop inner = inner_loop(code);
    result.found = inner.found();
    Loop outer = inner;
    int repeats = 1;
    const auto flop_of = [&](std::size_t at) {
        const Instruction& i = code.list[at];
        return is_matrix(i) ? 2.0 * 16 * 16 * 16 : 2.0 * multiplications(i) * wave;
    };
    if (result.found && step_flop > 0) {
        double flop = 0;
        for (std::size_t at = inner.first; at <= inner.last; ++at) flop += flop_of(at);
        repeats = std::max(1, static_cast<int>(std::lround(step_flop / flop)));
        if (repeats > 1) outer = loop_around(code, inner);
    }
    for (std::size_t at = 0; at < code.list.size(); ++at)
        if (!result.found || !outer.holds(at)) result.outside += issue_cycles(code.list[at], wave, chip);
    if (!result.found) return result;
    const std::vector<std::size_t> order = order_of(outer, inner, repeats);
    for (const std::size_t at : order) {
        const Instruction& i = code.list[at];
        result.issue += issue_cycles(i, wave, chip);
        result.matrix += is_matrix(i);
        result.flop += flop_of(at);
        if (starts(i, "ds_")) result.shared += std::max(1.0, width(i) * wave / 128);   // 128 bytes a cycle
    }
    result.latency = latency(code, order, wave, chip);
    return result;
}

Prediction predict(const Chip& chip, const LoopStatistics& loop, int waves_per_simd, const Launch& launch) {
    const double on_unit = std::ceil(launch.workgroups / chip.units);   // of the busiest unit, one after another or side by side
    const double waves = std::clamp(on_unit * launch.waves / 2, 1.0, static_cast<double>(waves_per_simd));
    const double busy = loop.issue, hidden = loop.latency / waves, shared = 2 * loop.shared;
    const double step = std::max({busy, hidden, shared});
    const double cycles = on_unit * launch.waves / 2 * (launch.iterations * step + loop.outside);
    const double compute = cycles / chip.clock, memory = launch.memory_bytes / chip.dram, l2 = launch.l2_bytes / chip.l2;

    Prediction result;
    result.seconds = std::max({compute, memory, l2});
    result.flops = launch.useful / result.seconds;
    const double filled = launch.workgroups / (on_unit * chip.units);                // the last round's share
    const double loop_share = launch.iterations * step / (launch.iterations * step + loop.outside);
    if (result.seconds == memory) result.limit = "memory";
    else if (result.seconds == l2) result.limit = "L2";
    else if (std::min({filled, launch.tile_share, loop_share}) < 0.8)
        result.limit = filled <= launch.tile_share && filled <= loop_share ? "few workgroups"
                       : launch.tile_share <= loop_share                   ? "edges of tiles"
                                                                           : "start and end of tiles";
    else if (step == busy) result.limit = loop.matrix > 0 && loop.matrix * 4096 * 4 / chip.matrix_flop > 0.8 * busy ? "matrix units" : "issue";
    else result.limit = step == hidden ? "latency" : "shared memory";
    return result;
}

Prediction predict(const Chip& chip, const LoopStatistics& loop, int waves_per_simd, const Tiling& tiling, const Product& p) {
    Launch launch;
    launch.workgroups = p.batch * std::ceil(p.m / tiling.m) * std::ceil(p.n / tiling.n);
    launch.waves = tiling.waves;
    launch.iterations = std::ceil(p.k / tiling.k);
    launch.useful = 2 * p.batch * p.m * p.n * p.k;
    launch.tile_share = p.m * p.n / (std::ceil(p.m / tiling.m) * tiling.m * std::ceil(p.n / tiling.n) * tiling.n);
    const double once = p.read_bytes > 0 ? p.read_bytes : p.batch * p.element_bytes * (p.m * p.k + p.k * p.n);
    launch.memory_bytes = once + p.batch * p.element_bytes * p.m * p.n;
    launch.l2_bytes = launch.workgroups * (tiling.m + tiling.n) * p.k * p.element_bytes;
    return predict(chip, loop, waves_per_simd, launch);
}

}  // namespace tests
