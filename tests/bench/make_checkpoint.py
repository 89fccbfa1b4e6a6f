#!/usr/bin/env python3
"""Writes checkpoints of published architectures with random weights, from names and shapes alone: to time loading and sampling
without a download. Needs nothing but Python.

    make_checkpoint.py sd15 OUT.safetensors                 a single file as latent diffusion's code writes it
    make_checkpoint.py sd15 FOLDER --layout diffusers       model_index.json, unet/, vae/, text_encoder/ ...
    make_checkpoint.py sdxl --list                          names and shapes, nothing is written

Models: sd15, sd15-inpaint, lcm, sd21, sdxl, refiner, controlnet-sd15, controlnet-sdxl. --small makes a model of the same architecture
with few channels; --type f16|f32|bf16; --tokenizer FOLDER is copied into a folder that is written. Weights are drawn so that
activations keep their size: the picture is noise, but numbers stay finite.
"""
import argparse
import json
import math
import os
import random
import shutil
import struct
import sys


# ---- names and shapes as latent diffusion has them ------------------------------------------------------------------

def linear(name, out, inner, bias=True):
    yield f"{name}.weight", (out, inner)
    if bias:
        yield f"{name}.bias", (out,)


def conv(name, out, inner, kernel=3):
    yield f"{name}.weight", (out, inner, kernel, kernel)
    yield f"{name}.bias", (out,)


def norm(name, width):
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def res_block(p, inner, out, time):
    yield from norm(f"{p}.in_layers.0", inner)
    yield from conv(f"{p}.in_layers.2", out, inner)
    yield from linear(f"{p}.emb_layers.1", out, time)
    yield from norm(f"{p}.out_layers.0", out)
    yield from conv(f"{p}.out_layers.3", out, out)
    if inner != out:
        yield from conv(f"{p}.skip_connection", out, inner, 1)


def transformer(p, width, depth, context, flat):
    yield from norm(f"{p}.norm", width)
    yield from (linear(f"{p}.proj_in", width, width) if flat else conv(f"{p}.proj_in", width, width, 1))
    for i in range(depth):
        b = f"{p}.transformer_blocks.{i}"
        for attention, source in (("attn1", width), ("attn2", context)):
            yield from linear(f"{b}.{attention}.to_q", width, width, False)
            yield from linear(f"{b}.{attention}.to_k", width, source, False)
            yield from linear(f"{b}.{attention}.to_v", width, source, False)
            yield from linear(f"{b}.{attention}.to_out.0", width, width)
        yield from linear(f"{b}.ff.net.0.proj", 8 * width, width)
        yield from linear(f"{b}.ff.net.2", width, 4 * width)
        for n in ("norm1", "norm2", "norm3"):
            yield from norm(f"{b}.{n}", width)
    yield from (linear(f"{p}.proj_out", width, width) if flat else conv(f"{p}.proj_out", width, width, 1))


def unet(c, control=False):
    base, time = c["channels"][0], 4 * c["channels"][0]
    yield from linear("time_embed.0", time, base)
    yield from linear("time_embed.2", time, time)
    if c.get("guidance"):
        yield from linear("time_embed.cond_proj", base, c["guidance"], False)
    if c.get("label"):
        yield from linear("label_emb.0.0", time, c["label"])
        yield from linear("label_emb.0.2", time, time)
    yield from conv("input_blocks.0.0", base, c["in"])
    skips, width, index = [base], base, 1
    for level, channels in enumerate(c["channels"]):
        for _ in range(2):
            yield from res_block(f"input_blocks.{index}.0", width, channels, time)
            width = channels
            if c["depth"][level]:
                yield from transformer(f"input_blocks.{index}.1", width, c["depth"][level], c["context"], c["flat"])
            skips.append(width)
            index += 1
        if level + 1 < len(c["channels"]):
            yield from conv(f"input_blocks.{index}.0.op", width, width)
            skips.append(width)
            index += 1
    yield from res_block("middle_block.0", width, width, time)
    yield from transformer("middle_block.1", width, c["middle"], c["context"], c["flat"])
    yield from res_block("middle_block.2", width, width, time)
    if control:
        hint = (16, 32, 96, 256) if base >= 320 else (8, 16, 32, 64)
        sizes = [(3, hint[0]), (hint[0], hint[0]), (hint[0], hint[1]), (hint[1], hint[1]), (hint[1], hint[2]), (hint[2], hint[2]), (hint[2], hint[3]), (hint[3], base)]
        for i, (inner, out) in enumerate(sizes):
            yield from conv(f"input_hint_block.{2 * i}", out, inner)
        for i, channels in enumerate(skips):
            yield from conv(f"zero_convs.{i}.0", channels, channels, 1)
        yield from conv("middle_block_out.0", width, width, 1)
        return
    index = 0
    for level in reversed(range(len(c["channels"]))):
        channels = c["channels"][level]
        for block in range(3):
            yield from res_block(f"output_blocks.{index}.0", width + skips.pop(), channels, time)
            width, layer = channels, 1
            if c["depth"][level]:
                yield from transformer(f"output_blocks.{index}.1", width, c["depth"][level], c["context"], c["flat"])
                layer = 2
            if level and block == 2:
                yield from conv(f"output_blocks.{index}.{layer}.conv", width, width)
            index += 1
    yield from norm("out.0", base)
    yield from conv("out.2", 4, base)


