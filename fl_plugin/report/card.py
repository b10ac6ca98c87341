"""The model card (Mitchell et al., 2019, arXiv:1810.03993), from the record alone."""

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.report.classes import class_rows
from fl_plugin.report.fairness import fairness_views
from fl_plugin.report.findings import findings, headline, output_of
from fl_plugin.report.html import readable_date
from fl_plugin.report.left import left_rows
from fl_plugin.report.limits import limits
from fl_plugin.report.rendering import markdown_templates
from fl_plugin.report.search import search_view
from fl_plugin.report.setting import judged
from fl_plugin.report.tables import domain_rows, metric_rows
from fl_plugin.report.taking_part import why_not_compared
from fl_plugin.report.wording import listed


def card_of(run: RunRecord) -> str:
    """Return the card as Markdown; the same record gives the same text."""
    found = {p.classification for p in run.products if p.classification}
    return (
        markdown_templates()
        .get_template("card.md.j2")
        .render(
            run=run,
            date=readable_date(run.created_at),
            headline=headline(run),
            findings=findings(run),
            limits=limits(run),
            output=output_of(run),
            classes=class_rows(run),
            fairness=fairness_views(run),
            search=search_view(run),
            metrics=metric_rows(run),
            domains=domain_rows(run),
            compared=bool(run.domains) and not why_not_compared(run),
            judged=judged(run),
            left_rows=left_rows(run),
            classifications=listed(sorted(found)),
            command=f"python -m fl_plugin train {run.study}",
        )
    )
