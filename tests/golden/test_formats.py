"""Formats that other machines and later versions must read: known answers.

A change here breaks runs between nodes of different versions, or every signature and
digest made so far: it needs a new version number of the format, not a new answer.
"""

import hashlib

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fl_plugin.algorithms.base import Target
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.messages import Ask, content_digest, encode
from fl_plugin.model.canonical import model_digest
from fl_plugin.model.fitted import FittedModel
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.recipe import Recipe
from fl_plugin.preparation.splits import Split, row_hashes
from fl_plugin.privacy.derivation import agree, digest_of
from fl_plugin.privacy.encoding import encode as encode_part
from fl_plugin.privacy.encoding import pack
from fl_plugin.privacy.fixed_point import encode_limbs
from fl_plugin.privacy.masks import MaskUse
from fl_plugin.privacy.streams import apply
from fl_plugin.privacy.survivors import survivors_statement
from fl_plugin.privacy.terms import Terms
from fl_plugin.summand import Summand

STEP = Ask(
    kind="step",
    run="r-1",
    round=3,
    party="north",
    body={"rows": [1, 2]},
    arrays={"x": np.arange(3.0), "n": np.array([7], dtype=np.uint64)},
)
TERMS = Terms.recovering("run-1", ["a", "b", "c", "d"])


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def test_a_message_s_bytes():
    assert encode(STEP)[:4] == b"FLM1"
    assert digest(encode(STEP)) == "59f8954fa8eab0a1"


def test_what_masks_hang_on():
    assert content_digest(STEP)[:16] == "38c5902832349ea0"
    assert digest_of(["a", "b", "c"], "step")[:16] == "8aa9d9cac6cc9cac"


def test_a_mask_s_bytes():
    keys = {n: X25519PrivateKey.from_private_bytes(n.encode() * 32) for n in "abc"}
    publics = {n: k.public_key().public_bytes_raw() for n, k in keys.items()}
    use = MaskUse(4, digest_of(["a", "b", "c"], "4/step/gradient"))
    masks = [
        use.between("b", peer, agree(keys["b"], publics[peer], "run-1"))
        for peer in "ac"
    ]
    expected = {"gradient": Summand(shape=(8,), bound=1.0)}
    words = {"gradient": np.arange(8, dtype=np.uint64)}
    masked = apply(words, expected, [*masks, use.own("b", b"seed" * 8)])
    assert digest(masked["gradient"].tobytes()) == "612a927951625c87"


def test_what_a_domain_signs():
    keys = TERMS.statement("keys", {"party": "a"})
    lost = survivors_statement(TERMS, 3, ["a", "c", "d"], ["b"])
    assert digest(keys) == "46eb1874d38f8dad"
    assert digest(lost) == "2f5e701ab8d1f069"


def test_fixed_point_words():
    values = np.array([0.0, 1.0, -1.5, 123456.789, -1e-9])
    grid = Summand(shape=(5,), bound=1e6)
    assert digest(encode_part(grid, values).tobytes()) == "7acb4ed3af7857ed"
    assert digest(encode_limbs(values).tobytes()) == "5a97e4eab9921841"


def test_fixed_point_words_cut_to_fewer_bytes():
    values = np.array([0.0, 1.0, -1.5, 123.456, -1e-9])
    grid = Summand(shape=(5,), bound=1e3, width=3)
    assert digest(pack(encode_part(grid, values), 3).tobytes()) == "f886b5f61861e80a"


def test_which_rows_fall_into_a_fold():
    hashes = row_hashes(f"\x01C{i:04d}".encode() for i in range(200))
    split = Split(name="cv", part="test", folds=5, repeat=2, fold=3)
    assert digest(split.select(hashes, 20261102).tobytes()) == "95ff6b132e227ed7"


def test_a_model_s_digest():
    schema = Schema(
        features=(
            Feature(name="age", kind="numeric"),
            Feature(name="job", kind="categorical", categories=("a", "b")),
        ),
        target=Target(kind="binary", classes=(False, True)),
    )
    prepared = Prepared(
        schema=schema,
        recipe=Recipe.of(PreparationPlan(), schema),
        rows=100,
        class_counts=(70, 30),
        target_mean=0.3,
        target_mean_square=0.3,
        present=np.array([100]),
        fills=np.array([40.0]),
        means=np.array([40.0]),
        variances=np.array([100.0]),
        centers=np.array([40.0]),
        scales=np.array([10.0]),
        edges=(np.zeros(0),),
        category_counts=(),
    )
    model = FittedModel(
        prepared=prepared,
        algorithm="logistic_regression",
        parameters={"l2": 1.0, "max_rounds": 50, "tolerance": 1e-9},
        arrays={
            "coefficients": np.array([[0.5, -1.0, 1.0]]),
            "intercept": np.array([0.25]),
            "iterations": np.array([6]),
        },
        parties=3,
        seed=7,
    )
    assert (
        model_digest(model)
        == "sha256:aab36483d3458877d0e38edcdcc2062943d2c3b7421fc643d7979f170d384ed1"
    )
