"""What protected a run's updates, as facts."""

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.report.wording import short


def protection_facts(run: RunRecord) -> tuple[tuple[str, str], ...]:
    """Return what the record says of its protection, by name."""
    privacy = run.privacy
    if run.vertical is not None:
        return (
            ("Between domains", "sealed (X25519, AES-256-GCM)"),
            ("Keys", "signed by each domain"),
            ("Labels", run.vertical.labels),
        )
    found = [("Secure aggregation", "on" if privacy.secure_aggregation else "off")]
    if privacy.mode:
        found.append(("Model", privacy.mode))
    if privacy.epsilon is not None:
        found.append(("ε", short(privacy.epsilon)))
    if privacy.delta is not None:
        found.append(("δ", short(privacy.delta)))
    if privacy.mechanism:
        found.append(("Noise", privacy.mechanism))
    if privacy.sigma is not None:
        found.append(("Noise over sensitivity", short(privacy.sigma)))
    if privacy.dropout:
        found.append(("When a domain drops out", privacy.dropout))
    if privacy.signed_keys is not None:
        signed = "signed by each domain" if privacy.signed_keys else "not signed"
        found.append(("Keys of the masks", signed))
    return tuple(found)
