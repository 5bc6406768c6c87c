/* Shared by the files of the core; no port includes it. */
#ifndef JF_CORE_H
#define JF_CORE_H

#include <limits.h>
#include <string.h>

#include "jf_hal.h"

#define JF_ANSWER_BYTES 11u
#define JF_BASE (-1) /* in the place of a step: the image that steps begin with, */
#define JF_ORPHAN (-2) /* and the image of a step that is no more */
#define JF_RING 32u
#define JF_DELTA_BYTES ((JF_IMAGE_BYTES + 1u) / 2u)
#define JF_DEPTH (JF_STEP_BYTES ? JF_SEQUENCE_DEPTH : 0)
#define JF_FEATURES                                                                                         \
    ((JF_FLASH_SLOT_BYTES ? JF_FEATURE_FLASH : 0) | (JF_STEP_BYTES ? JF_FEATURE_SEQUENCE : 0) |             \
     (JF_HAS_BAUD ? JF_FEATURE_BAUD : 0) | (JF_HAS_CLAMP || JF_INJECTION_POINTS ? JF_FEATURE_DRIVE : 0))

typedef struct {
    uint8_t number;
    uint16_t sequence, size;
    const uint8_t *payload;
} jf_request;

/* An answer short enough to be remembered. `number` 0: it has been sent already. */
typedef struct {
    uint8_t number, size, bytes[JF_ANSWER_BYTES];
} jf_answer;

typedef struct {
    bool used;
    uint16_t sequence;
    jf_answer answer;
} jf_remembered;

/* One of the three images in RAM. */
typedef struct {
    uint8_t place; /* in jf.stage.image */
    enum { JF_NOTHING, JF_STEP, JF_IMAGE } kind;
    uint32_t crc;
} jf_kept;

typedef struct {
    uint32_t start, end;
} jf_piece;

typedef struct {
    bool open;
    uint8_t begin[JF_STAGE_BEGIN_BYTES];
    uint16_t number;
    uint32_t length, held;
    unsigned pieces;
    jf_piece piece[JF_RING + 1];
} jf_transfer;

typedef struct {
    uint32_t start, length, crc; /* bytes of its delta; CRC of the image that it makes */
} jf_step;

/* Everything the core keeps in RAM. */
struct jf_memory {
    struct { /* jf_frame.c */
        uint8_t frame[JF_FRAME_BYTES];
        uint16_t size;
        uint8_t code, left;
        bool any, bad;
    } rx;
    struct { /* jf_frame.c */
        uint8_t block[255];
        uint8_t used;
        uint32_t crc;
    } tx;
    struct { /* jf_session.c */
        bool open;
        uint8_t nonce[4];
        uint16_t expected;
        uint32_t held;
        unsigned unacknowledged;
        uint32_t broken;
        jf_remembered ring[JF_RING];
    } session;
    struct { /* jf_stage.c */
        uint8_t image[3][JF_IMAGE_BYTES];
        uint8_t delta[JF_DELTA_BYTES];
        jf_kept active, previous, made; /* made: where a transfer arrives; its kind is what stage_end has checked */
        bool can_roll_back;
        jf_transfer transfer;
    } stage;
    struct { /* jf_steps.c */
        unsigned count;
        int selected; /* JF_BASE, JF_ORPHAN or a step */
        uint32_t base_crc;
        jf_step step[JF_DEPTH + 1];
        uint8_t bytes[JF_STEP_BYTES + 1];
        uint8_t base[JF_STEP_BYTES ? JF_IMAGE_BYTES : 1]; /* without steps nothing gets here */
    } steps;
    struct { /* jf_flash.c */
        uint8_t started_from, newest; /* 0 none, 1 A, 2 B */
        uint32_t generation, image_crc, erases;
    } flash;
    struct { /* jf_run.c */
        uint16_t input[(uint32_t)JF_INPUTS * JF_NODES];
        jf_program program;
        uint8_t state, reason;
        bool due; /* answered, not started */
        uint16_t sequence;
        uint32_t failed_test, number, scans;
        uint8_t outcome;
    } run;
    struct { /* jf_board.c */
        uint32_t baud, heard, changed; /* rate; when a frame was valid, and when the rate changed */
        unsigned broken;               /* frames in a row */
        bool due, unproven;
    } line;
};
extern struct jf_memory jf;

