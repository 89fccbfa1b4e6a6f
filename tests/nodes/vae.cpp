// KL and VQ autoencoders: both layouts against what PyTorch computed (tests/golden/vae/make_vae.py), with host kernels and
// without; names in both directions, tiles, the nodes. Cases of the reference where the shared data is there.
#include <QFile>
#include <QTemporaryDir>
#include <cmath>
#include <filesystem>

#include "gpu/base/switches.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"
#include "nodes/conform/conform.h"
#include "nodes/models/taesd/taesd.h"
#include "nodes/models/vae/kl.h"
#include "nodes/models/vae/load.h"
#include "nodes/models/vae/tiles.h"
#include "nodes/models/vae/vq.h"
#include "nodes/types/image.h"
#include "tests/support/compare.h"
#include "tests/support/error_of.h"
#include "tests/support/golden.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::message_of;
using tests::relative_error;
using tests::failure_of;
using tests::run_node;

namespace {

const tests::Golden golden("vae");

gpu::Weights kl_weights() {
    gpu::Weights weights;
    add_kl_weights(weights, gpu::open_checkpoint(golden.file("kl.safetensors")));
    return weights;
}

// Smooth numbers, so that tiles of one picture have much in common.
gpu::Tensor waves(const gpu::Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(gpu::element_count(shape)));
    const auto w = static_cast<std::size_t>(shape[3]), plane = w * static_cast<std::size_t>(shape[2]);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(std::sin(0.21 * double(i % w) + 0.7 * double(i / plane)) * std::cos(0.17 * double(i % plane / w)));
    return gpu::tensor(values, shape);
}

}  // namespace

class VaeTest : public QObject {
    Q_OBJECT
private slots:
    void agrees_with_pytorch_data() {
        QTest::addColumn<bool>("host");
        QTest::newRow("host") << true;
        QTest::newRow("shaders") << false;
    }
    void agrees_with_pytorch() {
        QFETCH(bool, host);
        const gpu::ScopedSwitch switched(&gpu::Switches::host, host);
        const KlAutoencoder kl(kl_weights(), latent_format("sd1", 4));
        const KlAutoencoder::Moments moments = kl.moments(golden.expected("image"));
        QVERIFY(relative_error(moments.mean, golden.expected("kl.mean")) < 1e-5);
        QVERIFY(relative_error(moments.logvar, golden.expected("kl.logvar")) < 1e-5);
        QVERIFY(relative_error(kl.decode_raw(golden.expected("latent")), golden.expected("kl.decoded")) < 1e-5);

        gpu::Weights weights;
        add_vae_weights(weights, gpu::open_checkpoint(golden.file("vq.safetensors")));
        const VqAutoencoder vq(std::move(weights), {.channels = 0});
        QCOMPARE(vq.format().channels, 3);
        const gpu::Tensor latent = vq.encode_raw(golden.expected("image"));
        QVERIFY(relative_error(latent, golden.expected("vq.latent")) < 1e-5);
        QCOMPARE(gpu::to_floats(gpu::cast(vq.indices(latent), gpu::Dtype::F32)), gpu::to_floats(golden.expected("vq.indices")));
        QVERIFY(relative_error(vq.decode_raw(latent), golden.expected("vq.decoded")) < 1e-5);
        QVERIFY(relative_error(vq.decode_indices(vq.indices(latent)), golden.expected("vq.decoded")) < 1e-5);
    }

