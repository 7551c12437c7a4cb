"""The extractive reader: `reader` is the answerer.

`engine` runs its model on ONNX Runtime, `folder` reads the model, `spans` and `reading` make answers of its scores.

Import `ExtractiveReader` from `twosup_chain`; nothing is loaded before it is used.
"""
