"""In which order matched rows stand: the same at every domain, from the keys alone."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fl_plugin.alignment.keys import Indices
from fl_plugin.alignment.terms import VERSION, MatchingTerms

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class MatchedRows:
    """What a domain has learnt; nothing of it leaves the domain.

    Args:
        rows: (matched,) rows of the own table; entry i is the same customer everywhere.
        hashes: (matched,) a number of each customer, the same everywhere, for folds and
            hold-outs (`preparation.splits`). It tells of the key: never send it.
        lost: How many own rows are not among them, in words.
    """

    rows: Indices
    hashes: Hashes = field(repr=False)
    lost: str


def ordered(
    keys: Sequence[bytes], terms: MatchingTerms, salt: bytes
) -> tuple[Indices, Hashes]:
    """Return the order of keys, and a number of each in that order.

    It hangs on the keys, the study's seed and the salt; on no run. With a salt nobody
    else can tell at about which place a known customer stands.
    """
    about = json.dumps([VERSION, "order", terms.seed]).encode()
    secret = hashlib.sha256(hmac.digest(salt, about, "sha512")).digest()
    drawn = [hmac.digest(secret, key, "sha256") for key in keys]
    order = sorted(range(len(keys)), key=drawn.__getitem__)
    hashes = [int.from_bytes(drawn[i][:8], "big") for i in order]
    return np.array(order, dtype=np.int64), np.array(hashes, dtype=np.uint64)
