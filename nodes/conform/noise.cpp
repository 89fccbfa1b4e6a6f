// Names of outputs give seed and shape: seed_7_shape_1x4x64x64.
#include <QRegularExpression>
#include <QStringList>

#include "gpu/base/error.h"
#include "nodes/conform/conform.h"
#include "nodes/sampling/noise.h"

namespace nodes {
namespace {

NoiseSource source_of(const ConformCase& given) {
    const QString name = given.json["generator"].toString();
    if (name == "torch-cpu") return NoiseSource::TorchCpu;
    if (name == "cuda-philox") return NoiseSource::CudaPhilox;
    throw gpu::Error(gpu::ErrorCode::BadFile, "{}: expected the generator torch-cpu or cuda-philox, got '{}'", given.name,
                     name.toStdString());
}

ConformOutputs run_noise(const ConformCase& given) {
    static const QRegularExpression form("^seed_(\\d+)_shape_(\\d+(?:x\\d+)*)$");
    ConformOutputs outputs;
    for (const std::string& name : given.outputs) {
        const auto match = form.match(QString::fromStdString(name));
        gpu::check(match.hasMatch(), gpu::ErrorCode::BadFile, "{}: expected seed_S_shape_AxB, got {}", given.name, name);
        gpu::Shape shape;
        for (const QString& length : match.captured(2).split('x')) shape.push_back(length.toLongLong());
        outputs[name] = noise(source_of(given), shape, match.captured(1).toULongLong());
    }
    return outputs;
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(noise, nodes::run_noise)