static inline uint16_t jf_get16(const uint8_t *at) { return (uint16_t)(at[0] | (unsigned)at[1] << 8); }
static inline uint32_t jf_get32(const uint8_t *at) { return jf_get16(at) | (uint32_t)jf_get16(at + 2) << 16; }

static inline void jf_put16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static inline void jf_put32(uint8_t *at, uint32_t value) {
    jf_put16(at, value);
    jf_put16(at + 2, value >> 16);
}

/* Handlers, each beside what it handles: false where the answer is a refusal. */
#define JF_HANDLER(name, ...) bool jf_do_##name(const jf_request *request, jf_answer *answer);
JF_REQUESTS(JF_HANDLER)

/* jf_frame.c */
uint32_t jf_crc(uint32_t crc, const uint8_t *bytes, size_t count);
void jf_receive(uint8_t byte);
void jf_send_begin(uint8_t number, uint16_t sequence);
void jf_send_bytes(const uint8_t *bytes, size_t count);
void jf_send_end(void);
/* jf_session.c */
void jf_frame(const uint8_t *body, uint16_t size);
void jf_broken_frame(void);
void jf_acknowledge(void);
void jf_send(uint8_t number, uint16_t sequence, const uint8_t *payload, size_t size);
/* jf_board.c; a refusal is false, a number as the answer is true */
void jf_execute(const jf_request *request, jf_answer *answer);
bool jf_is_pure(uint8_t number);
bool jf_refuse(jf_answer *answer, uint8_t code, uint32_t place, uint32_t value);
bool jf_refuse_at(jf_answer *answer, uint8_t code, unsigned bank, unsigned field, uint32_t place, uint32_t value);
bool jf_answer32(jf_answer *answer, uint32_t value);
/* jf_image.c: fields of an image, what they may hold, what the board gets */
bool jf_image_check(const uint8_t *image, jf_answer *answer);
void jf_image_touch(const uint8_t *image, uint32_t first, uint32_t end);
void jf_image_apply(const uint8_t *before, const uint8_t *image);
/* jf_stage.c */
const uint8_t *jf_active(void);
uint32_t jf_image_crc(void);
uint32_t jf_staged_crc(void);
uint32_t jf_staged_offset(void);
bool jf_delta(uint8_t *image, const uint8_t *delta, uint32_t length, bool touch, uint32_t *bad);
/* jf_steps.c */
void jf_steps_forget(void);
bool jf_steps_admit(unsigned step, uint32_t length, jf_answer *answer);
uint32_t jf_steps_crc(unsigned step);
void jf_steps_build(uint8_t *image, unsigned step);
void jf_steps_keep(unsigned step, const uint8_t *delta, uint32_t length, uint32_t crc);
void jf_steps_select(unsigned step);
bool jf_steps_away(void);
void jf_steps_leave(void);
/* jf_flash.c */
bool jf_flash_load(uint8_t *image);
/* jf_run.c */
void jf_run_reset(uint8_t reason, uint32_t failed_test);
void jf_run_tick(void);
void jf_go_safe(uint8_t reason, uint8_t outcome);
bool jf_refused_while_running(jf_answer *answer);
void jf_outputs_off(void);
bool jf_store(const jf_request *request, jf_answer *answer, uint16_t *memory, uint32_t all, uint16_t least, uint16_t most);
uint32_t jf_list_at(const jf_program *run, unsigned list); /* where it begins in the tail: at its count */
bool jf_bad_part(jf_answer *answer, unsigned part, uint32_t place, uint32_t value);
/* jf_drive.c */
void jf_drive_reset(void);
bool jf_drive_check(const jf_program *run, jf_answer *answer);

#endif
