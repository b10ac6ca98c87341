"""A new grant's file, as a steward will read it."""

import hashlib
from collections.abc import Collection
from datetime import date

from fl_plugin.access.wanted import EXPLORATION, Wanted
from fl_plugin.access.yaml_words import listed, quoted, word
from fl_plugin.manifest.validation import shown

_LONGEST = 64
_ROOM_FOR_NUMBER = 5


def grant_text(wanted: Wanted, name: str, by: str, days: int, today: date) -> str:
    """Return the YAML of a request; nothing in it is decided yet."""
    product = wanted.product
    owner = wanted.owner
    columns = "".join(f"\n              - {word(c)}" for c in wanted.columns)
    epsilon = "null" if wanted.epsilon is None else repr(float(wanted.epsilon))
    return f"""\
exposures:
  - name: {name}
    label: {quoted(f"Grant for {wanted.study}")}
    type: {"analysis" if wanted.study == EXPLORATION else "ml"}
    maturity: high
    owner:
      name: {word(shown(owner.name) or wanted.consumer)}
      email: {word(shown(owner.email) or by)}
    description: >
      What {wanted.consumer} asks of {product.name} for {_what_for(wanted)}: nothing
      is allowed before the stewards of {product.domain} have approved it below.
    depends_on: [{quoted(_reference(wanted))}]
    config:
      meta:
        mesh:
          request:
            study: {word(wanted.study)}
            consumer: {word(wanted.consumer)}
            by: {word(by)}
            at: {quoted(today.isoformat())}
            purpose: {word(wanted.purpose)}
            uses: {listed(wanted.uses)}
            columns:{columns}
            epsilon: {epsilon}
            days: {days}
          decision:
            status: requested
"""


def free_name(wanted: Wanted, taken: Collection[str]) -> str:
    """Return the grant's name, with a number where it is taken.

    A name too long for a file is cut, and told apart by a digest of the whole.
    """
    full = f"g_{wanted.study}_{wanted.consumer}".replace("-", "_")
    if wanted.study == EXPLORATION:
        full += "_" + wanted.product.name.partition(".")[2].replace("-", "_")
    if len(full) > _LONGEST - _ROOM_FOR_NUMBER:
        digest = hashlib.sha256(full.encode()).hexdigest()[:8]
        full = f"{full[: _LONGEST - _ROOM_FOR_NUMBER - 9]}_{digest}"
    name, number = full, 1
    while name in taken:
        number += 1
        name = f"{full}_{number}"
    return name


def _what_for(wanted: Wanted) -> str:
    if wanted.study == EXPLORATION:
        return "a look at it"
    return f"the study {wanted.study}"


def _reference(wanted: Wanted) -> str:
    product = wanted.product
    model = product.name.partition(".")[2]
    if product.version in (None, product.latest_version):
        return f"ref('{model}')"
    return f"ref('{model}', v={product.version})"
