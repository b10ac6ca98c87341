"""What hides a row's number from the one who opens it: a part that stays, a part anew.

A part that is drawn once for a fit cannot be averaged away over its looks; a part that
is drawn for every look hides how the number changed in between.
"""

import os

from fl_plugin.privacy.randomness import RandomBytes
from fl_plugin.summand import Floats
from fl_plugin.vertical.glm.ciphertexts import uniform

STAYING = 0.55  # of the range


class Blind:
    """Draws numbers between -1 and 1 for every row of a fit.

    Args:
        rows: Of the fit.
        source: Where they are drawn from.
    """

    def __init__(self, rows: int, source: RandomBytes = os.urandom) -> None:
        self._rows = rows
        self._source = source
        self._staying = uniform(source(8 * rows))

    def draw(self) -> Floats:
        """Return the blinds of one look, (rows,)."""
        anew = uniform(self._source(8 * self._rows))
        return STAYING * self._staying + (1.0 - STAYING) * anew
