"""What goes from a coordinator to a node and back, within Flower's own messages.

A question carries the coordinator's signature over who is asked, on whose behalf, and
what. So nobody on the way, the SuperLink included, can ask a domain anything.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flwr.app import ConfigRecord, RecordDict

from fl_plugin.signing.keys import SigningKey, is_signed

KIND = "query"
_PART, _UNIQUE = "mesh", "unique"
_CONTEXT = b"fl_plugin question over Flower, 1\0"


@dataclass(frozen=True)
class Question:
    """One message to a party.

    Args:
        party: Who is asked.
        caller: The consumer on whose behalf.
        software: The version that the coordinator runs.
        data: The message.
        key: Of the coordinator, public.
        signature: Of the coordinator, over all of these.
    """

    party: str
    caller: str
    software: str
    data: bytes
    key: str = ""
    signature: str = ""

    def signed(self, key: SigningKey) -> "Question":
        """Return the question with the coordinator's signature."""
        return Question(
            self.party,
            self.caller,
            self.software,
            self.data,
            key.public,
            key.sign(self._statement()),
        )

    @property
    def is_genuine(self) -> bool:
        """Whether the key that it names has signed it."""
        return is_signed(self.key, self._statement(), self.signature)

    def record(self) -> RecordDict:
        """Return it as the content of one of Flower's messages."""
        return _record(vars(self))

    def _statement(self) -> bytes:
        words = "\0".join((self.party, self.caller, self.software)).encode()
        return _CONTEXT + words + b"\0" + hashlib.sha256(self.data).digest()


@dataclass(frozen=True)
class Answer:
    """What a node says: the party's answer, or why it does not pass the question on.

    Args:
        data: The answer.
        problem: In words; empty where there is an answer.
        remedy: What to do about it.
        code: For the record, such as `caller.unknown`.
    """

    data: bytes = b""
    problem: str = ""
    remedy: str = ""
    code: str = ""

    def record(self) -> RecordDict:
        """Return it as the content of one of Flower's messages."""
        return _record(vars(self))


def question_in(content: RecordDict) -> Question | None:
    """Return the question in one of Flower's messages; None where there is none."""
    found = _words(content, set(vars(Question("", "", "", b""))))
    return Question(**found) if found is not None else None


def answer_in(content: RecordDict) -> Answer | None:
    """Return the answer in one of Flower's messages; None where there is none."""
    found = _words(content, set(vars(Answer())))
    return Answer(**found) if found is not None else None


def _record(words: Mapping[str, Any]) -> RecordDict:
    # Flower keeps contents by their digest and deletes them by it: the same question,
    # asked again, must be another content, or it goes when the first one does.
    return RecordDict({_PART: ConfigRecord({**words, _UNIQUE: secrets.token_hex(8)})})


def _words(content: RecordDict, names: set[str]) -> dict[str, Any] | None:
    record = content.config_records.get(_PART)
    if record is None or set(record) != {*names, _UNIQUE}:
        return None
    if any(type(v) is not (bytes if k == "data" else str) for k, v in record.items()):
        return None
    return {k: record[k] for k in names}
