// The tensors of a convolution and its gradients, drawn at random, and rows for a list of cases.
#pragma once

#include <QTest>

#include "gpu/graph/conv_geometry.h"
#include "tests/support/op_cases.h"

namespace tests {

struct ConvTensors {
    gpu::ConvGeometry geometry;
    gpu::Tensor x, weight, dy;
    gpu::Shape window;
};

// `size`: of the map's spatial axes.
inline ConvTensors conv_tensors(const gpu::ConvGeometry& geometry, std::int64_t batch, std::int64_t in, std::int64_t out, const gpu::Shape& size,
                                const gpu::Shape& window) {
    gpu::Shape x{batch, in}, weight{out, in}, dy{batch, out};
    for (std::size_t i = 0; i < size.size(); ++i) {
        x.push_back(size[i]);
        weight.push_back(window[i]);
        dy.push_back(geometry.output(i, size[i], window[i]));
    }
    return {geometry, random_tensor(x, 1), random_tensor(weight, 2), random_tensor(dy, 3), window};
}

// One row a case, by its name; case_of_row() is that of the row that runs.
template <typename Case>
void add_case_rows(const std::vector<Case>& cases) {
    QTest::addColumn<int>("index");
    for (std::size_t i = 0; i < cases.size(); ++i) QTest::newRow(cases[i].name) << static_cast<int>(i);
}
template <typename Case>
const Case& case_of_row(const std::vector<Case>& cases) {
    return cases[static_cast<std::size_t>(*static_cast<int*>(QTest::qData("index", QMetaType::Int)))];
}

}  // namespace tests
