// Programs as text and as Graphviz pictures, after every pass: HEDDLE_DUMP=FOLDER, HEDDLE_DEBUG=4.
#pragma once

#include <string>

#include "gpu/plan/program.h"

namespace gpu {

// One line a node: what it is, what it reads, where it lies, the step that computes it.
std::string nodes_text(const Program& program);

// Nodes grouped by step, views dashed, values of the arena with their place.
std::string to_dot(const Program& program);

// Called after each pass, in order.
class PassDump {
public:
    explicit PassDump(const Hash& structure);
    void after(const Program& program, const char* pass);
    // The steps and their shaders, last.
    void finish(const Program& program);

private:
    void write(const std::string& name, const std::string& text) const;

    std::string name_;   // plan_<hash>
    int pass_ = 0;
};

}  // namespace gpu
