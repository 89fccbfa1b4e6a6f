// What both nodes that apply a control network have in common.
#pragma once

#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/control.h"
#include "nodes/types/image.h"

namespace nodes {

// The sockets and parameters, and the patch that they make.
struct ControlParams {
    explicit ControlParams(Node* node)
        : control (node, "control", "The side network"),
          image   (node, "image", "The picture that steers: edges, a pose, depth; resized to the picture that is made"),
          strength(node, "strength", "How much it steers; 0 leaves the model as it is", {.initial = 1.0, .min = 0.0, .max = 10.0, .step = 0.05}),
          start   (node, "start", "The part of the way from noise to picture after which it steers", {.initial = 0.0, .min = 0.0, .max = 1.0, .step = 0.01}),
          end     (node, "end", "The part of the way after which it steers no longer", {.initial = 1.0, .min = 0.0, .max = 1.0, .step = 0.01}),
          guess   (node, "guess", "Steers where the prompt is empty: the middle of the network counts most, and the negative half of guidance is left free",
                   {.initial = false, .advanced = true}) {}

    In<Control>   control;
    In<Image>     image;
    Param<double> strength, start, end;
    Param<bool>   guess;

    PatchRef patch(Eval& ev) const {
        if (ev[start] > ev[end]) ev.fail(start, gpu::ErrorCode::InvalidGraph, "expected a start not after the end {}, got {}", ev[end], ev[start]);
        const Image picture = ev[image].space == ColorSpace::Raw ? ev[image] : in_space(ev[image], ColorSpace::Srgb);
        const Tensor color = picture.color();
        gpu::evaluate({color});
        return ev[control]->patch(color, {.strength = ev[strength], .start = ev[start], .end = ev[end], .guess = ev[guess], .pooled = ev[control]->pools()});
    }
};

}  // namespace nodes
