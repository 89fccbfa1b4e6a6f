// What a module of a LoRA file makes of a weight: lazy tensor expressions in F32.
#pragma once

#include "nodes/models/lora/file.h"
#include "nodes/types/tensor.h"

namespace nodes {

// The matrix [rows, columns] that a module of the low rank forms, LoHa, LoKr or a difference adds at strength 1, alpha counted in;
// the matrix itself for "set".
Tensor lora_matrix(const LoraModule& module);

// The rows `part` of `parts` of a fused layer's change.
struct LoraSlice {
    int part = 0, parts = 1;
};

// The changed weight, of the weight's shape. Replaced and renormalised weights (DoRA) are blended by the strength.
Tensor lora_weight(const LoraModule& module, const Tensor& weight, double strength, LoraSlice slice = {});
Tensor lora_bias(const LoraModule& module, const Tensor& bias, double strength, LoraSlice slice = {});

// alpha / rank, 1 where the form has no alpha.
double lora_scale(const LoraModule& module);

}  // namespace nodes
