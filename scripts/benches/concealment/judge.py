"""Judges by PESQ (ITU-T P.862, narrow band); runs in the environment of the peers of `buffers`.

Reads the paths of .npy files, a reference and what is judged in each line; writes a score for each.
"""

import sys

import numpy as np
from pesq import pesq

for line in sys.stdin:
    reference, heard = (np.load(path) for path in line.split())
    print(pesq(8000, reference, heard, "nb"))
