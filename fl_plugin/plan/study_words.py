"""What a plan and its requests take over from the study as it stands."""

from typing import Any

from fl_plugin.manifest.types import Manifest, Study


def plan_words(study: Study, manifest: Manifest, actor: str) -> dict[str, Any]:
    """Return the fields of a plan that no product has a say in."""
    contract = study.contract
    return {
        "study": study.name,
        "label": study.label or study.name,
        "consumer": contract.consumer,
        "actor": actor,
        "purpose": contract.purpose,
        "mode": contract.mode,
        "algorithm": contract.algorithm.name,
        "target": contract.target,
        "preparation": contract.preparation,
        "privacy": contract.privacy,
        "rounds": contract.rounds,
        "seed": contract.seed,
        "manifest": manifest.fingerprint,
    }


def request_words(study: Study, actor: str, parties: int) -> dict[str, Any]:
    """Return the fields of a request that are the same for every product."""
    contract = study.contract
    return {
        "study": study.name,
        "consumer": contract.consumer,
        "actor": actor,
        "purpose": contract.purpose,
        "product": "",
        "version": None,
        "algorithm": contract.algorithm.name,
        "secure_aggregation": contract.privacy.secure_aggregation,
        "parties": parties,
    }
