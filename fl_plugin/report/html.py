"""The report: one HTML file that loads nothing, runs no script and prints well."""

from datetime import datetime
from typing import Any

from markupsafe import Markup

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.report.calibration import calibration_plot, domain_calibration_plot
from fl_plugin.report.classes import class_rows, heat_rows, ranking_rows
from fl_plugin.report.comparison import comparison_plots
from fl_plugin.report.fairness import fairness_views
from fl_plugin.report.findings import exactness, findings, headline
from fl_plugin.report.inside import (
    coefficient_plot,
    convergence_plot,
    importance_plot,
    ratio_name,
)
from fl_plugin.report.left import left_rows, left_the_same, senders
from fl_plugin.report.limits import limits
from fl_plugin.report.lineage import lineage
from fl_plugin.report.protection import protection_facts
from fl_plugin.report.quality import quality_plots
from fl_plugin.report.rendering import FOLDER, html_templates
from fl_plugin.report.search import search_view
from fl_plugin.report.setting import judged, prepared_rows
from fl_plugin.report.tables import (
    domain_rows,
    error_cells,
    error_words,
    importance_rows,
    metric_rows,
    tiles,
    weight_rows,
)
from fl_plugin.report.taking_part import why_not_compared
from fl_plugin.report.traffic import traffic_plots
from fl_plugin.report.vertical import vertical_view


def report_of(run: RunRecord) -> str:
    """Return the page; the same record gives the same text."""
    return html_templates().get_template("report.html.j2").render(_view(run))


def readable_date(moment: str) -> str:
    """Return "21 November 2026"; what is no ISO time comes back as it is."""
    try:
        day = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{day.day} {day:%B %Y}"


def _view(run: RunRecord) -> dict[str, Any]:
    return {
        "run": run,
        "css": Markup((FOLDER / "report.css").read_text()),  # noqa: S704 - our own
        "date": readable_date(run.created_at),
        "headline": headline(run),
        "tiles": tiles(run),
        "findings": findings(run),
        "exactness": exactness(run),
        "limits": limits(run),
        "lineage": lineage(run),
        **_tables(run),
        **_plots(run),
    }


def _tables(run: RunRecord) -> dict[str, Any]:
    return {
        "left_domains": senders(run),
        "left_rows": left_rows(run),
        "same_left": left_the_same(run),
        "metrics": metric_rows(run),
        "errors": error_cells(run),
        "errors_words": error_words(run),
        "domains": domain_rows(run),
        "weights": weight_rows(run),
        "needed": importance_rows(run),
        "ratio": ratio_name(run),
        "heat": heat_rows(run),
        "classes": class_rows(run),
        "ranked": ranking_rows(run),
        "fairness": fairness_views(run),
        "search": search_view(run),
        "vertical": vertical_view(run),
        "protection": protection_facts(run),
        "progress": sorted({name for r in run.rounds for name in r.progress}),
        "said": _said(run),
        "judged": judged(run),
        "prepared": prepared_rows(run),
        "intercept": any(c.name == "intercept" for c in run.coefficients),
        "compared": bool(run.domains) and not why_not_compared(run),
        "personalised": any(d.personalised for d in run.domains),
    }


def _said(run: RunRecord) -> list[str]:
    """Return those columns of a table of rounds that hold anything."""
    columns = {
        "Loss": [r.loss for r in run.rounds],
        "Gradient": [r.gradient_norm for r in run.rounds],
        "Step": [r.step for r in run.rounds],
    }
    return [n for n, found in columns.items() if any(v is not None for v in found)]


def _plots(run: RunRecord) -> dict[str, Any]:
    return {
        "quality": tuple(
            p for p in (*quality_plots(run), calibration_plot(run)) if p is not None
        ),
        "domain_calibration": domain_calibration_plot(run),
        "importances": importance_plot(run),
        "comparison": comparison_plots(run),
        "coefficients": coefficient_plot(run),
        "convergence": convergence_plot(run),
        "traffic": traffic_plots(run),
    }
