"""Symmetric matrices, sent as their upper half."""

import numpy as np

from fl_plugin.summand import Floats


def triangle(matrix: Floats) -> Floats:
    """Return the upper half of a symmetric matrix, row after row."""
    return np.asarray(matrix[np.triu_indices(len(matrix))])


def full(half: Floats, size: int) -> Floats:
    """Return the symmetric matrix of which `half` is the upper half."""
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size)] = half
    return matrix + np.triu(matrix, 1).T


def half_size(size: int) -> int:
    """Return how many numbers the upper half of a symmetric matrix has."""
    return size * (size + 1) // 2
