"""Helpers of the course, one module for each step of a clip's path from the disk to a report."""
