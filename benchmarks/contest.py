"""What all contenders of the speed benchmark share: the clips and the settings. It imports neither framework."""

import numpy as np

from course_lib import audio, data

EPOCHS = 4  # the first one holds the compiling
SEED = 0
UNITS = 64  # of the LSTM
BATCH_SIZE = 32  # clips, as course_lib.batches
LEARNING_RATE = 3e-3  # as course_lib.training
CLIP_NORM = 1.0  # as course_lib.training
SHIFT, SCALE = -5.0, 4.0  # natural log of mel energy, as course_lib.models


def training_clips():
    """The 2,700 training clips of the real digits.

    Returns: a list of float32 `[frames, N_MELS]`, and int32 labels `[clips]`.
    """
    clips = data.load("fsdd").query("split == 'train'")
    frames = audio.log_mels([audio.read(path) for path in clips["path"]])
    return frames, clips["label"].cat.codes.to_numpy().astype(np.int32)
