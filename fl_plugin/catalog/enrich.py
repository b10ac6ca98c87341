"""Copies of dbt's artifacts in which each contract has become readable.

Only copies: what policy reads stays as dbt wrote it. Nothing that an author wrote can
run on the page, and no path of the machine that built it is left in a copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fl_plugin.catalog.exposure_page import grant_description, study_description
from fl_plugin.catalog.markdown import defused, plain, prose
from fl_plugin.catalog.overview_page import domain_page, overview
from fl_plugin.catalog.product_page import (
    column_description,
    column_meta,
    product_description,
    product_meta,
)
from fl_plugin.catalog.view import View, grant_id
from fl_plugin.errors import MeshError

_LOCAL = ("root_path", "build_path", "compiled_path", "user_id")


@dataclass(frozen=True, kw_only=True)
class Enriched:
    """What the page loads in place of dbt's own two files."""

    manifest: dict[str, Any]
    catalog: dict[str, Any]


def enrich(view: View) -> Enriched:
    """Return the enriched copies; the artifacts in the view are not touched."""
    copy: dict[str, Any] = defused(view.artifact)
    _forget_machine(copy)
    for product in view.products:
        node = copy["nodes"][product.unique_id]
        node["description"] = product_description(view, product)
        _set_meta(node, product_meta(view, product))
        for name, column in product.columns.items():
            shown = node["columns"].get(name)
            if shown is not None:
                shown["description"] = column_description(product, column)
                _set_meta(shown, column_meta(product, column))
    _exposures(view, copy["exposures"])
    _problems(view, copy)
    copy["docs"] = {**copy.get("docs", {}), **_pages(view, copy.get("docs", {}))}
    return Enriched(manifest=copy, catalog=defused(view.catalog))


def _set_meta(node: dict[str, Any], facts: dict[str, str]) -> None:
    """Replace the `mesh` block; what else an author put into meta stays."""
    others = {k: v for k, v in (node.get("meta") or {}).items() if k != "mesh"}
    node["meta"] = {**facts, **others}
    if isinstance(node.get("config"), dict):
        node["config"]["meta"] = node["meta"]


def _forget_machine(copy: dict[str, Any]) -> None:
    blocks = [copy.get("metadata", {})]
    for kind in ("nodes", "sources", "unit_tests"):
        blocks += copy.get(kind, {}).values()
    for block in blocks:
        for key in _LOCAL:
            if key in block:
                block[key] = None


def _exposures(view: View, exposures: dict[str, Any]) -> None:
    studies = {view.study_id(s): s for s in view.manifest.studies.values()}
    grants = {grant_id(g): g for g in view.manifest.grants.values()}
    for unique_id, exposure in exposures.items():
        said = str(view.artifact["exposures"][unique_id].get("description") or "")
        if unique_id in studies:
            said = study_description(view, studies[unique_id], said)
        elif unique_id in grants:
            grant = grants[unique_id]
            said = grant_description(view, grant, said)
            # Every domain's grant for a study has the same name in the page's tree.
            label = exposure.get("label") or grant.name
            exposure["label"] = f"{label}, {grant.domain.replace('_', ' ')}"
        else:
            continue
        exposure["description"] = said
        _set_meta(exposure, {})


def _problems(view: View, copy: dict[str, Any]) -> None:
    """Say on the page of a product, grant or study why it is refused."""
    for name, problem in view.manifest.problems.items():
        for kind, prefix in (("nodes", "model."), ("exposures", "exposure.")):
            node = copy[kind].get(f"{prefix}{name}")
            if node is None or not isinstance(problem, MeshError):
                continue
            said = f"{plain(problem.problem)} {plain(problem.remedy)}"
            note = f"**Not valid, so every request is refused.** {said}"
            node["description"] = f"{note}\n\n---\n\n{node['description']}"
            _set_meta(node, {"Status": "not valid"})


def _pages(view: View, docs: Mapping[str, Any]) -> dict[str, Any]:
    project = view.manifest.project
    written = [project, *_packages(view)]
    pages = [
        _page(project, "__overview__", overview(view, _said(docs, "__overview__"))),
    ]
    for domain in written[1:]:
        name = f"__{domain}__"
        pages.append(_page(domain, name, domain_page(view, domain, _said(docs, name))))
    return {page["unique_id"]: page for page in pages}


def _packages(view: View) -> tuple[str, ...]:
    return view.manifest.domains


def _said(docs: Mapping[str, Any], name: str) -> str:
    """Return what somebody wrote for a page; dbt's own default does not count."""
    found = (
        block.get("block_contents")
        for block in docs.values()
        if block.get("name") == name and block.get("package_name") != "dbt"
    )
    return prose(str(next(found, None) or ""))


def _page(package: str, name: str, text: str) -> dict[str, Any]:
    return {
        "name": name,
        "resource_type": "doc",
        "package_name": package,
        "path": "overview.md",
        "original_file_path": "models/overview.md",
        "unique_id": f"doc.{package}.{name}",
        "block_contents": text,
    }
