/* Configurations: a transfer under way, the checked, the active and the previous image. PROTOCOL.md section 3.

   Three buffers take turns: active, previous, and the one in which a whole image arrives or a delta's result is made. */
#include "jf_core.h"

#define SPAN_BYTES 3u

static jf_transfer *const transfer = &jf.stage.transfer;

static uint8_t *staged(void) { return jf.stage.image[jf.stage.stage]; }

static uint32_t begun(unsigned field) { return jf_get32(transfer->begin + field); }

static uint8_t kind(void) { return transfer->begin[JF_STAGE_BEGIN_KIND]; }

const uint8_t *jf_active(void) { return jf.stage.image[jf.stage.active]; }

uint32_t jf_image_crc(void) { return jf.stage.has_active ? jf.stage.active_crc : 0; }

static bool admits(const uint8_t *begin, uint32_t length, jf_answer *answer) {
    uint8_t kind = begin[JF_STAGE_BEGIN_KIND];
    unsigned step = jf_get16(begin + JF_STAGE_BEGIN_STEP);
    uint32_t most = kind == JF_STAGED_KIND_WHOLE ? JF_IMAGE_BYTES : JF_DELTA_BYTES, base = jf_image_crc();
    if (kind > JF_STAGED_KIND_STEP || (kind == JF_STAGED_KIND_STEP && !JF_STEP_BYTES)) {
        jf_refuse(answer, kind == JF_STAGED_KIND_STEP ? JF_ERROR_CODE_UNSUPPORTED : JF_ERROR_CODE_BAD_KIND, 0, kind);
        return false;
    }
    if (length > most || (kind == JF_STAGED_KIND_WHOLE && length < most)) {
        jf_refuse(answer, JF_ERROR_CODE_STAGE_LENGTH, length, most);
        return false;
    }
    if (kind == JF_STAGED_KIND_STEP) {
        if (!jf_steps_admit(step, length, answer))
            return false;
        base = jf_steps_crc(step);
    }
    if (kind == JF_STAGED_KIND_WHOLE || (jf.stage.has_active && jf_get32(begin + JF_STAGE_BEGIN_BASE_CRC) == base))
        return true;
    jf_refuse(answer, JF_ERROR_CODE_WRONG_BASE, 0, base);
    return false;
}

void jf_do_stage_begin(const jf_request *request, jf_answer *answer) {
    uint32_t length = jf_get32(request->payload + JF_STAGE_BEGIN_LENGTH);
    if (!admits(request->payload, length, answer))
        return;
    if (!transfer->open || memcmp(transfer->begin, request->payload, JF_STAGE_BEGIN_BYTES)) {
        memset(transfer, 0, sizeof *transfer);
        memcpy(transfer->begin, request->payload, JF_STAGE_BEGIN_BYTES);
        transfer->open = true;
        transfer->length = length;
    }
    jf.stage.checked = false;
    transfer->number = request->sequence;
    jf_answer32(answer, transfer->held);
}

/* Count a piece that has arrived; pieces behind a gap are remembered, as many as frames can be out of order. */
static void note(uint32_t start, uint32_t end) {
    jf_piece *piece = transfer->piece;
    unsigned i = 0;
    if (start > transfer->held) {
        while (i < transfer->pieces && (piece[i].start > end || piece[i].end < start))
            i++;
        if (i == JF_RING)
            return; /* no host sends so; stage_end will find the gap */
        if (i == transfer->pieces)
            piece[transfer->pieces++] = (jf_piece){start, end};
        piece[i].start = start < piece[i].start ? start : piece[i].start;
        piece[i].end = end > piece[i].end ? end : piece[i].end;
        return;
    }
    transfer->held = end > transfer->held ? end : transfer->held;
    while (i < transfer->pieces) {
        if (piece[i].start > transfer->held) {
            i++;
            continue;
        }
        transfer->held = piece[i].end > transfer->held ? piece[i].end : transfer->held;
        piece[i] = piece[--transfer->pieces];
        i = 0;
    }
}

