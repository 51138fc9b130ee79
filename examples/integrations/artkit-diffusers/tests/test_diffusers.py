"""A tiny Stable Diffusion pipeline and a ControlNet with random weights, saved to folders and run by artkit."""

import json
import shutil

import pytest
import torch
from artkit.chain import Chain
from artkit.errors import ModelError, OptionError
from artkit.seeds import mix_seeds
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    StableDiffusionImg2ImgPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from artkit_diffusers import CONTROL, DIFFUSE

HOW = {"device": "cpu", "precision": "fp32"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folders of a pipeline and of a ControlNet."""
    home = tmp_path_factory.mktemp("weights")
    letters = [chr(code) for code in range(97, 123)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    (home / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (home / "merges.txt").write_text("#version: 0.2\n")
    torch.manual_seed(0)
    ids = {"vocab_size": len(words), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = CLIPTextModel(CLIPTextConfig(max_position_embeddings=16, **ids, **sizes))
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        sample_size=8,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
    )
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    pipeline = StableDiffusionImg2ImgPipeline(
        vae=AutoencoderKL(block_out_channels=(8,) * 4, norm_num_groups=4, latent_channels=4, **blocks),
        text_encoder=text,
        tokenizer=CLIPTokenizer(str(home / "vocab.json"), str(home / "merges.txt"), model_max_length=16),
        unet=unet,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(home / "sd", safe_serialization=True)
    control = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8, 8, 8))
    with torch.no_grad():  # a new ControlNet begins and ends in zeros, and would change nothing
        control.controlnet_cond_embedding.conv_out.weight.normal_()
        control.controlnet_mid_block.weight.normal_()
    control.save_pretrained(home / "cn", safe_serialization=True)
    return home / "sd", home / "cn"


@pytest.fixture
def picture():
    return torch.rand(1, 3, 30, 45, generator=torch.Generator().manual_seed(1))


def diffuse(folders, **options):
    given = {"folder": str(folders[0]), "prompt": "a lake", "steps": 4} | options
    return Chain("diffuse(" + ",".join(f"{name}={value!r}" for name, value in given.items()) + ")")


def control(folders, **options):
    given = {"folder": str(folders[0]), "controlnet": str(folders[1]), "prompt": "a lake", "steps": 2} | options
    return Chain("control(" + ",".join(f"{name}={value!r}" for name, value in given.items()) + ")")


def test_both_are_listed_among_the_translations():
    assert (DIFFUSE.heading, CONTROL.heading) == ("translate", "translate")


def test_image_to_image_of_any_size_is_the_same_for_the_same_seed(folders, picture):
    first, again, other = (diffuse(folders)(picture, seed=seed, **HOW).tensor for seed in (3, 3, 4))
    assert first.shape == picture.shape
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_folder_that_changed_is_read_anew(folders, picture, tmp_path):
    shutil.copytree(folders[0], tmp_path / "sd")
    chain = diffuse([tmp_path / "sd"], steps=2)
    before = chain(picture, seed=3, **HOW).tensor
    weights = tmp_path / "sd" / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({name: tensor * 1.5 for name, tensor in load_file(weights).items()}, weights, {"format": "pt"})
    assert not torch.equal(chain(picture, seed=3, **HOW).tensor, before)


def test_strength_says_how_much_is_changed(folders, picture):
    assert torch.equal(diffuse(folders, strength=0.0)(picture, **HOW).tensor, picture)
    with pytest.raises(OptionError, match="less than one step"):
        diffuse(folders, strength=0.1)(picture, **HOW)


def test_it_makes_what_diffusers_makes(folders):
    picture = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(1))
    seen = []
    chain = diffuse(folders, strength=1.0)
    made = chain(picture, seed=3, **HOW).tensor
    pipeline = StableDiffusionImg2ImgPipeline.from_pretrained(
        folders[0], local_files_only=True, low_cpu_mem_usage=False
    )
    pipeline.set_progress_bar_config(disable=True)

    seen = pipeline(
        prompt="a lake",
        image=picture,
        strength=1.0,
        num_inference_steps=4,
        guidance_scale=7.5,
        generator=torch.Generator().manual_seed(mix_seeds(3, 0)),
        output_type="pt",
    ).images
    assert torch.allclose(made, seen.clamp(0, 1), atol=1e-4)


def test_a_control_net_sees_the_map(folders, picture):
    one, same, other, unseen = (
        control(folders, **how)(map_, seed=3, **HOW).tensor
        for how, map_ in (({}, picture), ({}, picture), ({}, 1 - picture), ({"scale": 0.0}, picture))
    )
    assert one.shape == picture.shape
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one, unseen)


def test_bf16(folders, picture):
    assert diffuse(folders)(picture, device="cpu", precision="bf16").tensor.isfinite().all()


def test_what_is_no_pipeline_is_one_line(folders, picture, tmp_path):
    with pytest.raises(OptionError, match="folder='' is no folder here"):
        Chain("diffuse(prompt='a lake')")(picture, **HOW)
    with pytest.raises(OptionError, match="controlnet='' is no folder here"):
        Chain(f"control(folder='{folders[0]}')")(picture, **HOW)
    with pytest.raises(ModelError, match="holds nothing that diffusers can use here") as told:
        Chain(f"diffuse(folder='{tmp_path}')")(picture, **HOW)
    assert "\n" not in str(told.value)


def test_pickles_are_not_read(folders, picture, tmp_path):
    shutil.copytree(folders[0], tmp_path / "sd")
    weights = tmp_path / "sd" / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(ModelError):
        Chain(f"diffuse(folder='{tmp_path / 'sd'}')")(picture, **HOW)
