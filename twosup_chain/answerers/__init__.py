"""The models that answer: `reader` (extractive, ONNX Runtime), `llama_cpp` (GGUF in process), `chat` (any chat model).

`base` holds what they share. Import the classes from `twosup_chain`; nothing is loaded before it is used.
"""
