// Shapes and specs as they stand in messages, put into words where a message is really written: checks run for every operation of every step.
#pragma once

#include <ostream>

#include "gpu/graph/storage.h"

namespace gpu {

struct ShownShape {
    const Shape& shape;
};
struct ShownSpec {
    const Spec& spec;
};

// For arguments of check(), expect() and Error, which are read within the same expression.
inline ShownShape shown(const Shape& shape) { return {shape}; }
inline ShownSpec shown(const Spec& spec) { return {spec}; }

inline std::ostream& operator<<(std::ostream& out, ShownShape it) { return out << to_string(it.shape); }
inline std::ostream& operator<<(std::ostream& out, ShownSpec it) { return out << to_string(it.spec); }

}  // namespace gpu