void jf_do_stage_data(const jf_request *request, jf_answer *answer) {
    uint16_t number = jf_get16(request->payload + JF_STAGE_DATA_TRANSFER);
    uint32_t offset = jf_get32(request->payload + JF_STAGE_DATA_OFFSET);
    uint32_t size = request->size - JF_STAGE_DATA_BYTES;
    if (!transfer->open || number != transfer->number) {
        jf_refuse(answer, JF_ERROR_CODE_NO_STAGE, 0, number);
        return;
    }
    if (offset > transfer->length || size > transfer->length - offset) {
        jf_refuse(answer, JF_ERROR_CODE_STAGE_LENGTH, offset + size, transfer->length);
        return;
    }
    memcpy((kind() == JF_STAGED_KIND_WHOLE ? staged() : jf.stage.delta) + offset, request->payload + JF_STAGE_DATA_BYTES,
           size);
    note(offset, offset + size);
}

/* Change `image` by a delta, and with `touch` hand what changes to the board. False at byte `bad` of a wrong delta. */
bool jf_delta(uint8_t *image, const uint8_t *delta, uint32_t length, bool touch, uint32_t *bad) {
    uint32_t place = 0, cursor = 0;
    while (cursor < length) {
        uint32_t size = length - cursor < SPAN_BYTES ? 0 : delta[cursor + 2];
        *bad = cursor;
        if (length - cursor < SPAN_BYTES + size)
            return false;
        place += jf_get16(delta + cursor);
        if (place > JF_IMAGE_BYTES || size > JF_IMAGE_BYTES - place)
            return false;
        memcpy(image + place, delta + cursor + SPAN_BYTES, size);
        if (touch && size)
            jf_image_touch(image, place, place + size);
        place += size;
        cursor += SPAN_BYTES + size;
    }
    return true;
}

/* Make the image in the staging buffer that a delta or step asks for. */
static bool make_image(unsigned step, jf_answer *answer) {
    uint32_t bad, base = jf_image_crc();
    if (kind() == JF_STAGED_KIND_STEP) {
        if (jf_refused_while_running(answer) || !jf_steps_admit(step, transfer->length, answer))
            return false;
        base = jf_steps_crc(step);
    }
    if (!jf.stage.has_active || base != begun(JF_STAGE_BEGIN_BASE_CRC)) { /* a rollback may have come in between */
        jf_refuse(answer, JF_ERROR_CODE_WRONG_BASE, 0, base);
        return false;
    }
    if (kind() == JF_STAGED_KIND_STEP)
        jf_steps_build(staged(), step);
    else
        memcpy(staged(), jf_active(), JF_IMAGE_BYTES);
    if (jf_delta(staged(), jf.stage.delta, transfer->length, false, &bad))
        return true;
    jf_refuse(answer, JF_ERROR_CODE_BAD_DELTA, bad, 0);
    return false;
}

void jf_do_stage_end(const jf_request *request, jf_answer *answer) {
    unsigned step = jf_get16(transfer->begin + JF_STAGE_BEGIN_STEP);
    uint32_t crc;
    (void)request;
    if (!transfer->open) {
        jf_refuse(answer, JF_ERROR_CODE_NO_STAGE, 0, 0);
        return;
    }
    if (transfer->held < transfer->length) {
        jf_refuse(answer, JF_ERROR_CODE_INCOMPLETE, transfer->held, transfer->length);
        return;
    }
    transfer->open = false; /* checked once: right or wrong, there is nothing to resume */
    crc = jf_crc(0, kind() == JF_STAGED_KIND_WHOLE ? staged() : jf.stage.delta, transfer->length);
    if (crc != begun(JF_STAGE_BEGIN_CRC)) {
        jf_refuse(answer, JF_ERROR_CODE_STAGE_CRC, 0, crc);
        return;
    }
    if (kind() != JF_STAGED_KIND_WHOLE && !make_image(step, answer))
        return;
    crc = jf_crc(0, staged(), JF_IMAGE_BYTES);
    if (crc != begun(JF_STAGE_BEGIN_IMAGE_CRC)) {
        jf_refuse(answer, JF_ERROR_CODE_WRONG_IMAGE, 0, crc);
        return;
    }
    if (!jf_image_check(staged(), answer))
        return;
    if (kind() == JF_STAGED_KIND_STEP) {
        jf_steps_keep(step, jf.stage.delta, transfer->length, crc);
        return;
    }
    jf.stage.checked = true;
    jf.stage.checked_crc = crc;
}

