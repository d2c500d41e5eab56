"""Numba kernels on plain arrays: no classes, no I/O, no decisions."""
