#!/usr/bin/env python3
"""Writes blocks.gguf: random blocks of every format beside the elements that they stand for, by numpy alone.

An independent reading of the layouts, vectorised over blocks where Heddle goes element by element; the container is
written here too, so that the reader is tested against another writer.     python3 make_blocks.py blocks.gguf"""
import struct
import sys

import numpy as np

rng = np.random.default_rng(3)


def halves(raw, at):
    return raw[:, at:at + 2].copy().view(np.float16).astype(np.float32)          # [blocks, 1]


def nibbles(raw):                                                                # low nibbles first, then high
    return np.concatenate([raw & 15, raw >> 4], axis=1).astype(np.int32)


def bits(raw):
    return np.unpackbits(raw, axis=1, bitorder="little").astype(np.int32)


def q8_0(b):
    return halves(b, 0) * b[:, 2:].view(np.int8).astype(np.float32)


def q4_0(b):
    return halves(b, 0) * (nibbles(b[:, 2:]) - 8).astype(np.float32)


def q4_1(b):
    return halves(b, 0) * nibbles(b[:, 4:]).astype(np.float32) + halves(b, 2)


def q5_0(b):
    return halves(b, 0) * (nibbles(b[:, 6:]) + 16 * bits(b[:, 2:6]) - 16).astype(np.float32)


def q5_1(b):
    return halves(b, 0) * (nibbles(b[:, 8:]) + 16 * bits(b[:, 4:8])).astype(np.float32) + halves(b, 2)


def scales_and_mins(b):
    p = b[:, 4:16].astype(np.int32)                                              # d m packed: 4 + 4 + 4 bytes
    d, m, x = p[:, 0:4], p[:, 4:8], p[:, 8:12]
    scale = np.concatenate([d & 63, (x & 15) | (d >> 6) << 4], axis=1)
    low = np.concatenate([m & 63, (x >> 4) | (m >> 6) << 4], axis=1)
    return scale.astype(np.float32), low.astype(np.float32)                      # [blocks, 8]


def k_quant(b, q):                                                               # q [blocks, 8, 32]
    scale, low = scales_and_mins(b)
    d, dmin = halves(b, 0), halves(b, 2)
    return ((d * scale)[:, :, None] * q.astype(np.float32) - (dmin * low)[:, :, None]).reshape(len(b), 256)


def runs(raw):                                                                   # 128 bytes -> [blocks, 8, 32]
    q = raw.reshape(len(raw), 4, 32)
    return np.stack([q & 15, q >> 4], axis=2).reshape(len(raw), 8, 32).astype(np.int32)


def q4_k(b):
    return k_quant(b, runs(b[:, 16:]))


def q5_k(b):
    high = bits(b[:, 16:48]).reshape(len(b), 32, 8).transpose(0, 2, 1)
    return k_quant(b, runs(b[:, 48:]) + 16 * high)


def q6_k(b):
    low = b[:, 0:128].reshape(len(b), 2, 2, 32)                                  # half, bytes, element
    low = np.stack([low & 15, low >> 4], axis=2).reshape(len(b), 2, 4, 32).astype(np.int32)
    high = b[:, 128:192].reshape(len(b), 2, 1, 32) >> np.array([0, 2, 4, 6], dtype=np.uint8).reshape(1, 1, 4, 1) & 3
    scale = b[:, 192:208].copy().view(np.int8).astype(np.float32)
    q = (low + 16 * high.astype(np.int32) - 32).reshape(len(b), 16, 16).astype(np.float32)
    return ((halves(b, 208) * scale)[:, :, None] * q).reshape(len(b), 256)


#        name: number in files, elements, bytes, where the F16 scales lie, reader
formats = {"Q8_0": (8, 32, 34, [0], q8_0), "Q4_0": (2, 32, 18, [0], q4_0), "Q4_1": (3, 32, 20, [0, 2], q4_1),
           "Q5_0": (6, 32, 22, [0], q5_0), "Q5_1": (7, 32, 24, [0, 2], q5_1), "Q4_K": (12, 256, 144, [0, 2], q4_k),
           "Q5_K": (13, 256, 176, [0, 2], q5_k), "Q6_K": (14, 256, 210, [208], q6_k)}


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def main(path):
    tensors = []                                                                 # name, extents (fastest first), type, bytes
    for name, (number, elements, size, scales, read) in formats.items():
        rows, blocks = 3, 512 // elements
        raw = rng.integers(0, 256, (rows * blocks, size), dtype=np.uint8)
        for at in scales:
            raw[:, at:at + 2] = rng.normal(0, 0.05, (len(raw), 1)).astype(np.float16).view(np.uint8)
        tensors.append((name, [512, rows], number, raw.tobytes()))
        tensors.append((name + ".expected", [512, rows], 0, read(raw).astype(np.float32).tobytes()))
    tensors.append(("half", [3], 1, np.array([1, -2, 0.5], np.float16).tobytes()))
    keys = [text("general.architecture") + struct.pack("<I", 8) + text("test"),
            text("a.u8") + struct.pack("<IB", 0, 200), text("a.i8") + struct.pack("<Ib", 1, -7),
            text("a.u16") + struct.pack("<IH", 2, 65535), text("a.i16") + struct.pack("<Ih", 3, -300),
            text("a.u32") + struct.pack("<II", 4, 4000000000), text("a.i32") + struct.pack("<Ii", 5, -5),
            text("a.f32") + struct.pack("<If", 6, 0.5), text("a.bool") + struct.pack("<IB", 7, 1),
            text("a.u64") + struct.pack("<IQ", 10, 1 << 60), text("a.i64") + struct.pack("<Iq", 11, -(1 << 60)),
            text("a.f64") + struct.pack("<Id", 12, -0.25),
            text("a.list") + struct.pack("<IIQiii", 9, 5, 3, 1, -2, 3),
            text("a.words") + struct.pack("<IIQ", 9, 8, 2) + text("one") + text("two"),
            text("a.lists") + struct.pack("<IIQ", 9, 9, 2) + struct.pack("<IQB", 0, 1, 9) + struct.pack("<IQ", 0, 0),
            text("a.many") + struct.pack("<IIQ", 9, 8, 100) + b"".join(text(str(i)) for i in range(100)),
            text("comfy.gguf.orig_shape.Q8_0") + struct.pack("<IIQiiii", 9, 5, 4, 3, 128, 2, 2)]
    infos, data = b"", b""
    for name, extents, number, raw in tensors:
        infos += text(name) + struct.pack("<I", len(extents)) + struct.pack(f"<{len(extents)}Q", *extents)
        infos += struct.pack("<IQ", number, len(data))
        data += raw + b"\0" * (-len(raw) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys) + infos
    with open(path, "wb") as file:
        file.write(head + b"\0" * (-len(head) % 32) + data)


if __name__ == "__main__":
    main(sys.argv[1])
