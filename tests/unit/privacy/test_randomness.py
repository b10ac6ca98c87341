"""A run's draws: unlike anybody else's, and the same again from the same secret."""

from collections import Counter

import pytest

from fl_plugin.privacy.randomness import Randomness, below, fresh_secret

SECRET = bytes(range(32))


def test_the_same_secret_draws_the_same_in_pieces_of_any_size():
    first, second = (Randomness(SECRET).stream("noise") for _ in range(2))
    pieces = b"".join(second(size) for size in (1, 15, 17, 0, 67))
    assert first(100) == pieces


def test_a_stream_goes_on_and_never_begins_anew():
    draws = Randomness(SECRET)
    before = draws.stream("noise")(32)
    assert draws.stream("noise")(32) != before
    assert Randomness(SECRET).stream("noise")(64)[:32] == before


def test_each_use_and_each_secret_has_a_stream_of_its_own():
    found = [
        Randomness(secret).stream(use)(32)
        for secret in (SECRET, fresh_secret(), fresh_secret())
        for use in ("noise", "mask keys")
    ]
    assert len(set(found)) == len(found)


def test_the_bytes_stay_as_they_are():
    """A run that was begun by an earlier release has drawn these."""
    found = Randomness(SECRET).stream("noise")(16).hex()
    assert found == "6d559ef3be759fa25db3138662df3e1f"


@pytest.mark.parametrize("limit", [1, 2, 3, 200, 257])
def test_numbers_below_a_limit_are_equally_likely(limit):
    source = Randomness(SECRET).stream("numbers")
    seen = Counter(below(limit, source) for _ in range(200 * limit))
    assert set(seen) == set(range(limit))
    assert max(seen.values()) < 400


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33)])
def test_a_secret_of_another_size_is_a_defect(secret):
    with pytest.raises(ValueError, match=r"^$"):
        Randomness(secret)