def vae(channels):
    def block(p, inner, out):
        yield from norm(f"{p}.norm1", inner)
        yield from conv(f"{p}.conv1", out, inner)
        yield from norm(f"{p}.norm2", out)
        yield from conv(f"{p}.conv2", out, out)
        if inner != out:
            yield from conv(f"{p}.nin_shortcut", out, inner, 1)

    def middle(p, width):
        yield from block(f"{p}.mid.block_1", width, width)
        yield from norm(f"{p}.mid.attn_1.norm", width)
        for n in ("q", "k", "v", "proj_out"):
            yield from conv(f"{p}.mid.attn_1.{n}", width, width, 1)
        yield from block(f"{p}.mid.block_2", width, width)

    yield from conv("encoder.conv_in", channels[0], 3)
    width = channels[0]
    for level, out in enumerate(channels):
        for i in range(2):
            yield from block(f"encoder.down.{level}.block.{i}", width, out)
            width = out
        if level + 1 < len(channels):
            yield from conv(f"encoder.down.{level}.downsample.conv", width, width)
    yield from middle("encoder", width)
    yield from norm("encoder.norm_out", width)
    yield from conv("encoder.conv_out", 8, width)
    yield from conv("quant_conv", 8, 8, 1)
    yield from conv("post_quant_conv", 4, 4, 1)
    yield from conv("decoder.conv_in", width, 4)
    yield from middle("decoder", width)
    for level in reversed(range(len(channels))):
        for i in range(3):
            yield from block(f"decoder.up.{level}.block.{i}", width, channels[level])
            width = channels[level]
        if level:
            yield from conv(f"decoder.up.{level}.upsample.conv", width, width)
    yield from norm("decoder.norm_out", width)
    yield from conv("decoder.conv_out", 3, width)


def clip(t):
    """CLIP's text tower as transformers names it."""
    w = t["width"]
    yield "text_model.embeddings.token_embedding.weight", (t["vocabulary"], w)
    yield "text_model.embeddings.position_embedding.weight", (77, w)
    for i in range(t["layers"]):
        p = f"text_model.encoder.layers.{i}"
        for n in ("layer_norm1", "layer_norm2"):
            yield from norm(f"{p}.{n}", w)
        for n in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from linear(f"{p}.self_attn.{n}", w, w)
        yield from linear(f"{p}.mlp.fc1", 4 * w, w)
        yield from linear(f"{p}.mlp.fc2", w, 4 * w)
    yield from norm("text_model.final_layer_norm", w)


def open_clip(t):
    """The same as OpenCLIP names it, with its projection."""
    w = t["width"]
    yield "positional_embedding", (77, w)
    yield "token_embedding.weight", (t["vocabulary"], w)
    for i in range(t["layers"]):
        p = f"transformer.resblocks.{i}"
        for n in ("ln_1", "ln_2"):
            yield from norm(f"{p}.{n}", w)
        yield f"{p}.attn.in_proj_weight", (3 * w, w)
        yield f"{p}.attn.in_proj_bias", (3 * w,)
        yield from linear(f"{p}.attn.out_proj", w, w)
        yield from linear(f"{p}.mlp.c_fc", 4 * w, w)
        yield from linear(f"{p}.mlp.c_proj", w, 4 * w)
    yield from norm("ln_final", w)
    yield "text_projection", (w, w)
    yield "logit_scale", ()


