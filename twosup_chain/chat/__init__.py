"""The chat models: `model` (local, supervised, hosted, supervised) and `llama_cpp` (a GGUF in this process).

Import the classes from `twosup_chain`; nothing is loaded before it is used.
"""
