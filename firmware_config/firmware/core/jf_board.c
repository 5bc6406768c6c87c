/* Requests to handlers, hello and status, the line's rate, the main loop's share. */
#include "jf_core.h"

#define READ_BYTES 64u
#define PROOF_MS 500u
#define BROKEN_IN_A_ROW 3u

struct jf_memory jf;

bool jf_refuse_at(jf_answer *answer, uint8_t code, unsigned bank, unsigned field, uint32_t place, uint32_t value) {
    answer->number = JF_ERROR;
    answer->size = JF_ERROR_BYTES;
    answer->bytes[JF_ERROR_CODE] = code;
    answer->bytes[JF_ERROR_BANK] = (uint8_t)bank;
    answer->bytes[JF_ERROR_FIELD] = (uint8_t)field;
    jf_put32(answer->bytes + JF_ERROR_PLACE, place);
    jf_put32(answer->bytes + JF_ERROR_VALUE, value);
    return false;
}

bool jf_refuse(jf_answer *answer, uint8_t code, uint32_t place, uint32_t value) {
    return jf_refuse_at(answer, code, 0, 0, place, value);
}

bool jf_answer32(jf_answer *answer, uint32_t value) {
    jf_put32(answer->bytes, value);
    answer->size = 4;
    return true;
}

static bool send_whole(const jf_request *request, jf_answer *answer, const uint8_t *payload, size_t size) {
    jf_send(answer->number, request->sequence, payload, size);
    answer->number = 0;
    return true;
}

bool jf_do_hello(const jf_request *request, jf_answer *answer) {
    static const uint8_t digest[32] = JF_SPEC_DIGEST, version[3] = {1, 0, 0};
    uint8_t hello[JF_HELLO_ANSWER_BYTES] = {0};
    memcpy(hello + JF_HELLO_ANSWER_NONCE, request->payload + JF_HELLO_NONCE, 4);
    hello[JF_HELLO_ANSWER_VERSION] = JF_PROTOCOL_VERSION;
    jf_put16(hello + JF_HELLO_ANSWER_FEATURES, JF_FEATURES);
    jf_hal_board_id(hello + JF_HELLO_ANSWER_BOARD_ID);
    memcpy(hello + JF_HELLO_ANSWER_SPEC_NAME, JF_SPEC_NAME, sizeof JF_SPEC_NAME - 1);
    memcpy(hello + JF_HELLO_ANSWER_SPEC_DIGEST, digest, sizeof digest);
    memcpy(hello + JF_HELLO_ANSWER_FIRMWARE_MAJOR, version, sizeof version);
    jf_put16(hello + JF_HELLO_ANSWER_FRAME_BYTES, JF_FRAME_BYTES);
    hello[JF_HELLO_ANSWER_WINDOW] = JF_WINDOW;
    jf_put16(hello + JF_HELLO_ANSWER_INPUTS, JF_INPUTS);
    jf_put16(hello + JF_HELLO_ANSWER_SEQUENCE_DEPTH, JF_DEPTH);
    jf_put16(hello + JF_HELLO_ANSWER_REPLY_MS, JF_REPLY_MS);
    jf_put16(hello + JF_HELLO_ANSWER_FLASH_MS, JF_FLASH_MS);
    jf_put16(hello + JF_HELLO_ANSWER_WATCHDOG_MS, JF_WATCHDOG_MS);
    jf_put32(hello + JF_HELLO_ANSWER_IMAGE_BYTES, JF_IMAGE_BYTES);
    jf_put32(hello + JF_HELLO_ANSWER_IMAGE_CRC, jf_image_crc());
    jf_put32(hello + JF_HELLO_ANSWER_STAGED_CRC, jf_staged_crc());
    jf_put32(hello + JF_HELLO_ANSWER_STAGED_OFFSET, jf_staged_offset());
    jf_put32(hello + JF_HELLO_ANSWER_RUN_NUMBER, jf.run.number);
    return send_whole(request, answer, hello, sizeof hello);
}

bool jf_do_safe(const jf_request *request, jf_answer *answer) {
    jf_go_safe(JF_SAFE_REASON_REQUEST, JF_OUTCOME_STOPPED);
    return jf_answer32(answer, jf_get32(request->payload + JF_SAFE_NONCE));
}

