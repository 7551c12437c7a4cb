"""Signals: what is known of a prediction that may tell a right one from a wrong one, as named numbers.

None of them needs another hosted call. `compute` gathers them, the sibling modules find them: what the tokens say in
`tokens`, what the local model's reading says in `reading`, what question and passage say in `wording`, and, where a
model for it is given, what embeddings say in `embedding`. What they are worth together is learned in `supervision`.
"""

from twosup_chain.signals.compute import signals

__all__ = ["signals"]
