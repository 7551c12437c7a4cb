"""Unpacks the model when the wheel is built: the repository holds it packed, below the 100 MB that hosts take."""

import gzip
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODEL = "twosup_chain_reader_base/reader.onnx"


class Unpacked(BuildHookInterface[Any]):
    """Puts the model beside its tokenizer, and into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Unpacks the model before the wheel is put together."""
        root = Path(self.root)
        with gzip.open(root / "reader.onnx.gz") as packed, (root / MODEL).open("wb") as model:
            shutil.copyfileobj(packed, model)
        build_data["artifacts"].append(MODEL)
