"""Matchings over parties in memory, by the bytes that a run would send."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fl_plugin import messages
from fl_plugin.alignment.coordinator import matching
from fl_plugin.alignment.exchange import Array, Arrays, Matched
from fl_plugin.alignment.keys import Keys, normalise
from fl_plugin.alignment.limits import Limits
from fl_plugin.alignment.party import MatchingParty, MatchingSide
from fl_plugin.alignment.terms import MatchingTerms
from fl_plugin.errors import MeshError, MessageError
from fl_plugin.messages import Ask, Reply

OPEN = Limits(least_matches=0, largest_ratio=1e9, least_key_bits=0)
SALT = bytes(range(32))


class SealingChannel:
    """AES-GCM, a counter for each direction; keeps what it sealed for tests to read."""

    def __init__(self, party: str, opened: list[tuple[str, str, Arrays]]) -> None:
        self._party, self._opened = party, opened
        self.forge: Callable[[str, Arrays], Arrays] = lambda _peer, arrays: arrays
        self._sent: dict[str, int] = {}
        self._got: dict[str, int] = {}

    def seal(self, peer: str, arrays: Arrays) -> Array:
        number = self._sent[peer] = self._sent.get(peer, 0) + 1
        arrays = self.forge(peer, arrays)
        self._opened.append((self._party, peer, dict(arrays)))
        told = Ask(kind="sealed", run="r", round=0, party="p", arrays=arrays)
        sealed = self._cipher(self._party, peer).encrypt(
            number.to_bytes(12, "big"), messages.encode(told), None
        )
        return np.frombuffer(sealed, dtype=np.uint8)

    def open(self, peer: str, sealed: Array) -> Arrays:
        number = self._got[peer] = self._got.get(peer, 0) + 1
        try:
            raw = self._cipher(peer, self._party).decrypt(
                number.to_bytes(12, "big"), sealed.tobytes(), None
            )
        except InvalidTag:
            raise MessageError("Not the next one.", remedy="None.") from None
        return messages.decode(raw).arrays

    def _cipher(self, sender: str, receiver: str) -> AESGCM:
        return AESGCM(f"{sender}>{receiver}".encode().ljust(32)[:32])


@dataclass
class Meeting:
    """Domains in memory, and everything that was said.

    Args:
        terms: Of the matching.
        parties: Each domain's half.
        sent: Party, whether it answered, and the arrays, as they arrived.
        sealed: Sender, receiver and arrays, as they were before sealing.
        channels: Each domain's; `forge` of one may change what it seals.
        spoil: May change the arrays of a message on its way.
    """

    terms: MatchingTerms
    parties: dict[str, MatchingParty]
    sent: list[tuple[str, bool, Arrays]] = field(default_factory=list)
    sealed: list[tuple[str, str, Arrays]] = field(default_factory=list)
    channels: dict[str, "SealingChannel"] = field(default_factory=dict)
    spoil: Callable[[int, str, bool, Arrays], Arrays] = lambda _n, _p, _up, a: a
    octets: int = 0
    progress: list[Mapping[str, float]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        terms: MatchingTerms,
        keys: Mapping[str, Keys],
        limits: Limits | Mapping[str, Limits] = OPEN,
        salt: bytes | Mapping[str, bytes] = b"",
    ) -> "Meeting":
        sealed: list[tuple[str, str, Arrays]] = []
        channels = {p: SealingChannel(p, sealed) for p in keys}
        sides = {
            p: MatchingSide(
                party=p,
                keys=k,
                channel=channels[p],
                limits=limits[p] if isinstance(limits, Mapping) else limits,
                salt=salt[p] if isinstance(salt, Mapping) else salt,
            )
            for p, k in keys.items()
        }
        parties = {p: MatchingParty(terms, s) for p, s in sides.items()}
        return cls(terms, parties, sealed=sealed, channels=channels)

    def run(self) -> Matched:
        rounds = matching(self.terms)
        try:
            asks = next(rounds)
            for turn in count():
                self.progress.append(asks.progress)
                replies = {}
                for party, arrays in asks.to.items():
                    heard = self._carry(turn, party, arrays, up=False)
                    answer = self.parties[party].answer(heard)
                    replies[party] = self._carry(turn, party, answer, up=True)
                asks = rounds.send(replies)
        except StopIteration as end:
            self.end: Matched = end.value
        return self.end

    def _carry(self, turn: int, party: str, arrays: Arrays, *, up: bool) -> Arrays:
        arrays = self.spoil(turn, party, up, arrays)
        kind = Reply if up else Ask
        raw = messages.encode(
            kind(kind="match", run="r", round=turn, party=party, arrays=arrays)
        )
        self.octets += len(raw)
        arrived = messages.decode(raw).arrays
        self.sent.append((party, up, arrived))
        return arrived


def keys_of(values: Sequence[Any], rule: str = "text", min_cohort: int = 5) -> Keys:
    """Return the keys of one column."""
    return normalise({"key": values}, [rule], min_cohort=min_cohort)


def terms_for(parties: Iterable[str], **changed: Any) -> MatchingTerms:
    """Return terms with short lists."""
    said: dict[str, Any] = {"run": "r-1", "rules": ("text",), "smallest_list": 8}
    said["longest_part"] = 16
    return MatchingTerms(parties=tuple(sorted(parties)), **(said | changed))


def meet(columns: Mapping[str, Sequence[Any]], **changed: Any) -> Meeting:
    """Return a meeting of domains with one key column each."""
    terms = terms_for(tuple(columns), **changed)
    keys = {p: keys_of(v, terms.rules[0]) for p, v in columns.items()}
    return Meeting.of(terms, keys, salt=SALT if terms.salted else b"")


def people(numbers: Iterable[int]) -> list[str]:
    """Return keys."""
    return [f"customer {i}" for i in numbers]


def customers(parties: int = 2) -> dict[str, list[str]]:
    """20 customers each; 10 of them in all domains."""
    return {
        f"d{i}": people([*range(10), *range(100 * i, 100 * i + 10)])
        for i in range(1, parties + 1)
    }


def refusal(meeting: Meeting, error: type[MeshError] = MessageError) -> str:
    """Return what a matching says that stops so, and after which nobody has rows."""
    with pytest.raises(error) as caught:
        meeting.run()
    for party in meeting.parties.values():
        with pytest.raises(MessageError):
            _ = party.matched
    return caught.value.problem
