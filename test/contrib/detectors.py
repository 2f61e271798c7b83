#!/usr/bin/python3
"""Writes backend tests of torchvision's detectors, at a size of a few KB, with outputs that ONNX Runtime computes.

    detectors.py [NAME...]    writes test/contrib/data/test_NAME as generate.py does; all without names

The whole graph that torch.onnx writes, from image to boxes, scores and labels: sizes computed by floats, anchors, TopK, an If
around NonMaxSuppression, RoiAlign. The weights are random; thresholds lie where some boxes are kept and most are not. Needs
torch and torchvision, and what generate.py needs.
"""
import collections
import io
import sys
import warnings

import numpy as np
import onnx
import torch
from generate import CASES, write
from torch import nn
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.ops import MultiScaleRoIAlign

SIZE, CHANNELS, CLASSES = 64, 8, 3


class Backbone(nn.Module):
    """Two maps of features, of strides 8 and 16."""
    out_channels = CHANNELS

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, CHANNELS, 4, 4), nn.ReLU(), nn.Conv2d(CHANNELS, CHANNELS, 3, 2, 1), nn.ReLU())
        self.last = nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 3, 2, 1), nn.ReLU())

    def forward(self, x):
        first = self.stem(x)
        return collections.OrderedDict([("0", first), ("1", self.last(first))])


class SsdBackbone(Backbone):
    out_channels = [CHANNELS, CHANNELS]


def make_anchors():
    return AnchorGenerator(sizes=((12, 20), (28, 40)), aspect_ratios=((1.0,),) * 2)


def make_ssd():
    return detection.ssd.SSD(SsdBackbone(), DefaultBoxGenerator([[2], [2]]), size=(SIZE, SIZE), num_classes=CLASSES,
                             topk_candidates=20, detections_per_img=10)


def make_retinanet():
    return detection.RetinaNet(Backbone(), CLASSES, min_size=SIZE, max_size=SIZE, anchor_generator=make_anchors(),
                               topk_candidates=30, detections_per_img=10)


def make_faster_rcnn():
    return detection.FasterRCNN(
        Backbone(), min_size=SIZE, max_size=SIZE, rpn_anchor_generator=make_anchors(), rpn_pre_nms_top_n_test=40,
        rpn_post_nms_top_n_test=12, box_roi_pool=MultiScaleRoIAlign(["0", "1"], output_size=3, sampling_ratio=2),
        box_head=detection.faster_rcnn.TwoMLPHead(CHANNELS * 9, 16), box_detections_per_img=8,
        box_predictor=detection.faster_rcnn.FastRCNNPredictor(16, CLASSES))


def shorten(graph, names):
    """Names of a few letters: those of torch are longer than the weights. `names` are those that are taken."""
    def rename(old):
        return names.setdefault(old, f"v{len(names)}") if old else ""

    for tensor in graph.initializer:
        tensor.name = rename(tensor.name)
    for number, node in enumerate(graph.node):
        node.name, node.doc_string = f"{node.op_type}_{number}", ""
        for values in (node.input, node.output):
            for place, value in enumerate(values):
                values[place] = rename(value)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                shorten(attribute.g, names)
    for value in graph.output:
        value.CopyFrom(onnx.helper.make_empty_tensor_value_info(rename(value.name)))
    del graph.value_info[:]


class Exported:
    """A model of torch in the place of one that generate.py makes of nodes."""

    def __init__(self, make, kept):
        torch.manual_seed(9)
        model = make().eval()
        for parameter in model.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=(0.8 / parameter[0].numel())**0.5)
        image = nn.functional.interpolate(torch.randn(1, 3, 9, 11), (23, 37), mode="bicubic")[0]
        owner = getattr(model, "roi_heads", model)
        buffer = io.BytesIO()
        with torch.no_grad():
            owner.score_thresh = 0.0
            scores = model([image])[0]["scores"]
            owner.score_thresh = float((scores[kept] + scores[kept + 1]) / 2)
            torch.onnx.export(model, ([image],), buffer, opset_version=17, input_names=["x"])
        self.proto = onnx.load_from_string(buffer.getvalue())
        shorten(self.proto.graph, {"x": "x"})
        self.inputs, self.reference = {"x": image.numpy()}, self

    def model(self, ranks):
        return self.proto, [output.name for output in self.proto.graph.output]


CASES.clear()
CASES.update(detector_ssd=lambda case: Exported(make_ssd, 7), detector_retinanet=lambda case: Exported(make_retinanet, 7),
             detector_faster_rcnn=lambda case: Exported(make_faster_rcnn, 5))

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    for name in sys.argv[1:] or CASES:
        print(name, flush=True)
        write(name)
