"""The catalog asks the domains' ledgers, so a revoked grant is never shown as live."""

from fl_plugin.catalog.enrich import enrich
from fl_plugin.ledger.record import AuditEntry
from fl_plugin.ledger.store import Ledger
from fl_plugin.policy.approval import approval_digest


def told(small):
    nodes = enrich(small.view()).manifest["nodes"]
    (product,) = (n for i, n in nodes.items() if i.startswith("model.lending.credit_p"))
    return product["description"]


def test_a_grant_that_the_ledger_has_ended_is_not_live(small):
    assert "live until" in told(small)
    (grant,) = small.view().manifest.grants.values()
    folder = small.root / "domains" / "lending"
    folder.mkdir(parents=True)
    (folder / "node.yml").write_text("domain: lending\ndatabase: data/l.duckdb\n")
    entry = AuditEntry(
        action="revoke",
        decision="allowed",
        consumer=grant.consumer,
        actor="steward.lending@bank.example",
        purpose=grant.purpose,
        study=grant.study,
        run="",
        released=approval_digest(grant),
    )
    with Ledger.open(folder / "ledger" / "ledger.sqlite") as ledger:
        ledger.append(entry)
    assert "live until" not in told(small)
    assert "revoked" in told(small)


def test_a_missing_signature_stops_a_grant_on_its_page(small):
    folder = small.root / "domains" / "lending"
    folder.mkdir(parents=True)
    (folder / "node.yml").write_text(
        "domain: lending\ndatabase: data/l.duckdb\nrequire_signatures: [grants]\n"
    )
    assert "signature is missing" in told(small)
