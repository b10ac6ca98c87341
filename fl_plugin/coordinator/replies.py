"""What came back from a party: its reply, its refusal, or nothing that can be used."""

from fl_plugin import messages
from fl_plugin.coordinator.losses import Loss, gone_silent
from fl_plugin.errors import MeshError, MessageError, PolicyError
from fl_plugin.ledger.record import Head
from fl_plugin.messages import Ask, Message, Refusal, Reply


def read_reply(ask: Ask, raw: bytes | None) -> Reply | Loss:
    """Return the answer to a message, or why there is none.

    Args:
        ask: What was sent to the party.
        raw: What came back, perhaps an opponent's; None where nothing did.

    Raises:
        MeshError: The party refuses; the error is the one that it gave.
    """
    if raw is None:
        return gone_silent(ask.round)
    try:
        reply = messages.decode(raw)
    except MessageError:
        return Loss(round=ask.round, why="sent something that is no message")
    if isinstance(reply, Refusal):
        raise refused(reply, ask.party)
    expected = (ask.kind, ask.run, ask.round, ask.party)
    given = (reply.kind, reply.run, reply.round, reply.party)
    if not isinstance(reply, Reply) or given != expected:
        return Loss(round=ask.round, why="answered something else than was asked")
    return reply


def head_of(reply: Reply) -> Head | None:
    """Return the last link of the party's audit chain, if it has told it."""
    head = reply.body.get("head")
    if isinstance(head, list) and [type(v) for v in head] == [int, str]:
        return Head(*head)
    return None


def refused(refusal: Message, party: str) -> MeshError:
    """Return the error that a refusal stands for; it is the party's that was asked."""
    body = refusal.body
    problem = str(body.get("problem", "It gave no reason."))
    remedy = str(body.get("remedy", "Ask the domain's team."))
    if body.get("code") == PolicyError.code:
        return PolicyError(
            f"{party} refused: {problem}",
            remedy=remedy,
            reason=str(body.get("reason", "refused")),
            domain=party,
        )
    kinds = {c.code: c for c in MeshError.__subclasses__() if c is not PolicyError}
    kind = kinds.get(str(body.get("code")), MeshError)
    return kind(f"{party}: {problem}", remedy=remedy).at(party)
