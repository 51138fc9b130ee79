"""Building blocks of networks: generators, discriminators, norms, losses, weight averages, pools, stroke noise,
augmentation, tiles.
"""

from __future__ import annotations

from artkit.nn.antialias import BlurDown, BlurUp
from artkit.nn.augment import augment
from artkit.nn.discriminators import (
    PATCH_LAYERS,
    MultiscaleDiscriminator,
    PatchDiscriminator,
    discriminator_options,
    least_side,
)
from artkit.nn.dropout import PictureDropout, seeded_dropout
from artkit.nn.edsr import Edsr, EdsrBlock, enlarge_bicubic
from artkit.nn.ema import Ema
from artkit.nn.generators import (
    decode_picture,
    encode_picture,
    generator_minimum,
    generator_multiple,
    make_generator,
)
from artkit.nn.losses import GanMode, discriminator_loss, feature_matching, generator_loss, lowpass_l1
from artkit.nn.norm import InstanceNorm, NormKind, PictureBatchNorm, init_weights, make_norm, settle_norms
from artkit.nn.pool import ImagePool
from artkit.nn.resnet import ResnetBlock, ResnetGenerator
from artkit.nn.rrdb import Rrdb, RrdbNet
from artkit.nn.srresnet import SrResnet, SrResnetBlock
from artkit.nn.strokes import LAYERS, STROKE_CHANNELS, Layer, stroke_noise
from artkit.nn.subpixel import DilatedBlock, SubpixelNet
from artkit.nn.tiling import fix_tiles, in_tiles, is_out_of_memory, limit_memory, whole_sum
from artkit.nn.unet import UnetBlock, UnetGenerator

__all__ = [
    "LAYERS",
    "PATCH_LAYERS",
    "STROKE_CHANNELS",
    "BlurDown",
    "BlurUp",
    "DilatedBlock",
    "Edsr",
    "EdsrBlock",
    "Ema",
    "GanMode",
    "ImagePool",
    "InstanceNorm",
    "Layer",
    "MultiscaleDiscriminator",
    "NormKind",
    "PatchDiscriminator",
    "PictureBatchNorm",
    "PictureDropout",
    "ResnetBlock",
    "ResnetGenerator",
    "Rrdb",
    "RrdbNet",
    "SrResnet",
    "SrResnetBlock",
    "SubpixelNet",
    "UnetBlock",
    "UnetGenerator",
    "augment",
    "decode_picture",
    "discriminator_loss",
    "discriminator_options",
    "encode_picture",
    "enlarge_bicubic",
    "feature_matching",
    "fix_tiles",
    "generator_loss",
    "generator_minimum",
    "generator_multiple",
    "in_tiles",
    "init_weights",
    "is_out_of_memory",
    "least_side",
    "limit_memory",
    "lowpass_l1",
    "make_generator",
    "make_norm",
    "seeded_dropout",
    "settle_norms",
    "stroke_noise",
    "whole_sum",
]
