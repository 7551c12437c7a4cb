"""Text: what stands where, what counts as the same, and labelled questions.

For trust: `folding` takes typography away, `words` says which words count and what a number is, `finder` where an
answer stands, `agreement` how far two answers say the same, `citation` where a result is quoted from. For official
figures, and for nothing else, `squad` holds SQuAD's own rules. `questions` is the one loader of labelled questions.
"""
