/* The board's end of the link: order, acknowledgement, memory of answers. PROTOCOL.md section 2. */
#include "jf_core.h"

void jf_send(uint8_t number, uint16_t sequence, const uint8_t *payload, size_t size) {
    jf_send_begin(number, sequence);
    jf_send_bytes(payload, size);
    jf_send_end();
}

static void nak(uint8_t reason, uint16_t sequence) { jf_send(JF_NAK, sequence, &reason, 1); }

void jf_broken_frame(void) {
    jf.session.broken++;
    jf.line.broken++;
    nak(JF_NAK_REASON_BROKEN, 0);
}

void jf_acknowledge(void) {
    if (jf.session.unacknowledged)
        jf_send(JF_ACK, 0, NULL, 0);
}

static void acknowledge_soon(void) {
    if (++jf.session.unacknowledged >= (JF_WINDOW > 1 ? JF_WINDOW / 2 : 1))
        jf_acknowledge();
}

static void reply(const jf_request *request, const jf_answer *answer) {
    if (answer->number)
        jf_send(answer->number, request->sequence, answer->bytes, answer->size);
}

/* hello and safe start a session; the same nonce again is a repeated frame of the session that goes on. */
static void open_session(const jf_request *request) {
    bool hello = request->number == JF_HELLO, whole = request->size == (hello ? JF_HELLO_BYTES : JF_SAFE_BYTES);
    const uint8_t *nonce = request->payload + (hello ? JF_HELLO_NONCE : JF_SAFE_NONCE);
    jf_answer answer;
    if (whole && (!jf.session.open || memcmp(nonce, jf.session.nonce, sizeof jf.session.nonce))) {
        jf.session.open = true;
        memcpy(jf.session.nonce, nonce, sizeof jf.session.nonce);
        jf.session.expected = (uint16_t)(request->sequence + 1);
        jf.session.held = 0;
        memset(jf.session.ring, 0, sizeof jf.session.ring);
    }
    jf_execute(request, &answer);
    reply(request, &answer);
}

/* The next frame is being executed, and with it those behind it that are held. */
static void advance(void) {
    bool more = true;
    while (more) {
        jf.session.ring[jf.session.expected % JF_RING].used = false;
        jf.session.expected++;
        more = jf.session.held & 1u;
        jf.session.held >>= 1;
    }
}

static void next(const jf_request *request) {
    jf_answer answer;
    advance();
    jf_execute(request, &answer);
    if (!jf_is_pure(request->number))
        jf.session.ring[request->sequence % JF_RING] = (jf_remembered){true, request->sequence, answer};
    if (request->number == JF_STAGE_DATA && answer.number != JF_ERROR)
        acknowledge_soon();
    else
        reply(request, &answer);
}

static void repeated(const jf_request *request) {
    const jf_remembered *place = &jf.session.ring[request->sequence % JF_RING];
    bool known = place->used && place->sequence == request->sequence;
    jf_answer answer;
    if (jf_is_pure(request->number)) {
        jf_execute(request, &answer);
        reply(request, &answer);
    } else if (request->number == JF_STAGE_DATA && !(known && place->answer.number == JF_ERROR)) {
        acknowledge_soon();
    } else if (known) {
        reply(request, &place->answer);
    }
}

/* Staged bytes before their turn, if they belong to the open transfer. */
static bool held(const jf_request *request, unsigned ahead) {
    jf_answer answer;
    if (ahead > JF_RING || request->number != JF_STAGE_DATA)
        return false;
    jf_execute(request, &answer);
    if (answer.number == JF_ERROR)
        return false;
    jf.session.held |= 1u << (ahead - 1);
    acknowledge_soon();
    return true;
}

void jf_frame(const uint8_t *body, uint16_t size) {
    jf_request request;
    unsigned ahead;
    if (size < JF_REQUEST_HEADER_BYTES || body[0] >= 0x80) {
        jf_broken_frame();
        return;
    }
    request.number = body[0];
    request.sequence = jf_get16(body + JF_REQUEST_SEQUENCE);
    request.payload = body + JF_REQUEST_HEADER_BYTES;
    request.size = (uint16_t)(size - JF_REQUEST_HEADER_BYTES);
    ahead = (uint16_t)(request.sequence - jf.session.expected);
    jf.line.heard = jf_hal_ms(); /* feeds the watchdog and proves a new rate */
    jf.line.broken = 0;
    jf.line.unproven = false;
    if (request.number == JF_HELLO || request.number == JF_SAFE)
        open_session(&request);
    else if (!jf.session.open)
        nak(JF_NAK_REASON_NO_SESSION, request.sequence);
    else if (ahead == 0)
        next(&request);
    else if (ahead >= 0x10000u - JF_RING)
        repeated(&request);
    else if (!held(&request, ahead))
        nak(JF_NAK_REASON_GAP, request.sequence);
}