    // Pictures are 0..1 and latents scaled outside the network.
    void scale_and_range() {
        const Vae vae = make_kl_autoencoder(kl_weights(), latent_format("sd1", 4));
        QCOMPARE(vae->format().factor, 4);
        const gpu::Tensor picture = (golden.expected("image") + 1.0) / 2.0;
        QVERIFY(relative_error(vae->encode(picture), golden.expected("kl.mean") * 0.18215) < 1e-5);
        QVERIFY(relative_error(vae->decode(golden.expected("latent") * 0.18215), golden.expected("kl.decoded") / 2.0 + 0.5) < 1e-5);
        const Autoencoder::Posterior posterior = vae->posterior(picture);
        const gpu::Tensor sample = posterior.sample(gpu::full({2, 4, 4, 6}, 2.0));
        QVERIFY(relative_error(sample, 0.18215 * (golden.expected("kl.mean") + 2.0 * gpu::exp(0.5 * golden.expected("kl.logvar")))) < 1e-5);
        const LatentFormat flux{.family = "flux", .channels = 4, .scale = 0.3611, .shift = 0.1159};
        QVERIFY(relative_error(make_kl_autoencoder(kl_weights(), flux)->encode(picture), (golden.expected("kl.mean") - 0.1159) * 0.3611) < 1e-5);
    }

    void names_go_both_ways() {
        const VaeNames names(4);
        const std::pair<const char*, const char*> rows[] = {
            {"encoder.conv_in.weight", "encoder.conv_in.weight"},
            {"encoder.norm_out.bias", "encoder.conv_norm_out.bias"},
            {"encoder.down.2.block.1.nin_shortcut.weight", "encoder.down_blocks.2.resnets.1.conv_shortcut.weight"},
            {"encoder.down.0.downsample.conv.bias", "encoder.down_blocks.0.downsamplers.0.conv.bias"},
            {"encoder.down.3.attn.0.proj_out.weight", "encoder.down_blocks.3.attentions.0.to_out.0.weight"},
            {"decoder.up.3.block.0.norm1.weight", "decoder.up_blocks.0.resnets.0.norm1.weight"},
            {"decoder.up.1.upsample.conv.weight", "decoder.up_blocks.2.upsamplers.0.conv.weight"},
            {"decoder.mid.attn_1.q.weight", "decoder.mid_block.attentions.0.to_q.weight"},
            {"decoder.mid.block_2.conv2", "decoder.mid_block.resnets.1.conv2"},
            {"quantize.embedding.weight", "quantize.embedding.weight"}};
        for (const auto& [ldm, diffusers] : rows) {
            QCOMPARE(names.diffusers(ldm), std::string(diffusers));
            QCOMPARE(names.ldm(diffusers), std::string(ldm));
        }
        QCOMPARE(names.ldm("decoder.mid_block.attentions.0.proj_attn.bias"), std::string("decoder.mid.attn_1.proj_out.bias"));
        QCOMPARE(names.ldm("encoder.down_blocks.0.resnets.0.time_emb_proj.weight"), std::string());
        QCOMPARE(names.ldm("encoder.down_blocks.9.resnets.0.norm1.weight"), std::string());
    }

    // Saved in one layout and read again, everything is as before.
    void layouts_round_trip_data() {
        QTest::addColumn<bool>("diffusers");
        QTest::addColumn<QString>("prefix");
        QTest::newRow("ldm") << false << "first_stage_model.";
        QTest::newRow("ldm, bare") << false << "";
        QTest::newRow("diffusers") << true << "";
        QTest::newRow("diffusers, vae.") << true << "vae.";
    }
    void layouts_round_trip() {
        QFETCH(bool, diffusers);
        QFETCH(QString, prefix);
        const gpu::Weights weights = kl_weights();
        QTemporaryDir folder;
        const std::string path = folder.filePath("saved.safetensors").toStdString();
        gpu::save_safetensors(path, vae_entries(weights, diffusers ? VaeLayout::Diffusers : VaeLayout::Ldm, prefix.toStdString()));
        const gpu::Checkpoint file = gpu::open_checkpoint(path);
        const gpu::TensorEntry* q = file.find(prefix.toStdString() + (diffusers ? "encoder.mid_block.attentions.0.to_q.weight" : "encoder.mid.attn_1.q.weight"));
        QVERIFY(q != nullptr);
        QCOMPARE(q->shape.size(), std::size_t(diffusers ? 2 : 4));
        QVERIFY(is_kl_autoencoder(file));
        gpu::Weights again;
        add_kl_weights(again, file);
        QCOMPARE(again.size(), weights.size());
        for (const auto& [name, weight] : weights) {
            QVERIFY2(again.contains(name), name.c_str());
            QCOMPARE(again.at(name).entry.shape, weight.entry.shape);
            QVERIFY(std::equal(weight.entry.bytes.begin(), weight.entry.bytes.end(), again.at(name).entry.bytes.begin()));
        }
    }

