"""Outcomes: what both models' predictions come to, as columns.

`rows` streams files of records, `from_records` makes them columns, `trust` and `features` find what they say of trust,
`price` what the hosted calls cost. Curves, calibration and evaluation work on them.
"""

from twosup_chain.outcomes.outcomes import Outcomes

__all__ = ["Outcomes"]
