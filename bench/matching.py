"""What matching costs: CPU seconds of both domains and the coordinator, and bytes.

No mesh: keys are made here, normalised, sealed between the domains with AES-GCM, and
everything passes as the bytes of messages. `--peer` measures openmined-psi too, in an
environment of its own.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.figures import Figure, finish, parser
from bench.peers.environment import PeerUnavailableError, environment
from fl_plugin import messages
from fl_plugin.alignment.coordinator import matching
from fl_plugin.alignment.exchange import Array, Arrays
from fl_plugin.alignment.keys import normalise
from fl_plugin.alignment.limits import Limits
from fl_plugin.alignment.party import MatchingParty, MatchingSide
from fl_plugin.alignment.terms import KEYED_HASH, MatchingTerms
from fl_plugin.messages import Ask, Reply

KEYS = 100_000
MOST_SECONDS = 40.0
SALT = bytes(range(32))
PEER = Path(__file__).parent / "peers" / "openmined_psi.py"


class CountingChannel:
    """AES-256-GCM under a key for each direction, a counter as its nonce."""

    def __init__(self, party: str) -> None:
        self._party = party
        self._sent: dict[str, int] = {}
        self._got: dict[str, int] = {}

    def seal(self, peer: str, arrays: Arrays) -> Array:
        """Return the arrays encrypted for a peer."""
        number = self._sent[peer] = self._sent.get(peer, 0) + 1
        told = Ask(kind="sealed", run="r", round=0, party="p", arrays=arrays)
        raw = messages.encode(told)
        sealed = _cipher(self._party, peer).encrypt(_nonce(number), raw, None)
        return np.frombuffer(sealed, dtype=np.uint8)

    def open(self, peer: str, sealed: Array) -> Arrays:
        """Return what a peer sealed."""
        number = self._got[peer] = self._got.get(peer, 0) + 1
        raw = _cipher(peer, self._party).decrypt(_nonce(number), sealed.tobytes(), None)
        return messages.decode(raw).arrays


def _cipher(sender: str, receiver: str) -> AESGCM:
    return AESGCM(f"{sender}>{receiver}".encode().ljust(32))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


@dataclass
class Meter:
    """CPU seconds by who spent them, and bytes that were sent."""

    seconds: dict[str, float] = field(default_factory=dict)
    octets: int = 0

    def run(self, who: str, work: Callable[..., Any], *given: Any) -> Any:
        """Return what the work returns; count its CPU seconds."""
        begun = time.process_time()
        try:
            return work(*given)
        finally:
            spent = time.process_time() - begun
            self.seconds[who] = self.seconds.get(who, 0.0) + spent

    def carry(self, party: str, arrays: Arrays, *, up: bool) -> Arrays:
        """Return the arrays as they arrive; encoding and decoding are the wire's."""
        kind = Reply if up else Ask
        raw = messages.encode(
            kind(kind="match", run="r", round=0, party=party, arrays=arrays)
        )
        self.octets += len(raw)
        return messages.decode(raw).arrays


def tables(parties: Sequence[str], keys: int) -> dict[str, list[str]]:
    """Return keys of each domain: half of them are in all domains."""
    half = keys // 2
    return {
        party: [
            f"id-{(i if i < half else i + (n + 1) * keys) * 7919:020d}"
            for i in range(keys)
        ]
        for n, party in enumerate(parties)
    }


def matched(parties: Sequence[str], keys: int, method: str) -> Meter:
    """Match tables; check the result; return what it cost."""
    terms = MatchingTerms(
        run="bench", parties=tuple(parties), rules=("text",), method=method, salted=True
    )
    meter = Meter()
    members = {
        party: meter.run(party, _member, party, terms, column)
        for party, column in tables(parties, keys).items()
    }
    rounds = matching(terms)
    asks = meter.run("coordinator", next, rounds)
    end = None
    while end is None:
        replies = {}
        for party, arrays in asks.to.items():
            question = meter.run(
                "wire", lambda a, p: meter.carry(p, a, up=False), arrays, party
            )
            answer = meter.run(party, members[party].answer, question)
            replies[party] = meter.run(
                "wire", lambda a, p: meter.carry(p, a, up=True), answer, party
            )
        try:
            asks = meter.run("coordinator", rounds.send, replies)
        except StopIteration as stop:
            end = stop.value
    assert end.rows == keys // 2
    rows = [m.matched.rows for m in members.values()]
    assert all((r == rows[0]).all() for r in rows)  # shared keys stand alike
    return meter


def _member(party: str, terms: MatchingTerms, column: Sequence[str]) -> MatchingParty:
    keys = normalise({"key": column}, terms.rules, min_cohort=25)
    side = MatchingSide(
        party=party,
        keys=keys,
        channel=CountingChannel(party),
        limits=Limits(),
        salt=SALT,
    )
    return MatchingParty(terms, side)


def costs(parties: int, keys: int, method: str, most: float | None) -> list[Figure]:
    """Return what one matching costs."""
    names = [f"domain_{i}" for i in range(parties)]
    meter = matched(names, keys, method)
    what = f"{method}, {parties} x {keys:,} keys"
    domains = [meter.seconds[n] for n in names]
    return [
        Figure(
            name=f"{what}: CPU s, all", value=sum(meter.seconds.values()), most=most
        ),
        Figure(name=f"{what}: CPU s, one domain", value=sum(domains) / parties),
        Figure(name=f"{what}: CPU s, coordinator", value=meter.seconds["coordinator"]),
        Figure(name=f"{what}: megabytes sent", value=meter.octets / 1e6),
    ]


def peer(keys: int) -> list[Figure]:
    """Return what openmined-psi costs; nothing where it cannot be had."""
    try:
        python = environment("openmined_psi").python
    except PeerUnavailableError as reason:
        print(f"openmined-psi was not measured: {reason}")
        return []
    run = subprocess.run(  # noqa: S603 - our own file, in the peer's environment
        [python, PEER, str(keys)], capture_output=True, check=True, text=True
    )
    told = json.loads(run.stdout)
    assert told["matches"] == keys // 2
    what = f"openmined-psi, 2 x {keys:,} keys"
    return [
        Figure(name=f"{what}: CPU s, all", value=told["seconds"]),
        Figure(name=f"{what}: megabytes sent", value=told["megabytes"]),
    ]


def main() -> int:
    """Print the figures; 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--keys", type=int, default=KEYS)
    arguments.add_argument("--peer", action="store_true", help="measure openmined-psi")
    chosen = arguments.parse_args()
    figures = [
        *costs(2, chosen.keys, "blinded", MOST_SECONDS * chosen.keys / KEYS),
        *costs(2, chosen.keys, KEYED_HASH, None),
        *costs(3, chosen.keys // 10, "blinded", None),
        *(peer(chosen.keys) if chosen.peer else ()),
    ]
    return finish("Matching", figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
