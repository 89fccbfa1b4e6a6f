// Files of learned words (textual inversion, arXiv:2208.01618), in all published forms.
#pragma once

#include <string>
#include <vector>

#include "gpu/io/checkpoint.h"
#include "nodes/types/encoder.h"

namespace nodes {

// All embeddings of a file, by rows of F32:
//   diffusers             token -> [D] or [n, D]; `token`, `token_1`, ... are the vectors of one word
//   stable-diffusion-webui   string_to_param.* [n, D], with its name beside it
//   safetensors           emb_params [n, D]
//   SDXL                  clip_l [n, 768] and clip_g [n, 1280] of one word
//   cloneofsimo's LoRA    tensors that the metadata calls <embed>; other tensors are left out
//   a tensor alone
// An embedding is called by its token, where the file has one, and by `name` (or the file's own name), to which a number is
// added where a file has several. Throws BadFile for files of another form.
std::vector<TextEmbedding> read_text_embeddings(const gpu::Checkpoint& file, const std::string& name = {});

}  // namespace nodes
