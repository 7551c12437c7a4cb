"""Which replies say, in ordinary words, that there is no answer.

Besides the word that the prompts offer, models have many ways to say it: that it cannot be answered, that the passage
does not say, that something is not given there, that they do not know. What is looked for are these few ways, at the
start of a reply and up to its end or a reason; an answer that merely holds such words is an answer.
"""

import re
from collections.abc import Iterable

from twosup_chain.text.finder import stands_in

#: The reply that the prompts offer for "the context does not hold the answer".
NO_ANSWER = "unanswerable"

#: How much of a reply is looked at, in characters.
_BEGINNING = 400
_NEW_SENTENCE = re.compile(r"\n\s*\n|\n(?=\W*[A-Z])")
_MARKS = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "`": None, "*": None, "_": " ", "#": None, ">": None})

_BE = r"(?:is|are|was|were|be|seems?|appears?|remains?)"
_BE_NOT = (
    rf"(?:{_BE}\s+(?:simply\s+|also\s+)?(?:not|never)|(?:is|are|was|were)n't|'s\s+not|has\s+not\s+been|hasn't\s+been)"
)
_CAN_BE = rf"(?:(?:{_BE}|can\s+be|could\s+be)\s+)?"
_DO_NOT = r"(?:do(?:es)?|did)(?:\s+not|n't)"
_CANNOT = r"(?:can(?:\s*not|'t)|could(?:\s+not|n't)|(?:(?:am|is|was|'m)\s+)?(?:not\s+able|unable)\s+to)"
_KIND = (
    r"(?:passage|text|context|document|article|paragraph|information|excerpt|source|material|snippet|extract|"
    r"description|content|story|page|section)s?"
)
_THE = r"(?:the|this|that|these|those|your|any|any\s+of\s+the|either)"
_SOURCE = rf"{_THE}\s+(?:[a-z]+\s+){{0,2}}{_KIND}(?:\s+(?:itself|provided|given|above|supplied|here|alone|at\s+hand))?"
_WHERE = (
    rf"(?:(?:anywhere|explicitly)\s+)?(?:in|by|from|within|on|with|using|based\s+on|according\s+to|given)\s+"
    rf"(?:{_SOURCE}|(?:passage|text|context|document)s?\b)"
)
_ASKED = (
    r"(?:it|this|that|(?:(?:the|this|that|your|such|an?|any|no)\s+)?(?:(?:correct|exact|specific|precise|requested|"
    r"relevant|required|right)\s+)?(?:question|answer|information|info|detail)s?(?:\s+(?:to|for|about)\s[^.,;:]{1,80}?)?)"
)
_GIVEN = (
    r"(?:(?:explicitly|directly|clearly|specifically|actually|even)\s+)*(?:mentioned|stated|specified|provided|given|"
    r"found|answered|available|contained|included|present|listed|discussed|described|named|indicated|disclosed|covered|"
    r"addressed|revealed|shown|recorded|known|there)"
)
_SAY = (
    r"(?:mention|say|state|specify|provide|contain|give|tell|hold|include|indicate|answer|name|discuss|describe|cover|"
    r"address|reveal|explain|list|offer|disclose|have|talk|speak|refer|identify|note|supply|clarify|appear\s+to)"
)
_SAYS = rf"(?:{_SAY}s?|has|addresses|discloses|says)"
_FIND = (
    r"(?:answer|find|determine|locate|identify|provide|give|have|be\s+(?:sure|certain)|infer|deduce|"
    r"establish|ascertain|work\s+out)"
)
_FOUND = r"(?:answered|determined|found|inferred|deduced|established|ascertained|known|identified|told|said|located)"
_TALK = r"(?:mention|information|info|answer|reference|indication|detail)s?"
_DETAIL = r"(?:exact\s+)?(?:date|year|time|name|number|figure|amount|price|cost|place|location|reason|age)s?"
_JUST = r"(?:(?:actually|explicitly|directly|specifically|clearly|ever|even)\s+)*"
# what may follow: nothing, a reason after a stop, or one that a word joins
_REASON = (
    r"(?:\s*[.,:;!?(—–-].*|\s+(?:based|from|given|with|in|by|because|since|as|according|here|to|on|at|about|for|"
    r"anywhere|using|within|explicitly|directly)\b.*)?"
)
_REASON_OR_WHAT = (
    rf"(?:\s+(?:the|this|that|it|any|who|whom|whose|what|when|where|which|whether|why|how(?!\s+to)|if)\b.*|{_REASON})"
)
_OPENING = (
    r"(?:(?:i\s+am|i'm|we\s+are|we're)\s+(?:so\s+|very\s+|really\s+)?(?:sorry|afraid)(?:\s+that)?|sorry|unfortunately|"
    r"regrettably|(?:my\s+)?apologies|i\s+apologi[sz]e|however|but|as\s+an\s+ai[^,]{0,40}|no)?[\s.,:;!–—-]*(?:but\s+)?"
    rf"(?:{_WHERE},?\s+)?"
)
_WAYS = (
    rf"un-?answerable{_REASON}",
    rf"{_ASKED}\s*(?:{_BE}|'s)\s+(?:un-?answerable|(?:im|not\s+)possible\s+to\b.*|unclear|unknown\s+{_WHERE}){_REASON}",
    rf"{_ASKED}\s+{_BE_NOT}\s+clear\s+(?:from|in|who|what|when|where|which|whether|why|how)\b.*",
    rf"(?:{_ASKED}\s+)?(?:{_CANNOT}\s+be|{_BE_NOT}\s+(?:to\s+be)?)\s*{_FOUND}{_REASON}",
    rf"(?:{_ASKED}(?:\s+|(?='s)))?(?:{_BE_NOT}|not)\s+(?:something\s+(?:that\s+)?{_SOURCE}\b.*|{_GIVEN}|answerable|possible\s+to\b.*|(?:to\s+be\s+)?{_WHERE}.*){_REASON}",
    rf"[^.;:]{{1,120}}?\s(?:{_BE_NOT}|{_CANNOT}\s+be)\s+(?:{_GIVEN}|{_FOUND})\s+(?:anywhere\s+)?{_WHERE}.*",
    rf"{_SOURCE}\s+(?:[^.;:]{{1,160}}?\s)?{_DO_NOT}\s+{_JUST}{_SAY}\b.*",
    rf"it\s+does(?:\s+not|n't)\s+{_JUST}(?:mention|say|state|specify|tell|indicate){_REASON_OR_WHAT}",
    rf"{_SOURCE}\s+(?:fails\s+to\s+{_SAY}|never\s+{_SAYS}|makes\s+no\s+{_TALK})\b.*",
    rf"{_SOURCE}\s+{_SAYS}\s+no(?:thing|\s+(?:\w+\s+)?{_TALK}|\s+{_DETAIL})\b.*",
    rf"{_SOURCE}\s+(?:lack|omit)s?\s+{_ASKED}{_REASON}",
    rf"(?:who|what|when|where|which|why|how|whether)\s[^.;:]{{1,120}}?\s{_BE_NOT}\s+{_GIVEN}{_REASON}",
    rf"{_SOURCE}\s+{_BE}\s+(?:silent|not\s+clear|unclear)\b.*",
    rf"(?:none|neither)\s+of\s+{_SOURCE}\s+(?:{_SAY}|{_SAYS})\b.*",
    rf"(?:nothing|nowhere)\s+{_WHERE}.*",
    rf"(?:i|we)(?:\s+{_DO_NOT}|\s*{_CANNOT})\s+{_JUST}(?:(?:know|tell|say){_REASON_OR_WHAT}|{_FIND}\b.*)",
    rf"(?:(?:i\s+am|i'm|we\s+are|we're)\s+)(?:not\s+|un)(?:sure|certain|told)(?:\s+(?:wh\w+|how|if)\b.*|{_REASON})",
    rf"{_CANNOT}\s+(?:answer|determine|say|tell)\b.*",
    rf"(?:there\s+{_BE}|there's|(?:i|we)\s+(?:see|find|found|have))\s+no\s+(?:\w+\s+)?{_TALK}\b.*",
    rf"(?:there\s+(?:is|was)|there's)\s+nothing\s+(?:[^.;:]{{1,80}}\s)?{_WHERE}.*",
    rf"there\s+{_BE_NOT}\s+(?:an?y?|enough)\s+(?:\w+\s+)?{_TALK}\b.*",
    rf"no\s+(?:(?:such|relevant|specific|further)\s+)?{_TALK}(?:\s+(?:of|regarding|exists?|possible)\b.*|\s+{_CAN_BE}(?:{_GIVEN}|{_FOUND}).*)?{_REASON}",
    rf"(?:no\s+{_DETAIL}\s+{_BE}|none(?:\s+{_BE})?)\s+(?:mentioned|stated|specified|given|provided|listed){_REASON}",
    r"(?:there\s+(?:is|was)\s+|there's\s+)?(?:not\s+enough|insufficient)\s+(?:information|context|detail|info|data)s?\b.*",
    r"n\s*/\s*a|not\s+applicable",
)
_SAYS_SO = re.compile(rf"{_OPENING}(?:{'|'.join(_WAYS)})[\s.!]*", re.IGNORECASE | re.DOTALL)


def says_no_answer(reply: str, passages: Iterable[str] = ()) -> bool:
    """Returns whether a reply says that there is no answer."""
    lines = _NEW_SENTENCE.sub(" — ", reply[:_BEGINNING].translate(_MARKS))
    said = " ".join(lines.split()).lstrip("-•– ")
    if said.rstrip(".!").casefold() == NO_ANSWER:
        return True
    return _SAYS_SO.fullmatch(said) is not None and not stands_in(passages, reply)
