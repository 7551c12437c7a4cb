"""A hook of mkdocs: the API reference has every public name, a page for each room, without a list of its own."""

from importlib import import_module
from typing import Any

from mkdocs.structure.files import File, Files

import twosup_chain

#: The pages in reading order: what is on them by the module that a name is from, and modules that are shown whole.
PAGES = {
    "Chain and supervisor": ("chain", "supervisor", "schema", "never_escalate"),
    "Models": ("reader", "llama", "answerers"),
    "Scorers": ("scoring", "fitting"),
    "Chat, agent, conversation": ("chat",),
    "Decisions and classes": ("decisions", "classifier"),
    "Calibration": ("calibration", "collection", "outcomes"),
    "Evaluation": ("evaluation",),
    "Server": ("service",),
    "Errors": ("errors",),
    "Testing": ("testing",),
}
#: Rooms whose own `__all__` is public too, and modules that are shown whole.
ROOMS = ("calibration", "collection", "decisions", "classifier", "service")
WHOLE = (
    "errors",
    "testing",
    "never_escalate",
    "decisions.model",
    "evaluation.evaluators",
    "service.callback",
    "service.gate",
    "service.log",
    "service.observer",
    "service.ports",
    "service.ray",
    "service.answers",
)


def public() -> dict[str, Any]:
    """Returns every public thing by its full name: those of the package, and those of the rooms that list some."""
    names = {*twosup_chain.__all__, *" ".join(twosup_chain._MODULES.values()).split()} - {"__version__"}  # noqa: SLF001
    found = [getattr(twosup_chain, name) for name in sorted(names)]
    for room in ROOMS:
        try:
            module = import_module(f"twosup_chain.{room}")
        except ModuleNotFoundError:
            continue
        found += [getattr(module, name) for name in getattr(module, "__all__", ())]
    return {f"{thing.__module__}.{thing.__qualname__}": thing for thing in found if hasattr(thing, "__qualname__")}


def pages() -> dict[str, str]:
    """Returns the reference's pages by title, as Markdown."""
    left = {name: name.split(".")[1] for name in public()}
    texts = {}
    for title, rooms in PAGES.items():
        whole = [f"twosup_chain.{module}" for module in WHOLE if module.split(".")[0] in rooms]
        names = [name for room in rooms for name in left if left[name] == room]
        shown = [name for name in names if name.rpartition(".")[0] not in whole] + whole
        if shown:
            texts[title] = f"# {title}\n\n" + "\n\n".join(f"::: {name}" for name in shown) + "\n"
        left = {name: room for name, room in left.items() if room not in rooms}
    if left:
        texts["More"] = "# More\n\n" + "\n\n".join(f"::: {name}" for name in left) + "\n"
    return texts


def on_config(config: Any) -> Any:
    """Adds the pages to what the site leads to."""
    config.nav.append({"Reference": [{title: _path(title)} for title in pages()]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages."""
    for title, text in pages().items():
        files.append(File.generated(config, _path(title), content=text))
    return files


def _path(title: str) -> str:
    return f"reference/{title.lower().replace(',', '').replace(' ', '-')}.md"
