"""The same weights, frame by frame: a running answer to an endless sound."""

import keras
import numpy as np
import tensorflow as tf
from scipy import special

from course_lib import audio
from course_lib.litert import FileRunner, export, export_with_features
from course_lib.steps import Step

__all__ = ["Stream", "export", "export_with_features"]


class Stream:
    """A model that listens: samples in pieces of any size → the probability of each class after each frame.

    Args: model: a Keras model that looks only back (see `Step`), or the path of a file that `export` or `export_with_features` wrote;
    sample_rate: hertz; frame_length, frame_step: samples, as the model was trained.
    Attributes: logits: float32 `[classes]` after the last frame, or None; position: samples of the recording taken so far; resets: how often a gap
    made the state begin anew.
    """

    def __init__(self, model, *, sample_rate=audio.SAMPLE_RATE, frame_length=audio.FRAME_LENGTH, frame_step=audio.FRAME_STEP):
        self.sample_rate, self.frame_length, self.frame_step = sample_rate, frame_length, frame_step
        self.runner = _KerasRunner(model) if isinstance(model, keras.Model) else FileRunner(model, frame_length)
        self.resets = 0
        self.reset()

    def reset(self, *, position=0):
        """Forget all that was heard; the next sample is at `position` in the recording."""
        self.state, self.waiting, self.logits, self.position = self.runner.initial, np.zeros(0, np.float32), None, position

    def push(self, samples, *, start=None):
        """Take the next samples.

        Args: samples: float `[samples]` in units of full scale, any number; start: where in the recording they begin, by default where the
        last ones ended. If samples are missing before `start` (a gap, a late start), the state begins anew there, since a frame across a gap
        would hold no sound that ever was; `resets` counts it.
        Returns: float32 `[frames, classes]`, the running probabilities, a row for each frame that became whole.
        Raises: ValueError if the samples are not a waveform of finite numbers, or were pushed before. Nothing of the piece is taken then.
        """
        samples = self._checked(samples)
        start = self.position if start is None else start
        if start < self.position:
            raise ValueError(f"expected samples from position {self.position:,} on, found a piece from {start:,}: was it pushed twice?")
        if start > self.position:
            self.resets += 1
            self.reset(position=start)
        self.position += len(samples)
        self.waiting = np.concatenate([self.waiting, samples])
        count = int(audio.frame_count(len(self.waiting), frame_length=self.frame_length, frame_step=self.frame_step))
        whole, self.waiting = self.waiting, self.waiting[count * self.frame_step :]
        if not count:
            return np.zeros([0, self.runner.n_classes], np.float32)
        logits, self.state = self.runner(self._frames(whole, count), self.state)
        self.logits = logits[-1]
        return special.softmax(logits, axis=1)

    def _checked(self, samples):
        """The samples as float32, or an error that says what is wrong with them."""
        samples = np.asarray(samples)
        if samples.ndim != 1 or samples.dtype.kind != "f":
            raise ValueError(f"expected a waveform [samples] of floats in units of full scale, found {samples.dtype} {list(samples.shape)}")
        if not np.isfinite(samples).all():
            at = (self.position + np.flatnonzero(~np.isfinite(samples))[0]) / self.sample_rate
            count = int((~np.isfinite(samples)).sum())
            raise ValueError(f"expected finite samples, found {count} that are not, the first at {at:.3f} s; nothing of this piece was taken")
        return samples.astype(np.float32)

    def _frames(self, samples, count):
        """What the model reads: log-mel frames, or the windows of samples themselves."""
        if self.runner.n_mels is None:
            return np.lib.stride_tricks.sliding_window_view(samples, self.frame_length)[:: self.frame_step][:count]
        rate = {"sample_rate": self.sample_rate, "frame_length": self.frame_length, "frame_step": self.frame_step}
        return audio.log_mel(samples, **rate, n_mels=self.runner.n_mels)


class _KerasRunner:
    """Frames and a state → the logits at each frame and the next state, by the Keras model."""

    def __init__(self, model):
        step = Step(model)
        self.initial, self.n_mels, self.n_classes = step.initial, step.n_mels, model.output_shape[-1]

        def run(frames, state):
            count = tf.shape(frames)[0]

            def advance(number, logits, state):
                now, state = step(frames[number][None], state)
                return number + 1, logits.write(number, now), state

            logits = tf.TensorArray(tf.float32, count, element_shape=[1, self.n_classes])
            _, logits, state = tf.while_loop(lambda number, *_: number < count, advance, (0, logits, state))
            return logits.concat(), state

        shapes = {name: tf.TensorSpec(value.shape) for name, value in self.initial.items()}
        traced = tf.function(run, input_signature=[tf.TensorSpec([None, self.n_mels]), shapes], autograph=False)
        self.run = traced.get_concrete_function()  # called a hundred times a second: without looking up the trace

    def __call__(self, frames, state):
        logits, state = self.run(tf.constant(frames), {name: tf.convert_to_tensor(value) for name, value in state.items()})
        return logits.numpy(), state
