// Text encoders as nodes: what PyTorch computed (tests/golden/clip/make_clip.py), and the rules of prompts in closed form.
#include <QDir>
#include <QTemporaryDir>
#include <cmath>
#include <filesystem>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/clip/chunks.h"
#include "nodes/models/clip/embedding.h"
#include "nodes/models/clip/encode.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/clip/load.h"
#include "nodes/types/text.h"
#include "tests/support/compare.h"
#include "tests/support/error_of.h"
#include "tests/support/golden.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::message_of;
using tests::relative_error;

namespace {

const tests::Golden golden("clip");

const Encoder& encoder(const std::string& file = "sd1.safetensors") {
    static std::map<std::string, Encoder> known;
    auto at = known.find(file);
    if (at == known.end()) at = known.emplace(file, load_text_encoder({golden.file(file)})).first;
    return at->second;
}

Conditioning encode(const Encoder& with, const std::vector<std::string>& prompts, PromptDialect dialect, int steps = 10) {
    return encode_prompt(with, prompts, {.dialect = dialect, .steps = steps}).conditioning;
}

Tensor context(const std::string& prompt, PromptDialect dialect = PromptDialect::Plain, const Encoder& with = encoder()) {
    return encode(with, {prompt}, dialect).entries.at(0).context;
}

// Weights beside the tokens of each chunk, start and padding left out: "the cat:1.1 | dog".
std::string table(const std::string& prompt, PromptDialect dialect, const Encoder& with = encoder()) {
    std::string text = token_table(with, prompt, {.dialect = dialect, .steps = 10});
    if (!text.empty()) text.pop_back();
    return text;
}

void save(const std::string& path, const std::map<std::string, std::pair<gpu::Shape, std::vector<float>>>& tensors, const std::map<std::string, std::string>& metadata = {}) {
    std::vector<gpu::TensorEntry> entries;
    for (const auto& [name, tensor] : tensors) entries.push_back({.name = name, .shape = tensor.first, .bytes = std::as_bytes(std::span(tensor.second))});
    gpu::save_safetensors(path, entries, metadata);
}

// The row of the token table for a word of one token.
std::vector<float> row_of(const Encoder& with, std::size_t tower, const std::string& word) {
    const TextTower& one = *with.towers()[tower].tower;
    const auto id = static_cast<std::size_t>(one.tokens(word).at(0)), width = static_cast<std::size_t>(one.info().width);
    const std::vector<float> all = gpu::entry_floats(one.weights().at("text_model.embeddings.token_embedding.weight").entry);
    return {all.begin() + static_cast<std::ptrdiff_t>(id * width), all.begin() + static_cast<std::ptrdiff_t>((id + 1) * width)};
}

class AddToNorm final : public WeightPatch {
public:
    std::string summary() const override { return "adds to the final norm"; }
    bool touches(const std::string& name) const override { return name == "text_model.final_layer_norm.bias"; }
    Tensor apply(const std::string&, const Tensor& weight) const override { return weight + 3.0; }
};

constexpr PromptDialect comfy = PromptDialect::Comfy, a1111 = PromptDialect::A1111, plain = PromptDialect::Plain;

}  // namespace

class TextTest : public QObject {
    Q_OBJECT
private slots:
    void nodes_agree_with_pytorch() {
        const QJsonObject file{{"file", QString::fromStdString(golden.file("sd1.safetensors"))}};
        const Value loaded = tests::run_node("text.encoder_load", file).outputs.at("encoder");
        for (const char* dialect : {"comfy", "a1111", "plain"}) {
            const tests::NodeRun run = tests::run_node("text.encode", {{"text", "the cat  DOG"}, {"dialect", dialect}}, {{"encoder", loaded}});
            const Conditioning& made = run.get<Conditioning>("conditioning");
            QCOMPARE(made.entries.size(), 1u);
            QVERIFY(relative_error(made.entries[0].context, golden.expected("small.last")) < 1e-5);
            QVERIFY(!made.entries[0].pooled);
            QCOMPARE(run.get<std::string>("tokens"), std::string("clip: the cat dog\n"));
        }
        const auto skipped = tests::run_node("text.encode", {{"text", "the cat dog"}, {"skip", 1}}, {{"encoder", loaded}});
        QVERIFY(relative_error(skipped.get<Conditioning>("conditioning").entries[0].context, golden.expected("small.skipped")) < 1e-5);
        QVERIFY(tests::failure_of("text.encode", {{"text", "cat"}, {"skip", 3}}, {{"encoder", loaded}}) == gpu::ErrorCode::InvalidGraph);
        // A connected prompt wins over the parameter.
        const auto linked = tests::run_node("text.encode", {{"text", "red"}}, {{"encoder", loaded}, {"prompt", Value::of<std::string>("the cat dog")}});
        QVERIFY(relative_error(linked.get<Conditioning>("conditioning").entries[0].context, golden.expected("small.last")) < 1e-5);
    }

