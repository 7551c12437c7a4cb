"""The report as one HTML page, and the folder that holds it: ``report.html.jinja`` is its words, `view` its values.

Whatever a record brings is escaped, and a policy in the page's head lets nothing be loaded from anywhere, and no script
run but ``explorer.js``.
"""

import json
from base64 import b64encode
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from twosup_chain._atomic import write_folder
from twosup_chain.evaluation import words
from twosup_chain.evaluation.drawing import svg
from twosup_chain.evaluation.pictures import pictures
from twosup_chain.evaluation.report import FIGURES, Report
from twosup_chain.evaluation.view import view

#: The page that `save` writes.
PAGE = "report.html"

#: Control characters, which HTML does not know, and lone surrogates, which no encoding does.
_UNKNOWN = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}")
_UNKNOWN |= {ord(space): " " for space in "\t\n\r"}


def as_html(report: Report) -> str:
    """Returns the report as an HTML document that needs nothing else: no script, no font, no picture of elsewhere."""
    drawn = [(svg(picture.figure), picture.caption) for picture in pictures(report)]
    template = environment().get_template(f"{PAGE}.jinja")
    script = resources.files(__package__).joinpath("explorer.js").read_text(encoding="utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return template.render(
        view(report),
        pictures=drawn,
        words=words,
        script=script,
        script_digest=f"sha256-{digest}",
        explorer_data=_inert(report.explored),
    )


def save(report: Report, folder: str | Path) -> Path:
    """Writes ``report.html`` and ``figures.json`` into a folder, made if it is not there; returns the page's path."""
    figures = json.dumps(report.as_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    figures = figures.encode(errors="replace").decode()  # a lone surrogate has no code
    write_folder(folder, {FIGURES: figures, PAGE: as_html(report)})
    return Path(folder) / PAGE


def environment(room: str = "twosup_chain.evaluation") -> Environment:
    """Returns how templates are filled in: what is no markup is escaped, and a name that is not known is an error.

    The templates of another `room` find those of this one, its style among them, by their names.
    """
    return Environment(
        loader=ChoiceLoader([PackageLoader(room, "."), PackageLoader("twosup_chain.evaluation", ".")]),
        autoescape=True,
        finalize=_readable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _inert(values: Any) -> str:
    """Returns JSON that cannot end the element that holds it."""
    text = json.dumps(values, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _readable(value: Any) -> Any:
    """Returns what an expression gave, without the characters that no page can hold."""
    return value if hasattr(value, "__html__") else str(value).translate(_UNKNOWN)
