// Convolution by oneDNN.
#include <algorithm>
#include <array>
#include <map>

#include "gpu/base/cancel.h"
#include "gpu/run/host/conv.h"
#include "gpu/run/host/panels.h"
#include "gpu/run/host/widen.h"

namespace gpu {
namespace {

struct State {
    HostPrimitive primitive;
    std::size_t later = SIZE_MAX;   // first post-operation that gets a pass of its own
};

std::shared_ptr<State> prepare(const HostCall& call) {
    const ConvProblem problem{ConvGeometry::from_params(call.kernel.params), call.in[0].shape, call.in[1].shape, call.out.shape};
    int bias = -1;
    const dnnl::primitive_attr attributes = post_attributes(call, 1, true, bias);
    const dnnl::memory::desc bias_desc =
        bias >= 0 ? dnnl::memory::desc({problem.w[0]}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x) : dnnl::memory::desc();
    auto state = std::make_shared<State>();
    const auto make = [&](ConvLayout layout) {
        // Operands of post-operations lie channels last; primitives of other layouts leave them to a pass of their own.
        const bool along = layout == ConvLayout::ChannelsLast || call.post_operands.size() == (bias >= 0 ? 1u : 0u);
        state->later = along ? SIZE_MAX : bias >= 0 ? 1 : 0;
        return conv_forward_desc(problem, layout, bias_desc, along ? attributes : plain_attributes(), false);
    };
    const auto desc = first_known<dnnl::convolution_forward::primitive_desc>(conv_layouts(problem, ConvPass::Forward, call.in[1].leaf != nullptr), make);
    HostPrimitive primitive(dnnl::convolution_forward(desc), desc.scratchpad_desc());
    primitive.input(DNNL_ARG_SRC, problem.map_given(problem.x), desc.src_desc());
    primitive.input(DNNL_ARG_WEIGHTS, problem.weight_given(), desc.weights_desc(), true);
    primitive.output(DNNL_ARG_DST, problem.map_given(problem.y), desc.dst_desc());
    if (bias >= 0 || state->later == SIZE_MAX) primitive.post_operands(bias, 1, bias_desc, state->later == SIZE_MAX);
    state->primitive = std::move(primitive);
    return state;
}

void convolution_whole(const HostCall& call, std::shared_ptr<State>& made) {
    try {
        if (!made) made = prepare(call);
        const State& state = *made;
        state.primitive.run({&call.in[0], &call.in[1], &call.out}, call);
        if (state.later != SIZE_MAX) run_post_ops(call, 1, state.later);
    } catch (const dnnl::error& error) {
        rethrow(error, "convolution");
    }
}

// Working memory that one convolution may take. Winograd's transform of both maps, 6 x 6 numbers for each 4 x 4, and the maps in its layout
// would be 1.7 GB for 256 channels of 512 x 512; in bands of rows it is this much, and more of it stays in the caches.
constexpr std::int64_t most_scratch = std::int64_t{96} << 20;

struct Bands {
    std::int64_t pictures = 1, rows = 0;      // rows of the result at a time; 0: all of the call at once
};

// What stays with a step.
struct Prepared {
    Bands bands;
    std::shared_ptr<State> whole;
    std::map<std::array<std::int64_t, 4>, std::shared_ptr<State>> parts;      // by what a band's problem depends on
};

Bands bands_of(const HostCall& call) {
    const ConvProblem problem{ConvGeometry::from_params(call.kernel.params), call.in[0].shape, call.in[1].shape, call.out.shape};
    if (conv_layouts(problem, ConvPass::Forward, call.in[1].leaf != nullptr).front() != ConvLayout::Winograd) return {};
    const std::int64_t per_row = (element_count(problem.x) + element_count(problem.y)) / (problem.y[0] * problem.y[2]) * std::int64_t{sizeof(float)} * 13 / 4;
    const std::int64_t pictures = problem.y[0], rows = problem.y[2];
    if (per_row * rows * pictures <= most_scratch) return {};
    if (per_row * rows <= most_scratch) return {std::max<std::int64_t>(1, most_scratch / (per_row * rows)), rows};
    const std::int64_t count = (per_row * rows + most_scratch - 1) / most_scratch;
    return {1, std::max<std::int64_t>(4, (rows / count + 3) / 4 * 4)};      // whole tiles
}

// The part of an operand that belongs to some pictures and rows; axes of length 1 serve all.
HostOperand part_of(const HostOperand& whole, std::int64_t picture, std::int64_t pictures, std::int64_t row, std::int64_t rows) {
    HostOperand part = whole;
    if (whole.shape[0] != 1) {
        part.data += picture * whole.strides[0] * std::int64_t{sizeof(float)};
        part.shape[0] = pictures;
    }
    if (whole.shape[2] != 1) {
        part.data += row * whole.strides[2] * std::int64_t{sizeof(float)};
        part.shape[2] = rows;
    }
    if (part.data != whole.data || part.shape != whole.shape) part.leaf = nullptr;
    return part;
}

void convolution_banded(const HostCall& call, Prepared& prepared) {
    const Bands& bands = prepared.bands;
    const std::int64_t height = call.out.shape[2];
    for (std::int64_t n = 0; n < call.out.shape[0]; n += bands.pictures)
        for (std::int64_t top = 0; top < height; top += bands.rows) {
            check_cancelled();
            const std::int64_t pictures = std::min(bands.pictures, call.out.shape[0] - n), bottom = std::min(height, top + bands.rows);
            // The rows that the windows see; where the map ends, its padding.
            Kernel kernel = call.kernel;
            ConvGeometry geometry = ConvGeometry::from_params(kernel.params);
            const std::int64_t above = top - geometry.before[0], below = bottom - geometry.before[0] + 2, height_in = call.in[0].shape[2];
            const std::int64_t from = std::max<std::int64_t>(0, above), to = std::min(height_in, below);
            geometry.before[0] = from - above, geometry.after[0] = below - to;
            kernel.params = geometry.params();
            std::vector<HostOperand> others;
            for (const HostOperand& operand : call.post_operands) others.push_back(part_of(operand, n, pictures, top, bottom - top));
            const HostCall part{.kernel = kernel,
                                .in = {part_of(call.in[0], n, pictures, from, to - from), call.in[1]},
                                .out = part_of(call.out, n, pictures, top, bottom - top),
                                .post_ops = call.post_ops,
                                .post_operands = std::move(others),
                                .state = call.state,
                                .room = call.room};
            convolution_whole(part, prepared.parts[{pictures, bottom - top, geometry.before[0], geometry.after[0]}]);
        }
}

void convolution_f32(const HostCall& call) {
    if (run_panels(call)) return;
    if (!call.state) call.state = std::make_shared<Prepared>(Prepared{.bands = bands_of(call), .whole = {}, .parts = {}});
    Prepared& prepared = *std::static_pointer_cast<Prepared>(call.state);
    prepared.bands.rows == 0 ? convolution_whole(call, prepared.whole) : convolution_banded(call, prepared);
}

}  // namespace

void host_convolution(const HostCall& call);
void host_convolution(const HostCall& call) {
    if (is_f32(call)) return convolution_f32(call);
    if (run_with_kept_weight(call, convolution_f32)) return;
    // Pictures, then channels of the result unless they come in groups.
    std::vector<HostSplit> splits{{0, {0, -1}}};
    if (ConvGeometry::from_params(call.kernel.params).groups == 1) splits.push_back({1, {-1, 0}, true});
    run_widened(call, convolution_f32, splits);
}

}  // namespace gpu
