"""The parts of a chain by name, as the command line and a server's file say them: answerers, supervisors, a key.

A key is read from the environment or typed without an echo; it is neither an option nor shown anywhere.
"""

from __future__ import annotations

import getpass
import inspect
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twosup_chain.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from twosup_chain.calibration.record import CalibratedSupervisor
    from twosup_chain.scoring.scorer import Needs, Scorer
    from twosup_chain.supervisor import Supervisor

KEY = "OPENAI_API_KEY"
#: The variables that LangChain's clients take their providers' keys from; empty where there is no key.
KEYS = {
    "openai": KEY,
    "anthropic": "ANTHROPIC_API_KEY",
    "azure_openai": "AZURE_OPENAI_API_KEY",
    "cohere": "COHERE_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
    "google_genai": "GOOGLE_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistralai": "MISTRAL_API_KEY",
    "nvidia": "NVIDIA_API_KEY",
    "ollama": "",
    "openrouter": "OPENROUTER_API_KEY",
    "together": "TOGETHER_API_KEY",
    "xai": "XAI_API_KEY",
}
READER, LLAMA, CLASSIFIER = "reader", "llama:", "classifier:"
_READER_MODEL = f"{READER}:"
#: The scorer where none was fitted: the paper's.
DEFAULT_SCORER = "min_token_probability"
#: ``module:name`` or ``file.py:name``, as the user's own parts are written.
_OWN = re.compile(r"(?P<module>[\w.]+|.*\.py):[^\W\d][\w.]*")
#: What scorers need that the tokens' log-probabilities are asked for.
_LOGPROBS = ("logprobs", "top_logprobs", "features", "probabilities")
#: How many alternatives of each token are asked for: margins need two, and some servers send nothing without any.
_ALTERNATIVES = 5
#: OpenAI's reasoning models take no temperature.
_NO_TEMPERATURE = re.compile(r"o\d")


def local_answerer(spec: str, what: str = "--local") -> Runnable[Any, Any]:
    """Returns the local model of a chain.

    It is ``"reader"``, ``"reader:MODEL"`` with ``base`` or a folder, ``"llama:PATH"`` for a GGUF file,
    ``"classifier:FOLDER"`` for decisions, or an answerer of the user's own; `what` is the option that names it, for
    errors.
    """
    model = "small" if spec == READER else spec.removeprefix(_READER_MODEL)
    if model not in ("", spec):
        from twosup_chain.reader.reader import ExtractiveReader

        return ExtractiveReader(model=model)
    path = spec.removeprefix(LLAMA)
    if path != spec and path:
        from twosup_chain.llama.answerer import LlamaCppAnswerer

        return LlamaCppAnswerer(model_path=Path(path).expanduser())
    folder = spec.removeprefix(CLASSIFIER)
    if folder not in ("", spec):
        from twosup_chain.answerers.decision import DecisionAnswerer
        from twosup_chain.classifier.classifier import TextClassifier

        return DecisionAnswerer(TextClassifier(model=str(Path(folder).expanduser())))
    if path == folder == spec and _OWN.fullmatch(spec):
        return own_answerer(spec, what)
    raise ConfigurationError(
        f"{what} {spec!r} is no local model: pass 'reader', 'reader:base' or 'llama:PATH' with the path of a GGUF "
        "file, for decisions 'classifier:FOLDER', or an answerer of your own as 'module:name' or 'file.py:name'"
    )


def chatting(answerer: Runnable[Any, Any]) -> Any:
    """Returns the chat model of an answerer that has one, with what it has in memory already; else the answerer."""
    from twosup_chain.answerers.chat import ChatAnswerer
    from twosup_chain.llama.answerer import LlamaCppAnswerer

    if isinstance(answerer, ChatAnswerer):
        return answerer.model
    if not isinstance(answerer, LlamaCppAnswerer):
        return answerer
    from twosup_chain.llama.chat import LlamaCppChat

    same = ("model_path", "n_ctx", "n_batch", "n_threads", "n_gpu_layers", "verbose", "engine")
    return LlamaCppChat(**{name: getattr(answerer, name) for name in same})


