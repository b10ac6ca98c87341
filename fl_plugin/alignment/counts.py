"""How many rows, said so that nobody can count them."""

from bisect import bisect_right
from itertools import count, islice, takewhile

_MOST_DECADES = 13
_PARTS_OF_A_POWER = 16


def bucket(rows: int, *, min_cohort: int) -> tuple[int, int]:
    """Return the bucket [low, high) of a number of rows.

    Edges are 0, the min cohort, and 1, 2 and 5 times the powers of ten above it.
    """
    powers = (10**p for p in islice(count(), _MOST_DECADES))
    ladder = [times * power for power in powers for times in (1, 2, 5)]
    edges = [0, max(min_cohort, 1), *(e for e in ladder if e > max(min_cohort, 1))]
    above = bisect_right(edges, rows)
    return edges[above - 1], edges[min(above, len(edges) - 1)]


def bucket_words(low: int, high: int) -> str:
    """Return a bucket in words, such as "1,000 to 2,000" or "fewer than 25"."""
    return f"{low:,} to {high:,}" if low else f"fewer than {high:,}"


def rows_in_words(rows: int, *, min_cohort: int) -> str:
    """Return the bucket of a number of rows in words; none is "fewer than" too."""
    return bucket_words(*bucket(rows, min_cohort=min_cohort))


def padded_size(keys: int, smallest: int) -> int:
    """Return how long a list of so many keys is made before it leaves.

    Sixteenths of the power of two at or below: at most 6.3 % longer, 102,400 for
    100,000. The same table has the same size in every run: repeating tells nothing.

    Args:
        keys: How many there are.
        smallest: No list is shorter.
    """
    if keys <= smallest:
        return smallest
    step = max(1, (1 << (keys.bit_length() - 1)) // _PARTS_OF_A_POWER)
    return -(-keys // step) * step


def parts(size: int, longest: int) -> list[slice]:
    """Return the parts in which a list travels."""
    starts = takewhile(lambda start: start < size, count(0, longest))
    return [slice(start, min(start + longest, size)) for start in starts]