bool jf_do_status(const jf_request *request, jf_answer *answer) {
    uint8_t status[JF_STATUS_ANSWER_BYTES] = {0};
    status[JF_STATUS_ANSWER_STATE] = jf.run.state;
    status[JF_STATUS_ANSWER_SAFE_REASON] = jf.run.state == JF_STATE_SAFE ? jf.run.reason : JF_SAFE_REASON_NONE;
    jf_put16(status + JF_STATUS_ANSWER_TEMPERATURE_CC, (uint16_t)jf_hal_temperature());
    jf_put32(status + JF_STATUS_ANSWER_RUN_NUMBER, jf.run.number);
    jf_put32(status + JF_STATUS_ANSWER_SCANS, jf.run.scans);
    status[JF_STATUS_ANSWER_OUTCOME] = jf.run.outcome;
    jf_put32(status + JF_STATUS_ANSWER_IMAGE_CRC, jf_image_crc());
    jf_put32(status + JF_STATUS_ANSWER_STAGED_CRC, jf_staged_crc());
    jf_put32(status + JF_STATUS_ANSWER_STAGED_OFFSET, jf_staged_offset());
    status[JF_STATUS_ANSWER_SLOT] = jf.flash.started_from;
    jf_put32(status + JF_STATUS_ANSWER_ERASES, jf.flash.erases);
    jf_put32(status + JF_STATUS_ANSWER_BROKEN_FRAMES, jf.session.broken);
    return send_whole(request, answer, status, sizeof status);
}

bool jf_do_stop(const jf_request *request, jf_answer *answer) {
    (void)request, (void)answer;
    jf_go_safe(JF_SAFE_REASON_STOP, JF_OUTCOME_STOPPED);
    return true;
}

static const uint32_t rates[] = JF_BAUD;

#if JF_HAS_BAUD
static void change_rate(uint32_t baud) {
    jf.line.baud = baud;
    jf.line.broken = 0;
    jf_hal_baud(baud);
}

bool jf_do_set_baud(const jf_request *request, jf_answer *answer) {
    uint32_t baud = jf_get32(request->payload + JF_SET_BAUD_BAUD);
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++)
        if (rates[i] == baud) {
            jf.line.baud = baud;
            jf.line.due = true; /* once the answer is on its way, at the old rate */
            return jf_answer32(answer, baud);
        }
    return jf_refuse(answer, JF_ERROR_CODE_BAUD, 0, baud);
}

static void rate_tick(void) {
    uint32_t now = jf_hal_ms();
    if (jf.line.due) {
        jf.line.due = false;
        jf.line.unproven = true;
        jf.line.changed = now;
        change_rate(jf.line.baud);
    } else if (jf.line.baud == rates[0]) {
        jf.line.unproven = false;
    } else if ((jf.line.unproven && now - jf.line.changed > PROOF_MS) ||
               (jf.line.broken >= BROKEN_IN_A_ROW && now - jf.line.heard > PROOF_MS)) {
        jf.line.unproven = false;
        change_rate(rates[0]);
    }
}
#else
static void rate_tick(void) {}
bool jf_do_set_baud(const jf_request *request, jf_answer *answer) { return (void)request, (void)answer, false; }
#endif

typedef struct {
    uint8_t number;
    bool tail, pure, busy;
    uint16_t bytes, feature;
    bool (*handler)(const jf_request *request, jf_answer *answer);
} entry;

#define ENTRY(name, number, bytes, tail, pure, busy, feature) {number, tail, pure, busy, bytes, feature, jf_do_##name},
static const entry table[] = {JF_REQUESTS(ENTRY)};

static const entry *find(uint8_t number) {
    unsigned i = sizeof table / sizeof table[0];
    while (i && table[i - 1].number != number)
        i--;
    return i ? &table[i - 1] : NULL;
}

bool jf_is_pure(uint8_t number) {
    const entry *found = find(number);
    return found && found->pure;
}

void jf_execute(const jf_request *request, jf_answer *answer) {
    const entry *found = find(request->number);
    answer->number = request->number | 0x80;
    answer->size = 0;
    if (!found || (found->feature & ~JF_FEATURES))
        jf_refuse(answer, JF_ERROR_CODE_UNSUPPORTED, 0, request->number);
    else if (request->size < found->bytes || (request->size > found->bytes && !found->tail))
        jf_refuse(answer, JF_ERROR_CODE_BAD_LENGTH, 0, request->number);
    else if (!found->busy || !jf_refused_while_running(answer))
        found->handler(request, answer);
}

void jf_start(uint8_t reason, uint32_t failed_test) {
    memset(&jf, 0, sizeof jf);
    jf.stage.previous.place = 1;
    jf.stage.made.place = 2;
    jf_steps_forget();
    jf_run_reset(reason, failed_test);
    jf.line.baud = rates[0];
    if (!jf_flash_load(jf.stage.image[0]))
        return;
    jf.stage.active.kind = JF_IMAGE;
    jf.stage.active.crc = jf.flash.image_crc;
    jf_settings_again();
}

void jf_poll(void) {
    uint8_t bytes[READ_BYTES];
    size_t count = jf_hal_read(bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++)
        jf_receive(bytes[i]);
    if (!count)
        jf_acknowledge();
    rate_tick();
    jf_run_tick();
}
