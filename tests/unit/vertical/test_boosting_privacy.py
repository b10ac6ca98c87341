"""What each side of vertical boosting sees, on the transcript of whole fits."""

import numpy as np
import pytest

from fl_plugin import messages
from fl_plugin.vertical.boosting.parameters import DEGREE
from fl_plugin.vertical.boosting.turns import SIDES
from fl_plugin.vertical.vertical_boosting import VerticalBoosting
from tests.unit.vertical.boosted import LABEL, OPTIONS, fitted, made, predictions
from tests.vertical import score_over

FEATURES = ("shop", "telco")


class Seen:
    """A fit with everything that went over its wire."""

    def __init__(self, mode):
        self.mode = mode
        self.rows = made()
        self.reference = self.rows.pooled()
        self.fit = fitted(self.rows, self.reference, mode=mode)

    def sealed(self, party, *, up):
        """Yield the arrays of every sealed message to or from a party."""
        for sent in self.fit.wire.sent:
            if sent.party == party and sent.up is up:
                for name, array in sent.arrays.items():
                    if name.startswith("sealed."):
                        yield messages.decode(array.tobytes()).arrays


@pytest.fixture(scope="module", params=["strict", "bins"])
def seen(request):
    return Seen(request.param)


@pytest.fixture(scope="module")
def strict():
    return Seen("strict")


def test_the_coordinator_reads_turns_and_the_number_of_trees(seen):
    for sent in seen.fit.wire.sent:
        for name, array in sent.arrays.items():
            if name.startswith("sealed."):
                assert array.dtype == np.uint8
                continue
            assert name in {"stage", "trees", "done"}
            assert array.dtype == np.int64
            assert array.shape == (1,)
            assert array[0] <= OPTIONS["max_iter"]
    assert not seen.fit.fitted.part


def test_feature_parties_get_words_rows_of_their_own_splits_and_nothing_else(seen):
    allowed = {
        "strict": {"kind", "seed", "column", "words", "splits", "members", "rows"},
        "bins": {"kind", "splits", "members"},
    }
    for party in FEATURES:
        named = set()
        for arrays in seen.sealed(party, up=False):
            named |= set(arrays)
            if "rows" in arrays:
                assert arrays["kind"][0] == SIDES
                assert arrays["rows"].dtype == np.uint8
        assert named == allowed[seen.mode]


def test_words_that_feature_parties_get_tell_nothing_of_labels(strict):
    rows = len(strict.rows.y)
    truth = strict.rows.y
    chance = predictions(strict.rows, strict.reference)
    for party in FEATURES:
        words = np.concatenate(
            [a["words"].T for a in strict.sealed(party, up=False) if "words" in a]
        )
        assert words.shape[1] == rows + DEGREE
        floats = words[:, :rows].astype(float)
        # Each correlation is about normal with deviation 1/sqrt(rows).
        for hidden in (truth, truth - chance, chance):
            found = [np.corrcoef(word, hidden)[0, 1] for word in floats]
            assert np.abs(found).max() < 5.5 / np.sqrt(rows)
            assert abs(np.mean(found)) < 5.0 / np.sqrt(rows * len(found))
        high = (words.reshape(-1) >> np.uint64(60)).astype(int)
        counts = np.bincount(high, minlength=16)
        expected = words.size / 16
        assert ((counts - expected) ** 2 / expected).sum() < 50.0  # 15 +- 6.4 x 5.5


def test_no_value_edge_or_label_stands_in_any_message(seen):
    rows = seen.rows
    edges = seen.reference._bin_mapper.bin_thresholds_
    canaries = [float(e[len(e) // 2]) for e in edges if len(e) > 10]
    canaries += [float(rows.x[17, j]) for j in (0, 2, 5)]
    needles = [np.float64(v).tobytes() for v in canaries if v not in (0.0, 1.0)]
    assert len(needles) > 5
    labels = [
        rows.y.astype(kind).tobytes()
        for kind in (np.float64, np.int64, np.uint8, np.float32)
    ]
    labels.append(np.packbits(rows.y > 0).tobytes())
    labels.append(np.packbits(rows.y > 0, bitorder="little").tobytes())
    for sent in seen.fit.wire.sent:
        for array in sent.arrays.values():
            raw = array.tobytes()
            assert not any(needle in raw for needle in needles + labels)


def test_what_owners_tell_of_is_the_rows_of_their_split_nodes_only(strict):
    for party in FEATURES:
        asked = [a for a in strict.sealed(party, up=False) if "rows" in a]
        told = [a["left"] for a in strict.sealed(party, up=True) if "left" in a]
        assert asked
        assert len(asked) == len(told)
        for question, answer in zip(asked, told, strict=True):
            inside = np.unpackbits(question["rows"], axis=1).sum(axis=1)
            assert len(answer) == sum(-(-int(n) // 8) for n in inside)


def test_parts_hold_the_own_splits_and_no_others_values(seen):
    for party in FEATURES:
        assert set(seen.fit.parts[party]) == {"splits", "members", "maps"}
    label = seen.fit.parts[LABEL]
    own = {"sizes", "shape", "values", "start", "splits", "members", "maps"}
    assert set(label) == own
    owner = seen.rows.task().parties.index(LABEL)
    # Of others' splits the label party keeps whose they are and a number.
    assert len(label["splits"]) == (label["shape"][:, 2] == owner).sum()


def test_bins_leave_once_and_have_many_rows():
    seen = Seen("bins")
    for party in FEATURES:
        released = [a["bins"] for a in seen.sealed(party, up=True) if "bins" in a]
        assert len(released) == 1
        for column in released[0]:
            counts = np.bincount(column, minlength=256)
            assert counts[counts > 0].min() >= VerticalBoosting().smallest_bin


def test_no_bin_that_sums_are_told_of_has_few_rows():
    rows = made()
    fit = fitted(rows, rows.pooled(max_bins=200), max_bins=200)
    told = [
        messages.decode(array.tobytes()).arrays
        for sent in fit.wire.sent
        if sent.up and sent.party in FEATURES
        for name, array in sent.arrays.items()
        if name.startswith("sealed.")
    ]
    counts = np.concatenate([a["counts"] for a in told if "counts" in a])
    assert counts[counts > 0].min() >= VerticalBoosting().smallest_bin
    assert len(counts) > 100


def test_strict_bins_never_leave(strict):
    for party in FEATURES:
        names = {n for arrays in strict.sealed(party, up=True) for n in arrays}
        assert names == {"columns", "counts", "hint", "sums", "left"}


def test_scoring_tells_owners_nothing_and_the_label_party_sides(seen):
    before = len(seen.fit.wire.sent)
    sides = seen.rows.sides(seen.reference, labelled=False)
    algorithm = VerticalBoosting(mode=seen.mode)
    score_over(algorithm, seen.rows.task(), sides, seen.fit)
    for sent in seen.fit.wire.sent[before:]:
        for name, array in sent.arrays.items():
            if not name.startswith("sealed."):
                assert array.size == 1
                continue
            told = messages.decode(array.tobytes()).arrays
            owner = sent.party != LABEL
            expected = {"left"} if sent.up is owner else {"kind", "begin"}
            assert set(told) == expected
    del seen.fit.wire.sent[before:]
