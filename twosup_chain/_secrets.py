"""Keys are taken out of a text before anybody sees it or a file keeps it: by their looks, and the environment's."""

import os
import re

_SECRET_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)
_SHAPES = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|pplx|fw|hf|r8|nvapi|ghp|lsv2|tgp|jina|csk|key)[-_](?=[\w*.-]*[\d*])[\w*.-]{5,}[\w*]"
    r"|\b[sprg]{1,2}k-[\w*.-]{5,}[\w*]"
    r"|\bAIza[\w-]{20,}|\bya29\.[\w.-]{10,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\beyJ[\w-]{8,}\.[\w-]{8,}[\w.-]*"
    r"|\b[0-9a-fA-F]{32}\b|\b[A-Za-z0-9]{20,}JQQJ99[A-Za-z0-9]{10,}"
    r"|(?<=://)[^/@\s]+(?=@)|(?<=Bearer )\S+|(?<=Basic )[\w+/=]{8,}|(?<=[?&]key=)[^&\s]+"
)
#: Whatever stands behind these words, with a digit in it.
_CALLED_SO = re.compile(r"(api[ _-]?key[^:=\n]{0,20}[:=]\s*[\"']?)(?=\S*\d)[^\s\"',;]{7,}[^\s\"',;.]", re.IGNORECASE)
#: Shorter values are too common to be taken out of a text.
LEAST_SECRET = 8


def scrub(text: str, *secrets: str) -> str:
    """Returns the text without keys: those given, those of the environment, and whatever looks like one."""
    known = [value for name, value in os.environ.items() if _SECRET_NAMES.search(name)]
    for secret in sorted({*known, *secrets}, key=len, reverse=True):
        if len(secret) >= LEAST_SECRET:
            text = text.replace(secret, "***")
    return _SHAPES.sub("***", _CALLED_SO.sub(r"\1***", text))
