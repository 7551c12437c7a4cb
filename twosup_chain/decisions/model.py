"""`TwoSupervisorDecisionModel`: a local decision model first, a hosted one where it is not trusted, as one.

The decision itself is `TwoSupervisorChain`'s, for each question of a request; here are LangChain's requests and
responses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import ensure_config
from langchain_core.runnables.utils import ConfigurableFieldSpec

from twosup_chain._batch import arun_batch, run_batch
from twosup_chain._core_decisions import BaseDecisionModel, ClassifierRequest, Question, State
from twosup_chain._drive import specs_of
from twosup_chain._halting import Halting
from twosup_chain._keywords import DecisionOptions, Part
from twosup_chain._options import Options
from twosup_chain._step import Flow, RunManager
from twosup_chain.answerers.typed import Decision
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.decisions.response import TwoSupervisorResponse, respond
from twosup_chain.schema import TwoSupervisorResult

if TYPE_CHECKING:
    from twosup_chain.calibration.grouped import GroupedCalibration
    from twosup_chain.calibration.record import Calibration


class TwoSupervisorDecisionModel(Halting, BaseDecisionModel, Options):
    """Decides locally where that can be trusted, else with a hosted model, else says that it is undecided.

    It stands wherever a LangChain decision model does. Each question of a request is decided on its own: the hosted
    model is asked only those that the local one is not trusted with, together. The response (`TwoSupervisorResponse`)
    counts the tokens of both, and holds for each question the `TwoSupervisorResult` that its answer comes from. The
    confidence of an answer is the trust score of the supervisor that trusts it, 0 where none does. The models' runs
    stand below this one's in traces, tagged ``local``, ``remote`` and so on.

    Args:
        local: The local decision model: a `TextClassifier`, a `LlamaCppDecisionModel`, any other ``BaseDecisionModel``;
            a chat model; or an answerer or function that is given the `QAInput` (question, context, options) and
            returns an option, or an `Answer` with its `probabilities`.
        local_supervisor: Judges its choice (``max_softmax``, ``softmax_margin``, ``softmax_entropy``,
            ``tempered_softmax``, ``energy``, a learned scorer, …).
        remote: The hosted decision model, or anything that `local` may be; ``None``: never ask.
        remote_supervisor: Judges its choice (``max_softmax``, ``label_agreement``, ``stated_confidence``, …); needed
            with `remote`.
        undecided: The option that a `Choice` is answered with where nobody can be trusted, a label of its own ("a
            person") or one of its criteria. Without it, and for other questions always, the answer is an
            `UndecidedAnswer`.
        fallback: As in `TwoSupervisorChain`; ``"raise"`` raises an `UndecidedError`, which holds the response.
        model: The name of this model in traces and responses.
        chain: A chain that decides, in place of the parts of one.
        **options: The other options of `TwoSupervisorChain`: `on_remote_error`, `on_local_error`, `never_escalate`,
            `deadline`, `gate`, ….

    Raises:
        ConfigurationError: A part is missing, of the wrong type, or contradicts another.
        UnknownOptionError: An option does not exist.
        MissingExtraError: At import, where langchain-core is older than 1.8.

    Example:
        >>> from langchain_core.decisions import Choice
        >>> from twosup_chain import Answer, Supervisor
        >>> triage = TwoSupervisorDecisionModel(
        ...     local=lambda asked: Answer("billing", probabilities={"billing": 0.6, "bug": 0.4}),
        ...     local_supervisor=Supervisor("max_softmax", threshold=0.8),
        ...     undecided="a person",
        ... )
        >>> team = Choice(instructions="Which team?", criteria={"billing": "Payments.", "bug": "Defects."})
        >>> triage.invoke({"state": "It was charged twice.", "questions": {"team": team}}).choices["team"].choice
        'a person'
    """

    chain: TwoSupervisorChain
    undecided: str | None = None
    model: str = "twosup"

    def __init__(
        self,
        *,
        local: Part | None = None,
        local_supervisor: Runnable[Any, Any] | None = None,
        remote: Part | None = None,
        remote_supervisor: Runnable[Any, Any] | None = None,
        undecided: str | None = None,
        model: str = "twosup",
        chain: TwoSupervisorChain | None = None,
        **options: Unpack[DecisionOptions],
    ) -> None:
        if chain is None:
            parts: dict[str, Any] = {"local": local, "local_supervisor": local_supervisor, **options}
            chain = TwoSupervisorChain(remote=remote, remote_supervisor=remote_supervisor, **parts)
        super().__init__(chain=chain, undecided=undecided, model=model)

    @classmethod
    def from_calibration(
        cls,
        calibration: Calibration | GroupedCalibration | str | Path,
        *,
        local: Part,
        remote: Part,
        undecided: str | None = None,
        **options: Unpack[DecisionOptions],
    ) -> TwoSupervisorDecisionModel:
        """Returns a decision model with the scorers and thresholds of a calibration on labelled decisions.

        Args:
            calibration: As in `TwoSupervisorChain.from_calibration`.
            local: The local decision model.
            remote: The hosted one.
            undecided: The option for where nobody can be trusted.
            **options: The chain's other options.

        Raises:
            CalibrationFileError: The file is no calibration that this version reads.
            CalibrationMismatchError: The calibration was made for other scorers, options or models.
        """
        chain = TwoSupervisorChain.from_calibration(calibration, local=local, remote=remote, **options)
        return cls(chain=chain, undecided=undecided)

    @property
    def _provider(self) -> str:
        return "twosup"

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What can be configured at run time: everything that the parts declare."""
        return specs_of(self)

    # -- the decisions --------------------------------------------------------------------------------------------

    def _flow(self, request: ClassifierRequest, name: str) -> Flow[TwoSupervisorResult]:
        return (yield from self.chain.flow(Decision.of(request, name)))

    def _respond(self, asked: _Asked, ends: Sequence[TwoSupervisorResult | Exception]) -> list[Any]:
        """Returns the response to each request, or the error that it met."""
        found: list[Any] = []
        of_request: list[dict[str, TwoSupervisorResult | Exception]] = [{} for _ in asked.requests]
        for (at, name), end in zip(asked.names, ends, strict=True):
            of_request[at][name] = end
        for request, mine in zip(asked.requests, of_request, strict=True):
            try:
                found.append(respond(request, mine, model=self.model, undecided=self.undecided))
            except Exception as error:  # noqa: BLE001 (a part's own error among them: it is this request's)
                found.append(error)
        return found

    def _decide(
        self, requests: list[ClassifierRequest], run_manager: Sequence[Any], config: Sequence[RunnableConfig]
    ) -> list[Any]:
        asked = _Asked(requests, config, run_manager)
        return self._respond(asked, run_batch(self._flows(asked), asked.configs, asked.run_managers))

    async def _adecide(
        self, requests: list[ClassifierRequest], run_manager: Sequence[Any], config: Sequence[RunnableConfig]
    ) -> list[Any]:
        asked = _Asked(requests, config, run_manager)
        return self._respond(asked, await arun_batch(self._flows(asked), asked.configs, asked.run_managers))

    def _flows(self, asked: _Asked) -> list[Flow[TwoSupervisorResult]]:
        return [self._flow(asked.requests[at], name) for at, name in asked.names]

    # -- the call styles ------------------------------------------------------------------------------------------

    def invoke(self, input: ClassifierRequest, config: RunnableConfig | None = None, **_: Any) -> TwoSupervisorResponse:
        """Answers one request."""
        return self.batch([input], None if config is None else [config])[0]

    async def ainvoke(
        self, input: ClassifierRequest, config: RunnableConfig | None = None, **_: Any
    ) -> TwoSupervisorResponse:
        """Answers one request, asynchronously."""
        return (await self.abatch([input], None if config is None else [config]))[0]

    def batch(  # type: ignore[override]  # its responses are more than core's
        self,
        inputs: list[ClassifierRequest],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[TwoSupervisorResponse]:
        """Answers many requests stage by stage: the local model is asked all, the hosted one what is left."""
        return self._batch_with_config(self._decide, inputs, config, return_exceptions=return_exceptions)  # type: ignore[return-value]

    async def abatch(  # type: ignore[override]
        self,
        inputs: list[ClassifierRequest],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[TwoSupervisorResponse]:
        """Answers many requests stage by stage, asynchronously."""
        return await self._abatch_with_config(  # type: ignore[return-value]
            self._adecide, inputs, config, return_exceptions=return_exceptions
        )

    def _classify(self, state: State, questions: dict[str, Question]) -> TwoSupervisorResponse:
        return self.invoke({"state": state, "questions": questions}, ensure_config())

    async def _aclassify(self, state: State, questions: dict[str, Question]) -> TwoSupervisorResponse:
        return await self.ainvoke({"state": state, "questions": questions}, ensure_config())


class _Asked:
    """The questions of many requests in a row, each with the config and the run of its request."""

    def __init__(
        self,
        requests: list[ClassifierRequest],
        configs: Sequence[RunnableConfig],
        run_managers: Sequence[RunManager | None],
    ) -> None:
        self.requests = requests
        self.names = [(at, name) for at, request in enumerate(requests) for name in _questions(request)]
        self.configs = [configs[at] for at, _ in self.names]
        self.run_managers = [run_managers[at] for at, _ in self.names]


def _questions(request: Any) -> Mapping[str, Any]:
    """Returns the questions of a request; none, where it is no request."""
    whole = isinstance(request, Mapping) and "state" in request and isinstance(request.get("questions"), Mapping)
    return request["questions"] if whole else {}
