"""Signals: what is known of a prediction that may tell a right one from a wrong one, as named numbers.

None of them needs another hosted call. `compute` gathers them, the sibling modules find them: what the tokens say in
`tokens`, what the local model's reading says in `reading`, what question and passage say in `wording`. What
they are worth together is learned in `supervision`. A scorer that embeds sentences, and so needs a model of its own, is
in `embedding`.
"""

from twosup_chain.signals.compute import signals

__all__ = ["signals"]
