"""Collecting: both models are asked every labelled question, and what they say is recorded.

`collect` is where to start; `questions` reads the labelled questions, `asker` puts them to both models and scores the
replies. The file that they go to is in `records`.
"""

from twosup_chain.collection.collect import Collection, Progress, acollect, collect

__all__ = ["Collection", "Progress", "acollect", "collect"]
