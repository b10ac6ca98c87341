"""A cohort that differs a little from an earlier one is seen."""

import numpy as np
import numpy.typing as npt
import pytest

from fl_plugin.errors import LedgerError, PolicyError
from fl_plugin.ledger import Ledger, cohort_digest
from fl_plugin.ledger.cohorts import KEPT_COHORTS

PRODUCT = "consumer_banking.credit_profile"
ROWS = np.random.default_rng(7).integers(2**64, size=500, dtype=np.uint64)


@pytest.fixture
def remember(ledger, entry):
    def run(hashes, *, product=PRODUCT, min_distance=0):
        with ledger.transaction() as tx:
            tx.append(entry(action="open"))
            tx.remember_cohort(
                product, cohort_digest(hashes), hashes, min_distance=min_distance
            )

    return run


def test_a_product_without_cohorts_has_no_distance(ledger):
    assert ledger.cohort_distance(PRODUCT, ROWS) is None


def test_the_same_rows_in_another_order_are_the_same_cohort(ledger, remember):
    remember(ROWS)
    assert ledger.cohort_distance(PRODUCT, ROWS[::-1]) == 0


@pytest.mark.parametrize(("gone", "new"), [(1, 0), (0, 1), (1, 1), (7, 30), (500, 3)])
def test_the_distance_counts_rows_gone_and_rows_new(ledger, remember, gone, new):
    remember(ROWS[: len(ROWS) - new] if new else ROWS)
    kept = ROWS[: len(ROWS) - new]
    other = np.concatenate([kept[gone:], ROWS[len(ROWS) - new :]])
    assert ledger.cohort_distance(PRODUCT, other) == min(gone, len(kept)) + new


def test_the_closest_of_several_cohorts_decides(ledger, remember):
    for size in (500, 450, 300):
        remember(ROWS[:size])
    assert ledger.cohort_distance(PRODUCT, ROWS[:440]) == 10
    assert ledger.cohort_distance(PRODUCT, ROWS[:499]) == 1


def test_an_empty_cohort_is_a_cohort(ledger, remember):
    remember(ROWS[:0])
    assert ledger.cohort_distance(PRODUCT, ROWS[:0]) == 0
    assert ledger.cohort_distance(PRODUCT, ROWS[:3]) == 3


def test_a_key_that_occurs_twice_counts_once(ledger, remember):
    remember(ROWS)
    assert ledger.cohort_distance(PRODUCT, np.concatenate([ROWS, ROWS[:9]])) == 0


def test_products_do_not_see_each_others_cohorts(ledger, remember):
    remember(ROWS)
    assert ledger.cohort_distance("auto_finance.credit_profile", ROWS[1:]) is None


@pytest.mark.parametrize("apart", [1, 24])
def test_a_cohort_too_close_to_an_earlier_one_is_refused_without_numbers(
    ledger, remember, apart
):
    remember(ROWS, min_distance=25)
    with pytest.raises(PolicyError) as caught:
        remember(ROWS[apart:], min_distance=25)
    assert caught.value.reason == "cohort.too_close"
    assert not any(c.isdigit() for c in caught.value.problem + caught.value.remedy)
    assert ledger.show()[-1].rule == "cohort.too_close"
    assert ledger.cohort_distance(PRODUCT, ROWS[apart:]) == apart


@pytest.mark.parametrize("apart", [0, 25, 100])
def test_the_same_cohort_and_a_distant_one_are_allowed(ledger, remember, apart):
    remember(ROWS, min_distance=25)
    remember(ROWS[apart:], min_distance=25)
    assert ledger.cohort_distance(PRODUCT, ROWS[apart:]) == 0


def test_cohorts_survive_closing(path, remember):
    remember(ROWS)
    with Ledger.open(path, write=False) as again:
        assert again.cohort_distance(PRODUCT, ROWS[2:]) == 2


def test_the_cohort_used_longest_ago_is_forgotten_first(ledger, entry):
    def cohort(number: int) -> npt.NDArray[np.uint64]:
        return np.arange(number * 10, number * 10 + 10, dtype=np.uint64)

    with ledger.transaction() as tx:
        for number in [*range(KEPT_COHORTS), 0, KEPT_COHORTS]:
            tx.append(entry())
            hashes = cohort(number)
            tx.remember_cohort(PRODUCT, cohort_digest(hashes), hashes)
    assert ledger.cohort_distance(PRODUCT, cohort(0)) == 0
    assert ledger.cohort_distance(PRODUCT, cohort(1)) == 20
    assert ledger.cohort_distance(PRODUCT, cohort(KEPT_COHORTS)) == 0


def test_a_digest_of_other_rows_is_refused(ledger, entry):
    def remember_wrongly() -> None:
        with ledger.transaction() as tx:
            tx.append(entry())
            tx.remember_cohort(PRODUCT, cohort_digest(ROWS[1:]), ROWS)

    with pytest.raises(LedgerError, match="digest"):
        remember_wrongly()


@pytest.mark.parametrize(
    "hashes", [np.zeros(3), np.zeros(3, np.int64), np.zeros((3, 1), np.uint64)]
)
def test_anything_but_a_flat_array_of_uint64_is_refused(ledger, hashes):
    with pytest.raises(LedgerError, match="unsigned 64-bit"):
        ledger.cohort_distance(PRODUCT, hashes)


@pytest.mark.parametrize(
    "change",
    [
        "hashes = zeroblob(100)",
        "hashes = 'text'",
        "hashes = x''",
        "size = 499",
        "size = -1",
        "size = 'many'",
        f"size = {2**62}",
        "digest = 'sha256:00'",
    ],
)
def test_an_altered_cohort_is_named_instead_of_trusted(
    ledger, remember, tamper, change
):
    remember(ROWS)
    tamper(f"update cohort set {change}")
    with pytest.raises(LedgerError, match="was altered"):
        ledger.cohort_distance(PRODUCT, ROWS[1:])


def test_no_key_hash_is_in_an_error_of_an_altered_cohort(ledger, remember, tamper):
    remember(ROWS)
    tamper("update cohort set hashes = zeroblob(9)")
    with pytest.raises(LedgerError) as caught:
        ledger.cohort_distance(PRODUCT, ROWS[1:])
    assert not any(c.isdigit() for c in str(caught.value))
