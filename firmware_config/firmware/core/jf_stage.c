/* Configurations: a transfer under way, the checked, the active and the previous image. PROTOCOL.md section 3.

   Three buffers take turns: active, previous, and the one in which a whole image arrives or a delta's is made. */
#include "jf_core.h"

#define SPAN_BYTES 3u

static jf_transfer *const transfer = &jf.stage.transfer;

static uint8_t *staged(void) { return jf.stage.image[jf.stage.made.place]; }
static uint32_t begun(unsigned field) { return jf_get32(transfer->begin + field); }
static uint8_t kind(void) { return transfer->begin[JF_STAGE_BEGIN_KIND]; }
static uint8_t *arriving(void) { return kind() == JF_STAGED_KIND_WHOLE ? staged() : jf.stage.delta; }
static bool resumable(void) { return transfer->open || jf.stage.made.kind; }

const uint8_t *jf_active(void) { return jf.stage.image[jf.stage.active.place]; }
uint32_t jf_image_crc(void) { return jf.stage.active.crc; }
uint32_t jf_staged_crc(void) { return resumable() ? begun(JF_STAGE_BEGIN_CRC) : 0; }
uint32_t jf_staged_offset(void) { return resumable() ? transfer->held : 0; }

/* Whether there is the image that a delta or step changes. Asked again at its end: a rollback may have come between. */
static bool has_base(const uint8_t *begin, uint32_t length, jf_answer *answer) {
    unsigned step = jf_get16(begin + JF_STAGE_BEGIN_STEP);
    uint32_t base = jf_image_crc();
    if (begin[JF_STAGE_BEGIN_KIND] == JF_STAGED_KIND_STEP) {
        if (!jf_steps_admit(step, length, answer))
            return false;
        base = jf_steps_crc(step);
    }
    return (jf.stage.active.kind && jf_get32(begin + JF_STAGE_BEGIN_BASE_CRC) == base) ||
           jf_refuse(answer, JF_ERROR_CODE_WRONG_BASE, 0, base);
}

static bool admits(const uint8_t *begin, uint32_t length, jf_answer *answer) {
    uint8_t kind = begin[JF_STAGE_BEGIN_KIND];
    uint32_t most = kind == JF_STAGED_KIND_WHOLE ? JF_IMAGE_BYTES : JF_DELTA_BYTES;
    if (kind > JF_STAGED_KIND_STEP)
        return jf_refuse(answer, JF_ERROR_CODE_BAD_KIND, 0, kind);
    if (length > most || (kind == JF_STAGED_KIND_WHOLE && length < most))
        return jf_refuse(answer, JF_ERROR_CODE_STAGE_LENGTH, length, most);
    return kind == JF_STAGED_KIND_WHOLE || has_base(begin, length, answer);
}

bool jf_do_stage_begin(const jf_request *request, jf_answer *answer) {
    uint32_t length = jf_get32(request->payload + JF_STAGE_BEGIN_LENGTH);
    if (!admits(request->payload, length, answer))
        return false;
    if (!resumable() || memcmp(transfer->begin, request->payload, JF_STAGE_BEGIN_BYTES)) {
        memset(transfer, 0, sizeof *transfer);
        memcpy(transfer->begin, request->payload, JF_STAGE_BEGIN_BYTES);
        transfer->length = length;
    }
    transfer->open = true;
    transfer->number = request->sequence;
    jf.stage.made.kind = JF_NOTHING;
    return jf_answer32(answer, transfer->held);
}

/* Count a piece that has arrived; pieces behind a gap are remembered, as many as frames can be out of order. */
static void note(uint32_t start, uint32_t end) {
    jf_piece *piece = transfer->piece;
    unsigned i = 0;
    while (i < transfer->pieces && piece[i].start != start)
        i++;
    if (i == transfer->pieces)
        piece[transfer->pieces++] = (jf_piece){start, end};
    piece[i].end = end > piece[i].end ? end : piece[i].end;
    for (i = 0; i < transfer->pieces; i++)
        if (piece[i].start <= transfer->held) {
            transfer->held = piece[i].end > transfer->held ? piece[i].end : transfer->held;
            piece[i] = piece[--transfer->pieces];
            i = UINT_MAX; /* it may have closed a gap: look at all of them again */
        }
    if (transfer->pieces > JF_RING)
        transfer->pieces--; /* no host sends so; stage_end will find the gap */
}

bool jf_do_stage_data(const jf_request *request, jf_answer *answer) {
    uint16_t number = jf_get16(request->payload + JF_STAGE_DATA_TRANSFER);
    uint32_t offset = jf_get32(request->payload + JF_STAGE_DATA_OFFSET);
    uint32_t size = request->size - JF_STAGE_DATA_BYTES;
    if (!transfer->open || number != transfer->number)
        return jf_refuse(answer, JF_ERROR_CODE_NO_STAGE, 0, number);
    if (offset > transfer->length || size > transfer->length - offset)
        return jf_refuse(answer, JF_ERROR_CODE_STAGE_LENGTH, offset + size, transfer->length);
    memcpy(arriving() + offset, request->payload + JF_STAGE_DATA_BYTES, size);
    note(offset, offset + size);
    return true;
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
    uint32_t bad;
    if (!has_base(transfer->begin, transfer->length, answer))
        return false;
    if (kind() == JF_STAGED_KIND_STEP)
        jf_steps_build(staged(), step);
    else
        memcpy(staged(), jf_active(), JF_IMAGE_BYTES);
    return jf_delta(staged(), jf.stage.delta, transfer->length, false, &bad) ||
           jf_refuse(answer, JF_ERROR_CODE_BAD_DELTA, bad, 0);
}

