"""Shamir shares: against exact fractions, published-size fields and known answers."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from fl_plugin.errors import MessageError
from fl_plugin.privacy import shamir

SECRET = bytes(range(32))


def lagrange_at_zero(points: dict[int, int]) -> int:
    """Interpolate over the rationals: another way, without any modular inverse."""
    total = Fraction(0)
    for i, y in points.items():
        weight = Fraction(1)
        for j in points:
            if j != i:
                weight *= Fraction(j, j - i)
        total += y * weight
    numerator, denominator = total.numerator, total.denominator
    # A fraction as an element of the field, by Fermat.
    return numerator * pow(denominator, shamir.PRIME - 2, shamir.PRIME) % shamir.PRIME


def test_the_field_is_the_smallest_prime_above_every_secret():
    assert not any(is_prime(2**256 + k) for k in range(1, 297))
    assert is_prime(shamir.PRIME)
    assert shamir.PRIME.bit_length() <= 8 * shamir.SHARE_BYTES


def is_prime(number: int) -> bool:
    """Miller and Rabin's test, to 40 bases."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in range(2, 42):
        value = pow(base, odd, number)
        if value in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            value = value * value % number
            if value == number - 1:
                break
        else:
            return False
    return True


@pytest.mark.parametrize("holders", range(1, 8))
def test_every_choice_of_enough_holders_gives_the_secret_back(holders):
    for threshold in range(1, holders + 1):
        shares = shamir.split(SECRET, threshold, range(1, holders + 1))
        for chosen in itertools.combinations(shares, threshold):
            picked = {p: shares[p] for p in chosen}
            assert shamir.join(picked) == SECRET
            whole = {p: int.from_bytes(s) for p, s in picked.items()}
            assert lagrange_at_zero(whole) == int.from_bytes(SECRET)


def test_shares_lie_on_a_polynomial_of_the_right_degree():
    coefficients = iter([7, 5])  # 7 x^2 + 5 x + secret
    shares = shamir.split(
        (11).to_bytes(32),
        3,
        [1, 2, 3, 10],
        lambda size: next(coefficients).to_bytes(size),
    )
    assert [int.from_bytes(s) for s in shares.values()] == [23, 49, 89, 761]
    assert shamir.join({p: shares[p] for p in (1, 3, 10)}) == (11).to_bytes(32)


def test_a_known_answer_in_the_whole_field():
    top = shamir.PRIME - 1  # -1: the shares are secret - x - x^2
    shares = shamir.split(b"\xff" * 32, 3, [1, 2, 17], top.to_bytes)
    expected = [(2**256 - 1 - x - x * x) % shamir.PRIME for x in (1, 2, 17)]
    assert [int.from_bytes(s) for s in shares.values()] == expected
    assert shamir.join(shares) == b"\xff" * 32


def test_one_share_too_few_gives_anything_but_the_secret():
    shares = shamir.split(SECRET, 4, range(1, 8))
    for chosen in itertools.combinations(shares, 3):
        try:
            assert shamir.join({p: shares[p] for p in chosen}) != SECRET
        except MessageError:  # a number beyond 32 bytes
            continue


def test_shares_of_two_secrets_look_alike():
    """One share of two, of a fixed secret: its bytes are uniform."""
    first = [shamir.split(bytes(32), 2, [1, 2])[1] for _ in range(4_000)]
    octets = np.frombuffer(b"".join(s[1:] for s in first), dtype=np.uint8)
    counts = np.bincount(octets, minlength=256)
    expected = len(octets) / 256
    assert ((counts - expected) ** 2 / expected).sum() < 400  # p below 1e-8 beyond


def test_a_share_that_is_no_element_is_refused():
    shares = shamir.split(SECRET, 2, [1, 2])
    for wrong in (b"", shares[1][:-1], shares[1] + b"\0", b"\xff" * 33):
        with pytest.raises(MessageError):
            shamir.join({1: wrong, 2: shares[2]})


@pytest.mark.parametrize(
    ("secret", "threshold", "points"),
    [
        (b"short", 1, [1]),
        (SECRET, 0, [1]),
        (SECRET, 3, [1, 2]),
        (SECRET, 2, [1, 1]),
        (SECRET, 1, [0]),  # would be the secret itself
    ],
)
def test_what_no_one_may_ask_for_is_a_programming_error(secret, threshold, points):
    with pytest.raises(ValueError, match=r"^$"):
        shamir.split(secret, threshold, points)
