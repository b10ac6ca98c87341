"""Solves positive semi-definite systems whose columns are of unlike sizes."""

import numpy as np

from fl_plugin.summand import Floats

# Beyond this condition number products of columns give fewer than 11 digits.
ILL = 1e4


def solve_even(matrix: Floats, right: Floats) -> Floats:
    """Solve a positive semi-definite system, its columns brought to one scale first.

    A column of zeros gets a coefficient of 0.

    Args:
        matrix: (p, p).
        right: (p,).
    """
    diagonal = np.diag(matrix)
    known = diagonal > 0.0
    scale = np.where(known, 1.0 / np.sqrt(np.where(known, diagonal, 1.0)), 0.0)
    even = matrix * scale * scale[:, None]
    return np.asarray(scale * np.linalg.lstsq(even, scale * right, rcond=None)[0])


def ill_conditioned(matrix: Floats) -> bool:
    """Return whether products of columns give too few digits to solve from."""
    diagonal = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    values = np.linalg.eigvalsh(matrix / diagonal / diagonal[:, None])
    return bool(values[0] * ILL < values[-1])
