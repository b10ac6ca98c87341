"""Random requests, decided by the plug-in and by an oracle that knows only the docs."""

import time

import pytest

from fl_plugin.policy.decision import decide
from tests.properties.cedar_oracle import allowed_by_cedar, while_planning
from tests.properties.random_facts import (
    Dice,
    random_facts,
    random_node,
    random_product,
)

CHUNKS, GROUPS, SIZE = 8, 250, 25  # 50,000 pairs
SEED = 20261102


def groups(chunk, product_with, salt=0):
    """Yield requests by the group: each group shares a contract and a node."""
    dice = Dice(SEED + chunk + salt)
    for _ in range(GROUPS):
        product, node = random_product(dice, product_with), random_node(dice)
        yield [random_facts(dice, product, node) for _ in range(SIZE)]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_requests_are_decided_as_cedar_decides_them(chunk, product_with, figure):
    start = time.process_time()
    pairs = both = 0
    differing = []
    for group in groups(chunk, product_with):
        released = allowed_by_cedar(group)
        # The two differ only where nothing has been opened yet.
        closed = [facts for facts in group if facts.rows is None]
        planned = iter(allowed_by_cedar([while_planning(f) for f in closed]))
        for facts, release in zip(group, released, strict=True):
            plan = next(planned) if facts.rows is None else release
            decision = decide(facts)
            pairs += 1
            both += release
            if (decision.complete, decision.allowed) != (release, plan):
                differing.append((facts, decision.refusal, release, plan))
    assert differing[:1] == []
    assert 0.15 < both / pairs < 0.8, "the generator proves little"
    figure("random (contract, request) pairs decided as Cedar decides them", pairs)
    figure("random pairs that both release", both)
    figure(
        "random pairs: Cedar and the plug-in together",
        time.process_time() - start,
        "CPU s",
    )
