"""Many rows for one of another domain: how they are told which of theirs is meant.

The keys themselves are matched once each (`keys.distinct`, then `party.MatchingParty`
between the two domains). Then the domain whose rows repeat them, and nobody else, says
in which order its rows stand, and tells each other domain, sealed, which of the matched
keys each row has. So that domain learns how often each key comes, and beside which rows
of its own; it learns nothing of what the other rows hold.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fl_plugin.alignment.exchange import (
    Array,
    Indices,
    SealedChannel,
    checked_numbers,
    only,
)
from fl_plugin.alignment.order import Hashes, MatchedRows
from fl_plugin.alignment.terms import refused

Mask = npt.NDArray[np.bool_]
MOST_ROWS = 2**26  # as of the entries of a list


@dataclass(frozen=True, kw_only=True)
class Expanded:
    """The rows of a run in the order that the domain with the label has chosen.

    Args:
        rows: (expanded,) rows of the own table; one may come many times.
        train: (expanded,) which are learned from.
    """

    rows: Indices
    train: Mask


def places_of(matched: MatchedRows, first: Indices, which: Indices) -> Indices:
    """Return for every value of a key column its place among the matched, or -1.

    Args:
        matched: Of the distinct keys, over the values.
        first: (keys,) the first value that is this key.
        which: (values,) the key of each value, -1 for none.
    """
    place_of_value = np.full(len(which) + 1, -1, dtype=np.int64)
    place_of_value[matched.rows] = np.arange(len(matched.rows))
    return place_of_value[np.where(which >= 0, first[which], len(which))]


def drawn_order(hashes: Hashes, secret: bytes, seed: int) -> Indices:
    """Return an order of rows that nobody without the secret can foresee.

    A row's place must not tell of its keys: a domain that knows one of them could test
    guesses of the other. The same secret, seed and rows give the same order.
    """
    key = hashlib.sha256(hmac.digest(secret, b"order %d" % seed, "sha512")).digest()
    drawn = [hmac.digest(key, int(h).to_bytes(8, "big"), "sha256") for h in hashes]
    order = sorted(range(len(drawn)), key=drawn.__getitem__)
    return np.array(order, dtype=np.int64)


def letter_for(domain: str) -> str:
    """Return the name of the array that holds what is sealed for a domain."""
    return f"for.{domain}"


def tell(
    channel: SealedChannel, places: Mapping[str, Indices], train: Mask
) -> dict[str, Array]:
    """Return for each other domain, sealed, which of its matched rows each row has.

    Args:
        channel: To the others.
        places: By domain, (expanded,).
        train: (expanded,).
    """
    marks = train.astype(np.uint8)
    return {
        peer: channel.seal(peer, {"places": of_peer, "train": marks})
        for peer, of_peer in places.items()
    }


def told(
    channel: SealedChannel, peer: str, sealed: Array, matched: MatchedRows
) -> Expanded:
    """Return the own rows that another domain's letter names.

    Raises:
        MessageError: It names rows that were not matched, or is no such letter.
    """
    found, marks = only(channel.open(peer, sealed), "places", "train")
    places = checked_numbers(found)
    if not 0 < places.size <= MOST_ROWS or (places >= len(matched.rows)).any():
        raise refused(f"{peer} names rows that were not matched")
    if marks.dtype != np.uint8 or marks.shape != places.shape or (marks > 1).any():
        raise refused(f"{peer} does not say which rows are held out")
    return Expanded(rows=matched.rows[places], train=marks.astype(np.bool_))