    void halves_and_other_sizes() {
        gpu::Weights encoder, decoder;
        for (const auto& [name, weight] : kl_weights()) (name.starts_with("encoder.") || name.starts_with("quant") ? encoder : decoder).emplace(name, weight);
        const KlAutoencoder first(encoder, {.channels = 0}), second(decoder, {.channels = 0});
        QVERIFY(first.can_encode() && !first.can_decode() && !second.can_encode() && second.can_decode());
        QCOMPARE(second.format().channels, 4);
        QVERIFY(relative_error(second.decode_raw(golden.expected("latent")), golden.expected("kl.decoded")) < 1e-5);
        QVERIFY_EXCEPTION_THROWN(first.decode_raw(golden.expected("latent")), gpu::Error);
        // Sixteen channels without the 1x1 convolutions, as SD 3 and Flux have them.
        const VaeConfig config = vae_config({8, 16}, 16, 1);
        QVERIFY(!config.quant_conv);
        const KlAutoencoder drawn(gpu::Scope::random(3), config, latent_format("flux", 16));
        QCOMPARE(drawn.encode(waves({1, 3, 8, 12})).shape(), (gpu::Shape{1, 16, 4, 6}));
        QCOMPARE(drawn.decode(waves({1, 16, 3, 5})).shape(), (gpu::Shape{1, 3, 6, 10}));
    }

    void says_what_is_wrong() {
        gpu::Weights weights = kl_weights();
        weights.erase("decoder.mid.attn_1.k.weight");
        weights.emplace("decoder.mid.attn_1.extra.weight", weights.at("decoder.conv_in.weight"));
        const std::string keys = message_of([&] { make_kl_autoencoder(weights, {.channels = 0}); });
        QVERIFY2(keys.find("missing: decoder.mid.attn_1.k.weight") != std::string::npos, keys.c_str());
        QVERIFY2(keys.find("unexpected: decoder.mid.attn_1.extra.weight") != std::string::npos, keys.c_str());
        const std::string kind = message_of([] {
            gpu::Weights into;
            add_kl_weights(into, gpu::open_checkpoint(golden.file("vq.safetensors")));
        });
        QVERIFY2(kind.find("expected a KL autoencoder, got a VQ model") != std::string::npos, kind.c_str());
        const std::string other = message_of([] { load_vae(golden.file("expected.safetensors")); });
        QVERIFY2(other.find("expected an autoencoder") != std::string::npos && other.find("got tensors such as") != std::string::npos, other.c_str());
        QTemporaryDir folder;
        const std::string path = folder.filePath("unet.safetensors").toStdString();
        gpu::TensorEntry entry = weights.at("decoder.conv_in.weight").entry;
        entry.name = "model.diffusion_model.input_blocks.0.0.weight";
        gpu::save_safetensors(path, std::span(&entry, 1));
        const std::string unet = message_of([&] { load_vae(path); });
        QVERIFY2(unet.find("got tensors such as model.diffusion_model.") != std::string::npos, unet.c_str());
        QVERIFY(message_of([] { load_vae("/no/such/file"); }).starts_with(gpu::to_string(gpu::ErrorCode::MissingFile)));
        const std::string channels = message_of([] { make_kl_autoencoder(kl_weights(), latent_format("flux", 16)); });
        QVERIFY2(channels.find("expected 16 latent channels for flux, got 4") != std::string::npos, channels.c_str());
    }

