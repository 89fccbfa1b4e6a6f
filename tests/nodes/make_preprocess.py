#!/usr/bin/env python3
"""Prints what tests/nodes/preprocess.cpp expects of Canny and of thinning, as OpenCV computes it.

Needs OpenCV with its contributed modules (Debian: python3-opencv); the tests themselves do not.
"""
import cv2
import numpy as np


def waves(width, height, channels):
    picture = np.zeros((height, width, channels), np.uint8)
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                picture[y, x, c] = (x * x * 3 + y * y * 5 + x * y * 7 + c * 90 * (x // 5)) // 4 % 256
    return picture


def blobs(width, height):
    picture = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            ring = (x - 12) ** 2 + (y - 9) ** 2
            inside = 0 < x < width - 1 and 0 < y < height - 1  # OpenCV leaves the rim as it is
            if inside and (20 < ring < 62 or (y > 14 and x > 16) or abs(x - y) < 2 and x < 10):
                picture[y, x] = 255
    return picture


def show(name, picture):
    print(f"    // {name}")
    for row in picture:
        print('    "' + "".join("#" if v else "." for v in row) + '"')


for channels in (1, 3):
    source = waves(29, 21, channels)
    source = source[:, :, 0] if channels == 1 else source
    show(f"canny, {channels} channels, 100 200", cv2.Canny(source, 100, 200))
    show(f"canny, {channels} channels, 60 150, euclidean", cv2.Canny(source, 60, 150, L2gradient=True))
show("zhang-suen", cv2.ximgproc.thinning(blobs(27, 21), thinningType=cv2.ximgproc.THINNING_ZHANGSUEN))
show("guo-hall", cv2.ximgproc.thinning(blobs(27, 21), thinningType=cv2.ximgproc.THINNING_GUOHALL))
