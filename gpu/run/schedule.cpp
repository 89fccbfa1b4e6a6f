#include "gpu/run/schedule.h"

#include <algorithm>
#include <cmath>

#include "gpu/vulkan/pipeline.h"

namespace gpu {
namespace {

constexpr std::uint32_t most_pieces = 4096;

bool is_empty(const Step& step) { return std::find(step.groups.begin(), step.groups.end(), 0u) != step.groups.end(); }

// gl_NumWorkGroups tells a piece its own size, so an axis that the shader asks for must stay whole. Generated code lays
// groups out in rows and asks for the length of a row, which says nothing when there is one row.
bool may_cut(const Step& step, const std::string& source, int axis) {
    if (step.groups[axis] < 2) return false;
    bool asks = false;
    for (std::size_t at = source.find("gl_NumWorkGroups"); at != std::string::npos; at = source.find("gl_NumWorkGroups", at + 1)) {
        const std::string what = source.substr(at + 16, 2);
        asks = asks || what[0] != '.' || what[1] == "xyz"[axis];
    }
    return !asks || (axis == 0 && step.kind == Step::Generated && step.groups[1] == 1 && step.groups[2] == 1);
}

}  // namespace

// "@conv2d\n<defines>\n@\n<functions>" names shaders/conv2d.comp with an epilogue: the macros go before the includes, the
// function before main.
std::string complete_source(const std::string& source) {
    if (source.empty() || source[0] != '@') return source;
    const std::size_t line = source.find('\n');
    std::string text = shader_source(source.substr(1, line - 1) + ".comp");
    if (line == std::string::npos) return text;
    const std::size_t mark = source.find("\n@\n", line);
    const std::string macros = source.substr(line + 1, mark - line), function = source.substr(mark + 3);
    text.insert(text.find("void main"), function + "\n");
    return text.insert(text.find('\n', text.find("#version")) + 1, macros);
}

std::vector<GroupPiece> cut_groups(const Step& step, const std::string& source, std::uint32_t pieces) {
    int axis = -1;
    for (int a = 0; a < 3; ++a)
        if (may_cut(step, source, a) && (axis < 0 || step.groups[a] > step.groups[axis])) axis = a;
    if (axis < 0) return {{{0, 0, 0}, step.groups}};
    const std::uint32_t count = step.groups[axis], parts = std::min(pieces, count);
    std::vector<GroupPiece> result;
    for (std::uint32_t p = 0; p < parts; ++p) {
        GroupPiece piece{{0, 0, 0}, step.groups};
        const auto border = [&](std::uint32_t i) { return static_cast<std::uint32_t>(std::uint64_t(count) * i / parts); };
        piece.base[axis] = border(p);
        piece.groups[axis] = border(p + 1) - border(p);
        result.push_back(piece);
    }
    return result;
}

std::vector<Segment> make_schedule(const Program& program, const DeviceRate& rate, const std::vector<StepRange>& ranges,
                                   double slice, bool alone) {
    std::vector<Segment> segments;
    for (const StepRange& range : ranges) {
        bool open = false;
        for (std::size_t s = range.first; s < range.last; ++s) {
            const Step& step = program.steps[s];
            if (step.kind == Step::Host) {
                if (s > range.first && !alone && !segments.empty() && segments.back().host && segments.back().last == s) {
                    ++segments.back().last;
                } else {
                    segments.push_back({s, s + 1, true});
                }
                open = false;
                continue;
            }
            if (is_empty(step)) {   // an empty tensor: nothing to dispatch
                if (open) segments.back().last = s + 1;
                continue;
            }
            const double seconds = rate.seconds(step);
            if (seconds > slice) {
                const bool whole = step.kind == Step::Recorded;
                const auto pieces = whole ? 1 : static_cast<std::uint32_t>(std::min<double>(std::ceil(seconds / slice), most_pieces));
                segments.push_back({s, s + 1, false, seconds, pieces});
                open = false;
                continue;
            }
            if (!open || alone || segments.back().seconds + seconds > slice) segments.push_back({s, s, false, 0, 1});
            segments.back().last = s + 1;
            segments.back().seconds += seconds;
            open = true;
        }
    }
    return segments;
}

}  // namespace gpu
