/* States, runs, the watchdog and the input memory. PROTOCOL.md section 4. */
#include "jf_core.h"

#define STEP_BYTES 5u

static jf_program *const program = &jf.run.program;

static bool running(void) { return jf.run.state == JF_STATE_RUNNING; }

bool jf_refused_while_running(jf_answer *answer) {
    return running() && !jf_refuse(answer, JF_ERROR_CODE_BUSY, 0, program->number);
}

/* Whatever is held for a meter ends, because settings are about to change. */
void jf_outputs_off(void) {
    if (jf.run.state != JF_STATE_HOLDING)
        return;
    jf_hal_safe();
    jf.run.state = JF_STATE_IDLE;
}

static void finish(uint32_t scans, uint8_t outcome) {
    uint8_t done[JF_DONE_BYTES];
    jf.run.number = program->number;
    jf.run.scans = scans;
    jf.run.outcome = outcome;
    jf.run.due = false;
    jf_put32(done + JF_DONE_RUN_NUMBER, program->number);
    jf_put32(done + JF_DONE_SCANS, scans);
    done[JF_DONE_OUTCOME] = outcome;
    jf_send(JF_DONE, jf.run.sequence, done, sizeof done);
}

/* Outputs off; the configuration stays. A run that has not ended is given up, and said to be over. */
void jf_go_safe(uint8_t reason, uint8_t outcome) {
    bool ended = running();
    uint32_t scans = 0;
    if (ended && !jf.run.due)
        jf_hal_run_ended(&scans);
    jf_hal_safe();
    jf.run.state = JF_STATE_SAFE;
    jf.run.reason = reason;
    if (ended)
        finish(scans, outcome);
}

void jf_run_reset(uint8_t reason, uint32_t failed_test) {
    for (uint32_t i = 0; i < (uint32_t)JF_INPUTS * JF_NODES; i++)
        jf.run.input[i] = JF_PRESET_REST;
    jf_drive_reset();
    jf.run.failed_test = failed_test;
    jf.line.heard = jf_hal_ms();
    jf_go_safe(reason, JF_OUTCOME_NONE);
}

static void start(void) {
    jf.run.due = false;
    if (program->step)
        jf_steps_select(program->step - 1u);
    jf_hal_run(program);
    if (program->mode == JF_MODE_HOLD_PRESET) {
        jf.run.state = JF_STATE_HOLDING;
        finish(1, JF_OUTCOME_COMPLETE);
    }
}

void jf_run_tick(void) {
    uint32_t scans;
    if (running() && jf.run.due) {
        start();
    } else if (running() && jf_hal_run_ended(&scans)) {
        jf.run.state = JF_STATE_IDLE;
        finish(scans, JF_OUTCOME_COMPLETE);
    } else if ((running() || jf.run.state == JF_STATE_HOLDING) && jf_hal_ms() - jf.line.heard > JF_WATCHDOG_MS) {
        jf_go_safe(JF_SAFE_REASON_WATCHDOG, JF_OUTCOME_WATCHDOG);
    }
}

void jf_next_input(void) {
    if (program->step && jf.steps.selected + 1 < (int)jf.steps.count)
        jf_steps_select((unsigned)(jf.steps.selected + 1));
}

const uint16_t *jf_input(unsigned input) { return jf.run.input + (uint32_t)input * JF_NODES; }

bool jf_store(const jf_request *request, jf_answer *answer, uint16_t *memory, uint32_t all, uint16_t least, uint16_t most) {
    uint32_t first = jf_get32(request->payload), size = request->size - 4u, count = size / 2;
    const uint8_t *bytes = request->payload + 4;
    if (size % 2)
        return jf_refuse(answer, JF_ERROR_CODE_BAD_LENGTH, 0, size);
    if (first > all || count > all - first)
        return jf_refuse(answer, JF_ERROR_CODE_INPUT_RANGE, first + count, all);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t code = jf_get16(bytes + 2 * i);
        if (code < least || code > most)
            return jf_refuse(answer, JF_ERROR_CODE_INPUT_CODE, first + i, code);
    }
    for (uint32_t i = 0; i < count; i++)
        memory[first + i] = jf_get16(bytes + 2 * i);
    return true;
}

bool jf_do_write_inputs(const jf_request *request, jf_answer *answer) {
    return jf_store(request, answer, jf.run.input, (uint32_t)JF_INPUTS * JF_NODES, JF_PRESET_LEAST, JF_PRESET_MOST);
}

uint32_t jf_list_at(const jf_program *run, unsigned probe) {
    uint32_t at = run->steps * STEP_BYTES;
    while (probe--)
        at += 2u + 2u * jf_get16(run->tail + at);
    return at;
}

void jf_program_step(const jf_program *run, unsigned index, uint8_t *bank, uint32_t *ticks) {
    *bank = run->tail[index * STEP_BYTES];
    *ticks = jf_get32(run->tail + index * STEP_BYTES + 1);
}

uint16_t jf_program_node(const jf_program *run, unsigned probe, unsigned slot) {
    uint32_t at = jf_list_at(run, probe);
    return slot < jf_get16(run->tail + at) ? jf_get16(run->tail + at + 2 + 2 * slot) : 0;
}

