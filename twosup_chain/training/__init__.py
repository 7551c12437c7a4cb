"""Making a reader: training data and loop (extra ``train``), export to ONNX, calibration, measurement.

Nothing here is imported by the chain. Answering with a finished reader is in `twosup_chain.reader.reader`.
"""
