"""``twosup models``: which models and engines are here, and the command that brings what is not.

Nothing heavy is imported: versions come from the packages' metadata.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from twosup_chain.cli.console import clean, print_json, show

if TYPE_CHECKING:
    from rich.console import RenderableType

_MEGABYTE = 1e6


class Engine(NamedTuple):
    """A package that a part of twosup-chain needs.

    Attributes:
        package: Its name on the index.
        purpose: What it is for, in words.
        install: The command that installs it.
    """

    package: str
    purpose: str
    install: str

    @property
    def version(self) -> str | None:
        """The installed version; ``None`` where it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


def _extra(name: str) -> str:
    return f"pip install 'twosup-chain[{name}]'"


_CORE = "pip install twosup-chain"

ENGINES = (
    Engine("onnxruntime", "runs the packaged reader", _CORE),
    Engine("tokenizers", "cuts texts into the reader's tokens", _CORE),
    Engine("llama-cpp-python", "a GGUF model as the local one (--local llama:PATH)", _extra("llama")),
    Engine("langchain-openai", "a hosted model: OpenAI, or a server that speaks its protocol", _extra("openai")),
    Engine(
        "langchain", "hosted models of other providers by name, with the provider's package", "pip install langchain"
    ),
    Engine("sentence-transformers", "EmbeddingSimilarity, a trust score that compares meanings", _extra("embeddings")),
    Engine("matplotlib", "pictures: the curves of an evaluation, of a replication and of a training", _extra("plot")),
    Engine("torch", "training a reader of your own", _extra("train")),
    Engine("transformers", "training a reader of your own", _extra("train")),
)


def packaged_reader() -> dict[str, Any] | None:
    """Returns what the packaged reader's ``config.json`` says, its size in bytes, and whether its digest is right.

    Returns:
        ``None`` where this installation holds no reader, or a damaged one.
    """
    folder = files("twosup_chain") / "reader" / "packaged"
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model = (folder / "reader.onnx").read_bytes()
    except (OSError, ValueError):
        return None
    facts = {name: value for name, value in config.items() if name != "calibration"}
    return {**facts, "bytes": len(model), "intact": hashlib.sha256(model).hexdigest() == config.get("digest")}


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, nothing else.")] = False,
) -> None:
    """Show which models and engines are installed, and how to get those that are not."""
    reader = packaged_reader()
    if as_json:
        print_json({"reader": reader, "engines": [{**e._asdict(), "version": e.version} for e in ENGINES]})
        return
    show(*_overview(reader))


def _overview(reader: dict[str, Any] | None) -> list[RenderableType]:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = Text("Packaged reader", style="bold")
    if reader is None:
        facts = Text("  missing or damaged: reinstall twosup-chain", style="red")
    else:
        digest = str(reader.get("digest", ""))
        state = ("intact", "green") if reader["intact"] else ("does not match the file: reinstall", "bold red")
        facts = Text.assemble(
            f"  {clean(str(reader.get('name', 'reader')))} · {reader['bytes'] / _MEGABYTE:.1f} MB · "
            f"sha256 {digest[:12]}… ",
            state,
        )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", expand=False)
    table.add_column("Engine", no_wrap=True)
    table.add_column("Version", no_wrap=True)
    table.add_column("What it is for")
    for engine in ENGINES:
        found = engine.version
        purpose = Text(engine.purpose)
        if found is None:
            purpose.append(f"\n{engine.install}", style="cyan")
        table.add_row(Text(engine.package), Text(found or "missing", style="green" if found else "yellow"), purpose)
    return [title, facts, Text(), table]
