"""What secure aggregation costs: nanoseconds a word and peer, and bytes a round.

No data and no mesh: random words, masked and unmasked by the product's own code.
"""

import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from bench.figures import Figure, finish, parser
from fl_plugin.privacy.aggregator import Aggregator
from fl_plugin.privacy.encoding import encode
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.streams import Mask, apply
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.summand import Summand

WORDS = 2**20
REPEATS = 5
ROUNDS = 20
UNSIGNED = Trust(unsigned=True)


def cpu(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the least CPU seconds of several runs."""
    best = np.inf
    for _ in range(repeats):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return float(best)


def streams() -> list[Figure]:
    """Return the cost of one more peer, by the width of what is sent."""
    figures = []
    for width in (8, 4, 2, 1):
        expected = {"x": Summand(shape=(WORDS,), bound=1.0, width=width)}
        words = {"x": np.zeros(WORDS, dtype=np.uint64)}
        masks = [Mask(bytes([i]) * 32, adds=bool(i % 2)) for i in range(9)]
        one, nine = (cpu(partial(apply, words, expected, masks[:n])) for n in (1, 9))
        figures.append(
            Figure(
                name=f"mask, ns a word and peer, {width} bytes a word",
                value=(nine - one) / 8 / WORDS * 1e9,
                most=12.0,
            )
        )
    return figures


def encoding() -> Figure:
    """Return the cost of proving and encoding a part."""
    summand = Summand(shape=(WORDS,), bound=10.0)
    part = np.random.default_rng(0).uniform(-10, 10, WORDS)
    return Figure(
        name="encode, ns a word", value=cpu(lambda: encode(summand, part)) / WORDS * 1e9
    )


def rounds(parties: int, *, recovers: bool, size: int) -> list[Figure]:
    """Return CPU milliseconds of one party and of the coordinator in a round."""
    names = [f"p{i:02d}" for i in range(parties)]
    make = Terms.recovering if recovers else Terms.stopping
    terms = make("bench", names)
    expected = {"x": Summand(shape=(size,), bound=1.0)}
    members = {p: PartyMasks(p, terms, UNSIGNED) for p in names}
    aggregator = Aggregator(terms, UNSIGNED)
    batch = ROUNDS if recovers else 0
    begun = time.process_time()
    keys = aggregator.collect({p: m.announce(0, batch) for p, m in members.items()})
    sealed = {p: m.share(keys) for p, m in members.items()}
    if recovers:
        for party, shares in aggregator.relay(sealed).items():
            members[party].accept(shares)
    prepared = time.process_time() - begun
    parts = adding = 0.0
    for number in range(ROUNDS):
        one, other = _round(members, aggregator, expected, number)
        parts, adding = parts + one, adding + other
    what = f"{terms.mode}, {parties} parties, {size:,} words"
    per_party = 1e3 / parties
    return [
        Figure(
            name=f"{what}: keys for {ROUNDS} rounds, ms a party",
            value=prepared * per_party,
        ),
        Figure(name=f"{what}: a round, ms a party", value=parts * per_party / ROUNDS),
        Figure(
            name=f"{what}: a round, ms of the coordinator",
            value=adding * 1e3 / ROUNDS,
        ),
    ]


def _round(
    members: dict[str, PartyMasks],
    aggregator: Aggregator,
    expected: dict[str, Summand],
    number: int,
) -> tuple[float, float]:
    """Return the CPU seconds of all parties, and of the coordinator."""
    words = {"x": np.zeros(expected["x"].shape, dtype=np.uint64)}
    begun = time.process_time()
    asked = str(number)
    hidden = {p: m.hide(words, expected, number, asked) for p, m in members.items()}
    sent = time.process_time()
    masked = aggregator.add(hidden, expected, number, asked)
    added = time.process_time()
    given = {}
    if masked.is_masked:
        alive = masked.round.alive
        given = {p: m.unmask(number, alive, ()) for p, m in members.items()}
    told = time.process_time()
    total = masked.unmask(given)["x"]
    ended = time.process_time()
    assert not total.any()
    return sent - begun + told - added, added - sent + ended - told


def main() -> int:
    """Print every figure; 1 where one misses its bar."""
    options = parser(__doc__).parse_args()
    figures = [*streams(), encoding()]
    for parties in (3, 10, 50):
        for recovers in (False, True):
            for size in (500, 50_000):
                figures += rounds(parties, recovers=recovers, size=size)
    return finish("Secure aggregation", figures, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
