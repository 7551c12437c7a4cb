"""`answer_dataset`: a chain answers millions of questions on a Ray cluster; what is paid for is paid for once.

Ray Data spreads the questions over workers, each with one chain and its local model loaded, and repeats what a lost
worker had in hand. The hosted model is asked at one `Ledger`, which is no worker's: what it has been asked it does not
ask again. (Moritz et al., *Ray: A Distributed Framework for Emerging AI Applications*, OSDI 2018.)
"""

import logging
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from twosup_chain._deadline import Clock
from twosup_chain._gate import Gate
from twosup_chain._options import shorten
from twosup_chain._stage import Stage
from twosup_chain._step import Flow, Step
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.errors import AnswererError, ConfigurationError, InputError, MissingExtraError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.service.answers import Answered, row_of
from twosup_chain.service.ledger import Ledger, question_digest
from twosup_chain.service.retries import Awaited
from twosup_chain.service.store import Store
from twosup_chain.text.csv_rows import is_csv

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError as error:
    raise MissingExtraError("answer_dataset", error.name or "ray", "ray") from None

ChainFactory = Callable[[], TwoSupervisorChain]

#: The columns of what is written, in their order.
COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("answer", pa.string()),
        ("status", pa.string()),
        ("source", pa.string()),
        ("reason", pa.string()),
        ("local_trust", pa.float64()),
        ("remote_trust", pa.float64()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("seconds", pa.float64()),
        ("error", pa.string()),
    ]
)
#: How many batches a worker is given at once.
_BATCHES = 8
_PART = "part-{:06d}.parquet"


def answer_dataset(  # noqa: PLR0913 (options are all by keyword)
    chain_factory: ChainFactory,
    dataset: Any,
    *,
    out: str | Path,
    store: str | Path | None = None,
    workers: int = 2,
    cpus: float | None = None,
    batch_size: int = 32,
    concurrency: int = 32,
    rate: float | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Answered:
    """Answers the questions of a Ray dataset, and writes the results as Parquet files; called again, it goes on.

    A question is answered once, by its ``id``, or where there is none by its digest. A worker that is lost is replaced,
    and its batch repeated: what the hosted model has said by then is not asked again. Budget, breaker and retries are
    those of the chain's own ``gate``, which only the ledger asks.

    Args:
        chain_factory: Makes the chain; a function that can be pickled (by cloudpickle), called once a worker.
        dataset: A `ray.data.Dataset` with columns ``question``, ``context`` and, if there is one, ``id``.
        out: The folder of Parquet files (`COLUMNS`), made if it is not there. The driver writes them.
        store: Where the hosted model's replies are kept: the path of a SQLite file on the driver's machine, by default
            beside the folder (``OUT.replies.db``), or a ``postgresql://`` URL.
        workers: How many workers there are, each with a local model.
        cpus: How many processors a worker takes, as Ray counts them: by default one, or an equal part of all but one,
            which is left for the tasks that hand the questions out.
        batch_size: How many questions a worker is given at once.
        concurrency: How many hosted calls may run at once, of all workers together.
        rate: How many hosted calls may start in a second; ``None``: as many as come.
        progress: Is called with how many questions are done, and of how many.

    Raises:
        InputError: The dataset lacks a column, or the folder holds what is no such file.
        ConfigurationError: An option is out of range.
        MissingExtraError: Ray or pyarrow is not installed.
    """
    if workers < 1 or batch_size < 1:
        raise ConfigurationError(f"workers={workers}, batch_size={batch_size}: both are counts of at least 1")
    if missing := {"question", "context"} - set(dataset.columns() or ()):
        raise InputError(f"the dataset has no column {', '.join(sorted(missing))}: it has {dataset.columns()}")
    if not isinstance(chain_factory(), TwoSupervisorChain):
        raise ConfigurationError("chain_factory has to return a TwoSupervisorChain, made anew")
    folder, started = Path(out), perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    done = _done(folder)
    ledger = _ledger(chain_factory, store or folder.with_name(f"{folder.name}.replies.db"), concurrency, rate)
    total, new = dataset.count(), 0
    asked = dataset.map_batches(_identified, batch_size=1024)
    asked = asked.repartition(target_num_rows_per_block=_BATCHES * batch_size)  # what a lost worker has in hand
    if done:
        asked = asked.map_batches(partial(_without, ray.put(pa.array(sorted(done)))), batch_format="pyarrow")
    answered = asked.map_batches(
        _Worker,
        fn_constructor_args=(chain_factory, ledger),
        batch_size=batch_size,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=_share(workers, cpus),
    )
    for table in answered.iter_batches(batch_size=None, batch_format="pyarrow"):
        fresh = _fresh(table, done)
        if fresh.num_rows:
            _write(fresh, folder)
            new += fresh.num_rows
            if progress is not None:
                progress(len(done), total)
    calls = ray.get(ledger.calls.remote())
    ray.kill(ledger)
    return Answered(out=str(folder), questions=total, new=new, calls=calls, seconds=perf_counter() - started)


def dataset_of(path: Path, *, address: str | None = None) -> Any:
    """Returns the Ray dataset of a file, or folder, of questions, on the cluster at the address.

    Args:
        path: Parquet, or JSON lines (``.jsonl``, ``.json``), gzipped or not.
        address: The cluster's address; ``None``: one is started on this machine, if none is joined yet.

    Raises:
        InputError: There is no such file, it is empty, or it is a table of comma-separated values.
    """
    if not path.exists():
        raise InputError(f"cannot read {path}: there is no such file")
    if is_csv(path):
        raise InputError(f"{path} is a table, which is answered on one machine: for Ray write JSON lines or Parquet")
    if path.is_file() and not path.stat().st_size:
        raise InputError(f"{path} holds no question")
    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False, include_dashboard=False if address is None else None)
    if path.is_dir() or path.suffix == ".parquet":
        return ray.data.read_parquet(str(path.absolute()))
    return ray.data.read_json(str(path.absolute()), lines=True)


