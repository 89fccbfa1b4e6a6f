"""What the scripts that make stored results share. Tests repeat `wave` in C++."""
import json
import math
import struct

import numpy as np

TYPES = {"float32": "F32", "uint8": "U8"}


def save(path, tensors):
    """Writes name -> array as safetensors: wide elements first, then by name."""
    header, blobs, offset = {}, [], 0
    for name in sorted(tensors, key=lambda n: (-tensors[n].dtype.itemsize, n)):
        array = np.ascontiguousarray(tensors[name])
        header[name] = {"dtype": TYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
        blobs.append(array.tobytes())
    text = json.dumps(header, separators=(",", ":"))
    text += " " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text.encode() + b"".join(blobs))


def wave(shape, seed):
    """Numbers in -1..1 that are a formula of element and seed, F32."""
    i = np.arange(math.prod(shape), dtype=np.float64)
    return (np.sin(i * 0.37 + seed * 1.7) * np.cos(i * 0.011 + seed)).astype(np.float32).reshape(shape)
