"""ResNet-18: the parameter names and shapes of torchvision, and weights that do not fit."""

from __future__ import annotations

import pytest
import torch

from aver.errors import CheckpointError, SettingsError
from aver.models.base.presets import load_preset, start_from
from aver.models.mrpn.network import Branch
from aver.networks.pretrained import load_pretrained
from aver.networks.resnet import ResNet18


def torchvision_names():
    """Names and shapes of torchvision's resnet18, written out from He et al. 2015, Table 1."""

    def norm(name, channels):
        shapes = {f"{name}.{part}": (channels,) for part in ("weight", "bias")}
        shapes |= {f"{name}.running_{part}": (channels,) for part in ("mean", "var")}
        return shapes | {f"{name}.num_batches_tracked": ()}

    shapes = {"conv1.weight": (64, 3, 7, 7)} | norm("bn1", 64)
    before = 64
    for stage, channels in enumerate((64, 128, 256, 512), start=1):
        for block in (0, 1):
            name = f"layer{stage}.{block}"
            shapes[f"{name}.conv1.weight"] = (channels, before, 3, 3)
            shapes[f"{name}.conv2.weight"] = (channels, channels, 3, 3)
            shapes |= norm(f"{name}.bn1", channels) | norm(f"{name}.bn2", channels)
            if block == 0 and stage > 1:
                shapes[f"{name}.downsample.0.weight"] = (channels, before, 1, 1)
                shapes |= norm(f"{name}.downsample.1", channels)
            before = channels
    return shapes


def test_names_and_shapes_are_torchvisions():
    found = {name: tuple(value.shape) for name, value in ResNet18().state_dict().items()}
    assert found == torchvision_names()
    # 11,689,512 parameters with the classifier of 512 x 1000 + 1000.
    assert sum(p.numel() for p in ResNet18().parameters()) == 11_689_512 - 513_000


def test_an_image_becomes_a_vector_and_each_stage_halves_it():
    network = ResNet18(channels_in=1, width=8).eval()
    sizes = []
    for name in ("conv1", "maxpool", "layer1", "layer2", "layer3", "layer4"):
        getattr(network, name).register_forward_hook(lambda m, i, o: sizes.append(o.shape[2:]))
    assert network(torch.zeros(2, 1, 224, 224)).shape == (2, 64)
    assert [tuple(size) for size in sizes] == [
        (112, 112), (56, 56), (56, 56), (28, 28), (14, 14), (7, 7),
    ]  # fmt: skip


def test_a_block_with_zero_convolutions_returns_its_input():
    network = ResNet18(width=4, blocks=1).eval()
    block = network.layer1[0]
    torch.nn.init.zeros_(block.conv2.weight)
    x = torch.rand(1, 4, 5, 5)
    torch.testing.assert_close(block(x), x)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"blocks": 3}])
def test_sizes_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError, match="ResNet"):
        ResNet18(**wrong)


def test_a_torchvision_file_starts_the_face_branch_of_the_paper(tmp_path):
    """Names and shapes are written out here, not taken from our own network."""
    torch.manual_seed(0)
    weights = {name: torch.rand(shape) for name, shape in torchvision_names().items()}
    weights |= {"fc.weight": torch.rand(1000, 512), "fc.bias": torch.rand(1000)}
    path = tmp_path / "resnet18-somewhere.pth"
    torch.save(weights, path)
    overrides = start_from("mrpn-paper", {}, {"video": str(path)})
    _, settings = load_preset("mrpn-paper", overrides)
    told = settings.branches["video"]
    assert (told.pretrained, told.frozen_epochs, told.pretrained_rate) == (str(path), 3, 0.1)
    branch = Branch(told, (3, 112, 112), 0.0)
    branch.load_pretrained(told.pretrained)
    found = branch.extractor.state_dict()
    for name in torchvision_names():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(found[name], weights[name], rtol=0, atol=0)


def test_weights_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "weights.pt"
    network = ResNet18(width=4)
    weights = network.state_dict()
    del weights["layer4.1.bn2.bias"]
    weights["head.weight"] = torch.zeros(2)
    weights["conv1.weight"] = torch.zeros(4, 1, 7, 7)
    torch.save(weights, path)
    with pytest.raises(CheckpointError) as error:
        load_pretrained(network, path)
    for words in ("layer4.1.bn2.bias is missing", "head.weight is unknown", "(4, 1, 7, 7), not"):
        assert words in str(error.value)


def test_color_weights_treat_a_gray_image_as_three_equal_channels(tmp_path):
    torch.manual_seed(3)
    color = ResNet18(3, 4).eval()
    for norm in (part for part in color.modules() if isinstance(part, torch.nn.BatchNorm2d)):
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    torch.save(color.state_dict(), tmp_path / "color.pth")
    gray = ResNet18(1, 4).eval()
    load_pretrained(gray, tmp_path / "color.pth")
    image = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(gray(image), color(image.expand(-1, 3, -1, -1)))
    torch.save(gray.state_dict(), tmp_path / "gray.pth")
    with pytest.raises(CheckpointError, match=r"\(4, 1, 7, 7\), not \(4, 3, 7, 7\)"):
        load_pretrained(color, tmp_path / "gray.pth")
    with pytest.raises(CheckpointError, match="Check width, blocks, stem and channels"):
        load_pretrained(ResNet18(1, 8), tmp_path / "color.pth")


def test_files_without_weights_are_refused(tmp_path):
    network = ResNet18(width=4)
    with pytest.raises(CheckpointError, match="no such file"):
        load_pretrained(network, tmp_path / "none.pt")
    torch.save({"epoch": 3}, tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match="contains no state dict"):
        load_pretrained(network, tmp_path / "run.pt")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_pretrained(network, tmp_path / "text.safetensors")
    torch.save(network, tmp_path / "object.pt")  # a pickled object, which could run code
    with pytest.raises(CheckpointError, match="cannot be read") as error:
        load_pretrained(network, tmp_path / "object.pt")
    assert "weights_only" not in str(error.value)  # torch's advice would run the code


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02}q\x00.", bytes(range(256)) * 9])
def test_any_other_bytes_are_refused_with_one_sentence(tmp_path, content):
    path = tmp_path / "some.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"cannot be read|contains no state dict"):
        load_pretrained(ResNet18(width=4), path)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    weights = ResNet18(width=4).state_dict()
    weights["layer2.0.bn1.running_var"][1] = torch.inf
    torch.save(weights, tmp_path / "astray.pt")
    with pytest.raises(CheckpointError, match=r"not finite, in layer2\.0\.bn1\.running_var"):
        load_pretrained(ResNet18(width=4), tmp_path / "astray.pt")