# ---- the models -----------------------------------------------------------------------------------------------------

def models(small):
    vocabulary = 49408
    large = dict(width=768, layers=12, heads=12, vocabulary=vocabulary)
    huge = dict(width=1024, layers=24, heads=16, vocabulary=vocabulary)
    giant = dict(width=1280, layers=32, heads=20, vocabulary=vocabulary)
    sd1 = dict(channels=(320, 640, 1280, 1280), depth=(1, 1, 1, 0), middle=1, context=768, flat=False)
    sd2 = dict(sd1, context=1024, flat=True)
    xl = dict(channels=(320, 640, 1280), depth=(0, 2, 10), middle=10, context=2048, flat=True, label=2816)
    refiner = dict(channels=(384, 768, 1536, 1536), depth=(0, 4, 4, 0), middle=4, context=1280, flat=True, label=2560)
    picture = (128, 256, 512, 512)
    if small:
        large, huge, giant = (dict(width=64, layers=2, heads=1, vocabulary=vocabulary), dict(width=128, layers=3, heads=2, vocabulary=vocabulary),
                              dict(width=192, layers=3, heads=3, vocabulary=vocabulary))
        sd1.update(channels=(64, 64, 128, 128), context=64)
        sd2.update(channels=(64, 64, 128, 128), context=128)
        xl.update(channels=(64, 128, 128), depth=(0, 1, 2), middle=2, context=64 + 192, label=192 + 6 * 256)
        refiner.update(channels=(64, 64, 128, 128), depth=(0, 1, 1, 0), middle=1, context=192, label=192 + 5 * 256)
        picture = (32, 32, 64, 64)
    hf, oc = "cond_stage_model.transformer.", "cond_stage_model.model."
    return {
        "sd15": dict(unet=dict(sd1, **{"in": 4}), vae=picture, text=[(hf, clip, large)]),
        "sd15-inpaint": dict(unet=dict(sd1, **{"in": 9}), vae=picture, text=[(hf, clip, large)]),
        "lcm": dict(unet=dict(sd1, guidance=256, **{"in": 4}), vae=picture, text=[(hf, clip, large)]),
        "sd21": dict(unet=dict(sd2, **{"in": 4}), vae=picture, text=[(oc, open_clip, huge)], prediction="v_prediction"),
        "sdxl": dict(unet=dict(xl, **{"in": 4}), vae=picture, text=[("conditioner.embedders.0.transformer.", clip, large), ("conditioner.embedders.1.model.", open_clip, giant)]),
        "refiner": dict(unet=dict(refiner, **{"in": 4}), vae=picture, text=[("conditioner.embedders.0.model.", open_clip, giant)]),
        "controlnet-sd15": dict(unet=dict(sd1, **{"in": 4}), control=True),
        "controlnet-sdxl": dict(unet=dict(xl, **{"in": 4}), control=True),
    }


# ---- diffusers' names -----------------------------------------------------------------------------------------------

RES = {"in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj", "out_layers.0": "norm2", "out_layers.3": "conv2",
       "skip_connection": "conv_shortcut"}
FIXED = {"time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2", "time_embed.cond_proj": "time_embedding.cond_proj",
         "label_emb.0.0": "add_embedding.linear_1", "label_emb.0.2": "add_embedding.linear_2", "input_blocks.0.0": "conv_in",
         "middle_block.0": "mid_block.resnets.0", "middle_block.1": "mid_block.attentions.0", "middle_block.2": "mid_block.resnets.1",
         "out.0": "conv_norm_out", "out.2": "conv_out", "middle_block_out.0": "controlnet_mid_block",
         "input_hint_block.0": "controlnet_cond_embedding.conv_in", "input_hint_block.14": "controlnet_cond_embedding.conv_out"}


