#!/usr/bin/env python3
"""Makes conv.safetensors, which tests/golden/conv.cpp compares with: PyTorch's conventions of convolution.

    python3 make_conv.py FOLDER      (needs python3-torch 1.13)

For every case its inputs x and w, the result y and the gradients of sum(y * wave) in x and w.
"""
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import stored


def wave(shape, seed):
    return torch.from_numpy(stored.wave(shape, seed))


CASES = {
    # name: shape of x, shape of w, function
    "plain": ((2, 3, 6, 5), (4, 3, 3, 3), lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(1, 0), dilation=(1, 2))),
    "downsampler": ((1, 4, 6, 8), (4, 4, 3, 3), lambda x, w: F.conv2d(F.pad(x, (0, 1, 0, 1)), w, stride=2)),
    "groups": ((1, 6, 5, 4), (4, 3, 3, 3), lambda x, w: F.conv2d(x, w, padding=1, groups=2)),
    "depthwise": ((1, 4, 5, 4), (8, 1, 3, 3), lambda x, w: F.conv2d(x, w, padding=1, groups=4)),
    "replicate": ((1, 2, 4, 5), (3, 2, 3, 3), lambda x, w: F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), w)),
    "reflect": ((1, 2, 4, 5), (3, 2, 3, 3), lambda x, w: F.conv2d(F.pad(x, (2, 1, 1, 2), mode="reflect"), w)),
    "line": ((2, 4, 9), (6, 2, 3), lambda x, w: F.conv1d(x, w, stride=2, padding=2, dilation=2, groups=2)),
    "causal": ((1, 2, 4, 4, 3), (3, 2, 3, 3, 3), lambda x, w: F.conv3d(F.pad(x, (1, 1, 1, 1, 2, 0)), w, stride=(1, 2, 1))),
    "transposed": ((1, 4, 3, 5), (4, 3, 3, 2), lambda x, w: F.conv_transpose2d(x, w, stride=(3, 2), padding=(1, 0), output_padding=(2, 1))),
    "transposed_groups": ((2, 6, 4, 3), (6, 2, 4, 4), lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, groups=3)),
    "transposed_dilated": ((1, 3, 4, 3), (3, 2, 3, 3), lambda x, w: F.conv_transpose2d(x, w, padding=1, dilation=3, output_padding=2)),
    "transposed_line": ((1, 3, 6), (3, 4, 4), lambda x, w: F.conv_transpose1d(x, w, stride=2, padding=1)),
    "transposed_volume": ((1, 2, 2, 3, 3), (2, 3, 3, 3, 3), lambda x, w: F.conv_transpose3d(x, w, stride=(1, 2, 2), padding=1, output_padding=(0, 1, 1))),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    tensors = {}
    for name, (x_shape, w_shape, run) in CASES.items():
        x, w = wave(x_shape, 1).requires_grad_(), wave(w_shape, 2).requires_grad_()
        y = run(x, w)
        dx, dw = torch.autograd.grad((y * wave(y.shape, 3)).sum(), (x, w))
        for key, value in {"x": x, "w": w, "y": y, "dy": wave(y.shape, 3), "dx": dx, "dw": dw}.items():
            tensors[f"{name}.{key}"] = value.detach().numpy()
    stored.save(folder / "conv.safetensors", tensors)


if __name__ == "__main__":
    main()
