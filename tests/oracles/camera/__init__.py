"""What the compiled kernels must compute, in plain NumPy: slow, readable, the oracles of their
tests.
"""
