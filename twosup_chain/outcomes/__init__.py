"""Outcomes: what both models' predictions come to, as columns.

`from_records` streams files of records into them, `trust` and `features` find what they say of trust, `price` what the
hosted calls cost. Curves, calibration and evaluation work on them.
"""

from twosup_chain.outcomes.outcomes import Outcomes

__all__ = ["Outcomes"]
