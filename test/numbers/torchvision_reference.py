"""What torchvision itself makes of photos, for torchvision.test.ts: torchvision_reference.py FOLDER PHOTO...

Writes into FOLDER the weights of a randomly initialised torchvision VGG16 and, for each photo in order, the bytes that
torchvision's own transforms give the network and the readings of its thirteen convolutions after ReLU. All files but the
weights are plain little-endian arrays: pixels.u8 [photo, row, column, channel], and [photo, filter] for the rest.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision.models import VGG16_Weights, vgg16
from torchvision.transforms import functional

folder, photos = Path(sys.argv[1]), sys.argv[2:]
torch.manual_seed(16)
model = vgg16(weights=None).eval()
for module in model.features:
    if isinstance(module, torch.nn.Conv2d):
        torch.nn.init.normal_(module.bias, std=0.1)
save_file({f"features.{name}": value for name, value in model.features.state_dict().items()}, folder / "weights.safetensors")

preset = VGG16_Weights.IMAGENET1K_V1.transforms()
pixels, zeros, largest, means, positions = [], [], [], [], []
for photo in photos:
    image = Image.open(photo).convert("RGB")
    resized = functional.resize(image, preset.resize_size, interpolation=preset.interpolation, antialias=preset.antialias)
    pixels.append(np.asarray(functional.center_crop(resized, preset.crop_size)))
    x = preset(image).unsqueeze(0)
    with torch.inference_mode():
        for module in model.features:
            x = module(x)
            if isinstance(module, torch.nn.ReLU):
                maps = x[0].flatten(1).numpy()
                zeros.append((maps == 0).sum(1))
                largest.append(maps.max(1))
                positions.append(maps.argmax(1))
                means.append(maps.mean(1, dtype=np.float64))

np.stack(pixels).astype(np.uint8).tofile(folder / "pixels.u8")
for name, values, dtype in [("zeros", zeros, "<i4"), ("max", largest, "<f4"), ("position", positions, "<i4"), ("mean", means, "<f8")]:
    np.concatenate(values).astype(dtype).tofile(folder / f"{name}.{dtype[1:]}")
