#include "nodes/models/clip/load.h"
#include "nodes/text/encoder_params.h"

namespace nodes {
namespace {

enum class Kind { Auto, Sd1, Sd2, Sdxl, SdxlRefiner };
enum class Activation { Auto, QuickGelu, Gelu };

struct TextEncoderLoad final : Node {
    TextEncoderLoad() : Node({.id = "text.encoder_load", .version = 1, .title = "Load Text Encoder", .category = "Text",
                              .help = "Reads the text encoders of SD 1.x, 2.x, SDXL or its refiner from a checkpoint or from files of their own, in "
                                      "OpenCLIP's or Hugging Face's layout. The tokenizer's merges come from the model's folder, else from the data folder "
                                      "heddle/tokenizers, else from the file that is named here."}) {}

    Param<FilePath>   file      {this, "file", "A checkpoint, or a text encoder", {.filter = weights_filter}};
    Param<FilePath>   second    {this, "second", "The second text encoder of SDXL where it is a file of its own (text_encoder_2)",
                                 {.filter = weights_filter, .required = false}};
    Param<Kind>       kind      {this, "kind", "Whose encoder this is; auto goes by the number of encoders and their width",
                                 {.initial = Kind::Auto, .names = {"auto", "sd1", "sd2", "sdxl", "sdxl-refiner"}}};
    Param<FilePath>   tokenizer {this, "tokenizer", "merges.txt or bpe_simple_vocab_16e6.txt.gz; empty: found beside the model or in the data folder",
                                 {.filter = "Merges (*.txt *.txt.gz);;All files (*)", .required = false}};
    Param<int>        heads     {this, "heads", "Attention heads of each encoder; 0: by config.json beside the file, else one for 64 channels",
                                 {.initial = 0, .min = 0, .max = 256, .advanced = true}};
    Param<Activation> activation{this, "activation", "Auto: by config.json beside the file, else quick_gelu for CLIP-L and gelu for OpenCLIP",
                                 {.initial = Activation::Auto, .names = {"auto", "quick_gelu", "gelu"}, .advanced = true}};
    Out<Encoder>      encoder   {this, "encoder", "The text encoders with their tokenizer"};

    void compute(Eval& ev) const override {
        TextLoadOptions options{.tokenizer = ev[tokenizer].path, .hints = {.heads = ev[heads]}};
        if (ev[kind] != Kind::Auto) options.family = params()[kind.index()].choices[static_cast<std::size_t>(ev[kind])];
        if (ev[activation] != Activation::Auto)
            options.hints.activation = ev[activation] == Activation::Gelu ? ClipActivation::Gelu : ClipActivation::QuickGelu;
        ev.set(encoder, load_text_encoder({ev[file].path, ev[second].path}, options));
    }
};

}  // namespace

REGISTER_NODE(text_encoder_load, TextEncoderLoad)

}  // namespace nodes