unsigned jf_program_slots(const jf_program *run) {
    unsigned most = 0;
    for (unsigned probe = 0; probe < run->probes; probe++) {
        unsigned count = jf_get16(run->tail + jf_list_at(run, probe));
        most = count > most ? count : most;
    }
    return most;
}

bool jf_bad_part(jf_answer *answer, unsigned part, uint32_t place, uint32_t value) {
    return jf_refuse_at(answer, JF_ERROR_CODE_BAD_PROGRAM, 0, part, place, value);
}

/* Whether the tail has room for all its lists, and nothing behind them but perhaps a drive part. */
static bool whole_tail(const jf_program *run) {
    uint32_t at = run->steps * STEP_BYTES;
    for (unsigned list = 0; list < run->probes || (list == run->probes && at < run->tail_bytes); list++) {
        if (at + 2 > run->tail_bytes)
            return false;
        at += 2u + 2u * jf_get16(run->tail + at) + (list == run->probes);
    }
    return at == run->tail_bytes;
}

static bool check_steps(const jf_program *run, jf_answer *answer) {
    uint64_t total = 0;
    for (unsigned i = 0; i < run->steps; i++) {
        uint8_t bank;
        uint32_t ticks;
        jf_program_step(run, i, &bank, &ticks);
        if (bank >= JF_BANKS)
            return jf_bad_part(answer, JF_PROGRAM_PART_STEPS, i, bank);
        if (!ticks)
            return jf_bad_part(answer, JF_PROGRAM_PART_STEPS, i, ticks);
        total += ticks;
    }
    if (run->mode != JF_MODE_HOLD_PRESET && (total < JF_RUN_LEAST_TICKS || total > JF_RUN_MOST_TICKS))
        return jf_bad_part(answer, JF_PROGRAM_PART_STEPS, run->steps, total > UINT32_MAX ? UINT32_MAX : (uint32_t)total);
    return true;
}

static bool check_scan(const jf_program *run, jf_answer *answer) {
    if (run->probes != JF_PROBES)
        return jf_bad_part(answer, JF_PROGRAM_PART_SCAN, 0, run->probes);
    for (unsigned probe = 0; probe < run->probes; probe++) {
        unsigned count = jf_get16(run->tail + jf_list_at(run, probe));
        if (run->mode != JF_MODE_RUN && count != 1)
            return jf_bad_part(answer, JF_PROGRAM_PART_SCAN, probe, count);
        for (unsigned slot = 0; slot < count; slot++) {
            uint16_t node = jf_program_node(run, probe, slot);
            if (node < 1 || node > JF_NODES)
                return jf_bad_part(answer, JF_PROGRAM_PART_SCAN, probe, node);
        }
    }
    return true;
}

static bool check(const jf_program *run, jf_answer *answer) {
    uint32_t last = (uint32_t)run->step + run->inputs - 2u;
    if (run->mode > JF_MODE_HOLD_PRESET)
        return jf_bad_part(answer, JF_PROGRAM_PART_MODE, 0, run->mode);
    if (!run->inputs || run->first + run->inputs > JF_INPUTS || (run->mode != JF_MODE_RUN && run->inputs != 1))
        return jf_bad_part(answer, JF_PROGRAM_PART_INPUTS, run->first, run->inputs);
    if (!whole_tail(run))
        return jf_refuse(answer, JF_ERROR_CODE_BAD_LENGTH, 0, run->tail_bytes);
    if (!check_steps(run, answer) || !check_scan(run, answer) || !jf_drive_check(run, answer))
        return false;
    return !run->step || last < jf.steps.count || jf_bad_part(answer, JF_PROGRAM_PART_SEQUENCE, last, jf.steps.count);
}

bool jf_do_run(const jf_request *request, jf_answer *answer) {
    const uint8_t *from = request->payload;
    jf_program wanted, *run = &wanted;
    if (jf.run.failed_test)
        return jf_refuse(answer, JF_ERROR_CODE_SELF_TEST, 0, jf.run.failed_test);
    if (!jf.stage.active.kind)
        return jf_refuse(answer, JF_ERROR_CODE_NOT_CONFIGURED, 0, 0);
    run->number = jf_get32(from + JF_RUN_RUN_NUMBER);
    run->mode = from[JF_RUN_MODE];
    run->first = jf_get16(from + JF_RUN_FIRST);
    run->inputs = jf_get16(from + JF_RUN_INPUTS);
    run->hold_ticks = jf_get32(from + JF_RUN_HOLD_TICKS);
    run->step = jf_get16(from + JF_RUN_STEP);
    run->steps = from[JF_RUN_STEPS];
    run->probes = from[JF_RUN_PROBES];
    run->tail_bytes = (uint16_t)(request->size - JF_RUN_BYTES);
    memcpy(run->tail, from + JF_RUN_BYTES, run->tail_bytes);
    if (!check(run, answer))
        return false;
    jf_outputs_off();
    *program = wanted;
    jf.run.sequence = request->sequence;
    jf.run.state = JF_STATE_RUNNING;
    jf.run.reason = JF_SAFE_REASON_NONE;
    jf.run.due = true; /* starts once the answer is on its way */
    return jf_answer32(answer, run->number);
}
