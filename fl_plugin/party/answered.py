"""Which questions of a run were answered: one that comes again gets the same."""

from dataclasses import dataclass, field

from fl_plugin.errors import MessageError

# A coordinator asks again only for what it has just asked.
REMEMBERED = 4


@dataclass
class Answered:
    """One run's newest replies at one party, by round and digest of the question.

    Args:
        party: Whose, for errors.
        last: The newest round that was answered.
    """

    party: str
    last: int = 0
    _replies: dict[int, tuple[str, bytes]] = field(default_factory=dict)

    def before(self, number: int, digest: str) -> bytes | None:
        """Return the reply to a question that came before; None where it is new.

        Raises:
            MessageError: Another question came in this round, or the round is over.
        """
        if number in self._replies:
            before, reply = self._replies[number]
            if before != digest:
                raise MessageError(
                    f"Two different messages came to {self.party} for one round.",
                    remedy="Start the run again.",
                )
            return reply
        if number <= self.last:
            raise out_of_order()
        return None

    def reply_to(self, number: int, digest: str) -> bytes | None:
        """Return the reply to just this question, if it is still known."""
        before, reply = self._replies.get(number, ("", b""))
        return reply if before == digest else None

    def remember(self, number: int, digest: str, reply: bytes) -> None:
        """Keep a reply for a while, in case it is lost on the way."""
        self.last = number
        self._replies[number] = (digest, reply)
        for old in sorted(self._replies)[:-REMEMBERED]:
            del self._replies[old]


def out_of_order() -> MessageError:
    """Return the error for a message that comes before what it needs."""
    return MessageError(
        "A message came before the step it depends on, or after its round was over.",
        remedy="Start the run again.",
    )