    void sdxl_joins_two_encoders() {
        const QJsonObject file{{"file", QString::fromStdString(golden.file("sdxl.safetensors"))}};
        const Value loaded = tests::run_node("text.encoder_load", file).outputs.at("encoder");
        const Tensor both = gpu::concat({golden.expected("small.penultimate"), golden.expected("large.penultimate")}, 2);
        // The first pads with the end token, the second with token 0.
        const auto one = tests::run_node("text.encode", {{"text", "the cat dog"}}, {{"encoder", loaded}}).get<Conditioning>("conditioning").entries.at(0);
        QVERIFY(relative_error(one.context, both) < 1e-5);
        QVERIFY(relative_error(one.pooled, golden.expected("large.projected")) < 1e-5);
        const auto two = tests::run_node("text.encode_sdxl", {{"text_l", "the cat dog"}, {"text_g", "red"}, {"width", 640}, {"height", 480}, {"top", 3}, {"target_width", 512}},
                                         {{"encoder", loaded}}).get<Conditioning>("conditioning").entries.at(0);
        QVERIFY(relative_error(gpu::slice(two.context, 2, 0, 8), golden.expected("small.penultimate")) < 1e-5);
        QVERIFY(relative_error(gpu::slice(two.context, 2, 8, 20), golden.expected("large.penultimate")) > 0.1);
        QVERIFY(two.size.width == 640 && two.size.height == 480 && two.size.top == 3 && two.size.left == 0 && two.size.target_width == 512);
        // A long prompt for one encoder fills up the other.
        const auto uneven = encode(*loaded.get<Encoder>(), {std::string(80 * 4, ' '), "the cat dog"}, plain).entries[0];
        QCOMPARE(uneven.context.size(1), 77);
        std::string words;
        for (int i = 0; i < 80; ++i) words += "the ";
        QCOMPARE(encode(*loaded.get<Encoder>(), {words, "the cat dog"}, plain).entries[0].context.size(1), 154);
        const Value small = Value::of(encoder());
        QVERIFY(tests::failure_of("text.encode_sdxl", {}, {{"encoder", small}}) == gpu::ErrorCode::InvalidGraph);
    }

