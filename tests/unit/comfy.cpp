// ComfyUI workflows as documents: forms, what the editor resolves, the table's promises, and files that are not whole.
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>
#include <random>

#include "gpu/base/error.h"
#include "nodes/core/frames.h"
#include "nodes/core/node.h"
#include "nodes/core/validate.h"
#include "nodes/interchange/comfy_class.h"
#include "nodes/interchange/comfy_export.h"
#include "nodes/interchange/comfy_graph.h"
#include "nodes/interchange/comfy_values.h"
#include "nodes/interchange/infotext.h"
#include "nodes/interchange/open_graph.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// Text to image in the server's form.
const QByteArray prompt_text = R"({
    "3": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 12, "cfg": 6.5, "sampler_name": "euler", "scheduler": "karras", "denoise": 1.0,
          "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sub\\model.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 96, "batch_size": 2}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "red {heart|star}", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}, "is_changed": NaN}
})";

// A latent through an instance of a subgraph, whose value the instance has taken over.
const QByteArray subgraph_text = R"({"version": 1, "state": {}, "nodes": [
            {"id": 1, "type": "EmptyLatentImage", "pos": [0, 0], "widgets_values": [64, 64, 1], "outputs": [{"name": "LATENT", "type": "LATENT"}]},
            {"id": 5, "type": "11111111-2222", "pos": [500, 100], "inputs": [{"name": "from", "type": "LATENT", "link": 1}], "outputs": [{"name": "to", "type": "LATENT"}],
             "properties": {"proxyWidgets": [["7", "amount"]]}, "widgets_values": [9]},
            {"id": 3, "type": "LatentFlip", "pos": [900, 0], "inputs": [{"name": "samples", "type": "LATENT", "link": 2}], "widgets_values": ["x-axis: vertically"]}],
            "links": [{"id": 1, "origin_id": 1, "origin_slot": 0, "target_id": 5, "target_slot": 0, "type": "LATENT"},
                      {"id": 2, "origin_id": 5, "origin_slot": 0, "target_id": 3, "target_slot": 0, "type": "LATENT"}],
            "definitions": {"subgraphs": [{"id": "11111111-2222", "name": "twice",
                "inputs": [{"id": "a", "name": "from", "type": "LATENT", "linkIds": [1]}], "outputs": [{"id": "b", "name": "to", "type": "LATENT", "linkIds": [2]}],
                "inputNode": {"id": -10}, "outputNode": {"id": -20},
                "nodes": [{"id": 7, "type": "RepeatLatentBatch", "pos": [10, 10], "inputs": [{"name": "samples", "type": "LATENT", "link": 1}], "widgets_values": [4]}],
                "links": [{"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 7, "target_slot": 0, "type": "LATENT"},
                          {"id": 2, "origin_id": 7, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "LATENT"}]}]}})";

// The editor's form of a chain of latents around node 3: sources, then `nodes`, then a reader.
struct Chain {
    QJsonArray nodes, links;

    static QJsonObject socket(const char* name, const char* type, QJsonValue link = QJsonValue::Null) {
        return {{"name", name}, {"type", type}, {"link", link}};
    }
    static QJsonObject output(const char* name, const char* type) {
        return {{"name", name}, {"type", type}, {"links", QJsonArray{}}};
    }

    Chain& node(int id, const char* type, QJsonArray inputs, QJsonArray outputs,
                QJsonValue widgets = QJsonValue::Undefined, int mode = 0) {
        QJsonObject made{{"id", id},     {"type", type},     {"pos", QJsonArray{id * 100, 20}},
                         {"mode", mode}, {"inputs", inputs}, {"outputs", outputs}};
        if (!widgets.isUndefined()) made["widgets_values"] = widgets;
        nodes.append(made);
        return *this;
    }
    Chain& link(int id, int from, int slot, int to, int into, const char* type = "LATENT") {
        links.append(QJsonArray{id, from, slot, to, into, type});
        return *this;
    }
    QByteArray text() const {
        return QJsonDocument(QJsonObject{{"version", 0.4}, {"nodes", nodes}, {"links", links}}).toJson();
    }
};

QJsonArray list(std::initializer_list<QJsonValue> values) { return QJsonArray(values); }

Chain empty_and_repeat(int mode = 0) {
    return Chain()
        .node(1, "EmptyLatentImage", {}, {Chain::output("LATENT", "LATENT")}, list({64, 64, 1}))
        .node(2, "RepeatLatentBatch", {Chain::socket("samples", "LATENT", 1)}, {Chain::output("LATENT", "LATENT")},
              list({3}), mode)
        .node(3, "LatentFlip", {Chain::socket("samples", "LATENT", 2)}, {Chain::output("LATENT", "LATENT")},
              list({"x-axis: vertically"}))
        .link(1, 1, 0, 2, 0)
        .link(2, 2, 0, 3, 0);
}

QString param(const ComfyImport& made, const char* node, const char* name) {
    return made.document.param(node, name).toVariant().toString();
}

std::string source_of(const ComfyImport& made, const char* node, const char* socket) {
    const Link* link = made.document.link_into({node, socket});
    return link ? link->from.text() : std::string();
}

ComfyFate fate_of(const ComfyImport& made, const char* id) {
    for (const auto& entry : made.report.entries)
        if (entry.id == id) return entry.fate;
    return ComfyFate::LeftOut;
}

std::string message_of(const QByteArray& text) {
    try {
        (void)import_comfy(text);
    } catch (const gpu::Error& error) {
        return error.code() == gpu::ErrorCode::BadFile ? error.what() : std::string("another code: ") + error.what();
    }
    return {};
}

// All that is wrong with the document but for placeholders.
QString problems_of(const Document& document) {
    QString text;
    for (const Problem& one : validate(document))
        if (one.kind != ProblemKind::UnknownType && one.severity == Severity::Error)
            text += QString::fromStdString(one.text()) + "\n";
    return text;
}

QByteArray read(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QByteArray chunk(const QByteArray& type, const QByteArray& content) {
    QByteArray made;
    for (int shift = 24; shift >= 0; shift -= 8) made += static_cast<char>(content.size() >> shift & 255);
    return made + type + content + QByteArray(4, '\0');  // nobody reads the check sum of a text
}

QByteArray png_with(const QByteArray& chunks) {
    return QByteArray("\x89PNG\r\n\x1a\n") + chunk("IHDR", QByteArray("\0\0\0\1\0\0\0\1\x8\0\0\0\0", 13)) + chunks +
           chunk("IEND", {});
}

}  // namespace

