"""A domain's own limits, whoever asks."""

import pytest

from fl_plugin.alignment.limits import Limits
from fl_plugin.errors import PolicyError

LIMITS = Limits(
    largest_list=1_000,
    largest_ratio=2,
    least_matches=10,
    least_key_bits=40,
    per_day=3,
)


def reason_of(check):
    """Return why a check refuses; empty where it does not."""
    try:
        check()
    except PolicyError as refusal:
        return refusal.reason
    return ""


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (lambda: LIMITS.check_list("other", 1_000, own=500), ""),
        (lambda: LIMITS.check_matches(10), ""),
        (lambda: LIMITS.check_keys(40, salted=False), ""),
        (lambda: LIMITS.check_keys(5, salted=True), ""),
        (lambda: LIMITS.check_day("other", 2), ""),
        (lambda: LIMITS.check_list("other", 1_001, own=1_000), "matching_limit"),
        (lambda: LIMITS.check_list("other", 1_000, own=499), "matching_limit"),
        (lambda: LIMITS.check_matches(9), "matching_limit"),
        (lambda: LIMITS.check_keys(39.9, salted=False), "small_key_space"),
        (lambda: LIMITS.check_day("other", 3), "matching_limit"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_and_the_limit_itself_is_not(check, reason):
    assert reason_of(check) == reason


def test_a_small_space_of_keys_says_what_to_do():
    with pytest.raises(PolicyError, match="less than 2\\^40") as refusal:
        LIMITS.check_keys(31.2, salted=False)
    assert "fl salt new" in refusal.value.remedy
