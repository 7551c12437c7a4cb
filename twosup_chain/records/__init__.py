"""Records: what both models said to labelled questions, one JSON line a question; the file format, nothing else.

A line is a `QuestionRecord` (`question`). `lines` reads files line by line, and `file` appends to one so that any crash
leaves it resumable. Who asks the models is the business of `collection`; columns are that of `outcomes`.
"""

from twosup_chain.records.lines import read_records
from twosup_chain.records.question import QuestionRecord

__all__ = ["QuestionRecord", "read_records"]
