#include "app/model/other_names.h"

#include <map>

#include "nodes/interchange/comfy_class.h"

namespace app {
namespace {

struct Row {
    const char* type;
    const char* names;  // separated by ';'
};

// Names that neither a type's title nor ComfyUI has.
constexpr Row rows[] = {
    {"adapt.lora", "LyCORIS;LoCon;LoHa;LoKr;DoRA;LCM-LoRA;low-rank adaptation;Custom Diffusion"},
    {"adapt.freeu", "FreeU: Free Lunch in Diffusion U-Net"},
    {"adapt.deepcache", "DeepCache: Accelerating Diffusion Models for Free"},
    {"attention.maps", "DAAM;diffusion attentive attribution maps;heat map"},
    {"attention.record", "DAAM;diffusion attentive attribution maps;cross-attention"},
    {"conditioning.area", "regional prompter;latent couple;MultiDiffusion"},
    {"conditioning.combine", "composable diffusion;AND"},
    {"conditioning.interpolate", "prompt travel;prompt interpolation;slerp"},
    {"conditioning.range", "prompt editing;prompt schedule;timestep range"},
    {"conditioning.zero", "unconditional;null prompt"},
    {"control.apply", "ControlNet;T2I-Adapter"},
    {"control.load", "ControlNet;T2I-Adapter;control-lora"},
    {"dataset.frame", "aspect ratio bucket;augmentation;centre crop"},
    {"embedding.save", "textual inversion"},
    {"flow.note", "comment;sticky note;annotation"},
    {"flow.reroute", "dot;knot;elbow"},
    {"flow.switch", "multiplexer;mux;select"},
    {"guidance.perpendicular", "Perp-Neg"},
    {"guidance.rescale", "CFG rescale;zero terminal SNR"},
    {"guidance.threshold", "dynamic thresholding;Imagen;mimic CFG"},
    {"image.blend", "merge;over;alpha composite"},
    {"image.difference", "PSNR;SSIM;compare"},
    {"image.outpaint", "uncrop;extend;zoom out"},
    {"image.resize", "scale;upscale;reformat"},
    {"image.sheet", "contact sheet;grid;montage;xyz plot"},
    {"inpaint.model_condition", "inpainting model;nine channels"},
    {"instruct.model_condition", "InstructPix2Pix;ip2p;edit model"},
    {"latent.empty", "txt2img;text to image"},
    {"latent.resize", "hires fix;latent upscale"},
    {"latent.set_mask", "noise mask;inpaint mask"},
    {"loop.begin", "for loop;foreach;repeat;begin for"},
    {"loop.end", "for loop;foreach;end for"},
    {"mask.grow", "dilate;erode;expand"},
    {"model.activations", "compute dtype;fp16;half precision;mixed precision"},
    {"model.load", "checkpoint;Stable Diffusion;SDXL;ckpt"},
    {"model.load_unet", "diffusion model loader"},
    {"model.merge", "weighted sum;add difference;checkpoint merger"},
    {"model.sampling", "v-prediction;zsnr;EDM"},
    {"pose.draw", "OpenPose;DWPose"},
    {"pose.load", "OpenPose;COCO keypoints"},
    {"preprocess.canny", "edge detection"},
    {"preprocess.depth", "MiDaS;Depth Anything;ZoeDepth"},
    {"preprocess.scribble", "fake scribble;sketch"},
    {"preprocess.soft_edge", "HED;PiDiNet"},
    {"sample.guide", "CFG;classifier-free guidance"},
    {"sample.run", "KSampler;img2img;txt2img;DDIM;DDPM;Euler;DPM++;UniPC;LCM"},
    {"sample.schedule", "Karras;sigmas;noise schedule"},
    {"text.embedding_load", "textual inversion"},
    {"text.encode", "CLIP text encode;prompt;negative prompt"},
    {"text.encoder_load", "CLIP loader;OpenCLIP"},
    {"train.autoencoder", "VAE training;latent diffusion"},
    {"train.custom_diffusion", "Custom Diffusion;multi-concept"},
    {"train.lora", "DreamBooth;fine-tune;kohya"},
    {"train.unet", "fine-tune;DreamBooth;pretraining"},
    {"train.word", "textual inversion;embedding training"},
    {"vae.load", "VQGAN;KL autoencoder"},
    {"vae.load_tiny", "TAESD;tiny autoencoder;taef1"},
    {"video.frames", "image sequence"},
    {"vision.match", "CLIP score"},
};

std::map<std::string, QStringList> build() {
    std::map<std::string, QStringList> names;
    for (const auto& [name, known] : nodes::comfy_classes())
        for (const nodes::ComfyPart& part : known.parts)
            if (!part.type.empty()) names[part.type] << QString::fromStdString(name);
    for (const Row& row : rows) names[row.type] << QString::fromUtf8(row.names).split(';');
    for (auto& [type, list] : names) list.removeDuplicates();
    return names;
}

}  // namespace

const QStringList& other_names(const std::string& type) {
    static const std::map<std::string, QStringList> names = build();
    static const QStringList none;
    const auto at = names.find(type);
    return at == names.end() ? none : at->second;
}

}  // namespace app