    void families_use_towers_in_their_way() {
        QCOMPARE(encoder().family(), std::string("sd1"));
        QCOMPARE(encoder("sdxl.safetensors").family(), std::string("sdxl"));
        // SD 2: the penultimate state under the final norm. The same tower in OpenCLIP's layout, activation and padding of its kind.
        const auto second = [&](const std::string& family) {
            return load_text_encoder({golden.file("sd1.safetensors")}, {.family = family, .hints = {.activation = ClipActivation::QuickGelu}});
        };
        const Encoder sd2 = second("sd2");
        QCOMPARE(sd2.towers()[0].tower->info().pad, 0);
        QVERIFY(sd2.drop(0) == 1 && sd2.towers()[0].norm);
        // Only what stands before the padding is the same: attention is causal.
        QVERIFY(relative_error(gpu::slice(context("the cat dog", plain, sd2), 1, 0, 5), gpu::slice(golden.expected("small.skipped"), 1, 0, 5)) < 1e-5);
        // The place in a checkpoint tells the family.
        const gpu::Weights& large = encoder("sdxl.safetensors").towers()[1].tower->weights();
        QTemporaryDir folder;
        const std::string path = folder.filePath("checkpoint.safetensors").toStdString();
        for (const auto& [prefix, family] : {std::pair("cond_stage_model.model.", "sd2"), {"conditioner.embedders.0.model.", "sdxl-refiner"}}) {
            std::vector<gpu::TensorEntry> entries;
            const gpu::Weights named = clip_text_file_weights(large, ClipLayout::OpenClip, prefix);
            for (const auto& [name, weight] : named) entries.push_back(weight.entry);
            gpu::save_safetensors(path, entries);
            const Encoder made = load_text_encoder({path}, {.tokenizer = golden.file("merges.txt")});
            QCOMPARE(made.family(), std::string(family));
            QCOMPARE(made.towers()[0].norm, made.family() == "sd2");
            const auto entry = encode(made, {"the cat dog"}, plain).entries[0];
            if (made.family() == "sd2") continue;
            QVERIFY(relative_error(entry.context, golden.expected("large.penultimate")) < 1e-5);
            QVERIFY(relative_error(entry.pooled, golden.expected("large.projected")) < 1e-5);
        }
        const std::string refiner = message_of([&] { second("sdxl-refiner"); });
        QVERIFY2(refiner.find("expected text_projection") != std::string::npos, refiner.c_str());
        const std::string one = message_of([&] { second("sdxl"); });
        QVERIFY2(one.find("expected two text encoders of CLIP for sdxl, got 1") != std::string::npos, one.c_str());
        const std::string none = message_of([&] { load_text_encoder({golden.file("vision.safetensors")}); });
        QVERIFY2(none.find("expected a text encoder of CLIP, alone or in a checkpoint, got an image encoder") != std::string::npos, none.c_str());
    }

    void comfy_weights_start_from_the_empty_prompt() {
        const Tensor z = context("the cat dog"), e = context("");
        std::vector<float> weights(77, 1);
        weights[2] = 1.5F;
        weights[3] = 0.5F;
        const Tensor w = gpu::tensor(weights, {1, 77, 1});
        QVERIFY(relative_error(context("the (cat:1.5) (dog:0.5)", comfy), e + w * (z - e)) < 1e-5);
        QVERIFY(relative_error(context("the (cat:1.5) (dog:0.5)", comfy), z) > 1e-2);
    }

    void a1111_weights_keep_the_mean() {
        const Tensor z = context("the cat dog");
        std::vector<float> weights(77, 1);
        weights[2] = 1.5F;
        const Tensor scaled = z * gpu::tensor(weights, {1, 77, 1});
        QVERIFY(relative_error(context("the (cat:1.5) dog", a1111), scaled * (gpu::mean(z) / gpu::mean(scaled))) < 1e-5);
        QVERIFY(relative_error(context("the cat dog", a1111), z) < 1e-6);
        // Each chunk has a mean of its own; one without weights stays.
        const Tensor two = context("the (cat:1.5) dog BREAK red", a1111);
        QVERIFY(relative_error(gpu::slice(two, 1, 77, 154), context("red")) < 1e-5);
        QVERIFY(relative_error(gpu::slice(two, 1, 0, 77), context("the (cat:1.5) dog", a1111)) < 1e-5);
        // The mean is that of all texts of a schedule, which has "cat" in 7 of 10 steps.
        const auto entries = encode(encoder(), {"[(cat:2):red:7]"}, a1111).entries;
        std::vector<float> twice(77, 1);
        twice[1] = 2;
        const Tensor cat = context("cat"), red = context("red"), cats = cat * gpu::tensor(twice, {1, 77, 1});
        // Two entries of the schedule, as the original counts them, not ten steps.
        const Tensor ratio = (gpu::mean(cat) + gpu::mean(red)) / (gpu::mean(cats) + gpu::mean(red));
        QVERIFY(relative_error(entries.at(0).context, cats * ratio) < 1e-5);
        QVERIFY(relative_error(entries.at(1).context, red * ratio) < 1e-5);
    }

