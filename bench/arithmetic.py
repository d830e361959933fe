"""The least an encoder costs on this processor: its matrix products and nothing else, in fp32 and in int8.

`bench.runtime` prints it beside what the whole answer takes, to tell what tuning could still win from what the
processor does not give.
"""

import time
from statistics import median

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

N_REPEATS = 50


def least_seconds(*, n_pieces: int, n_layers: int, width: int, n_threads: int, int8: bool) -> float:
    """Return the median time in seconds of the products with weights for one window of `n_pieces` pieces.

    Per layer these are four of (pieces, width) by (width, width) and two with the fourfold width (Vaswani et al. 2017);
    the products of attention with itself, a few per cent at this length, are left out.
    """
    session = _session(width, int8=int8, n_threads=n_threads)
    rng = np.random.default_rng(0)
    feeds = {
        "narrow": _values(rng, (n_pieces, width), int8=int8),
        "wide": _values(rng, (n_pieces, 4 * width), int8=int8),
    }
    seconds = []
    for repeat in range(N_REPEATS + 5):
        began = time.perf_counter()
        session.run(None, feeds)
        # The first rounds warm the thread pool up.
        if repeat >= 5:
            seconds.append(time.perf_counter() - began)
    return median(seconds) * n_layers


def _session(width: int, *, int8: bool, n_threads: int) -> onnxruntime.InferenceSession:
    """Open a graph of one layer's products."""
    shapes = {"narrow": [(width, width)] * 4 + [(width, 4 * width)], "wide": [(4 * width, width)]}
    rng = np.random.default_rng(1)
    kind = TensorProto.UINT8 if int8 else TensorProto.FLOAT
    nodes, weights, outputs = [], [], []
    for side, made in shapes.items():
        for place, shape in enumerate(made):
            name = f"{side}{place}"
            values = rng.integers(-127, 128, shape).astype(np.int8) if int8 else rng.random(shape, dtype=np.float32)
            weights.append(onnx.numpy_helper.from_array(values, f"weight_{name}"))
            operator = "MatMulInteger" if int8 else "MatMul"
            nodes.append(helper.make_node(operator, [side, f"weight_{name}"], [name]))
            outputs.append(
                helper.make_tensor_value_info(name, TensorProto.INT32 if int8 else TensorProto.FLOAT, [None, shape[1]])
            )
    inputs = [
        helper.make_tensor_value_info("narrow", kind, [None, width]),
        helper.make_tensor_value_info("wide", kind, [None, 4 * width]),
    ]
    graph = helper.make_graph(nodes, "products", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _values(rng: np.random.Generator, shape: tuple[int, int], *, int8: bool) -> np.ndarray:
    return rng.integers(0, 256, shape).astype(np.uint8) if int8 else rng.random(shape, dtype=np.float32)