    void load_recognises() {
        QCOMPARE(load_vae(golden.file("kl.safetensors"))->summary(), std::string("KL autoencoder, 4 channels, sd1"));
        QCOMPARE(load_vae(golden.file("kl.safetensors"), "sdxl")->format().scale, 0.13025);
        QCOMPARE(load_vae(golden.file("vq.safetensors"))->summary(), std::string("VQ autoencoder, 12 codes of 3 channels"));
        QVERIFY(load_vae(HEDDLE_SOURCE_DIR "/tests/golden/taesd/plain.safetensors")->summary().starts_with("tiny autoencoder, 4 channels"));
        QVERIFY(!load_vae(HEDDLE_SOURCE_DIR "/tests/golden/taesd/pooled_decoder.safetensors")->can_encode());
        // A name, and a config.json beside the file, say whose latents these are.
        QTemporaryDir folder;
        const std::string path = folder.filePath("sdxl_vae.safetensors").toStdString();
        std::filesystem::copy_file(golden.file("kl.safetensors"), path);
        QCOMPARE(load_vae(path)->format().family, std::string("sdxl"));
        QFile config(folder.filePath("config.json"));
        QVERIFY(config.open(QIODevice::WriteOnly));
        config.write(R"({"scaling_factor": 0.18215, "norm_num_groups": 4})");
        config.close();
        const Vae configured = load_vae(path);
        QCOMPARE(configured->format().family, std::string("sd1"));
        QCOMPARE(static_cast<const KlAutoencoder*>(configured.model.get())->config().groups, 4);
    }

    // Away from seams a model without norms gives the very same values; every pixel is near.
    void tiles_of_a_tiny_autoencoder() {
        const Vae vae = load_taesd(HEDDLE_SOURCE_DIR "/tests/golden/taesd/plain.safetensors", "");
        const gpu::Tensor latent = waves({1, 4, 56, 72});
        const gpu::Tensor whole = vae->decode(latent);
        int steps = 0;
        const gpu::Tensor tiled = decode_in_tiles(*vae.model, latent, {.tiles = Tiles::On, .side = 384, .overlap = 128, .progress = [&](auto, auto) { ++steps; }});
        QCOMPARE(steps, 4);      // 48 cells a tile: rows 0 and 8, columns 0 and 24
        const std::vector<float> a = gpu::to_floats(whole), b = gpu::to_floats(tiled);
        double inside = 0, everywhere = 0;
        for (int c = 0; c < 3; ++c)
            for (int y = 0; y < 448; ++y)
                for (int x = 0; x < 576; ++x) {
                    const auto at = static_cast<std::size_t>((c * 448 + y) * 576 + x);
                    const double difference = std::abs(double(a[at]) - b[at]);
                    everywhere = std::max(everywhere, difference);
                    // The field of view of the decoder is below 20 cells: what only the first tile shows, and sees whole.
                    if (y < 8 * 8 && x < 24 * 8) inside = std::max(inside, difference);
                }
        QVERIFY2(inside < 1e-5, qPrintable(QString::number(inside)));
        QVERIFY2(everywhere < 0.02, qPrintable(QString::number(everywhere)));
        QVERIFY(everywhere > 0);      // it did work in tiles
        const gpu::Tensor picture = gpu::clamp(whole, 0, 1);
        QVERIFY(relative_error(encode_in_tiles(*vae.model, picture, {.tiles = Tiles::On, .side = 384, .overlap = 128}).mean, vae->encode(picture)) < 0.02);
    }

