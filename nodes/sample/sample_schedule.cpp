#include "nodes/sample/choices.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

struct SampleSchedule final : Node {
    SampleSchedule() : Node({.id = "sample.schedule", .version = 1, .title = "Sampling Schedule", .category = "Sample",
                             .help = "Chooses a sampler and the noise levels at which it calls the network, for a sampling loop of your own."}) {}

    In<Model>      model{this, "model", "The model that will be sampled: its noise table and prediction type"};
    ScheduleParams schedule{this};
    Out<Sampling>  sampling{this, "schedule", "Sampler and noise levels"};
    Out<double>    calls{this, "calls", "How often the network is called: the iterations of the loop"};

    void compute(Eval& ev) const override {
        if (ev[schedule.denoise] == 0) ev.fail(schedule.denoise, "expected more than 0 for a loop, got 0");
        const Sampling made = make_sampling(ev[model].info(), schedule.settings(ev));
        ev.set(calls, static_cast<double>(made.steps()));
        ev.set(sampling, made);
    }
};

}  // namespace

REGISTER_NODE(sample_schedule, SampleSchedule)

}  // namespace nodes
