// number: a real value. In<double>, Out<double>.
#pragma once

#include "gpu/base/format.h"
#include "nodes/core/socket_type.h"

namespace nodes {

template <>
struct SocketTraits<double> {
    static constexpr const char* name = "number";
    static SocketType describe() {
        return {.title = "Number",
                .colour = "#b0a45c",
                .help = "A real value",
                .summary = erased<double>([](double value) { return gpu::format("{}", value); }),
                .hash = erased<double>([](double value) { return gpu::Hasher().add(value).finish(); }),
                // As text, which holds infinities and NaN too.
                .store = erased<double>([](double value) { return std::optional(StoredValue{{{"number", QString::number(value, 'g', 17)}}, {}}); }),
                .restore = [](const StoredValue& stored) { return Value::of<double>(stored.fields["number"].toString().toDouble()); }};
    }
};

}  // namespace nodes