    void long_prompts_become_chunks() {
        std::string words;
        for (int i = 0; i < 80; ++i) words += "the ";
        const std::string first = words.substr(0, 75 * 4), rest = words.substr(75 * 4);
        for (const PromptDialect dialect : {comfy, a1111, plain}) {
            const Tensor made = context(words, dialect);
            QCOMPARE(made.shape(), (gpu::Shape{1, 154, 8}));
            QVERIFY(relative_error(gpu::slice(made, 1, 0, 77), context(first)) < 1e-5);
            QVERIFY(relative_error(gpu::slice(made, 1, 77, 154), context(rest)) < 1e-5);
        }
        QVERIFY(relative_error(context("the BREAK cat", a1111), gpu::concat({context("the"), context("cat")}, 1)) < 1e-5);
        QCOMPARE(context("", a1111).size(1), 77);
    }

    void chunks_end_where_the_dialects_say() {
        const auto repeated = [](const char* word, int times) {
            std::string text;
            for (int i = 0; i < times; ++i) text += word;
            return text;
        };
        const auto lengths = [&](const std::string& prompt, PromptDialect dialect) {
            std::string text;
            for (const TextChunk& chunk : text_chunks(*encoder().towers()[0].tower, {}, QString::fromStdString(prompt), dialect)) {
                const int end = encoder().towers()[0].tower->info().end;
                const auto at = std::find_if(chunk.tokens.begin(), chunk.tokens.end(), [&](const TextToken& token) { return token.id == end; });
                text += (text.empty() ? "" : " ") + std::to_string(at - chunk.tokens.begin() - 1);
                if (chunk.tokens.size() != 77 || chunk.weights.size() != 77) return std::string("wrong size");
            }
            return text;
        };
        // comfy: a part of less than 8 tokens moves as a whole, a longer one is split.
        QCOMPARE(lengths(repeated("the ", 70) + "(" + repeated("cat ", 7) + ":1.2)", comfy), std::string("70 7"));
        QCOMPARE(lengths(repeated("the ", 70) + "(" + repeated("cat ", 8) + ":1.2)", comfy), std::string("75 3"));
        QCOMPARE(lengths(repeated("the ", 75), comfy), std::string("75"));
        // a1111: back to a comma within 20 tokens.
        QCOMPARE(lengths(repeated("the ", 60) + "," + repeated("cat ", 20), a1111), std::string("61 20"));
        QCOMPARE(lengths(repeated("the ", 50) + "," + repeated("cat ", 30), a1111), std::string("75 6"));
        QCOMPARE(lengths(repeated("the ", 60) + "," + repeated("cat ", 20), plain), std::string("75 6"));
    }

    void schedules_and_alternatives_become_entries() {
        const auto entries = encode(encoder(), {"[the:cat:0.3] dog"}, a1111).entries;
        QCOMPARE(entries.size(), 2u);
        QVERIFY(entries[0].start == 0 && entries[0].end == 0.3 && entries[1].start == 0.3 && entries[1].end == 1);
        QVERIFY(relative_error(entries[0].context, context("the dog")) < 1e-5);
        QVERIFY(relative_error(entries[1].context, context("cat dog")) < 1e-5);

        const auto turns = encode(encoder(), {"[the|cat]"}, a1111, 4).entries;
        QCOMPARE(turns.size(), 4u);
        QVERIFY(turns[0].context.same_as(turns[2].context) && turns[1].start == 0.25 && turns[1].end == 0.5);

        const EncodedPrompt both = encode_prompt(encoder(), {"the AND cat BREAK dog:0.5"}, {.dialect = a1111});
        QCOMPARE(both.conditioning.entries.size(), 2u);
        QCOMPARE(both.conditioning.entries[1].strength, 0.5);
        // As many tokens: the last one of the shorter again and again.
        const Tensor& padded = both.conditioning.entries[0].context;
        QCOMPARE(padded.size(1), 154);
        QVERIFY(relative_error(gpu::slice(padded, 1, 153, 154), gpu::slice(context("the"), 1, 76, 77)) < 1e-5);
        QVERIFY(both.warnings.size() == 1 && both.warnings[0].find("averaged by their weights") != std::string::npos);
        QVERIFY(encode_prompt(encoder(), {"the <lora:x:1>"}, {.dialect = a1111}).warnings.at(0).starts_with("<lora:x:1> was left out"));
        QVERIFY_EXCEPTION_THROWN(encode(encoder("sdxl.safetensors"), {"the AND cat", "dog"}, a1111), gpu::Error);
    }

