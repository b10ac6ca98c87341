"""Carry out a run of a study: decide, train, register."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from fl_plugin.coordinator.closing import close, closing
from fl_plugin.coordinator.decisions import insist, with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.run import train
from fl_plugin.coordinator.traffic import Listener, tell_beginning
from fl_plugin.coordinator.vertical_run import train_vertical
from fl_plugin.engines.base import Engine
from fl_plugin.errors import MeshError, UsageError
from fl_plugin.manifest.types import Manifest
from fl_plugin.mesh.finished import Finished, FinishedVertical
from fl_plugin.mesh.fitted import model_of_run
from fl_plugin.mesh.record import record_of
from fl_plugin.mesh.rounds import RoundLog
from fl_plugin.mesh.run import Run
from fl_plugin.mesh.running import (
    RunState,
    at_work,
    forget_journal,
    held,
    read_state,
    standing_after,
    write_state,
)
from fl_plugin.mesh.vertical import register_vertical, vertical_digest
from fl_plugin.model.canonical import model_digest
from fl_plugin.model.pipeline import build_pipeline
from fl_plugin.plan.draft import draft, find_study
from fl_plugin.plan.types import Plan
from fl_plugin.registry.reservation import reserve
from fl_plugin.registry.store import Entry, list_models, publish
from fl_plugin.report.card import card_of
from fl_plugin.report.html import report_of
from fl_plugin.software import release
from fl_plugin.tracing.runs import Trace, of_run

# A round after every one that a run can have had.
AFTER_ALL = 2**31
_LATER = "What they keep of the run goes when another is opened there."
Parties = Callable[[Plan, str], AbstractContextManager[Engine]]


@dataclass(frozen=True)
class Training:
    """What every run of a mesh needs.

    Args:
        root: The mesh's folder.
        manifest: Its catalog.
        parties: Starts an engine for a plan, by its name.
        listener: Told the kind and number of each round.
    """

    root: Path
    manifest: Manifest
    parties: Parties
    listener: Listener

    def begin(self, run: str, study: str, actor: str, engine: str) -> Run:
        """Carry out a new run.

        Raises:
            PolicyError: A domain refuses; nothing was trained.
            MeshError: Anything else that went wrong; nothing is half-written.
        """
        state = RunState(
            run=run,
            study=study,
            engine=engine,
            actor=actor,
            software=release(),
            manifest=self.manifest.fingerprint,
        )
        return self._carry_out(state)

    def resume(self, run: str, engine: str) -> Run:
        """Go on with an interrupted run, to the model that it would have made.

        Args:
            run: Its id.
            engine: Another than it began with; empty for the same.

        Raises:
            UsageError: There is no such run, or it cannot go on.
            MeshError: As of `begin`.
        """
        state = read_state(self.root, run)
        made = self._registered(state)
        if made is not None:
            self._already(state, made)
            return Run(made)
        _check_resumable(state, self.manifest)
        return self._carry_out(replace(state, engine=engine or state.engine))

    def stop(self, run: str) -> RunState:
        """End an interrupted run for good, whoever can be told of it.

        Raises:
            UsageError: There is no such run, or it is not interrupted.
        """
        state = read_state(self.root, run)
        if state.standing != "interrupted":
            raise UsageError(
                f"The run {run} is {state.standing}: there is nothing to stop.",
                remedy="See the runs: fl runs list",
            )
        made = self._registered(state)
        if made is not None:  # there is nothing left to stop
            return self._already(state, made)
        with held(self.root, run):
            untold = self._untold(state)
            stopped = replace(state, standing="stopped", problem=untold, fault="")
            write_state(self.root, stopped)
            forget_journal(self.root, run)
        return stopped

    def _untold(self, state: RunState) -> str:
        """Tell the domains to forget a run; say of whom that is not sure."""
        try:
            silent = self._close(state)
        except MeshError as error:
            return f"The domains were not told: {error.problem} {_LATER}"
        return f"Not told: {', '.join(silent)}. {_LATER}" if silent else ""

    def _close(self, state: RunState, *, keep: bool = False) -> tuple[str, ...]:
        """Close the parties of a run that asks them nothing more.

        Returns:
            Who was not told.

        Raises:
            MeshError: There is no way to any of them.
        """
        found = find_study(self.manifest, state.study)
        plan = draft(found, self.manifest, state.actor)
        with self.parties(plan, state.engine) as transport:
            federation = Federation(state.run, transport, rounds=plan.rounds)
            federation.round = AFTER_ALL
            return close(federation, keep=keep)

    def _carry_out(self, state: RunState) -> Run:
        found = find_study(self.manifest, state.study)
        plan = draft(found, self.manifest, state.actor)
        tell_beginning(self.listener, state.run, state.study, state.engine)
        with (
            # First: where it cannot be had, the run stands as it did.
            self.parties(plan, state.engine) as transport,
            at_work(self.root, state) as work,
            self._traced(state, work.rounds) as trace,
        ):
            federation = Federation(
                state.run,
                trace.over(transport),
                trace.listening(self.listener),
                journal=work.journal,
                rounds=plan.rounds,
                note=work.rounds.note,
            )
            plan = with_decisions(plan, federation)
            insist(plan)
            learn = self._learn_vertical if plan.match else self._learn
            run = learn(plan, federation, state)
            work.version = run.entry.version
            trace.add({"version": run.entry.version})
        return run

    def _traced(
        self, state: RunState, rounds: RoundLog
    ) -> AbstractContextManager[Trace]:
        return of_run(
            state.run,
            {"work": "train", "study": state.study, "engine": state.engine},
            again=rounds.known if state.started else None,
            stands=standing_after,
        )

    def _learn(self, plan: Plan, federation: Federation, state: RunState) -> Run:
        done = Finished(
            plan=plan,
            study=find_study(self.manifest, plan.study),
            manifest=self.manifest,
            trained=train(plan, federation),
            federation=federation,
            engine=state.engine,
        )
        model = model_of_run(done.trained, done.plan)
        pipeline = build_pipeline(model)
        done = replace(done, model_digest=model_digest(model))
        with reserve(self.root / "registry", plan.study) as slot:
            record = record_of(done, slot.version)
            entry = publish(
                slot,
                pipeline,
                record,
                card=card_of(record),
                report=report_of(record),
            )
        return Run(entry)

    def _learn_vertical(
        self, plan: Plan, federation: Federation, state: RunState
    ) -> Run:
        # What registers the model belongs within: no part is left of a model that is
        # in no registry.
        with closing(federation, keep=True):
            parts = train_vertical(plan, federation)
            done = FinishedVertical(
                plan=plan,
                study=find_study(self.manifest, plan.study),
                manifest=self.manifest,
                trained=parts,
                federation=federation,
                engine=state.engine,
                model_digest=vertical_digest(parts),
            )
            with reserve(self.root / "registry", plan.study) as slot:
                return Run(register_vertical(done, slot))

    def _already(self, state: RunState, made: Entry) -> RunState:
        """Write down that a run is done whose process was killed just before it did."""
        done = replace(
            state, standing="done", version=made.version, problem="", fault=""
        )
        with held(self.root, state.run):
            if made.run.vertical is not None and state.standing == "interrupted":
                # Its parties are closed last, so that they keep their parts.
                self._close(state, keep=True)
            forget_journal(self.root, state.run)
            write_state(self.root, done)
        return done

    def _registered(self, state: RunState) -> Entry | None:
        """Return the run's model where it was killed after it had registered it."""
        models = list_models(self.root / "registry").entries
        return next((e for e in models if e.run.run == state.run), None)


def _check_resumable(state: RunState, manifest: Manifest) -> None:
    again = f"Start it again: fl train {state.study}"
    if state.standing != "interrupted":
        raise UsageError(
            f"The run {state.run} is {state.standing}: it cannot be resumed.",
            remedy=again,
        )
    if state.manifest != manifest.fingerprint:
        raise UsageError(
            f"The catalog was built again since the run {state.run} began.",
            remedy=again,
        )
    if state.software != release():
        raise UsageError(
            f"The run {state.run} began with version {state.software} of this program.",
            remedy=f"Resume it with that version. {again}",
        )