    // Batches go picture by picture, and give what the batch gives.
    void batches_and_samples() {
        const Vae vae = load_vae(golden.file("kl.safetensors"));
        const gpu::Tensor picture = (golden.expected("image") + 1.0) / 2.0;
        const Autoencoder::Posterior one = encode_in_tiles(*vae.model, picture), all = vae->posterior(picture);
        QVERIFY(relative_error(one.mean, all.mean) < 1e-5 && relative_error(one.deviation, all.deviation) < 1e-5);

        const Value vae_value = Value::of(vae), image = Value::of(make_image(picture));
        const auto encode = [&](const QJsonObject& params) { return run_node("vae.encode", params, {{"image", image}, {"vae", vae_value}}).get<Latent>("latent").tensor; };
        QVERIFY(relative_error(encode({}), all.mean) < 1e-5);
        const gpu::Tensor first = encode({{"mode", "sample"}, {"seed", 1}}), again = encode({{"mode", "sample"}, {"seed", 1}}), second = encode({{"mode", "sample"}, {"seed", 2}});
        QCOMPARE(gpu::to_floats(first), gpu::to_floats(again));
        QVERIFY(relative_error(first, second) > 1e-3);
        // What was added is normal noise of the posterior's deviation.
        double mean = 0, square = 0;
        const std::vector<float> noise = gpu::to_floats((first - all.mean) / all.deviation);
        for (const float each : noise) {
            mean += each / double(noise.size());
            square += double(each) * each / double(noise.size());
        }
        QVERIFY2(std::abs(mean) < 0.25 && std::abs(square - 1) < 0.4, qPrintable(QString("%1 %2").arg(mean).arg(square)));
    }

    // The attention of 4096 cells, 512 channels: scores of all pairs would take 64 MiB more than what else there is (five maps of 8 MiB).
    void attention_keeps_no_scores_data() { agrees_with_pytorch_data(); }
    void attention_keeps_no_scores() {
        QFETCH(bool, host);
        const gpu::ScopedSwitch switched(&gpu::Switches::host, host);
        const VaeAttention attention(gpu::Scope::empty(), 512, vae_config());
        const gpu::MemoryForecast need = gpu::forecast({attention(waves({1, 512, 64, 64}))});
        QVERIFY2(need.arena < (64U << 20), qPrintable(QString::number(need.arena >> 20)));
    }

    // Auto goes on in tiles where the budget is too small for the whole, and says so.
    void memory_makes_tiles() {
        const KlAutoencoder model(gpu::Scope::random(5), vae_config({8, 16}, 4, 1), latent_format("sd1", 4));
        const gpu::Tensor latent = waves({1, 4, 256, 256});
        gpu::evaluate({latent});
        gpu::Device& device = gpu::Device::current();
        const std::uint64_t need = gpu::forecast({model.decode(latent + 0.0)}).peak;
        std::vector<std::string> said;
        TileOptions options{.side = 128, .overlap = 32, .warn = [&](const std::string& message) { said.push_back(message); }};
        device.set_budget(need / 7);
        std::string failure;
        gpu::Tensor tiled;
        try {
            tiled = decode_in_tiles(model, latent + 0.0, options);
        } catch (const gpu::Error& error) {
            failure = error.what();
        }
        options.tiles = Tiles::Off;
        const std::string refused = message_of([&] { decode_in_tiles(model, latent + 0.0, options); });
        device.set_budget(0);
        const gpu::Tensor whole = model.decode(latent);      // now: the room that it takes would serve again
        QVERIFY2(failure.empty(), failure.c_str());
        QCOMPARE(said.size(), std::size_t(1));
        QVERIFY2(said[0].find("goes on in tiles of 128 px") != std::string::npos, said[0].c_str());
        QVERIFY2(refused.starts_with(gpu::to_string(gpu::ErrorCode::OutOfMemory)), refused.c_str());
        QCOMPARE(tiled.shape(), whole.shape());
        QVERIFY(relative_error(tiled, whole) < 0.2);
    }

    // Saved by the node, in another layout and type, and loaded again.
    void saves() {
        QTemporaryDir folder;
        const Value vae = run_node("vae.load", {{"file", QString::fromStdString(golden.file("kl.safetensors"))}}).outputs.at("vae");
        const gpu::Tensor before = vae.get<Vae>()->model->encode((golden.expected("image") + 1.0) / 2.0);
        for (const char* type : {"same", "f32", "bf16"}) {
            const QString path = folder.filePath(QString("%1.safetensors").arg(type));
            const auto saved = run_node("vae.save", {{"file", path}, {"layout", "diffusers"}, {"prefix", "vae."}, {"type", type}}, {{"vae", vae}});
            QCOMPARE(saved.wrote.size(), std::size_t(1));
            const gpu::Checkpoint file = gpu::open_checkpoint(path.toStdString());
            QCOMPARE(gpu::type_name(*file.find("vae.decoder.up_blocks.0.resnets.0.conv1.weight")), std::string(QString(type) == "same" ? "F16" : type == std::string("f32") ? "F32" : "BF16"));
            const double error = relative_error(load_vae(path.toStdString())->encode((golden.expected("image") + 1.0) / 2.0), before);
            QVERIFY2(error < (QString(type) == "bf16" ? 2e-2 : 1e-6), qPrintable(QString::number(error)));
        }
        const Value tiny = Value::of(load_vae(HEDDLE_SOURCE_DIR "/tests/golden/taesd/plain.safetensors"));
        QVERIFY(failure_of("vae.save", {{"file", folder.filePath("no.safetensors")}}, {{"vae", tiny}}) == gpu::ErrorCode::InvalidGraph);
    }