class ComfyTest : public QObject {
    Q_OBJECT
private slots:
    void the_table_names_what_there_is_data() {
        QTest::addColumn<QString>("name");
        for (const auto& [name, entry] : comfy_classes()) QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
    void the_table_names_what_there_is() {
        QFETCH(QString, name);
        const ComfyClass& entry = *find_comfy_class(name.toStdString());
        const auto knows_input = [&](const std::string& input) {
            return entry.field(input) || (entry.model_side && input == "model");
        };
        const auto knows_output = [&](const std::string& output) {
            return std::ranges::find(entry.output_names, output) != entry.output_names.end();
        };
        for (const ComfyPart& part : entry.parts) {
            // The rules of settings are for the node that reads them.
            const std::string id = !part.type.empty()              ? part.type
                                   : name.startsWith("ModelMerge") ? "model.merge"
                                   : name.startsWith("CLIPMerge")  ? "encoder.merge"
                                                                   : "sample.run";
            const Node* type = find_node_type(id);
            QVERIFY2(type, id.c_str());
            for (const ComfyRule& rule : part.rules) {
                const std::string where = id + ": " + rule.from + " -> " + rule.to;
                using Kind = ComfyRule::Kind;
                if (rule.kind == Kind::Link || rule.kind == Kind::Wire) QVERIFY2(type->input(rule.to), where.c_str());
                if (rule.kind == Kind::Value || rule.kind == Kind::Fixed || rule.kind == Kind::Above)
                    QVERIFY2(type->param(rule.to), where.c_str());
                if (rule.kind == Kind::Value && !rule.socket.empty()) QVERIFY2(type->input(rule.socket), where.c_str());
                if (rule.kind == Kind::Fixed)
                    QVERIFY2(type->param(rule.to)->problem(rule.fixed).empty(), where.c_str());
                if (rule.kind == Kind::Output)
                    QVERIFY2(type->output(rule.to) && knows_output(rule.from), where.c_str());
                if (rule.kind == Kind::Link || rule.kind == Kind::Value || rule.kind == Kind::Fold)
                    QVERIFY2(knows_input(rule.from), where.c_str());
            }
        }
        for (const auto& [output, input] : entry.passes) QVERIFY(knows_output(output) && knows_input(input));
    }

    void reads_the_api_form() {
        const ComfyImport made = import_comfy(prompt_text);
        QCOMPARE(made.report.form, std::string("API"));
        QCOMPARE(made.report.count(ComfyFate::Mapped), std::size_t(7));
        QCOMPARE(problems_of(made.document), QString());
        QCOMPARE(param(made, "model-4", "file"), QString("sub/model.safetensors"));
        QCOMPARE(param(made, "sample-3", "schedule"), QString("karras"));
        QCOMPARE(param(made, "sample-3", "guidance"), QString("6.5"));
        QCOMPARE(param(made, "sample-3", "noise"), QString("torch-cpu"));
        QCOMPARE(param(made, "prompt-6", "text"), QString("red {heart|star}"));  // what the server got is what it drew
        QCOMPARE(param(made, "size-5", "batch"), QString("2"));
        QCOMPARE(param(made, "save-9", "file"), QString("ComfyUI.png"));
        QCOMPARE(source_of(made, "sample-3", "negative"), std::string("negative-7.conditioning"));
        QCOMPARE(source_of(made, "size-5", "model"), std::string("model-4.model"));
        QVERIFY(made.document.position("save-9").x > made.document.position("model-4").x);
    }

    void reads_the_body_of_a_request() {
        QCOMPARE(import_comfy(R"({"client_id": "x", "prompt": )" + prompt_text + "}").document.to_json(),
                 import_comfy(prompt_text).document.to_json());
    }

    void reads_the_editors_form() {
        const ComfyImport made = import_comfy(empty_and_repeat().text());
        QCOMPARE(made.report.form, std::string("UI 0.4"));
        QCOMPARE(problems_of(made.document), QString());
        QCOMPARE(source_of(made, "flip-3", "latent"), std::string("repeat-2.latent"));
        QCOMPARE(param(made, "repeat-2", "times"), QString("3"));
        QCOMPARE(param(made, "flip-3", "axis"), QString("vertical"));
        QCOMPARE(made.document.position("flip-3").x, 300.0);
    }

    void a_bypassed_node_passes_on_what_is_of_its_type() {
        const ComfyImport made = import_comfy(empty_and_repeat(4).text());
        QCOMPARE(source_of(made, "flip-3", "latent"), std::string("size-1.latent"));
        QVERIFY(fate_of(made, "2") == ComfyFate::LeftOut && !made.document.contains("repeat-2"));
    }

    void a_muted_node_takes_with_it_what_needs_it() {
        const ComfyImport made = import_comfy(empty_and_repeat(2).text());
        QCOMPARE(made.document.node_ids(), std::vector<std::string>{"size-1"});
        QCOMPARE(made.report.count(ComfyFate::LeftOut), std::size_t(2));
    }

    void reroutes_are_wires() {
        const QJsonArray in{Chain::socket("", "*", 1)}, out{Chain::output("LATENT", "LATENT")};
        Chain chain;
        chain.node(1, "EmptyLatentImage", {}, out, list({64, 64, 1}))
            .node(2, "Reroute", in, out)
            .node(4, "Reroute", {Chain::socket("", "*", 2)}, out)
            .node(3, "LatentFlip", {Chain::socket("samples", "LATENT", 3)}, out, list({"y-axis: horizontally"}))
            .link(1, 1, 0, 2, 0)
            .link(2, 2, 0, 4, 0)
            .link(3, 4, 0, 3, 0);
        const ComfyImport made = import_comfy(chain.text());
        QCOMPARE(source_of(made, "flip-3", "latent"), std::string("size-1.latent"));
        QCOMPARE(made.document.node_ids().size(), std::size_t(2));
    }

    void reroutes_in_a_circle_are_an_error() {
        Chain chain;
        chain.node(1, "Reroute", {Chain::socket("", "*", 2)}, {Chain::output("", "*")})
            .node(2, "Reroute", {Chain::socket("", "*", 1)}, {Chain::output("", "*")})
            .node(3, "LatentFlip", {Chain::socket("samples", "LATENT", 3)}, {})
            .link(1, 1, 0, 2, 0)
            .link(2, 2, 0, 1, 0)
            .link(3, 2, 0, 3, 0);
        QVERIFY(message_of(chain.text()).find("circle") != std::string::npos);
    }

    void primitives_give_their_value() {
        QJsonObject width = Chain::socket("width", "INT", 1);
        width["widget"] = QJsonObject{{"name", "width"}};
        Chain chain;
        chain.node(1, "PrimitiveNode", {}, {Chain::output("INT", "INT")}, list({320, "fixed"}))
            .node(2, "EmptyLatentImage", {width}, {Chain::output("LATENT", "LATENT")}, list({64, 96, 1}))
            .link(1, 1, 0, 2, 0, "INT");
        const ComfyImport made = import_comfy(chain.text());
        QCOMPARE(param(made, "size-2", "width"), QString("320"));
        QCOMPARE(param(made, "size-2", "height"), QString("96"));  // the widget that became a socket keeps its place
        QCOMPARE(made.document.node_ids().size(), std::size_t(1));
    }

    void constants_of_the_api_form_are_followed() {
        const ComfyImport made = import_comfy(R"({"1": {"class_type": "PrimitiveInt", "inputs": {"value": 128}},
            "2": {"class_type": "EmptyLatentImage", "inputs": {"width": ["1", 0], "height": ["3", 0]}},
            "3": {"class_type": "SomeMath", "inputs": {}}})");
        QCOMPARE(param(made, "size-2", "width"), QString("128"));
        QCOMPARE(param(made, "size-2", "height"), QString("512"));
        QCOMPARE(made.report.adjusted.size(), std::size_t(1));
        QVERIFY(made.report.adjusted[0].what.find("SomeMath 3") != std::string::npos);
    }

