"""``twosup models``: which models and engines are here, and the command that brings what is not.

Nothing heavy is imported: versions come from the packages' metadata.
"""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from rich.console import RenderableType

from twosup_chain.cli.command import command
from twosup_chain.cli.console import clean
from twosup_chain.cli.options import Output
from twosup_chain.cli.tables import table
from twosup_chain.errors import ModelFileError

_MEGABYTE = 1e6


class Engine(NamedTuple):
    """A package that a part of twosup-chain needs."""

    package: str
    purpose: str
    install: str  # the command that installs it

    @property
    def version(self) -> str | None:
        """The installed version; ``None`` where it is not installed."""
        from importlib.metadata import PackageNotFoundError, version

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
    Engine("twosup-chain-reader-base", "a larger reader (--local reader:base)", _extra("reader-base")),
    Engine("llama-cpp-python", "a GGUF model as the local one (--local llama:PATH)", _extra("llama")),
    Engine("langchain-openai", "a hosted model: OpenAI, or a server that speaks its protocol", _extra("openai")),
    Engine(
        "langchain", "hosted models of other providers by name, with the provider's package", "pip install langchain"
    ),
    Engine("pypdf", "PDF files as context", _extra("files")),
    Engine("mammoth", "Word files (.docx) as context", _extra("files")),
    Engine("beautifulsoup4", "pages (.html) as context", _extra("files")),
    Engine("sentence-transformers", "EmbeddingSimilarity, a trust score that compares meanings", _extra("embeddings")),
    Engine("matplotlib", "pictures: the curves of an evaluation, of a replication and of a training", _extra("plot")),
    Engine("scipy", "a local classifier (train-classifier), and long calibrations in less time", _extra("fit")),
    Engine("scikit-learn", "fitting a trust score (fit-scorer)", _extra("fit")),
    Engine("langchain-core", "typed decisions (TwoSupervisorDecisionModel), from 1.8 on", _extra("decisions")),
    Engine("torch", "training a reader of your own", _extra("train")),
    Engine("transformers", "training a reader of your own", _extra("train")),
)


def packaged_reader() -> dict[str, Any] | None:
    """Returns what the packaged reader's ``config.json`` says, its size in bytes, and whether its digest is right.

    ``None`` where this installation holds no reader, or a damaged one.
    """
    import hashlib
    from importlib.resources import files

    folder = files("twosup_chain") / "reader" / "packaged"
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model = (folder / "reader.onnx").read_bytes()
        tokenizer = (folder / "tokenizer.json").read_bytes() if "tokenizer_digest" in config else b""
    except (OSError, ValueError):
        return None
    facts = {name: value for name, value in config.items() if name != "calibration"}
    digests = [(config.get("digest"), model)]
    if "tokenizer_digest" in config:
        digests.append((config["tokenizer_digest"], tokenizer))
    intact = all(hashlib.sha256(content).hexdigest() == digest for digest, content in digests)
    return {**facts, "bytes": len(model), "intact": intact}


@dataclass(frozen=True, kw_only=True)
class Verified(Output):
    """What is shown, and whether a reader that is not intact is an error.

    Args:
        verify: Fail where the packaged reader is missing, damaged or altered.
    """

    verify: bool = False


@command()
def models(output: Verified) -> None:
    """Show which models and engines are installed, and how to get those that are not."""
    reader = packaged_reader()
    engines = [{**engine._asdict(), "version": engine.version} for engine in ENGINES]
    output.show(lambda: {"reader": reader, "engines": engines}, lambda: _overview(reader))
    if output.verify and not (reader and reader["intact"]):
        raise ModelFileError("the packaged reader is not what was packaged: reinstall twosup-chain")


def _overview(reader: dict[str, Any] | None) -> list[RenderableType]:
    from rich.text import Text

    if reader is None:
        facts = Text("  missing or damaged: reinstall twosup-chain", style="red")
    else:
        state = ("intact", "green") if reader["intact"] else ("does not match the file: reinstall", "bold red")
        facts = Text.assemble(
            f"  {clean(str(reader.get('name', 'reader')))} · {reader['bytes'] / _MEGABYTE:.1f} MB · "
            f"sha256 {str(reader.get('digest', ''))[:12]}… ",
            state,
        )
    rows = []
    for engine in ENGINES:
        found = engine.version
        purpose = Text.assemble(engine.purpose, ("" if found else f"\n{engine.install}", "cyan"))
        rows.append((engine.package, Text(found or "missing", style="green" if found else "yellow"), purpose))
    engines = table(("Engine", "Version", "~What it is for"), rows)
    return [Text("Packaged reader", style="bold"), facts, Text(), engines]
