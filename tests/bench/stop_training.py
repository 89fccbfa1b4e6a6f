#!/usr/bin/env python3
"""How long a training takes to stop: from SIGINT to its end event, and to the end of the process, which waits for the checkpoint.

    tests/bench/stop_training.py build/bin/heddle resources/graphs/train/pico-unet-more.heddle --rounds 9

Every round goes on from the checkpoint of the one before, and is stopped somewhere in its third step or later. The graph's
trainer must be called `train`.
"""
import argparse
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("heddle", type=pathlib.Path)
parser.add_argument("graph", type=pathlib.Path)
parser.add_argument("--rounds", type=int, default=9)
parser.add_argument("--folder", help="of the checkpoint")
arguments = parser.parse_args()

chance = random.Random(0)
with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
    ended, over = [], []
    for _ in range(arguments.rounds):
        command = [arguments.heddle.resolve(), "run", arguments.graph.resolve(), "--progress", "json", "--set", "train.checkpoint=state.safetensors"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        steps, sent = 0, None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "progress" and event["id"] == "train":
                steps += 1
                if steps == 3:
                    time.sleep(chance.random())     # anywhere in a step
                    sent = time.perf_counter()
                    process.send_signal(signal.SIGINT)
            if event["event"] == "end":
                ended.append(1000 * (time.perf_counter() - sent))
        status = process.wait()
        over.append(1000 * (time.perf_counter() - sent))
        assert status == 75, status
    size = os.path.getsize(os.path.join(folder, "state.safetensors")) / 1e6
    for name, times in ("end event", ended), ("process", over):
        print(f"{name}: median {statistics.median(times):.0f} ms, {min(times):.0f} to {max(times):.0f}")
    print(f"checkpoint {size:.0f} MB, {arguments.rounds} rounds")