    void values_of_widgets_data() {
        QTest::addColumn<QByteArray>("values");
        QTest::newRow("with what happens to the seed")
            << QByteArray(R"([5, "randomize", 11, 3.5, "heun", "normal", 0.5])");
        QTest::newRow("of early 2023") << QByteArray(R"([5, true, 11, 3.5, "heun", "normal", 0.5])");
        QTest::newRow("without") << QByteArray(R"([5, 11, 3.5, "heun", "normal", 0.5])");
        QTest::newRow("by name") << QByteArray(
            R"({"seed": 5, "steps": 11, "cfg": 3.5, "sampler_name": "heun", "scheduler": "normal", "denoise": 0.5})");
    }
    void values_of_widgets() {
        QFETCH(QByteArray, values);
        const QByteArray text =
            R"({"nodes": [{"id": 3, "type": "KSampler", "widgets_values": )" + values + R"(}], "links": []})";
        const ComfyImport made = import_comfy(text);
        QCOMPARE(param(made, "sample-3", "seed"), QString("5"));
        QCOMPARE(param(made, "sample-3", "steps"), QString("11"));
        QCOMPARE(param(made, "sample-3", "guidance"), QString("3.5"));
        QCOMPARE(param(made, "sample-3", "sampler"), QString("heun"));
        QCOMPARE(param(made, "sample-3", "schedule"), QString("linspace"));
        QCOMPARE(param(made, "sample-3", "denoise"), QString("0.5"));
    }

