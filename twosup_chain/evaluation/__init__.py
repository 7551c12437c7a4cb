"""Evaluating a chain from records: `evaluate` is the way in.

`figures` and `mistakes` are what a `report` holds, `measure` finds it; `page` writes it with `view`, `words` and
`pictures`, which `plotting` draws.
"""
