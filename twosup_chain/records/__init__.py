"""Records: what both models said to labelled questions, one JSON line a question.

A line is a `QuestionRecord` (`question`). `lines` reads files line by line, `columns` streams them into arrays, and
`file` appends to one so that any crash leaves it resumable. Who asks the models is the business of `collection`.
"""

from twosup_chain.records.columns import Provenance, read_columns, read_outcomes
from twosup_chain.records.lines import read_records
from twosup_chain.records.question import QuestionRecord

__all__ = ["Provenance", "QuestionRecord", "read_columns", "read_outcomes", "read_records"]
