"""Trained models that come with the package."""

from importlib import resources
from pathlib import Path

__all__ = ["packaged_model"]


def packaged_model(name: str) -> Path | None:
    """The folder of the packaged model `name` ("mnist"), None where there is none of that name."""
    folder = Path(str(resources.files("jackfield.model"))) / "pretrained" / f"{name}.model"
    return folder if folder.is_dir() else None
