#include "nodes/core/node.h"
#include "nodes/models/source/source.h"

namespace nodes {
namespace {

enum class Prediction { Auto, Epsilon, V, Sample };

struct ModelLoadUnet final : Node {
    ModelLoadUnet() : Node({.id = "model.load_unet", .version = 1, .title = "Load UNet", .category = "Load",
                            .help = "Reads the UNet of SD 1.x, 2.x, SDXL, its refiner or LCM from a file of its own (ldm's or diffusers' names, "
                                    "quantised GGUF too), from a checkpoint, or from a folder. Sizes are read off the weights."}) {}

    Param<FilePath>    file      {this, "file", "The weights: a file, an index of several, or a folder with a config.json",
                                  {.filter = "Weights (*.safetensors *.gguf *.ckpt *.pth *.pt *.bin *.index.json model_index.json);;All files (*)"}};
    Param<Prediction>  prediction{this, "prediction", "What the network predicts; auto goes by the folder's scheduler, by the file's own words, and for SD 2 by a guess",
                                  {.initial = Prediction::Auto, .names = {"auto", "epsilon", "v", "sample"}, .advanced = true}};
    Param<std::string> variant   {this, "variant", "The precision to take where a folder has several: \"fp16\"", {.advanced = true}};
    Param<Activations> activations{this, "activations", "What lies between the network's layers; auto is f16 for weights of 16 or fewer bits on a GPU with matrix units, else f32",
                                   {.initial = Activations::Auto, .names = activation_names(), .advanced = true}};
    Out<Model>         model     {this, "model", "The network"};

    void compute(Eval& ev) const override {
        try {
            std::optional<PredictionType> type;
            if (ev[prediction] != Prediction::Auto) type = static_cast<PredictionType>(static_cast<int>(ev[prediction]) - 1);
            ev.set(model, load_model(open_unet_source(ev[file].path, ev[variant]), type).with_activations(ev[activations]));
        } catch (const gpu::Error& error) {
            ev.fail(file, error.code(), "{}", error.what());
        }
    }
};

}  // namespace

REGISTER_NODE(model_load_unet, ModelLoadUnet)

}  // namespace nodes