    // A learned word whose vectors are rows of the table is the words themselves.
    void learned_words_stand_for_tokens() {
        TextEmbedding word{{"my-style", "<s1>"}, {}};
        for (const char* one : {"cat", "dog"}) word.rows[8].push_back(std::make_shared<const std::vector<float>>(row_of(encoder(), 0, one)));
        const Encoder with = encoder().with(word);
        const Tensor wanted = context("the cat dog red");
        QVERIFY(relative_error(context("the embedding:my-style red", comfy, with), wanted) < 1e-6);
        QVERIFY(relative_error(context("the\nembedding:MY-STYLE, red", comfy, with), context("the cat dog, red")) < 1e-6);
        QVERIFY(relative_error(context("the my-style red", a1111, with), wanted) < 1e-6);
        QVERIFY(relative_error(context("the <s1> red", plain, with), wanted) < 1e-6);
        QVERIFY(relative_error(context("the my-style red", comfy, with), wanted) > 1e-3);         // the bare name is text there
        QVERIFY(relative_error(context("the (embedding:my-style:1.3)", comfy, with), context("the (cat dog:1.3)", comfy)) < 1e-5);
        QCOMPARE(table("the (<s1>:1.5)", a1111, with), std::string("clip: the <learned>:1.5 <learned>:1.5"));
        const EncodedPrompt missing = encode_prompt(with, {"the embedding:nope cat"}, {.dialect = comfy});
        QVERIFY(missing.warnings.at(0).starts_with("embedding:nope was left out"));
        QVERIFY(relative_error(missing.conditioning.entries[0].context, context("the cat")) < 1e-6);

        TextEmbedding other{{"wide"}, {{5, {std::make_shared<const std::vector<float>>(5, 0.0F)}}}};
        const std::string message = message_of([&] { encoder().with(other); });
        QVERIFY2(message.find("expected vectors of width 8 (clip) for an encoder of sd1, got 5") != std::string::npos, message.c_str());
    }

