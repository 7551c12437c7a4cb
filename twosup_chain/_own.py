"""The user's own parts by what the command line calls them: ``module:name``, or ``file.py:name``."""

import hashlib
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from twosup_chain.errors import ConfigurationError

_PYTHON = ".py"


def load_own(spec: str, what: str = "the part") -> Any:
    """Returns an object of the user's own code, ``"module:name"`` or ``"path/to/file.py:name"``, which is run for it.

    The name may have dots. A file is run once, however many of its names are asked for. `what` it is to be, or the
    option that names it, stands in the `ConfigurationError` where it cannot be had.
    """
    where, _, name = spec.rpartition(":")
    if not where or not all(part.isidentifier() for part in name.split(".")):
        message = f"{what} {spec!r} names nothing of your own: write 'module:name', or 'path/to/file.py:name'"
        raise ConfigurationError(message)
    try:
        found: Any = _file(Path(where).expanduser()) if where.endswith(_PYTHON) else import_module(where)
    except Exception as error:
        cure = (
            "" if where.endswith(_PYTHON) else f"; a file is named by its path, '{where.replace('.', '/')}.py:{name}'"
        )
        message = f"{what} {spec!r}: {where} cannot be imported: {type(error).__name__}: {error}{cure}"
        raise ConfigurationError(message) from error
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            known = sorted(key for key in vars(found) if not key.startswith("_")) if hasattr(found, "__dict__") else []
            message = f"{what} {spec!r}: {where} has no {name!r}; it has {', '.join(known) or 'nothing'}"
            raise ConfigurationError(message) from None
    return found


def _file(path: Path) -> ModuleType:
    """Returns the module in a file; what it defines finds its module under a name that stands for the path."""
    path = path.resolve()
    name = f"{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101  the suffix is Python's
    assert spec.loader is not None  # noqa: S101
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
