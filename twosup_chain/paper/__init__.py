"""BiSupervised from recorded predictions: the paper's figures, by its own definitions and tie rules.

Weiss & Tonella, *Adopting Two Supervisors for Efficient Use of Large-Scale Remote Deep Neural Networks* (TOSEM 2023,
DOI 10.1145/3617593). `recording` reads the two files, `supervisors` sets the second threshold, `study` puts the figures
together, `tables` writes them. Its thresholds are chosen on the data that they are scored on; those that hold on new
data are the business of `calibration`.
"""

from twosup_chain.paper.recording import Columns, Recording, Recordings, read_recordings
from twosup_chain.paper.study import Latency, LatencyPoint, Point, Replication, replicate
from twosup_chain.paper.supervisors import SupervisorRow
from twosup_chain.paper.tables import Table, tables

__all__ = [
    "Columns",
    "Latency",
    "LatencyPoint",
    "Point",
    "Recording",
    "Recordings",
    "Replication",
    "SupervisorRow",
    "Table",
    "read_recordings",
    "replicate",
    "tables",
]
