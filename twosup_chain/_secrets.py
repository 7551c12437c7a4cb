"""Keys are taken out of a text before anybody sees it or a file keeps it."""

from __future__ import annotations

import os
import re

_SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)
_SECRET_SHAPES = re.compile(r"\b(?:sk|pk|rk|gsk|xai)-[\w*.-]{5,}[\w*]|(?<=://)[^/@\s]+(?=@)|(?<=Bearer )\S+")
#: Shorter values of the environment are too common to be taken out of a text.
_LEAST_SECRET = 8


def scrub(text: str, *secrets: str) -> str:
    """Returns the text without keys: those given, those of the environment, and whatever looks like one."""
    known = [value for name, value in os.environ.items() if _SECRET_NAMES.search(name) and len(value) >= _LEAST_SECRET]
    for secret in sorted({*known, *filter(None, secrets)}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _SECRET_SHAPES.sub("***", text)
