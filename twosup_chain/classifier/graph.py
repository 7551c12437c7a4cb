"""A reader's ONNX file as an encoder: its hidden states are declared as outputs, its span logits are not.

ONNX Runtime then leaves out the layers that nothing needs. An ONNX file is a protocol buffer, of which only the
outermost fields are read here, so that no library of ONNX is needed at run time.
"""

from collections.abc import Iterator

#: The numbers of fields in ONNX's messages (onnx.proto3).
_MODEL_GRAPH, _GRAPH_NODE, _GRAPH_OUTPUT, _NODE_OUTPUT, _NODE_KIND = 7, 1, 12, 2, 4
_VARINT, _BYTES = 0, 2
#: A tensor of float32, of whatever shape.
_FLOATS = bytes((0x12, 0x04, 0x0A, 0x02, 0x08, 0x01))


def hidden_states(model: bytes, layers: tuple[int, ...]) -> tuple[bytes, list[str]]:
    """Returns a reader's model with the hidden states behind these layers as its outputs, and their names.

    Layer 0 are the embeddings, 1 the first layer. A layer of a reader (`training.graph`) ends with the second of its
    two normalizations.

    Raises:
        ValueError: The bytes are no such model.
    """
    head, graph = b"", b""
    for number, whole, body in _fields(model):
        if number == _MODEL_GRAPH:
            graph = body
        else:
            head += whole
    nodes = [list(_fields(body)) for number, _, body in _fields(graph) if number == _GRAPH_NODE]
    norms = [
        next(body for number, _, body in node if number == _NODE_OUTPUT).decode()
        for node in nodes
        if (_NODE_KIND, b"LayerNormalization") in {(number, body) for number, _, body in node}
    ]
    if max(layers) > (len(norms) - 1) // 2:
        raise ValueError(f"it has {(len(norms) - 1) // 2} layers")
    names = [norms[2 * layer] for layer in layers]
    kept = b"".join(whole for number, whole, _ in _fields(graph) if number != _GRAPH_OUTPUT)
    declared = b"".join(_field(_GRAPH_OUTPUT, _field(1, name.encode()) + _FLOATS) for name in names)
    return head + _field(_MODEL_GRAPH, kept + declared), names


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yields the number of each field, the field as it stands, and its content."""
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        if key & 7 == _BYTES:
            size, body = _varint(message, at)
            at = body + size
        elif key & 7 == _VARINT:
            body, at = at, _varint(message, at)[1]
        else:
            raise ValueError(f"there is a field of type {key & 7} at byte {start}")
        yield key >> 3, message[start:at], message[body:at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Returns a number written in groups of seven bits, and where it ends."""
    value = shift = 0
    while at < len(message):
        value |= (message[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if message[at - 1] < 128:  # noqa: PLR2004
            return value, at
    raise ValueError("it is cut off")


def _field(number: int, body: bytes) -> bytes:
    size, length = len(body), b""
    while size > 127:  # noqa: PLR2004
        length += bytes((size & 127 | 128,))
        size >>= 7
    return bytes((number << 3 | _BYTES,)) + length + bytes((size,)) + body
