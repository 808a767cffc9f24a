"""The most memory that hours of sound take: `python -m benchmarks.memory 8` reads the digits 8 times and prints hours and megabytes."""

import itertools
import json
import resource
import sys

import numpy as np

from course_lib import audio, batches, data


def main(times):
    """Read the clips so often, make all frames, and pass through the batches of an epoch."""
    clips = data.load("digits")
    paths = itertools.chain.from_iterable([clips["path"]] * times)
    frames = audio.log_mels(audio.read(path) for path in paths)
    for _ in batches.bucketed(frames, np.tile(clips["label"].cat.codes, times)):
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes; on a Mac bytes
    megabytes = peak / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps([times * clips["seconds"].sum() / 3_600, megabytes]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
