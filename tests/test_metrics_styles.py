"""Which style pictures are in: the classifier written out anew, known answers, and what it cannot learn from."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor

from artkit.errors import DataError
from artkit.metrics import evaluate, style_accuracy, style_entropy
from artkit.metrics.styles import StyleClassifier, shrink_covariance, style_statistics


def pictures(seed: int, count: int, contrast: float = 0.2, lift: float = 0.0) -> list[Tensor]:
    """Return noise pictures of one contrast around grey, of odd sizes too."""
    chance = torch.Generator().manual_seed(seed)
    return [
        (torch.rand(3, 24 + index % 3, 25, generator=chance) - 0.5) * contrast + 0.5 + lift for index in range(count)
    ]


def words(*counts: int) -> list[dict[str, str]]:
    return [{"style": f"style-{style}"} for style, count in enumerate(counts) for _ in range(count)]


def slow_statistics(picture: Tensor) -> np.ndarray:
    """Return the 21 numbers, each from its definition."""
    red, green, blue = 2 * picture.double().numpy() - 1
    light, red_green = (red + green + blue) / math.sqrt(3), (red - green) / math.sqrt(2)
    channels = [light, red_green, (red + green - 2 * blue) / math.sqrt(6)]
    found = [channel.mean() for channel in channels]
    for _ in range(2):
        halved = []
        for x in channels:
            rows, columns = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
            blocks = x[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2).transpose(0, 2, 1, 3)
            halved.append(blocks.mean((2, 3)))
        channels = halved
        for x in channels:
            a, b, c, d = x[:-1, :-1], x[:-1, 1:], x[1:, :-1], x[1:, 1:]
            for detail in ((a - b + c - d) / 2, (a + b - c - d) / 2, (a - b - c + d) / 2):
                found.append(math.log((detail**2).mean() + 1e-6))
    return np.array(found)


def test_statistics_are_those_of_their_definition():
    chosen = pictures(0, 3, 0.6)
    expected = np.stack([slow_statistics(picture) for picture in chosen])
    np.testing.assert_allclose(style_statistics(chosen).numpy(), expected, rtol=1e-9, atol=1e-9)


def test_covariance_is_shrunk_as_ledoit_and_wolf_have_it():
    x = np.random.default_rng(0).normal(size=(12, 5)) @ np.random.default_rng(1).normal(size=(5, 5))
    x /= np.sqrt((x**2).mean(0))
    covariance = sum(np.outer(row, row) for row in x) / 12
    noise = sum(((np.outer(row, row) - covariance) ** 2).sum() for row in x) / 12**2
    share = min(1, noise / ((covariance - np.eye(5)) ** 2).sum())
    assert 0.05 < share < 0.95
    expected = share * np.eye(5) + (1 - share) * covariance
    np.testing.assert_allclose(shrink_covariance(torch.from_numpy(x)).numpy(), expected, rtol=1e-9)


def test_the_answer_is_that_of_normal_distributions_of_one_covariance():
    learned, asked = [*pictures(0, 9), *pictures(1, 12, 0.3), *pictures(2, 9, 0.2, 0.05)], pictures(3, 4, 0.25)
    styles = torch.tensor([0] * 9 + [1] * 12 + [2] * 9)
    found = style_statistics(learned).numpy()
    means = np.stack([found[styles == style].mean(0) for style in range(3)])
    within = found - means[styles]
    scale = np.sqrt((within**2).mean(0))
    shrunk = shrink_covariance(torch.from_numpy(within / scale)).numpy()
    covariance = shrunk * np.outer(scale, scale) * 30 / 27
    densities = [multivariate_normal(mean, covariance).logpdf(style_statistics(asked).numpy()) for mean in means]
    answer = StyleClassifier(learned, styles)(asked).softmax(1).numpy()
    expected = torch.tensor(np.stack(densities, 1)).softmax(1).numpy()
    np.testing.assert_allclose(answer, expected, atol=1e-6)
    entropy = -(expected * np.log(expected)).sum(1).mean()
    assert style_entropy(asked, learned, words(9, 12, 9)) == pytest.approx(entropy, rel=1e-5)


def test_styles_that_differ_are_told_apart_and_those_that_do_not_are_not():
    weak, strong = pictures(0, 20), pictures(1, 20, 0.6)
    asked, told = [*pictures(2, 10), *pictures(3, 10, 0.6)], words(10, 10)
    assert style_accuracy(asked, [*weak[:10], *strong[:10]], told) == 1
    assert style_accuracy(asked[::-1], [*weak[:10], *strong[:10]], told) == 0
    assert style_entropy(asked, [*weak, *strong], words(20, 20)) < 0.05
    assert style_entropy(asked[:10], [*weak, *pictures(4, 20)], words(20, 20)) > 0.4
    assert style_entropy(asked[:10], [*weak, *[picture.clone() for picture in weak]], words(20, 20)) == pytest.approx(
        math.log(2)
    )


def test_as_many_pictures_as_styles_are_enough():
    learned = [*pictures(0, 1), *pictures(1, 1, 0.6)]
    assert style_accuracy(learned, learned, words(1, 1)) == 1


def test_what_it_cannot_learn_from():
    few = pictures(0, 2)
    with pytest.raises(DataError, match=r"do not say the style of a picture: a column `style` or `class` would"):
        style_entropy(few, few, [{"caption": "a"}, {"caption": "b"}])
    with pytest.raises(DataError, match=r"all that is compared here is 'style-0': raise the limit"):
        style_entropy(few, few, words(2))
    with pytest.raises(DataError, match=r"compares pair by pair: 3 pictures and 2 targets"):
        style_accuracy(pictures(0, 3), few, words(1, 1))
    with pytest.raises(DataError, match=r"at least 12 pixels a side"):
        style_entropy([torch.rand(3, 40, 11)], few, words(1, 1))


def test_evaluate_hands_it_the_words():
    data, columns = "styles(count=80,size=[24,24])", {"source": "image", "target": "image"}
    found = evaluate(data, "blur(sigma=3)", ["style_accuracy", "style_entropy"], limit=8, **columns)
    assert 0 <= found.scores["style_entropy"] < math.log(8)
    assert found.scores["style_accuracy"] < 1
    assert evaluate(data, "resize(scale=1)", ["style_accuracy"], limit=8, **columns).scores == {"style_accuracy": 1}
    assert not any(name.startswith("style") for name in evaluate(data, "resize(scale=1)", limit=1, **columns).scores)
