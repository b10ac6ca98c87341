"""What protected a run's updates, as facts."""

from fl_plugin.registry.run_record import Privacy, RunRecord
from fl_plugin.report.wording import short


def protection_facts(run: RunRecord) -> tuple[tuple[str, str], ...]:
    """Return what the record says of its protection, by name."""
    if run.vertical is not None:
        return (
            ("Between domains", "sealed (X25519, AES-256-GCM)"),
            ("Keys", "signed by each domain"),
            ("Labels", run.vertical.labels),
        )
    return tuple(_sums(run.privacy))


def _sums(privacy: Privacy) -> list[tuple[str, str]]:
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
    return found


def _dropout(told: str) -> str:
    """Return a record's `stop`, or `recover, without ...`, in words."""
    mode, _, rest = told.partition(", ")
    said = {"stop": "the run stops", "recover": "the others go on"}.get(mode, mode)
    return f"{said}: {rest}" if rest else said
