"""How a part takes its options: keyword-only, checked, and with errors that say what to write instead.

`Options` is mixed into every pydantic class whose constructor a user calls. It leaves the checking itself to pydantic
and only turns its findings into this package's errors.
"""

import math
from inspect import Signature
from types import SimpleNamespace
from typing import Any, ClassVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError

from twosup_chain.errors import ConfigurationError, InputError, TwosupError, UnknownOptionError

#: The threshold that no score reaches: nothing is trusted.
NEVER = math.nextafter(1.0, 2.0)


class _Short:
    """A signature whose types are without what pydantic adds to them; it is made when somebody looks at it."""

    def __init__(self, full: Any) -> None:
        self._full = full

    def __get__(self, instance: object, owner: type) -> Signature:
        full: Signature = self._full.__get__(instance, owner)
        types = {name: one.annotation for name, one in full.parameters.items() if not isinstance(one.annotation, str)}
        plain = get_type_hints(SimpleNamespace(__annotations__=types))
        return full.replace(
            parameters=[
                one.replace(annotation=plain.get(name, one.annotation)) for name, one in full.parameters.items()
            ]
        )


class Options(BaseModel):
    """Keyword-only options: an unknown one lists the good ones, a bad one names field, value and cure.

    It stands after `RunnableSerializable` among the bases, whose "ignore unknown options" it overrules.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    error_class: ClassVar[type[TwosupError]] = ConfigurationError

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Shortens the signature that `help` and editors show: what checks an option is no part of its type."""
        super().__pydantic_init_subclass__(**options)
        if "__signature__" in vars(cls):
            cls.__signature__ = _Short(vars(cls)["__signature__"])  # type: ignore[assignment] # as pydantic's own

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ValidationError as error:
            raise _translate(type(self), error) from None


class Record(Options):
    """A frozen record: what a call was given, or what it found; its fields may also be given by position."""

    model_config = ConfigDict(frozen=True)
    error_class = InputError

    def __init__(self, *values: Any, **fields: Any) -> None:
        if values:
            names = list(type(self).model_fields)
            if len(values) > len(names):
                message = f"{type(self).__name__} takes {len(names)} fields ({', '.join(names)}), not {len(values)}"
                raise InputError(message)
            fields.update(zip(names, values, strict=False))
        super().__init__(**fields)


def _translate(cls: type[Options], error: ValidationError) -> TwosupError:
    """Returns pydantic's findings as one error: owner, field, the value given, what is wrong with it."""
    found = error.errors()
    for item in found:
        if item["type"] == "extra_forbidden" and len(item["loc"]) == 1:
            return UnknownOptionError(f"option of {cls.__name__}", str(item["loc"][0]), cls.model_fields)
    own = [cause for item in found if isinstance(cause := item.get("ctx", {}).get("error"), TwosupError)]
    if len(own) == 1:
        return own[0]
    if own:
        return cls.error_class("; ".join(str(cause) for cause in own))
    lines = []
    for item in found:
        field = ".".join(str(part) for part in item["loc"]) or "options"
        if item["type"] == "missing":
            lines.append(f"{cls.__name__}: {field!r} is missing; pass {field}=…")
        else:
            message = item["msg"].removeprefix("Value error, ")
            lines.append(f"{cls.__name__}: {field}={shorten(item['input'])}: {message}")
    return cls.error_class("; ".join(lines))


def told(error: BaseException) -> str:
    """Returns another library's error as one line.

    Of pydantic's it has what is wrong and where, not the values, among which may be a key.
    """
    if not isinstance(error, ValidationError):
        return f"{type(error).__name__}: {error}"
    lines = []
    for item in error.errors(include_input=False, include_context=False, include_url=False):
        field, message = ".".join(str(part) for part in item["loc"]), item["msg"].removeprefix("Value error, ")
        lines.append(f"{field}: {message}" if field else message)
    return " ".join("; ".join(dict.fromkeys(lines)).split())


def shorten(value: object, limit: int = 80) -> str:
    """Returns the value's repr, cut to `limit` characters, for error messages."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - nested too deeply, or a repr that fails: the message matters more
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else text[: limit - 1] + "…"