def conversing(answerer: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """Returns an answerer that asks its chat model as a conversation does, if it has one; else itself.

    The passages are the system's message, the question is the user's, and nothing else is said.
    """
    model: Runnable[Any, Any] = chatting(answerer)
    if model is answerer:
        return model
    from langchain_core.prompts import ChatPromptTemplate

    from twosup_chain.answerers.chat import ChatAnswerer

    prompt = ChatPromptTemplate([("system", "{context}"), ("human", "{question}")])
    if isinstance(answerer, ChatAnswerer):
        return answerer.model_copy(update={"prompt": prompt})
    return ChatAnswerer(model, prompt=prompt)


def remote_answerer(
    model: str, url: str | None, needs: Needs | None, *, what: str = "--remote", key: str = KEY, **more: Any
) -> Runnable[Any, Any]:
    """Returns the remote model: ``"provider:model"``, or an answerer of the user's own.

    With `url`, the base of an OpenAI-compatible server, it is the name that the server knows, which ``"openai:"`` may
    precede. What the second supervisor's scorer `needs` (token log-probabilities, stated confidence) is asked for.
    `what` is the option that names it, for errors, `key` the variable of the environment that holds its key, and `more`
    what a provider's model is built with besides.
    """
    if url is None and _is_own(model):
        return own_answerer(model, what)
    from twosup_chain.answerers.chat import ChatAnswerer

    name, stated = model.removeprefix("openai:"), needs == "stated_confidence"
    if url is None and name == model:
        if key not in (KEY, KEYS.get(model.partition(":")[0])):  # which its client reads by itself
            more["api_key"] = _key(url, key)
        return ChatAnswerer(model, model_kwargs=more, stated_confidence=stated)
    if find_spec("langchain_openai") is None:
        raise MissingExtraError(f"{what} {model}", "langchain-openai", "openai")
    options: dict[str, Any] = more if url is None else {**more, "base_url": _checked(url, what)}
    options["api_key"] = _key(url, key)
    if not _NO_TEMPERATURE.match(name):
        options["temperature"] = 0
    if needs in _LOGPROBS:
        options |= {"logprobs": True, "top_logprobs": _ALTERNATIVES}
    return ChatAnswerer(f"openai:{name}", model_kwargs=options, stated_confidence=stated)


def key_variable(model: str, url: str | None) -> str | None:
    """Returns the variable that the remote model's key is in: empty if it needs none, ``None`` if that is not known.

    Raises:
        ConfigurationError: It is neither ``"provider:model"`` nor an answerer of the user's own.
    """
    if url is not None:
        return KEY
    if _is_own(model):
        return ""
    from twosup_chain.answerers.named_chat_model import NamedChatModel

    return KEYS.get(NamedChatModel(model).model_name.partition(":")[0])


def _is_own(spec: str) -> bool:
    """Whether `spec` names the user's own code, not a model of a provider: LangChain reaches that as langchain_NAME."""
    found = _OWN.fullmatch(spec)
    if found is None or spec.startswith("openai:"):
        return False
    module = found["module"]
    _look_here()
    return "." in module or (find_spec(f"langchain_{module}") is None and find_spec(module) is not None)


def own_answerer(spec: str, what: str) -> Runnable[Any, Any]:
    """Returns an answerer of the user's own; a class, or a function that takes nothing, is called for it first."""
    from twosup_chain.answerers.part import as_answerer

    found = own(spec, what)
    if inspect.isclass(found) or (inspect.isroutine(found) and not inspect.signature(found).parameters):
        found = found()
    return as_answerer(found, role=f"{what} {spec}")  # type: ignore[return-value]


def own(spec: str, what: str) -> Any:
    """Returns an object of the user's own code, which may lie in the working folder; `what` is its option."""
    from twosup_chain._own import load_own

    _look_here()
    return load_own(spec, what)


def _look_here() -> None:
    """Lets modules in the working folder be found, after all others."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)


def supervisor(
    role: str, scorer: str | None, threshold: float | None, fitted: CalibratedSupervisor | None
) -> Supervisor:
    """Returns a supervisor, set as the user says, else as fitted on other data for these models."""
    from twosup_chain.supervisor import Supervisor

    found = scorer_of(scorer or (fitted and fitted.scorer) or DEFAULT_SCORER, role)
    if threshold is not None:
        if not 0.0 <= threshold <= 1.0:
            raise ConfigurationError(
                f"--{role}-threshold {threshold}: a threshold is a number in [0, 1], the least trusted score"
            )
        return Supervisor(found, threshold=threshold)
    if fitted is not None and scorer in (None, fitted.scorer):
        return Supervisor(found, threshold=fitted.threshold, no_answer_threshold=fitted.no_answer_threshold)
    raise ConfigurationError(
        f"--{role}-threshold is missing: no threshold was fitted for the scorer {found.name!r} with these models; "
        "choose one in [0, 1], the least score to trust (0 trusts every answer, 1 hardly any)"
    )


def scorer_of(spec: str, role: str) -> Scorer:
    """Returns a scorer by its name, in a file of ``twosup fit-scorer``'s (``….json``), or of the user's own."""
    from twosup_chain.scoring.registry import resolve

    if not spec.endswith(".json"):
        _look_here()
        return resolve(spec)
    from twosup_chain.scoring.learned import LearnedScorer

    learned = LearnedScorer.load(Path(spec).expanduser())
    if learned.role != role:
        raise ConfigurationError(
            f"--{role}-scorer {spec}: it was fitted on {learned.role} answers; fit one with --role {role}"
        )
    return resolve(learned)


def recorded_scorer(spec: str, role: str) -> str | Scorer:
    """Returns a scorer as records are read by it: a plain name stays one, since records may know more names."""
    return scorer_of(spec, role) if is_own_scorer(spec) else spec


def is_own_scorer(spec: object) -> bool:
    """Whether a scorer is given by file or by the user's own code, not by the name of a registered one."""
    return isinstance(spec, str) and (spec.endswith(".json") or _OWN.fullmatch(spec) is not None)


def own_target(spec: str) -> Any:
    """Returns a target of the user's own, or its class where no limit is given.

    ``file.py:name=limit`` or ``module:name=limit`` names a class or function that takes the limit; without ``=limit``
    it is a target, a function that returns one, or a class whose limit a calibration knows.
    """
    from twosup_chain.calibration.targets import Target

    name, _, limit = spec.partition("=")
    found = own(name, "--target")
    try:
        if limit:
            found = found(float(limit))
        elif inspect.isroutine(found):
            found = found()
    except ConfigurationError:
        raise
    except (TypeError, ValueError):
        raise ConfigurationError(f"--target {spec!r}: {limit!r} is no limit of it: write {name}=0.05") from None
    if isinstance(found, Target) or (inspect.isclass(found) and issubclass(found, Target)):
        return found
    raise ConfigurationError(
        f"--target {spec!r} is no target: write a subclass of twosup_chain.calibration.targets.Target"
    )


def unregistered(*scorers: str | Scorer) -> dict[str, Scorer]:
    """Returns, by name, the scorers that a calibration cannot find by itself: those that are not just names."""
    return {scorer.name: scorer for scorer in scorers if not isinstance(scorer, str)}


def _key(url: str | None, name: str) -> str:
    """Returns the key; a typed one goes into this process's environment, where the messages' scrubber finds it."""
    if key := os.environ.get(name, "").strip():
        return key
    if url is not None and _is_loopback(url):
        return "none"
    if sys.stdin is not None and sys.stdin.isatty():
        os.environ[name] = getpass.getpass("Key of the remote model (not shown): ").strip()
        if os.environ[name]:
            return os.environ[name]
    raise ConfigurationError(
        f"the remote model needs a key: set {name} in the environment (it stands nowhere else, so that no log keeps it)"
    )


def _checked(url: str, what: str) -> str:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if good:
        return url
    raise ConfigurationError(f"{what}-url {url!r} is no address of a server: write it like http://127.0.0.1:8000/v1")


def _is_loopback(url: str) -> bool:
    import ipaddress
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
