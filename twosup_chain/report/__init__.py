"""The report of an evaluation: `figures` are what is known, `measure` finds them, `page` shows them.

`markup` writes HTML that escapes everything, `words` puts numbers into words, `pictures` draws, `examples` picks
questions to show. The way in is `twosup_chain.evaluation.evaluate`.
"""
