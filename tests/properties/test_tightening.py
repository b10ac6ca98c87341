"""Whatever one thing of a policy is made stricter, nothing more is released."""

import pytest

from fl_plugin.policy.decision import decide
from tests.properties.random_facts import (
    Dice,
    random_facts,
    random_node,
    random_product,
)
from tests.properties.single_tightenings import NAMES, tightened

CHUNKS, GROUPS, SIZE = 4, 150, 20  # 12,000 tightenings
SEED = 19460825


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_single_tightening_never_releases_more(chunk, product_with, figure):
    dice = Dice(SEED + chunk)
    counted = stopped = 0
    opened, tried = [], set()
    for _ in range(GROUPS):
        product, node = random_product(dice, product_with), random_node(dice)
        for _ in range(SIZE):
            facts = random_facts(dice, product, node)
            name, stricter = tightened(facts, dice)
            before, after = decide(facts), decide(stricter)
            tried.add(name)
            counted += 1
            stopped += before.allowed and not after.allowed
            if (after.allowed, after.complete) > (before.allowed, before.complete):
                opened.append((name, before.refusal))
    assert opened == []
    assert tried == set(NAMES)
    assert stopped > counted / 20, "the tightenings stop too little to prove much"
    figure("single tightenings, none of which releases more", counted)
    figure("single tightenings that stop a request", stopped)
