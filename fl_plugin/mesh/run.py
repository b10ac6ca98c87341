"""A finished run, as a notebook wants it."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sklearn.pipeline import Pipeline

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.registry.store import Entry


@dataclass(frozen=True)
class Run:
    """One registered model and the record of how it came about."""

    entry: Entry

    @property
    def record(self) -> RunRecord:
        """Everything that is known of the run."""
        return self.entry.run

    @property
    def model(self) -> Pipeline:
        """The fitted scikit-learn pipeline."""
        return self.entry.estimator()

    @property
    def report(self) -> Path:
        """The self-contained HTML report."""
        return self.entry.report

    @property
    def folder(self) -> Path:
        """The model's folder in the registry."""
        return self.entry.path

    @property
    def metrics(self) -> pa.Table:
        """One row per metric: hold-out with its interval, folds with their spread."""
        record = self.record
        folds = record.cross_validation.metrics if record.cross_validation else {}
        baseline = next(iter(record.baselines.values()), {})
        rows = [
            {
                "metric": name,
                "holdout": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "cv_mean": folds[name].mean if name in folds else None,
                "cv_sd": folds[name].sd if name in folds else None,
                "baseline": baseline.get(name),
            }
            for name, estimate in record.metrics.items()
        ]
        numbers = ("holdout", "low", "high", "cv_mean", "cv_sd", "baseline")
        schema = pa.schema(
            [("metric", pa.string()), *((n, pa.float64()) for n in numbers)]
        )
        return pa.Table.from_pylist(rows, schema=schema)

    @property
    def domains(self) -> pa.Table:
        """One row per domain: the federated model beside the domain's own.

        `federated` and `own` are the figure that `measure` names.
        """
        return pa.Table.from_pylist(
            [
                {
                    "domain": d.domain,
                    "measure": d.measure,
                    "federated": d.federated.get(d.measure),
                    "own": d.own.get(d.measure),
                    "difference": d.difference.value if d.difference else None,
                    "low": d.difference.low if d.difference else None,
                    "high": d.difference.high if d.difference else None,
                    "verdict": d.verdict,
                }
                for d in self.record.domains
            ]
        )
