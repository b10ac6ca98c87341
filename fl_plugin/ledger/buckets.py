"""How many rows, said so that nobody can count."""

_FINEST = 10


def rows_bucket(rows: int, *, min_cohort: int) -> str:
    """Round a row count to two significant digits, and never finer than tens.

    Two digits alone would spell out every count below 100, and two runs that differ
    by one row would show it.

    Returns:
        Such as "500" for 495; "<25" below a `min_cohort` of 25.
    """
    if rows < min_cohort:
        return f"<{min_cohort}"
    step = max(_FINEST, 10 ** (len(str(rows)) - 2))
    rounded = (rows + step // 2) // step * step
    return str(max(rounded, min_cohort))
