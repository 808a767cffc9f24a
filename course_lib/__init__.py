"""Helpers of the course, one module for each step of a clip's path from the disk to a report."""

import os

from course_lib.exercises import check

__all__ = ["check"]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported: fewer notes
