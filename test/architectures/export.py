#!/usr/bin/python3
"""Exports full-size torchvision architectures with random weights, and reference values computed by torch.

    export.py FOLDER [NAME...]                  writes FOLDER/NAME.onnx and FOLDER/NAME/{input,output}.npy; what exists is kept
    export.py FOLDER --symbolic-batch [NAME...] the same with a dimension `batch` in place of 1 (then batches can be measured)

The weights come from a fixed seed. Batch normalisations get statistics that are not degenerate (means around 0, variances around
1, from the data itself), so that activations neither vanish nor overflow and a wrong fold shows in the output.
"""
import sys
import warnings
from pathlib import Path

import numpy
import torch
import torchvision.models

NAMES = ["vit_tiny", "resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "squeezenet1_1",
         "vit_b_16", "swin_t", "regnet_y_400mf", "deeplabv3_mobilenet_v3_large"]


def vit_tiny():
    """vit_b_16 at a size that numpy can follow."""
    return torchvision.models.VisionTransformer(image_size=64, patch_size=8, num_layers=4, num_heads=2, hidden_dim=128,
                                                mlp_dim=256, num_classes=10)


class Segmentation(torch.nn.Module):
    """The scores of a model of torchvision.models.segmentation without the dictionary around them."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)["out"]


def make(name):
    if name == "vit_tiny":
        return vit_tiny()
    if hasattr(torchvision.models, name):
        return getattr(torchvision.models, name)(weights=None)
    return Segmentation(getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None))


def randomize_norms(model, generator):
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            size = module.num_features
            module.weight.data = 0.8 + 0.4 * torch.rand(size, generator=generator)
            module.bias.data = 0.2 * torch.randn(size, generator=generator)


def settle_statistics(model, generator):
    """Sets every running mean and variance to those of random images, so that all layers work in their usual range."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    if not norms:
        return
    for module in norms:
        module.momentum = None  # a plain average
        module.reset_running_stats()
    model.train()
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(4, 3, 224, 224, generator=generator))
    model.eval()


def export(name, folder, symbolic_batch):
    torch.manual_seed(20)
    generator = torch.Generator().manual_seed(20)
    model = make(name).eval()
    if name.startswith("vit"):  # zeroed by torchvision: the output would be constant
        torch.nn.init.trunc_normal_(model.heads.head.weight, std=0.02)
    randomize_norms(model, generator)
    settle_statistics(model, generator)
    size = 64 if name == "vit_tiny" else 224
    x = torch.randn(1, 3, size, size, generator=generator)
    with torch.no_grad():
        y = model(x)
    references = folder / name
    references.mkdir(parents=True, exist_ok=True)
    numpy.save(references / "input.npy", x.numpy())
    numpy.save(references / "output.npy", y.numpy())
    temporary = folder / f"{name}.tmp"
    # training=PRESERVE and no folding: the compiler has to fold batch normalisations itself.
    torch.onnx.export(model, x, str(temporary), opset_version=17, input_names=["input"], output_names=["output"],
                      do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE,
                      dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}} if symbolic_batch else None)
    temporary.rename(folder / f"{name}.onnx")


def main():
    warnings.filterwarnings("ignore")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    symbolic_batch = "--symbolic-batch" in sys.argv[2:]
    for name in [word for word in sys.argv[2:] if not word.startswith("--")] or NAMES:
        if not (folder / f"{name}.onnx").exists():
            export(name, folder, symbolic_batch)
            print("exported", name, flush=True)


main()
