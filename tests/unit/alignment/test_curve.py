"""Hashes become points of the curve, as RFC 9380 says."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.alignment.curve import PRIME, _is_square, is_on_curve, points

# curve25519_XMD:SHA-512_ELL2_NU_ of the CFRG's test vectors: u and Q.x.
VECTORS = [
    (
        "65d61dfa58cf932cd60f65f24739d1afe89442e4a3b2e6ea9d65b0865f148901",
        "1241e151a4da26769778a6c8aa5a219ff608c6c31bea49a0558487a102bf6355",
    ),
    (
        "1393600fd74775f0d19a8ebd282b05349641a8b079c71030bf1bf370c41acef9",
        "25c758d9c7a11a43e72d3ddd7976458330fa9e37f63991457fac99a70253cfba",
    ),
    (
        "3e2240ce35b52e6ce7f2cc4c3e57c03bc1619494256e495dadadb10dcc2675e8",
        "6c70b60bbea45867f1e270af0812137ac64c8931370dae67a4130141f9bbacb1",
    ),
    (
        "6719884a782571b55353a8f2946a3e42430f0c769ce85d1a47026d491452b773",
        "64aaf5ae99e65460ba87f7f3c6871a66c3c5d3e671b33fe723603c0eed7b9922",
    ),
]


@pytest.mark.parametrize(("number", "expected"), VECTORS)
def test_the_map_gives_the_published_points(number, expected):
    raw = int(number, 16).to_bytes(64, "little")
    (found,) = points([raw])
    assert int.from_bytes(found.tobytes(), "little") == int(expected, 16)


def test_every_hash_becomes_a_point_on_the_curve_and_not_on_its_twist():
    hashes = [hashlib.sha512(b"%d" % i).digest() for i in range(500)]
    found = points(hashes)
    assert found.shape == (500, 32)
    assert all(is_on_curve(int.from_bytes(p.tobytes(), "little")) for p in found)
    assert len({p.tobytes() for p in found}) == 500


def test_a_random_number_is_on_the_curve_half_of_the_time():
    drawn = (hashlib.sha512(b"%d" % i).digest() for i in range(2_000))
    on = sum(is_on_curve(int.from_bytes(d, "little") % PRIME) for d in drawn)
    assert 850 < on < 1_150


@given(st.integers(1, PRIME - 1))
def test_squares_are_recognised_as_by_eulers_criterion(number):
    assert _is_square(number) is (pow(number, (PRIME - 1) // 2, PRIME) == 1)