def unet_to_diffusers(name):
    for old, new in FIXED.items():
        if name.startswith(old + "."):
            rest = name[len(old) + 1:]
            return new + "." + res_rest(rest) if "mid_block.resnets" in new else new + "." + rest
    part, index, rest = name.split(".", 2)
    index = int(index)
    if part == "zero_convs":
        return f"controlnet_down_blocks.{index}.{rest[2:]}"
    if part == "input_hint_block":
        return f"controlnet_cond_embedding.blocks.{index // 2 - 1}.{rest}"
    down = part == "input_blocks"
    block, layer = divmod(index - 1, 3) if down else divmod(index, 3)
    p = f"{'down' if down else 'up'}_blocks.{block}"
    at, rest = rest.split(".", 1)
    if rest.startswith("op."):
        return f"{p}.downsamplers.0.conv.{rest[3:]}"
    if rest.startswith("conv.") and not down:
        return f"{p}.upsamplers.0.conv.{rest[5:]}"
    return f"{p}.resnets.{layer}.{res_rest(rest)}" if at == "0" else f"{p}.attentions.{layer}.{rest}"


def res_rest(rest):
    for old, new in RES.items():
        if rest.startswith(old + "."):
            return new + rest[len(old):]
    return rest


def vae_to_diffusers(name, levels):
    n = name.split(".")
    if n[1:2] == ["mid"]:
        rest = n[3:]
        if n[2] == "attn_1":
            rest[0] = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}[rest[0]]
            return ".".join([n[0], "mid_block", "attentions", "0"] + rest)
        return ".".join([n[0], "mid_block", "resnets", str(int(n[2][-1]) - 1)] + rest)
    if n[1:2] in (["down"], ["up"]):
        down = n[1] == "down"
        level = n[2] if down else str(levels - 1 - int(n[2]))
        if n[3] in ("downsample", "upsample"):
            return ".".join([n[0], f"{n[1]}_blocks", level, n[3] + "rs", "0"] + n[4:])
        rest = ["conv_shortcut" if part == "nin_shortcut" else part for part in n[5:]]
        return ".".join([n[0], f"{n[1]}_blocks", level, "resnets", n[4]] + rest)
    return name.replace("norm_out", "conv_norm_out")


# ---- files ----------------------------------------------------------------------------------------------------------

class Numbers:
    """Weights by name: normal, scaled by what feeds them; ones for the scales of norms. A block is repeated to fill a tensor."""
    BLOCK = 1 << 16

    def __init__(self, kind):
        self.kind = kind
        source = random.Random(1)
        self.normal = [source.gauss(0, 1) for _ in range(self.BLOCK)]

    def size(self):
        return {"f32": 4, "f16": 2, "bf16": 2}[self.kind]

    def pack(self, values):
        if self.kind == "f16":
            return struct.pack(f"<{len(values)}e", *values)
        words = struct.pack(f"<{len(values)}f", *values)
        return words if self.kind == "f32" else b"".join(words[i + 2:i + 4] for i in range(0, len(words), 4))

    def write(self, file, name, shape):
        count = math.prod(shape)
        scale, centre = 0.02, 0.0
        if len(shape) >= 2 and "embedding" not in name:
            scale = 0.7 / math.sqrt(math.prod(shape[1:]))
        elif "norm" in name or "ln_" in name or ".in_layers.0." in name or ".out_layers.0." in name or name.startswith("out.0."):
            centre = 1.0 if name.endswith("weight") else 0.0
        start = sum(name.encode()) % 997
        block = self.pack([centre + scale * value for value in self.normal[start:min(self.BLOCK, start + count)]])
        left = count * self.size()
        while left > 0:
            file.write(block[:left])
            left -= len(block)


