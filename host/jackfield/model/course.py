"""Where a training stands, in one file that another process can go on from with the same numbers."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.model.descent import Descent

__all__ = ["Course", "read_course", "write_course"]

_FORMAT = "1"


@dataclass
class Course:
    """`step` steps are done; `order` is that of the running epoch, `loss` its sum so far, `history` the
    epochs done, as plain values.

    `origin` says by what the training was begun: everything that its numbers follow from.
    """

    origin: Mapping[str, Any]
    descent: Descent
    generator: torch.Generator
    step: int = 0
    order: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))
    loss: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def write_course(course: Course, file: Path) -> None:
    """Replace `file` in one move: whatever happens, it holds one whole state. Raises DesignError if it cannot."""
    facts = {
        "origin": course.origin,
        "step": course.step,
        "loss": course.loss,
        "history": course.history,
    }
    tensors = course.descent.tensors() | {"order": course.order, "generator": course.generator.get_state()}
    content = safetensors.torch.save(tensors, {"format": _FORMAT, "facts": json.dumps(facts)})
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DesignError(f"{file} cannot be written: {error}; the training stopped, make room to go on") from error


def read_course(course: Course, file: Path) -> None:
    """Bring `course`, as it is at the start, to where `file` says.

    Raises DesignError where `file` is damaged, or was begun otherwise than `course`, naming what differs.
    """
    try:
        with safe_open(file, "pt") as content:
            labels = content.metadata() or {}
            tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118  it is no mapping
    except (OSError, SafetensorError) as error:
        raise DesignError(f"{file} is no unfinished training: {error}; remove it and train from the start") from error
    if labels.get("format") != _FORMAT:
        raise DesignError(f"{file} is of another version; remove it and train from the start")
    facts = json.loads(labels["facts"])
    _check_origin(facts["origin"], json.loads(json.dumps(course.origin)), file)
    course.descent.restore(tensors)
    course.generator.set_state(tensors["generator"])
    course.step, course.order, course.loss = facts["step"], tensors["order"], facts["loss"]
    course.history = facts["history"]


def _check_origin(begun: Mapping[str, Any], asked: Mapping[str, Any], file: Path) -> None:
    for name in sorted({*begun, *asked}):
        if begun.get(name) != asked.get(name):
            raise DesignError(
                f"{file} was begun with {name} = {begun.get(name)}, now {asked.get(name)} is asked; "
                "go on with what it was begun with, or remove it and train from the start"
            )