    void large_seeds_are_exact() {
        const ComfyImport made =
            import_comfy(R"({"1": {"class_type": "KSampler", "inputs": {"seed": 18446744073709551615}},
                                                  "2": {"class_type": "KSampler", "inputs": {"seed": 1002496614778823}}})");
        QCOMPARE(param(made, "sample-1", "seed"), QString("18446744073709551615"));
        QCOMPARE(param(made, "sample-2", "seed"), QString("1002496614778823"));
    }

    void values_out_of_range_and_names_without_a_counterpart_are_told() {
        const ComfyImport made = import_comfy(
            R"({"1": {"class_type": "KSampler", "inputs": {"steps": 5000, "sampler_name": "seeds_2", "scheduler": "nobody"}}})");
        QCOMPARE(param(made, "sample-1", "steps"), QString("1000"));
        QCOMPARE(param(made, "sample-1", "sampler"), QString("dpmpp_2m_sde"));
        QCOMPARE(made.report.adjusted.size(), std::size_t(3));
    }

    void samplers_of_two_calls_keep_their_names() {
        for (const char* name : {"dpm_2", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde"}) {
            const ComfyImport made = import_comfy(QByteArray(R"({"1": {"class_type": "KSampler", "inputs": {"sampler_name": "NAME", "scheduler": "karras"}}})").replace("NAME", name));
            QCOMPARE(param(made, "sample-1", "sampler"), QString(name));
            QVERIFY(made.report.adjusted.empty());
            const QJsonObject back = export_comfy(import_comfy(prompt_text).document.set_param("sample-3", "sampler", name)).prompt;
            QVERIFY2(QJsonDocument(back).toJson().contains(QByteArray("\"sampler_name\": \"") + name + "\""), name);
        }
        QCOMPARE(param(import_comfy(R"({"1": {"class_type": "KSampler", "inputs": {"sampler_name": "dpmpp_sde_gpu"}}})"), "sample-1", "sampler"), QString("dpmpp_sde"));
    }

    void of_alternatives_in_the_editors_prompts_the_first_is_taken() {
        const ComfyImport made = import_comfy(
            R"({"nodes": [{"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a {red {heart|star}|blue} x"]}], "links": []})");
        QCOMPARE(param(made, "prompt-6", "text"), QString("a red heart x"));
        QCOMPARE(made.report.adjusted.size(), std::size_t(1));
    }

    void alternatives_that_are_not_whole_are_text() {
        for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{{"plain", "plain"},
                                                                                             {"a {b", "a {b"},
                                                                                             {"a b}", "a b}"},
                                                                                             {"{a|b} {c", "a {c"},
                                                                                             {"{x{a|b}|{c|d}}", "xa"},
                                                                                             {"\\{a|b\\}", "\\{a|b\\}"},
                                                                                             {"{{a|b}", "{a"},
                                                                                             {"{|b}c", "c"}}) {
            bool changed = false;
            QCOMPARE(first_alternatives(text, changed), expected);
        }
    }

    void a_long_chain_of_settings_is_no_trouble() {
        QJsonObject prompt{{"0", QJsonObject{{"class_type", "BasicScheduler"}, {"inputs", QJsonObject{}}}}};
        for (int i = 1; i < 90; ++i)
            prompt[QString::number(i)] = QJsonObject{
                {"class_type", "SplitSigmas"},
                {"inputs", QJsonObject{{"sigmas", QJsonArray{QString::number(i - 1), i % 2}}, {"step", 1}}}};
        prompt["x"] =
            QJsonObject{{"class_type", "SamplerCustom"}, {"inputs", QJsonObject{{"sigmas", QJsonArray{"89", 0}}}}};
        QCOMPARE(message_of(QJsonDocument(prompt).toJson()), std::string());
    }

    void subgraphs_are_expanded() {
        const ComfyImport made = import_comfy(subgraph_text);
        QCOMPARE(made.report.form, std::string("UI 1.0"));
        QCOMPARE(source_of(made, "repeat-5-7", "latent"), std::string("size-1.latent"));
        QCOMPARE(source_of(made, "flip-3", "latent"), std::string("repeat-5-7.latent"));
        QCOMPARE(param(made, "repeat-5-7", "times"), QString("9"));
        QCOMPARE(made.document.position("repeat-5-7").x, 500.0);
        QCOMPARE(problems_of(made.document), QString());
    }

    // Groups on the canvas are frames, also of subgraphs; what lies in several is in the smallest.
    // (moc takes a # in a raw string for a directive, hence \u0023.)
    void groups_become_frames() {
        const ComfyImport made = import_comfy(R"({"version": 0.4, "links": [], "groups": [
                {"title": "All", "bounding": [0, 0, 1000, 600], "color": "\u0023A1309b"},
                {"title": "Left", "bounding": [10, 10, 300, 500], "color": "\u00238A8"},
                {"title": "Beside", "bounding": [900, 0, 900, 600], "color": "red"},
                {"title": "Nothing", "bounding": [0, 2000, 50, 50]}, {"title": "Odd", "bounding": [1]}, 7],
            "nodes": [{"id": 1, "type": "EmptyLatentImage", "pos": [50, 60], "size": [200, 100], "widgets_values": [64, 64, 1]},
                {"id": 2, "type": "EmptyLatentImage", "pos": [600, 60], "size": [200, 100], "widgets_values": [64, 64, 1]},
                {"id": 3, "type": "EmptyLatentImage", "pos": [5000, 60], "widgets_values": [64, 64, 1]},
                {"id": 4, "type": "Note", "pos": {"0": 20, "1": 300}, "size": {"0": 100, "1": 60}, "widgets_values": ["said"]},
                {"id": 5, "type": "inner", "pos": [1100, 60], "size": [200, 100], "inputs": [], "outputs": []}],
            "definitions": {"subgraphs": [{"id": "inner", "links": [], "groups": [{"title": "Within", "bounding": [-50, -50, 400, 300]}],
                "nodes": [{"id": 8, "type": "EmptyLatentImage", "pos": [0, 0], "size": [200, 100], "widgets_values": [64, 64, 1]}]}]}})");
        std::map<std::string, std::pair<std::string, std::vector<std::string>>> found;      // by title: the title around, nodes
        const Frames frames = frames_of(made.document);
        for (const auto& [id, frame] : frames) found[frame.title] = {frame.around.empty() ? std::string() : frames.at(frame.around).title, frame.nodes};
        QCOMPARE(found, (std::map<std::string, std::pair<std::string, std::vector<std::string>>>{
                            {"All", {"", {"size-2"}}}, {"Left", {"All", {"note", "size-1"}}}, {"Beside", {"", {}}}, {"Within", {"Beside", {"size-5-8"}}}}));
        for (const auto& [id, frame] : frames) QCOMPARE(frame.colour, std::string(frame.title == "All" ? "#a1309b" : frame.title == "Left" ? "#88aa88" : ""));
        QCOMPARE(made.report.adjusted.size(), 1u);
        QVERIFY(made.report.adjusted.front().what.find("Nothing") != std::string::npos);
        QCOMPARE(made.document.position("size-1").x, 50.0);
    }

    // The editor's groups before it had subgraphs: two prompts of one group, the second one's text linked from outside.
    void group_nodes_are_expanded() {
        const QByteArray text = R"({"version": 0.4, "nodes": [
            {"id": 1, "type": "CheckpointLoaderSimple", "outputs": [{"name": "MODEL", "type": "MODEL"}, {"name": "CLIP", "type": "CLIP"}, {"name": "VAE", "type": "VAE"}], "widgets_values": ["m.ckpt"]},
            {"id": 2, "type": "workflow>pair", "pos": [100, 0], "inputs": [{"name": "clip", "type": "CLIP", "link": 1}, {"name": "CLIPTextEncode clip", "type": "CLIP", "link": 2},
                {"name": "text", "type": "STRING", "link": 5, "widget": {"name": "text"}}],
             "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING"}, {"name": "CLIPTextEncode CONDITIONING", "type": "CONDITIONING"}, {"name": "LATENT", "type": "LATENT"}],
             "widgets_values": ["outer", "second", 320, 64, 2, 77, "randomize"]},
            {"id": 3, "type": "KSampler", "inputs": [{"name": "model", "type": "MODEL", "link": 6}, {"name": "positive", "type": "CONDITIONING", "link": 3}, {"name": "negative", "type": "CONDITIONING", "link": 4},
                {"name": "latent_image", "type": "LATENT", "link": 7}], "outputs": [{"name": "LATENT", "type": "LATENT"}], "widgets_values": [5, "fixed", 20, 8, "euler", "normal", 1]},
            {"id": 4, "type": "PrimitiveNode", "outputs": [{"name": "STRING", "type": "STRING"}], "widgets_values": ["from outside"]}],
          "links": [[1, 1, 1, 2, 0, "CLIP"], [2, 1, 1, 2, 1, "CLIP"], [3, 2, 0, 3, 1, "CONDITIONING"], [4, 2, 1, 3, 2, "CONDITIONING"], [5, 4, 0, 2, 2, "STRING"], [6, 1, 0, 3, 0, "MODEL"], [7, 2, 2, 3, 3, "LATENT"]],
          "extra": {"groupNodes": {"pair": {"nodes": [
            {"index": 0, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "type": "CLIP", "link": null}], "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING"}], "widgets_values": ["inner one"]},
            {"index": 1, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "type": "CLIP", "link": null}], "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING"}], "widgets_values": ["inner two"]},
            {"index": 2, "type": "EmptyLatentImage", "inputs": [], "outputs": [{"name": "LATENT", "type": "LATENT"}], "widgets_values": [64, 64, 1]},
            {"index": 3, "type": "PrimitiveNode", "title": "Angle", "outputs": [{"name": "INT", "type": "INT"}], "widgets_values": [1, "fixed"]},
            {"index": 4, "type": "LatentUpscaleBy", "inputs": [{"name": "samples", "type": "LATENT"}, {"name": "scale_by", "type": "FLOAT", "widget": {"name": "scale_by"}}], "outputs": [{"name": "LATENT", "type": "LATENT"}], "widgets_values": ["bilinear", 9]}],
            "links": [[2, 0, 4, 0, 5, "LATENT"]], "external": [[2, 0, "LATENT"]]}}}})";
        // What the group shows: two texts, three numbers of the latent, the primitive and the method of enlarging.
        QByteArray values = text;
        values.replace(R"(["outer", "second", 320, 64, 2, 77, "randomize"])", R"(["outer", "second", 320, 64, 2, 77, "randomize", "area"])");
        const ComfyImport made = import_comfy(values);
        QCOMPARE(param(made, "prompt-2-0", "text"), QString("from outside"));
        QCOMPARE(param(made, "negative-2-1", "text"), QString("second"));
        QCOMPARE(param(made, "size-2-2", "width"), QString("320"));
        QCOMPARE(param(made, "size-2-2", "batch"), QString("2"));
        QCOMPARE(source_of(made, "prompt-2-0", "encoder"), std::string("model-1.encoder"));
        QCOMPARE(source_of(made, "negative-2-1", "encoder"), std::string("model-1.encoder"));
        QCOMPARE(source_of(made, "sample-3", "positive"), std::string("prompt-2-0.conditioning"));
        QCOMPARE(source_of(made, "sample-3", "negative"), std::string("negative-2-1.conditioning"));
        QCOMPARE(source_of(made, "sample-3", "latent"), std::string("size-2-2.latent"));      // read outside as well
        QCOMPARE(made.report.count(ComfyFate::Placeholder), std::size_t(0));
        QCOMPARE(problems_of(made.document), QString());
        // The older spelling; and values that fit nothing leave those of the inner nodes.
        values.replace("workflow>pair", "workflow/pair");
        QCOMPARE(param(import_comfy(values), "negative-2-1", "text"), QString("second"));
        values.replace("second", "a\", \"b");
        const ComfyImport other = import_comfy(values);
        QCOMPARE(param(other, "negative-2-1", "text"), QString("inner two"));
        QCOMPARE(param(other, "size-2-2", "width"), QString("64"));
        QVERIFY(other.report.adjusted[0].what.find("9 values fit no widgets") != std::string::npos);
    }

    void a_subgraph_within_itself_is_an_error() {
        const QByteArray text =
            R"({"nodes": [{"id": 1, "type": "s"}], "links": [], "definitions": {"subgraphs": [{"id": "s", "nodes": [{"id": 1, "type": "s"}], "links": []}]}})";
        QVERIFY(message_of(text).find("holds itself") != std::string::npos);
    }

    void unknown_nodes_become_placeholders() {
        const ComfyImport made = import_comfy(
            R"({"1": {"class_type": "Some Pack|Node", "inputs": {"amount": 0.25, "how": "so", "latent.in": ["2", 0]}},
            "2": {"class_type": "EmptyLatentImage", "inputs": {}},
            "3": {"class_type": "LatentFlip", "inputs": {"samples": ["1", 1]}}})");
        const std::string id = "Some-Pack-Node-1";
        QCOMPARE(made.document.node(id).type, std::string("comfyui.Some Pack|Node"));
        QCOMPARE(made.document.param(id, "amount").toDouble(), 0.25);
        QCOMPARE(source_of(made, id.c_str(), "latent_in"), std::string("size-2.latent"));
        QCOMPARE(source_of(made, "flip-3", "latent"), id + ".out1");
        QCOMPARE(made.report.count(ComfyFate::Placeholder), std::size_t(1));
        const std::vector<Problem> problems = validate(made.document);
        QCOMPARE(problems.size(), std::size_t(1));
        QVERIFY(problems[0].kind == ProblemKind::UnknownType && problems[0].node == id);
        QVERIFY(Document::from_json(made.document.to_json()) == made.document);
    }

    // Stable Video Diffusion: what has no counterpart keeps its sockets' names and says why, what is around it is translated.
    void video_models_become_placeholders() {
        const ComfyImport made = import_comfy(R"({
            "1": {"class_type": "ImageOnlyCheckpointLoader", "inputs": {"ckpt_name": "svd.safetensors"}},
            "2": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
            "3": {"class_type": "SVD_img2vid_Conditioning", "inputs": {"clip_vision": ["1", 1], "init_image": ["2", 0], "vae": ["1", 2], "width": 1024, "height": 576,
                  "video_frames": 14, "motion_bucket_id": 127, "fps": 6, "augmentation_level": 0.0}},
            "4": {"class_type": "VideoLinearCFGGuidance", "inputs": {"model": ["1", 0], "min_cfg": 1.0}},
            "5": {"class_type": "KSampler", "inputs": {"model": ["4", 0], "positive": ["3", 0], "negative": ["3", 1], "latent_image": ["3", 2], "seed": 1, "steps": 20,
                  "cfg": 2.5, "sampler_name": "uni_pc", "scheduler": "karras", "denoise": 1.0}},
            "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
            "7": {"class_type": "SaveAnimatedWEBP", "inputs": {"images": ["6", 0], "filename_prefix": "clip", "fps": 10.0, "lossless": false, "quality": 85, "method": "default"}},
            "8": {"class_type": "SaveAnimatedWEBP", "inputs": {"images": ["6", 0], "filename_prefix": "whole", "fps": 10.0, "lossless": true, "quality": 85, "method": "default"}},
            "9": {"class_type": "SaveWEBM", "inputs": {"images": ["6", 0], "filename_prefix": "w", "codec": "vp9", "fps": 24.0, "crf": 22.0}},
            "10": {"class_type": "SaveWEBM", "inputs": {"images": ["6", 0], "filename_prefix": "w", "codec": "av1", "fps": 24.0, "crf": 22.0}}})");
        QCOMPARE(made.report.count(ComfyFate::Placeholder), std::size_t(4));
        const std::string report = [&] {
            std::string all;
            for (const std::string& line : made.report.lines()) all += line + "\n";
            return all;
        }();
        for (const char* line : {"placeholder: ImageOnlyCheckpointLoader 1: this class has no counterpart: Heddle has no network of Stable Video Diffusion\n",
                                 "placeholder: SVD_img2vid_Conditioning 3: this class has no counterpart: Heddle has no network of Stable Video Diffusion\n",
                                 "placeholder: VideoLinearCFGGuidance 4: this class has no counterpart: guidance is the same for all frames\n",
                                 "placeholder: SaveWEBM 10: AV1 has no counterpart\n"})
            QVERIFY2(report.find(line) != std::string::npos, report.c_str());
        const std::string loader = "ImageOnlyCheckpointLoade-1", conditioning = "SVD-img2vid-Conditioning-3";
        QCOMPARE(source_of(made, conditioning.c_str(), "clip_vision"), loader + ".CLIP_VISION");
        QCOMPARE(source_of(made, conditioning.c_str(), "vae"), loader + ".VAE");
        QCOMPARE(source_of(made, "sample-5", "latent"), conditioning + ".latent");
        QCOMPARE(source_of(made, "sample-5", "model"), std::string("VideoLinearCFGGuidance-4.MODEL"));
        QCOMPARE(made.document.param(conditioning, "motion_bucket_id").toInt(), 127);
        QCOMPARE(param(made, "sample-5", "sampler"), QString("unipc_bh1"));
        for (const Problem& problem : validate(made.document)) QVERIFY2(problem.kind == ProblemKind::UnknownType || problem.kind == ProblemKind::MissingFile, problem.text().c_str());

        QCOMPARE(source_of(made, "save-7", "video"), std::string("frames-7.video"));
        QCOMPARE(source_of(made, "frames-7", "images"), std::string("decode-6.image"));
        QCOMPARE(param(made, "frames-7", "rate"), QString("10"));
        QCOMPARE(param(made, "save-7", "file"), QString("clip.webp"));
        QCOMPARE(param(made, "save-7", "quality"), QString("85"));
        QCOMPARE(param(made, "save-8", "quality"), QString("100"));
        QCOMPARE(param(made, "save-9", "file"), QString("w.webm"));
        QCOMPARE(param(made, "save-9", "quality"), QString("65"));      // as video.save has it: CRF 22
    }

    void custom_sampling_is_one_node() {
        const ComfyImport made = import_comfy(R"({
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m.ckpt"}},
            "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "x", "clip": ["1", 1]}},
            "3": {"class_type": "RandomNoise", "inputs": {"noise_seed": 42}},
            "4": {"class_type": "CFGGuider", "inputs": {"model": ["1", 0], "positive": ["2", 0], "negative": ["2", 0], "cfg": 3}},
            "5": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "dpmpp_2m"}},
            "6": {"class_type": "BasicScheduler", "inputs": {"model": ["1", 0], "scheduler": "karras", "steps": 30, "denoise": 1}},
            "7": {"class_type": "SplitSigmas", "inputs": {"sigmas": ["6", 0], "step": 10}},
            "8": {"class_type": "EmptyLatentImage", "inputs": {}},
            "9": {"class_type": "SamplerCustomAdvanced", "inputs": {"noise": ["3", 0], "guider": ["4", 0], "sampler": ["5", 0], "sigmas": ["7", 0], "latent_image": ["8", 0]}}})");
        QCOMPARE(problems_of(made.document), QString());
        QCOMPARE(made.document.node_ids().size(), std::size_t(4));
        for (const auto& [name, value] : std::vector<std::pair<const char*, const char*>>{{"seed", "42"},
                                                                                          {"guidance", "3"},
                                                                                          {"sampler", "dpmpp_2m"},
                                                                                          {"schedule", "karras"},
                                                                                          {"steps", "30"},
                                                                                          {"end_step", "10"}})
            QCOMPARE(param(made, "sample-9", name), QString(value));
        QCOMPARE(source_of(made, "sample-9", "model"), std::string("model-1.model"));
        QVERIFY(fate_of(made, "5") == ComfyFate::Folded);
    }

    void settings_that_nothing_takes_are_placeholders() {
        const ComfyImport made = import_comfy(R"({"1": {"class_type": "VPScheduler", "inputs": {}},
            "2": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
            "3": {"class_type": "SamplerCustom", "inputs": {"sampler": ["2", 0], "sigmas": ["1", 0]}}})");
        QCOMPARE(made.report.count(ComfyFate::Placeholder), std::size_t(3));
        QCOMPARE(source_of(made, "SamplerCustom-3", "sigmas"), std::string("VPScheduler-1.SIGMAS"));
    }

    void clip_skip_reaches_the_prompts() {
        const ComfyImport made = import_comfy(R"json({
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m.ckpt"}},
            "2": {"class_type": "CLIPSetLastLayer", "inputs": {"clip": ["1", 1], "stop_at_clip_layer": -2}},
            "3": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["2", 0], "lora_name": "l.safetensors"}},
            "4": {"class_type": "CLIPTextEncode", "inputs": {"text": "x embedding:word.pt, (embedding:other:1.2)", "clip": ["3", 1]}}})json");
        QCOMPARE(param(made, "prompt-4", "skip"), QString("1"));
        QCOMPARE(source_of(made, "lora-3", "encoder"), std::string("model-1.encoder"));
        // Learned words are read by nodes of their own.
        QCOMPARE(source_of(made, "prompt-4", "encoder"), std::string("word2.encoder"));
        QCOMPARE(param(made, "word", "name"), QString("word.pt"));
        QCOMPARE(param(made, "word2", "file"), QString("other.safetensors"));
        QCOMPARE(problems_of(made.document), QString());
    }

    void conditionings_that_change_the_model() {
        const ComfyImport made = import_comfy(R"({
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "inpaint.ckpt"}},
            "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "x", "clip": ["1", 1]}},
            "3": {"class_type": "LoadImage", "inputs": {"image": "a.png [input]"}},
            "4": {"class_type": "InpaintModelConditioning", "inputs": {"positive": ["2", 0], "negative": ["2", 0], "vae": ["1", 2], "pixels": ["3", 0], "mask": ["3", 1]}},
            "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "positive": ["4", 0], "negative": ["4", 1], "latent_image": ["4", 2]}},
            "6": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "c.pth"}},
            "7": {"class_type": "ControlNetApply", "inputs": {"conditioning": ["2", 0], "control_net": ["6", 0], "image": ["3", 0], "strength": 0.8999999999999999}},
            "8": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "positive": ["7", 0], "negative": ["2", 0], "latent_image": ["4", 2]}}})");
        QCOMPARE(problems_of(made.document), QString());
        QCOMPARE(source_of(made, "sample-5", "model"), std::string("inpaint-4.model"));
        QCOMPARE(source_of(made, "inpaint-4", "model"), std::string("model-1.model"));
        QCOMPARE(source_of(made, "sample-5", "positive"), std::string("prompt-2.conditioning"));
        QCOMPARE(source_of(made, "sample-5", "latent"), std::string("masked-4.latent"));
        QCOMPARE(source_of(made, "masked-4", "mask"), std::string("mask-3.mask"));
        QCOMPARE(param(made, "image-3", "file"), QString("a.png"));
        QCOMPARE(source_of(made, "sample-8", "positive"), std::string("positive-control-7.conditioning"));
        QCOMPARE(source_of(made, "sample-8", "negative"), std::string("negative-control-7.conditioning"));
        QCOMPARE(param(made, "positive-control-7", "strength"), QString("0.9"));
    }

    void files_get_names_of_their_own_and_folders() {
        const QByteArray text =
            R"({"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}, "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
                                    "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}, "4": {"class_type": "VAELoader", "inputs": {"vae_name": "v.pt"}}})";
        const ComfyImport made = import_comfy(text, {.folder = "/comfy"});
        QCOMPARE(param(made, "save-2", "file"), QString("ComfyUI.png"));
        QCOMPARE(param(made, "save-3", "file"), QString("ComfyUI-2.png"));
        QCOMPARE(param(made, "image-1", "file"), QString("/comfy/input/a.png"));
        QCOMPARE(param(made, "vae-4", "file"), QString("/comfy/models/vae/v.pt"));
    }

    void pictures_that_hold_a_workflow() {
        const QTemporaryDir folder;
        const QString path = folder.filePath("a.png");
        const auto open = [&](const QByteArray& chunks) {
            QFile file(path);
            (void)file.open(QIODevice::WriteOnly);
            file.write(png_with(chunks));
            file.close();
            return open_graph(path.toStdString());
        };
        const QByteArray compact =
            QJsonDocument::fromJson(QByteArray(prompt_text).replace("NaN", "null")).toJson(QJsonDocument::Compact);
        QCOMPARE(open(chunk("tEXt", QByteArray("prompt\0", 7) + prompt_text)).report->form, std::string("API"));
        QCOMPARE(open(chunk("iTXt", QByteArray("prompt\0\0\0\0\0", 11) + compact)).report->form, std::string("API"));
        QCOMPARE(open(chunk("iTXt", QByteArray("prompt\0\1\0\0\0", 11) + qCompress(compact).mid(4))).report->form,
                 std::string("API"));
        QCOMPARE(open(chunk("zTXt", QByteArray("prompt\0\0", 8) + qCompress(compact).mid(4))).report->form,
                 std::string("API"));
        // The editor's form has the layout; where it can not be read the other one is.
        QCOMPARE(open(chunk("tEXt", QByteArray("prompt\0", 7) + compact) +
                      chunk("tEXt", QByteArray("workflow\0", 9) + empty_and_repeat().text()))
                     .report->form,
                 std::string("UI 0.4"));
        QCOMPARE(open(chunk("tEXt", QByteArray("workflow\0{", 10)) + chunk("tEXt", QByteArray("prompt\0", 7) + compact))
                     .report->form,
                 std::string("API"));
        QCOMPARE(open(chunk("tEXt", QByteArray("parameters\0", 11) + "a cat\nSteps: 5, Seed: 3")).report->form,
                 std::string("A1111"));
        QVERIFY_THROWS_EXCEPTION(gpu::Error, open(chunk("tEXt", "prompt")));
        QVERIFY_THROWS_EXCEPTION(gpu::Error, open({}));
    }

    void malformed_files_name_the_node_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char* name, const char* text, const char* expected) {
            QTest::newRow(name) << QByteArray(text) << QByteArray(expected);
        };
        row("no JSON", "{\"nodes\": [", "line 1");
        row("another object", R"({"a": 1})", "expected a ComfyUI workflow");
        row("a list", "[1, 2]", "expected a JSON object");
        row("class of a wrong kind", R"({"3": {"class_type": 5}})", "node 3");
        row("inputs of a wrong kind", R"({"3": {"class_type": "A", "inputs": []}})", "node 3");
        row("node without a type", R"({"nodes": [{"id": 8}], "links": []})", "node 8");
        row("node without an id", R"({"nodes": [{"type": "A"}], "links": []})", "expected an id");
        row("ids twice", R"({"nodes": [{"id": 8, "type": "A"}, {"id": 8, "type": "A"}], "links": []})", "node 8");
        row("short link", R"({"nodes": [{"id": 8, "type": "A"}], "links": [[1, 2]]})", "links");
        row("bad socket", R"({"nodes": [{"id": 8, "type": "A"}], "links": [[1, 8, -3, 8, 0, "X"]]})", "link 1");
        row("links of a wrong kind", R"({"nodes": [], "links": 5})", "links");
        row("sockets of a wrong kind", R"({"nodes": [{"id": 8, "type": "A", "inputs": 3}], "links": []})", "node 8");
    }
    void malformed_files_name_the_node() {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, expected);
        const std::string message = message_of(text);
        QVERIFY2(message.find(expected.constData()) != std::string::npos, message.c_str());
    }

    // Truncated anywhere, with bytes changed, with members of wrong kinds: an error or a document, never more.
    void damaged_files_never_crash() {
        std::mt19937 random(7);
        for (const QByteArray& whole : {prompt_text, empty_and_repeat(4).text(), subgraph_text}) {
            for (qsizetype length = 0; length < whole.size(); length += 5) (void)message_of(whole.left(length));
            for (int round = 0; round < 400; ++round) {
                QByteArray text = whole;
                for (int change = 0; change < 3; ++change)
                    text[static_cast<qsizetype>(random() % static_cast<unsigned>(text.size()))] =
                        "\"{}[]:,0-9nx\\"[random() % 13];
                (void)message_of(text);
            }
        }
        const QJsonObject prompt = QJsonDocument::fromJson(QByteArray(prompt_text).replace("NaN", "null")).object();
        for (const QJsonValue& odd :
             {QJsonValue(), QJsonValue(true), QJsonValue(-1e300), QJsonValue("x"), QJsonValue(QJsonArray{1}),
              QJsonValue(QJsonArray{"3", 0}), QJsonValue(QJsonObject{{"a", 1}})})
            for (const QString& id : prompt.keys())
                for (const QString& input : prompt[id].toObject()["inputs"].toObject().keys()) {
                    QJsonObject changed = prompt, node = prompt[id].toObject(), inputs = node["inputs"].toObject();
                    inputs[input] = odd;
                    node["inputs"] = inputs;
                    changed[id] = node;
                    QCOMPARE(message_of(QJsonDocument(changed).toJson()), std::string());
                }
    }

    void exports_what_it_imports() {
        const ComfyImport made = import_comfy(prompt_text);
        const ComfyExport back = export_comfy(made.document);
        QVERIFY(back.notes.empty());
        const ComfyImport again = import_comfy(QJsonDocument(back.prompt).toJson());
        QCOMPARE(again.report.count(ComfyFate::Mapped), std::size_t(7));
        QVERIFY(again.report.adjusted.empty());
        for (const auto& [id, entry] : back.prompt.toVariantMap().toStdMap())
            if (entry.toMap()["class_type"] == "KSampler") {
                const QVariantMap inputs = entry.toMap()["inputs"].toMap();
                QCOMPARE(inputs["sampler_name"].toString(), QString("euler"));
                QCOMPARE(inputs["scheduler"].toString(), QString("karras"));
                QCOMPARE(inputs["steps"].toInt(), 12);
                QCOMPARE(inputs["model"].toList().size(), 2);
            }
        // Placeholders become what they were.
        const ComfyImport odd = import_comfy(
            R"({"1": {"class_type": "SomeNode", "inputs": {"amount": 2}}, "2": {"class_type": "LatentFlip", "inputs": {"samples": ["1", 3]}}})");
        const QJsonObject prompt = export_comfy(odd.document).prompt;
        QCOMPARE(prompt["1"].toObject()["class_type"].toString(), QString("SomeNode"));
        QCOMPARE(prompt["2"].toObject()["inputs"].toObject()["samples"].toArray()[1].toInt(), 3);
    }

    void pictures_are_flipped_turned_and_scaled() {
        const QByteArray text = R"({
            "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
            "2": {"class_type": "ImageFlip", "inputs": {"image": ["1", 0], "flip_method": "x-axis: vertically"}},
            "3": {"class_type": "ImageFlip", "inputs": {"image": ["2", 0], "flip_method": "y-axis: horizontally"}},
            "4": {"class_type": "ImageRotate", "inputs": {"image": ["3", 0], "rotation": "270 degrees"}},
            "5": {"class_type": "ImageRotate", "inputs": {"image": ["4", 0], "rotation": "none"}},
            "6": {"class_type": "ImageScaleBy", "inputs": {"image": ["5", 0], "upscale_method": "bilinear", "scale_by": 1.5}},
            "7": {"class_type": "ImageScaleToMaxDimension", "inputs": {"image": ["6", 0], "upscale_method": "lanczos", "largest_size": 96}},
            "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0]}}})";
        const ComfyImport made = import_comfy(text);
        QVERIFY(made.report.adjusted.empty());
        QCOMPARE(problems_of(made.document), QString());
        QCOMPARE(param(made, "flip-2", "mirror"), QString("vertical"));
        QCOMPARE(param(made, "flip-3", "mirror"), QString("horizontal"));
        QCOMPARE(param(made, "rotate-4", "angle").toDouble(), 270.0);
        QCOMPARE(param(made, "rotate-4", "canvas"), QString("grow"));      // the sides change places
        QVERIFY(!made.document.contains("rotate-5"));
        QCOMPARE(source_of(made, "resize-6", "image"), std::string("rotate-4.image"));
        QCOMPARE(param(made, "resize-6", "scale").toDouble(), 1.5);
        QCOMPARE(param(made, "resize-7", "by"), QString("longest"));
        QCOMPARE(param(made, "resize-7", "side").toInt(), 96);

        const ComfyExport back = export_comfy(made.document);
        std::map<std::string, QVariantMap> flips;
        for (const auto& [id, entry] : back.prompt.toVariantMap().toStdMap()) {
            const QVariantMap inputs = entry.toMap()["inputs"].toMap();
            if (entry.toMap()["class_type"] == "ImageRotate") QCOMPARE(inputs["rotation"].toString(), QString("270 degrees"));
            if (entry.toMap()["class_type"] == "ImageFlip") flips[inputs["flip_method"].toString().toStdString()] = inputs;
        }
        QCOMPARE(flips.size(), std::size_t(2));
        QVERIFY(flips.contains("x-axis: vertically") && flips.contains("y-axis: horizontally"));
        const ComfyImport again = import_comfy(QJsonDocument(back.prompt).toJson());
        QCOMPARE(again.document.links().size(), made.document.links().size());
        // Half a turn by -180 degrees is one; what is no quarter turn, or does more, is told.
        QVERIFY(!export_comfy(made.document.set_param("rotate-4", "angle", -180)).prompt.isEmpty());
        for (const auto& [name, value] : std::vector<std::pair<const char*, QJsonValue>>{{"angle", 45}, {"scale", 2}, {"canvas", "keep"}, {"mirror", "vertical"}})
            QVERIFY_THROWS_EXCEPTION(gpu::Error, export_comfy(made.document.set_param("rotate-4", name, value)));
    }

    void exports_what_belongs_to_another_node() {
        const QByteArray text = R"({
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m.ckpt"}},
            "2": {"class_type": "CLIPSetLastLayer", "inputs": {"clip": ["1", 1], "stop_at_clip_layer": -2}},
            "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "x embedding:word", "clip": ["2", 0]}},
            "4": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
            "5": {"class_type": "VAEEncodeForInpaint", "inputs": {"pixels": ["4", 0], "vae": ["1", 2], "mask": ["4", 1]}},
            "6": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "positive": ["3", 0], "negative": ["3", 0],
                  "latent_image": ["5", 0], "sampler_name": "ddim"}}})";
        const ComfyImport made = import_comfy(text);
        const ComfyImport again = import_comfy(QJsonDocument(export_comfy(made.document).prompt).toJson());
        QCOMPARE(problems_of(again.document), QString());
        QCOMPARE(again.document.node_ids().size(), made.document.node_ids().size());
        QCOMPARE(again.document.links().size(), made.document.links().size());
    }

    void inpainting_models_are_told_by_their_name() {
        const QByteArray text = R"({
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "512-inpainting-ema.ckpt"}},
            "4": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
            "5": {"class_type": "VAEEncodeForInpaint", "inputs": {"pixels": ["4", 0], "vae": ["1", 2], "mask": ["4", 1]}},
            "6": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "latent_image": ["5", 0]}}})";
        const ComfyImport made = import_comfy(text);
        QCOMPARE(source_of(made, "sample-6", "model"), std::string("inpaint-5-6.model"));
        QCOMPARE(source_of(made, "inpaint-5-6", "image"), std::string("image-4.image"));
        QCOMPARE(source_of(made, "sample-6", "latent"), std::string("encode-5.latent"));
    }

    void export_names_what_does_not_map() {
        const Document document = Document()
                                      .add_node("image.noise", "grain")
                                      .add_node("image.save", "save")
                                      .connect({"grain", "image"}, {"save", "image"});
        try {
            (void)export_comfy(document);
            QFAIL("expected an error");
        } catch (const gpu::Error& error) {
            QVERIFY2(error.message().find("grain: image.noise has no counterpart") != std::string::npos, error.what());
        }
    }

    void infotext() {
        const ComfyImport made = import_infotext(
            "a (cat:1.2), <lora:style:0.7> window\nwith light\nNegative prompt: bad, worse\n"
            "Steps: 25, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 1234567890123, Size: 512x768, Model hash: abc, "
            "Model: dream, "
            "Clip skip: 2, Lora hashes: \"style: 0, b: 1\", Hires upscale: 2");
        QCOMPARE(problems_of(made.document), QString());
        QCOMPARE(param(made, "prompt", "text"), QString("a (cat:1.2),  window\nwith light"));
        QCOMPARE(param(made, "negative", "text"), QString("bad, worse"));
        QCOMPARE(param(made, "sample", "sampler"), QString("dpmpp_2m"));
        QCOMPARE(param(made, "sample", "schedule"), QString("karras"));
        QCOMPARE(param(made, "sample", "seed"), QString("1234567890123"));
        QCOMPARE(param(made, "size", "height"), QString("768"));
        QCOMPARE(param(made, "prompt", "skip"), QString("1"));
        QCOMPARE(param(made, "lora", "strength"), QString("0.7"));
        QCOMPARE(made.report.adjusted.size(), std::size_t(1));
        QVERIFY_THROWS_EXCEPTION(gpu::Error, (void)import_infotext("just words"));
        for (const auto& [theirs, ours] : {std::pair{"DPM2", "dpm_2"}, {"DPM2 a Karras", "dpm_2_ancestral"}, {"DPM++ 2S a", "dpmpp_2s_ancestral"}, {"DPM++ SDE Karras", "dpmpp_sde"}}) {
            const ComfyImport other = import_infotext(std::string("words\nSteps: 9, Sampler: ") + theirs + ", CFG scale: 5, Seed: 1, Size: 64x64, Model: m");
            QCOMPARE(param(other, "sample", "sampler"), QString(ours));
            QVERIFY(other.report.adjusted.empty());
        }
    }

    void the_command_converts_and_reports() {
        const QTemporaryDir folder;
        const auto heddle = [&](const QStringList& arguments) {
            QProcess process;
            process.setWorkingDirectory(folder.path());
            process.start(QStringLiteral(HEDDLE_BINARY), arguments);
            process.waitForFinished(20000);
            return std::pair{process.exitCode(), process.readAllStandardOutput()};
        };
        const auto write = [&](const char* name, const QByteArray& text) {
            QFile file(folder.filePath(name));
            return file.open(QIODevice::WriteOnly) && file.write(text) == text.size();
        };
        QVERIFY(write("in.json", prompt_text));
        const auto [status, out] = heddle({"convert", "in.json", "out.heddle"});
        QCOMPARE(status, 0);
        QVERIFY(out.contains("API: 7 nodes translated, 0 without a counterpart") && out.contains("wrote out.heddle"));
        const QJsonObject told =
            QJsonDocument::fromJson(heddle({"convert", "in.json", "out.heddle", "--json"}).second).object();
        QCOMPARE(told["import"].toObject()["nodes"].toArray().size(), 7);
        QCOMPARE(heddle({"validate", "in.json"}).first, 4);  // the model is not there
        QCOMPARE(heddle({"convert", "out.heddle", "back.json", "--comfy"}).first, 0);
        QVERIFY(is_comfy_text(read(folder.filePath("back.json"))));
        QCOMPARE(heddle({"convert", "out.heddle", "back.txt", "--comfy"}).first, 2);
        QVERIFY(write("odd.json", R"({"1": {"class_type": "Odd", "inputs": {}}})"));
        QCOMPARE(heddle({"validate", "odd.json"}).first, 3);
        QCOMPARE(heddle({"run", "odd.json", "--no-cache"}).first, 3);
        QVERIFY(write("bad.json", R"({"1": {"class_type": 3}})"));
        QCOMPARE(heddle({"convert", "bad.json", "bad.heddle"}).first, 4);
        QVERIFY(!QFile::exists(folder.filePath("bad.heddle")));
    }

    // Workflows that others made.
    void published_workflows() {
        const QString folder = QString::fromStdString(shared_dir()) + "/real/comfyui";
        if (shared_dir().empty() || !QDir(folder).exists()) QSKIP("shared/real/comfyui is not here");
        for (const QString& name : QDir(folder).entryList(QDir::Files)) {
            const OpenedGraph made = open_graph((folder + "/" + name).toStdString());
            QVERIFY2(made.report, qPrintable(name));
            // What a placeholder takes part in may miss something; all else is whole.
            if (made.report->count(ComfyFate::Placeholder) == 0)
                QVERIFY2(problems_of(made.document).isEmpty(), qPrintable(name + "\n" + problems_of(made.document)));
            QVERIFY(Document::from_json(made.document.to_json()) == made.document);
            // A group is a frame, or told to be left out.
            const auto groups = QJsonDocument::fromJson(read(folder + "/" + name)).object()["groups"].toArray().size();
            const auto told = std::ranges::count(made.report->adjusted, "group", &ComfyReport::Adjustment::type);
            QCOMPARE(static_cast<qsizetype>(frames_of(made.document).size()) + told, groups);
        }
    }

    // The editor's file and what it sent to the server are the same graph.
    void both_forms_of_a_workflow_agree() {
        const QString folder = QString::fromStdString(shared_dir()) + "/real/comfyui";
        if (shared_dir().empty() || !QDir(folder).exists()) QSKIP("shared/real/comfyui is not here");
        int compared = 0;
        for (const QString& name : QDir(folder).entryList({"*.workflow.json"}, QDir::Files)) {
            const QString other = QString(name).replace(".workflow.", ".prompt.");
            if (!QFile::exists(folder + "/" + other)) continue;
            const Document a = import_comfy(read(folder + "/" + name)).document,
                           b = import_comfy(read(folder + "/" + other)).document;
            for (const std::string& id : b.node_ids()) {
                QVERIFY2(a.contains(id), qPrintable(name + ": " + QString::fromStdString(id)));
                if (a.node(id).type.starts_with(comfy_placeholder)) continue;
                QVERIFY2(a.node(id).params == b.node(id).params, qPrintable(name + ": " + QString::fromStdString(id)));
            }
            QCOMPARE(a.links().size() >= b.links().size(), true);
            ++compared;
        }
        QVERIFY(compared > 0);
    }

    void the_docs_page_lists_the_table() {
        const QString page = QString::fromUtf8(read(QStringLiteral(HEDDLE_SOURCE_DIR "/resources/docs/comfyui.md")));
        for (const auto& [name, entry] : comfy_classes()) {
            if (!entry.mapped()) continue;
            QString made;
            for (const ComfyPart& part : entry.parts)
                if (!part.type.empty() && !made.contains("`" + QString::fromStdString(part.type) + "`"))
                    made += (made.isEmpty() ? "`" : ", `") + QString::fromStdString(part.type) + "`";
            if (entry.folded()) made = "settings";
            if (made.isEmpty()) made = entry.constant.empty() ? "a wire" : "a value";
            const QString row = QString("| `%1` | %2 | %3 |\n")
                                    .arg(QString::fromStdString(name), made, QString::fromStdString(entry.note));
            QVERIFY2(page.contains(row), qPrintable("resources/docs/comfyui.md: expected the row " + row));
        }
    }
};

}  // namespace tests

using tests::ComfyTest;
HEDDLE_TEST(comfy, ComfyTest)
#include "comfy.moc"