    // A photograph through a trained autoencoder, whole and in tiles of a third: no seam is seen.
    void tiles_of_a_photograph() {
        const QString real = QString::fromStdString(tests::shared_dir()) + "/real/";
        if (tests::shared_dir().empty() || !QFile::exists(real + "tae/taef1_encoder.safetensors")) QSKIP("shared/real/tae is not there");
        const Vae vae = load_taesd((real + "tae/taef1_encoder.safetensors").toStdString(), (real + "tae/taef1_decoder.safetensors").toStdString());
        const Image photo = run_node("image.load", {{"file", real + "images/girl_256.png"}}).get<Image>("image");
        const gpu::Tensor latent = vae->encode(photo.color());
        const gpu::Tensor whole = gpu::clamp(vae->decode(latent), 0, 1);
        const gpu::Tensor tiled = gpu::clamp(decode_in_tiles(*vae.model, latent, {.tiles = Tiles::On, .side = 128, .overlap = 48}), 0, 1);
        const double decoded = -10 * std::log10(gpu::to_number(gpu::mean(gpu::square(tiled - whole))));
        const gpu::Tensor tiled_latent = encode_in_tiles(*vae.model, photo.color(), {.tiles = Tiles::On, .side = 128, .overlap = 48}).mean;
        const double encoded = relative_error(tiled_latent, latent);
        // How much steeper the picture is across the middles of overlaps than whole: 1 is no seam.
        const gpu::Tensor slope_tiled = gpu::abs(gpu::slice(tiled, 3, 1, 256) - gpu::slice(tiled, 3, 0, 255)), slope_whole = gpu::abs(gpu::slice(whole, 3, 1, 256) - gpu::slice(whole, 3, 0, 255));
        double worst = 0;
        for (const int x : {64, 80, 96, 128, 144, 160, 176})      // borders and middles of the overlaps
            worst = std::max(worst, gpu::to_number(gpu::mean(gpu::slice(slope_tiled, 3, x - 1, x))) / gpu::to_number(gpu::mean(gpu::slice(slope_whole, 3, x - 1, x))));
        qInfo("decode in tiles: PSNR %.1f dB, slope at seams %.3f of the whole's; encode: relative L2 %.4f", decoded, worst, encoded);
        QVERIFY(decoded > 40 && worst < 1.1 && encoded < 0.05);
    }

    // Cases that a reference implementation computed.
    void conforms_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"vae-kl", "vq", "vae-svd"}) QTest::newRow(name) << name;
    }
    void conforms() {
        QFETCH(QString, name);
        if (tests::shared_dir().empty()) QSKIP("shared/conformance is not there");
        const std::string folder = tests::shared_dir() + "/conformance/" + name.toStdString();
        if (!std::filesystem::exists(folder)) QSKIP(qPrintable("shared/conformance/" + name + " is not there"));
        for (const ConformRow& row : run_conform_case(load_conform_case(folder)).rows)
            QVERIFY2(row.rel_l2 < 1e-5, qPrintable(QString("%1: relative L2 %2").arg(row.output.c_str()).arg(row.rel_l2)));
    }
};

HEDDLE_TEST(vae, VaeTest)
#include "vae.moc"
