"""In service: an HTTP server over named routes, and what is kept of every decision.

`route` is what answers under a name, `decision` what is kept of an answer, `ports` what others hook in; `config` reads
``twosup.toml``. Every decision is the chain's: nothing here decides.
"""
