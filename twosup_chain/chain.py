"""`TwoSupervisorChain`: the decision of BiSupervised as a LangChain Runnable, with a typed no-answer.

Weiss & Tonella, *Adopting Two Supervisors for Efficient Use of Large-Scale Remote Deep Neural Networks* (ACM TOSEM
2023, DOI 10.1145/3617593). The decision is written once, in `TwoSupervisorChain.decide`; `_drive` runs it in every call
style, and the chat model and the agent middleware drive it too. How answers are found and scored is in `answerers`,
`scoring` and `supervisor`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, Unpack

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from pydantic import BeforeValidator, Field, model_validator

from twosup_chain import _batch
from twosup_chain._case import Case
from twosup_chain._deadline import DEADLINE, Clock
from twosup_chain._drive import FlowRunnable
from twosup_chain._gate import Gate
from twosup_chain._graph import graph_of
from twosup_chain._health import Health, engines, health
from twosup_chain._keywords import DecisionOptions, Part
from twosup_chain._stage import Stage, cited, escalate
from twosup_chain.answerers.named_chat_model import MAKING, unmade
from twosup_chain.answerers.part import as_answerer
from twosup_chain.answerers.reply import as_answer
from twosup_chain.errors import AnswererError, ConfigurationError, RemoteWithheldError, is_failure
from twosup_chain.never_escalate import Rules
from twosup_chain.schema import Evidence, QAInput, QAInputLike, TwoSupervisorResult, Verdict
from twosup_chain.scoring.lacking import gives, warn_if_blind
from twosup_chain.supervisor import Supervisor, as_supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from langchain_core.runnables.graph import Graph

    from twosup_chain._step import Flow
    from twosup_chain.calibration.grouped import GroupedCalibration
    from twosup_chain.calibration.record import Calibration
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer

#: What `TwoSupervisorChain.as_text` says where there is no answer.
NO_ANSWER_TEXT = "No answer was found that can be trusted."


class TwoSupervisorChain(FlowRunnable[QAInputLike, TwoSupervisorResult]):
    """Answers locally where that can be trusted, else remotely, else says that there is no answer.

    `stream` and `astream` give one piece, the result, since nothing of an answer is shown before it is trusted. What is
    going on meanwhile is told to callbacks: each part begins and ends a run of its name (``local``,
    ``local_supervisor``, ``remote``, ``remote_supervisor``, ``fallback``). ``astream_events`` gives the chain's own
    events, its beginning and its result. `TwoSupervisorChatModel` streams the words of an answer that is trusted.

    Args:
        local: The local answerer: an `ExtractiveReader`, a `LlamaCppAnswerer`, any Runnable or function that returns an
            `Answer`, a string, ``None``, a message or a dict of `Answer`'s fields. A function is given the `QAInput`, a
            foreign Runnable the dict ``{"question", "context"}``. A question with options is answered with one of them,
            by a LangChain decision model, too.
        local_supervisor: Judges the local answer.
        remote: The hosted answerer, asked only where the local answer is not trusted: a chat model or
            ``"provider:model"`` (both become a `ChatAnswerer`), or anything that `local` may be. ``None``: never ask.
        remote_supervisor: Judges the hosted answer; needed with `remote`.
        fallback: Where nobody is trusted: ``None`` for a result without an answer, ``"raise"`` for
            `NoTrustedAnswerError`, or a Runnable or function that is given ``{"question", "context", "result"}``.
        on_remote_error: Where the hosted model fails, which an empty reply or a refusal also is: ``"raise"`` the error,
            use the ``"local"`` answer as it stands, end with ``"no_answer"``, or run the ``"fallback"``.
        on_local_error: Where the local model fails, or cannot take the question (too long, without a context, …):
            ``"escalate"`` to the remote, or to the fallback (where there is neither, the error is raised), or
            ``"raise"`` the error.
        on_supervisor_error: Where a supervisor fails, which missing evidence also is: ``"escalate"``, as from an answer
            that is not trusted, or ``"raise"`` the error.
        early_abstention: Whether the local supervisor weighs the local answer against "no answer", before anything is
            asked: if "no answer" is the likelier one to be right and its score reaches the threshold, the question ends
            as unanswerable without a call, even though the local model has quoted something. Without it only a "no
            answer" that the local model itself predicts ends the matter, when its score reaches the threshold.
        reconcile: Whether the remote supervisor, once the hosted model has been paid for, weighs the hosted answer
            against the local one and "no answer", and the likeliest to be right is taken, if its score reaches the
            threshold. For both, scores should be probabilities of being right on one scale: those of a learned scorer
            (`fit_scorer`), or ``backed`` or ``grounded``.
        never_escalate: Which questions stay on this machine: a regular expression that is searched in question and
            passages, ``{"metadata": {…}}`` of the call's config or a document, a function of the `QAInput` and the
            call's metadata, or a list of them (see `never_escalate.Rule`). Neither the remote nor a fallback is asked
            such a question: what the local model cannot be trusted with has no answer.
        deadline: How many seconds a question may take, 60 by default; ``None`` for as long as it likes. A model after
            which another may be asked has half of what is left, the last one the rest. A call that does not end in time
            is left behind and has failed with a `DeadlineError`. In a batch each question has its own time: while it
            waits for others it does not run.
        gate: Stands before the hosted model and lets a question pass or not: a budget, a breaker, a rule that keeps it
            on this machine (`twosup_chain.service.RemoteGate`). ``None``: every question passes.

    Raises:
        ConfigurationError: A part is missing, of the wrong type, or contradicts another.
        UnknownOptionError: An option does not exist.

    Example:
        >>> chain = TwoSupervisorChain(
        ...     local=lambda question: Answer("Ada", scores={"answerability": 0.9}),
        ...     local_supervisor=Supervisor("answerability", threshold=0.6),
        ... )
        >>> chain.invoke({"question": "Who wrote it?", "context": "Ada wrote it."}).answer
        'Ada'
    """

    local: Annotated[Runnable[Any, Any], BeforeValidator(partial(as_answerer, role="local"))]
    local_supervisor: Annotated[Runnable[Any, Any], BeforeValidator(as_supervisor)]
    remote: Annotated[Runnable[Any, Any], BeforeValidator(partial(as_answerer, role="remote"))] | None = None
    remote_supervisor: Annotated[Runnable[Any, Any], BeforeValidator(as_supervisor)] | None = None
    fallback: (
        Literal["raise"] | Annotated[Runnable[Any, Any], BeforeValidator(partial(as_answerer, role="fallback"))] | None
    ) = None
    on_remote_error: Literal["raise", "local", "no_answer", "fallback"] = "raise"
    on_local_error: Literal["escalate", "raise"] = "escalate"
    on_supervisor_error: Literal["escalate", "raise"] = "escalate"
    early_abstention: bool = False
    reconcile: bool = False
    never_escalate: Rules = None
    deadline: float | None = Field(default=DEADLINE, gt=0.0, allow_inf_nan=False)
    gate: Gate | None = Field(default=None, exclude=True, repr=False)

    def __init__(
        self,
        *,
        local: Part,
        local_supervisor: Runnable[Any, Any],
        remote: Part | None = None,
        remote_supervisor: Runnable[Any, Any] | None = None,
        **options: Unpack[DecisionOptions],
    ) -> None:
        parts: dict[str, Any] = {"local": local, "remote": remote, **options}
        super().__init__(local_supervisor=local_supervisor, remote_supervisor=remote_supervisor, **parts)

    @classmethod
    def from_calibration(
        cls,
        calibration: Calibration | GroupedCalibration | str | Path,
        *,
        local: Part,
        remote: Part,
        scorers: Mapping[str, ScoreFunction | Scorer] | None = None,
        **options: Unpack[DecisionOptions],
    ) -> TwoSupervisorChain:
        """Returns a chain with the scorers and thresholds of a calibration.

        An answer of another model than the calibration was made for ends in a `CalibrationMismatchError`, where the
        calibration names its models.

        Args:
            calibration: A `Calibration`, a `GroupedCalibration`, or the path of one. With groups, the question's is
                read from the call's metadata (``config={"metadata": {"domain": "law"}}``) or its documents'; a question
                of a group without a promise is trusted to nobody, and nobody else is asked.
            local: The local answerer.
            remote: The hosted answerer.
            scorers: By name, the scorers of the calibration that are not registered ones, or hold a model of yours.
            **options: The chain's other options; what the promises rest on must be as the calibration has it
                (`on_remote_error`, `fallback`, `on_local_error`, `early_abstention`, `reconcile`).

        Raises:
            CalibrationFileError: The file is no calibration that this version reads.
            CalibrationMismatchError: The calibration was made for other scorers, another such option, or models that
                were asked with other options, or it names no scorers.
        """
        from twosup_chain.calibration.supervisors import chain_options, check_asked

        chain = cls(local=local, remote=remote, **chain_options(calibration, scorers or {}, dict(options)))
        check_asked(calibration, local=chain.local, remote=chain.remote)
        return chain

    @model_validator(mode="after")
    def _check_parts(self) -> TwoSupervisorChain:
        if self.remote is not None and self.remote_supervisor is None:
            message = (
                "remote is given without remote_supervisor: pass remote_supervisor=Supervisor(scorer, threshold=…); "
                "threshold=0.0 accepts every hosted answer"
            )
            raise ConfigurationError(message)
        if self.remote is None and self.remote_supervisor is not None:
            message = "remote_supervisor is given without remote: pass remote=… too, or leave both out"
            raise ConfigurationError(message)
        if self.gate is not None and self.remote is None:
            raise ConfigurationError("gate stands before the hosted model, and there is no remote: pass remote=… too")
        if self.reconcile and self.remote is None:
            message = "reconcile=True chooses between two answers and none, and there is no remote: pass remote=… too"
            raise ConfigurationError(message)
        if self.on_remote_error == "fallback" and self.fallback is None:
            message = "on_remote_error='fallback' needs a fallback: pass fallback=… or choose 'no_answer'"
            raise ConfigurationError(message)
        judges = {"local": (self.local_supervisor, self.local), "remote": (self.remote_supervisor, self.remote)}
        for role, (judge, judged) in judges.items():
            if isinstance(judge, Supervisor) and judge.missing is None:
                warn_if_blind(role, judge.scorer, gives(judged), gives(self.local))
        return self

    # -- the decision ---------------------------------------------------------------------------------------------

    def flow(self, value: QAInputLike, **_: Any) -> Flow[TwoSupervisorResult]:
        """Returns the decision on one question, for `_drive` to run."""
        return (yield from self.decide(Case(QAInput.coerce(value))))

    def decide(self, case: Case, *, ask_local: bool = True) -> Flow[TwoSupervisorResult]:
        """Returns the decision on one question: the only one there is, whoever drives it.

        Args:
            case: The question, and what has been noted of it.
            ask_local: Whether the local model is asked, as it is but for turns of a conversation that are not for it.
        """
        case.clock = Clock(self.deadline, self._last_stage)
        result = (yield from self._ask_local(case)) if ask_local else None
        result = result or (yield from self._ask_remote(case))
        return (yield from cited(case, result))

    @property
    def _last_stage(self) -> Stage:
        """The last stage at which a model is asked even where those before it have failed."""
        if isinstance(self.fallback, Runnable) and (self.remote is None or self.on_remote_error == "fallback"):
            return Stage.FALLBACK
        return Stage.LOCAL if self.remote is None else Stage.REMOTE

    def _ask_local(self, case: Case) -> Flow[TwoSupervisorResult | None]:
        try:
            case.local = yield from Stage.LOCAL.ask(case, self.local)
        except Exception as error:  # noqa: BLE001 (whatever it is, others may answer)
            alone = self.remote is None and not isinstance(self.fallback, Runnable)
            seen = alone and not isinstance(error, AnswererError)
            escalate(case, Stage.LOCAL, error, "raise" if seen else self.on_local_error)
            return None
        weigh = "local" if self.early_abstention else None
        evidence = Evidence(input=case.input, answer=case.local, weigh=weigh)
        case.local_verdict = yield from self._judge(case, Stage.LOCAL_SUPERVISOR, self.local_supervisor, evidence)
        return case.judge("local", case.local, case.local_verdict)

    def _judge(
        self, case: Case, stage: Stage, supervisor: Runnable[Any, Any], evidence: Evidence
    ) -> Flow[Verdict | None]:
        """Returns the verdict; ``None`` where the supervisor failed, so that the answer is not trusted."""
        try:
            return (yield from stage.judge(case, supervisor, evidence))
        except Exception as error:  # noqa: BLE001 (a scorer may be the user's own)
            escalate(case, stage, error, self.on_supervisor_error)
            return None

    def _kept_here(self, case: Case) -> Flow[TwoSupervisorResult | None]:
        """Returns the result of a question that must not leave this machine; ``None`` where it may."""
        if self.never_escalate is None:
            return None
        try:
            yield Stage.NEVER_ESCALATE.step(case, self.never_escalate, case.input)
        except Exception as error:
            if not is_failure(error):
                raise
            case.note(f"kept on this machine ({error})")
            kept = case.end("none", None)
            return kept.raise_for_status() if self.fallback == "raise" else kept
        return None

    def _ask_remote(self, case: Case) -> Flow[TwoSupervisorResult]:
        if kept := (yield from self._kept_here(case)):
            return kept
        if self.remote is None or self.remote_supervisor is None:
            case.note("there is no remote")
            return (yield from self._without_answer(case))
        call = partial(Stage.REMOTE.ask, case, self.remote)
        try:
            case.remote = yield from call() if self.gate is None else self.gate.through(case.input, call, case.clock)
        except Exception as error:  # noqa: BLE001 (any failure of the remote is the policy's business)
            return (yield from self._without_remote(case, error))
        weigh = "remote" if self.reconcile else None
        evidence = Evidence(input=case.input, answer=case.remote, local=case.local, weigh=weigh)
        case.remote_verdict = yield from self._judge(case, Stage.REMOTE_SUPERVISOR, self.remote_supervisor, evidence)
        settled = case.judge("remote", case.remote, case.remote_verdict)
        return settled or (yield from self._without_answer(case))

    def _without_remote(self, case: Case, error: Exception) -> Flow[TwoSupervisorResult]:
        instead = error.instead if isinstance(error, RemoteWithheldError) else None
        policy = instead or self.on_remote_error
        if policy == "raise" and is_failure(error):
            error.add_note(
                "The remote of a TwoSupervisorChain failed; on_remote_error='local', 'no_answer' or 'fallback' would "
                "have ended this question without an exception."
            )
        escalate(case, Stage.REMOTE, error, policy)
        if policy == "local" and case.local is not None:
            option = "instead" if instead else "on_remote_error"
            case.note(f"the local answer is used as it stands ({option}='local')")
            return case.end("local", case.local)
        if policy == "no_answer" or instead:
            return case.end("none", None)
        return (yield from self._without_answer(case))

    def _without_answer(self, case: Case) -> Flow[TwoSupervisorResult]:
        if self.fallback is None:
            return case.end("none", None)
        if self.fallback == "raise":
            return case.end("none", None).raise_for_status()
        given = {**case.input.as_dict(), "result": case.end("none", None)}
        try:
            said = yield Stage.FALLBACK.step(case, self.fallback, given)
            reply = as_answer(said, case.input.passages, case.input.options)
        except Exception as error:  # noqa: BLE001 (what the models cost, and why they are not trusted, is kept)
            escalate(case, Stage.FALLBACK, error)
            return case.end("none", None)
        if reply.text is None:
            case.note("the fallback has no answer either")
            return case.end("none", None, spent=reply)
        case.note("the fallback answered")
        return case.end("fallback", reply, spent=reply)

    # -- the call styles ------------------------------------------------------------------------------------------

    def batch(
        self,
        inputs: list[QAInputLike],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[TwoSupervisorResult]:
        """Answers many questions stage by stage: one local batch, then the remote for what is left, and so on.

        Equal questions under one config are asked once, and have one result in common: a sum counts its usage once. As
        many calls run at once as ``max_concurrency`` of the config says, 32 by default.
        """
        keys = _batch.keys_of(inputs, config)
        return self._batch_with_config(
            lambda values, run_manager, config: _batch.run_batch(map(self.flow, values), config, run_manager, keys),
            inputs,
            config,
            return_exceptions=return_exceptions,
        )

    async def abatch(
        self,
        inputs: list[QAInputLike],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[TwoSupervisorResult]:
        """Answers many questions stage by stage, asynchronously, as `batch` does."""
        keys = _batch.keys_of(inputs, config)
        return await self._abatch_with_config(
            lambda values, run_manager, config: _batch.arun_batch(map(self.flow, values), config, run_manager, keys),
            inputs,
            config,
            return_exceptions=return_exceptions,
        )

    # -- for servers ----------------------------------------------------------------------------------------------

    def warm_up(self) -> Health:
        """Loads the models that run in this process, so that the first question need not wait; returns how they fare.

        The client of a hosted model that is given by name is imported and made, too.

        Raises:
            ModelFileError: A model's file is missing, broken, or another than its configuration was written for.
            ConfigurationError, MissingExtraError: The client cannot be made.
        """
        for engine in engines(self):
            engine.warm_up()
        for part in (self.local, self.remote):
            if (model := unmade(part)) is not None:
                MAKING.invoke(model)
        return self.health()

    def health(self) -> Health:
        """Returns how the models fare that run in this process; nothing is loaded."""
        return health(self)

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:  # noqa: ARG002 (LangChain's signature)
        """Returns the parts and what leads from one to the next: ``print(chain.get_graph().draw_mermaid())``."""
        return graph_of(vars(self))

    # -- for pipelines --------------------------------------------------------------------------------------------

    def as_text(self, no_answer: str = NO_ANSWER_TEXT) -> Runnable[QAInputLike, str]:
        """Returns this chain as a Runnable that gives a string: the answer, or `no_answer`.

        Args:
            no_answer: What to say where there is no answer; not blank, since an empty reply counts as a failure in
                LangChain pipelines.
        """
        said = partial(TwoSupervisorResult.as_text, no_answer=no_answer_text(no_answer))
        return self | RunnableLambda(said, name="as_text")


def no_answer_text(text: str) -> str:
    """Returns what is said where there is no answer, itself.

    Raises:
        ConfigurationError: It is blank.
    """
    if text.strip():
        return text
    message = f"no_answer={text!r} is blank: say in words that there is no answer"
    raise ConfigurationError(message)
