// Writes GLSL for fused steps and the push block of every step. The text depends on structure only: sizes, strides and
// numbers are pushed, so that a model with many shapes needs few pipelines.
#include "gpu/base/span.h"
#include "gpu/plan/step_writer.h"

namespace gpu {

void StepWriter::run() {
    label();
    count_work();
    if (step_.kind == Step::Host) return;
    if (step_.kind == Step::Recorded) {   // no shader, but what it records depends on these addresses
        for (std::size_t read = 0; read < step_.reads.size(); ++read) push_read(read);
        push_write();
        return;
    }
    if (step_.core >= 0 && step_.kind == Step::Generated) return write_part();
    if (step_.core >= 0) return write_kernel();
    const OpKind kind = nodes_[step_.result].op->kind();
    if (!step_.axes.empty()) return write_rows();
    if (kind == OpKind::Movement) return write_padding();
    write_elementwise();
}

void generate(Program& program) {
    const Span span("pass", "generate");
    for (Step& step : program.steps) StepWriter(program, step).run();
}

}  // namespace gpu
