// ComfyUI's nodes that have no counterpart yet: their sockets alone, so that widgets are kept by name.
#include "nodes/interchange/comfy_class.h"

namespace nodes {

std::vector<ComfyClass> comfy_classes_others() {
    return {
        {.name = "ImageOnlyCheckpointLoader", .inputs = "ckpt_name:COMBO", .outputs = "MODEL CLIP_VISION VAE", .note = "Heddle has no network of Stable Video Diffusion"},
        {.name = "HypernetworkLoader",
         .inputs = "model:MODEL hypernetwork_name:COMBO strength:FLOAT=1",
         .outputs = "MODEL"},
        {.name = "SetUnionControlNetType", .inputs = "control_net:CONTROL_NET type:COMBO", .outputs = "CONTROL_NET"},
        {.name = "StyleModelLoader", .inputs = "style_model_name:COMBO", .outputs = "STYLE_MODEL"},
        {.name = "GLIGENLoader", .inputs = "gligen_name:COMBO", .outputs = "GLIGEN"},
        {.name = "PhotoMakerLoader", .inputs = "photomaker_model_name:COMBO", .outputs = "PHOTOMAKER"},
        {.name = "unCLIPConditioning",
         .inputs = "conditioning:CONDITIONING clip_vision_output:CLIP_VISION_OUTPUT strength:FLOAT=1 "
                   "noise_augmentation:FLOAT=0",
         .outputs = "CONDITIONING",
         .note = "networks are not shown embeddings of pictures"},
        {.name = "StyleModelApply",
         .inputs =
             "conditioning:CONDITIONING style_model:STYLE_MODEL clip_vision_output:CLIP_VISION_OUTPUT strength:FLOAT=1 "
             "strength_type:COMBO=multiply",
         .outputs = "CONDITIONING"},
        {.name = "GLIGENTextBoxApply",
         .inputs = "conditioning_to:CONDITIONING clip:CLIP gligen_textbox_model:GLIGEN text:STRING width:INT=64 "
                   "height:INT=64 x:INT=0 "
                   "y:INT=0",
         .outputs = "CONDITIONING"},
        {.name = "PhotoMakerEncode",
         .inputs = "photomaker:PHOTOMAKER image:IMAGE clip:CLIP text:STRING=photograph",
         .outputs = "CONDITIONING"},
        {.name = "ConditioningSetAreaPercentageVideo",
         .inputs =
             "conditioning:CONDITIONING width:FLOAT=1 height:FLOAT=1 temporal:FLOAT=1 x:FLOAT=0 y:FLOAT=0 z:FLOAT=0 "
             "strength:FLOAT=1",
         .outputs = "CONDITIONING"},
        {.name = "SVD_img2vid_Conditioning",
         .inputs = "clip_vision:CLIP_VISION init_image:IMAGE vae:VAE width:INT=1024 height:INT=576 video_frames:INT=14 "
                   "motion_bucket_id:INT=127 fps:INT=6 augmentation_level:FLOAT=0",
         .outputs = "positive negative latent",
         .note = "Heddle has no network of Stable Video Diffusion"},
        {.name = "StableZero123_Conditioning",
         .inputs = "clip_vision:CLIP_VISION init_image:IMAGE vae:VAE width:INT=256 height:INT=256 batch_size:INT=1 "
                   "elevation:FLOAT=0 "
                   "azimuth:FLOAT=0",
         .outputs = "positive negative latent",
         .note = "Heddle has no network of Stable Zero123"},
        {.name = "SV3D_Conditioning",
         .inputs = "clip_vision:CLIP_VISION init_image:IMAGE vae:VAE width:INT=576 height:INT=576 video_frames:INT=21 "
                   "elevation:FLOAT=0",
         .outputs = "positive negative latent",
         .note = "Heddle has no network of Stable Video 3D"},
        {.name = "SD_4XUpscale_Conditioning",
         .inputs =
             "images:IMAGE positive:CONDITIONING negative:CONDITIONING scale_ratio:FLOAT=4 noise_augmentation:FLOAT=0",
         .outputs = "positive negative latent"},
        {.name = "LatentBatchSeedBehavior", .inputs = "samples:LATENT seed_behavior:COMBO=fixed", .outputs = "LATENT"},
        {.name = "SaveLatent", .inputs = "samples:LATENT filename_prefix:STRING=latents/ComfyUI", .outputs = ""},
        {.name = "LoadLatent", .inputs = "latent:COMBO", .outputs = "LATENT"},
        {.name = "VPScheduler",
         .inputs = "steps:INT=20 beta_d:FLOAT=19.9 beta_min:FLOAT=0.1 eps_s:FLOAT=0.001",
         .outputs = "SIGMAS"},
        {.name = "FlipSigmas", .inputs = "sigmas:SIGMAS", .outputs = "SIGMAS"},
        {.name = "DualCFGGuider",
         .inputs = "model:MODEL cond1:CONDITIONING cond2:CONDITIONING negative:CONDITIONING cfg_conds:FLOAT=8 "
                   "cfg_cond2_negative:FLOAT=8 style:COMBO=regular",
         .outputs = "GUIDER"},
        {.name = "AddNoise",
         .inputs = "model:MODEL noise:NOISE sigmas:SIGMAS latent_image:LATENT",
         .outputs = "LATENT"},
        {.name = "ModelSamplingContinuousEDM",
         .inputs = "model:MODEL sampling:COMBO=v_prediction sigma_max:FLOAT=120 sigma_min:FLOAT=0.002",
         .outputs = "MODEL"},
        {.name = "ModelSamplingContinuousV",
         .inputs = "model:MODEL sampling:COMBO sigma_max:FLOAT=500 sigma_min:FLOAT=0.03",
         .outputs = "MODEL"},
        {.name = "ModelSamplingSD3", .inputs = "model:MODEL shift:FLOAT=3", .outputs = "MODEL"},
        {.name = "VideoLinearCFGGuidance", .inputs = "model:MODEL min_cfg:FLOAT=1", .outputs = "MODEL", .note = "guidance is the same for all frames"},
        {.name = "VideoTriangleCFGGuidance", .inputs = "model:MODEL min_cfg:FLOAT=1", .outputs = "MODEL", .note = "guidance is the same for all frames"},
        {.name = "PatchModelAddDownscale",
         .inputs =
             "model:MODEL block_number:INT=3 downscale_factor:FLOAT=2 start_percent:FLOAT=0 end_percent:FLOAT=0.35 "
             "downscale_after_skip:BOOLEAN=true downscale_method:COMBO=bicubic upscale_method:COMBO=bicubic",
         .outputs = "MODEL"},
        {.name = "SelfAttentionGuidance",
         .inputs = "model:MODEL scale:FLOAT=0.5 blur_sigma:FLOAT=2",
         .outputs = "MODEL"},
        {.name = "LoraSave",
         .inputs =
             "filename_prefix:STRING=loras/ComfyUI_extracted_lora rank:INT=8 lora_type:COMBO bias_diff:BOOLEAN=true "
             "?model_diff:MODEL ?text_encoder_diff:CLIP",
         .outputs = ""},
        {.name = "RebatchImages", .inputs = "images:IMAGE batch_size:INT=1", .outputs = "IMAGE"},
        {.name = "ImageSharpen",
         .inputs = "image:IMAGE sharpen_radius:INT=1 sigma:FLOAT=1 alpha:FLOAT=1",
         .outputs = "IMAGE"},
        {.name = "ImageQuantize", .inputs = "image:IMAGE colors:INT=256 dither:COMBO=none", .outputs = "IMAGE"},
        {.name = "FeatherMask", .inputs = "mask:MASK left:INT=0 top:INT=0 right:INT=0 bottom:INT=0", .outputs = "MASK"},
        {.name = "PorterDuffImageComposite",
         .inputs = "source:IMAGE source_alpha:MASK destination:IMAGE destination_alpha:MASK mode:COMBO=DST",
         .outputs = "IMAGE MASK"},
        {.name = "TrainLoraNode",
         .inputs =
             "model:MODEL latents:LATENT positive:CONDITIONING batch_size:INT=1 grad_accumulation_steps:INT=1 "
             "steps:INT=16 "
             "learning_rate:FLOAT=0.0005 rank:INT=8 optimizer:COMBO=AdamW loss_function:COMBO=MSE seed:INT!=0 "
             "training_dtype:COMBO=bf16 lora_dtype:COMBO=bf16 algorithm:COMBO gradient_checkpointing:BOOLEAN=true "
             "existing_lora:COMBO=[None]",
         .outputs = "model_with_lora lora loss steps"},
        {.name = "LoraModelLoader", .inputs = "model:MODEL lora:LORA_MODEL strength_model:FLOAT=1", .outputs = "MODEL"},
        {.name = "SaveLoRANode",
         .inputs = "lora:LORA_MODEL prefix:STRING=loras/ComfyUI_trained_lora ?steps:INT_INPUT",
         .outputs = ""},
        {.name = "LossGraphNode", .inputs = "loss:LOSS_MAP filename_prefix:STRING=loss_graph", .outputs = ""},
        {.name = "LoadImageSetFromFolderNode", .inputs = "folder:COMBO ?resize_method:COMBO=None", .outputs = "IMAGE"},
        {.name = "LoadImageTextSetFromFolderNode",
         .inputs = "folder:COMBO clip:CLIP ?resize_method:COMBO=None ?width:INT=-1 ?height:INT=-1",
         .outputs = "IMAGE CONDITIONING"},
        {.name = "SamplerLCMUpscale",
         .inputs = "scale_ratio:FLOAT=1 scale_steps:INT=-1 upscale_method:COMBO",
         .outputs = "SAMPLER"},
        {.name = "GetVideoComponents", .inputs = "video:VIDEO", .outputs = "images audio fps"},
    };
}

}  // namespace nodes
