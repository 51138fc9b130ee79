"""StackGAN: pictures from sentences in two stages (Zhang, Xu, Li, Zhang, Wang, Huang, Metaxas, "StackGAN: Text to
Photo-realistic Image Synthesis with Stacked Generative Adversarial Networks", 2016).
"""

from __future__ import annotations

from typing import Annotated, Literal

from artkit import Kind, MethodSpec, Need, Options, hookimpl, option, packaged
from artkit.nn import Filters, Width

Side = Literal[8, 16, 32, 64, 128]


class StackganOptions(Options, frozen=True):
    """Options of a stackgan step."""

    text: Annotated[
        str | None,
        option("the sentence to paint; the caption that is known when left out, else any picture", sentence=True),
    ] = None
    stage: Annotated[
        Literal[0, 1, 2],
        option("2 paints; 1 shows the sketch; 0 the sketch's label map, in class colours that other steps read"),
    ] = 2
    truncation: Annotated[
        float, option("how far layouts stray from what the sentence says: 0 is the same one always", ge=0, le=2)
    ] = 0.8
    tries: Annotated[
        int, option("sketches to draw, of which the one is painted that shows the words best", ge=1, le=64)
    ] = 1
    morph: Annotated[str | None, option("a second sentence, on the way to which the picture is", sentence=True)] = None
    share: Annotated[float, option("how far on the way to the second sentence", ge=0, le=1)] = 0.5
    frames: Annotated[
        int, option("pictures of -n that are the whole way there, in the same chance; 0: each for itself", ge=0)
    ] = 0


class StackganTraining(Options, frozen=True):
    """Options of stackgan training."""

    caption: Annotated[str | None, option("column of sentences; the first of text when left out")] = None
    picture: Annotated[str | None, option("column of pictures; the first one when left out")] = None
    labels: Annotated[str | None, option("column of label maps; the first one when left out")] = None
    first: Annotated[
        float, option("share of the steps that train stage I; the others train stage II on it", ge=0, le=1)
    ] = 0.6
    twice: Annotated[
        bool, option("stage II hears the words once more, as in the paper; else they speak through the sketch alone")
    ] = True
    second_batch: Annotated[int, option("pictures of a batch that stage II takes, at most", ge=1)] = 4
    latent: Annotated[int, option("length of the code c of a sentence", ge=1, le=1024)] = 64
    most_words: Annotated[int, option("words to learn, the most frequent, at most", ge=1, le=5000)] = 1000
    embedding: Annotated[Width, option("numbers a word is embedded in")] = 48
    width: Annotated[Filters, option("filters of stage I at half the sketch's size, and of its encoder")] = 16
    discriminator_width: Annotated[Filters, option("filters of the discriminators' first level")] = 16
    painter_width: Annotated[Filters, option("filters of stage II at the sketch's size")] = 32
    blocks: Annotated[int, option("residual blocks of stage II", ge=1, le=64)] = 3
    detail: Annotated[tuple[Width, Width], option("filters of stage II at half and at the full size")] = (24, 16)
    start_from: Annotated[
        int, option("pictures that the networks' start is worked out from; 0 for a start at random", ge=0)
    ] = 1500
    left_out: Annotated[float, option("share of the words that a sentence leaves out, on average", ge=0, lt=1)] = 0.2
    reconstruction: Annotated[float, option("weight of the cross-entropy of reconstructed layouts", ge=0)] = 10.0
    prior: Annotated[float, option("weight of the divergence of a layout's codes from its sentence's", ge=0)] = 0.3
    kl: Annotated[float, option("weight of the divergence of a sentence's codes from noise", ge=0)] = 0.01
    adversarial: Annotated[float, option("weight of the adversarial losses", ge=0)] = 0.5
    reading: Annotated[float, option("weight of the words that the discriminator reads", ge=0)] = 0.3
    matching: Annotated[float, option("weight of feature matching", ge=0)] = 2.0
    lowpass: Annotated[float, option("weight of an L1 loss on averages over 8 x 8 pixels", ge=0)] = 10.0
    contrast: Annotated[
        float, option("weight of the L1 loss of log local contrast: textures of stage II as strong as in photos", ge=0)
    ] = 2.0


SPEC = MethodSpec(
    name="stackgan",
    summary="Paint a sentence: a sketch of it, then the picture.",
    inputs=(),
    output=Kind.IMAGE,
    options=StackganOptions,
    translator="artkit_stackgan.translator:Stackgan",
    trainer="artkit_stackgan.trainer:StackganTrainer",
    training_options=StackganTraining,
    trains_on=(Need.CAPTIONS,),
    default_model="landscape",
    models=(packaged("landscape", "Sketches landscapes from sentences of 75 words.", "CC0-1.0"),),
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register stackgan."""
    return [SPEC]