    void embedding_files_data() {
        QTest::addColumn<QString>("form");
        QTest::addColumn<QString>("expected");
        QTest::newRow("diffusers, one vector") << "one" << "<cat>,word: 8x1";
        QTest::newRow("diffusers, several tensors") << "several" << "<cat>,word: 8x3";
        QTest::newRow("emb_params") << "params" << "word: 8x2";
        QTest::newRow("SDXL") << "sdxl" << "word: 8x2 12x2";
        QTest::newRow("cloneofsimo") << "lora" << "<s1>,word: 8x1; <s2>,word_1: 8x1";
        QTest::newRow("a model") << "model" << "BadFile";
        QTest::newRow("too many") << "many" << "BadFile";
    }
    void embedding_files() {
        QFETCH(QString, form);
        QFETCH(QString, expected);
        const std::vector<float> one(8, 0.5F), two(16, 0.25F), wide(24, 1), many(8 * 76, 1);
        QTemporaryDir folder;
        const std::string path = folder.filePath("word.safetensors").toStdString();
        if (form == "one") save(path, {{"<cat>", {{8}, one}}});
        if (form == "several") save(path, {{"<cat>", {{8}, one}}, {"<cat>_1", {{8}, one}}, {"<cat>_2", {{1, 8}, one}}});
        if (form == "params") save(path, {{"emb_params", {{2, 8}, two}}});
        if (form == "sdxl") save(path, {{"clip_l", {{2, 8}, two}}, {"clip_g", {{2, 12}, wide}}});
        if (form == "lora")
            save(path, {{"<s1>", {{8}, one}}, {"<s2>", {{8}, one}}, {"unet:0:up", {{8, 2}, two}}}, {{"<s1>", "<embed>"}, {"<s2>", "<embed>"}, {"unet:0:rank", "2"}});
        if (form == "model") save(path, {{"text_model.a.weight", {{2, 8}, two}}, {"text_model.b.weight", {{2, 8}, two}}});
        if (form == "many") save(path, {{"<cat>", {{76, 8}, many}}});
        QString got;
        try {
            for (const TextEmbedding& word : read_text_embeddings(gpu::open_checkpoint(path))) {
                QStringList names, rows;
                for (const std::string& name : word.names) names << QString::fromStdString(name);
                for (const auto& [width, vectors] : word.rows) rows << QString("%1x%2").arg(width).arg(vectors.size());
                got += (got.isEmpty() ? "" : "; ") + names.join(',') + ": " + rows.join(' ');
            }
        } catch (const gpu::Error& error) {
            got = error.code() == gpu::ErrorCode::BadFile ? "BadFile" : "another error";
        }
        QCOMPARE(got, expected);
    }
    void embedding_of_webui() {
        const auto words = read_text_embeddings(gpu::open_checkpoint(HEDDLE_SOURCE_DIR "/tests/golden/pickle/embedding.pt"));
        QCOMPARE(words.size(), 1u);
        QCOMPARE(words[0].rows.begin()->first, 4);
        QVERIFY(!words[0].names.empty());
    }
    void embedding_node_extends_the_encoder() {
        QTemporaryDir folder;
        const std::string path = folder.filePath("feline.safetensors").toStdString();
        save(path, {{"clip_l", {{1, 8}, row_of(encoder("sdxl.safetensors"), 0, "cat")}}, {"clip_g", {{1, 12}, row_of(encoder("sdxl.safetensors"), 1, "cat")}}});
        const Value plain_encoder = Value::of(encoder("sdxl.safetensors"));
        const auto run = tests::run_node("text.embedding_load", {{"file", QString::fromStdString(path)}}, {{"encoder", plain_encoder}});
        QCOMPARE(run.get<std::string>("names"), std::string("feline\n"));
        QVERIFY(run.warnings.empty());
        QVERIFY(relative_error(context("the feline", plain, run.get<Encoder>("encoder")), context("the cat", plain, encoder("sdxl.safetensors"))) < 1e-6);
        // Vectors of one encoder alone: the other does without, and that is said.
        const auto half = tests::run_node("text.embedding_load", {{"file", QString::fromStdString(path)}, {"name", "puss"}}, {{"encoder", Value::of(encoder())}});
        QVERIFY(half.warnings.empty());
        save(path, {{"<x>", {{8}, row_of(encoder(), 0, "cat")}}});
        const auto one = tests::run_node("text.embedding_load", {{"file", QString::fromStdString(path)}}, {{"encoder", plain_encoder}});
        QCOMPARE(one.warnings.size(), 1u);
        save(path, {{"<x>", {{5}, {1, 2, 3, 4, 5}}}});
        QVERIFY(tests::failure_of("text.embedding_load", {{"file", QString::fromStdString(path)}}, {{"encoder", plain_encoder}}) == gpu::ErrorCode::InvalidGraph);
    }
    void embeddings_of_a_published_lora() {
        const std::string path = tests::shared_dir() + "/real/lora/lora_disney.safetensors";
        if (tests::shared_dir().empty() || !std::filesystem::exists(path)) QSKIP("shared/real/lora is not there");
        const auto words = read_text_embeddings(gpu::open_checkpoint(path));
        QCOMPARE(words.size(), 2u);
        for (const TextEmbedding& word : words) QVERIFY(word.rows.contains(768) && word.rows.at(768).size() == 1);
        QCOMPARE(words[0].names[0] + words[1].names[0], std::string("<s1><s2>"));
    }

    void weight_patches_change_the_tower() {
        const Tensor before = context("the cat"), after = context("the cat", plain, encoder().with(0, std::make_shared<const AddToNorm>()));
        QVERIFY(relative_error(after, before + 3.0) < 1e-5);
        QVERIFY_EXCEPTION_THROWN(encoder().with(1, std::make_shared<const AddToNorm>()), gpu::Error);
    }

