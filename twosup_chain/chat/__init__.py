"""Conversations: `model` (local, supervised, hosted, supervised), `middleware` (the same in an agent), `condenser`.

All decisions are `twosup_chain.chain`'s. Import the classes from `twosup_chain`; nothing is loaded before it is used.
"""
