"""Messages that are lost, doubled, late, reordered, cut or of another run or round.

Each schedule is a run of some rounds over a network that does with messages what it
likes, on a clock that only the network moves. Every party's part of a round's sum is a
power of a base, so a sum tells how often each party counted.
"""

import hashlib
from collections import Counter

import numpy as np
import pytest

from fl_plugin.coordinator.federation import Federation
from fl_plugin.engines.asking import PAUSE, Clock, Line, ask
from fl_plugin.engines.framing import ConnectionLost
from fl_plugin.errors import MeshError, MessageError, UnreachableError
from fl_plugin.manifest.study_rounds import RoundsPlan
from fl_plugin.messages import Ask, Refusal, Reply, decode, encode
from fl_plugin.party.answered import Answered, out_of_order
from fl_plugin.privacy.encoding import encode as encode_words
from fl_plugin.privacy.encoding import pack
from fl_plugin.summand import Summand

PARTIES = ("ash", "birch", "cedar")
CHUNKS, ROUNDS, BASE = 4, 4, 1_000
ROUND = RoundsPlan(deadline_seconds=6)
EXPECTED = {"n": Summand.count((1,), BASE ** len(PARTIES))}
FAULTS = ("ask lost", "reply lost", "doubled", "late", "cut", "another run", "slow")


class Party:
    """Counts, and remembers what it has answered as a party of ours does."""

    def __init__(self, name, run):
        self.name, self.run = name, run
        self.answered = Answered(name)
        self.counted: Counter[int] = Counter()

    def handle(self, data):
        try:
            return encode(self._answer(decode(data), data))
        except MeshError as error:
            body = {"code": error.code, "problem": error.problem, "remedy": ""}
            return encode(
                Refusal(kind="x", run=self.run, round=0, party=self.name, body=body)
            )

    def _answer(self, message, data):
        if message.run != self.run or message.party != self.name:
            raise out_of_order()
        digest = hashlib.sha256(data).hexdigest()
        before = self.answered.before(message.round, digest)
        if before is None:
            self.counted[message.round] += 1
            part = np.array([BASE ** PARTIES.index(self.name)])
            words = encode_words(EXPECTED["n"], part)
            reply = Reply(
                kind=message.kind,
                run=message.run,
                round=message.round,
                party=self.name,
                arrays={"n": pack(words, EXPECTED["n"].width)},
            )
            before = encode(reply)
            self.answered.remember(message.round, digest, before)
        return decode(before)


class Network(Line):
    """One party's line, and what a schedule does to it."""

    def __init__(self, party, dice, time):
        self.party, self.dice, self.time = party, dice, time
        self.old = []
        self.seen: Counter[str] = Counter()

    def call(self, data, until):
        self.time[0] = min(until, self.time[0] + self.dice.choice((0.01, 0.1)))
        self.old.append(data)
        fault = self.dice.choice(FAULTS) if self.dice.random() < 0.5 else "none"
        self.seen[fault] += 1
        return getattr(self, f"_{fault.replace(' ', '_')}")(data, until)

    def _none(self, data, _until):
        return self.party.handle(data)

    def _ask_lost(self, _data, until):
        return self._silence(until)

    def _reply_lost(self, data, until):
        self.party.handle(data)
        return self._silence(until)

    def _doubled(self, data, _until):
        self.party.handle(data)
        return self.party.handle(data)

    def _late(self, data, _until):
        """Something that was sent before comes once more, ahead of this."""
        self.party.handle(self.dice.choice(self.old))
        return self.party.handle(data)

    def _cut(self, data, _until):
        self.party.handle(data[: self.dice.randrange(len(data))])
        return self.party.handle(data)

    def _another_run(self, data, _until):
        told = decode(data)
        other = Ask(kind=told.kind, run="run-2", round=told.round, party=told.party)
        self.party.handle(encode(other))
        return self.party.handle(data)

    def _slow(self, data, until):
        found = self.party.handle(data)
        self.time[0] = min(until, self.time[0] + self.dice.uniform(0.0, 4.0))
        if self.time[0] >= until:
            raise ConnectionLost
        return found

    def _silence(self, until):
        self.time[0] = min(until, self.time[0] + self.dice.choice((0.5, 3.0)))
        raise ConnectionLost


class Engine:
    """What carries a coordinator's messages over the lines."""

    def __init__(self, lines, time):
        self.lines, self.time = lines, time
        self.parties = PARTIES

    def exchange(self, asks, seconds):
        clock = Clock(lambda: self.time[0], self._sleep)
        begun, ended, found = self.time[0], [], {}
        for party, data in asks.items():  # all at once, each from the same moment
            self.time[0] = begun
            reply = ask(self.lines[party], data, begun + seconds, clock)
            if reply is not None:
                found[party] = reply
            ended.append(self.time[0])
        self.time[0] = max(ended)
        assert self.time[0] <= begun + seconds + PAUSE, "beyond its deadline"
        return found

    def _sleep(self, seconds):
        self.time[0] += seconds


def carry_out(dice, seen):
    """Return how many rounds a schedule has let through, and whether all came."""
    time = [0.0]
    parties = {name: Party(name, "run-1") for name in PARTIES}
    lines = {name: Network(party, dice, time) for name, party in parties.items()}
    federation = Federation("run-1", Engine(lines, time), rounds=ROUND)
    whole, silent = sum(BASE**i for i in range(len(PARTIES))), False
    done = 0
    for number in range(1, ROUNDS + 1):
        try:
            found = federation.ask("count", {"number": number}, expected=EXPECTED)
        except UnreachableError:
            silent = True
            break
        assert found.sums["n"].tolist() == [whole]
        done += 1
    for party in parties.values():
        assert set(party.counted.values()) <= {1}
    for line in lines.values():
        seen += line.seen
    return done, silent


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_party_counts_twice_and_no_loss_is_told_as_success(chunk, figure, extent):
    schedules = extent.schedules // CHUNKS
    seen: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for schedule in range(schedules):
        done, silent = carry_out(extent.dice(f"{chunk} {schedule}"), seen)
        assert (done == ROUNDS) is not silent
        ends["silent" if silent else "whole"] += 1
    assert set(seen) == {*FAULTS, "none"}
    assert min(seen.values()) > 2 * schedules // 5  # each fault, often
    assert ends["whole"] > ends["silent"] > 0
    figure("random schedules of lost, doubled and late messages", schedules)


def test_another_question_in_an_answered_round_is_refused():
    party = Party("ash", "run-1")
    first, second = (
        encode(Ask(kind="count", run="run-1", round=1, party="ash", body={"x": x}))
        for x in (1, 2)
    )
    assert isinstance(decode(party.handle(first)), Reply)
    with pytest.raises(MessageError, match="Two different messages"):
        party.answered.before(1, hashlib.sha256(second).hexdigest())
    assert isinstance(decode(party.handle(second)), Refusal)
    assert party.counted == {1: 1}
