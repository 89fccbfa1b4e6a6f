// The sampling loop opened into a loop region of a document: the executor goes round, and the bits are Sample's.
#include <QJsonObject>
#include <array>

#include "gpu/run/evaluate.h"
#include "nodes/types/latent.h"
#include "tests/support/gaussian_model.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

struct GaussianNode final : Node {
    GaussianNode() : Node({.id = "stub.gaussian", .title = "Gaussian", .category = "Stub", .help = "A model whose answers are known."}) {}
    Out<Model> model{this, "model", "The model"};
    Out<Conditioning> positive{this, "positive", "A prompt"};
    Out<Conditioning> negative{this, "negative", "Another prompt"};
    void compute(Eval& ev) const override {
        ev.set(model, Model(std::make_shared<const GaussianModel>(gaussian_info())));
        ev.set(positive, constant_prompt(0.4));
        ev.set(negative, constant_prompt(-0.1));
    }
};

std::vector<float> latent_of(const std::vector<Event>& events, const std::string& node, const std::string& socket) {
    std::vector<float> values;
    for (const Event& event : events)
        if (const auto* made = std::get_if<event::Produced>(&event); made && made->node == node && made->socket == socket)
            if (const Latent* latent = made->value.get<Latent>()) values = gpu::to_floats(latent->tensor);
    return values;
}

}  // namespace

class SamplingRegionTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { add_node_type(std::make_unique<GaussianNode>()); }

    void a_region_makes_what_sample_makes_data() {
        QTest::addColumn<QString>("sampler");
        for (const char* sampler : {"euler", "euler_ancestral", "dpmpp_2m", "heun"}) QTest::newRow(sampler) << sampler;
    }
    void a_region_makes_what_sample_makes() {
        QFETCH(QString, sampler);
        Document document = Document().add_node("stub.gaussian", "stub").add_node("latent.empty", "size").set_param("size", "width", 64).set_param("size", "height", 96);
        document = document.add_node("sample.run", "sample").set_param("sample", "sampler", sampler).set_param("sample", "steps", 7).set_param("sample", "seed", 5)
                       .set_param("sample", "guidance", 4).connect({"stub", "model"}, {"sample", "model"}).connect({"stub", "positive"}, {"sample", "positive"})
                       .connect({"stub", "negative"}, {"sample", "negative"}).connect({"size", "latent"}, {"sample", "latent"});
        for (const auto& [type, id] : {std::pair("sample.schedule", "schedule"), {"sample.begin", "start"}, {"loop.begin", "begin"}, {"sample.predict", "predict"},
                                       {"sample.guide", "guide"}, {"sample.step", "step"}, {"sample.blend", "blend"}, {"loop.end", "end"}})
            document = document.add_node(type, id);
        document = document.set_param("schedule", "sampler", sampler).set_param("schedule", "steps", 7).set_param("start", "seed", 5).set_param("guide", "guidance", 4);
        for (const auto& [from, from_socket, to, to_socket] : std::vector<std::array<const char*, 4>>{
                 {"stub", "model", "schedule", "model"}, {"stub", "model", "start", "model"}, {"schedule", "schedule", "start", "schedule"}, {"size", "latent", "start", "latent"},
                 {"schedule", "calls", "begin", "times"}, {"start", "state", "begin", "a"}, {"begin", "loop", "end", "loop"}, {"stub", "model", "predict", "model"},
                 {"schedule", "schedule", "predict", "schedule"}, {"begin", "a", "predict", "state"}, {"stub", "positive", "predict", "positive"},
                 {"stub", "negative", "predict", "negative"}, {"predict", "positive", "guide", "positive"}, {"predict", "negative", "guide", "negative"},
                 {"guide", "prediction", "step", "prediction"}, {"predict", "state", "step", "state"}, {"schedule", "schedule", "step", "schedule"},
                 {"step", "state", "blend", "state"}, {"schedule", "schedule", "blend", "schedule"}, {"blend", "state", "end", "a"}, {"step", "denoised", "end", "x"}})
            document = document.connect({from, from_socket}, {to, to_socket});
        Recorder seen;
        const RunResult result = run(document, {.on_event = seen.sink()});
        QVERIFY2(result.status == RunStatus::Done, result.failures.empty() ? "" : result.failures[0].message.c_str());
        const std::vector<float> whole = latent_of(seen.events, "sample", "latent"), round = latent_of(seen.events, "blend", "latent");
        QCOMPARE(whole.size(), std::size_t(4 * 12 * 8));
        QVERIFY(whole == round);
        // What was collected: the picture of each call, in order.
        const int calls = sampler == "heun" ? 13 : 7;
        const std::vector<float> pictures = latent_of(seen.events, "end", "x");
        QCOMPARE(pictures.size(), whole.size() * std::size_t(calls));
        QVERIFY(std::vector<float>(pictures.end() - std::ptrdiff_t(whole.size()), pictures.end()) == latent_of(seen.events, "sample", "denoised"));
    }
};



}  // namespace tests

using tests::SamplingRegionTest;
HEDDLE_TEST(sampling_region, SamplingRegionTest)
#include "sampling_region.moc"
