"""The study: our supervisors against every rival rule, on the same recorded questions, in one run.

``python examples/study compact …`` turns recordings of a hosted and a small generative model, and a live run of the
packaged reader, into compact data without any passage or question text; ``python examples/study tables …`` makes every
table from them. The recordings lie in ``tests/study/recordings``, gzipped; ``python -m twosup_chain.demo.recording``
made them. `questions` is the data, `columns` the arrays, `rivals` and `ours` the rules, `systems`, `signals`, `oracle`,
`shift` and `timing` the tables.
"""
