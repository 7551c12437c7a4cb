"""Foreign models become answerers here: `chat` (any chat model, by name or built) and `consistency` (one asked often).

`part` and `reply` read what the user gives and what it returns, `message`, `logprobs` and `stated` the evidence of a
chat model's reply; `base` is the frame of models that run in this process, which `reader` and `llama` are.
Import the classes from `twosup_chain`; nothing is loaded before it is used.
"""