bool jf_do_stage_end(const jf_request *request, jf_answer *answer) {
    unsigned step = jf_get16(transfer->begin + JF_STAGE_BEGIN_STEP);
    uint32_t crc;
    (void)request;
    if (transfer->open && kind() == JF_STAGED_KIND_STEP && jf_refused_while_running(answer))
        return false;
    if (!transfer->open)
        return jf_refuse(answer, JF_ERROR_CODE_NO_STAGE, 0, 0);
    if (transfer->held < transfer->length)
        return jf_refuse(answer, JF_ERROR_CODE_INCOMPLETE, transfer->held, transfer->length);
    transfer->open = false; /* if the bytes are wrong, there is nothing to resume */
    crc = jf_crc(0, arriving(), transfer->length);
    if (crc != begun(JF_STAGE_BEGIN_CRC))
        return jf_refuse(answer, JF_ERROR_CODE_STAGE_CRC, 0, crc);
    if (kind() != JF_STAGED_KIND_WHOLE && !make_image(step, answer))
        return false;
    crc = jf_crc(0, staged(), JF_IMAGE_BYTES);
    if (crc != begun(JF_STAGE_BEGIN_IMAGE_CRC))
        return jf_refuse(answer, JF_ERROR_CODE_WRONG_IMAGE, 0, crc);
    if (!jf_image_check(staged(), answer))
        return false;
    jf.stage.made.kind = kind() == JF_STAGED_KIND_STEP ? JF_STEP : JF_IMAGE;
    jf.stage.made.crc = crc;
    if (jf.stage.made.kind == JF_STEP) {
        jf_steps_keep(step, jf.stage.delta, transfer->length, crc);
        jf_steps_build(staged(), step + 1u); /* so that read_checked shows what has been kept */
    }
    return true;
}

bool jf_do_apply(const jf_request *request, jf_answer *answer) {
    jf_kept oldest = jf.stage.previous;
    (void)request;
    if (jf.stage.made.kind != JF_IMAGE)
        return jf_refuse(answer, JF_ERROR_CODE_NOTHING_STAGED, 0, 0);
    jf_outputs_off();
    jf.stage.previous = jf.stage.active;
    jf.stage.active = jf.stage.made;
    jf.stage.made = oldest;
    jf.stage.made.kind = JF_NOTHING;
    jf.stage.can_roll_back = true;
    jf_steps_forget();
    jf_image_apply(jf.stage.previous.kind ? jf.stage.image[jf.stage.previous.place] : NULL, jf_active());
    return jf_answer32(answer, jf_image_crc());
}

static void roll_back(void) {
    jf_kept undone = jf.stage.active;
    jf.stage.active = jf.stage.previous;
    jf.stage.previous = undone;
    jf.stage.can_roll_back = false;
    jf_steps_forget();
    if (jf.stage.active.kind)
        jf_image_apply(jf.stage.image[undone.place], jf_active());
}

bool jf_do_rollback(const jf_request *request, jf_answer *answer) {
    (void)request;
    if (!jf_steps_away() && !jf.stage.can_roll_back)
        return jf_refuse(answer, JF_ERROR_CODE_NO_PREVIOUS, 0, 0);
    jf_outputs_off();
    jf.stage.made.kind = JF_NOTHING;
    if (jf_steps_away())
        jf_steps_leave();
    else
        roll_back();
    return jf_answer32(answer, jf_image_crc());
}

/* Whether all spans lie in the image. */
static bool inside(uint64_t place, const uint8_t *spans, unsigned count, jf_answer *answer) {
    for (; count--; spans += SPAN_BYTES) {
        place += jf_get16(spans) + (uint64_t)spans[2];
        if (place > JF_IMAGE_BYTES)
            return jf_refuse(answer, JF_ERROR_CODE_OUT_OF_BOUNDS, (uint32_t)place, JF_IMAGE_BYTES);
    }
    return true;
}

static bool read_spans(const uint8_t *image, const jf_request *request, jf_answer *answer) {
    uint32_t place = jf_get32(request->payload + JF_READ_IMAGE_ORIGIN);
    const uint8_t *spans = request->payload + JF_READ_IMAGE_BYTES;
    unsigned size = request->size - JF_READ_IMAGE_BYTES, count = size / SPAN_BYTES;
    if (size % SPAN_BYTES)
        return jf_refuse(answer, JF_ERROR_CODE_BAD_LENGTH, 0, size);
    if (!inside(place, spans, count, answer))
        return false;
    jf_send_begin(answer->number, request->sequence);
    for (; count--; spans += SPAN_BYTES) {
        place += jf_get16(spans);
        jf_send_bytes(image + place, spans[2]);
        place += spans[2];
    }
    jf_send_end();
    answer->number = 0;
    return true;
}

bool jf_do_read_image(const jf_request *request, jf_answer *answer) {
    return jf.stage.active.kind ? read_spans(jf_active(), request, answer)
                                : jf_refuse(answer, JF_ERROR_CODE_NOT_CONFIGURED, 0, 0);
}

bool jf_do_read_checked(const jf_request *request, jf_answer *answer) {
    return jf.stage.made.kind ? read_spans(staged(), request, answer)
                              : jf_refuse(answer, JF_ERROR_CODE_NOTHING_STAGED, 0, 0);
}
