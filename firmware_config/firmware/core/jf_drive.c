/* What acts on the nodes during a run: driven nodes, injected currents. Only boards whose spec has `clamp` or
   `injection` use it. PROTOCOL.md section 4. */
#include "jf_core.h"

#define EACH ((uint32_t)JF_INJECTION_POINTS * JF_NODES)

#if JF_INJECTION_POINTS
static uint16_t memory[JF_INPUTS * EACH];

void jf_drive_reset(void) {
    for (uint32_t i = 0; i < JF_INPUTS * EACH; i++)
        memory[i] = JF_INJECTION_REST;
}

const uint16_t *jf_injection(unsigned input) { return memory + input * EACH; }

bool jf_do_write_injection(const jf_request *request, jf_answer *answer) {
    return jf_store(request, answer, memory, JF_INPUTS * EACH, JF_INJECTION_LEAST, JF_INJECTION_MOST);
}
#else
void jf_drive_reset(void) {}

const uint16_t *jf_injection(unsigned input) { return (void)input, NULL; }

bool jf_do_write_injection(const jf_request *request, jf_answer *answer) {
    return jf_refuse(answer, JF_ERROR_CODE_UNSUPPORTED, 0, request->number);
}
#endif

/* Where the drive part begins in the tail; its end where there is none. */
static uint32_t part_at(const jf_program *run) { return jf_list_at(run, run->probes); }

bool jf_program_injects(const jf_program *run) {
    return part_at(run) < run->tail_bytes && run->tail[run->tail_bytes - 1u];
}

static bool named(const uint8_t *nodes, unsigned count, uint16_t node) {
    while (count && jf_get16(nodes + 2 * (count - 1)) != node)
        count--;
    return count;
}

bool jf_program_clamps(const jf_program *run, uint16_t node) {
    uint32_t at = part_at(run);
    return at < run->tail_bytes && named(run->tail + at + 2, jf_get16(run->tail + at), node);
}

bool jf_drive_check(const jf_program *run, jf_answer *answer) {
    const uint8_t *end = run->tail + run->tail_bytes, *part = run->tail + part_at(run);
    bool waves = JF_INJECTION_POINTS > 1 && run->steps != 1;
    if (part == end)
        return true;
    unsigned count = jf_get16(part);
    for (unsigned i = 0; i < count; i++) {
        uint16_t node = jf_get16(part + 2 + 2 * i);
        if (!JF_HAS_CLAMP || node < 1 || node > JF_NODES || named(part + 2, i, node))
            return jf_bad_part(answer, JF_PROGRAM_PART_DRIVE, i, node);
    }
    return end[-1] <= (JF_INJECTION_POINTS && !waves) || jf_bad_part(answer, JF_PROGRAM_PART_DRIVE, count, end[-1]);
}
