#include "nodes/core/node.h"
#include "nodes/models/clip/load.h"
#include "nodes/models/source/source.h"

namespace nodes {
namespace {

enum class Prediction { Auto, Epsilon, V, Sample };

struct ModelLoad final : Node {
    ModelLoad() : Node({.id = "model.load", .version = 1, .title = "Load Model", .category = "Load",
                        .help = "Reads a whole model: a checkpoint of SD 1.x, 2.x, SDXL, its refiner or a smaller copy, or a diffusers folder. Files are mapped, "
                                "weights are read when something is computed with them. For a UNet alone: Load UNet."}) {}

    Param<FilePath>    file      {this, "file", "A checkpoint (safetensors, ckpt), a folder with a model_index.json, or that file",
                                  {.filter = "Models (*.safetensors *.ckpt *.pt *.pth *.bin *.gguf model_index.json);;All files (*)"}};
    Param<Prediction>  prediction{this, "prediction", "What the network predicts; auto goes by the folder's scheduler, by the file's own words, and for SD 2 by a guess",
                                  {.initial = Prediction::Auto, .names = {"auto", "epsilon", "v", "sample"}, .advanced = true}};
    Param<FilePath>    tokenizer {this, "tokenizer", "merges.txt or bpe_simple_vocab_16e6.txt.gz; empty: found beside the model or in the data folder",
                                  {.filter = "Merges (*.txt *.txt.gz);;All files (*)", .required = false, .advanced = true}};
    Param<std::string> variant   {this, "variant", "The precision to take where a folder has several: \"fp16\"", {.advanced = true}};
    Param<Activations> activations{this, "activations", "What lies between the network's layers; auto is f16 for weights of 16 or fewer bits on a GPU with matrix units, else f32. "
                                   "Text encoders and the autoencoder are computed in f32",
                                   {.initial = Activations::Auto, .names = activation_names(), .advanced = true}};
    Out<Model>         model     {this, "model", "The network"};
    Out<Encoder>       encoder   {this, "encoder", "Its text encoders"};
    Out<Vae>           vae       {this, "vae", "Its autoencoder"};

    void compute(Eval& ev) const override {
        try {
            const ModelSource source = open_model_source(ev[file].path, ev[variant]);
            std::optional<PredictionType> type;
            if (ev[prediction] != Prediction::Auto) type = static_cast<PredictionType>(static_cast<int>(ev[prediction]) - 1);
            const Model loaded = load_model(source, type).with_activations(ev[activations]);
            const std::string family = loaded.info().family == "pico" ? "" : loaded.info().family;
            std::vector<gpu::Checkpoint> texts;
            for (const auto& files : source.text) texts.insert(texts.end(), files.begin(), files.end());
            gpu::check(!texts.empty(), gpu::ErrorCode::BadFile, "{}: expected a text encoder, got none: Load UNet reads the rest", source.path);
            ev.set(encoder, make_text_encoder(texts, {.family = family, .tokenizer = ev[tokenizer].path}));
            ev.set(vae, load_model_vae(source));
            ev.set(model, loaded);
        } catch (const gpu::Error& error) {
            ev.fail(file, error.code(), "{}", error.what());
        }
    }
};

}  // namespace

REGISTER_NODE(model_load, ModelLoad)

}  // namespace nodes
