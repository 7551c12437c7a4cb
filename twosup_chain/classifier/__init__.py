"""A local classifier of texts: the packaged reader's encoder, hashed word n-grams and a small head, for ONNX Runtime.

`TextClassifier` is a decision model of LangChain's; `twosup train-classifier` fits one (see `fitting.fit_classifier`).
"""
