"""The measurements behind every figure that the README and the lessons quote: `make bench`."""
