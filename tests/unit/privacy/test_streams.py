"""The masks' bytes: known answers, made a second time by hand, and their randomness."""

import hashlib
import hmac
import json

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from scipy.stats import chisquare

from fl_plugin.privacy.derivation import agree, digest_of, key_for, seal
from fl_plugin.privacy.masks import MaskUse
from fl_plugin.privacy.streams import Mask, apply
from fl_plugin.privacy.terms import VERSION
from fl_plugin.summand import Summand, native_type

A = X25519PrivateKey.from_private_bytes(b"a" * 32)
B = X25519PrivateKey.from_private_bytes(b"b" * 32)
PUBLIC_A, PUBLIC_B = (k.public_key().public_bytes_raw() for k in (A, B))


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """RFC 5869 for 32 bytes: extract, and the first block of expand."""
    return expand(hmac.digest(salt, secret, "sha256"), info)


def expand(key: bytes, info: bytes) -> bytes:
    return hmac.digest(key, info + b"\1", "sha256")


def counter_mode(key: bytes, size: int) -> bytes:
    """AES-256 of 2, 3, 4, ... block by block."""
    blocks = b"".join(i.to_bytes(16) for i in range(2, 2 + -(-size // 16)))
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - one block each
    return cipher.encryptor().update(blocks)[:size]


def test_what_two_parties_agree_on_is_the_same_and_as_the_standards_say():
    salt = hashlib.sha256(b"run-1").digest()
    shared = A.exchange(B.public_key())
    by_hand = hkdf(shared, salt, VERSION.encode())
    assert agree(A, PUBLIC_B, "run-1") == by_hand == agree(B, PUBLIC_A, "run-1")
    assert agree(A, PUBLIC_B, "run-2") != by_hand
    assert by_hand.hex() == (
        "f68d6e09ad4062872e0f78796ab5e112f9a043b161dbe43b1e25727424b6dd22"
    )


def test_a_key_for_one_use_is_as_the_standard_says():
    info = json.dumps([VERSION, "pair mask", "a", "b", 4], separators=(",", ":"))
    made = key_for(b"s" * 32, "pair mask", ["a", "b", 4])
    assert made == expand(b"s" * 32, info.encode())
    assert len({made, key_for(b"s" * 32, "own mask", ["a", "b", 4])}) == 2


def test_a_stream_runs_on_over_the_arrays_in_the_order_of_their_names():
    key = b"k" * 32
    expected = {
        "b": Summand(shape=(3,), bound=1.0),
        "a": Summand(shape=(2, 2), bound=1.0, width=3),
        "c": Summand(shape=(5,), bound=1.0, width=1),
    }
    words = {n: np.zeros(s.shape, dtype=np.uint64) for n, s in expected.items()}
    got = apply(words, expected, [Mask(key, adds=True)])
    stream = counter_mode(key, 4 * 4 + 3 * 8 + 5)
    assert b"".join(got[n].tobytes() for n in "abc") == stream
    assert {n: a.dtype for n, a in got.items()} == {
        "a": np.uint32,
        "b": np.uint64,
        "c": np.uint8,
    }


def test_a_message_of_many_chunks_is_masked_like_one_of_one():
    size, key = 100_003, b"q" * 32
    expected = {"x": Summand(shape=(size,), bound=1.0)}
    words = {"x": np.arange(size, dtype=np.uint64)}
    got = apply(words, expected, [Mask(key, adds=False)])["x"]
    stream = np.frombuffer(counter_mode(key, 8 * size), dtype="<u8")
    np.testing.assert_array_equal(got, words["x"] - stream)
    assert words["x"][5] == 5  # what is masked is a copy


@pytest.mark.parametrize("few", [0, 1, 5, 31, 32, 33, 130_000])
def test_a_long_message_s_stream_runs_on_over_its_arrays_too(few):
    """Long streams are made by other code after 32 bytes: wherever these end."""
    key = b"r" * 32
    expected = {
        "a": Summand(shape=(few,), bound=1.0, width=1),
        "b": Summand(shape=(40_001,), bound=1.0, width=3),
        "c": Summand(shape=(2, 20_003), bound=1.0),
    }
    words = {n: np.zeros(s.shape, dtype=np.uint64) for n, s in expected.items()}
    got = apply(words, expected, [Mask(key, adds=True), Mask(b"s" * 32, adds=False)])
    again = apply(got, expected, [Mask(b"s" * 32, adds=True)])
    stream = counter_mode(key, few + 4 * 40_001 + 8 * 40_006)
    assert b"".join(again[n].tobytes() for n in "abc") == stream


@pytest.mark.parametrize("size", [2**17 - 8, 2**17, 2**17 + 8])
def test_short_and_long_messages_have_the_same_stream(size):
    expected = {"x": Summand(shape=(size // 8,), bound=1.0)}
    words = {"x": np.zeros(size // 8, dtype=np.uint64)}
    got = apply(words, expected, [Mask(b"t" * 32, adds=True)])
    assert got["x"].tobytes() == counter_mode(b"t" * 32, size)


def test_a_message_without_masks_is_only_cut():
    expected = {"x": Summand(shape=(3,), bound=1.0, width=2)}
    words = {"x": np.array([1, 2**16 + 2, 2**63 + 3], dtype=np.uint64)}
    got = apply(words, expected, [])["x"]
    assert got.dtype == np.uint16
    assert got.tolist() == [1, 2, 3]


def test_masks_of_a_pair_cancel_and_a_mask_taken_off_is_gone():
    use = MaskUse(7, digest_of(["a", "b", "c"], "step"))
    expected = {"x": Summand(shape=(4,), bound=1.0)}
    words = {"x": np.arange(4, dtype=np.uint64)}
    secret = agree(A, PUBLIC_B, "r")
    pair = [use.between("a", "b", secret), use.between("b", "a", secret)]
    own = use.own("a", b"z" * 32)
    for masks in (pair, [own, own.taken_off]):
        assert apply(words, expected, masks)["x"].tolist() == [0, 1, 2, 3]
        assert apply(words, expected, masks[:1])["x"].tolist() != [0, 1, 2, 3]


def test_a_masked_message_s_bytes():
    """What another version of this program must send, to the bit."""
    use = MaskUse(4, digest_of(["a", "b", "c"], "step"))
    masks = [
        use.between("a", "b", agree(A, PUBLIC_B, "run-1")),
        use.own("a", b"seed" * 8),
    ]
    expected = {"x": Summand(shape=(8,), bound=1.0)}
    got = apply({"x": np.arange(8, dtype=np.uint64)}, expected, masks)["x"]
    assert hashlib.sha256(got.tobytes()).hexdigest()[:16] == "a8a9ebfa89f6783e"
    assert seal(b"seed" * 8).hex()[:16] == "3fedbd92409af9cd"


def test_every_fact_of_a_message_changes_its_mask():
    uses = [
        MaskUse(4, digest_of(["a", "b", "c"], "step")),
        MaskUse(5, digest_of(["a", "b", "c"], "step")),
        MaskUse(4, digest_of(["a", "b"], "step")),
        MaskUse(4, digest_of(["a", "b", "c"], "other")),
    ]
    keys = [u.between("a", "b", b"s" * 32).key for u in uses]
    keys += [uses[0].between("a", "c", b"s" * 32).key, uses[0].own("a", b"s" * 32).key]
    keys += [uses[0].own("b", b"s" * 32).key]
    assert len(set(keys)) == len(keys)


def test_a_mask_does_not_show_in_its_text():
    assert "k" * 8 not in repr(Mask(b"k" * 32, adds=True))


@pytest.mark.parametrize(
    ("width", "bytes_made"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (8, 8)]
)
def test_no_more_bytes_are_made_than_the_next_native_word(width, bytes_made):
    assert native_type(width).itemsize == bytes_made


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_mask_bytes_pass_chi_square(width, figure):
    size = 2**22 // width
    expected = {"x": Summand(shape=(size,), bound=1.0, width=width)}
    words = {"x": np.zeros(size, dtype=np.uint64)}
    masks = [Mask(key_for(b"c" * 32, "test", [i]), adds=bool(i)) for i in range(2)]
    octets = apply(words, expected, masks)["x"].view(np.uint8)
    singles = chisquare(np.bincount(octets, minlength=256)).pvalue
    pairs = octets[: len(octets) // 2 * 2].view(np.uint16)
    doubles = chisquare(np.bincount(pairs, minlength=2**16)).pvalue
    assert min(singles, doubles) > 1e-4  # fixed keys: the same figure every time
    figure("mask bytes: 1 - p of chi-square, worst", 1 - singles, how="worst")
