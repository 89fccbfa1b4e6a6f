#!/usr/bin/env python3
"""Writes the stored files of tests/golden/pickle. Run once with PyTorch 1.13; tests/unit/pickle.cpp lists the values.

Every file is small. The files named evil_* hold calls and must never be loaded by Python's pickle.
"""
import collections
import os
import pickle
import subprocess
import sys
import zipfile

import torch

FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "pickle")


def save(name, value, **options):
    torch.save(value, os.path.join(FOLDER, name), **options)


def ramp(*shape, dtype=torch.float32):
    count = 1
    for extent in shape:
        count *= extent
    return torch.arange(count, dtype=torch.float32).reshape(shape).to(dtype)


def types():
    return collections.OrderedDict(
        (str(dtype).split(".")[1], torch.tensor([[1, 0, 3]]).to(dtype))
        for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16,
                      torch.int8, torch.uint8, torch.bool))


def views():
    base = ramp(4, 6)
    return {
        "base": base,
        "row": base[1],                      # shares, offset 6
        "transposed": base.t(),              # strides 1, 6
        "step": base[::2, 1::3],
        "expanded": torch.tensor([7.0]).expand(2, 3),
        "permuted": ramp(2, 3, 4).permute(2, 0, 1),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(ramp(3)),
    }


class Block(torch.nn.Module):
    def __init__(self, child=None):
        super().__init__()
        self.weight = torch.nn.Parameter(ramp(2, 1))
        self.register_buffer("mean", ramp(2) + 1)
        self.child = child


class Callback:
    def __init__(self):
        self.best = torch.tensor([1.0])


class Evil:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def main():
    os.makedirs(FOLDER, exist_ok=True)
    # The legacy form also holds the path of that source: a relative one, so that no machine's folders are stored.
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    sys.modules["__main__"].__file__ = os.path.basename(__file__)
    for name, options in {"zip": {}, "legacy": {"_use_new_zipfile_serialization": False}}.items():
        save(f"types_{name}.pt", types(), **options)
        save(f"views_{name}.pt", views(), **options)
        # The legacy form holds the source text of pickled modules, so it gets only the class of this file.
        save(f"module_{name}.pt", Block(Block()), **options)
        save(f"state_dict_{name}.pt", Block(Block()).state_dict(), **options)
        save(f"nested_{name}.ckpt",
             {"epoch": 3, "rate": 0.5, "name": "run", "state_dict": {"a.weight": ramp(2)},
              "optimizer_states": [{"state": {0: {"step": torch.tensor(5.0), "plain": 1}}, "groups": [(ramp(1), [1, 2])]}],
              "callbacks": {"checkpoint": Callback()}, "numbers": {1, 2}, "done": True, "nothing": None}, **options)
    save("embedding.pt",
         {"string_to_token": {"*": 265}, "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(ramp(1, 4))}),
          "name": "style"})
    save("tensor.pt", ramp(2, 2))
    save("list.pt", [ramp(1), (ramp(2), {"x": ramp(3)})])
    save("protocol4.pt", {"a": ramp(2, 2), "b": torch.tensor([True])}, pickle_protocol=4)

    save("evil_system_zip.pt", {"a": ramp(2), "b": Evil(os.system, "echo called")})
    save("evil_system_legacy.pt", {"a": ramp(2), "b": Evil(os.system, "echo called")}, _use_new_zipfile_serialization=False)
    save("evil_eval.pt", {"a": ramp(2), "b": Evil(eval, "1 + 1")})
    save("evil_popen.pt", {"a": ramp(2), "b": Evil(subprocess.Popen, ["true"])})
    for protocol in (0, 2, 4):
        with open(os.path.join(FOLDER, f"evil_plain{protocol}.bin"), "wb") as file:
            pickle.dump(Evil(os.system, "echo called"), file, protocol=protocol)

    # Containers that are refused: a compressed archive, big-endian numbers, no pickle at all.
    source = zipfile.ZipFile(os.path.join(FOLDER, "types_zip.pt"))
    rewrite("deflated.pt", source, lambda name, data: data, zipfile.ZIP_DEFLATED)
    rewrite("big_endian.pt", source, lambda name, data: b"big" if name.endswith("/byteorder") else data, zipfile.ZIP_STORED,
            {"types_zip/byteorder": b"big"})
    rewrite("zip64.pt", source, lambda name, data: data, zipfile.ZIP_STORED, zip64=True)
    with zipfile.ZipFile(os.path.join(FOLDER, "other.zip"), "w") as target:
        target.writestr(zipfile.ZipInfo("readme.txt"), "no model")


def rewrite(name, source, change, method, extra=None, zip64=False):
    """Copies an archive entry by entry; with zip64 each local header has the long form."""
    with zipfile.ZipFile(os.path.join(FOLDER, name), "w", method) as target:
        for entry in source.infolist():
            info = zipfile.ZipInfo(entry.filename)
            info.compress_type = method
            with target.open(info, "w", force_zip64=zip64) as file:
                file.write(change(entry.filename, source.read(entry)))
        for path, data in (extra or {}).items():
            if path not in source.namelist():
                target.writestr(zipfile.ZipInfo(path), data)


if __name__ == "__main__":
    main()
