"""Helpers of the course, one module for each step of a clip's path from the disk to a report."""

import os

from course_lib.exercises import check

__all__ = ["check"]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported: fewer notes
# The operations of a recurrent layer are too small to be shared out: a second thread costs a
# quarter more CPU time, and saves none by the clock. To use more threads, set these yourself.
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
