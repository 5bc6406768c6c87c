"""A LUCIDAC's configuration between the form of `lucidac_config` and the items of its current firmware."""

from collections.abc import Iterable
from typing import Any, Final

__all__ = ["config_of", "items_of"]

LANES: Final = 32
PORTS: Final = 16


def items_of(pb: Any, address: str, config: Any) -> list[Any]:
    """The items of a ConfigCommand for the carrier at `address`."""
    cluster = config["/0"]
    elements = cluster["/M0"]["elements"]
    routes = [(source, lane) for lane, source in enumerate(cluster["/U"]["outputs"]) if source is not None]
    sums = [(port, lanes) for port, lanes in enumerate(cluster["/I"]["outputs"]) if lanes]
    select = pb.SelectConfig(
        connections=[pb.SelectConnectionConfig(input=source, output=lane) for source, lane in routes],
        constant=pb.SelectConfig.POS_REF if cluster["/U"]["constant"] else pb.SelectConfig.GROUND,
        magnitude=pb.SelectConfig.ONE,
    )
    values = cluster["/C"]["elements"]
    summed = pb.SumConfig(
        connections=[pb.SumConnectionConfig(inputs=lanes, output=port) for port, lanes in sums],
        upscales=[pb.UpscaleConfig(lane=lane, enabled=on) for lane, on in enumerate(cluster["/I"]["upscaling"])],
    )
    channels = [pb.AdcChannel(idx=index, probe=probe) for index, probe in enumerate(config["adc_channels"])]

    def item(path: str, **kind: Any) -> Any:
        return pb.Item(entity=pb.EntityId(path=f"/{address}{path}"), **kind)

    itor = [pb.ItorConfig.Element(idx=i, ic=element["ic"], k=element["k"]) for i, element in enumerate(elements)]
    coef = [pb.CoefConfig.Element(idx=lane, factor=value) for lane, value in enumerate(values)]
    return [
        item("/0/M0", itor_config=pb.ItorConfig(elements=itor)),
        item("/0/U", select_config=select),
        item("/0/C", coef_config=pb.CoefConfig(elements=coef)),
        item("/0/I", sum_config=summed),
        item("", adc_config=pb.AdcConfig(channels=channels)),
    ]


def config_of(items: Iterable[Any]) -> Any:
    """What `items` say, in the form of `carrier_config`; what they do not say is at rest."""
    outputs: list[int | None] = [None] * LANES
    sums: list[list[int] | None] = [None] * PORTS
    factors, upscaling = [0.0] * LANES, [False] * LANES
    elements = [{"ic": 0.0, "k": 10_000} for _ in range(8)]
    constant: Any = False
    channels: list[int] = []
    for item in items:
        kind = item.WhichOneof("kind")
        if kind == "itor_config":
            for element in item.itor_config.elements:
                elements[element.idx] = {"ic": element.ic, "k": element.k}
        elif kind == "select_config":
            constant = 1.0 if item.select_config.constant else False
            for route in item.select_config.connections:
                outputs[route.output] = route.input
        elif kind == "coef_config":
            for element in item.coef_config.elements:
                factors[element.idx] = element.factor
        elif kind == "sum_config":
            for connection in item.sum_config.connections:
                sums[connection.output] = list(connection.inputs)
            for upscale in item.sum_config.upscales:
                upscaling[upscale.lane] = upscale.enabled
        elif kind == "adc_config":
            channels = [channel.probe for channel in item.adc_config.channels]
    cluster = {
        "/M0": {"elements": elements},
        "/M1": {},
        "/U": {"outputs": outputs, "constant": constant},
        "/C": {"elements": factors},
        "/I": {"outputs": sums, "upscaling": upscaling},
    }
    return {"/0": cluster, "adc_channels": channels}
