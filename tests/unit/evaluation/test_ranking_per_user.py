"""Ranks of what is true among a user's candidates, against numbers worked by hand."""

import math

import numpy as np
import pytest

from fl_plugin.errors import TrainingError
from fl_plugin.evaluation.ranking_per_user import NAMES, rank_per_user


def ranked(*users: tuple[list[float], list[float]]):
    """Return figures of users given as (scores of positives, scores of negatives)."""
    scores, labels, owners = [], [], []
    for user, (positives, negatives) in enumerate(users):
        scores += [*positives, *negatives]
        labels += [1.0] * len(positives) + [0.0] * len(negatives)
        owners += [user] * (len(positives) + len(negatives))
    order = np.random.default_rng(0).permutation(len(scores))
    arrays = np.array(scores), np.array(labels), np.array(owners)
    return rank_per_user(*(a[order] for a in arrays))


def values(found) -> dict[str, float]:
    return {name: interval.value for name, interval in found.means().items()}


def test_a_true_row_in_third_place_is_a_hit_with_half_the_gain():
    found = values(ranked(([0.7], [0.9, 0.8, 0.1, 0.2])))
    assert found == pytest.approx(
        {"hr_at_5": 1.0, "hr_at_10": 1.0, "ndcg_at_10": 1 / math.log2(4)}
    )


def test_places_six_and_eleven_are_hits_only_as_far_as_the_list_goes():
    six = ([0.5], [0.9] * 5 + [0.1] * 20)
    eleven = ([0.5], [0.9] * 10 + [0.1] * 20)
    found = values(ranked(six, eleven))
    assert found["hr_at_5"] == 0
    assert found["hr_at_10"] == 0.5
    assert found["ndcg_at_10"] == pytest.approx(0.5 / math.log2(7))


def test_rows_of_one_user_are_never_ranked_among_another_ones():
    found = values(ranked(([0.2], [0.1] * 9), ([0.9], [0.8] * 9)))
    assert found == {"hr_at_5": 1.0, "hr_at_10": 1.0, "ndcg_at_10": 1.0}


def test_two_true_rows_do_not_stand_in_each_others_way():
    assert values(ranked(([0.9, 0.8], [0.1] * 9)))["ndcg_at_10"] == 1.0


def test_equal_scores_get_what_chance_gets():
    found = values(ranked(([0.5], [0.5] * 99)))
    assert found["hr_at_5"] == pytest.approx(0.05)
    assert found["hr_at_10"] == pytest.approx(0.10)
    chance = sum(1 / math.log2(place + 1) for place in range(1, 11)) / 100
    assert found["ndcg_at_10"] == pytest.approx(chance)


def test_one_tie_counts_as_half_of_either_place():
    found = values(ranked(([0.5], [0.5, 0.9, 0.9, 0.9, 0.9, 0.1])))
    assert found["hr_at_5"] == pytest.approx(0.5)
    gain = (1 / math.log2(6) + 1 / math.log2(7)) / 2
    assert found["ndcg_at_10"] == pytest.approx(gain)


def test_who_has_no_negative_or_no_positive_is_no_user():
    found = ranked(([0.5], []), ([], [0.5]), ([0.9], [0.1, 0.2]))
    assert found.users == 1
    assert found.candidates.tolist() == [3.0]


def test_the_interval_is_of_the_mean_over_users():
    users = [([0.9], [0.1] * 20)] * 30 + [([0.1], [0.9] * 20)] * 10
    interval = ranked(*users).means()["hr_at_5"]
    half = 1.959963984540054 * math.sqrt(0.75 * 0.25 * 40 / 39 / 40)
    assert interval.value == 0.75
    assert interval.low == pytest.approx(0.75 - half)
    assert interval.high == pytest.approx(0.75 + half)


def test_two_models_are_compared_user_by_user():
    good = ranked(*[([0.9], [0.1] * 20)] * 40)
    bad = ranked(*[([0.1], [0.9] * 20)] * 40)
    assert {n: good.above(bad)[n].low for n in NAMES} == dict.fromkeys(NAMES, 1.0)


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(TrainingError, match="finite"):
        ranked(([math.nan], [0.5]))


def test_nobody_to_rank_is_said():
    with pytest.raises(TrainingError, match="both"):
        ranked(([0.5], []))


def test_the_mean_over_all_orders_of_ties_is_what_breaking_them_by_draw_gives():
    random = np.random.default_rng(1)
    users = np.repeat(np.arange(50), 40)
    scores = random.integers(0, 6, users.size).astype(float)
    labels = (np.arange(users.size) % 40 == 0).astype(float)
    expected = values(rank_per_user(scores, labels, users))
    drawn = []
    for _ in range(400):
        broken = scores + random.random(users.size) * 0.5
        drawn.append(values(rank_per_user(broken, labels, users)))
    for name in NAMES:
        assert np.mean([d[name] for d in drawn]) == pytest.approx(
            expected[name], abs=0.01
        )
