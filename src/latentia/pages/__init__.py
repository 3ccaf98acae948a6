"""A trained model as a file that other software runs: a page, ONNX, or a graph of torch's."""
