"""What protected a run's updates, as facts."""

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.report.wording import short


def protection_facts(run: RunRecord) -> tuple[tuple[str, str], ...]:
    """Return what the record says of its protection, by name."""
    privacy = run.privacy
    found = [("Secure aggregation", "on" if privacy.secure_aggregation else "off")]
    if privacy.mode == "exact":
        found.append(("Noise", "none"))
    if privacy.epsilon is not None:
        found.append(("ε", short(privacy.epsilon)))
    if privacy.delta is not None:
        found.append(("δ", short(privacy.delta)))
    if privacy.mechanism:
        found.append(("Noise", privacy.mechanism))
    if privacy.sigma is not None:
        found.append(
            ("Noise, in the most that a row can move a sum", short(privacy.sigma))
        )
    if privacy.dropout:
        found.append(("When a domain falls silent", _dropout(privacy.dropout)))
    if privacy.signed_keys is not None:
        signed = "signed by each domain" if privacy.signed_keys else "not signed"
        found.append(("Keys of the masks", signed))
    return tuple(found)


def _dropout(told: str) -> str:
    """Return a record's `stop`, or `recover, without ...`, in words."""
    mode, _, rest = told.partition(", ")
    said = {"stop": "the run stops", "recover": "the others go on"}.get(mode, mode)
    return f"{said}: {rest}" if rest else said