    void finds_the_tokenizer() {
        QTemporaryDir folder;
        const QDir root(folder.path());
        for (const char* sub : {"model/text_encoder", "model/tokenizer", "data/heddle/tokenizers", "empty"}) QVERIFY(root.mkpath(sub));
        const std::string base = folder.path().toStdString(), file = base + "/model/text_encoder/model.safetensors";
        std::filesystem::copy_file(golden.file("sd1.safetensors"), file);
        const QByteArray home = qgetenv("XDG_DATA_HOME"), system = qgetenv("XDG_DATA_DIRS");
        qputenv("XDG_DATA_HOME", (base + "/empty").c_str());
        qputenv("XDG_DATA_DIRS", (base + "/empty").c_str());
        const std::string none = message_of([&] { load_text_encoder({file}); });
        std::filesystem::copy_file(golden.file("merges.txt"), base + "/data/heddle/tokenizers/merges.txt");
        qputenv("XDG_DATA_HOME", (base + "/data").c_str());
        const std::vector<std::string> files{file};
        const std::string in_data = find_merges(files);
        std::filesystem::copy_file(golden.file("merges.txt"), base + "/model/tokenizer/merges.txt");
        const std::string in_model = find_merges(files);
        home.isEmpty() ? qunsetenv("XDG_DATA_HOME") : qputenv("XDG_DATA_HOME", home);
        system.isEmpty() ? qunsetenv("XDG_DATA_DIRS") : qputenv("XDG_DATA_DIRS", system);
        QVERIFY2(none.starts_with(gpu::to_string(gpu::ErrorCode::MissingFile)) && none.find("merges.txt lies in the folder \"tokenizer\" of every SD 1.x") != std::string::npos, none.c_str());
        QCOMPARE(in_data, base + "/data/heddle/tokenizers/merges.txt");
        QVERIFY(std::filesystem::equivalent(in_model, base + "/model/tokenizer/merges.txt"));
        QCOMPARE(load_text_encoder({file}).family(), std::string("sd1"));
        // A tokenizer with more tokens than the table has rows.
        std::filesystem::remove(base + "/model/tokenizer/merges.txt");
        QFile longer(folder.filePath("longer.txt"));
        QVERIFY(longer.open(QIODevice::WriteOnly));
        longer.write("#version\n");
        for (char a = 'a'; a <= 'z'; ++a) longer.write(QByteArray(1, a) + " z\n");
        longer.close();
        const std::string message = message_of([&] { load_text_encoder({file}, {.tokenizer = longer.fileName().toStdString()}); });
        QVERIFY2(message.find("expected a tokenizer of 523 tokens or fewer") != std::string::npos, message.c_str());
    }

    void vision_nodes() {
        const QJsonObject file{{"file", QString::fromStdString(golden.file("vision.safetensors"))}, {"heads", 2}, {"activation", "gelu"}};
        const Value tower = tests::run_node("vision.load", file).outputs.at("vision");
        const Value picture = tests::run_node("image.checker", {{"width", 40}, {"height", 24}}).outputs.at("image");
        const auto run = tests::run_node("vision.encode", {}, {{"image", picture}, {"vision", tower}});
        QCOMPARE(run.get<Tensor>("embedding").shape(), (gpu::Shape{1, 6}));
        QCOMPARE(run.get<Tensor>("penultimate").shape(), (gpu::Shape{1, 17, 8}));
        const VisionTower& model = *tower.get<Vision>()->tower;
        QVERIFY(relative_error(model(golden.expected("vision.picture")).projected, golden.expected("vision.projected")) < 1e-5);
        const auto padded = tests::run_node("vision.encode", {{"fit", "pad"}}, {{"image", picture}, {"vision", tower}});
        QVERIFY(relative_error(padded.get<Tensor>("embedding"), run.get<Tensor>("embedding")) > 1e-3);
        QVERIFY(tests::failure_of("vision.load", {{"file", QString::fromStdString(golden.file("sd1.safetensors"))}}) == gpu::ErrorCode::BadFile);
    }
};

HEDDLE_TEST(text, TextTest)
#include "text.moc"
