#include "gpu/run/recorder.h"

#include <algorithm>

#include "gpu/base/error.h"

namespace gpu {
namespace {

// Pieces of the batch go through the plan's buffer one after the other. params: inverse, the plan's batch.
void record_fft(const RecordCall& call) {
    const Shape& shape = call.out.shape;   // [B, n1, ..., nd, 2]
    FftShape wanted{{shape.begin() + 1, shape.end() - 1}, call.kernel.params[1], call.kernel.params[0] != 0};
    const FftPlanRef plan = call.device.fft_plan(wanted);
    const std::uint64_t bytes = wanted.bytes() / static_cast<std::uint64_t>(wanted.batch);   // of one transform
    for (std::int64_t done = 0; done < shape[0]; done += wanted.batch) {
        const std::uint64_t at = static_cast<std::uint64_t>(done) * bytes;
        const std::uint64_t size = static_cast<std::uint64_t>(std::min(wanted.batch, shape[0] - done)) * bytes;
        call.commands.barrier();   // others with this plan, and the last piece
        call.commands.copy(*call.in[0].buffer, call.in[0].offset + at, *plan->buffer(), 0, size);
        call.commands.barrier();
        call.commands.fft(plan, done == 0 ? call.label : "");   // one timing a step
        call.commands.barrier();
        call.commands.copy(*plan->buffer(), 0, *call.out.buffer, call.out.offset + at, size);
    }
}

}  // namespace

Recorder recorder(const std::string& name) {
    if (name == "fft") return record_fft;
    throw Error(ErrorCode::Failure, "recorder: expected fft, got {}", name);
}

}  // namespace gpu
