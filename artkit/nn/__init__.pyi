"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .antialias import BlurDown as BlurDown, BlurUp as BlurUp
from .arguments import (
    Arguments as Arguments,
    Blocks as Blocks,
    Channels as Channels,
    Filters as Filters,
    NetworkArguments as NetworkArguments,
    options_of_arguments as options_of_arguments,
    read_arguments as read_arguments,
)
from .augmentation import augment as augment, compress_jpeg as compress_jpeg
from .conditions import (
    ANY as ANY,
    Asked as Asked,
    Conditions as Conditions,
    condition_planes as condition_planes,
    fit_words as fit_words,
)
from .contours import blur as blur, follow_contours as follow_contours, structure as structure
from .discriminators import (
    PATCH_LAYERS as PATCH_LAYERS,
    MultiscaleDiscriminator as MultiscaleDiscriminator,
    PatchDiscriminator as PatchDiscriminator,
    discriminator_arguments as discriminator_arguments,
    least_side as least_side,
    make_discriminator as make_discriminator,
    options_of_discriminator as options_of_discriminator,
)
from .dropout import PictureDropout as PictureDropout, seeded_dropout as seeded_dropout
from .edsr import (
    Edsr as Edsr,
    EdsrArguments as EdsrArguments,
    EdsrBlock as EdsrBlock,
    enlarge_bicubic as enlarge_bicubic,
)
from .efficientnet import EfficientNetLite0 as EfficientNetLite0
from .ema import Ema as Ema
from .enlarging import (
    WORKING_SIDE as WORKING_SIDE,
    WorkingResolution as WorkingResolution,
    enlarge_guided as enlarge_guided,
    painting_guide as painting_guide,
)
from .generators import (
    GeneratorArguments as GeneratorArguments,
    choose_statistics as choose_statistics,
    decode_image as decode_image,
    encode_image as encode_image,
    exchange_channels as exchange_channels,
    generator_arguments as generator_arguments,
)
from .losses import (
    Logits as Logits,
    contrast_l1 as contrast_l1,
    discriminator_loss as discriminator_loss,
    divergence_from_noise as divergence_from_noise,
    feature_matching as feature_matching,
    generator_loss as generator_loss,
    gradient_penalty as gradient_penalty,
    is_penalty_due as is_penalty_due,
    lowpass_l1 as lowpass_l1,
)
from .modulated import Modulated as Modulated, NoiseGate as NoiseGate, double as double
from .moments import (
    MomentsEncoder as MomentsEncoder,
    fit_codes as fit_codes,
    fit_style as fit_style,
    fix_length as fix_length,
)
from .noise import lay_strokes as lay_strokes, lay_swirls as lay_swirls, stroke_noise as stroke_noise
from .norm import (
    InstanceNorm as InstanceNorm,
    PictureBatchNorm as PictureBatchNorm,
    init_weights as init_weights,
    make_norm as make_norm,
    settle_norms as settle_norms,
)
from .options import (
    DiscriminatorOptions as DiscriminatorOptions,
    GanMode as GanMode,
    GanOptions as GanOptions,
    NormKind as NormKind,
    ReceptiveField as ReceptiveField,
    Width as Width,
    WorkingSize as WorkingSize,
)
from .perceptual import (
    PerceptualLoss as PerceptualLoss,
    feature_distance as feature_distance,
    find_perceptual_weights as find_perceptual_weights,
    load_perceptual_network as load_perceptual_network,
)
from .pool import ImagePool as ImagePool
from .portable import (
    IMAGE_FIELD as IMAGE_FIELD,
    RESULT_FIELD as RESULT_FIELD,
    Portable as Portable,
    PortableField as PortableField,
    class_planes as class_planes,
    classes_field as classes_field,
    condition_field as condition_field,
    height_planes as height_planes,
    labels_field as labels_field,
    strokes_field as strokes_field,
)
from .position import heights as heights
from .projection import ProjectionDiscriminator as ProjectionDiscriminator
from .reflection import reflect_index as reflect_index
from .resnet import ResnetArguments as ResnetArguments, ResnetBlock as ResnetBlock, ResnetGenerator as ResnetGenerator
from .rrdb import Rrdb as Rrdb, RrdbArguments as RrdbArguments, RrdbNet as RrdbNet
from .srresnet import SrResnet as SrResnet, SrResnetArguments as SrResnetArguments, SrResnetBlock as SrResnetBlock
from .strokes import (
    LAYERS as LAYERS,
    STROKE_CHANNELS as STROKE_CHANNELS,
    Layer as Layer,
    swirl_field as swirl_field,
)
from .subpixel import DilatedBlock as DilatedBlock, SubpixelArguments as SubpixelArguments, SubpixelNet as SubpixelNet
from .tiling import (
    fix_tiles as fix_tiles,
    in_tiles as in_tiles,
    is_out_of_memory as is_out_of_memory,
    limit_memory as limit_memory,
    whole_sum as whole_sum,
)
from .unet import UnetArguments as UnetArguments, UnetBlock as UnetBlock, UnetGenerator as UnetGenerator
