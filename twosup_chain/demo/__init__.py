"""The demo: a sample of our own, answered live by the local model and from a recording of a real LLM by the remote one.

`sample.json` (passages and questions, SQuAD v2 format) was written for this project; every person, place and figure in
it is invented. `recording` records a hosted model, `replay` plays the recording back, `run` puts the chain together and
sums up. How the outcome looks on a terminal is the business of the command line.
"""
