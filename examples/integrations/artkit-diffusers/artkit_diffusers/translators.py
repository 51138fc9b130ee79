"""Run pipelines of diffusers: the translators."""

from __future__ import annotations

from typing import Any

import torch
from artkit import Context, ModelHeader, OptionError, Translator
from diffusers import AutoPipelineForImage2Image, ControlNetModel, StableDiffusionControlNetPipeline
from torch import Tensor

from artkit_diffusers import CONTROL, DIFFUSE, ControlOptions, DiffuseOptions, DiffusionOptions
from artkit_diffusers.loading import load, networks


class Diffusion(Translator):
    """What both have: a pipeline, whose networks artkit moves and casts with the translator."""

    reusable = False  # it reads folders, which may change
    batch = 1
    options: DiffusionOptions

    def _keep(self, pipeline: Any) -> None:
        """Take a pipeline, and its networks as modules."""
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline
        for name, network in networks(pipeline).items():
            self.add_module(name, network)

    def translate(self, context: Context, *, image: Tensor, **more: Any) -> Tensor:
        """Run the pipeline on N3HW; the noise is drawn on the CPU, so that it is the same on every device."""
        made = self._pipeline(
            prompt=self.options.prompt,
            image=image,
            negative_prompt=self.options.without or None,
            num_inference_steps=self.options.steps,
            guidance_scale=self.options.guidance,
            generator=torch.Generator().manual_seed(context.seeds[0]),
            output_type="pt",
            **more,
        )
        found: Tensor = made.images
        return found


class Diffuse(Diffusion):
    """Image to image (Meng et al., "SDEdit", 2022): noise is added to the picture, as much as `strength` says."""

    spec = DIFFUSE
    options: DiffuseOptions

    def __init__(self, options: DiffuseOptions, header: ModelHeader | None) -> None:
        super().__init__(options, header)
        self._keep(load(AutoPipelineForImage2Image, options.folder, "diffuse: folder", safety_checker=None))

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Change N3HW."""
        if self.options.strength == 0:
            return image
        if int(self.options.steps * self.options.strength) < 1:
            raise OptionError("diffuse: strength times steps is less than one step: give more of either.")
        return super().translate(context, image=image, strength=self.options.strength)


class Control(Diffusion):
    """Text to image with a ControlNet (Zhang et al., 2023) that is shown the map."""

    spec = CONTROL
    options: ControlOptions

    def __init__(self, options: ControlOptions, header: ModelHeader | None) -> None:
        super().__init__(options, header)
        network = load(ControlNetModel, options.controlnet, "control: controlnet")
        parts = {"controlnet": network, "safety_checker": None}
        self._keep(load(StableDiffusionControlNetPipeline, options.folder, "control: folder", **parts))

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Paint N3HW."""
        more = {"height": context.height, "width": context.width, "controlnet_conditioning_scale": self.options.scale}
        return super().translate(context, image=image, **more)
