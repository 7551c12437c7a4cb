"""A GGUF model in this process, through llama.cpp: `answerer` for questions on a text, `chat` for conversations.

`model` loads it once, `decoding` writes token by token. Import the classes from `twosup_chain`.
"""
