"""What a domain decides by beside its contracts: settings, permissions, principals."""

from collections.abc import Iterator

from fl_plugin.changes.event import Change
from fl_plugin.changes.published import Published, digest
from fl_plugin.changes.touched import touched_by
from fl_plugin.policy.types import Node


def settings_of(node: Node) -> dict[str, str]:
    """Return a digest of each setting that a decision looks at."""
    principals = node.principals.model_dump(mode="json")
    permissions = node.permissions
    words = {
        "consumers": {n: dict(a) for n, a in node.consumers.items()},
        "principals": principals | {"pinned": node.principals_pinned},
        "permissions": None
        if permissions is None
        else [p.model_dump(mode="json") for p in permissions],
        "algorithms": {
            n: p if p == "any" else dict(p) for n, p in node.algorithms.items()
        },
        "secure_aggregation": node.secure_aggregation,
        "require_signatures": sorted(node.require_signatures),
        "query": [node.query.max_rows, node.query.seconds],
    }
    return {word: digest(value) for word, value in words.items()}


def settings_changes(before: Published, now: Published) -> Iterator[Change]:
    """Yield a change of policy for each product of a domain whose settings changed.

    Settings that no look has seen yet are no change.
    """
    names = sorted(before.settings.keys() & now.settings.keys())
    changed = [n for n in names if before.settings[n] != now.settings[n]]
    if not changed:
        return
    for node, version in now.versions.items():
        touched = touched_by(version, now)
        yield Change(
            kind="policy.changed",
            product=version.product,
            version=version.version,
            node=node,
            sentence=f"The domain of {version.name} has changed its own settings: "
            f"{', '.join(changed)}.",
            remedy=f"See what holds now: fl policy explain {version.product}",
            concerns=touched.concerns,
            consumers=touched.consumers,
        )
