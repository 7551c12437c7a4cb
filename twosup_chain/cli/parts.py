"""The parts of a chain from what the command line says: answerers, supervisors, and the key of a hosted LLM.

A key is read from the environment or typed without an echo; it is neither an option nor shown anywhere.
"""

from __future__ import annotations

import getpass
import ipaddress
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twosup_chain.errors import ConfigurationError, MissingExtraError, UnknownOptionError

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from twosup_chain.demo.run import SupervisorSetting
    from twosup_chain.outcomes.price import Price
    from twosup_chain.scoring.learned import LearnedScorer
    from twosup_chain.supervisor import Supervisor

KEY = "OPENAI_API_KEY"
READER, LLAMA = "reader", "llama:"
#: The scorer where none was fitted: the paper's.
DEFAULT_SCORER = "min_token_probability"
#: Scorers that need one of these read log-probabilities.
_LOGPROBS = ("logprobs", "top_logprobs", "features")
#: How many alternatives of each token are asked for: margins need two, and some servers send nothing without any.
_ALTERNATIVES = 5
#: OpenAI's reasoning models take no temperature.
_NO_TEMPERATURE = re.compile(r"o\d")


def local_answerer(spec: str) -> Runnable[Any, Any]:
    """Returns the local model: ``"reader"``, or ``"llama:PATH"`` for a GGUF file.

    Raises:
        ConfigurationError: `spec` is neither.
        MissingExtraError: llama-cpp-python is not installed.
        ModelFileError: There is no such model, or it is not a GGUF file.
    """
    if spec == READER:
        from twosup_chain.reader.reader import ExtractiveReader

        return ExtractiveReader()
    path = spec.removeprefix(LLAMA)
    if path == spec or not path:
        message = f"--local {spec!r} is no local model: pass 'reader' or 'llama:PATH' with the path of a GGUF file"
        raise ConfigurationError(message)
    from twosup_chain.llama.answerer import LlamaCppAnswerer

    return LlamaCppAnswerer(model_path=Path(path).expanduser())


def remote_answerer(model: str, url: str | None, scorer: str) -> Runnable[Any, Any]:
    """Returns the remote model.

    Args:
        model: ``"provider:model"``; with `url`, the name that the server there knows (``"openai:"`` may precede it).
        url: The base URL of an OpenAI-compatible server.
        scorer: The second supervisor's scorer, for which token log-probabilities, or the model's own confidence, are
            asked for where it reads them.

    Raises:
        ConfigurationError: The name or the URL is not one, or there is no key.
        MissingExtraError: langchain-openai is not installed.
    """
    from twosup_chain.answerers.chat import ChatAnswerer
    from twosup_chain.scoring.registry import SCORERS

    known = SCORERS.get(scorer.partition("@")[0])  # a learned one's digest comes after its name
    needs = None if known is None else known.needs
    stated = needs == "stated_confidence"
    name = model.removeprefix("openai:")
    if url is None and name == model:
        return ChatAnswerer(model, stated_confidence=stated)
    if find_spec("langchain_openai") is None:
        raise MissingExtraError(f"--remote {model}", "langchain-openai", "openai")
    options: dict[str, Any] = {} if url is None else {"base_url": _checked(url)}
    options["api_key"] = _key(url)
    if not _NO_TEMPERATURE.match(name):
        options["temperature"] = 0
    if needs in _LOGPROBS:
        options |= {"logprobs": True, "top_logprobs": _ALTERNATIVES}
    return ChatAnswerer(f"openai:{name}", model_kwargs=options, stated_confidence=stated)


def supervisor(role: str, scorer: str | None, threshold: float | None, fitted: SupervisorSetting | None) -> Supervisor:
    """Returns a supervisor, set as the user says, else as fitted on other data.

    Args:
        role: ``"local"`` or ``"remote"``.
        scorer: The scorer's name or a learned one's file, where the user gave one.
        threshold: The threshold, where the user gave one.
        fitted: What was fitted for these models, where anything was.

    Raises:
        UnknownOptionError: The scorer does not exist.
        SupervisorFileError: The file is no learned supervisor.
        ConfigurationError: The threshold is not in [0, 1], or there is none for this scorer.
    """
    from twosup_chain.scoring.registry import SCORERS
    from twosup_chain.supervisor import Supervisor

    name = scorer_of(scorer or (fitted.scorer if fitted else DEFAULT_SCORER), role)
    if isinstance(name, str) and name not in SCORERS:
        raise UnknownOptionError("scorer", name, SCORERS)
    if threshold is not None:
        if not 0.0 <= threshold <= 1.0:
            message = f"--{role}-threshold {threshold}: a threshold is a number in [0, 1], the least trusted score"
            raise ConfigurationError(message)
        return Supervisor(name, threshold=threshold)
    if fitted is not None and name == fitted.scorer:
        return Supervisor(name, threshold=fitted.threshold)
    shown = name if isinstance(name, str) else name.name
    message = (
        f"--{role}-threshold is missing: no threshold was fitted for the scorer {shown!r} with these models; choose "
        "one in [0, 1], the least score to trust (0 trusts every answer, 1 hardly any)"
    )
    raise ConfigurationError(message)


def scorer_of(spec: str, role: str) -> str | LearnedScorer:
    """Returns a scorer's name as it is, and the learned scorer in a file of ``twosup fit-scorer``'s.

    Args:
        spec: The name, or the path of a file; one that ends with ``.json`` is a path.
        role: Whose answers it is to judge, ``"local"`` or ``"remote"``.

    Raises:
        SupervisorFileError: The file is missing, or no learned supervisor.
        ConfigurationError: It was fitted for the other role.
    """
    if not spec.endswith(".json"):
        return spec
    from twosup_chain.scoring.learned import LearnedScorer

    found = LearnedScorer.load(Path(spec).expanduser())
    if found.role != role:
        message = f"--{role}-scorer {spec}: it was fitted on {found.role} answers; fit one with --role {role}"
        raise ConfigurationError(message)
    return found


def price(input: float | None, output: float | None, currency: str) -> Price | None:
    """Returns what the hosted model's tokens cost; ``None`` where the user does not say.

    Raises:
        ConfigurationError: One of the two prices is missing.
    """
    from twosup_chain.outcomes.price import Price

    if input is None and output is None:
        return None
    if input is None or output is None:
        missing = "--price-in" if input is None else "--price-out"
        message = f"{missing} is missing: give the prices of a million input tokens and of a million output tokens"
        raise ConfigurationError(message)
    return Price(input=input, output=output, currency=currency)


def _key(url: str | None) -> str:
    """Returns the key; a typed one goes into this process's environment, where the messages' scrubber finds it.

    Raises:
        ConfigurationError: There is none, and nobody to ask.
    """
    if key := os.environ.get(KEY, "").strip():
        return key
    if url is not None and _is_loopback(url):
        return "none"
    if sys.stdin.isatty():
        os.environ[KEY] = getpass.getpass("Key of the remote model (not shown): ").strip()
        if os.environ[KEY]:
            return os.environ[KEY]
    message = f"the remote model needs a key: set {KEY} in the environment (it is no option, so that no log keeps it)"
    raise ConfigurationError(message)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if good:
        return url
    message = f"--remote-url {url!r} is no address of a server: write it like http://127.0.0.1:8000/v1"
    raise ConfigurationError(message)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
