"""Slow and plain implementations that the compiled kernels are compared with."""
