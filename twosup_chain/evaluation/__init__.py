"""Evaluating a chain from records: `evaluate` is the way in.

`figures` are what is known, `measure` finds them, `page` shows them with `pictures`; `words` puts numbers into words,
`mistakes` picks questions to show.
"""
