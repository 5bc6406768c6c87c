/* Steps: deltas held on the board, played without the line. PROTOCOL.md section 3. */
#include "jf_core.h"

void jf_steps_forget(void) {
    jf.steps.count = 0;
    jf.steps.selected = JF_BASE;
}

static uint32_t used_before(unsigned step) {
    return step ? jf.steps.step[step - 1].start + jf.steps.step[step - 1].length : 0;
}

/* Whether a delta of `length` bytes can become this step. */
bool jf_steps_admit(unsigned step, uint32_t length, jf_answer *answer) {
    uint32_t room;
    if (step > jf.steps.count || step == JF_DEPTH)
        return jf_refuse(answer, JF_ERROR_CODE_NO_STEP, step, jf.steps.count);
    room = JF_STEP_BYTES - used_before(step);
    return length <= room || jf_refuse(answer, JF_ERROR_CODE_STAGE_LENGTH, length, room);
}

/* CRC of the image that `step` changes. */
uint32_t jf_steps_crc(unsigned step) {
    if (step)
        return jf.steps.step[step - 1].crc;
    return jf.steps.selected == JF_BASE ? jf_image_crc() : jf.steps.base_crc;
}

static void change(uint8_t *image, unsigned step, bool touch) {
    uint32_t bad;
    jf_delta(image, jf.steps.bytes + jf.steps.step[step].start, jf.steps.step[step].length, touch, &bad);
}

/* The image that `step` changes: the base and the steps before it. */
void jf_steps_build(uint8_t *image, unsigned step) {
    memcpy(image, jf.steps.selected == JF_BASE ? jf_active() : jf.steps.base, JF_IMAGE_BYTES);
    for (unsigned i = 0; i < step; i++)
        change(image, i, false);
}

/* Keep a delta that has been checked as `step`; those behind it are forgotten. */
void jf_steps_keep(unsigned step, const uint8_t *delta, uint32_t length, uint32_t crc) {
    jf_step kept = {used_before(step), length, crc};
    jf.steps.step[step] = kept;
    jf.steps.count = step + 1;
    memcpy(jf.steps.bytes + kept.start, delta, length);
    if (jf.steps.selected >= (int)step)
        jf.steps.selected = JF_ORPHAN; /* the active image is of a step that is no more */
}

/* Whether the image of a step is active. */
bool jf_steps_away(void) { return jf.steps.selected != JF_BASE; }

/* Back to the base. */
void jf_steps_leave(void) {
    uint8_t *image = jf.stage.image[jf.stage.active.place];
    jf_image_apply(image, jf.steps.base);
    memcpy(image, jf.steps.base, sizeof jf.steps.base);
    jf.stage.active.crc = jf.steps.base_crc;
    jf.steps.selected = JF_BASE;
}

void jf_steps_select(unsigned step) {
    uint8_t *image = jf.stage.image[jf.stage.active.place];
    if (jf.steps.selected == JF_ORPHAN || jf.steps.selected > (int)step)
        jf_steps_leave();
    if (jf.steps.selected == JF_BASE) {
        memcpy(jf.steps.base, image, sizeof jf.steps.base);
        jf.steps.base_crc = jf.stage.active.crc;
    }
    while (jf.steps.selected < (int)step)
        change(image, (unsigned)++jf.steps.selected, true);
    jf.stage.active.crc = jf.steps.step[step].crc;
}

bool jf_do_select_step(const jf_request *request, jf_answer *answer) {
    unsigned step = jf_get16(request->payload + JF_SELECT_STEP_STEP);
    if (step >= jf.steps.count)
        return jf_refuse(answer, JF_ERROR_CODE_NO_STEP, step, jf.steps.count);
    jf_outputs_off();
    jf_steps_select(step);
    return jf_answer32(answer, jf_image_crc());
}
