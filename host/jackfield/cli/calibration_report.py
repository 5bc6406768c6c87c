"""A calibration as the content of its report."""

import numpy as np

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.cli.demo_report import cell_reasons, cell_spreads
from jackfield.cli.live import LiveView
from jackfield.cli.record import refined_text
from jackfield.report import BudgetLine, CalibrationContent, CellMap, Outputs, Residuals
from jackfield_calibration import Evidence, Plan

__all__ = ["calibration_content"]


def calibration_content(record: CalibrationRecord, spec: BoardSpec, plan: Plan, view: LiveView) -> CalibrationContent:
    """What the page shows of the calibration that `view` has heard; the same events give the same page."""
    reasons = cell_reasons(record, spec)
    measured = any(reason != "not_measured" for reason in reasons)
    evidence = view.evidence
    return CalibrationContent(
        title=f"Calibration of {record.provenance['board_id']}",
        facts=_facts(record, spec, plan),
        budget=_budget(plan, view),
        spreads=cell_spreads(record, spec) if measured else (),
        cells=CellMap(np.array([reason != "not_measured" for reason in reasons]), reasons) if measured else None,
        residuals=() if evidence is None else _residuals(evidence, spec),
        outputs=None if evidence is None else Outputs(evidence.predicted_V, evidence.se_V, evidence.measured_V),
    )


def _facts(record: CalibrationRecord, spec: BoardSpec, plan: Plan) -> dict[str, str]:
    said = record.provenance
    update = said.get("update")
    facts = {
        "board": f"{said['board_id']}, {spec.name}",
        "begun": str(said.get("started_utc", "-")),
        "temperature": f"{said.get('temperature_C', '-')} C",
        "instruments": str(said.get("instruments", "-")),
        "firmware, software": f"{said.get('firmware', '-')}, {said.get('software', '-')}",
        "planned": f"{plan.settings} settings, {plan.reads} reads, {plan.bench_s:.0f} s on the bench",
        "used": f"{said['settings']} settings, {said['reads']} reads",
        "record": record.digest[:16],
    }
    if "misfit" in said:
        facts["noise of cell runs"] = f"{said['misfit']:.2f} of that of node runs; above 1.3 the curves do not hold"
    if "refined" in said:
        facts["refined"] = refined_text(said["refined"])
    if update is not None:
        facts["moved"] = ", ".join(update["moved"]) or f"none of {update['sentinels']} cells"
    return facts


def _budget(plan: Plan, view: LiveView) -> tuple[BudgetLine, ...]:
    planned = {step.name: step for step in plan.steps}
    lines = []
    for name in [*planned, *(name for name in view.used if name not in planned)]:
        step, (settings, reads) = planned.get(name), view.used.get(name, (0, 0))
        if step is None:
            lines.append(BudgetLine(name, None, None, settings, reads))
        else:
            lines.append(BudgetLine(name, step.settings, step.reads, settings, reads))
    return tuple(lines)


def _residuals(evidence: Evidence, spec: BoardSpec) -> tuple[Residuals, ...]:
    scales = spec.group_of(int(evidence.cell[0])).parameters if len(evidence.cell) else {}
    residual = evidence.measured_V - evidence.predicted_V
    columns = {"gain": evidence.gain_S, "threshold": evidence.threshold_V}
    return tuple(
        Residuals(name, column / scales[name].hi, residual, evidence.se_V)
        for name, column in columns.items()
        if name in scales
    )
