"""What each side of a vertical linear model sees, on the transcript of whole fits."""

import numpy as np
import pytest
import tenseal

from fl_plugin import messages
from fl_plugin.algorithms.base import Block, Target
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.glm import ciphertexts
from fl_plugin.vertical.glm.ciphertexts import Key
from fl_plugin.vertical.vertical_linear_regression import VerticalLinearRegression
from fl_plugin.vertical.vertical_logistic_regression import VerticalLogisticRegression
from fl_plugin.vertical.vertical_poisson_regression import VerticalPoissonRegression
from tests.vertical import fit_over, score_over, sides

ROWS = 2_500
WIDTHS = {"bank": 1, "post": 2, "shop": 2}
ALGORITHMS = {
    "binary": VerticalLogisticRegression(tolerance=1e-3),
    "regression": VerticalLinearRegression(tolerance=1e-3),
    "count": VerticalPoissonRegression(alpha=0.01, tolerance=1e-3),
}
CIPHERTEXTS = {"lock", "rows", "rows.sizes", "pass", "pass.sizes", "sums", "sums.sizes"}


class Seen:
    """A fit, with what its label party opened and what its rows really were."""

    def __init__(self, kind, monkeypatch):
        draws = np.random.default_rng(3)
        self.x = {p: draws.normal(size=(k, ROWS)) for p, k in WIDTHS.items()}
        self.x["shop"][1] = draws.random(ROWS) < 0.01  # a rare category
        z = sum(0.6 * x.sum(axis=0) for x in self.x.values()) - 0.4
        self.y = {
            "binary": (draws.random(ROWS) < 1.0 / (1.0 + np.exp(-z))).astype(float),
            "regression": 3.0 * z + draws.normal(size=ROWS),
            "count": draws.poisson(np.exp(np.clip(z, -3.0, 2.0))).astype(float),
        }[kind]
        self.blocks = {
            p: Block(x, self.y if p == "bank" else np.zeros(0))
            for p, x in self.x.items()
        }
        classes = (False, True) if kind == "binary" else ()
        self.task = VerticalTask(
            target=Target(kind=kind, classes=classes),
            widths=WIDTHS,
            label_party="bank",
            rows=ROWS,
        )
        self.opened, self.totals = [], []
        real, total = Key.open, Key.totals
        monkeypatch.setattr(Key, "open", lambda k, c: self._kept(real(k, c)))
        monkeypatch.setattr(Key, "totals", lambda k, c: self._slots(k, c, total))
        self.algorithm = ALGORITHMS[kind]
        self.fit = fit_over(self.algorithm, self.task, sides(self.blocks))
        self.parts = {p: self.fit.parts[p]["coefficients"] @ self.x[p] for p in WIDTHS}

    def _kept(self, rows):
        self.opened.append(rows)
        return rows

    def _slots(self, key, chunks, total):
        slots = [np.array(v.decrypt()) for v in key.read(chunks)]
        self.totals.append(np.array(slots))
        return total(key, chunks)

    def sealed(self, *, to):
        """Yield the arrays that parties sealed for one another."""
        for sent in self.fit.wire.sent:
            for name, array in sent.arrays.items():
                sealed = name.startswith("sealed.") or name == "sums"
                if sealed and not sent.up and sent.party in to:
                    yield messages.decode(array.tobytes()).arrays


@pytest.fixture(scope="module", params=ALGORITHMS)
def seen(request):
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Seen(request.param, monkeypatch)


def test_the_coordinator_reads_no_more_numbers_than_there_are_columns(seen):
    told = set()
    for sent in seen.fit.wire.sent:
        for name, array in sent.arrays.items():
            if name.startswith("sealed.") or name == "sums":
                assert array.dtype == np.uint8
                continue
            told.add(name.split(".")[0])
            assert array.size <= max(WIDTHS.values()) + 1
    assert told == {"stage", "point", "own", "opened", "penalty"}


def test_feature_parties_get_ciphertexts_blinds_and_a_unit(seen):
    named = set()
    for arrays in seen.sealed(to={"post", "shop"}):
        named |= set(arrays)
        for name in set(arrays) - CIPHERTEXTS:
            assert name in {"shares", "unit"}
            if name == "unit":
                assert arrays[name].shape == (1,)
    assert named == CIPHERTEXTS - {"pass", "pass.sizes"} | {"shares", "unit"}


def test_blinds_that_feature_parties_share_say_nothing_of_labels_or_predictions(seen):
    """Beyond what the own part of the domain that drew them tells, which they hide."""
    shares = [a["shares"] for a in seen.sealed(to={"post"}) if "shares" in a]
    assert shares
    drawer = np.vstack([np.ones(ROWS), seen.x["shop"]])

    def beyond(values):
        return values - np.linalg.lstsq(drawer.T, values, rcond=None)[0] @ drawer

    z = sum(seen.parts.values())
    for share in shares:
        known = share if share.min() < 0.0 else np.log(share)
        assert abs(np.corrcoef(known, seen.parts["shop"])[0, 1]) < 0.3
        for hidden in (seen.y, z, seen.parts["bank"]):
            found = np.corrcoef(beyond(known), beyond(hidden))[0, 1]
            assert abs(found) < 0.11  # 5.5 deviations of chance


