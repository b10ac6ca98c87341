"""Formats that other machines and later versions must read: known answers.

A change here breaks runs between nodes of different versions, or every signature and
digest made so far: it needs a new version number of the format, not a new answer.
"""

import hashlib

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fl_plugin.messages import Ask, encode
from fl_plugin.model.canonical import model_digest
from fl_plugin.model.spec import CategoricalColumn, ModelSpec, NumericColumn
from fl_plugin.preparation.splits import Split, row_hashes
from fl_plugin.privacy.fixed_point import Grid, encode_limbs
from fl_plugin.privacy.masking import PairwiseMasks


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def test_a_message_s_bytes():
    ask = Ask(
        kind="step",
        run="r-1",
        round=3,
        party="north",
        body={"rows": [1, 2]},
        arrays={"x": np.arange(3.0), "n": np.array([7], dtype=np.uint64)},
    )
    assert encode(ask)[:4] == b"FLM1"
    assert digest(encode(ask)) == "59f8954fa8eab0a1"


def test_a_mask_s_bytes():
    keys = {n: X25519PrivateKey.from_private_bytes(n.encode() * 32) for n in "abc"}
    publics = {n: k.public_key().public_bytes_raw() for n, k in keys.items()}
    masks = PairwiseMasks("b", "run-1", keys["b"], publics)
    masked = masks.mask(np.arange(8, dtype=np.uint64), "4/step/gradient")
    assert digest(masked.tobytes()) == "e0643b1ea66f7043"


def test_fixed_point_words():
    values = np.array([0.0, 1.0, -1.5, 123456.789, -1e-9])
    assert digest(Grid.for_bound(1e6).encode(values).tobytes()) == "7acb4ed3af7857ed"
    assert digest(encode_limbs(values).tobytes()) == "5a97e4eab9921841"


def test_which_rows_fall_into_a_fold():
    hashes = row_hashes(f"\x01C{i:04d}".encode() for i in range(200))
    split = Split(name="cv", part="test", folds=5, repeat=2, fold=3)
    assert digest(split.select(hashes, 20261102).tobytes()) == "95ff6b132e227ed7"


def test_a_model_s_digest():
    spec = ModelSpec(
        numeric=(NumericColumn(name="age", mean=40.0, scale=10.0, n_seen=100),),
        categorical=(CategoricalColumn(name="job", categories=("a", "b")),),
        coef=np.array([0.5, -1.0, 1.0]),
        intercept=0.25,
        l2=1.0,
        n_rounds=6,
        rows=100,
    )
    assert (
        model_digest(spec)
        == "sha256:d6cc97cb6e64535246d4390f2832e1de050d8d6bd3ff9972d3b80c2a0ca94beb"
    )
