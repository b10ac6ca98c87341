"""A small mesh whose label domain has many rows for one of each other domain's."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.made_mesh import Made, make_mesh
from tests.vertical_mesh import VerticalMesh

SHOP, PEOPLE, STOCK = "shop", "people", "stock"
USES = ("train_vertical", "evaluate", "predict", "match_many")
CUSTOMERS, ITEMS, LAST = 80, 60, 20
LIKED = 3  # kinds of customers, and of items; each kind likes its own


def lookup_mesh(
    root: Path, *, study: Mapping[str, Any] | None = None, **words: Any
) -> VerticalMesh:
    """Write a mesh in which a customer buys the items of its own kind.

    The shop draws LAST - 1 negatives for each customer's last day; one customer and one
    item are unknown to the others.

    Args:
        root: A folder that does not exist yet.
        study: Words beside the usual ones.
        words: Further fields of `Made`.
    """
    random = np.random.default_rng(0)
    who = [f"C{random.bytes(9).hex()}" for _ in range(CUSTOMERS)]
    what = [f"I{random.bytes(9).hex()}" for _ in range(ITEMS)]
    kinds = np.arange(CUSTOMERS) % LIKED, np.arange(ITEMS) % LIKED
    rows = []
    for who_buys in range(CUSTOMERS):
        liked = random.permutation(np.flatnonzero(kinds[1] == kinds[0][who_buys]))
        others = random.permutation(np.flatnonzero(kinds[1] != kinds[0][who_buys]))
        for on in range(4):
            rows.append((who_buys, liked[on], on, True))
            drawn = LAST - 1 if on == 3 else 3
            rows += [(who_buys, o, on, False) for o in others[:drawn]]
            others = np.roll(others, -drawn)
    order = random.permutation(len(rows))
    c, i, day, bought = (
        np.array(v) for v in zip(*(rows[p] for p in order), strict=True)
    )
    shop = pa.table(
        {
            "row_id": [f"{n:06d}" for n in range(len(rows))],
            "customer_id": [who[n] for n in c],
            "item_id": [what[n] for n in i],
            "day": [date(2026, 1, 1) + timedelta(days=int(d)) for d in day],
            "noise": random.normal(size=len(rows)),
            "is_bought": bought,
        }
    )
    people = pa.table({"customer_id": who[1:], "taste": kinds[0][1:].astype(float)})
    stock = pa.table({"item_id": what[1:], "kind": [f"k{n}" for n in kinds[1][1:]]})
    asked = {
        "mode": "vertical",
        "algorithm": {"name": "split_network", "epochs": 30, "learning_rate": 0.01},
        "target": "is_bought",
        "features": ["noise", "taste", "kind"],
        "match": {"keys": {PEOPLE: "customer_id", STOCK: "item_id"}},
        "evaluation": {"holdout_by": "last", "group": "customer_id"},
        **(study or {}),
    }
    made = Made(
        tables={SHOP: shop, PEOPLE: people, STOCK: stock},
        study=asked,
        roles={
            "customer_id": ["join_key"],
            "item_id": ["join_key"],
            "is_bought": ["label"],
        },
        columns={"is_bought": {"label_sharing": "protected"}},
        event_time="day",
        uses=words.pop("uses", USES),
        **words,
    )
    return VerticalMesh(make_mesh(root, made), made.tables)