def silence() -> None:
    """Has Ray Data show no progress of its own in this process."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)


def _ledger(factory: ChainFactory, store: str | Path, concurrency: int, rate: float | None) -> Any:
    """Returns the ledger's actor, beside the driver, whose store it writes; it comes back where it is lost."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    where = store if isinstance(store, str) and "://" in store else str(Path(store).absolute())
    options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "max_concurrency": 10_000}
    return ray.remote(_Desk).options(**options, scheduling_strategy=here).remote(factory, where, concurrency, rate)


def _share(workers: int, cpus: float | None) -> float:
    """Returns how many processors a worker takes, so that one is left: without it a pipeline would wait for ever."""
    if not ray.is_initialized():
        ray.init()
    there = ray.cluster_resources().get("CPU", 0.0)
    share = min(1.0, (there - 1.0) / workers) if cpus is None else cpus
    if not 0.0 < share <= (there - 1.0) / workers:
        raise ConfigurationError(
            f"workers={workers}, cpus={cpus}: the cluster has {there:g} processors, and one is needed beside the "
            "workers: start fewer, or pass less, as cpus=0.5"
        )
    return share


class _Desk:
    """The actor that holds the ledger."""

    def __init__(self, factory: ChainFactory, store: str, concurrency: int, rate: float | None) -> None:
        chain = factory()
        self._ledger = None
        if chain.remote is not None:
            self._ledger = Ledger(chain, Store(store), concurrency=concurrency, rate=rate)

    async def ask(self, question: QAInput) -> Answer | Exception:
        if self._ledger is None:
            raise ConfigurationError("the chain of the ledger has no hosted model, and that of a worker has")
        return _portable(await self._ledger.ask(question))

    async def calls(self) -> int:
        return 0 if self._ledger is None else self._ledger.calls


def _portable(said: Answer | Exception) -> Answer | Exception:
    """Returns what was said as it is, an error that does not travel by its class and message."""
    try:
        pickle.loads(pickle.dumps(said))  # noqa: S301 (what was pickled the moment before)
    except Exception:  # noqa: BLE001 (an error of another library may fail in any way)
        return AnswererError(f"{type(said).__name__}: {said}")
    return said


class _AtLedger(Gate):
    """Asks the ledger in the hosted model's place."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def through(self, asked: QAInput, call: Callable[..., Flow[Answer]], clock: Clock) -> Flow[Answer]:  # noqa: ARG002
        """Returns what the ledger says; how long it may take is the ledger's business."""
        reply: Future[Answer | Exception] = self._ledger.ask.remote(asked).future()
        said: Answer | Exception = yield Step(Awaited(), reply, stage=Stage.REMOTE)
        if isinstance(said, Exception):
            raise said
        return said


class _Worker:
    """Holds one chain, and answers batches."""

    def __init__(self, factory: ChainFactory, ledger: Any) -> None:
        self._chain = factory().model_copy(update={"gate": _AtLedger(ledger)})
        self._chain.warm_up()

    def __call__(self, batch: dict[str, Any]) -> Any:
        results = self._chain.batch([*_inputs(batch)], return_exceptions=True)
        rows = [row_of(name, result) for name, result in zip(batch["id"], results, strict=True)]
        return pa.Table.from_pylist(rows, COLUMNS)


def _inputs(batch: dict[str, Any]) -> Iterator[QAInput]:
    for question, context in zip(batch["question"], batch["context"], strict=True):
        yield QAInput(question=str(question), context=context if isinstance(context, str) else [*map(str, context)])


def _identified(batch: dict[str, Any]) -> dict[str, Any]:
    """Returns the columns that are needed, with an id for every question."""
    ids = batch.get("id")
    known = [question_digest(asked) for asked in _inputs(batch)] if ids is None else list(map(str, ids))
    return {"id": known, "question": batch["question"], "context": batch["context"]}


def _without(done: Any, table: Any) -> Any:
    return table.filter(pc.invert(pc.is_in(table["id"], value_set=ray.get(done))))


def _fresh(table: Any, done: set[str]) -> Any:
    """Returns the rows that were not there before, and notes them."""
    fresh = []
    for name in table["id"].to_pylist():
        fresh.append(name not in done)
        done.add(name)
    return table.filter(pa.array(fresh, pa.bool_()))


def _write(table: Any, folder: Path) -> None:
    """Adds a file to the folder, whole or not at all."""
    last = max((int(path.stem.removeprefix("part-")) for path in _parts(folder)), default=-1)
    name = folder / _PART.format(last + 1)
    half = name.with_name(f"_{name.name}")  # readers of a folder pass over such names
    pq.write_table(table, half)
    half.replace(name)


def _done(folder: Path) -> set[str]:
    """Returns the ids of the questions that are answered."""
    done: set[str] = set()
    for path in _parts(folder):
        try:
            done.update(pq.read_table(path, columns=["id"])["id"].to_pylist())
        except (pa.ArrowException, KeyError, OSError) as error:
            cure = "take it away, or choose another folder"
            raise InputError(f"{path} holds no answers ({shorten(str(error))}): {cure}") from error
    return done


def _parts(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.glob("part-*.parquet")) if path.stem.removeprefix("part-").isdecimal())
