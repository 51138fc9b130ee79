"""The torch-free vocabulary: kinds, options, specs, model headers, class sets, events, foreign checkpoints."""

from __future__ import annotations

from artkit.spec.checkpoint import Checkpoint, Direction, ForeignFile, Hints, Recognised
from artkit.spec.classes import ClassSet, Colour, LabelClass
from artkit.spec.events import StepEvent, TrainingEvent
from artkit.spec.header import ModelHeader
from artkit.spec.kinds import Kind, Need, Port, SizeRule, Tiling
from artkit.spec.methods import API_VERSION, DatasetSpec, MethodSpec, MetricSpec, ModelSpec, PackagedModel, packaged
from artkit.spec.options import OptionInfo, Options, describe_options, option, parse_options

__all__ = [
    "API_VERSION",
    "Checkpoint",
    "ClassSet",
    "Colour",
    "DatasetSpec",
    "Direction",
    "ForeignFile",
    "Hints",
    "Kind",
    "LabelClass",
    "MethodSpec",
    "MetricSpec",
    "ModelHeader",
    "ModelSpec",
    "Need",
    "OptionInfo",
    "Options",
    "PackagedModel",
    "Port",
    "Recognised",
    "SizeRule",
    "StepEvent",
    "Tiling",
    "TrainingEvent",
    "describe_options",
    "option",
    "packaged",
    "parse_options",
]
