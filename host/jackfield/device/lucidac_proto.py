"""Protobuf of the LUCIDAC's current firmware: github.com/anabrid/pybrid-computing, proto/main.proto.

TCP port 5732, each message behind its length as a varint: Envelope(message_v1 = MessageV1(id, one of many kinds)); a
reply has the id of its request. A run tells its states one after the other, its samples and DONE as notices. The
message classes come with `pip install 'jackfield[lucidac]'`.
"""

import uuid
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.device.lucidac_proto_config import config_of, items_of
from jackfield.device.lucidac_run import LATE_DATA_S, SLACK_S, RunPlan, missing
from jackfield.device.proto_frames import ProtoFrames, messages
from jackfield.errors import BoardError, LinkError
from jackfield.link import AbstractTransport

__all__ = ["ProtoTalk"]

NOTICES: Final = ("run_state_change_message", "run_data_message", "run_data_end_message")
REPLY_S: Final = 2.0


class ProtoTalk:
    """A Talk in protobuf; `slack_s` is what a run may take longer than it lasts."""

    def __init__(self, transport: AbstractTransport, spec: BoardSpec | None) -> None:
        self._pb = messages()
        self._frames = ProtoFrames(transport)
        self._transport = transport
        self._address = ""
        self._held: list[Any] = []
        self.slack_s = SLACK_S

    @property
    def unreadable(self) -> int:
        return self._frames.unreadable

    def who(self) -> tuple[str, str]:
        answer = self._ask("extract_command", self._pb.ExtractCommand(recursive=True, specification=True))
        found = [
            item.entity_specification.entity for item in answer.module.items if item.HasField("entity_specification")
        ]
        carriers = [carrier for entity in found for carrier in _carriers(entity, self._pb)]
        if not carriers:
            raise BoardError("the board names no carrier; it is no LUCIDAC, or has another firmware")
        self._address = carriers[0].id.strip("/") or carriers[0].eui
        return self._address, "protobuf"

    def configure(self, address: str, config: Any) -> None:
        command = self._pb.ConfigCommand(reset_before=True)
        command.module.items.extend(items_of(self._pb, address, config))
        self._ask("config_command", command)

    def start_from(self, address: str, elements: Any) -> None:
        config = self.held()
        config["/0"]["/M0"] = elements
        self.configure(address, config)

    def held(self) -> Any:
        answer = self._ask("extract_command", self._pb.ExtractCommand(recursive=True, configuration=True))
        return config_of(answer.module.items)

    def play(self, plan: RunPlan) -> NDArray[np.float64]:
        run = str(uuid.uuid4())
        pb, nano = self._pb, self._pb.NANO
        command = pb.StartRunCommand(
            run=pb.Run(id=run),
            run_config=pb.RunConfig(
                ic_time=pb.Time(value=round(plan.ic_s * 1e9), prefix=nano),
                op_time=pb.Time(value=round(plan.op_s * 1e9), prefix=nano),
            ),
            daq_config=pb.DaqConfig(
                num_channels=plan.channels, sample_rate=plan.rate, sample_op=True, sample_op_end=True
            ),
        )
        early = self._ask("start_run_command", command, keep=run)
        return self._samples(run, plan, early)

    def _samples(self, run: str, plan: RunPlan, waiting: list[Any]) -> NDArray[np.float64]:
        pb, state, done = self._pb, self._pb.NEW, False
        deadline = self._transport.now() + plan.ic_s + plan.op_s + self.slack_s
        rows: list[NDArray[np.float64]] = []
        while not (done and sum(len(part) for part in rows) >= plan.least_samples):
            message = waiting.pop(0) if waiting else self._frames.receive(deadline)
            if message is None:
                raise missing(sum(len(part) for part in rows), plan, done)
            kind = message.WhichOneof("kind")
            notice = getattr(message, kind) if kind in NOTICES else None
            if notice is None or notice.run.id != run:
                continue
            if kind == "run_state_change_message":
                if notice.old != state:
                    names = pb.RunState.Name
                    raise LinkError(
                        f"the run went on from {names(notice.old)}, it was in {names(state)} last: a message is lost; "
                        "run it again"
                    )
                state = notice.new_
                if state == pb.ERROR:
                    raise BoardError(f"the run ended with an error: {notice.reason or 'the board gives no reason'}")
                if state == pb.DONE:
                    done, deadline = True, min(deadline, self._transport.now() + LATE_DATA_S)
            elif kind == "run_data_message" and notice.entity.path.strip("/").startswith(self._address):
                rows.append(_rows(notice.data, plan.channels))
        return np.concatenate(rows)

    def quiet(self) -> None:
        self._ask("stop_run_command", self._pb.StopRunCommand(), silent=True)
        self._ask("reset_command", self._pb.ResetCommand(keep_calibration=True, circuit_reset=True, sync=True))

    def _ask(self, kind: str, body: Any, keep: str = "", silent: bool = False) -> Any:
        """The body of the reply, or with `keep` the notices about that run that came before it.

        `silent`: no reply within its time is no error, for what some firmware does not answer.
        """
        sent = self._pb.MessageV1(id=str(uuid.uuid4()), **{kind: body})
        self._frames.send(sent)
        deadline, early = self._transport.now() + (0.2 if silent else REPLY_S), []
        while (message := self._frames.receive(deadline)) is not None:
            answered = message.WhichOneof("kind")
            if answered in NOTICES and keep and getattr(message, answered).run.id == keep:
                early.append(message)
            elif message.id == sent.id:
                if answered == "error_message" and not silent:
                    raise BoardError(f"the board refuses {kind}: {message.error_message.description}")
                return early if keep else getattr(message, answered)
        if silent:
            return None
        raise LinkError(f"{self._transport.name} did not answer {kind} within {REPLY_S:g} s; check power and address")


def _carriers(entity: Any, pb: Any) -> list[Any]:
    """The carriers in a tree of entities, itself included."""
    below = [carrier for child in entity.children for carrier in _carriers(child, pb)]
    return [entity] if entity.class_ == pb.Entity.CARRIER else below


def _rows(data: Any, channels: int) -> NDArray[np.float64]:
    """`[sample, channel]` of what a run_data message carries; LinkError where it is not so many floats."""
    size = data.sample_count * channels * 4
    if data.channel_stride != channels or data.type.float_.bitwidth != 32 or len(data.data) != size:
        raise LinkError(
            f"{len(data.data)} bytes of {data.sample_count} samples of {data.channel_stride} channels came, "
            f"{channels} channels of 32-bit floats are expected; run it again"
        )
    values = np.frombuffer(data.data, dtype="<f4").astype(np.float64).reshape(-1, channels)
    if not np.isfinite(values).all():
        raise LinkError("run data came that are no finite numbers; run it again")
    return values