def test_no_lock_that_is_sent_can_open_what_it_locked(seen):
    locks = [a["lock"] for a in seen.sealed(to=set(WIDTHS)) if "lock" in a]
    assert len(locks) > 5
    digests = set()
    for lock in locks:
        context = tenseal.context_from(lock.tobytes())
        assert not context.has_secret_key()
        digests.add(lock.tobytes())
    looks = len(seen.opened)
    # Target, and per look: the pass, its shares, the others' shares: never used again.
    assert len(digests) == 1 + 3 * looks


def test_what_the_label_party_opens_hardly_tells_the_others_part_of_a_row(seen):
    others = seen.parts["post"] + seen.parts["shop"]
    numbers = [o if o.min() < 0.0 else np.log(o) for o in seen.opened]
    own = seen.parts["bank"]
    known = np.stack([np.ones(ROWS), own, *numbers[-2:], np.mean(numbers, axis=0)])
    fitted = known.T @ np.linalg.lstsq(known.T, others, rcond=None)[0]
    assert 1.0 - ((others - fitted) ** 2).mean() / others.var() < 0.25


def test_looks_hide_how_a_row_moved_between_them(seen):
    # The last two looks are at nearly the same point: without fresh blinds the
    # opened numbers would hardly differ.
    numbers = [o if o.min() < 0.0 else np.log(o) for o in seen.opened]
    assert (numbers[-1] - numbers[-2]).std() > 1.5


def test_opened_products_are_drowned_in_masks(seen):
    slots = np.concatenate([t for t in seen.totals if t.shape[0] == 2])
    assert (np.abs(slots) < 1e4).mean() < 1e-3
    assert np.abs(slots).max() > 1e7


def test_the_coordinators_sums_are_in_directions_that_only_the_domain_knows(seen):
    again = [fit_over(seen.algorithm, seen.task, sides(seen.blocks)) for _ in range(3)]
    first, *others = (
        next(
            s.arrays["point"]
            for s in reversed(f.wire.sent)
            if s.party == "shop" and "point" in s.arrays
        )
        for f in (seen.fit, *again)
    )
    here = seen.fit.parts["shop"]["coefficients"]
    atol = 0.05 * seen.y.std() + 0.05
    for fit in again:
        there = fit.parts["shop"]["coefficients"]
        np.testing.assert_allclose(here, there, atol=atol)
    # One draw of directions may be near another; three hardly are.
    assert max(np.abs(first - other).max() for other in others) > 0.01


def test_no_raw_value_or_label_stands_in_any_message(seen):
    planted = {seen.x[p][0, 17] for p in WIDTHS} | {seen.y[17] + 0.0}
    needles = [np.float64(v).tobytes() for v in planted if v not in (0.0, 1.0)]
    assert needles
    floats = [
        a.tobytes()
        for s in seen.fit.wire.sent
        for n, a in s.arrays.items()
        if a.dtype == np.float64 or n.startswith("sealed.")
    ]
    for needle in needles:
        if (
            needle == np.float64(seen.y[17]).tobytes()
            and float(seen.y[17]).is_integer()
        ):
            continue  # a small whole number stands in many places by chance
        assert not any(needle in raw for raw in floats)


def test_partial_predictions_reach_the_label_party_under_masks_only(seen):
    before = len(seen.fit.wire.sent)
    score_over(
        seen.algorithm,
        seen.task,
        sides({p: Block(b.x, np.zeros(0)) for p, b in seen.blocks.items()}),
        seen.fit,
    )
    words = []
    for sent in seen.fit.wire.sent[before:]:
        for name, array in sent.arrays.items():
            if name.startswith("sealed.") and not sent.up and sent.party == "bank":
                words.append(messages.decode(array.tobytes()).arrays["words"])
            assert name == "stage" or array.dtype == np.uint8
    post, shop = (np.ldexp(w.view(np.int64).astype(float), -40) for w in words)
    for one in (post, shop):
        assert np.abs(one).mean() > 1e5  # uniform words, not parts of z
        for part in seen.parts.values():
            assert abs(np.corrcoef(one, part)[0, 1]) < 0.11
    total = np.ldexp((words[0] + words[1]).view(np.int64).astype(float), -40)
    (unit,) = seen.fit.parts["bank"]["unit"]
    expected = (seen.parts["post"] + seen.parts["shop"]) / unit
    np.testing.assert_allclose(total, expected, atol=1e-9)


def test_a_ciphertext_that_comes_back_is_encrypted_afresh():
    # Without a fresh encryption the quotient of the parts that carry no message would
    # be the other's factor.
    key = Key.fresh(1, 50)
    lock = ciphertexts.Lock.of(key.lock, 1, 50)
    given = key.encrypt(np.ones(50))
    first, second = (
        lock.times_plus(lock.read(given), np.full(50, 3.0), np.zeros(50))
        for _ in range(2)
    )
    assert first.parts != second.parts
    np.testing.assert_allclose(key.open(first), 3.0, atol=1e-6)
    bodies = []
    for chunks in (first, second):
        (vector,) = key.read(chunks)
        cipher = vector.ciphertext()[0]
        assert not cipher.is_transparent()
        bodies.append(chunks.parts[0])
    same = np.frombuffer(bodies[0][500:-500], dtype=np.uint8) == np.frombuffer(
        bodies[1][500:-500], dtype=np.uint8
    )
    assert same.mean() < 0.2
