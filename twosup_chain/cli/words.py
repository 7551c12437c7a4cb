"""The command line's own words: what the package says in Python's spelling (``looks=…``) is said as its option."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Names of Python that options have another word for.
_ALIASES = {
    "deadline": ("timeout",),
    "correct": ("f1",),
    "price": ("price_in", "price_out"),
    "input": ("price_in",),
    "output": ("price_out",),
    "local_supervisor": ("local_scorer",),
    "remote_supervisor": ("remote_scorer",),
    "targets": ("target",),
}
_VALUE = r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|\{[^}]*\}|\([^()]*\)|…|[\w.+\-]*[\w+\-]"
_NAME = r"[a-z][a-z0-9_]*"
_GIVEN = re.compile(rf"(?<![\w-])({_NAME})=({_VALUE})")
#: A call, like ``Price(…, context=…)``, the option that it is the value of, and what leads to it.
_LEAD = r"[;,] or (?:say what stands for it|state the score to use without them) \(|[;,] or |\s\(|"
_CALL = re.compile(rf"(?P<lead>{_LEAD})(?P<name>{_NAME}=)?\b[A-Z]\w*\((?P<inner>[^()]*)\)(?P<rest>[^()]*\))?")
#: What is said of Python alone, and what the command line says instead.
_PHRASES = (
    (
        re.compile(r"(?:pass it as|pass the scorer that was fitted,) scorers=\{.*?\}"),
        "pass its file, or your own scorer, as --local-scorer or --remote-scorer",
    ),
    (re.compile(r"fit_scorer\((?:…, )?role='?(\w+)'?\)"), r"twosup fit-scorer --role \1"),
    (re.compile(r"\brole='?(\w+)'?"), r"--role \1"),
    (re.compile(r", or remote_cost=…"), ""),
    (re.compile(r"\bmodel=(?=.* is no 'provider:model')"), "--remote "),
    (
        re.compile(r"(is no 'provider:model': .*), or pass a chat model"),
        r"\1, or your own as module:name or file.py:name",
    ),
    (re.compile(r"pass 'exact_match', or \('f1', floor\) with a floor in"), "pass a number in"),
    (re.compile(r"\('f1', ([\d.]+)\)"), r"\1"),
    (re.compile(r"\bNone for no limit"), "0 for no limit"),
    (re.compile(r"\bNone for no guarantee"), "--plug-in for no guarantee"),
)
#: An aside that tells of Python alone.
_ASIDE = re.compile(rf" \([^()]*(?<![\w-]){_NAME}=[\w…'\"][^()]*\)")
_ROLE = re.compile(r"\b(local|remote)_supervisor\b(?!=)")
#: What names no option by itself, but is one: the words of a server's file.
_PLACE = re.compile(r"^((?:routes\.\S+: )?)(local|remote)(-url)?(?= (?:['\"]|\S+:\S))")


def spoken(text: str, flags: Mapping[str, str]) -> str:
    """Returns what the package says, with the options of a command in place of Python's keywords.

    Args:
        text: The message.
        flags: The command's options by the names of their fields: ``{"looks": "--looks"}``.
    """
    for phrase, words in _PHRASES:
        text = phrase.sub(words, text)
    text = _CALL.sub(lambda call: _called(call, flags), text)
    text = _GIVEN.sub(lambda given: _option(given[1], given[2], flags) or given[0], text)
    text = _ASIDE.sub("", text)
    text = _ROLE.sub(lambda role: flags.get(f"{role[1]}_scorer", role[0]), text)
    return _PLACE.sub(r"\1--\2\3", text)


def _called(call: re.Match[str], flags: Mapping[str, str]) -> str:
    """Returns a call as the options that stand for it; nothing where none does."""
    inner = [_option(name, value, flags) for name, value in _GIVEN.findall(call["inner"])]
    own = _option(call["name"].rstrip("="), "…", flags) if call["name"] else ""
    options = list(filter(None, inner)) or ([own] if own else [])
    aside = call["lead"].endswith("(")  # the call is all that the parenthesis is about
    if not options:
        closed = "" if aside else (call["rest"] or "")
        return closed if call["lead"] else call[0]
    return f"{call['lead']}{' and '.join(options)}{call['rest'] or ''}"


def _option(name: str, value: str, flags: Mapping[str, str]) -> str:
    """Returns an option, with its value if it says one; nothing where the command has no such option."""
    found = [flags[alias] for alias in _ALIASES.get(name, (name,)) if alias in flags]
    said = "" if value in ("…", "[…]", "True") or len(found) > 1 else f" {value.strip(chr(39))}"
    return " and ".join(found) + said if found else ""
