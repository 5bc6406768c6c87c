"""How much the boards of one kind differ: a profile of the spec, in SI units of that board."""

from collections.abc import Mapping
from dataclasses import dataclass

from jackfield.board import BoardSpec
from jackfield.errors import DesignError

__all__ = ["UNIT_TIME_S", "Profile", "statistics_of"]

UNIT_TIME_S = 100e-6  # what "leak over unit time" in the spec's statistics refers to
DROOP_SPREAD = 0.3  # relative spread of droop among nodes, as for leak
REFERENCE_SHARE = 0.1  # the reference's error, as a share of the spread of probe gains


def statistics_of(spec: BoardSpec, name: str) -> Mapping[str, float]:
    """What the spec says of its profile `name`; DesignError where it says nothing."""
    if name not in spec.statistics:
        known = ", ".join(spec.statistics) or "none: a board without statistics cannot be emulated"
        raise DesignError(f"profile {name!r} is asked, board {spec.name} has {known}")
    return spec.statistics[name]


@dataclass(frozen=True)
class Profile:
    """Standard deviations unless said otherwise; see jackfield.board.STATISTICS for each.

    Fractions of cell parameters (gain, threshold, currents) stay fractions here, since groups differ in
    their ranges; node and probe quantities are in volts, amperes, siemens and seconds.
    """

    gain_relative: float
    gain_zero_lsb: float
    gain_inl_lsb: float
    threshold_of_range: float
    current_of_limit: float
    knee_V: float
    saturation_of_limit: float
    capacitance_relative: float
    leak_S: float
    leak_relative: float
    node_current_A: float
    preset_gain: float
    preset_offset_V: float
    probe_gain: float
    probe_offset_V: float
    reference_relative: float
    droop_per_s: float
    node_noise_V: float
    readout_noise_V: float
    gain_drift_per_K: float
    offset_drift_per_K: float
    walk_per_hour: float
    defect_rate: float
    switch_charge_V: float
    crosstalk: float

    @classmethod
    def of(cls, spec: BoardSpec, name: str) -> "Profile":
        """The profile `name` of `spec`; DesignError where the spec has no such statistics."""
        s = statistics_of(spec, name)
        rail_V = max(abs(volts) for volts in spec.nodes.rail_V)
        limit_A = max(group.output_limit_A for group in spec.groups)
        return cls(
            gain_relative=s["gain_relative"],
            gain_zero_lsb=s["gain_zero_lsb"],
            gain_inl_lsb=s["gain_inl_lsb"],
            threshold_of_range=s["threshold_offset"],
            current_of_limit=s["cell_current_offset"],
            knee_V=s["knee"] * rail_V,
            saturation_of_limit=s["saturation"],
            capacitance_relative=s["capacitance_relative"],
            leak_S=s["leak_mean"] * spec.nodes.capacitance_F / UNIT_TIME_S,
            leak_relative=s["leak_relative"],
            node_current_A=s["node_offset_current"] * limit_A,
            preset_gain=s["preset_gain"],
            preset_offset_V=s["preset_offset"] * rail_V,
            probe_gain=s["probe_gain"],
            probe_offset_V=s["probe_offset"] * rail_V,
            reference_relative=s["probe_gain"] * REFERENCE_SHARE,
            droop_per_s=s["droop_per_slot"] / spec.probe.slot_s,
            node_noise_V=s["node_noise"] * rail_V,
            readout_noise_V=s["readout_noise"] * rail_V,
            gain_drift_per_K=s["gain_drift_per_k"],
            offset_drift_per_K=s["offset_drift_per_k"],
            walk_per_hour=s["walk_per_hour"],
            defect_rate=s["defect_rate"],
            switch_charge_V=s["bank_switch_charge"] * rail_V,
            crosstalk=s["crosstalk"],
        )
