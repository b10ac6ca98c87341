"""A column's values by number, in the order in which they first appear.

While a large table is read, of a text column only these numbers and each value once
are kept; which category a number is comes out once all domains have agreed on them.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fl_plugin.errors import BuildError
from fl_plugin.party.table import codes_of
from fl_plugin.preparation.features import Category

Ids = npt.NDArray[np.int32]

# A column with more is a key or a note, not a category; they would fill the memory.
MOST_VALUES = 2**18


class Labels:
    """The values of one column that have been seen.

    Args:
        column: Its name, for messages.
    """

    def __init__(self, column: str) -> None:
        self._column = column
        self._known: dict[Hashable, int] = {}
        self._type: pa.DataType = pa.string()
        self._counts: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def number(self, values: pa.ChunkedArray) -> Ids:
        """Return each value's number, -1 where it is missing.

        Raises:
            BuildError: The column has too many different values.
        """
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        self._type = values.type
        coded = values.combine_chunks().dictionary_encode()
        local = np.fromiter(map(self._numbered, coded.dictionary.to_pylist()), np.int32)
        if len(self._known) > MOST_VALUES:
            raise BuildError(
                f"The column {self._column} has more than {MOST_VALUES} different "
                "values: it is no category.",
                remedy="Leave it out of the study, or group its values in the product.",
            )
        places = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        ids: Ids = np.append(local, np.int32(-1))[places]  # the last is for -1
        self._add(ids)
        return ids

    def codes(self, categories: Sequence[Category]) -> npt.NDArray[np.int64]:
        """Return each number's category, or -1; the last is for -1 itself."""
        values = pa.array(list(self._known), self._type)
        return np.append(codes_of(values, categories), -1)

    def frequent(self, least: int) -> tuple[str, ...]:
        """Return the texts that at least so many rows have, sorted."""
        pairs = zip(self._known, self._counts.tolist(), strict=True)
        return tuple(sorted(v for v, n in pairs if n >= least and isinstance(v, str)))

    def __repr__(self) -> str:
        return f"Labels({self._column!r})"  # never a value

    def fingerprint(self) -> bytes:
        """Return bytes that two columns share only if they have the same values."""
        return repr((self._column, list(self._known))).encode()

    def _numbered(self, value: Hashable) -> int:
        return self._known.setdefault(value, len(self._known))

    def _add(self, ids: Ids) -> None:
        found = np.bincount(ids[ids >= 0], minlength=len(self._known))
        found[: len(self._counts)] += self._counts
        self._counts = found
