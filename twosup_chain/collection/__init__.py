"""Collecting: both models are asked every labelled question, and what they say is recorded.

`collect` is where to start; `asker` puts the questions to both models and scores the replies. The file that the records
go to is kept in `records`.
"""

from twosup_chain.collection.collect import Collection, Progress, acollect, collect

__all__ = ["Collection", "Progress", "acollect", "collect"]