def save(path, tensors, kind, metadata=None):
    numbers, offset, header = Numbers(kind), 0, {}
    if metadata:
        header["__metadata__"] = metadata
    for name, shape in tensors:
        end = offset + math.prod(shape) * numbers.size()
        header[name] = {"dtype": kind.upper(), "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in tensors:
            numbers.write(file, name, shape)
    os.replace(path + ".part", path)


def save_json(path, content):
    with open(path, "w") as file:
        json.dump(content, file, indent=2)


def save_folder(folder, model, kind, tokenizer):
    c, levels = model["unet"], len(model["vae"])
    for part in ("unet", "vae", "scheduler"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    index = {"_class_name": "StableDiffusionXLPipeline" if len(model["text"]) > 1 else "StableDiffusionPipeline",
             "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"], "scheduler": ["diffusers", "PNDMScheduler"]}
    save(os.path.join(folder, "unet/diffusion_pytorch_model.safetensors"), [(unet_to_diffusers(n), s) for n, s in unet(c)], kind)
    heads = [max(1, w // 64) for w in c["channels"]] if c["flat"] else 8
    save_json(os.path.join(folder, "unet/config.json"), {
        "_class_name": "UNet2DConditionModel", "block_out_channels": list(c["channels"]), "in_channels": c["in"], "out_channels": 4,
        "cross_attention_dim": c["context"], "attention_head_dim": heads, "layers_per_block": 2, "use_linear_projection": c["flat"],
        "transformer_layers_per_block": [max(1, d) for d in c["depth"]], "time_cond_proj_dim": c.get("guidance")})
    def vae_shape(name, shape):      # attention lies as matrices there
        return shape[:2] if ".mid.attn_1." in name and len(shape) == 4 else shape
    save(os.path.join(folder, "vae/diffusion_pytorch_model.safetensors"), [(vae_to_diffusers(n, levels), vae_shape(n, s)) for n, s in vae(model["vae"])], kind)
    save_json(os.path.join(folder, "vae/config.json"), {"_class_name": "AutoencoderKL", "block_out_channels": list(model["vae"]), "latent_channels": 4,
                                                        "scaling_factor": 0.13025 if len(model["text"]) > 1 else 0.18215})
    save_json(os.path.join(folder, "scheduler/scheduler_config.json"), {
        "_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
        "prediction_type": model.get("prediction", "epsilon"), "steps_offset": 1})
    for i, (_, maker, tower) in enumerate(model["text"]):
        part = "text_encoder" if i == 0 else f"text_encoder_{i + 1}"
        os.makedirs(os.path.join(folder, part), exist_ok=True)
        tower = dict(tower, layers=tower["layers"] - 1) if maker is open_clip and len(model["text"]) == 1 else tower      # SD 2: 23 of 24
        tensors = list(clip(tower))
        if maker is open_clip and len(model["text"]) > 1:
            tensors.append(("text_projection.weight", (tower["width"], tower["width"])))
        save(os.path.join(folder, part, "model.safetensors"), tensors, kind)
        save_json(os.path.join(folder, part, "config.json"), {
            "architectures": ["CLIPTextModel"], "hidden_size": tower["width"], "num_hidden_layers": tower["layers"], "num_attention_heads": tower["heads"],
            "hidden_act": "quick_gelu" if maker is clip else "gelu", "intermediate_size": 4 * tower["width"], "vocab_size": tower["vocabulary"]})
        index[part] = ["transformers", "CLIPTextModel"]
        if tokenizer:
            shutil.copytree(tokenizer, os.path.join(folder, part.replace("text_encoder", "tokenizer")), dirs_exist_ok=True)
    save_json(os.path.join(folder, "model_index.json"), index)


def single_file(model):
    if model.get("control"):
        return [("control_model." + n, s) for n, s in unet(model["unet"], True)]
    tensors = [("model.diffusion_model." + n, s) for n, s in unet(model["unet"])]
    tensors += [("first_stage_model." + n, s) for n, s in vae(model["vae"])]
    for prefix, maker, tower in model["text"]:
        tensors += [(prefix + n, s) for n, s in maker(tower)]
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out", nargs="?")
    parser.add_argument("--layout", choices=("ldm", "diffusers"), default="ldm")
    parser.add_argument("--type", choices=("f16", "f32", "bf16"), default="f16")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--tokenizer", help="folder with vocab.json and merges.txt to copy along")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    known = models(arguments.small)
    if arguments.model not in known:
        sys.exit(f"expected one of {', '.join(known)}, got {arguments.model}")
    model = known[arguments.model]
    if arguments.list:
        for name, shape in single_file(model):
            print(name, *shape)
    elif not arguments.out:
        sys.exit("expected a file or folder to write")
    elif arguments.layout == "ldm":
        save(arguments.out, single_file(model), arguments.type)
    elif model.get("control"):
        save(arguments.out, [(unet_to_diffusers(n), s) for n, s in unet(model["unet"], True)], arguments.type)
    else:
        save_folder(arguments.out, model, arguments.type, arguments.tokenizer)


if __name__ == "__main__":
    main()
