// Which of an op's kernel variants to use on a device. In this order: what HEDDLE_VARIANT names; what was measured for the
// same class of shapes, now or by an earlier process; a measurement, where the device is one to measure on; the op's default.
//
// Choices are kept in cache_directory()/tuning/, one file for each device, driver and set of shaders. A file that does not
// match or is damaged counts as absent. Not thread-safe: each evaluation engine has one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gpu/plan/program.h"
#include "gpu/run/residency.h"
#include "gpu/vulkan/device.h"

namespace gpu {

class Tuner {
public:
    Tuner(std::shared_ptr<Device> device, bool measure);

    // False on processors (their matrix products run as host kernels), on RADV's null device, under validation and with HEDDLE_TUNE=0.
    static bool may_measure(const Device& device);

    // `variants`: at least one. Deterministic once the class is known.
    std::string choose(const std::shared_ptr<const Op>& op, const Specs& in, const std::vector<std::string>& variants);
    VariantChooser chooser();

    // "matmul F16 [1, 4096, 320] F16 [1, 320, 320]" with every size rounded up to one of 2^n and 3/2 * 2^n.
    static std::string class_of(const Op& op, const Specs& in);

    int measurements() const { return measurements_; }
    // Logs, at Info, how many classes were measured since the last report, and how long that took; nothing where none was.
    void report();

private:
    class Stopwatch;
    std::string measured(const std::shared_ptr<const Op>& op, const Specs& in, const std::vector<std::string>& variants);
    Program plan_of(const std::shared_ptr<const Op>& op, const TensorGraph& graph, const std::string& variant);
    void compile(const std::vector<std::pair<std::string, Program>>& plans);
    double seconds(const TensorGraph& graph, Program program, Residency& residency, double best);
    void load();
    void save() const;

    const std::shared_ptr<Device> device_;
    const bool measure_;
    const Hash key_;
    const std::string path_;
    std::map<std::string, std::string> choices_;   // class -> variant
    int measurements_ = 0, reported_ = 0, depth_ = 0;
    double seconds_ = 0;   // since the last report
};

}  // namespace gpu