void jf_do_apply(const jf_request *request, jf_answer *answer) {
    uint8_t oldest = jf.stage.previous;
    (void)request;
    if (jf_refused_while_running(answer))
        return;
    if (!jf.stage.checked) {
        jf_refuse(answer, JF_ERROR_CODE_NOTHING_STAGED, 0, 0);
        return;
    }
    jf_outputs_off();
    jf.stage.has_previous = jf.stage.has_active;
    jf.stage.previous = jf.stage.active;
    jf.stage.previous_crc = jf.stage.active_crc;
    jf.stage.active = jf.stage.stage;
    jf.stage.active_crc = jf.stage.checked_crc;
    jf.stage.stage = oldest;
    jf.stage.has_active = jf.stage.can_roll_back = true;
    jf.stage.checked = false;
    jf_steps_forget();
    jf_image_apply(jf.stage.has_previous ? jf.stage.image[jf.stage.previous] : NULL, jf_active());
    jf_answer32(answer, jf.stage.active_crc);
}

static void roll_back(void) {
    uint8_t undone = jf.stage.active;
    jf.stage.active = jf.stage.previous;
    jf.stage.active_crc = jf.stage.previous_crc;
    jf.stage.has_active = jf.stage.has_previous;
    jf.stage.previous = undone;
    jf.stage.has_previous = jf.stage.can_roll_back = false;
    jf_steps_forget();
    if (jf.stage.has_active)
        jf_image_apply(jf.stage.image[undone], jf_active());
}

void jf_do_rollback(const jf_request *request, jf_answer *answer) {
    (void)request;
    if (jf_refused_while_running(answer))
        return;
    if (!jf_steps_away() && !jf.stage.can_roll_back) {
        jf_refuse(answer, JF_ERROR_CODE_NO_PREVIOUS, 0, 0);
        return;
    }
    jf_outputs_off();
    jf.stage.checked = false;
    if (jf_steps_away())
        jf_steps_leave();
    else
        roll_back();
    jf_answer32(answer, jf_image_crc());
}

/* Whether all spans lie in the image. */
static bool inside(uint64_t place, const uint8_t *spans, unsigned count, jf_answer *answer) {
    for (; count--; spans += SPAN_BYTES) {
        place += jf_get16(spans) + (uint64_t)spans[2];
        if (place > JF_IMAGE_BYTES) {
            jf_refuse(answer, JF_ERROR_CODE_OUT_OF_BOUNDS, (uint32_t)place, JF_IMAGE_BYTES);
            return false;
        }
    }
    return true;
}

void jf_do_read_image(const jf_request *request, jf_answer *answer) {
    uint32_t place = jf_get32(request->payload + JF_READ_IMAGE_ORIGIN);
    const uint8_t *spans = request->payload + JF_READ_IMAGE_BYTES;
    unsigned size = request->size - JF_READ_IMAGE_BYTES, count = size / SPAN_BYTES;
    if (!jf.stage.has_active) {
        jf_refuse(answer, JF_ERROR_CODE_NOT_CONFIGURED, 0, 0);
        return;
    }
    if (size % SPAN_BYTES) {
        jf_refuse(answer, JF_ERROR_CODE_BAD_LENGTH, 0, size);
        return;
    }
    if (!inside(place, spans, count, answer))
        return;
    jf_send_begin(answer->number, request->sequence);
    for (; count--; spans += SPAN_BYTES) {
        place += jf_get16(spans);
        jf_send_bytes(jf_active() + place, spans[2]);
        place += spans[2];
    }
    jf_send_end();
    answer->number = 0;
}
