"""Text: what stands where, and what counts as the same.

`squad` holds the official SQuAD v2 rules, which serve official figures and nothing else. `citation` says where an
answer stands in the documents.
"""
