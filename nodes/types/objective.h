// objective: what is trained, on what, towards what. In<Objective>, Out<Objective>.
//
// A node of the category Train makes one; train.run moves its parameters. The parameters may be a whole network or a patch of
// one (a LoRA, a word's vectors): the loop does not know.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpu/train/trainer.h"
#include "nodes/core/socket_type.h"
#include "nodes/types/dataset.h"
#include "nodes/types/image.h"
#include "nodes/types/trained.h"

namespace nodes {

using gpu::train::NamedTensors;

// A number that an objective reports on its own: {"psnr", 31.2, "dB"}.
struct TrainMetric {
    std::string name;
    double value = 0;
    std::string unit;
};

// Immutable, used by one run at a time.
class Objective {
public:
    virtual ~Objective() = default;

    // Where they start, F32, with names as files have them.
    virtual std::vector<gpu::train::Parameter> parameters() const = 0;
    // How many items a pass visits.
    virtual std::int64_t size() const = 0;
    // Which group each item belongs to, where a micro-batch must hold items of one (pictures of one size); empty: any go together.
    virtual std::vector<int> groups() const { return {}; }
    // Numbers of one micro-batch, which the visits decide. Leaves of the same shapes at every call of one count and group.
    virtual gpu::Tensors batch(std::span<const Visit> visits, std::uint64_t seed) const = 0;
    // One element. Must build the same graph at every call with a batch of the same shapes. Lazy.
    virtual Tensor loss(const NamedTensors& parameters, const gpu::Tensors& batch) const = 0;
    // Evaluates what it needs.
    virtual Trained result(const NamedTensors& parameters) const = 0;
    // What the parameters can do by now, to look at and as numbers; on what is not trained on where there is such.
    virtual std::optional<Image> samples(const NamedTensors&) const { return std::nullopt; }
    virtual std::vector<TrainMetric> metrics(const NamedTensors&) const { return {}; }
    virtual std::string summary() const = 0;
};

using ObjectiveRef = std::shared_ptr<const Objective>;      // never empty on a wire

template <>
struct SocketTraits<ObjectiveRef> {
    static constexpr const char* name = "objective";
    static SocketType describe();
};

}  // namespace nodes
