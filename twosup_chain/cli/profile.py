"""The profile: what the options leave open is taken from a route of ``twosup.toml``, the file that a server reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from twosup_chain.service.config import ServiceConfig

ROLES = ("local", "remote")
#: What a profile says of its hosted model and of no other, and of whom to trust without a calibration.
_OF_THE_REMOTE = ("remote_url", "remote_key", "price", "max_tokens")
_OF_TRUST = tuple(f"{role}_{what}" for role in ROLES for what in ("scorer", "threshold", "missing"))
#: Where ``twosup init`` writes it, and where it is looked for.
PROFILE = Path("twosup.toml")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Where that comes from which no option says.

    Args:
        config: A file as ``twosup init`` writes it and ``twosup serve`` reads it: what no option says is taken from one
            of its routes. By default ``twosup.toml`` in the working folder, where there is one.
        route: The route's name; by default the first.
    """

    panel: ClassVar[str] = "Profile"
    config: Path | None = None
    route: str | None = None

    def read(self) -> Found:
        """Returns the route; one that says nothing where there is no file."""
        if self.config is None and not PROFILE.is_file():
            if self.route is not None:
                raise ConfigurationError(f"--route {self.route}: there is no {PROFILE} here; name the file (--config)")
            return Found("options", {}, None, None)
        from twosup_chain.service.config import load

        path = self.config or PROFILE
        config = load(path)
        name = self.route or next(iter(config.routes))
        if name not in config.routes:
            raise ConfigurationError(f"--route {name!r} is none of {path}'s: {', '.join(config.routes)}")
        return Found(name, config.routes[name].model_dump(exclude_unset=True), config, path)


@dataclass(frozen=True)
class Found:
    """A route of a profile: its name, the fields that the file says, and the file itself, where there is one."""

    name: str
    fields: dict[str, Any]
    config: ServiceConfig | None
    path: Path | None

    def under(self, *options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns a route's fields, and those of them that options say; the others are the profile's."""
        given = {name: value for one in options for name, value in asdict(one).items() if value is not None}
        dropped = {*(_OF_THE_REMOTE if "remote" in given else ()), *(_OF_TRUST if "calibration" in given else ())}
        return {name: value for name, value in self.fields.items() if name not in dropped} | given, given

    def __str__(self) -> str:
        return "" if self.path is None else f"{self.path} (routes.{self.name})"
